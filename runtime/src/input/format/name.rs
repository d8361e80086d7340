//! `email` and `hostname`, and both for letters beyond ASCII.

use email_address::{EmailAddress, Options};

use super::super::{At, Violations};
use super::checked;
use super::label::{announces_encoding, holds_together, is_label, is_letters, unicode};

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

/// `idn-email`: RFC 6531 section 3.3, a mailbox whose local part and domain may have letters beyond ASCII. The domain is read
/// as mail software does: composed and in lower case first (UTS #46).
pub fn idn_email(text: &str, at: &At<'_>, out: &mut Violations) {
    checked(is_idn_mailbox(text), "must be an e-mail address", at, out);
}

fn is_idn_mailbox(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    // Section 3.3: such a letter may stand where a letter of ASCII may, but not behind the backslash of a `quoted-pair`.
    let escaped =
        local.split('\\').skip(1).any(|behind| behind.starts_with(|letter: char| !letter.is_ascii()));
    let in_ascii = local.replace(|letter: char| !letter.is_ascii(), "a");
    let is_local = !escaped && local.len() <= 64 && is_mailbox(&format!("{in_ascii}@a"));
    let is_name = |domain: &str| unicode(domain).is_some_and(|domain| is_idn_hostname(&domain));
    text.len() <= 254 && is_local && (is_domain(domain) || is_name(domain))
}

/// `hostname`: RFC 1123 section 2.1.
pub fn hostname(text: &str, at: &At<'_>, out: &mut Violations) {
    checked(is_hostname(text), "must be a host name", at, out);
}

/// `idn-hostname`: RFC 5890 section 2.3.2.3, labels of ASCII beside labels in the letters of any script.
pub fn idn_hostname(text: &str, at: &At<'_>, out: &mut Violations) {
    checked(is_idn_hostname(text), "must be an internationalized host name", at, out);
}

/// Labels of 1 to 63 letters, digits and inner hyphens, 253 characters in all; no root dot. Labels that announce an encoding
/// are one.
fn is_hostname(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.split('.').all(is_label)
        && (!text.split('.').any(announces_encoding) || holds_together(text))
}

fn is_idn_hostname(text: &str) -> bool {
    let one = |label: &str| if label.is_ascii() { is_label(label) } else { is_letters(label) };
    // 253 characters of ASCII; no text of more bytes than four for each comes down to them
    (1..=253 * 4).contains(&text.len()) && text.split('.').all(one) && holds_together(text)
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
    fn mailboxes_in_any_script() {
        for text in [
            "실례@실례.테스트",
            "joe@example.com",
            "a@xn--bcher-kva.de",
            "user@cafe\u{301}.com",
            "ü@BÜCHER.de",
            "ü@[IPv6:::1]",
            "\"ü ü\"@x.de",
        ] {
            assert!(holds(idn_email, text), "{text}");
        }
        for text in [
            "",
            "2962",
            "@ü.de",
            "ü@",
            "a@b@ü.de",
            "a@-ü.de",
            "a@ü..de",
            "a\u{1}@ü.de",
            "a b@ü.de",
            "a@☃.de",
            "\"\\ü\"@x.de",
            "ü@[::1]",
            "ü..ü@x.de",
        ] {
            assert!(!holds(idn_email, text), "{text}");
        }
    }

    #[test]
    fn host_names_in_any_script() {
        for text in ["실례.테스트", "bücher.example", "xn--bcher-kva.Example", "a", "1host"] {
            assert!(holds(idn_hostname, text), "{text}");
        }
        for text in ["", ".", "ü.", "a..ü", "BÜCHER.de", "0a.א", "aא", "-> $1.00 <--", "ü。de", "xn--0ca24w"]
        {
            assert!(!holds(idn_hostname, text), "{text}");
        }
        assert!(!holds(idn_hostname, &["ü"; 64].join(".")), "at most 253 in ASCII");
        assert!(!holds(hostname, "0a.xn--4db"), "a name that runs from right to left");
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
