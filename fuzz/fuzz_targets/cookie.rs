//! Any `Cookie`, in one field or several: a door opens for the one session, shown once, and closes for our own pages only.
//!
//! The first byte says whether the request has effects; if so, `Origin` and `Sec-Fetch-Site` stand in the first two lines,
//! an empty one for none. Each line after is a field.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_fuzz::doors::{DOORS, Knock, ORIGIN};
use palisade_fuzz::{filled, line};

fuzz_target!(|input: &[u8]| {
    let Some((which, text)) = input.split_first() else { return };
    let mut doors = DOORS.lock().expect("a server");
    let session = doors.session.clone();
    let text = filled(text, &[("@sid", &session)]);
    let (method, origin, site, cookies) = if which % 2 == 0 {
        ("GET", &[][..], &[][..], &text[..])
    } else {
        let (origin, rest) = line(&text);
        let (site, rest) = line(rest);
        ("POST", origin, site, rest)
    };
    let fields: Vec<&[u8]> = cookies.split(|byte| *byte == b'\n').collect();
    let mut opens = |cookies: &[&[u8]]| {
        let mut fields: Vec<(&str, &[u8])> = cookies.iter().map(|field| ("cookie", *field)).collect();
        let witnesses = [("origin", origin), ("sec-fetch-site", site)];
        fields.extend(witnesses.into_iter().filter(|(_, value)| !value.is_empty()));
        doors.opens(Knock { method, at: "/session", fields: &fields })
    };
    let Some(open) = opens(&fields) else { return };
    let good = names_once(&fields, session.as_bytes()) && (method == "GET" || is_ours(origin, site));
    assert_eq!(open, good, "what opens is the session, asked for by our own pages");
    // RFC 9113 section 8.2.3
    assert_eq!(opens(&[&fields.join(&b"; "[..])]), Some(open), "in one field");
});

/// The cookie is there once, and is the session (RFC 6265 section 4.2.1).
fn names_once(fields: &[&[u8]], session: &[u8]) -> bool {
    let pairs = fields.iter().flat_map(|field| field.split(|byte| *byte == b';')).map(<[u8]>::trim_ascii);
    let ours: Vec<_> = pairs.filter_map(|pair| pair.strip_prefix(b"sid=")).collect();
    ours == [session]
}

/// Fetch Metadata section 2.4, and RFC 6454 section 7 where there is none.
fn is_ours(origin: &[u8], site: &[u8]) -> bool {
    match site {
        b"" => origin == ORIGIN.as_bytes(),
        b"same-origin" | b"none" => origin.is_empty() || origin == b"null" || origin == ORIGIN.as_bytes(),
        _ => false,
    }
}
