//! The text of a refresh token: `rt.<family>.<generation>.<secret>`.
//!
//! 128 random bits name the family, 256 bits that only the issuer can make are the secret. The access tokens of a family are
//! named `<family>.<number>` in their `jti`, so that the application can sign out whoever shows one.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

const PREFIX: &str = "rt";
/// Base64 of 16 bytes.
const FAMILY: usize = 22;
/// Longer than any: `rt`, family, 20 digits, base64 of 32 bytes.
const LONGEST: usize = 96;

/// A refresh token, taken apart.
pub(super) struct RefreshText<'a> {
    pub(super) family: &'a str,
    pub(super) generation: u64,
    pub(super) secret: Zeroizing<[u8; 32]>,
}

/// A name that nothing else has.
pub(super) fn fresh_id() -> Option<String> {
    let mut id = [0; 16];
    crate::random::fill(&mut id).ok()?;
    Some(URL_SAFE_NO_PAD.encode(id))
}

impl<'a> RefreshText<'a> {
    /// `None` for anything that no issuer of ours wrote.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split('.');
        let (prefix, family, digits, secret, None) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next())
        else {
            return None;
        };
        let generation: u64 = digits.parse().ok()?;
        // one text for one token: `+1` and `01` are not written
        if text.len() > LONGEST || prefix != PREFIX || !is_family(family) || generation.to_string() != digits
        {
            return None;
        }
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(secret).ok()?);
        let secret = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?);
        Some(Self { family, generation, secret })
    }

    pub(super) fn write(family: &str, generation: u64, secret: &[u8; 32]) -> String {
        let mut text = String::with_capacity(LONGEST);
        let _ = write!(text, "{PREFIX}.{family}.{generation}.");
        URL_SAFE_NO_PAD.encode_string(secret, &mut text);
        text
    }
}

pub(super) fn is_family(text: &str) -> bool {
    text.len() == FAMILY && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// The family of the access token with this `jti`.
pub(super) fn family_of(jti: &str) -> Option<&str> {
    jti.split_once('.').map(|(family, _)| family).filter(|family| is_family(family))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_read_back_and_nothing_else_is_read() {
        let family = fresh_id().unwrap();
        let text = RefreshText::write(&family, 12, &[7; 32]);
        let read = RefreshText::parse(&text).unwrap();
        assert_eq!((read.family, read.generation, *read.secret), (family.as_str(), 12, [7; 32]));
        let largest = RefreshText::write(&family, u64::MAX, &[255; 32]);
        assert_eq!(RefreshText::parse(&largest).unwrap().generation, u64::MAX);
        let replaced = |from: &str, to: &str| text.replacen(from, to, 1);
        for bad in [
            String::new(),
            format!("{text}."),
            format!("{text}A"),
            replaced(".12.", ".012."),
            replaced(".12.", ".+12."),
            replaced(".12.", "..12."),
            replaced(".12.", ".-1."),
            replaced("rt.", "RT."),
            replaced(&family, &family[1..]),
            text[..text.len() - 1].to_owned(),
            replaced(".12.", ".99999999999999999999."),
        ] {
            assert!(RefreshText::parse(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn an_access_token_names_its_family() {
        let family = fresh_id().unwrap();
        assert_eq!(family_of(&format!("{family}.3")), Some(family.as_str()));
        assert_eq!(family_of(&family), None);
        assert_eq!(family_of("abc.3"), None);
    }
}
