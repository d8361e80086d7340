//! Any `Authorization`: a door opens for the credential itself and nothing else, however its scheme is spelled.
//!
//! The first byte says at which door, the rest is the field.
#![no_main]

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use palisade_fuzz::doors::{DOORS, Knock, PASSWORD, USER};
use palisade_fuzz::filled;

/// At each a good token opens; at the last, so does the password.
const AT: [&str; 3] = ["/token", "/optional", "/either"];

static TOKEN: LazyLock<String> = LazyLock::new(|| DOORS.lock().expect("a server").token(None));

fuzz_target!(|input: &[u8]| {
    let Some((which, field)) = input.split_first() else { return };
    let at = AT[usize::from(*which) % AT.len()];
    let basic = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let field = filled(field, &[("@token", &TOKEN), ("@basic", &basic)]);
    let user_and_password = after_scheme(&field, "basic").and_then(|rest| STANDARD.decode(rest).ok());
    let is_right =
        user_and_password.as_ref().is_some_and(|it| *it == format!("{USER}:{PASSWORD}").as_bytes());
    // a password takes time, as it should: of those that may be verified and are wrong, one in 16 is
    if user_and_password.is_some() && !is_right && input.iter().fold(0, |sum, byte| sum ^ byte) % 16 != 0 {
        return;
    }
    let good = after_scheme(&field, "bearer") == Some(TOKEN.as_bytes()) || (at == "/either" && is_right);
    let mut doors = DOORS.lock().expect("a server");
    let mut opens = |at: &str, fields: &[&[u8]]| {
        let fields: Vec<_> = fields.iter().map(|field| ("authorization", *field)).collect();
        doors.opens(Knock { method: "GET", at, fields: &fields })
    };
    let Some(open) = opens(at, &[&field]) else { return };
    assert_eq!(open, good, "what opens is the credential");
    assert_eq!(opens(at, &[&respelled(&field)]), Some(open), "the case of the scheme, and one more blank");
    assert_eq!(opens(at, &[&field, &field]), Some(false), "two are one too many");
    assert_eq!(opens(&format!("{at}?access_token=x"), &[&field]), Some(false), "one method a request");
});

/// RFC 9110 section 11.4: what follows the scheme and one or more blanks.
fn after_scheme<'f>(field: &'f [u8], wanted: &str) -> Option<&'f [u8]> {
    let (scheme, rest) = field.split_at_checked(wanted.len())?;
    let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
    (scheme.eq_ignore_ascii_case(wanted.as_bytes()) && blanks > 0).then(|| &rest[blanks..])
}

fn respelled(field: &[u8]) -> Vec<u8> {
    let scheme = field.iter().position(|byte| *byte == b' ').unwrap_or(field.len());
    let (scheme, rest) = field.split_at(scheme);
    let other = |byte: &u8| {
        if byte.is_ascii_lowercase() { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() }
    };
    let blank: &[u8] = if rest.is_empty() { b"" } else { b" " };
    [&scheme.iter().map(other).collect::<Vec<_>>(), blank, rest].concat()
}
