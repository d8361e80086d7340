//! `WWW-Authenticate` (RFC 9110 section 11.6.1): what a client could show, one field for each scheme.
//!
//! Rules:
//! 1. one challenge for each scheme of each alternative, none twice, in the order of the document;
//! 2. `error="invalid_token"` only on a bearer challenge, and only when a token was presented and refused
//!    (RFC 6750 section 3.1: without authentication information no error code);
//! 3. no reason beyond that code;
//! 4. a scheme for which no word is registered has one of ours, for some challenge there must be (RFC 9110 section
//!    15.5.2): `ApiKey`, and `MutualTLS`, which asks for a certificate in the handshake.

use http::HeaderValue;

use super::{
    Class, Denied,
    prepared::{Prepared, Scheme, Verifier},
};
use crate::{
    authz::Forbidden,
    operation::{KeyLocation, SchemeKind},
};

impl Prepared {
    /// The challenges of an answer to `denied`.
    pub(crate) fn challenges(&self, denied: &Denied) -> Vec<HeaderValue> {
        self.schemes.iter().map(|scheme| challenge(scheme, denied)).collect()
    }

    /// The challenges of a 403 (RFC 6750 section 3.1 `insufficient_scope`): what the cheapest alternative asks of
    /// its tokens. None when that alternative has no bearer scheme, for no other scheme has a word for it.
    pub(crate) fn insufficient_scope(&self, forbidden: &Forbidden) -> Vec<HeaderValue> {
        let needs = self.alternatives.get(forbidden.alternative()).into_iter().flatten();
        let mut challenges = Vec::new();
        for need in needs {
            if let Some(scheme) = self.schemes.get(need.scheme)
                && matches!(scheme.verifier, Verifier::Bearer(_))
                && !need.scopes.is_empty()
            {
                let scopes = quoted(&need.scopes.join(" "));
                challenges.push(value(&format!(
                    "Bearer realm={}, error=\"insufficient_scope\", scope={scopes}",
                    scheme.realm
                )));
            }
        }
        challenges
    }
}

fn challenge(scheme: &Scheme, denied: &Denied) -> HeaderValue {
    if !matches!(scheme.verifier, Verifier::Bearer(_)) {
        return scheme.challenge.clone();
    }
    let error = match denied.class() {
        Class::Unauthorized
            if denied.reason().is_bad_credential() && denied.scheme() == Some(scheme.name) =>
        {
            "invalid_token"
        }
        Class::InvalidRequest => "invalid_request",
        _ => return scheme.challenge.clone(),
    };
    value(&format!("Bearer realm={}, error=\"{error}\"", scheme.realm))
}

/// The challenge that says nothing about what was presented.
pub(in crate::authn) fn plain(kind: &SchemeKind, realm: &str) -> HeaderValue {
    value(&match kind {
        SchemeKind::Bearer(_) => format!("Bearer realm={realm}"),
        // RFC 7617 section 2.1
        SchemeKind::Basic => format!("Basic realm={realm}, charset=\"UTF-8\""),
        SchemeKind::MutualTls(_) => format!("MutualTLS realm={realm}"),
        SchemeKind::ApiKey(rules) => match rules.location {
            KeyLocation::Header(name) => {
                format!("ApiKey realm={realm}, in=\"header\", name={}", quoted(name))
            }
            KeyLocation::Cookie(name) => {
                format!("ApiKey realm={realm}, in=\"cookie\", name={}", quoted(name))
            }
            KeyLocation::Query(name) => {
                format!("ApiKey realm={realm}, in=\"query\", name={}", quoted(name))
            }
        },
    })
}

/// A quoted string (RFC 9110 section 5.6.4); what cannot stand in one is left out.
pub(in crate::authn) fn quoted(text: &str) -> Box<str> {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars().filter(|c| *c == ' ' || c.is_ascii_graphic()) {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted.into()
}

fn value(text: &str) -> HeaderValue {
    // the text is made of `quoted` parts and our own words: all visible ASCII
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("Bearer"))
}
