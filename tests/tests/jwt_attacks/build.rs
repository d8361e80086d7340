//! From a recipe to the bytes of a token.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use palisade_tests::attacks::keys::{Signing, mac};
use palisade_tests::attacks::{AUDIENCE, kid};
use palisade_tests::tokens::{ISSUER, now};
use serde_json::{Value, json};

use crate::mutate::mutate;
use crate::recipe::{Recipe, Sign, Text};
use crate::special;

/// The scope that the doors ask for.
pub const SCOPE: &str = "notes:read";

/// What a recipe is built against.
pub struct Target<'a> {
    pub key: &'a Signing,
    /// Whether it takes access tokens of RFC 9068 only.
    pub access_tokens: bool,
}

/// Fresh keys, made once for each algorithm.
#[derive(Default)]
pub struct Attackers(HashMap<String, Signing>);

impl Attackers {
    fn key(&mut self, algorithm: &str) -> &Signing {
        self.0.entry(algorithm.to_owned()).or_insert_with(|| Signing::new(algorithm))
    }
}

/// An object in the order in which its members are written: their names and their texts.
type Members = Vec<(String, String)>;

impl Target<'_> {
    /// The token of a recipe, as bytes: some of them are no text.
    pub fn token(&self, recipe: &Recipe, attackers: &mut Attackers) -> Vec<u8> {
        let plain = Text::default();
        let first = self.write(&self.header(), &plain, attackers);
        let header = self.write(&self.header(), &recipe.header, attackers);
        let mut payload = self.write(&self.claims(), &recipe.claims, attackers);
        if recipe.claims.nest {
            payload = self.key.token(&first, &self.write(&self.claims(), &plain, attackers)).into_bytes();
        }
        let signed = format!("{}.{}", text(&header), text(&payload));
        let signature =
            self.signature(&recipe.sign, &Signed { first, header, payload, signed: &signed }, attackers);
        let token = match signature {
            Some(signature) => format!("{signed}.{}", text(&signature)),
            None => signed,
        };
        recipe.mutate.iter().fold(token.into_bytes(), mutate)
    }

    fn header(&self) -> Members {
        let typ = if self.access_tokens { "at+jwt" } else { "JWT" };
        let kid = kid(self.key.algorithm);
        [("alg", self.key.algorithm), ("typ", typ), ("kid", &kid)]
            .map(|(name, value)| (name.to_owned(), json!(value).to_string()))
            .to_vec()
    }

    fn claims(&self) -> Members {
        let mut claims = vec![
            ("iss", json!(ISSUER)),
            ("aud", json!(AUDIENCE)),
            ("sub", json!("alice")),
            ("scope", json!(SCOPE)),
            ("iat", json!(now())),
            ("nbf", json!(now() - 1)),
            ("exp", json!(now() + 600)),
            ("jti", json!("t1")),
        ];
        if self.access_tokens {
            claims.push(("client_id", json!("app"))); // RFC 9068 section 2.2
        }
        claims.into_iter().map(|(name, value)| (name.to_owned(), value.to_string())).collect()
    }

    /// The bytes of an object to which all this was done.
    fn write(&self, members: &Members, change: &Text, attackers: &mut Attackers) -> Vec<u8> {
        let mut members = members.clone();
        members.retain(|(name, _)| !change.remove.contains(name));
        for (name, raw) in &change.set {
            let value = self.value(raw.get(), attackers);
            match members.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => *known = value,
                None => members.push((name.clone(), value)),
            }
        }
        members.extend((0..change.set_many.unwrap_or(0)).map(|n| (format!("c{n}"), n.to_string())));
        let pairs: Vec<_> = members.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
        let inside = pairs.join(",");
        let (prepend, append) = (change.prepend.as_deref(), change.append.as_deref());
        let mut bytes =
            format!("{{{}{inside}{}", prepend.unwrap_or_default(), append.unwrap_or_default()).into_bytes();
        bytes.extend(change.append_hex.as_deref().map(hex).unwrap_or_default());
        bytes.push(b'}');
        if let Some(whole) = &change.text {
            bytes = whole.replace("$alg", self.key.algorithm).into_bytes();
        }
        if let Some((before, after)) = &change.wrap {
            bytes = [before.as_bytes(), &bytes, after.as_bytes()].concat();
        }
        match change.encode.as_deref() {
            None => bytes,
            Some(encoding) => encode(std::str::from_utf8(&bytes).unwrap(), encoding),
        }
    }

    /// A value's text, with what stands for something put in its place; without such, exactly as the list writes it.
    fn value(&self, raw: &str, attackers: &mut Attackers) -> String {
        if !raw.contains('$') {
            return raw.to_owned();
        }
        let mut value: Value = serde_json::from_str(raw).unwrap();
        self.fill(&mut value, attackers);
        value.to_string()
    }

    fn fill(&self, value: &mut Value, attackers: &mut Attackers) {
        match value {
            Value::String(text) => *text = self.words(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.fill(item, attackers)),
            Value::Object(members) => {
                let computed = members.iter().find(|(name, _)| name.starts_with('$'));
                match computed.map(|(name, argument)| (name.clone(), argument.clone())) {
                    Some((name, argument)) => {
                        *value = self.compute(&name, &argument, members.get("as"), attackers);
                    }
                    None => members.values_mut().for_each(|member| self.fill(member, attackers)),
                }
            }
            _ => {}
        }
    }

    fn words(&self, text: &str) -> String {
        let kid = kid(self.key.algorithm);
        let (swapped_iss, swapped_aud) = (swapped(ISSUER), swapped(AUDIENCE));
        let spaced = format!("{} ", self.key.algorithm);
        // the longer names before those that they begin with
        let words = [
            ("$iss_upper", swapped_iss.as_str()),
            ("$aud_upper", &swapped_aud),
            ("$alg_space", &spaced),
            ("$alg_lower", &self.key.algorithm.to_lowercase()),
            ("$alg", self.key.algorithm),
            ("$kid", &kid),
            ("$iss", ISSUER),
            ("$aud", AUDIENCE),
        ];
        let filled = words.iter().fold(text.to_owned(), |text, (word, with)| text.replace(word, with));
        assert!(!filled.contains('$'), "what does {text:?} stand for?");
        filled
    }

    fn compute(
        &self,
        name: &str,
        argument: &Value,
        form: Option<&Value>,
        attackers: &mut Attackers,
    ) -> Value {
        let cut = &SCOPE[..SCOPE.len() - 1];
        match name {
            "$time" => {
                let time = now().checked_add_signed(argument.as_i64().unwrap()).unwrap();
                match form.map(|form| form.as_str().unwrap()) {
                    None => json!(time),
                    Some("string") => json!(time.to_string()),
                    Some("float") => json!(time as f64 + 0.5),
                    Some("ms") => json!(time * 1000),
                    Some(other) => panic!("a time as {other:?}?"),
                }
            }
            "$repeat" => {
                let (text, times) = (argument[0].as_str().unwrap(), argument[1].as_u64().unwrap());
                json!(text.repeat(usize::try_from(times).unwrap()))
            }
            "$attacker_jwk" => attackers.key(argument.as_str().unwrap()).jwk("attacker"),
            "$public_jwk" => self.key.jwk(&kid(self.key.algorithm)),
            "$scope_str" => json!(SCOPE),
            "$scope_cut" => json!(cut),
            "$scope_quoted" => json!(format!("\"{SCOPE}\"")),
            "$scope_zwj" => json!(format!("{SCOPE}\u{200d}")),
            "$scope_comma" => json!(format!("x,{SCOPE},y")),
            "$scope_tab" => json!(format!("x\t{SCOPE}")),
            "$scope_upper" => json!(swapped(SCOPE)),
            "$scope_arr" => json!([SCOPE]),
            "$scope_obj" => json!({ SCOPE: true }),
            other => panic!("what is {other}?"),
        }
    }

    /// The signature; `None` leaves out its part as well.
    fn signature(&self, sign: &Sign, token: &Signed<'_>, attackers: &mut Attackers) -> Option<Vec<u8>> {
        let message = token.signed.as_bytes();
        Some(match sign.with.as_str() {
            "valid" => self.key.sign(message),
            "valid-first" => {
                self.key.sign(format!("{}.{}", text(&token.first), text(&token.payload)).as_bytes())
            }
            // RFC 7797 section 3: what is signed is the payload as it is
            "valid-b64false" => {
                self.key.sign(&[text(&token.header).as_bytes(), b".", &token.payload].concat())
            }
            "none" => Vec::new(),
            "omit" => return None,
            "hmac" => {
                let hash = match sign.hash.as_deref().expect("a hash") {
                    "$hash" => "sha256",
                    hash => hash,
                };
                mac(hash, &self.secret(sign.key.as_deref().expect("a key")), message)
            }
            "attacker" => {
                attackers.key(&self.words(sign.alg.as_deref().expect("an algorithm"))).sign(message)
            }
            other => special::signature(other, &self.key.sign(message)),
        })
    }

    /// What somebody might take for a shared secret.
    fn secret(&self, name: &str) -> Vec<u8> {
        let pem = || self.key.public_pem();
        match name {
            "empty" => Vec::new(),
            "secret" => self.key.bytes(),
            "public_pem" => pem().into_bytes(),
            "public_pem_nonl" => pem().trim_end().as_bytes().to_vec(),
            "public_pem_crlf" => pem().replace('\n', "\r\n").into_bytes(),
            "public_der" => self.key.public_der(),
            "public_der_b64" => STANDARD.encode(self.key.public_der()).into_bytes(),
            "public_raw" => self.key.bytes(),
            "public_jwk" => self.key.jwk(&kid(self.key.algorithm)).to_string().into_bytes(),
            other => match other.strip_prefix("text:") {
                Some(text) => text.as_bytes().to_vec(),
                None => panic!("what is the key {other:?}?"),
            },
        }
    }
}

struct Signed<'a> {
    /// The header before it was changed.
    first: Vec<u8>,
    header: Vec<u8>,
    payload: Vec<u8>,
    /// Both parts as they are sent.
    signed: &'a str,
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Each letter in the other case.
fn swapped(text: &str) -> String {
    let swap = |letter: char| match letter.is_ascii_lowercase() {
        true => letter.to_ascii_uppercase(),
        false => letter.to_ascii_lowercase(),
    };
    text.chars().map(swap).collect()
}

pub fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn encode(text: &str, encoding: &str) -> Vec<u8> {
    let units = || text.encode_utf16();
    match encoding {
        "utf-8-sig" => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        "utf-16-le" => units().flat_map(u16::to_le_bytes).collect(),
        "utf-16-be" => units().flat_map(u16::to_be_bytes).collect(),
        "utf-16" => [0xfeff].into_iter().chain(units()).flat_map(u16::to_le_bytes).collect(),
        "utf-32-le" => text.chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect(),
        other => panic!("no encoding {other:?}"),
    }
}
