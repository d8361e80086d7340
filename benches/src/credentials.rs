//! The credentials of the requests.

use std::io;
use std::path::Path;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use palisade::{Clock, NewKey};
use serde_json::{Value, json};

/// The symmetric key of the token scheme.
pub(crate) const SECRET: &[u8; 32] = b"a secret of exactly 32 bytes, ok";

/// Names the file in which the guarded server finds the hash of the key.
pub(crate) const KEYS: &str = "BENCH_KEYS";

/// Makes a key, leaves its hash in `file`, and gives its text.
pub(crate) fn key(file: &Path) -> io::Result<String> {
    let now = Clock::system().now().map_err(io::Error::other)?;
    let key = NewKey::generate("bench", "bench", &["items:read", "orders:write"], now, None)
        .map_err(io::Error::other)?;
    std::fs::write(file, format!("{}\n", key.record.to_line()))?;
    Ok(key.key.expose().clone())
}

/// The claims of a token of an hour.
pub(crate) fn claims() -> Value {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_secs());
    json!({
        "iss": "https://id.example.com", "aud": "bench", "sub": "alice", "client_id": "bench", "jti": "1",
        "iat": now, "exp": now + 3600, "scope": "items:read orders:write",
    })
}

/// The same with one claim more.
pub(crate) fn claims_with(name: &str, claim: Value) -> Value {
    let mut claims = claims();
    if let Some(members) = claims.as_object_mut() {
        members.insert(name.to_owned(), claim);
    }
    claims
}

/// A token of an hour.
pub(crate) fn token() -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some("bench".to_owned());
    encode(&header, &claims(), &EncodingKey::from_secret(SECRET)).unwrap_or_default()
}

/// An order of about 2 KB.
pub(crate) fn order() -> String {
    let line = |index: u32| {
        json!({ "sku": format!("ABC-{index:06}"), "description": "a thing that is described in some forty letters",
                "quantity": index + 1, "unitPrice": 1250, "discount": 5 })
    };
    json!({
        "reference": "ORDER-2026-000001", "customer": "0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", "currency": "EUR",
        "note": "leave it at the door", "lines": (0..14).map(line).collect::<Vec<_>>(),
    })
    .to_string()
}
