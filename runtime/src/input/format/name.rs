//! `email` and `hostname`.

use email_address::{EmailAddress, Options};
use idna::uts46::{AsciiDenyList, Hyphens, Uts46};

use super::super::{At, Violations};
use super::checked;

/// `email`: a mailbox of RFC 5321 section 4.1.2 in ASCII, at most 254 characters (RFC 5321 section 4.5.3.1.3, less the
/// angle brackets).
pub fn email(text: &str, at: &At<'_>, out: &mut Violations) {
    let holds = text.len() <= 254 && (is_common(text) || is_mailbox(text));
    checked(holds, "must be an e-mail address", at, out);
}

/// `Dot-string "@" Domain`, which nearly every address is: seen at a glance.
fn is_common(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    local.len() <= 64 && local.split('.').all(is_atom) && is_hostname(domain)
}

/// `Atom = 1*atext` (RFC 5322 section 3.2.3).
fn is_atom(text: &str) -> bool {
    let special = |byte: u8| b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || special(byte))
}

/// Quoted local parts and addresses in brackets as well.
fn is_mailbox(text: &str) -> bool {
    // The parser also takes `Name <a@b.c>` unless told not to, and letters outside ASCII, which are `idn-email`.
    let options = Options::default().without_display_text();
    text.is_ascii()
        && !text.bytes().any(|byte| byte.is_ascii_control())
        && EmailAddress::parse_with_options(text, options).is_ok_and(|address| is_domain(address.domain()))
}

/// After the `@`: a host name, or an address in brackets (RFC 5321 section 4.1.3).
fn is_domain(domain: &str) -> bool {
    match domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(literal) => match literal.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:")) {
            Some(_) => literal.get(5..).is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok()),
            None => literal.parse::<std::net::Ipv4Addr>().is_ok(),
        },
        None => is_hostname(domain),
    }
}

/// `hostname`: RFC 1123 section 2.1.
pub fn hostname(text: &str, at: &At<'_>, out: &mut Violations) {
    checked(is_hostname(text), "must be a host name", at, out);
}

/// Labels of 1 to 63 letters, digits and inner hyphens, 253 characters in all; no root dot.
fn is_hostname(text: &str) -> bool {
    (1..=253).contains(&text.len()) && text.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        && bytes.first() != Some(&b'-')
        && bytes.last() != Some(&b'-')
        // RFC 5891 section 4.2.3.1: hyphens in third and fourth place announce an encoding, and `xn` is the only one.
        && (bytes.get(2..4) != Some(b"--") || is_encoded(label))
}

/// A label of RFC 5890 section 2.3.2.1: `xn--` and what decodes to letters that may stand there.
fn is_encoded(label: &str) -> bool {
    let announced = label.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("xn"));
    announced && Uts46::new().to_unicode(label.as_bytes(), AsciiDenyList::STD3, Hyphens::Check).1.is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::tests::holds;
    use super::*;

    #[test]
    fn mailboxes() {
        for text in [
            "joe.bloggs@example.com",
            "te~st@example.com",
            "\"joe bloggs\"@example.com",
            "a@b",
            "joe@[127.0.0.1]",
            "joe@[IPv6:::1]",
        ] {
            assert!(holds(email, text), "{text}");
        }
        for text in [
            "",
            "2962",
            ".a@b.c",
            "a.@b.c",
            "a..b@c.de",
            "@b.c",
            "a@",
            "a@b@c",
            "ü@x.de",
            "a@ü.de",
            "a b@c.de",
            "Joe <joe@example.com>",
            "a@b.c\n",
            "a@-b.c",
            "a@b_c.d",
            "a@[127.0.0.300]",
            "a@[x]",
            "a@b.",
            "a@.b",
        ] {
            assert!(!holds(email, text), "{text}");
        }
        assert!(!holds(email, &format!("{}@example.com", "a".repeat(65))), "a local part of at most 64");
        assert!(!holds(email, &format!("a@{}.com", "b.".repeat(130))), "at most 254 in all");
    }

    #[test]
    fn host_names() {
        for text in ["example.com", "a", "xn--4gbwdl.xn--wgbh1c", "1host", "a-b.c", &"a".repeat(63)] {
            assert!(holds(hostname, text), "{text}");
        }
        for text in [
            "",
            ".",
            "example.",
            ".example",
            "a..b",
            "-a",
            "a-",
            "a_b",
            "ex ample",
            "ab--c",
            "é.com",
            &"a".repeat(64),
        ] {
            assert!(!holds(hostname, text), "{text}");
        }
        for text in ["xn--X", "xn--hello-txk", "xn--", "a.xn--11b2er09f"] {
            assert!(!holds(hostname, text), "{text} is not the encoding of a label");
        }
        assert!(!holds(hostname, &["a"; 128].join(".")), "at most 253 in all");
    }
}
