//! What a login seals with: what a browser keeps of one that is under way, and the records of sessions.

use std::fmt;

use zeroize::Zeroizing;

use crate::cursor::CursorKeyError;
use crate::sealing::Sealer;

const SALT: &[u8] = b"palisade login v1";

/// The keys of a login, in order: the first seals, all of them open. The same in every instance.
///
/// To change keys, put a new one in front and keep the old one for the absolute lifetime of a session. To take one away ends the
/// sessions that were sealed with it.
///
/// ```
/// # fn main() -> Result<(), palisade::cursor::CursorKeyError> {
/// let keys = palisade::login::LoginKeys::from_list("2026-12:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=")?;
/// # drop(keys);
/// # Ok(())
/// # }
/// ```
pub struct LoginKeys(pub(super) Sealer);

impl LoginKeys {
    /// Takes the list from an environment variable, in the form of [`LoginKeys::from_list`].
    ///
    /// # Errors
    /// When it is not set, and as [`LoginKeys::from_list`].
    pub fn from_env(variable: &str) -> Result<Self, CursorKeyError> {
        let list = std::env::var(variable).map_err(|_| CursorKeyError::Missing(variable.to_owned()))?;
        Self::from_list(&Zeroizing::new(list))
    }

    /// Takes a list of `id:base64`, separated by commas or white space: 32 random bytes each
    /// (`openssl rand -base64 32`), under an id that says when it was made. Not the keys of anything else.
    ///
    /// # Errors
    /// When the list is empty, or an entry is malformed or repeats another.
    pub fn from_list(list: &str) -> Result<Self, CursorKeyError> {
        Sealer::from_list(SALT, list).map(Self)
    }

    /// One new random key, good until the process ends: for tests, and where the state is in memory as well.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Self, CursorKeyError> {
        Sealer::generate(SALT).map(Self)
    }
}

impl fmt::Debug for LoginKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoginKeys({} keys)", self.0.len())
    }
}
