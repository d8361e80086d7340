//! Nonces (RFC 9449 section 8): one random text a minute, which the server gives to everybody.
//!
//! 1. A nonce is good in the minute that it is given in and in the next one.
//! 2. Instances that share a state give the same: who comes first in a minute puts its nonce there, the others take that. No
//!    secret lies there, for a nonce is what anybody is told who asks.
//! 3. Without a state each instance has its own.
//! 4. Where the state failed, nobody knows which nonces are good: proofs that need one are refused with 503.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::ProofFault;
use crate::{
    secret::ct_eq,
    state::{Expected, Key, Kind, Next, Record, State, StateError, Swapped},
};

/// How long one nonce is given, in seconds.
const SLOT: u64 = 60;
/// How long it lies in the state: as long as it may be good at an instance whose clock is a minute behind.
const KEEP: Duration = Duration::from_secs(4 * SLOT);

/// 128 bits, which nobody guesses within two minutes.
type Nonce = [u8; 16];

pub(super) struct Nonces {
    state: Option<State>,
    known: Mutex<BTreeMap<u64, Option<Nonce>>>,
}

impl Nonces {
    pub(super) fn new(state: Option<State>) -> Self {
        Self { state, known: Mutex::default() }
    }

    /// The nonce of this minute. It is asked for before a proof is judged, which then waits for nothing.
    pub(super) async fn current(&self, unix: u64) -> Option<String> {
        let slot = unix / SLOT;
        if self.known(slot).is_err() {
            let before = slot.saturating_sub(1);
            let (given, found) = tokio::join!(self.given(slot), self.found(before));
            let mut known = self.lock();
            known.retain(|other, _| other.abs_diff(slot) <= 1);
            for (slot, learned) in [(slot, given), (before, found)] {
                match learned {
                    // what another request learned meanwhile stays
                    Ok(nonce) => _ = known.entry(slot).or_insert(nonce),
                    Err(error) => {
                        tracing::warn!(target: "palisade::state", %error, "nobody knows which nonces are good");
                    }
                }
            }
        }
        let nonce = self.lock().get(&slot).copied().flatten()?;
        Some(URL_SAFE_NO_PAD.encode(nonce))
    }

    /// Whether it is the nonce of this minute or of the one before.
    pub(super) fn accept(&self, nonce: &str, unix: u64) -> Result<bool, ProofFault> {
        let is = |of: Option<Nonce>| {
            of.is_some_and(|of| ct_eq(URL_SAFE_NO_PAD.encode(of).as_bytes(), nonce.as_bytes()))
        };
        // both are compared, whichever it is
        self.known(unix / SLOT).map(|[now, before]| is(now) | is(before))
    }

    /// Rule 4: what was given in this slot and in the one before.
    fn known(&self, slot: u64) -> Result<[Option<Nonce>; 2], ProofFault> {
        let known = self.lock();
        let of = |slot| known.get(&slot).copied().ok_or(ProofFault::Unknown);
        Ok([of(slot)?, of(slot.saturating_sub(1))?])
    }

    /// Rules 2 and 3: the nonce that all who share the state give in this slot.
    async fn given(&self, slot: u64) -> Result<Option<Nonce>, StateError> {
        let mut nonce = Nonce::default();
        crate::random::fill(&mut nonce).map_err(|error| StateError::Engine(error.into()))?;
        let Some(state) = &self.state else { return Ok(Some(nonce)) };
        let next = Next::Record { value: nonce.to_vec(), keep: KEEP };
        match state.swap(key(slot), Expected::Nothing, next).await? {
            Swapped::Made(_) => Ok(Some(nonce)),
            Swapped::Not(there) => Ok(there.and_then(read)),
        }
    }

    /// What was given in a slot that is over, perhaps by another.
    async fn found(&self, slot: u64) -> Result<Option<Nonce>, StateError> {
        match &self.state {
            Some(state) => Ok(state.get(key(slot)).await?.and_then(read)),
            None => Ok(None),
        }
    }

    /// Each change under the lock is whole.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Option<Nonce>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(slot: u64) -> Key {
    Key::new(Kind::Proof, &[b"nonce", &slot.to_be_bytes()])
}

fn read(record: Record) -> Option<Nonce> {
    record.value.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    const START: u64 = 1_800_000_000 - 1_800_000_000 % SLOT;

    #[tokio::test]
    async fn a_nonce_is_good_in_its_minute_and_the_next_and_of_this_server_only() {
        let (ours, others) = (Nonces::new(None), Nonces::new(None));
        let nonce = ours.current(START).await.unwrap();
        assert_eq!((ours.current(START + 59).await.as_ref(), nonce.len()), (Some(&nonce), 22));
        for bad in ["", &nonce[1..], &format!("{nonce}A"), &nonce.to_uppercase()] {
            assert_eq!(ours.accept(bad, START), Ok(false), "{bad}");
        }
        for good in [START, START + SLOT - 1, START + SLOT, START + 2 * SLOT - 1] {
            assert_ne!(ours.current(good).await, None);
            assert_eq!(ours.accept(&nonce, good), Ok(true), "{good}");
        }
        for bad in [START + 2 * SLOT, START + 100 * SLOT] {
            assert_ne!(ours.current(bad).await.as_ref(), Some(&nonce));
            assert_eq!(ours.accept(&nonce, bad), Ok(false), "{bad}");
        }
        assert!(ours.lock().len() <= 3);
        assert_ne!(others.current(START).await, None);
        assert_eq!(others.accept(&nonce, START), Ok(false));
    }

    #[tokio::test]
    async fn who_shares_a_state_gives_the_same_and_takes_what_was_given_before_it_began() {
        let state = State::memory_of(4, Clock::system());
        let (one, other) = (Nonces::new(Some(state.clone())), Nonces::new(Some(state.clone())));
        let nonce = one.current(START).await.unwrap();
        assert_ne!(other.current(START + SLOT).await.unwrap(), nonce);
        assert_eq!(other.accept(&nonce, START + SLOT), Ok(true), "though it was not there");
        assert_eq!(one.current(START + SLOT).await, other.current(START + SLOT).await);
        let alone = Nonces::new(None);
        assert_ne!(alone.current(START + SLOT).await, None);
        assert_eq!(alone.accept(&nonce, START + SLOT), Ok(false));
    }

    /// An instance whose clock is a minute behind takes it until its own second minute is over.
    #[tokio::test]
    async fn a_nonce_lies_in_the_state_for_four_minutes() {
        let clock = Clock::fixed(START);
        let state = State::memory_of(4, clock.clone());
        let nonce = Nonces::new(Some(state.clone())).current(START).await.unwrap();
        let taken = async || {
            let late = Nonces::new(Some(state.clone()));
            late.current(START + SLOT).await.unwrap();
            late.accept(&nonce, START + SLOT)
        };
        clock.advance(Duration::from_secs(239));
        assert_eq!(taken().await, Ok(true));
        clock.advance(Duration::from_secs(1));
        assert_eq!(taken().await, Ok(false));
    }

    #[tokio::test]
    async fn a_state_that_fails_leaves_them_unknown() {
        let full = Nonces::new(Some(State::memory_of(0, Clock::system())));
        assert_eq!(full.current(START).await, None);
        assert_eq!(full.accept("anything", START), Err(ProofFault::Unknown));
    }

    /// None is given, and none is taken: not that of all zeros either.
    #[tokio::test]
    async fn no_nonce_is_given_without_random_bytes() {
        let state = State::memory_of(4, Clock::system());
        for nonces in [Nonces::new(None), Nonces::new(Some(state))] {
            let failing = crate::random::failing::begin();
            assert_eq!(nonces.current(START).await, None);
            let zeros = URL_SAFE_NO_PAD.encode(Nonce::default());
            assert_eq!(nonces.accept(&zeros, START), Err(ProofFault::Unknown));
            drop(failing);
            assert_ne!(nonces.current(START).await, None);
        }
    }
}
