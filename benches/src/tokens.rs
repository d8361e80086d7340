//! The check of a token: ours against `jsonwebtoken` into typed claims, the same token and the same key.

use std::io;
use std::time::Duration;

use jsonwebtoken::{DecodingKey, Validation, decode};
use palisade::measure::Tokens;
use palisade::operation::{Algorithm, Binding, Revocation, Token, TokenRules};
use palisade::{Clock, JwkSet, Jwt};

use crate::hand::{self, Claims};
use crate::signed::Key;
use crate::{credentials, table, timing};

pub(crate) fn measure(rounds: usize, calls: usize) -> io::Result<()> {
    for key in [Key::hs256(), Key::rs256()?, Key::es256()?, Key::eddsa()?] {
        // The primitive is nearly all of the others, and takes some twenty times as long as a MAC.
        let (calls, budget) = if key.name == "HS256" { (calls, Some(0.45)) } else { (calls / 20, None) };
        let token = key.token(&credentials::claims())?;
        let (ours, theirs) = (ours(&key, &token)?, theirs(&key, &token)?);
        let mut ratios = timing::compare(rounds, calls, theirs, ours);
        table::ratio(&format!("token check, {} / jsonwebtoken", key.name), &mut ratios, budget);
    }
    Ok(())
}

fn ours(key: &Key, token: &str) -> io::Result<impl FnMut() + use<>> {
    let keys = JwkSet::from_json(&key.jwk().to_string()).map_err(io::Error::other)?;
    let tokens = Tokens::new(rules(key.name), Jwt::new(keys));
    let tokens = tokens.ok_or_else(|| io::Error::other("the rules contradict each other"))?;
    let token = token.to_owned();
    let clock = Clock::system();
    let accepted = move || clock.now().is_ok_and(|now| tokens.accept(token.as_bytes(), now));
    timing::holds(accepted)
}

fn theirs(key: &Key, token: &str) -> io::Result<impl FnMut() + use<>> {
    let decoding = DecodingKey::from_jwk(&serde_json::from_value(key.jwk())?).map_err(io::Error::other)?;
    let algorithm = key.name.parse().map_err(io::Error::other)?;
    let validation = Validation { algorithms: vec![algorithm], ..hand::validation() };
    let token = token.to_owned();
    timing::holds(move || decode::<Claims>(&token, &decoding, &validation).is_ok())
}

/// What a scheme asks of its tokens.
pub(crate) const fn rules_for(algorithms: &'static [Algorithm], binding: Binding) -> TokenRules {
    TokenRules {
        token: Token::Jwt { algorithms, typ: Some("at+jwt") },
        issuer: Some("https://id.example.com"),
        audience: Some("bench"),
        leeway: Duration::from_secs(30),
        max_lifetime: None,
        scopes_claim: &["scope"],
        tenant_claim: &[],
        binding,
        revocation: Revocation::None,
    }
}

fn rules(name: &str) -> &'static TokenRules {
    static HS256: TokenRules = rules_for(&[Algorithm::HS256], Binding::None);
    static RS256: TokenRules = rules_for(&[Algorithm::RS256], Binding::None);
    static ES256: TokenRules = rules_for(&[Algorithm::ES256], Binding::None);
    static EDDSA: TokenRules = rules_for(&[Algorithm::EdDSA], Binding::None);
    match name {
        "HS256" => &HS256,
        "RS256" => &RS256,
        "ES256" => &ES256,
        _ => &EDDSA,
    }
}
