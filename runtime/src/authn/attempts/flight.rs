//! Passwords that are being verified. The same one shown again meanwhile is no other guess: whose client sends many requests
//! at once is charged once.
//!
//! What is kept is a hash under a key that this process drew, as long as a request with that password is here.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How many requests show each.
#[derive(Default)]
pub(super) struct Flights {
    hasher: RandomState,
    here: Mutex<HashMap<u64, usize>>,
}

/// One of those requests, until it is dropped.
pub(super) struct Flight<'a> {
    of: &'a Flights,
    key: u64,
}

impl Flights {
    /// A request of this scheme and credential. `charge` is called for the first, and for none that comes while that is here;
    /// nobody comes between.
    pub(super) fn board<T, E>(
        &self,
        scheme: &str,
        credential: &[u8],
        charge: impl FnOnce() -> Result<T, E>,
    ) -> Result<(Flight<'_>, Option<T>), E> {
        let key = self.hasher.hash_one((scheme, credential));
        let mut here = self.lock();
        let charged = match here.get_mut(&key) {
            Some(count) => {
                *count = count.saturating_add(1);
                None
            }
            None => {
                let charged = charge()?;
                here.insert(key, 1);
                Some(charged)
            }
        };
        Ok((Flight { of: self, key }, charged))
    }

    /// Each change under the lock is whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, usize>> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut here = self.of.lock();
        match here.get_mut(&self.key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => _ = here.remove(&self.key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_at_the_same_time_is_charged_once_and_leaves_nothing() {
        let flights = Flights::default();
        let board = |credential: &[u8]| flights.board("password", credential, || Ok::<_, ()>(())).unwrap();
        let (first, second, other) = (board(b"a"), board(b"a"), board(b"b"));
        assert_eq!((first.1, second.1, other.1), (Some(()), None, Some(())));
        drop(first);
        assert_eq!(board(b"a").1, None, "one of them is here still");
        drop(second);
        assert_eq!(board(b"a").1, Some(()));
        drop(other);
        assert!(flights.lock().is_empty());
        assert!(flights.board("password", b"a", || Err::<(), _>(())).is_err());
        assert!(flights.lock().is_empty(), "who is refused is not here");
    }
}
