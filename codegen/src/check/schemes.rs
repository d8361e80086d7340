//! Security schemes.

use foldhash::HashMap;

use crate::annotation::{TokenKind, Typ};
use crate::build::field_name::is_taken;
use crate::document::{Document, Scheme, SchemeForm};
use crate::finding::{Code, Finding, Findings};

/// Behind an issuer's name.
const METADATA: &str = "/.well-known/openid-configuration";

/// Rejects a scheme that the runtime cannot verify, used or not: `type: http, scheme: digest`, `type: apiKey, in: query`
/// without a reason for it, or in a header in which no key arrives. Keys in a query end in logs (OWASP API2).
pub(super) fn enforceable(document: &Document, findings: &mut Findings) {
    for scheme in &document.schemes {
        let name = &scheme.name.value;
        let finding = match &scheme.form {
            SchemeForm::Http { scheme: word } if !matches!(&*word.value, "bearer" | "basic") => {
                let message = format!("palisade cannot enforce the HTTP scheme `{}`", word.value);
                Finding::error(Code::UnsupportedScheme, message, word.place)
                    .help("use `bearer` or `basic`")
                    .nearest(&word.value, ["bearer", "basic"])
            }
            SchemeForm::ApiKey { location, .. }
                if location.value == "query" && scheme.rules.in_query.is_none() =>
            {
                let message =
                    format!("the key of `{name}` stands in the query, where logs and histories keep it");
                Finding::error(Code::UnsupportedScheme, message, location.place)
                    .help("use `in: header`, or say why not by `x-palisade: { in-query: \"the reason\" }`")
            }
            SchemeForm::ApiKey { location, name: header }
                if location.value == "header" && is_taken(&header.value) =>
            {
                let message = format!(
                    "no key of `{name}` arrives in `{}`: HTTP, a proxy or the server itself has it",
                    header.value
                );
                Finding::error(Code::UnsupportedScheme, message, header.place)
                    .help("name a header of your own, such as `X-Api-Key`")
            }
            _ => continue,
        };
        findings.push(finding);
    }
}

/// Rejects settings of another kind of scheme: `issuer` on an API key, `prefix` on a token.
pub(super) fn settings_fit(document: &Document, findings: &mut Findings) {
    for scheme in &document.schemes {
        let bearer = scheme.form.has_tokens();
        let key = matches!(scheme.form, SchemeForm::ApiKey { .. });
        if let Some(place) = scheme.rules.token.any.filter(|_| !bearer) {
            let message =
                format!("settings of a token on the scheme `{}`, which has none", scheme.name.value);
            let finding = Finding::error(Code::Misplaced, message, place);
            findings.push(finding.help("they belong to `oauth2`, `openIdConnect` and `http` with `bearer`"));
        }
        if bearer {
            token_settings_fit(scheme, findings);
        }
        let in_query =
            matches!(&scheme.form, SchemeForm::ApiKey { location, .. } if location.value == "query");
        if let Some(reason) = scheme.rules.in_query.as_ref().filter(|_| !in_query) {
            let name = &scheme.name.value;
            let message =
                format!("a reason for keys in the query on the scheme `{name}`, which has none there");
            let finding = Finding::error(Code::Misplaced, message, reason.place);
            findings.push(finding.help("it belongs to `apiKey` with `in: query`"));
        }
        if let Some(subject) =
            scheme.rules.subject.as_ref().filter(|_| !matches!(scheme.form, SchemeForm::MutualTls))
        {
            let message =
                format!("a name in certificates on the scheme `{}`, which has none", scheme.name.value);
            let finding = Finding::error(Code::Misplaced, message, subject.place);
            findings.push(finding.help("it belongs to `mutualTLS`"));
        }
        if let Some(within) = scheme.rules.rotate_within.as_ref().filter(|_| !key) {
            let message = format!("an age of keys on the scheme `{}`, which has none", scheme.name.value);
            findings
                .push(Finding::error(Code::Misplaced, message, within.place).help("it belongs to `apiKey`"));
        }
        if let Some(prefix) = scheme.rules.prefix.as_ref().filter(|_| !key) {
            let message = format!("a prefix of keys on the scheme `{}`, which has none", scheme.name.value);
            findings
                .push(Finding::error(Code::Misplaced, message, prefix.place).help("it belongs to `apiKey`"));
        }
    }
}

/// Rejects settings of signed tokens where the issuer is asked, and settings of asking where it is not.
fn token_settings_fit(scheme: &Scheme, findings: &mut Findings) {
    let (token, name) = (&scheme.rules.token, &scheme.name.value);
    let mut misplaced = |what: &str, place, help: &str| {
        let message = format!("{what} on the scheme `{name}`, whose tokens have none");
        findings.push(Finding::error(Code::Misplaced, message, place).help(help));
    };
    match token.kind {
        TokenKind::Jwt => {
            if let Some(place) = token.introspection {
                misplaced("an introspection", place, "it belongs to `token: introspection`");
            }
        }
        TokenKind::Introspection => {
            let signed = "it belongs to signed tokens: these are judged by their issuer, who is asked";
            if let Some(algorithms) = &token.algorithms {
                misplaced("algorithms of signatures", algorithms.place, signed);
            }
            if let Some(typ) = &token.typ {
                misplaced("a type of signed tokens", typ.place, signed);
            }
        }
    }
}

/// Remarks where tokens of another type than `at+jwt` are taken: what RFC 9068 sections 2.2 and 4 ask of an access token is
/// not asked of them.
pub(super) fn access_tokens_are_typed(document: &Document, findings: &mut Findings) {
    for scheme in &document.schemes {
        let token = &scheme.rules.token;
        let Some(typ) = token.typ.as_ref().filter(|_| token.kind == TokenKind::Jwt) else { continue };
        let name = &scheme.name.value;
        let message = match &typ.value {
            Typ::Exactly(typ) if is_access_token(typ) => continue,
            Typ::Exactly(typ) => {
                format!("tokens of `{name}` are typed `{typ}`, and need not be access tokens as of RFC 9068")
            }
            Typ::Any => format!(
                "tokens of `{name}` need no type: another token that its issuer signed for this audience may pass"
            ),
        };
        let finding = Finding::warning(Code::TokenRules, message, typ.place);
        findings.push(finding.help("remove `type` where the issuer types access tokens as `at+jwt`"));
    }
}

/// Letter case and the `application/` that RFC 7515 section 4.1.9 lets one omit aside.
fn is_access_token(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").unwrap_or(&typ) == "at+jwt"
}

/// Remarks on an `openIdConnectUrl` that is not the issuer's (OpenID Connect Discovery section 4): tokens are judged by
/// `issuer` alone, and clients are sent to another. Where no issuer is named there is nothing to compare: the URL does not
/// tell whether the name of its issuer ends with a slash.
pub(super) fn issuers_are_where_they_say(document: &Document, findings: &mut Findings) {
    for scheme in &document.schemes {
        let SchemeForm::OpenIdConnect { url } = &scheme.form else { continue };
        let Some(issuer) = &scheme.rules.token.issuer else { continue };
        let base = issuer.value.strip_suffix('/').unwrap_or(&issuer.value);
        // a relative reference says nothing of a host
        if !url.value.contains("://") || url.value.strip_suffix(METADATA) == Some(base) {
            continue;
        }
        let message = format!("`{}` is not where the issuer `{}` has its metadata", url.value, issuer.value);
        let finding = Finding::warning(Code::TokenRules, message, url.place);
        let finding = finding.related(issuer.place, "the issuer of tokens that are accepted");
        findings.push(finding.help(format!("they are at `{base}{METADATA}`: correct the one or the other")));
    }
}

/// Rejects two schemes whose names differ in case only: in code they would be one step of the builder.
pub(super) fn names_are_apart(document: &Document, findings: &mut Findings) {
    let folded = |name: &str| -> String {
        name.chars()
            .filter(|char| char.is_ascii_alphanumeric())
            .map(|char| char.to_ascii_lowercase())
            .collect()
    };
    let mut known = HashMap::default();
    for scheme in &document.schemes {
        let first = *known.entry(folded(&scheme.name.value)).or_insert(scheme);
        if !std::ptr::eq(first, scheme) {
            let message = format!(
                "the schemes `{}` and `{}` are one word in code",
                first.name.value, scheme.name.value
            );
            let finding = Finding::error(Code::InvalidValue, message, scheme.name.place);
            findings
                .push(finding.related(first.name.place, "the other").help("give one of them another name"));
        }
    }
}
