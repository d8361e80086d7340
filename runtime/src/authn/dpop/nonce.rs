//! Nonces that nobody has to remember: a MAC over the minute (RFC 9449 section 8).
//!
//! A nonce is good in the minute that it is given in and in the next one. The key is made when the server starts, so
//! another instance gives others.

use aws_lc_rs::{error::Unspecified, hmac, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::secret::ct_eq;

/// How long one nonce is given, in seconds.
const SLOT: u64 = 60;

pub(super) struct Nonces(hmac::Key);

impl Nonces {
    pub(super) fn new() -> Result<Self, Unspecified> {
        let mut key = Zeroizing::new([0; 32]);
        rand::fill(&mut *key)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &*key)))
    }

    /// The nonce of this minute.
    pub(super) fn current(&self, unix: u64) -> String {
        self.of(unix / SLOT)
    }

    /// Whether it is the nonce of this minute or of the one before.
    pub(super) fn accept(&self, nonce: &str, unix: u64) -> bool {
        let slot = unix / SLOT;
        let is = |slot| ct_eq(self.of(slot).as_bytes(), nonce.as_bytes());
        // both are compared, whichever it is
        is(slot) | is(slot.saturating_sub(1))
    }

    /// Half of the MAC: 128 bits, which nobody guesses within two minutes.
    fn of(&self, slot: u64) -> String {
        let tag = hmac::sign(&self.0, &slot.to_be_bytes());
        URL_SAFE_NO_PAD.encode(tag.as_ref().get(..16).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_in_its_minute_and_the_next_and_of_this_server_only() {
        let (ours, others) = (Nonces::new().unwrap(), Nonces::new().unwrap());
        let start = 1_800_000_000 - 1_800_000_000 % SLOT;
        let nonce = ours.current(start);
        for good in [start, start + SLOT - 1, start + SLOT, start + 2 * SLOT - 1] {
            assert!(ours.accept(&nonce, good), "{good}");
        }
        for bad in [start - 1, start + 2 * SLOT, start + 100 * SLOT] {
            assert!(!ours.accept(&nonce, bad), "{bad}");
        }
        assert!(!others.accept(&nonce, start));
        for bad in ["", &nonce[1..], &format!("{nonce}A"), &nonce.to_uppercase()] {
            assert!(!ours.accept(bad, start), "{bad}");
        }
        assert_eq!((ours.current(start + 59), nonce.len()), (nonce, 22));
    }
}
