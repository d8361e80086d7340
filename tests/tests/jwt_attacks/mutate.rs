//! What is done to a finished token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::build::hex;
use crate::recipe::Mutation;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub fn mutate(token: Vec<u8>, mutation: &Mutation) -> Vec<u8> {
    match mutation {
        Mutation::HeaderSwap { set } => swap(&token, 0, set),
        Mutation::PayloadSwap { set } => swap(&token, 1, set),
        Mutation::SigFill { value } => signature(&token, |bytes| bytes.fill(*value)),
        Mutation::SigOne {} => signature(&token, |bytes| {
            bytes.fill(0);
            *bytes.last_mut().unwrap() = 1;
        }),
        Mutation::SigExtend { hex: more } => signature(&token, |bytes| bytes.extend(hex(more))),
        Mutation::SigFlip { byte, bit } => signature(&token, |bytes| {
            let at = byte % bytes.len();
            bytes[at] ^= 1 << bit;
        }),
        Mutation::SigCut { n } => signature(&token, |bytes| bytes.truncate(bytes.len() - n)),
        Mutation::Noncanonical { part } => noncanonical(token, *part),
        Mutation::Pad { part } => {
            // as many as make it a multiple of four, or one where none would be right
            let missing = |text: &[u8]| (4 - text.len() % 4) % 4;
            part_of(&token, *part, |text| [text, &b"==="[..missing(text).max(1)]].concat())
        }
        Mutation::Insert { part, at, text } => {
            part_of(&token, *part, |old| [&old[..*at], text.as_bytes(), &old[*at..]].concat())
        }
        Mutation::Append { text } => [&token, text.as_bytes()].concat(),
        Mutation::Prepend { text } => [text.as_bytes(), &token].concat(),
        Mutation::ReplaceAll { text } => text.clone().into_bytes(),
        Mutation::Upper {} => token.to_ascii_uppercase(),
        Mutation::JwePbes2 {} => pbes2(),
    }
}

fn part_of(token: &[u8], part: usize, change: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let parts = token.split(|byte| *byte == b'.').enumerate();
    let parts: Vec<_> =
        parts.map(|(at, text)| if at == part { change(text) } else { text.to_vec() }).collect();
    assert!(part < parts.len(), "the token has no part {part}");
    parts.join(&b'.')
}

/// Other members in a part that stays what it is otherwise, as does its signature.
fn swap(token: &[u8], part: usize, set: &std::collections::BTreeMap<String, Value>) -> Vec<u8> {
    part_of(token, part, |text| {
        let mut object: Map<String, Value> =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
        object.extend(set.clone());
        URL_SAFE_NO_PAD.encode(Value::Object(object).to_string()).into_bytes()
    })
}

fn signature(token: &[u8], change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    part_of(token, 2, |text| {
        let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
        change(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes).into_bytes()
    })
}

/// Another spelling of the same bytes: the last character's unused bits are set. A part without such bits gets another
/// last character, which is a change of its bytes.
fn noncanonical(token: Vec<u8>, part: usize) -> Vec<u8> {
    part_of(&token, part, |text| {
        let mut text = text.to_vec();
        let last = text.last_mut().unwrap();
        let value = ALPHABET.iter().position(|known| known == last).unwrap();
        *last = ALPHABET[value ^ 1];
        text
    })
}

/// RFC 7518 section 4.8: a password that is hashed as often as the token says.
fn pbes2() -> Vec<u8> {
    let header = json!({
        "alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2s": "AAAAAAAAAAA", "p2c": 1_u64 << 31,
    });
    let key = URL_SAFE_NO_PAD.encode([0; 24]);
    format!(
        "{}.{key}.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
        URL_SAFE_NO_PAD.encode(header.to_string())
    )
    .into_bytes()
}
