//! Credentials shaken by chance: whatever stands in `Authorization`, in `Cookie`, in `DPoP`, or in a token that is signed all
//! the same, the server neither fails nor lets in who does not show the credential itself.
//!
//! The same for the same seed, but for the keys. `SHAKE_ROUNDS` and `SHAKE_SEED` make it longer and other.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{HeaderValue, Request, StatusCode};
use palisade::{ApiKeys, Clock, KeyFile, KeyPeppers, KeyRecord, NewKey, Settings};
use palisade_tests::attacks::keys::{ALGORITHMS, Signing};
use palisade_tests::attacks::proof::Prover;
use palisade_tests::attacks::{Fortress, claims, kid};
use palisade_tests::tokens::now;
use serde_json::json;
use tower_service::Service;

/// Who asks: somebody on this machine, as without TLS nobody else may.
const CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 40_000);

/// What breaks readers, and words that mean something.
const PIECES: [&[u8]; 40] = [
    b" ",
    b"\t",
    b"=",
    b"==",
    b".",
    b"..",
    b",",
    b";",
    b"; ",
    b"\"",
    b"\\",
    b"/",
    b"+",
    b"-",
    b"_",
    b"%",
    b"%00",
    b"\xff",
    b"\xc3\xa9",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"null",
    b"none",
    b"1e999",
    b"-1",
    b"\\u0000",
    b"\\ud800",
    b"Bearer ",
    b"Basic ",
    b"DPoP ",
    b"bearer\t",
    b"sid=",
    b"; sid=x",
    b"mood=x",
    b"\"crit\":[]",
    b"\"exp\":9",
    b"eyJhbGciOiJub25lIn0",
];

#[tokio::test]
async fn shaken_credentials_open_nothing_and_break_nothing() {
    let (rounds, seed) = (setting("SHAKE_ROUNDS", 3_000), setting("SHAKE_SEED", 1));
    let keys: Vec<_> = ALGORITHMS.into_iter().map(Signing::new).collect();
    let (mut server, session) = Fortress::build(&keys, Settings::default());
    let header = json!({ "alg": "ES256", "typ": "JWT", "kid": kid("ES256") }).to_string().into_bytes();
    let payload = claims("alice", "notes:read", now()).to_string().into_bytes();
    let token = keys[0].token(&header, &payload);
    let bearer = format!("Bearer {token}").into_bytes();
    let cookie = format!("mood=happy; sid={session}").into_bytes();
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (mut served, mut refused) = ([0; 3], [0; 3]);
    for round in 0..rounds {
        let kind = chance.below(3);
        let (path, name, value) = match kind {
            0 => ("/any/es256", "authorization", chance.shaken(&bearer)),
            1 => ("/session", "cookie", chance.shaken(&cookie)),
            // signed by the key that is trusted: what it says is read, and must not break the reader
            _ => {
                let (header, payload) = match chance.below(2) {
                    0 => (chance.shaken(&header), payload.clone()),
                    _ => (header.clone(), chance.shaken(&payload)),
                };
                let token = keys[0].token(&header, &payload);
                ("/any/es256", "authorization", format!("Bearer {token}").into_bytes())
            }
        };
        let Ok(sent) = HeaderValue::from_bytes(&value) else { continue }; // the HTTP library refuses it
        let request = Request::get(path).header("host", "test").header(name, sent);
        let request = request.extension(ConnectInfo(CLIENT)).body(Body::empty()).unwrap();
        let status = server.call(request).await.unwrap().status();
        let what = format!("round {round}: {status} for {name}: {}", String::from_utf8_lossy(&value));
        assert!(!status.is_server_error(), "{what}");
        match (status.is_success(), kind) {
            (true, 0) => assert!(is_bearer(&value, token.as_bytes()), "{what}"),
            (true, 1) => assert!(names_once(&value, session.as_bytes()), "{what}"),
            (true, _) => {}
            (false, _) => assert_ne!(status, StatusCode::NOT_FOUND, "{what}"),
        }
        *(if status.is_success() { &mut served[kind] } else { &mut refused[kind] }) += 1;
    }
    println!("headers, cookies, signed tokens: {served:?} served, {refused:?} refused");
    assert!(served.iter().chain(&refused).all(|count| *count > 0), "each kind is both served and refused");
}

/// What a file of keys may meet: it is read whole or refused with the number of a line, and what is read is as good as
/// what was written.
#[test]
fn shaken_files_of_keys_and_peppers_are_read_or_refused() {
    let (rounds, seed) = (setting("SHAKE_ROUNDS", 3_000), setting("SHAKE_SEED", 1));
    let folder = tempfile::tempdir().unwrap();
    let file = KeyFile::new(folder.path().join("partner.keys"));
    let list =
        b"new:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=\nold:3q2+7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg=";
    let peppers = KeyPeppers::from_list(std::str::from_utf8(list).unwrap()).unwrap();
    let clock = Clock::fixed(1_800_000_000).now().unwrap();
    let key = || NewKey::generate("bank_live", "acme", &["a", "b"], clock, Some(1_900_000_000)).unwrap();
    let lines = [key().record.to_line(), key().named("billing").unwrap().peppered(&peppers).record.to_line()];
    let good = format!("# partners\n{}\n\n{}\n", lines[0], lines[1]).into_bytes();
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (mut read, mut refused) = (0, 0);
    for round in 0..rounds {
        let shaken = chance.shaken(&good);
        std::fs::write(file.path(), &shaken).unwrap();
        match file.read() {
            Ok(records) => {
                read += 1;
                for record in &records {
                    let line = record.to_line();
                    std::fs::write(file.path(), &line).unwrap();
                    let again: Vec<_> = file.read().unwrap().iter().map(KeyRecord::to_line).collect();
                    assert_eq!(again, [line], "round {round}");
                }
                let twice = records.iter().any(|one| records.iter().filter(|it| it.id == one.id).count() > 1);
                assert_eq!(ApiKeys::new(records).is_err(), twice, "round {round}");
            }
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().contains("acme"), "round {round}: {error}");
            }
        }
        let shaken = String::from_utf8_lossy(&chance.shaken(list)).into_owned();
        if let Err(error) = KeyPeppers::from_list(&shaken) {
            assert!(!error.to_string().contains("QmUN"), "round {round}: {error}");
        }
    }
    println!("files of keys: {read} read, {refused} refused");
    assert!(read > 0 && refused > 0);
}

/// RFC 6750 section 2.1, with the scheme in any case and one or more spaces (RFC 9110 section 11.4).
fn is_bearer(value: &[u8], token: &[u8]) -> bool {
    let Some((scheme, rest)) = value.split_at_checked(6) else { return false };
    let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
    scheme.eq_ignore_ascii_case(b"bearer") && blanks > 0 && &rest[blanks..] == token
}

/// Proofs of possession, shaken after or before they were signed: none opens that is not as good as the first, and none opens
/// twice.
#[tokio::test]
async fn shaken_proofs_open_nothing_and_break_nothing() {
    let (rounds, seed) = (setting("SHAKE_ROUNDS", 3_000), setting("SHAKE_SEED", 1));
    let keys: Vec<_> = ALGORITHMS.into_iter().map(Signing::new).collect();
    let (mut server, _) = Fortress::build(&keys, Settings::default());
    let client = Prover::new(&keys[0], "notes:read");
    let bearer = HeaderValue::from_str(&format!("DPoP {}", client.token)).unwrap();
    let header = client.header.as_bytes();
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (mut served, mut refused) = ([0; 2], [0; 2]);
    for round in 0..rounds {
        let claims = client.claims("/proven", &format!("proof-number-{round:020}"));
        let good = client.key.token(header, claims.as_bytes());
        let kind = chance.below(2);
        let proof = match (kind, chance.below(2)) {
            (0, _) => chance.shaken(good.as_bytes()),
            (_, 0) => client.key.token(&chance.shaken(header), claims.as_bytes()).into_bytes(),
            _ => client.key.token(header, &chance.shaken(claims.as_bytes())).into_bytes(),
        };
        let Ok(sent) = HeaderValue::from_bytes(&proof) else { continue }; // the HTTP library refuses it
        let request = || {
            let request = Request::get("/proven").header("host", "test").header("authorization", &bearer);
            let request = request.header("dpop", &sent).extension(ConnectInfo(CLIENT));
            request.body(Body::empty()).unwrap()
        };
        let status = server.call(request()).await.unwrap().status();
        let what = format!("round {round}: {status} for {}", String::from_utf8_lossy(&proof));
        assert!(status == StatusCode::NO_CONTENT || status == StatusCode::UNAUTHORIZED, "{what}");
        if status.is_success() {
            assert!(kind == 1 || proof == good.as_bytes(), "{what}");
            assert_eq!(
                server.call(request()).await.unwrap().status(),
                StatusCode::UNAUTHORIZED,
                "again: {what}"
            );
        }
        *(if status.is_success() { &mut served[kind] } else { &mut refused[kind] }) += 1;
    }
    println!("proofs, signed proofs: {served:?} served, {refused:?} refused");
    assert!(served.iter().chain(&refused).all(|count| *count > 0), "each kind is both served and refused");
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// The cookie is there once, and is the key.
fn names_once(value: &[u8], key: &[u8]) -> bool {
    let pairs = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let ours: Vec<_> = pairs.filter_map(|pair| pair.strip_prefix(b"sid=")).collect();
    ours == [key]
}

/// xorshift64: the same numbers for the same seed, on every machine.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 11).unwrap() % limit.max(1)
    }

    /// Changed in up to three places, or not at all.
    fn shaken(&mut self, bytes: &[u8]) -> Vec<u8> {
        (0..self.below(4)).fold(bytes.to_vec(), |bytes, _| self.changed(bytes))
    }

    fn changed(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let at = self.below(bytes.len() + 1);
        let (head, tail) = bytes.split_at(at);
        match self.below(8) {
            0 => head.to_vec(),
            1 => [head, PIECES[self.below(PIECES.len())], tail].concat(),
            2 => [head, &tail[self.below(tail.len() + 1)..]].concat(),
            3 => [head, &tail[..self.below(tail.len() + 1)], tail].concat(), // a part twice
            4 => [tail, head].concat(),
            5 => [&bytes, PIECES[self.below(PIECES.len())]].concat(),
            6 => [head, &head[..self.below(head.len() + 1)].repeat(self.below(20)), tail].concat(),
            _ => {
                let bit = 1 << self.below(8);
                bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= bit);
                bytes
            }
        }
    }
}
