//! One element of `Forwarded`: what a proxy says of one hop (RFC 7239 section 4).
//!
//! It is read to the letter. What is not of the grammar was not written by a proxy that keeps to it, so nothing of that
//! element is believed.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What one hop is said to be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Hop {
    /// Who asked, if that is an address.
    pub(super) client: Option<IpAddr>,
    /// Whether it was asked over `https`.
    pub(super) https: bool,
}

/// Who is named by a node (section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Address(IpAddr),
    /// `unknown`, or a name that means something to the proxy alone.
    Hidden,
}

/// `[ forwarded-pair ] *( ";" [ forwarded-pair ] )`, each parameter once at most; `None` for anything else.
pub(super) fn hop(element: &str) -> Option<Hop> {
    let (mut hop, mut names, mut rest) = (Hop::default(), Vec::new(), element);
    loop {
        if !rest.is_empty() && !rest.starts_with(';') {
            let (name, after) = token(rest)?;
            let (value, after) = value(after.strip_prefix('=')?)?;
            let name = name.to_ascii_lowercase();
            match name.as_str() {
                "for" => hop.client = node(&value)?.address(),
                "by" => _ = node(&value)?,
                "proto" => hop.https = value.eq_ignore_ascii_case("https"),
                _ => {}
            }
            if names.contains(&name) {
                return None;
            }
            names.push(name);
            rest = after;
        }
        match rest.strip_prefix(';') {
            Some(after) => rest = after,
            None => return Some(hop).filter(|_| rest.is_empty()),
        }
    }
}

impl Node {
    fn address(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address.to_canonical()),
            Self::Hidden => None,
        }
    }
}

/// `nodename [ ":" node-port ]`, where an IPv6 address stands in brackets.
fn node(text: &str) -> Option<Node> {
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, after)) => (Node::Address(address.parse::<Ipv6Addr>().ok()?.into()), after),
        None => {
            let (name, port) = text.split_at_checked(text.find(':').unwrap_or(text.len()))?;
            (nodename(name)?, port)
        }
    };
    let has_port = port.strip_prefix(':').is_some_and(is_port);
    (port.is_empty() || has_port).then_some(name)
}

fn nodename(text: &str) -> Option<Node> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Some(Node::Address(address.into()));
    }
    // strings of a grammar are compared without regard to case (RFC 5234 section 2.3)
    (text.eq_ignore_ascii_case("unknown") || is_obfuscated(text)).then_some(Node::Hidden)
}

/// A number of up to five digits, or an obfuscated port (section 6).
pub(super) fn is_port(text: &str) -> bool {
    let number = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    number || is_obfuscated(text)
}

fn is_obfuscated(text: &str) -> bool {
    let of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    text.strip_prefix('_').is_some_and(|name| !name.is_empty() && name.bytes().all(of_a_name))
}

/// A token (RFC 9110 section 5.6.2), and what follows.
fn token(text: &str) -> Option<(&str, &str)> {
    let of_a_token =
        |character: char| character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character);
    let end = text.find(|character| !of_a_token(character)).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(token, _)| !token.is_empty())
}

/// A token or a quoted string (RFC 9110 section 5.6.4) without its quotes and escapes, and what follows.
fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        return token(text).map(|(token, after)| (token.into(), after));
    };
    let (mut value, mut characters) = (String::new(), quoted.chars());
    loop {
        match characters.next()? {
            '"' => return Some((value.into(), characters.as_str())),
            '\\' => value.push(characters.next()?),
            character => value.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(element: &str) -> Option<(String, bool)> {
        let hop = hop(element)?;
        Some((hop.client.map_or("hidden".to_owned(), |address| address.to_string()), hop.https))
    }

    /// The examples of RFC 7239 sections 4, 6, 6.3 and 7.1, and what the grammar has beside them.
    #[test]
    fn what_the_rfc_writes_is_read() {
        for (element, client, https) in [
            ("for=\"_gazonk\"", "hidden", false),
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17", false),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60", false),
            ("for=192.0.2.43", "192.0.2.43", false),
            ("for=198.51.100.17", "198.51.100.17", false),
            ("for=\"192.0.2.43:47011\"", "192.0.2.43", false),
            ("for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17", false),
            ("for=_hidden", "hidden", false),
            ("for=_SEVKISEK", "hidden", false),
            ("for=unknown", "hidden", false),
            ("for=192.0.2.43;proto=https", "192.0.2.43", true),
            ("proto=HTTPS;FOR=192.0.2.43;host=\"example.com:80\"", "192.0.2.43", true),
            ("for=\"192.0.2.43:_port\";by=\"_proxy:_1\"", "192.0.2.43", false),
            ("for=\"unknown:80\"", "hidden", false),
            ("for=\"1\\92.0.2.4\\3\";secret=\"a\\\"b;c,d\"", "192.0.2.43", false),
            ("for=\"[::ffff:192.0.2.9]\"", "192.0.2.9", false),
            (";;for=192.0.2.43;", "192.0.2.43", false),
            ("proto=https", "hidden", true),
            ("", "hidden", false),
        ] {
            assert_eq!(read(element), Some((client.to_owned(), https)), "{element}");
        }
    }

    #[test]
    fn what_the_grammar_has_not_is_nothing() {
        for element in [
            "for",
            "for=",
            "=192.0.2.43",
            "for =192.0.2.43",
            "for= 192.0.2.43",
            "for=192.0.2.43 ;proto=http",
            "for=192.0.2.43; proto=http",
            "for=192.0.2.43 for=192.0.2.44",
            "for=192.0.2.43;for=192.0.2.44",
            "for=192.0.2.43;proto=http;Proto=https",
            "for=192.0.2.43:47011", // a colon is of no token
            "for=[2001:db8:cafe::17]",
            "for=2001:db8:cafe::17",
            "for=\"2001:db8:cafe::17\"",
            "for=\"[192.0.2.43]\"",
            "for=\"[2001:db8:cafe::17]4711\"",
            "for=\"[2001:db8:cafe::17\"",
            "for=\"[fe80::1%eth0]\"",
            "for=\"192.0.2.43:\"",
            "for=\"192.0.2.43:123456\"",
            "for=\"192.0.2.43:+80\"",
            "for=\"192.0.2.43:_\"",
            "for=\"192.0.2.43:port\"",
            "for=192.0.2",
            "for=192.0.2.043",
            "for=_",
            "for=\"_a b\"",
            "for=client.example",
            "for=\" 192.0.2.43\"",
            "for=\"192.0.2.43",
            "for=\"192.0.2.43\\\"",
            "for=192.0.2.43\"",
            "for=\"192.0.2.43\"\"\"",
            "for=192.0.2.43;by=nobody",
            "for=192.0.2.43;a b=c",
            "for=192.0.2.43;host=a,b",
        ] {
            assert_eq!(read(element), None, "{element}");
        }
    }
}
