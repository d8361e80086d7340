//! `WWW-Authenticate` (RFC 9110 section 11.6.1): what a client could show, one field for each scheme.
//!
//! Rules:
//! 1. one challenge for each scheme of each alternative, none twice, in the order of the document;
//! 2. `error="invalid_token"` only on the challenge of tokens, and only when one was presented and refused
//!    (RFC 6750 section 3.1: without authentication information no error code). What was wrong with the proof beside it is
//!    `invalid_dpop_proof`, or `use_dpop_nonce` (RFC 9449 sections 7.1 and 9);
//! 3. no reason beyond that code;
//! 4. a scheme for which no word is registered has one of ours, for some challenge there must be (RFC 9110 section
//!    15.5.2): `ApiKey`, and `MutualTLS`, which asks for a certificate in the handshake;
//! 5. tokens that are bound to keys are asked for under `DPoP`, with the algorithms of their proofs in `algs` (RFC 9449
//!    section 7.1).

use http::HeaderValue;

use super::{
    Authenticated, Class, Denied, ProofFault, Reason, dpop,
    prepared::{Prepared, Scheme, Verifier},
};
use crate::{
    authz::Forbidden,
    operation::{Binding, KeyLocation, SchemeKind, StepUp},
};

/// RFC 9470 section 3.
const INSUFFICIENT: &str = "insufficient_user_authentication";

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
                challenges.push(scheme.failed("insufficient_scope", &format!(", scope={scopes}")));
            }
        }
        challenges
    }

    /// The challenges of a login that does not suffice (RFC 9470 section 3), for the tokens and sessions that were shown: all
    /// that the operation asks, so that one login will do. That of a session has the same parameters; its page goes to the login
    /// with them.
    pub(crate) fn insufficient_login(&self, rule: &StepUp, shown: &Authenticated<'_>) -> Vec<HeaderValue> {
        let mut asked = String::new();
        if !rule.acr.is_empty() {
            asked.push_str(&format!(", acr_values={}", quoted(&rule.acr.join(" "))));
        }
        if let Some(longest) = rule.max_age {
            asked.push_str(&format!(", max_age=\"{}\"", longest.as_secs()));
        }
        let schemes = self.schemes.iter().enumerate();
        let told = schemes.filter(|(at, scheme)| shown.held(*at).is_some() && scheme.tells_of_logins());
        told.map(|(_, scheme)| match &scheme.verifier {
            Verifier::Bearer(_) => scheme.failed(INSUFFICIENT, &asked),
            _ => value(&format!("{}, error=\"{INSUFFICIENT}\"{asked}", scheme.plain())),
        })
        .collect()
    }
}

fn challenge(scheme: &Scheme, denied: &Denied) -> HeaderValue {
    if !matches!(scheme.verifier, Verifier::Bearer(_)) {
        return scheme.challenge.clone();
    }
    let of_this = denied.scheme() == Some(scheme.name);
    let error = match denied.class() {
        Class::Unauthorized if of_this && denied.reason() == Reason::Proof(ProofFault::Nonce) => {
            "use_dpop_nonce"
        }
        Class::Unauthorized if of_this && matches!(denied.reason(), Reason::Proof(_)) => "invalid_dpop_proof",
        Class::Unauthorized if of_this && denied.reason().is_bad_credential() => "invalid_token",
        Class::InvalidRequest => "invalid_request",
        _ => return scheme.challenge.clone(),
    };
    scheme.failed(error, "")
}

impl Scheme {
    fn plain(&self) -> &str {
        self.challenge.to_str().unwrap_or_default()
    }

    /// The challenge of a token scheme that says what is wrong. `more`: further parameters, each after a comma.
    fn failed(&self, error: &str, more: &str) -> HeaderValue {
        let word = self.word().unwrap_or_default();
        let algorithms = if word == "DPoP" { proof_algorithms() } else { String::new() };
        value(&format!("{word} realm={}, error=\"{error}\"{more}{algorithms}", self.realm))
    }
}

fn proof_algorithms() -> String {
    format!(", algs=\"{}\"", dpop::ALGORITHMS)
}

/// The challenge that says nothing about what was presented.
pub(in crate::authn) fn plain(kind: &SchemeKind, realm: &str) -> HeaderValue {
    value(&match kind {
        SchemeKind::Bearer(rules) if matches!(rules.binding, Binding::Proof { .. }) => {
            format!("DPoP realm={realm}{}", proof_algorithms())
        }
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
