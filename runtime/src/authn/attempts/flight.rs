//! Passwords that are being verified. The same one shown again meanwhile is no other guess: whose client sends many requests
//! at once is charged once.
//!
//! What is kept is a hash under a key that this process drew, as long as a request with that password is here.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::{BuildHasher, Hash},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OnceCell;

use crate::authn::Reason;

/// Whether the first of them may pass: what holds for it holds for those that come while it is asked.
type Pass = Arc<OnceCell<Result<(), Reason>>>;

/// How many requests show each.
#[derive(Default)]
pub(super) struct Flights {
    hasher: RandomState,
    here: Mutex<HashMap<u64, (Pass, usize)>>,
}

/// One of those requests, until it is dropped.
pub(super) struct Flight<'a> {
    of: &'a Flights,
    key: u64,
    pass: Pass,
}

impl Flights {
    /// A request that shows this. `charge` is made for the first, and for none that comes while that is here:
    /// who comes meanwhile waits for what becomes of it.
    pub(super) async fn board<T>(
        &self,
        shown: impl Hash,
        charge: impl Future<Output = Result<T, Reason>>,
    ) -> Result<(Flight<'_>, Option<T>), Reason> {
        let key = self.hasher.hash_one(shown);
        let flight = self.arrive(key);
        let mut charged = None;
        let pass = flight.pass.get_or_init(async || {
            charged = Some(charge.await?);
            Ok(())
        });
        if let Err(refused) = *pass.await {
            flight.ends();
            return Err(refused);
        }
        Ok((flight, charged))
    }

    fn arrive(&self, key: u64) -> Flight<'_> {
        let mut here = self.lock();
        let (pass, count) = here.entry(key).or_default();
        *count = count.saturating_add(1);
        Flight { of: self, key, pass: Arc::clone(pass) }
    }

    /// Each change under the lock is whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, (Pass, usize)>> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight<'_> {
    /// Who comes later asks anew, for those who were refused are not here.
    fn ends(&self) {
        let mut here = self.of.lock();
        if here.get(&self.key).is_some_and(|(pass, _)| Arc::ptr_eq(pass, &self.pass)) {
            here.remove(&self.key);
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut here = self.of.lock();
        match here.get_mut(&self.key).filter(|(pass, _)| Arc::ptr_eq(pass, &self.pass)) {
            Some((_, count)) if *count > 1 => *count -= 1,
            Some(_) => _ = here.remove(&self.key),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::flood::grows_by;

    #[tokio::test]
    async fn the_same_at_the_same_time_is_charged_once_and_leaves_nothing() {
        let flights = Flights::default();
        let board =
            async |credential: &[u8]| flights.board(credential, std::future::ready(Ok(()))).await.unwrap();
        let (first, second, other) = (board(b"a").await, board(b"a").await, board(b"b").await);
        assert_eq!((first.1, second.1, other.1), (Some(()), None, Some(())));
        drop(first);
        assert_eq!(board(b"a").await.1, None, "one of them is here still");
        drop(second);
        assert_eq!(board(b"a").await.1, Some(()));
        drop(other);
        assert!(flights.lock().is_empty());
    }

    #[test]
    fn a_flood_of_passwords_takes_no_more_memory_whether_they_are_charged_or_refused() {
        let flights = Flights::default();
        let grown = grows_by(40_000, |number| {
            let refused = number.is_multiple_of(2).then_some(Reason::TooManyAttempts(7));
            let charge = std::future::ready(refused.map_or(Ok(()), Err));
            let credential = number.to_be_bytes();
            let boarded = flights.board(credential, charge).now_or_never().unwrap();
            assert_eq!(boarded.is_err(), refused.is_some());
        });
        assert_eq!(grown, 0);
    }

    /// Else the second is verified while nobody is charged.
    #[tokio::test]
    async fn what_becomes_of_the_first_becomes_of_those_who_wait_for_it() {
        let flights = Flights::default();
        let refused = async {
            tokio::task::yield_now().await;
            Err::<(), _>(Reason::TooManyAttempts(7))
        };
        let (first, second) =
            tokio::join!(flights.board("a", refused), flights.board("a", std::future::ready(Ok(()))));
        assert_eq!(first.err(), Some(Reason::TooManyAttempts(7)));
        assert_eq!(second.err(), Some(Reason::TooManyAttempts(7)));
        assert!(flights.lock().is_empty(), "who is refused is not here");
        assert!(flights.board("a", std::future::ready(Ok(()))).await.is_ok());
    }

    #[tokio::test]
    async fn who_leaves_while_it_is_charged_leaves_that_to_the_next() {
        let flights = Flights::default();
        let mut first = Box::pin(flights.board("a", std::future::pending::<Result<(), _>>()));
        assert!(first.as_mut().now_or_never().is_none());
        let second = flights.board("a", std::future::ready(Ok(())));
        drop(first);
        assert_eq!(second.await.unwrap().1, Some(()));
    }
}
