//! What the targets for credentials share: a server with a door for each way to show one, its keys, and a second reading of
//! JSON, by which they say what the server must answer.
//!
//! Keys are new in each run. What differs from run to run stands in an input as a word, such as `@token`, so that an input
//! does the same in each.

pub mod doors;
pub mod json;

#[path = "../../tests/src/attacks/keys.rs"]
pub mod keys;

/// The generated module.
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/credentials.rs"));
}

/// The input with each word replaced by what it stands for.
pub fn filled(input: &[u8], words: &[(&str, &str)]) -> Vec<u8> {
    let mut text = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some((first, after)) = rest.split_first() {
        match words.iter().find(|(word, _)| rest.starts_with(word.as_bytes())) {
            Some((word, meant)) => {
                text.extend_from_slice(meant.as_bytes());
                rest = &rest[word.len()..];
            }
            None => {
                text.push(*first);
                rest = after;
            }
        }
    }
    text
}

/// Whether both name one media type, as `typ` writes them (RFC 7515 section 4.1.9).
pub fn is_typed(typ: &str, wanted: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    typ == wanted || typ.strip_prefix("application/") == Some(wanted)
}

/// The first line, and what follows it.
pub fn line(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, &[]),
    }
}
