//! Whether a key is one that no two calls have by chance, and nobody guesses: an estimate, by the key alone.
//!
//! 1. Letters and digits count, and where capitals stand among small letters the other characters of base64 (`-` `_` `+`
//!    `/`). What else may stand in a key separates.
//! 2. A pair of them counts once: one that comes again tells nothing new, nor does a character that is as far from the one
//!    before it as that one was from its own (`0000`, `abcd`, `2468`).
//! 3. With *n* such pairs and *d* different characters, twice as many where capitals are mixed with small letters, there are
//!    *d* to the power of *n* + 1 such keys. Two to the power of 64 at least is enough: most counters, times and words have
//!    fewer, 16 characters of base64 and 20 hexadecimal digits that were drawn at random have more.
//!
//! It is so wide of what libraries draw that it refuses none of it, and it cannot know: a sentence passes.

use std::collections::BTreeSet;

/// So many keys.
const ENOUGH: u128 = 1 << 64;

/// The estimate, as a decision.
pub(super) fn is_strong(key: &str) -> bool {
    let is_mixed = key.bytes().any(|byte| byte.is_ascii_lowercase())
        && key.bytes().any(|byte| byte.is_ascii_uppercase());
    let counts = |byte: &u8| byte.is_ascii_alphanumeric() || (is_mixed && b"-_+/".contains(byte));
    let counted: Vec<u8> = key.bytes().filter(counts).collect(); // 1
    let different: BTreeSet<u8> = counted.iter().copied().collect();
    let mut pairs = BTreeSet::new();
    let mut last_step = None;
    for (before, after) in counted.iter().zip(counted.iter().skip(1)) {
        let step = i16::from(*after).wrapping_sub(i16::from(*before));
        if last_step.replace(step) != Some(step) {
            pairs.insert((*before, *after)); // 2
        }
    }
    let different = u128::try_from(different.len()).unwrap_or_default();
    let choices = if is_mixed { different.saturating_mul(2) } else { different };
    let characters = u32::try_from(pairs.len()).unwrap_or_default().saturating_add(1);
    choices.saturating_pow(characters) >= ENOUGH // 3
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::{SecureRandom, SystemRandom};

    use super::*;

    fn drawn<const N: usize>() -> [u8; N] {
        let mut bytes = [0; N];
        SystemRandom::new().fill(&mut bytes).unwrap();
        bytes
    }

    /// So many characters of `alphabet`, each as likely as any other.
    fn of(alphabet: &str, length: usize) -> String {
        let number = |()| u64::from_be_bytes(drawn()) as usize % alphabet.len();
        (0..length).map(|_| char::from(alphabet.as_bytes()[number(())])).collect()
    }

    const HEX: &str = "0123456789abcdef";
    const CROCKFORD: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const ALL: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    #[test]
    fn what_libraries_draw_is_strong() {
        let nanoid = format!("{ALL}-_");
        let base64 = format!("{ALL}+/");
        for _ in 0..1000 {
            let uuid = |version: &str, time: &str| {
                let mut text = format!("{time}{}", of(HEX, 32 - time.len()));
                text.replace_range(12..13, version);
                [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
            };
            for key in [
                uuid("4", ""),
                uuid("7", "019ad8f3c2b4"),
                uuid("4", "").to_uppercase(),
                format!("01KB4RNPZ5{}", of(CROCKFORD, 16)),
                format!("36Hd{}", of(ALL, 23)),
                of(&nanoid, 21),
                of(HEX, 32),
                format!("{}==", of(&base64, 22)),
                format!("stripe-node-retry-{}", uuid("4", "")),
                format!("ik_{}", of(ALL, 24)),
            ] {
                assert!(is_strong(&key), "{key}");
            }
        }
    }

    #[test]
    fn what_two_calls_may_have_by_chance_is_not() {
        for key in [
            "",
            "0000000000000000",
            "0000000000000001",
            "1212121212121212",
            "abcdefghijklmnop",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            "zyxwvutsrqponmlkjihgfedcba",
            "0123456789abcdef",
            "acegikmoqsuwy024",
            "12345678901234567890",
            "qwertyuiopasdfgh",
            "1795943018132062",
            "1795943018132062971",
            "2026-11-29T09:07:02Z",
            "20261129090702123456",
            "00000000-0000-0000-0000-000000000000",
            "00000000-0000-0000-0000-000000000001",
            "12345678-1234-1234-1234-123456789012",
            "payment-0000000000000042",
            "order-2026-000001",
            "rent-of-june-4711",
            "passwordpassword",
            "!\"#$%&'()*+,./:;<=>?@[]^`{|}~",
            &"abcd".repeat(63),
            &"ab12-".repeat(51),
        ] {
            assert!(!is_strong(key), "{key}");
        }
    }
}
