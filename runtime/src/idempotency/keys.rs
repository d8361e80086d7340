//! The keys that records are sealed with: answers hold what only their caller is to see.

use std::fmt;

use zeroize::Zeroizing;

use crate::cursor::CursorKeyError;
use crate::sealing::{Sealer, Unsealed};
use crate::state::Key;

/// What records are sealed under: a master that seals cursors, too, gives unrelated keys.
const ANSWERS: &[u8] = b"palisade answer v1";

/// The keys that kept answers are sealed and opened with, in order: the first seals, all of them open.
///
/// To change keys, put a new one in front and keep the old one for as long as answers live (the longest
/// `idempotency.ttl` of the document). While an answer cannot be opened, its call is refused with 503.
///
/// ```
/// # fn main() -> Result<(), palisade::cursor::CursorKeyError> {
/// let keys = palisade::AnswerKeys::from_list("2026-12:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=")?;
/// # drop(keys);
/// # Ok(())
/// # }
/// ```
pub struct AnswerKeys(Sealer);

impl AnswerKeys {
    /// Takes the list from an environment variable, in the form of [`AnswerKeys::from_list`].
    ///
    /// # Errors
    /// When it is not set, and as [`AnswerKeys::from_list`].
    pub fn from_env(variable: &str) -> Result<Self, CursorKeyError> {
        let list = std::env::var(variable).map_err(|_| CursorKeyError::Missing(variable.to_owned()))?;
        Self::from_list(&Zeroizing::new(list))
    }

    /// Takes a list of `id:base64`, separated by commas or white space: 32 random bytes each
    /// (`openssl rand -base64 32`), under an id that says when it was made.
    ///
    /// # Errors
    /// When the list is empty, or an entry is malformed or repeats another.
    pub fn from_list(list: &str) -> Result<Self, CursorKeyError> {
        Ok(Self(Sealer::from_list(ANSWERS, list)?))
    }

    /// One new random key, good until the process ends: for a state in memory.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Self, CursorKeyError> {
        Ok(Self(Sealer::generate(ANSWERS)?))
    }

    /// Seals a record for its place in the store: one that is moved opens nowhere else.
    pub(super) fn seal(&self, under: &Key, plain: Vec<u8>) -> Result<Vec<u8>, Unsealed> {
        self.0.seal(under.as_bytes(), plain)
    }

    pub(super) fn open(&self, under: &Key, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealed> {
        self.0.open(under.as_bytes(), sealed)
    }
}

impl fmt::Debug for AnswerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnswerKeys({} keys)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::*;
    use crate::state::Kind;

    /// By these keys, before there were tenants. Who finds this test in the way of a change: no answer of before would open.
    const SEALED: &str = "AcqXgRLGf+CenWLBaAqlFEdv1ENDZtCRo54TJ0gVHRytkOQyIf94KkVo";

    #[test]
    fn what_was_sealed_before_opens() {
        let keys = AnswerKeys::from_list("a:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=").unwrap();
        let under = Key::new(Kind::Answer, &[b"a", b"b"]);
        let opened = keys.open(&under, &STANDARD.decode(SEALED).unwrap()).unwrap();
        assert_eq!(opened.as_slice(), b"an answer");
    }
}
