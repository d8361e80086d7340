//! The text of an API key: `prefix_<id><..>`, made so that scanners find leaked keys and typos cost no look-up.
//!
//! `bank_live_4fZ0cQy81LmA_<43 characters of secret><6 of checksum>`: the prefix names the system, the id is public
//! (it may stand in logs), the secret is 32 random bytes in base62, the checksum is the CRC-32 of all before it.

use zeroize::Zeroizing;

use crate::secret::Secret;

/// Characters of the public id: 62^12 of them, over 2^71.
pub(crate) const ID: usize = 12;
/// Characters of the secret: 62^43 is just over 2^256.
const SECRET: usize = 43;
/// Characters of the checksum: 62^6 is over 2^32.
const CHECKSUM: usize = 6;
/// Longest prefix.
const PREFIX: usize = 32;

pub(super) const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A presented key, taken apart.
pub(crate) struct Presented<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) id: &'a str,
    pub(crate) secret: &'a str,
}

/// Takes a presented key apart; `None` when it is not of the form or its checksum is wrong.
pub(crate) fn parse(text: &str) -> Option<Presented<'_>> {
    if text.len() > PREFIX + ID + SECRET + CHECKSUM + 2 {
        return None;
    }
    let (body, checksum) = text.split_at_checked(text.len().checked_sub(CHECKSUM)?)?;
    let (rest, secret) = body.rsplit_once('_')?;
    let (prefix, id) = rest.rsplit_once('_')?;
    let well_formed = is_prefix(prefix) && is_id(id) && secret.len() == SECRET && is_base62(secret);
    (well_formed && checksum.as_bytes() == checksum_of(body)).then_some(Presented { prefix, id, secret })
}

/// Whether keys may begin so: words of lower-case letters and digits, joined by underscores.
pub(crate) fn is_prefix(prefix: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    prefix.len() <= PREFIX && prefix.split('_').all(word)
}

/// Whether `id` can be the public id of a key.
pub(crate) fn is_id(id: &str) -> bool {
    id.len() == ID && is_base62(id)
}

/// To the end, so that which letters there are takes no time to learn.
fn is_base62(text: &str) -> bool {
    text.bytes().fold(true, |all, byte| all & byte.is_ascii_alphanumeric())
}

/// A fresh id, its fresh secret and the whole key; `None` when the random source fails.
pub(crate) fn generate(prefix: &str) -> Option<(String, Secret<String>, Secret<String>)> {
    let id = random_id()?;
    let mut bytes = Zeroizing::new([0_u8; 32]);
    crate::random::fill(bytes.as_mut_slice()).ok()?;
    let secret = base62_of(bytes);
    let mut key = format!("{prefix}_{id}_{secret}");
    let checksum = checksum_of(&key);
    key.extend(checksum.map(char::from));
    Some((id, Secret::new(secret), Secret::new(key)))
}

fn random_id() -> Option<String> {
    let mut id = String::with_capacity(ID);
    while id.len() < ID {
        let mut bytes = [0_u8; 16];
        crate::random::fill(&mut bytes).ok()?;
        for byte in bytes {
            // 248 is the largest multiple of 62 in a byte: above it the characters would not be equally likely
            if byte < 248 && id.len() < ID {
                id.push(digit(u32::from(byte) % 62));
            }
        }
    }
    Some(id)
}

/// The bytes as one number in base 62, most significant digit first, padded to [`SECRET`] digits.
fn base62_of(mut number: Zeroizing<[u8; 32]>) -> String {
    let mut digits = [0_u8; SECRET];
    for place in digits.iter_mut().rev() {
        let mut remainder = 0_u32;
        for byte in number.iter_mut() {
            let value = remainder * 256 + u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            remainder = value % 62;
        }
        *place = digit_byte(remainder);
    }
    digits.iter().copied().map(char::from).collect()
}

fn checksum_of(body: &str) -> [u8; CHECKSUM] {
    let mut sum = crc32fast::hash(body.as_bytes());
    let mut text = [0; CHECKSUM];
    for place in text.iter_mut().rev() {
        *place = digit_byte(sum % 62);
        sum /= 62;
    }
    text
}

fn digit_byte(value: u32) -> u8 {
    BASE62.get(value as usize).copied().unwrap_or(b'0')
}

fn digit(value: u32) -> char {
    char::from(digit_byte(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_parses_and_every_changed_character_does_not() {
        let (id, secret, key) = generate("bank_live").unwrap();
        let key = key.expose();
        assert_eq!(key.len(), "bank_live".len() + 1 + ID + 1 + SECRET + CHECKSUM);
        let parsed = parse(key).unwrap();
        assert_eq!(
            (parsed.prefix, parsed.id, parsed.secret),
            ("bank_live", id.as_str(), secret.expose().as_str())
        );
        for at in 0..key.len() {
            let mut changed = key.clone().into_bytes();
            changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
            assert!(parse(std::str::from_utf8(&changed).unwrap()).is_none(), "{at}");
        }
    }

    #[test]
    fn what_is_no_key_is_none() {
        for text in
            ["", "_", "__", "bank_live", "é", "日本語日本語日本語", &"a".repeat(5000), "a_b_c\u{e9}12345"]
        {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn two_keys_differ_in_id_and_secret() {
        let (one, other) = (generate("a").unwrap(), generate("a").unwrap());
        assert!(one.0 != other.0 && one.1.expose() != other.1.expose());
    }

    #[test]
    fn base62_keeps_the_whole_number() {
        assert_eq!(base62_of(Zeroizing::new([0; 32])), "0".repeat(SECRET));
        let mut one = [0; 32];
        one[31] = 62;
        assert!(base62_of(Zeroizing::new(one)).ends_with("10"));
        // 2^256 - 1 needs all 43 digits
        assert_ne!(&base62_of(Zeroizing::new([255; 32]))[..1], "0");
    }

    #[test]
    fn prefixes_are_plain_words() {
        assert!(is_prefix("bank_live") && is_prefix("x1"));
        for bad in ["", "_", "bank_", "_bank", "Bank", "ba nk", "bänk", &"a".repeat(33)] {
            assert!(!is_prefix(bad), "{bad}");
        }
    }
}
