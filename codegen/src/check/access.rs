//! Who may call.

use foldhash::{HashMap, HashSet};

use crate::document::{Document, Need, Operation, Requirements, Scheme, SchemeForm};
use crate::finding::{Code, Finding, Findings};
use crate::model::Binding;

/// Rejects what nobody decided about, and what was decided twice:
/// no `security` anywhere; `security: []` or `[{}]` without a reason; `public` beside a requirement.
pub(super) fn decided(document: &Document, findings: &mut Findings) {
    for (item, operation) in document.operations() {
        let what = format!("`{} {}`", operation.method.as_str(), item.template.value);
        let reason = operation.rules.public.as_ref();
        let help = "require a scheme, or write `security: []` and `x-palisade: { public: \"<why>\" }`";
        let Some(requirements) = requirements(document, operation) else {
            let message = format!("nobody decided who may call {what}");
            let finding = Finding::error(Code::Undecided, message, operation.place);
            findings.push(finding.label("no `security` here, nor on the document").help(help));
            continue;
        };
        let open = requirements.alternatives.is_empty();
        let anonymous = !open && requirements.alternatives.iter().all(|one| one.needs.is_empty());
        match reason {
            None if open => {
                let message = format!("{what} is public, and nothing says why");
                let finding = Finding::error(Code::Undecided, message, operation.place);
                findings.push(finding.related(requirements.place, "open to everybody").help(help));
            }
            _ if anonymous => {
                let message = format!("{what} asks nobody for anything, and nothing says why");
                let finding = Finding::error(Code::Undecided, message, operation.place);
                findings.push(finding.related(requirements.place, "only `{}`").help(help));
            }
            Some(reason) if !open => {
                let message = format!("{what} is public and protected at once");
                let finding = Finding::error(Code::PublicContradiction, message, reason.place);
                let finding = finding.related(requirements.place, "this protects it");
                findings.push(
                    finding
                        .help("write `security: []` on the operation if it is public, else remove `public`"),
                );
            }
            _ => {}
        }
    }
}

/// The requirements that count for an operation.
pub(super) fn requirements<'d>(document: &'d Document, operation: &'d Operation) -> Option<&'d Requirements> {
    operation.security.as_ref().or(document.security.as_ref())
}

/// Rejects `security: [{ oath: [] }]` where the scheme is called `oauth`.
pub(super) fn schemes_are_declared(document: &Document, findings: &mut Findings) {
    let stated = document.operations_anywhere().filter_map(|(_, operation)| operation.security.as_ref());
    for need in document.security.iter().chain(stated).flat_map(needs) {
        if document.scheme(&need.scheme.value).is_none() {
            let message = format!("the security scheme `{}` is not declared", need.scheme.value);
            let finding = Finding::error(Code::UnknownScheme, message, need.scheme.place);
            let known = document.schemes.iter().map(|scheme| &*scheme.name.value);
            let finding = finding.help(match need.scheme.value.contains(['#', '/']) {
                true => {
                    "write the name that it has under `components.securitySchemes`: by a URI it is named since OpenAPI 3.2"
                }
                false => "declare it under `components.securitySchemes`",
            });
            findings.push(finding.nearest(&need.scheme.value, known));
        }
    }
}

/// Rejects a scope that no flow of its oauth2 scheme declares: no token can carry it. The scopes of openIdConnect stand
/// at the provider, those of keys in the store: they cannot be compared here.
pub(super) fn scopes_are_declared(document: &Document, findings: &mut Findings) {
    let mut declared: HashMap<&str, HashSet<&str>> = HashMap::default();
    for need in all_needs(document) {
        let Some(scheme) = document.scheme(&need.scheme.value) else { continue };
        for scope in &need.scopes {
            let name = &scope.value;
            // RFC 6749 section 3.3
            let sound = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            if name.is_empty() || !name.bytes().all(sound) {
                let message = format!("`{name}` is no scope");
                let finding = Finding::error(Code::InvalidValue, message, scope.place);
                findings.push(
                    finding
                        .help("scopes are words of ASCII characters without spaces, quotes and backslashes"),
                );
            } else if let SchemeForm::OAuth2 { scopes } = &scheme.form
                && !declared
                    .entry(&*need.scheme.value)
                    .or_insert_with(|| scopes.iter().map(|(known, _)| &**known).collect())
                    .contains(&**name)
            {
                let message = format!("no flow of `{}` declares the scope `{name}`", need.scheme.value);
                let finding = Finding::error(Code::UnknownScope, message, scope.place);
                let known = scopes.iter().map(|(known, _)| known.as_str());
                findings.push(finding.help("declare it under `scopes` of a flow").nearest(name, known));
            }
        }
    }
}

/// Remarks on `security: [{ key: [clerk] }]` in a document of 3.0, where the list of what is neither oauth2 nor openIdConnect
/// is empty (section 4.7.30.1). It is enforced as the roles that it is since 3.1.
pub(super) fn roles_are_of_3_1(document: &Document, findings: &mut Findings) {
    if document.since_3_1 {
        return;
    }
    for need in all_needs(document) {
        let has_scopes =
            |form: &SchemeForm| matches!(form, SchemeForm::OAuth2 { .. } | SchemeForm::OpenIdConnect { .. });
        let scheme = document.scheme(&need.scheme.value).filter(|scheme| !has_scopes(&scheme.form));
        let Some((_, first)) = scheme.zip(need.scopes.first()) else { continue };
        let message = format!(
            "`{}` of `{}`: in OpenAPI 3.0 only oauth2 and openIdConnect have scopes",
            first.value, need.scheme.value
        );
        let finding = Finding::warning(Code::InvalidValue, message, first.place);
        findings.push(
            finding.help("it is enforced as a role, as since 3.1: write `openapi: 3.1.0`, or remove it"),
        );
    }
}

/// Rejects `{ oauth: [], basic: [] }`: both stand in `Authorization`, and a request has that header once. One token may
/// serve for several schemes, each of which judges it.
pub(super) fn combinations_can_be_shown(document: &Document, findings: &mut Findings) {
    for requirements in all_requirements(document) {
        for alternative in &requirements.alternatives {
            let mut holders: HashMap<String, (&Need, &Scheme)> = HashMap::default();
            for need in &alternative.needs {
                let Some(scheme) = document.scheme(&need.scheme.value) else { continue };
                let Some(place) = credential_place(scheme) else { continue };
                let Some((first, holder)) = holders.get(&place) else {
                    holders.insert(place, (need, scheme));
                    continue;
                };
                if one_token_serves(holder, scheme) {
                    continue;
                }
                let message = format!(
                    "`{}` and `{}` both stand in {place}, so no request can show the two",
                    first.scheme.value, need.scheme.value
                );
                let finding = Finding::error(Code::Contradiction, message, need.scheme.place);
                let help = "write them as two alternatives if either is enough";
                findings.push(finding.related(first.scheme.place, "the other").help(help));
            }
        }
    }
}

/// Remarks on `{ oauth: [], session: [] }`: where the cookie has sessions, each of the two says which user calls, and the first one
/// counts. Whoever sorts the members of the object, which mean the same in any order (RFC 8259 section 1), makes it the other.
pub(super) fn one_login_says_who_calls(document: &Document, findings: &mut Findings) {
    for alternative in all_requirements(document).flat_map(|requirements| &requirements.alternatives) {
        let form_of = |need: &Need| document.scheme(&need.scheme.value).map(|scheme| &scheme.form);
        let has_tokens = |need: &&Need| form_of(need).is_some_and(SchemeForm::has_tokens);
        let has_cookie = |need: &&Need| matches!(form_of(need), Some(SchemeForm::ApiKey { location, .. }) if location.value == "cookie");
        let tokens = alternative.needs.iter().position(|need| has_tokens(&need));
        let Some(cookie) = alternative.needs.iter().position(|need| has_cookie(&need)) else { continue };
        let Some(tokens) = tokens else { continue };
        let [first, second] = [tokens.min(cookie), tokens.max(cookie)].map(|at| alternative.needs.get(at));
        let (Some(first), Some(second)) = (first, second) else { continue };
        let message = format!(
            "`{}` says who calls and not `{}`, if the cookie has sessions: it is written first",
            first.scheme.value, second.scheme.value
        );
        let finding = Finding::warning(Code::TwoLogins, message, second.scheme.place);
        let finding = finding.related(first.scheme.place, "who calls");
        findings.push(
            finding.help(
                "ask for one of them, or compare in the handler whom each names: `Caller::identity_of`",
            ),
        );
    }
}

fn credential_place(scheme: &Scheme) -> Option<String> {
    match &scheme.form {
        SchemeForm::OAuth2 { .. } | SchemeForm::OpenIdConnect { .. } | SchemeForm::Http { .. } => {
            Some("the header `authorization`".to_owned())
        }
        SchemeForm::ApiKey { location, name } if location.value == "header" => {
            Some(format!("the header `{}`", name.value.to_ascii_lowercase()))
        }
        SchemeForm::ApiKey { location, name } => Some(format!("the {} `{}`", location.value, name.value)),
        SchemeForm::MutualTls => None,
    }
}

/// Whether a token can be good for both: it comes under one word (RFC 6750 section 2.1, RFC 9449 section 7.1), and has one
/// issuer.
fn one_token_serves(one: &Scheme, other: &Scheme) -> bool {
    let is_proven = |scheme: &Scheme| matches!(scheme.rules.token.binding, Some(Binding::Proof { .. }));
    let issuers = [one, other].map(|scheme| scheme.rules.token.issuer.as_ref().map(|issuer| &issuer.value));
    let may_be_one =
        |[one, other]: [Option<&String>; 2]| one.zip(other).is_none_or(|(one, other)| one == other);
    one.form.has_tokens()
        && other.form.has_tokens()
        && is_proven(one) == is_proven(other)
        && may_be_one(issuers)
}

fn all_requirements(document: &Document) -> impl Iterator<Item = &Requirements> {
    let stated = document.operations().filter_map(|(_, operation)| operation.security.as_ref());
    document.security.iter().chain(stated)
}

fn all_needs(document: &Document) -> impl Iterator<Item = &Need> {
    all_requirements(document).flat_map(needs)
}

fn needs(requirements: &Requirements) -> impl Iterator<Item = &Need> {
    requirements.alternatives.iter().flat_map(|alternative| &alternative.needs)
}
