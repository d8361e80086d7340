//! Any proof of possession, also signed ones: none opens that is not of this key, for this request and token, and of now;
//! and none opens twice.
//!
//! The first byte says by which client; what follows is the header in one line and the claims, which are signed as they
//! are, or a proof as a whole.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use palisade_fuzz::doors::{DOORS, Doors, Knock, ORIGIN};
use palisade_fuzz::json::members;
use palisade_fuzz::keys::Signing;
use palisade_fuzz::{filled, is_typed, line};
use serde_json::{Value, json};

const AT: &str = "/proven";
/// Longer than any proof is remembered, so that no input meets one of those before it.
const FORGOTTEN: u64 = 66;

/// The clients, and a thief who has their tokens.
static CLIENTS: LazyLock<Vec<Client>> =
    LazyLock::new(|| ["ES256", "ES384", "EdDSA", "RS256", "PS256"].into_iter().map(Client::new).collect());
static THIEF: LazyLock<Signing> = LazyLock::new(|| Signing::new("ES256"));

struct Client {
    key: Signing,
    /// The public half of the key, its members by name (RFC 7638 section 3).
    jwk: Value,
    /// Bound to it.
    token: String,
    ath: String,
}

impl Client {
    fn new(algorithm: &str) -> Self {
        let key = Signing::new(algorithm);
        let mut jwk = key.jwk("client");
        let members = jwk.as_object_mut().expect("an object");
        members.retain(|name, _| !["alg", "use", "kid"].contains(&&**name));
        let by_name: BTreeMap<_, _> = members.iter().collect();
        let thumbprint = sha256(&serde_json::to_string(&by_name).expect("JSON"));
        let token = DOORS.lock().expect("a server").token(Some(("cnf", json!({ "jkt": thumbprint }))));
        Self { key, jwk, ath: sha256(&token), token }
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((which, text)) = input.split_first() else { return };
    let clients = &*CLIENTS;
    let mut doors = DOORS.lock().expect("a server");
    doors.wait(FORGOTTEN);
    match clients.get(usize::from(*which) % (clients.len() + 1)) {
        Some(client) => signed(&mut doors, client, text),
        None => whole(&mut doors, &clients[0], text),
    }
});

/// A proof that the client did not sign, or that one of its own became.
fn whole(doors: &mut Doors, client: &Client, text: &[u8]) {
    let good = client.key.token(header(client).as_bytes(), claims(client, doors.now()).as_bytes());
    let parts: Vec<_> = good.split('.').collect();
    let proof = filled(text, &[("@header", parts[0]), ("@claims", parts[1]), ("@signature", parts[2])]);
    if let Some(open) = opens(doors, client, &proof) {
        assert_eq!(open, proof == good.as_bytes(), "only what the client signed");
    }
}

fn signed(doors: &mut Doors, client: &Client, text: &[u8]) {
    let now = doors.now();
    let text = filled(
        text,
        &[
            ("@alg", client.key.algorithm),
            ("@jwk", &client.jwk.to_string()),
            ("@ath", &client.ath),
            ("@now", &now.to_string()),
            ("@oldest", &(now - 60).to_string()),
            ("@stale", &(now - 61).to_string()),
            ("@ahead", &(now + 5).to_string()),
            ("@future", &(now + 6).to_string()),
        ],
    );
    let (header, claims) = line(&text);
    // first the thief's, so that it is not refused as one that was shown
    let stolen = opens(doors, client, THIEF.token(header, claims).as_bytes());
    assert_eq!(stolen, Some(false), "by another key");
    let proof = client.key.token(header, claims);
    let open = opens(doors, client, proof.as_bytes()).expect("a field");
    match (members(header), members(claims)) {
        (Some(header), Some(claims)) => {
            let good = is_header(&header, client) && are_claims(&claims, client, now as f64);
            assert!(good || !open, "opens without being good");
            let plain = proof.len() <= 8 * 1024 && is_plain(&header, &claims, client);
            assert!(open || !good || !plain, "good, and does not open");
        }
        _ => assert!(!open, "opens without being JSON"),
    }
    assert_eq!(opens(doors, client, proof.as_bytes()), Some(false), "again");
}

fn opens(doors: &mut Doors, client: &Client, proof: &[u8]) -> Option<bool> {
    let bearer = format!("DPoP {}", client.token);
    let fields = [("authorization", bearer.as_bytes()), ("dpop", proof)];
    doors.opens(Knock { method: "GET", at: AT, fields: &fields })
}

fn header(client: &Client) -> String {
    json!({ "typ": "dpop+jwt", "alg": client.key.algorithm, "jwk": client.jwk }).to_string()
}

fn claims(client: &Client, now: u64) -> String {
    json!({ "htm": "GET", "htu": format!("{ORIGIN}{AT}"), "iat": now, "jti": "x", "ath": client.ath })
        .to_string()
}

fn sha256(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

type Members = BTreeMap<String, Value>;

/// What a header must be (RFC 9449 section 4.2): other members of the key make it no other key.
fn is_header(header: &Members, client: &Client) -> bool {
    let text = |name: &str| header.get(name).and_then(Value::as_str).unwrap_or_default();
    let algorithm = client.key.algorithm;
    let alg = text("alg") == algorithm || (algorithm, text("alg")) == ("EdDSA", "Ed25519");
    let wanted = client.jwk.as_object().expect("an object");
    let key = header.get("jwk").and_then(Value::as_object);
    let key = key.is_some_and(|key| {
        wanted.iter().all(|(name, value)| key.get(name) == Some(value)) && !key.contains_key("d")
    });
    let refused = ["crit", "b64", "zip", "enc", "epk", "cty", "jku", "x5u", "x5c"];
    is_typed(text("typ"), "dpop+jwt") && alg && key && refused.iter().all(|name| !header.contains_key(*name))
}

/// What claims must be (RFC 9449 section 4.3).
fn are_claims(claims: &Members, client: &Client, now: f64) -> bool {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let issued = claims.get("iat").and_then(Value::as_f64);
    text("htm") == "GET"
        && leads_here(text("htu"))
        && issued.is_some_and(|issued| (now - 60.0..=now + 5.0).contains(&issued))
        && text("ath") == client.ath
        && (1..=256).contains(&text("jti").len())
}

/// Whether the last segment is ours, below our host: what dot segments do in between is not looked at.
fn leads_here(uri: &str) -> bool {
    let uri = uri.split(['?', '#']).next().unwrap_or_default();
    let uri = percent_encoding::percent_decode_str(uri).decode_utf8_lossy();
    let is_ours = uri.get(..ORIGIN.len()).is_some_and(|front| front.eq_ignore_ascii_case(ORIGIN));
    is_ours && uri.rsplit('/').next() == Some(&AT[1..])
}

/// Whether nothing is there that may be refused for another reason.
fn is_plain(header: &Members, claims: &Members, client: &Client) -> bool {
    let known = |members: &Members, names: &[&str]| members.keys().all(|name| names.contains(&&**name));
    let uri = format!("{ORIGIN}{AT}");
    header.get("jwk") == Some(&client.jwk)
        && known(header, &["typ", "alg", "jwk"])
        && known(claims, &["htm", "htu", "iat", "jti", "ath"])
        && claims.get("htu").and_then(Value::as_str) == Some(&uri)
}
