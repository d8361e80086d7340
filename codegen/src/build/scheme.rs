//! Security schemes, with the defaults of tokens made explicit.

use std::time::Duration;

use crate::annotation::{TokenKind, TokenSettings, Typ};
use crate::document::{self, SchemeForm};
use crate::model::{
    Algorithm, Binding, CertificateRules, KeyLocation, KeyRules, Revocation, Scheme, SchemeKind, SchemeWord,
    SubjectName, Token, TokenRules,
};

/// What is accepted when the scheme names no algorithm: asymmetric ones only, since a public key is no secret.
const ALGORITHMS: [Algorithm; 4] = [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256, Algorithm::PS256];
const LEEWAY: Duration = Duration::from_secs(30);
/// RFC 9068 section 2.1.
const TYP: &str = "at+jwt";

/// `None` for a scheme that cannot be enforced; `check` says so at its place.
pub(super) fn scheme(written: &document::Scheme) -> Option<Scheme> {
    let (word, kind) = match &written.form {
        SchemeForm::Http { scheme } => match &*scheme.value {
            "bearer" => (SchemeWord::Bearer, SchemeKind::Bearer(token_rules(&written.rules.token))),
            "basic" => (SchemeWord::Basic, SchemeKind::Basic),
            _ => return None,
        },
        SchemeForm::OAuth2 { .. } => {
            (SchemeWord::OAuth2, SchemeKind::Bearer(token_rules(&written.rules.token)))
        }
        SchemeForm::OpenIdConnect { .. } => {
            (SchemeWord::OpenIdConnect, SchemeKind::Bearer(token_rules(&written.rules.token)))
        }
        SchemeForm::ApiKey { location, name } => {
            let name = name.value.clone();
            let location = match &*location.value {
                "header" => KeyLocation::Header(name),
                "cookie" => KeyLocation::Cookie(name),
                "query" if written.rules.in_query.is_some() => KeyLocation::Query(name),
                _ => return None,
            };
            let prefix = written.rules.prefix.as_ref().map(|prefix| prefix.value.clone());
            let rotate_within = written.rules.rotate_within.as_ref().map(|within| within.value);
            (SchemeWord::ApiKey, SchemeKind::ApiKey(KeyRules { location, prefix, rotate_within }))
        }
        SchemeForm::MutualTls => {
            // what RFC 8705 section 2.1.2 names first
            let subject =
                written.rules.subject.as_ref().map_or(SubjectName::Distinguished, |name| name.value);
            (SchemeWord::MutualTls, SchemeKind::MutualTls(CertificateRules { subject }))
        }
    };
    Some(Scheme { name: written.name.value.clone(), word, kind, docs: written.docs.clone() })
}

fn token_rules(written: &TokenSettings) -> TokenRules {
    TokenRules {
        token: token(written),
        issuer: written.issuer.as_ref().map(|issuer| issuer.value.clone()),
        audience: written.audience.as_ref().map(|audience| audience.value.clone()),
        leeway: written.leeway.as_ref().map_or(LEEWAY, |leeway| leeway.value),
        max_lifetime: written.max_lifetime.as_ref().map(|lifetime| lifetime.value),
        scopes_claim: written.claims.scopes.clone().unwrap_or_else(|| vec!["scope".to_owned()]),
        tenant_claim: written.claims.tenant.clone().unwrap_or_default(),
        binding: written.binding.unwrap_or(Binding::None),
        revocation: written.revocation.unwrap_or(Revocation::None),
    }
}

fn token(written: &TokenSettings) -> Token {
    match written.kind {
        TokenKind::Introspection => {
            Token::Introspected { cache: written.cache.as_ref().map(|cache| cache.value) }
        }
        TokenKind::Jwt => Token::Jwt {
            algorithms: written
                .algorithms
                .as_ref()
                .map_or_else(|| ALGORITHMS.to_vec(), |list| list.value.clone()),
            typ: match written.typ.as_ref().map(|typ| &typ.value) {
                None => Some(TYP.to_owned()),
                Some(Typ::Exactly(typ)) => Some(typ.clone()),
                Some(Typ::Any) => None,
            },
        },
    }
}
