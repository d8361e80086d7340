//! Any token, also signed ones: what is not ours opens nothing, and what is ours opens as long as its claims are good.
//!
//! The first byte says by which key and at which door; what follows is the header in one line and the claims, which are
//! signed as they are, or a token as a whole.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use palisade_fuzz::doors::{AUDIENCE, DOORS, Doors, ISSUER, Knock, LEEWAY, NOW};
use palisade_fuzz::json::members;
use palisade_fuzz::keys::{ALGORITHMS, Signing};
use palisade_fuzz::{filled, is_typed, line};
use serde_json::Value;

/// Keys that nobody trusts.
static STRANGERS: LazyLock<Vec<Signing>> =
    LazyLock::new(|| ALGORITHMS.into_iter().map(Signing::new).collect());

static TOKEN: LazyLock<String> = LazyLock::new(|| DOORS.lock().expect("a server").token(None));

fuzz_target!(|input: &[u8]| {
    let Some((which, text)) = input.split_first() else { return };
    match usize::from(*which) % 8 {
        7 => whole(text),
        6 => signed("/access", "ES256", text),
        key => signed("/token", ALGORITHMS[key], text),
    }
});

/// A token that we did not sign, or that one of ours became.
fn whole(text: &[u8]) {
    let parts: Vec<_> = TOKEN.split('.').collect();
    let text = filled(text, &[("@header", parts[0]), ("@claims", parts[1]), ("@signature", parts[2])]);
    let mut doors = DOORS.lock().expect("a server");
    if let Some(open) = opens(&mut doors, "/token", &text) {
        assert_eq!(open, text == TOKEN.as_bytes(), "only what we signed");
    }
}

fn signed(at: &str, algorithm: &str, text: &[u8]) {
    let (header, claims) = line(text);
    let mut doors = DOORS.lock().expect("a server");
    let token = doors.key(algorithm).token(header, claims);
    let open = opens(&mut doors, at, token.as_bytes()).expect("a field");
    match (members(header), members(claims)) {
        (Some(header), Some(claims)) => {
            let good = is_header(&header, algorithm, at) && are_claims(&claims, at);
            assert!(good || !open, "opens without being good");
            let plain = token.len() <= 8 * 1024 && is_plain(&header, &claims);
            assert!(open || !good || !plain, "good, and does not open");
        }
        _ => assert!(!open, "opens without being JSON"),
    }
    if open {
        let stranger =
            STRANGERS.iter().find(|key| key.algorithm == algorithm).expect("one of the algorithms");
        assert_eq!(
            opens(&mut doors, at, stranger.token(header, claims).as_bytes()),
            Some(false),
            "by a stranger"
        );
    }
}

fn opens(doors: &mut Doors, at: &str, token: &[u8]) -> Option<bool> {
    let field = [b"Bearer ", token].concat();
    // blanks before a token are the scheme's
    if token.starts_with(b" ") {
        return None;
    }
    doors.opens(Knock { method: "GET", at, fields: &[("authorization", &field)] })
}

type Members = BTreeMap<String, Value>;

/// What a header must be (RFC 7515 section 4, RFC 8725 section 3).
fn is_header(header: &Members, algorithm: &str, at: &str) -> bool {
    let text = |name: &str| header.get(name).map(|value| value.as_str().unwrap_or("?"));
    let alg = text("alg") == Some(algorithm) || (algorithm, text("alg")) == ("EdDSA", Some("Ed25519"));
    let typ = match text("typ") {
        Some(typ) => is_typed(typ, if at == "/access" { "at+jwt" } else { "jwt" }),
        None => at == "/token",
    };
    let refused = ["crit", "b64", "zip", "enc", "epk", "cty", "jwk", "jku", "x5u", "x5c"];
    let kid = text("kid").is_none_or(|kid| kid == algorithm);
    alg && typ && kid && refused.iter().all(|name| !header.contains_key(*name))
}

/// What claims must be (RFC 7519 section 4.1, RFC 9068 section 2.2).
fn are_claims(claims: &Members, at: &str) -> bool {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let time = |name: &str| claims.get(name).map(|value| value.as_f64().unwrap_or(f64::NAN));
    let (earliest, latest) = ((NOW - LEEWAY) as f64, (NOW + LEEWAY) as f64);
    let audience = match claims.get("aud") {
        Some(Value::String(one)) => one == AUDIENCE,
        Some(Value::Array(some)) => some.iter().any(|one| one == AUDIENCE),
        _ => false,
    };
    let of_access = text("client_id").is_some() && text("jti").is_some() && claims.contains_key("iat");
    let is_id_token = claims.contains_key("nonce") || claims.contains_key("at_hash");
    text("iss") == Some(ISSUER)
        && audience
        && time("exp").is_some_and(|exp| exp > earliest)
        && ["nbf", "iat", "auth_time"].iter().all(|name| time(name).is_none_or(|time| time <= latest))
        && text("sub").is_some_and(|sub| !sub.is_empty())
        && !claims.contains_key("cnf")
        && if at == "/access" { of_access } else { !is_id_token }
}

/// Whether nothing is there that may be refused for another reason.
fn is_plain(header: &Members, claims: &Members) -> bool {
    let of_type = |(name, value): (&String, &Value)| match &**name {
        "iss" | "sub" | "jti" | "client_id" | "scope" => value.is_string(),
        "exp" | "nbf" | "iat" => value.is_number(),
        "aud" => value.is_string() || value.as_array().is_some_and(|some| some.iter().all(Value::is_string)),
        _ => false,
    };
    header.keys().all(|name| ["alg", "typ", "kid"].contains(&&**name)) && claims.iter().all(of_type)
}
