//! Settings of a security scheme: what a token must satisfy, how a key starts.

use std::time::Duration;

use super::claims::Claims;
use super::units;
use crate::document::{Fields, Reader, Spanned};
use crate::finding::{Code, Finding};
use crate::model::{Algorithm, Binding, Revocation, SubjectName};
use crate::source::span::Place;

/// What has to be replaced within less is a token.
const SHORTEST_LIFE: Duration = Duration::from_secs(3600);

/// As written; `build` fills in the defaults.
#[derive(Debug, Default)]
pub(crate) struct TokenSettings {
    /// The first member that is about tokens, to point at where there are none.
    pub(crate) any: Option<Place>,
    pub(crate) kind: TokenKind,
    pub(crate) issuer: Option<Spanned<String>>,
    pub(crate) audience: Option<Spanned<String>>,
    pub(crate) algorithms: Option<Spanned<Vec<Algorithm>>>,
    pub(crate) typ: Option<Spanned<Typ>>,
    pub(crate) leeway: Option<Spanned<Duration>>,
    pub(crate) max_lifetime: Option<Spanned<Duration>>,
    pub(crate) claims: Claims,
    pub(crate) binding: Option<Binding>,
    pub(crate) revocation: Option<Revocation>,
    /// `introspection`, to point at where no token is introspected.
    pub(crate) introspection: Option<Place>,
    /// `introspection.cache`
    pub(crate) cache: Option<Spanned<Duration>>,
}

/// `token`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TokenKind {
    #[default]
    Jwt,
    Introspection,
}

/// `type`
#[derive(Debug)]
pub(crate) enum Typ {
    Exactly(String),
    /// `any`: the document opted out of RFC 8725 section 3.11.
    Any,
}

const ALGORITHMS: [(&str, Algorithm); 6] = [
    ("HS256", Algorithm::HS256),
    ("RS256", Algorithm::RS256),
    ("PS256", Algorithm::PS256),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

/// Registered (RFC 7518 section 3.1, RFC 9864), but not verified by this release.
const LATER: [&str; 6] = ["HS384", "HS512", "RS384", "RS512", "PS384", "PS512"];

/// RFC 8705 section 2.1.2.
const SUBJECTS: [(&str, SubjectName); 5] = [
    ("dn", SubjectName::Distinguished),
    ("dns", SubjectName::Dns),
    ("uri", SubjectName::Uri),
    ("email", SubjectName::Email),
    ("ip", SubjectName::Ip),
];

/// A clock that is further off than this is broken; a wider leeway only serves who replays.
const MAX_LEEWAY: Duration = Duration::from_secs(120);

/// A token that is revoked stays good for so long; who needs more asks about signed tokens' keys instead.
const MAX_CACHE: Duration = Duration::from_secs(300);

impl<'d> Reader<'d> {
    pub(super) fn token_settings(&mut self, fields: &mut Fields<'d>) -> TokenSettings {
        const ABOUT_TOKENS: [&str; 12] = [
            "token",
            "issuer",
            "audience",
            "algorithms",
            "type",
            "leeway",
            "max-lifetime",
            "claims",
            "binding",
            "dpop-nonce",
            "revocation",
            "introspection",
        ];
        let members = fields.members().iter();
        let any = members
            .filter(|member| ABOUT_TOKENS.contains(&&*member.key))
            .map(|member| member.key_place)
            .next();
        let kind = self.token_kind(fields);
        let issuer = self.not_empty(fields, "issuer");
        let audience = self.not_empty(fields, "audience");
        let algorithms = self.algorithms(fields);
        let typ = self.not_empty(fields, "type").map(|word| {
            let typ = if word.value == "any" { Typ::Any } else { Typ::Exactly(word.value) };
            Spanned::new(typ, word.place)
        });
        let leeway = self.leeway(fields);
        let max_lifetime = self.unit(fields, "max-lifetime", units::duration, units::DURATION_HELP);
        let claims = self.claims(fields);
        let binding = self.binding(fields);
        let revocation = self.revocation(fields);
        let (introspection, cache) = self.introspection(fields);
        TokenSettings {
            any,
            kind,
            issuer,
            audience,
            algorithms,
            typ,
            leeway,
            max_lifetime,
            claims,
            binding,
            revocation,
            introspection,
            cache,
        }
    }

    fn token_kind(&mut self, fields: &mut Fields<'d>) -> TokenKind {
        let Some(kind) = self.string(fields, "token") else { return TokenKind::default() };
        match &*kind.value {
            "jwt" => TokenKind::Jwt,
            "introspection" => TokenKind::Introspection,
            other => {
                let message = format!("`{other}` is no kind of token");
                let finding = Finding::error(Code::InvalidValue, message, kind.place)
                    .help("write `jwt`, or `introspection` for tokens that only their issuer can read");
                self.push(finding.nearest(other, ["jwt", "introspection"]));
                TokenKind::default()
            }
        }
    }

    fn leeway(&mut self, fields: &mut Fields<'d>) -> Option<Spanned<Duration>> {
        let leeway = self.unit(fields, "leeway", units::duration_or_zero, units::DURATION_HELP)?;
        if leeway.value > MAX_LEEWAY {
            let finding = Finding::error(Code::TokenRules, "a leeway of more than two minutes", leeway.place);
            self.push(finding.help("clocks that differ by more are to be set right: write at most `120s`"));
        }
        Some(leeway)
    }

    /// How the issuer is asked about tokens: the place of it, and how long an answer may be used again.
    fn introspection(&mut self, fields: &mut Fields<'d>) -> (Option<Place>, Option<Spanned<Duration>>) {
        let Some(member) = fields.get("introspection") else { return (None, None) };
        let Some(mut inner) = self.our_fields(&member.node, "`introspection`") else { return (None, None) };
        let cache = self.unit(&mut inner, "cache", units::duration, units::DURATION_HELP);
        self.finish(inner);
        if let Some(cache) = &cache
            && cache.value > MAX_CACHE
        {
            let message = "answers about tokens that are used again for more than five minutes";
            let finding = Finding::error(Code::TokenRules, message, cache.place);
            self.push(
                finding.help("a token that is revoked would stay good for so long: write at most `5m`"),
            );
        }
        (Some(member.key_place), cache)
    }

    /// Whether the denylist is asked about each token.
    fn revocation(&mut self, fields: &mut Fields<'d>) -> Option<Revocation> {
        let word = self.string(fields, "revocation")?;
        match &*word.value {
            "none" => Some(Revocation::None),
            "required" => Some(Revocation::Required),
            other => {
                let message = format!("`{other}` says nothing about revocation");
                let finding = Finding::error(Code::InvalidValue, message, word.place);
                let finding =
                    finding.help("write `required`, or `none` for tokens that are good until they expire");
                self.push(finding.nearest(other, ["none", "required"]));
                None
            }
        }
    }

    pub(super) fn not_empty(
        &mut self,
        fields: &mut Fields<'d>,
        key: &'static str,
    ) -> Option<Spanned<String>> {
        let text = self.string(fields, key)?;
        if text.value.trim().is_empty() {
            let finding = Finding::error(Code::InvalidValue, format!("an empty `{key}`"), text.place);
            self.push(finding.help("say what it is, or leave it out"));
            return None;
        }
        Some(text)
    }

    fn algorithms(&mut self, fields: &mut Fields<'d>) -> Option<Spanned<Vec<Algorithm>>> {
        let (words, place) = self.array(fields, "algorithms")?;
        let mut algorithms = Vec::new();
        for node in words {
            let Some(word) = self.text("an algorithm", node) else { continue };
            // RFC 9864 gives EdDSA over edwards25519 a name of its own; both are one algorithm
            let name = if word.value == "Ed25519" { "EdDSA" } else { &*word.value };
            match ALGORITHMS.iter().find(|(known, _)| *known == name) {
                Some((_, algorithm)) if !algorithms.contains(algorithm) => algorithms.push(*algorithm),
                Some(_) => {}
                None => self.unknown_algorithm(&word),
            }
        }
        if words.is_empty() {
            let finding =
                Finding::error(Code::TokenRules, "an empty list of algorithms accepts no token", place);
            self.push(finding.help("name the algorithms of the issuer, such as `[ES256]`"));
            return None;
        }
        let secret = algorithms.contains(&Algorithm::HS256);
        // RFC 8725 section 3.1: else a public key could be used as the secret
        if secret && algorithms.len() > 1 {
            let finding =
                Finding::error(Code::TokenRules, "HMAC and asymmetric algorithms in one list", place);
            self.push(
                finding.help("keep `HS256`, or the others: a public key must never be taken for a secret"),
            );
            return None;
        }
        (!algorithms.is_empty()).then(|| Spanned::new(algorithms, place))
    }

    fn unknown_algorithm(&mut self, word: &Spanned<String>) {
        let name = &*word.value;
        let finding = if name.eq_ignore_ascii_case("none") {
            let message = "`none` would accept tokens that nobody signed";
            Finding::error(Code::TokenRules, message, word.place)
                .help("name the algorithms of the issuer, such as `[ES256]`")
        } else if LATER.contains(&name) || name == "ES512" {
            self.not_enforced(name, word.place);
            return;
        } else {
            let message = format!("`{name}` is no signature algorithm");
            let known = ALGORITHMS.iter().map(|(known, _)| *known);
            Finding::error(Code::InvalidValue, message, word.place)
                .help("the algorithms are `ES256`, `ES384`, `EdDSA`, `RS256`, `PS256` and `HS256`")
                .nearest(name, known)
        };
        self.push(finding);
    }

    /// What every token must be bound to.
    fn binding(&mut self, fields: &mut Fields<'d>) -> Option<Binding> {
        let nonce = self.nonce(fields);
        let word = self.string(fields, "binding");
        let is_proof = word.as_ref().is_some_and(|word| word.value == "dpop");
        if let Some(nonce) = nonce.as_ref().filter(|_| !is_proof) {
            let message = "`dpop-nonce` where no proof is asked for";
            let finding = Finding::error(Code::TokenRules, message, nonce.place);
            self.push(finding.help("write `binding: dpop` beside it, or remove it"));
        }
        let word = word?;
        match &*word.value {
            "none" => Some(Binding::None),
            "mtls" => Some(Binding::Certificate),
            "dpop" => Some(Binding::Proof { nonce: nonce.is_some_and(|nonce| nonce.value) }),
            other => {
                let message = format!("`{other}` is nothing that a token can be bound to");
                let finding = Finding::error(Code::InvalidValue, message, word.place);
                let finding = finding.help(
                    "write `none`, `mtls` for the client's certificate, or `dpop` for a key that signs each request",
                );
                self.push(finding.nearest(other, ["none", "mtls", "dpop"]));
                None
            }
        }
    }

    /// Whether proofs must name a nonce of the server.
    fn nonce(&mut self, fields: &mut Fields<'d>) -> Option<Spanned<bool>> {
        let word = self.string(fields, "dpop-nonce")?;
        let required = match &*word.value {
            "required" => true,
            "none" => false,
            other => {
                let message = format!("`dpop-nonce` cannot be `{other}`");
                let finding = Finding::error(Code::InvalidValue, message, word.place);
                self.push(finding.help("write `required` or `none`").nearest(other, ["required", "none"]));
                return None;
            }
        };
        Some(Spanned::new(required, word.place))
    }

    /// The name in a client certificate that says whose it is.
    pub(super) fn subject(&mut self, fields: &mut Fields<'d>) -> Option<Spanned<SubjectName>> {
        let word = self.string(fields, "subject")?;
        let named = SUBJECTS.iter().find(|(known, _)| *known == word.value);
        if named.is_none() {
            let message = format!("`{}` is no name in a certificate", word.value);
            let finding = Finding::error(Code::InvalidValue, message, word.place)
                .help("write `dn` for its distinguished name, or `dns`, `uri`, `email` or `ip`");
            self.push(finding.nearest(&word.value, SUBJECTS.iter().map(|(known, _)| *known)));
        }
        named.map(|(_, subject)| Spanned::new(*subject, word.place))
    }

    /// How old a key may become: an hour at least, for what is rotated more often is a token.
    pub(super) fn rotate_within(&mut self, fields: &mut Fields<'d>) -> Option<Spanned<Duration>> {
        let within = self.unit(fields, "rotate-within", units::duration, units::DURATION_HELP)?;
        if within.value < SHORTEST_LIFE {
            let message = "`rotate-within` is under an hour".to_owned();
            let help = "a key lives for hours at least, as in `90d`; what lives for minutes is a token";
            self.push(Finding::error(Code::InvalidValue, message, within.place).help(help));
            return None;
        }
        Some(within)
    }

    /// The start of every key, for secret scanners.
    pub(super) fn prefix(&mut self, fields: &mut Fields<'d>) -> Option<Spanned<String>> {
        let prefix = self.string(fields, "prefix")?;
        let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let text = &*prefix.value;
        if text.len() > 32 || !text.bytes().all(sound) || text.split('_').any(str::is_empty) {
            let message = format!("`{text}` is no prefix of keys");
            let help = "up to 32 small letters, digits and `_` between them, such as `bank_live`";
            self.push(Finding::error(Code::InvalidValue, message, prefix.place).help(help));
            return None;
        }
        Some(prefix)
    }
}
