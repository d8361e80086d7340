//! A login that is under way: what must come back from the provider, kept by the browser alone.
//!
//! Rules:
//! 1. `state` and `nonce` are 128 random bits, the verifier of PKCE 256 (RFC 7636 section 4.1: 43 characters), each of one login;
//! 2. they stand sealed in a cookie of ten minutes, together with where the browser goes afterwards. Nothing is kept on the server,
//!    so that nobody fills it by beginning logins, and another browser has not got them;
//! 3. a cookie that does not open, or of another login's configuration, is none.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::step_up::Wanted;
use crate::sealing::Sealer;
use crate::secret::ct_eq;

/// Seconds that a login may take.
pub(super) const PATIENCE: u64 = 600;
/// Longer than any that is sealed here.
const LONGEST: usize = 4096;

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Pending {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    pub(super) return_to: String,
    #[serde(default)]
    pub(super) wanted: Wanted,
    /// From then on it is over, in seconds since 1970.
    pub(super) ends: u64,
}

impl Pending {
    /// `None` when the system gives no random bytes.
    pub(super) fn begin(return_to: String, wanted: Wanted, now: u64) -> Option<Self> {
        Some(Self {
            state: random::<16>()?,
            nonce: random::<16>()?,
            verifier: random::<32>()?,
            return_to,
            wanted,
            ends: now.saturating_add(PATIENCE),
        })
    }

    /// The value of its cookie. `about`: which login it is.
    pub(super) fn seal(&self, sealer: &Sealer, about: &[u8]) -> Option<String> {
        Some(URL_SAFE_NO_PAD.encode(sealer.seal(about, serde_json::to_vec(self).ok()?).ok()?))
    }

    pub(super) fn open(cookie: &[u8], sealer: &Sealer, about: &[u8]) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(cookie.get(..cookie.len().min(LONGEST))?).ok()?;
        serde_json::from_slice(&sealer.open(about, &sealed).ok()?).ok()
    }

    /// The earliest `auth_time` of the login that is wanted, where that matters.
    pub(super) fn since(&self) -> Option<u64> {
        let began = self.ends.saturating_sub(PATIENCE);
        self.wanted.max_age.map(|longest| began.saturating_sub(longest))
    }

    pub(super) fn is_over(&self, now: u64) -> bool {
        now >= self.ends
    }

    /// Whether this is its `state`.
    pub(super) fn is_of(&self, state: &str) -> bool {
        match ct_eq(self.state.as_bytes(), state.as_bytes()) {
            true => true,
            false => false,
        }
    }
}

/// So many random bytes as text.
pub(super) fn random<const BYTES: usize>() -> Option<String> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    crate::random::fill(&mut *bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::{LoginKeys, step_up};

    #[test]
    fn what_is_sealed_opens_whole_and_for_its_own_login() {
        let (keys, others) = (LoginKeys::generate().unwrap(), LoginKeys::generate().unwrap());
        let pending = Pending::begin("/accounts".to_owned(), Wanted::default(), 1_800_000_000).unwrap();
        assert_eq!((pending.state.len(), pending.nonce.len(), pending.verifier.len()), (22, 22, 43));
        let cookie = pending.seal(&keys.0, b"one").unwrap();
        let opened = Pending::open(cookie.as_bytes(), &keys.0, b"one").unwrap();
        assert_eq!((&*opened.state, &*opened.return_to), (&*pending.state, "/accounts"));
        assert!(opened.is_of(&pending.state) && !opened.is_of("") && !opened.is_of(&pending.nonce));
        assert!(!opened.is_over(1_800_000_599) && opened.is_over(1_800_000_600));
        assert!(Pending::open(cookie.as_bytes(), &keys.0, b"other").is_none());
        assert!(Pending::open(cookie.as_bytes(), &others.0, b"one").is_none());
        for at in 0..cookie.len() {
            assert!(Pending::open(&cookie.as_bytes()[..at], &keys.0, b"one").is_none(), "cut at {at}");
        }
    }

    #[test]
    fn no_two_logins_are_alike() {
        let begin = || Pending::begin(String::new(), Wanted::default(), 0);
        let (one, other) = (begin().unwrap(), begin().unwrap());
        assert!(one.state != other.state && one.nonce != other.nonce && one.verifier != other.verifier);
        assert_ne!(one.state, one.nonce);
    }

    #[test]
    fn the_longest_way_back_fits_into_a_cookie() {
        let keys = LoginKeys::generate().unwrap();
        let wanted = Wanted { classes: vec!["x".repeat(step_up::LONGEST)], max_age: Some(u64::MAX) };
        let longest = Pending::begin(format!("/{}", "\"".repeat(1023)), wanted, 1_800_000_000).unwrap();
        let cookie = longest.seal(&keys.0, b"one").unwrap();
        assert!(cookie.len() < LONGEST - 100, "{}", cookie.len());
        assert!(Pending::open(cookie.as_bytes(), &keys.0, b"one").is_some());
    }

    #[test]
    fn no_login_begins_without_random_bytes() {
        let _failing = crate::random::failing::begin();
        assert!(Pending::begin(String::new(), Wanted::default(), 0).is_none());
    }
}
