//! Our verifier beside `jsonwebtoken`, which others wrote: thousands of tokens that the dice change, shown to both under the same
//! rules. Whatever we accept they accept too, for the same subject, and both accept every token that an issuer makes as it should.
//! A run that failed is repeated by its seed: `TOKENS_SEED=.. cargo test --test against_jsonwebtoken`.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use http::{HeaderValue, Request};
use http_body_util::BodyExt;
use jsonwebtoken::{DecodingKey, Validation, decode};
use palisade::Settings;
use palisade_tests::attacks::keys::{ALGORITHMS, Signing, mac};
use palisade_tests::attacks::{AUDIENCE, Fortress, kid};
use palisade_tests::dice::Dice;
use palisade_tests::tokens::{ISSUER, now};
use serde_json::{Value, json};
use tower_service::Service;

/// For each algorithm.
const TOKENS: u64 = 1_500;
/// The leeway of the document.
const LEEWAY: u64 = 30;

/// An object as it is written: the texts of its names and values.
type Members = Vec<(String, String)>;

/// A token in the making.
struct Draft {
    header: Members,
    claims: Members,
    /// A letter of a name is written as an escape.
    escapes: bool,
    /// Between any two tokens of JSON.
    space: &'static str,
    /// Everything about it is as it should be.
    honest: bool,
    /// `jsonwebtoken` cannot read what it says, though it may say so.
    beyond: bool,
    /// What was done, to be told when it fails.
    done: Vec<String>,
}

/// Both verifiers of one algorithm.
struct Pair {
    algorithm: &'static str,
    key: DecodingKey,
    rules: Validation,
}

impl Pair {
    fn new(key: &Signing) -> Self {
        let jwk = serde_json::from_value(key.jwk(&kid(key.algorithm))).unwrap();
        let mut rules = Validation::new(key.algorithm.parse().unwrap());
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        (rules.validate_nbf, rules.leeway) = (true, LEEWAY);
        Self { algorithm: key.algorithm, key: DecodingKey::from_jwk(&jwk).unwrap(), rules }
    }

    /// The subject of a token that they accept. Spaces in front of it belong to the header field, which may have several between
    /// the scheme and the token (RFC 9110 section 11.4), and which only we read.
    fn theirs(&self, token: &[u8]) -> Option<String> {
        let token = &token[token.iter().take_while(|byte| **byte == b' ').count()..];
        let claims = decode::<Value>(token, &self.key, &self.rules).ok()?.claims;
        Some(claims["sub"].as_str().unwrap_or_default().to_owned())
    }

    /// The subject of a token that we accept, at the whole gate of a generated server.
    async fn ours(&self, server: &palisade::Server, token: &[u8]) -> Option<String> {
        let authorization = HeaderValue::from_bytes(&[b"Bearer ", token].concat()).unwrap();
        let path = format!("/any/{}", self.algorithm.to_lowercase());
        let request = Request::get(path).header("host", "test").header("authorization", authorization);
        let request = request.extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))));
        let answer = server.clone().call(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        if status == 401 {
            return None;
        }
        assert_eq!(status, 200);
        let body: Value = serde_json::from_slice(&answer.collect().await.unwrap().to_bytes()).unwrap();
        Some(body["subject"].as_str().unwrap().to_owned())
    }
}

fn members(all: &[(&str, Value)]) -> Members {
    all.iter().map(|(name, value)| (json!(name).to_string(), value.to_string())).collect()
}

impl Draft {
    /// As an issuer makes it.
    fn good(algorithm: &str) -> Self {
        let now = now();
        let header = [("alg", json!(algorithm)), ("typ", json!("JWT")), ("kid", json!(kid(algorithm)))];
        let claims = [
            ("iss", json!(ISSUER)),
            ("aud", json!(AUDIENCE)),
            ("sub", json!("alice")),
            ("scope", json!("notes:read")),
            ("iat", json!(now)),
            ("nbf", json!(now - 1)),
            ("exp", json!(now + 600)),
        ];
        let (header, claims) = (members(&header), members(&claims));
        Self { header, claims, escapes: false, space: "", honest: true, beyond: false, done: Vec::new() }
    }

    /// Another way to say the same.
    fn vary(&mut self, dice: &mut Dice) {
        match dice.below(9) {
            0 => self.space = one_of(dice, [" ", "\n", "\t\r\n "]),
            1 => self.header.swap(0, 1),
            2 => self.claims.reverse(),
            3 => self.escapes = true,
            4 => set(&mut self.claims, "aud", &json!(["other", AUDIENCE]).to_string()),
            5 => remove(&mut self.claims, one_of(dice, ["nbf", "iat"])),
            6 => remove(&mut self.header, one_of(dice, ["typ", "kid"])),
            7 => self.claims.push((format!("\"x{}\"", self.claims.len()), strange(dice))),
            _ => set(
                &mut self.claims,
                "sub",
                &json!(one_of(dice, ["bob", "\u{e9}", "a\"b", "😀"])).to_string(),
            ),
        }
        self.done.push("varied".to_owned());
    }

    /// Something that makes it another token, a bad one as a rule.
    fn change(&mut self, algorithm: &str, dice: &mut Dice) {
        self.honest = false;
        let of_header = dice.below(2) == 0;
        let what = match (of_header, dice.below(5)) {
            (true, 0) => self.set_header("alg", &other_algorithm(algorithm, dice)),
            (true, 1) => {
                let name =
                    one_of(dice, ["crit", "b64", "zip", "cty", "jku", "x5u", "enc", "epk", "jwk", "y"]);
                self.set_header(name, &strange(dice))
            }
            (true, 2) => {
                let typ = one_of(dice, ["at+jwt", "jwt", "application/jwt", "dpop+jwt", "", "JOSE"]);
                self.set_header("typ", &json!(typ).to_string())
            }
            (true, 3) => {
                let name = one_of(dice, ["alg", "kid", "typ"]);
                self.set_header(name, &strange(dice))
            }
            (true, _) => twice(&mut self.header, dice),
            (false, 0) => self.set_time(dice),
            (false, 1) => {
                let name = one_of(dice, ["iss", "aud", "sub", "exp", "nbf", "iat"]);
                set(&mut self.claims, name, &strange(dice));
                self.beyond |= matches!(name, "exp" | "nbf"); // -1 and 1e300 are numbers of seconds, too
                format!("{name} is strange")
            }
            (false, 2) => {
                let (name, near) = one_of(dice, [("iss", ISSUER), ("aud", AUDIENCE)]);
                set(&mut self.claims, name, &near_to(near, dice));
                format!("{name} is near")
            }
            (false, 3) => {
                let name = one_of(dice, ["iss", "aud", "sub", "exp"]);
                remove(&mut self.claims, name);
                format!("without {name}")
            }
            (false, _) => twice(&mut self.claims, dice),
        };
        self.done.push(what);
    }

    fn set_header(&mut self, name: &str, value: &str) -> String {
        set(&mut self.header, name, value);
        self.beyond |= value == "\"Ed25519\""; // RFC 9864
        format!("{name}: {value}")
    }

    /// Around the moments in which a token becomes good and bad.
    fn set_time(&mut self, dice: &mut Dice) -> String {
        let name = one_of(dice, ["exp", "nbf", "iat"]);
        let around = one_of(dice, [-600_i64, -31, -30, -29, 0, 29, 30, 31, 600]) + dice.below(3) as i64 - 1;
        let seconds = now().saturating_add_signed(around);
        let text = if dice.below(4) == 0 { format!("{seconds}.0") } else { seconds.to_string() };
        set(&mut self.claims, name, &text);
        format!("{name} in {around} s")
    }

    fn parts(&self) -> [String; 2] {
        [&self.header, &self.claims].map(|members| {
            let space = self.space;
            let pairs: Vec<_> =
                members.iter().map(|(name, value)| format!("{name}{space}:{space}{value}")).collect();
            URL_SAFE_NO_PAD.encode(format!("{{{space}{}{space}}}", pairs.join(&format!("{space},{space}"))))
        })
    }
}

fn one_of<T>(dice: &mut Dice, all: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>) -> T {
    let mut all = all.into_iter();
    let at = dice.below(all.len() as u64) as usize;
    all.nth(at).unwrap()
}

fn set(members: &mut Members, name: &str, value: &str) {
    remove(members, name);
    members.push((json!(name).to_string(), value.to_owned()));
}

fn remove(members: &mut Members, name: &str) {
    let name = json!(name).to_string();
    members.retain(|(known, _)| *known != name);
}

/// Writes a letter of a name as an escape.
fn escape(members: &mut Members, dice: &mut Dice) {
    let (name, _) = one_of(dice, members.iter_mut());
    if let Some(first) = name.chars().nth(1).filter(char::is_ascii_alphanumeric) {
        name.replace_range(1..2, &format!("\\u{:04x}", u32::from(first)));
    }
}

/// A member once more: with its value or another, and under the same name or one that reads so.
fn twice(members: &mut Members, dice: &mut Dice) -> String {
    let (name, value) = one_of(dice, members.iter()).clone();
    let value = if dice.below(2) == 0 { value } else { strange(dice) };
    let again = vec![(name.clone(), value)];
    let at = one_of(dice, [0, members.len()]);
    members.splice(at..at, again);
    format!("{name} twice")
}

/// A value that nobody expects.
fn strange(dice: &mut Dice) -> String {
    let all = [
        "null",
        "true",
        "0",
        "-1",
        "1e300",
        "1.5",
        "\"\"",
        "\"none\"",
        "[]",
        "{}",
        "[1]",
        "[\"attacks\"]",
        "[\"exp\"]",
        "{\"a\":{\"a\":[0]}}",
        "\"\\u0000\"",
        "18446744073709551616",
    ];
    one_of(dice, all).to_owned()
}

fn near_to(text: &str, dice: &mut Dice) -> String {
    let near = match dice.below(6) {
        0 => text.to_uppercase(),
        1 => format!("{text}/"),
        2 => format!("{text}\0"),
        3 => text[1..].to_owned(),
        4 => format!(" {text}"),
        _ => return json!([text, 1]).to_string(),
    };
    json!(near).to_string()
}

fn other_algorithm(algorithm: &str, dice: &mut Dice) -> String {
    let lower = algorithm.to_lowercase();
    let all = ["none", "HS256", "HS512", "RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519", &lower];
    json!(one_of(dice, all)).to_string()
}

/// The signature, or one that is none.
fn signature(keys: &[Signing], key: &Signing, signed: &str, draft: &mut Draft, dice: &mut Dice) -> String {
    let own = key.sign(signed.as_bytes());
    if dice.below(6) != 0 {
        return URL_SAFE_NO_PAD.encode(own);
    }
    draft.honest = false;
    draft.done.push("another signature".to_owned());
    let mut other = match dice.below(5) {
        0 => one_of(dice, keys).sign(signed.as_bytes()),
        1 => Signing::new(one_of(dice, ["ES256", "EdDSA", "HS256"])).sign(signed.as_bytes()),
        2 => mac("sha256", &key.bytes(), signed.as_bytes()),
        3 => key.sign(&signed.as_bytes()[1..]),
        _ => own,
    };
    match dice.below(4) {
        0 => other.truncate(dice.below(other.len() as u64) as usize),
        1 => other.push(0),
        2 => {
            let at = dice.below(other.len() as u64) as usize;
            other[at] ^= 1 << dice.below(8);
        }
        _ => {}
    }
    URL_SAFE_NO_PAD.encode(other)
}

/// Another text, of the same bytes or of others.
fn respell(parts: &mut [String; 3], draft: &mut Draft, dice: &mut Dice) {
    const ODD: [&str; 9] = ["=", "==", " ", ".", "%3d", "+", "/", "A", "\u{e9}"];
    let at = dice.below(3) as usize;
    let text = parts[at].clone();
    let place = dice.below(text.len() as u64 + 1) as usize;
    parts[at] = match dice.below(4) {
        0 => format!("{}{}{}", &text[..place], one_of(dice, ODD), &text[place..]),
        1 => URL_SAFE.encode(URL_SAFE_NO_PAD.decode(&text).unwrap()),
        2 => STANDARD_NO_PAD.encode(URL_SAFE_NO_PAD.decode(&text).unwrap()),
        _ => {
            // with the bits set that nobody reads
            let mut bytes = text.into_bytes();
            if let Some(last) = bytes.last_mut() {
                *last = if *last == b'_' { b'-' } else { *last + 1 };
            }
            String::from_utf8(bytes).unwrap()
        }
    };
    draft.honest = false;
    draft.done.push(format!("part {at} respelt"));
}

/// A token, and what is known of it.
fn token(keys: &[Signing], key: &Signing, dice: &mut Dice) -> (Vec<u8>, Draft) {
    let mut draft = Draft::good(key.algorithm);
    for _ in 0..dice.below(3) {
        draft.vary(dice);
    }
    for _ in 0..dice.below(3) {
        draft.change(key.algorithm, dice);
    }
    if draft.escapes {
        escape(one_of(dice, [&mut draft.header, &mut draft.claims]), dice);
    }
    let [header, claims] = draft.parts();
    let signature = signature(keys, key, &format!("{header}.{claims}"), &mut draft, dice);
    let mut parts = [header, claims, signature];
    if dice.below(8) == 0 {
        respell(&mut parts, &mut draft, dice);
    }
    (parts.join(".").into_bytes(), draft)
}

#[tokio::test]
async fn what_we_accept_they_accept_for_the_same_subject() {
    let mut dice = Dice::of("TOKENS_SEED", Dice::now());
    let keys: Vec<Signing> = ALGORITHMS.into_iter().map(Signing::new).collect();
    let (server, _) = Fortress::build(&keys, Settings::default());
    for key in &keys {
        let pair = Pair::new(key);
        let (mut honest, mut accepted, mut refused) = (0, 0, 0);
        for _ in 0..TOKENS {
            let (token, draft) = token(&keys, key, &mut dice);
            // ours first: a token that ends meanwhile ended for both
            let (ours, theirs) = (pair.ours(&server, &token).await, pair.theirs(&token));
            let told = || format!("{}: {:?}: {}", key.algorithm, draft.done, String::from_utf8_lossy(&token));
            if draft.honest {
                assert!(ours.is_some() && theirs.is_some(), "ours {ours:?}, theirs {theirs:?}: {}", told());
                honest += 1;
            }
            match (&ours, &theirs) {
                (None, _) => refused += 1,
                (Some(_), None) if draft.beyond => {}
                _ => {
                    assert_eq!(ours, theirs, "{}", told());
                    accepted += 1;
                }
            }
        }
        println!("{}: {honest} honest, {accepted} accepted, {refused} refused", key.algorithm);
        assert!(honest > TOKENS / 6, "{honest}");
        assert!(
            accepted > honest + TOKENS / 50 && refused > TOKENS / 4,
            "{accepted} accepted, {refused} refused"
        );
    }
}
