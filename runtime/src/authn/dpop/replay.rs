//! Which proofs were shown: each is good once (RFC 9449 section 11.1).
//!
//! Rules ([`Memory`]):
//! 1. a use is remembered until its proof is too old to be accepted, and not a second less;
//! 2. what was forgotten is refused, should the clock be set back: nobody knows any more whether it was shown;
//! 3. one key takes no more than its share, so that no client can fill the store for the others;
//! 4. when the store is full, nothing is forgotten for a newcomer: it is refused.
//!
//! Where instances share what was shown ([`Shared`]), each keeps these rules for itself first; then of all of them, one
//! takes the use. A state that fails refuses it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest::{Context, SHA256};
use futures_util::future::BoxFuture;

use super::ProofFault;
use crate::state::{Expected, Key, Kind, Next, State, StateError, Swapped, length};

/// Of how many parts one key takes at most one.
const SHARES: usize = 32;

/// A proof that was shown: what of it makes it another one, hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    id: Hash,
    key: Hash,
    /// The second, since 1970, from which its proof is not accepted any more.
    until: u64,
}

type Hash = [u8; 16];

/// By how many seconds the clocks of instances may differ without a proof being good at each of them.
const APART: u64 = 60;

impl Use {
    pub(super) fn new(key: &[u8; 32], target: &str, id: &str, until: u64) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(key);
        // with its length, so that no part of the one can stand for a part of the other
        context.update(&length(target.as_bytes()));
        context.update(target.as_bytes());
        context.update(id.as_bytes());
        let id = context.finish().as_ref().first_chunk().copied().unwrap_or_default();
        Self { id, key: key.first_chunk().copied().unwrap_or_default(), until }
    }
}

/// Remembers proofs. One that several instances share may have to be asked over a network; what it cannot answer refuses.
pub(super) trait Seen: Send + Sync {
    /// Notes a use at `now` (seconds since 1970), or says why it is none. Of two that are equal, one wins.
    fn note(&self, used: Use, now: u64) -> BoxFuture<'_, Result<(), ProofFault>>;
}

/// Remembers the proofs of one process.
pub(super) struct Memory {
    capacity: usize,
    uses: Mutex<Uses>,
}

#[derive(Default)]
struct Uses {
    ids: HashSet<Hash>,
    /// How many of them are of each key.
    of_key: HashMap<Hash, usize>,
    /// The same by the second in which they end, to be forgotten.
    ends: BTreeMap<u64, Vec<(Hash, Hash)>>,
    /// All that ended before this second were forgotten.
    forgotten: u64,
}

impl Memory {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, uses: Mutex::default() }
    }

    fn decide(&self, used: Use, now: u64) -> Result<(), ProofFault> {
        // it is changed whole or not at all
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        uses.forget(now);
        if used.until < uses.forgotten {
            return Err(ProofFault::Time);
        }
        if uses.ids.contains(&used.id) {
            return Err(ProofFault::Replayed);
        }
        if uses.ids.len() >= self.capacity {
            return Err(ProofFault::NoRoom);
        }
        let of_key = uses.of_key.get(&used.key).copied().unwrap_or_default();
        if of_key >= self.capacity.div_ceil(SHARES) {
            return Err(ProofFault::TooMany);
        }
        uses.ids.insert(used.id);
        uses.of_key.insert(used.key, of_key + 1);
        uses.ends.entry(used.until).or_default().push((used.id, used.key));
        Ok(())
    }
}

impl Seen for Memory {
    fn note(&self, used: Use, now: u64) -> BoxFuture<'_, Result<(), ProofFault>> {
        Box::pin(std::future::ready(self.decide(used, now)))
    }
}

/// Remembers the proofs of every process that shares a state.
pub(super) struct Shared {
    own: Memory,
    state: State,
}

impl Shared {
    pub(super) fn new(capacity: usize, state: State) -> Self {
        Self { own: Memory::new(capacity), state }
    }
}

impl Seen for Shared {
    fn note(&self, used: Use, now: u64) -> BoxFuture<'_, Result<(), ProofFault>> {
        Box::pin(async move {
            self.own.decide(used, now)?;
            let keep = Duration::from_secs(used.until.saturating_sub(now).saturating_add(1 + APART));
            let next = Next::Record { value: Vec::new(), keep };
            match self.state.swap(Key::new(Kind::Proof, &[&used.id]), Expected::Nothing, next).await {
                Ok(Swapped::Made(_)) => Ok(()),
                Ok(Swapped::Not(_)) => Err(ProofFault::Replayed),
                Err(StateError::Full) => Err(ProofFault::NoRoom),
                Err(error) => {
                    tracing::warn!(target: "palisade::state", %error, "nobody knows whether a proof was shown");
                    Err(ProofFault::Unknown)
                }
            }
        })
    }
}

impl Uses {
    /// Forgets what ended before `now`.
    fn forget(&mut self, now: u64) {
        self.forgotten = self.forgotten.max(now);
        while let Some(first) = self.ends.first_entry().filter(|first| *first.key() < now) {
            for (id, key) in first.remove() {
                self.ids.remove(&id);
                if let Some(left) = self.of_key.get_mut(&key) {
                    *left -= 1;
                    if *left == 0 {
                        self.of_key.remove(&key);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::StoreFuture;
    use crate::clock::Clock;
    use crate::flood::{LITTLE, grows_by};
    use crate::state::{Engine, Record};

    const NOW: u64 = 1_800_000_000;

    fn used(key: u8, target: &str, id: &str, until: u64) -> Use {
        Use::new(&[key; 32], target, id, until)
    }

    #[test]
    fn a_use_is_one_by_key_target_and_id() {
        let memory = Memory::new(1000);
        assert_eq!(memory.decide(used(1, "/a", "x", NOW + 60), NOW), Ok(()));
        assert_eq!(memory.decide(used(1, "/a", "x", NOW + 61), NOW), Err(ProofFault::Replayed));
        for other in [
            used(2, "/a", "x", NOW),
            used(1, "/b", "x", NOW),
            used(1, "/a", "y", NOW),
            used(1, "/ax", "", NOW),
        ] {
            assert_eq!(memory.decide(other, NOW), Ok(()), "{other:?}");
        }
    }

    #[test]
    fn it_is_forgotten_with_its_last_second_and_not_before() {
        let memory = Memory::new(1000);
        assert_eq!(memory.decide(used(1, "/a", "x", NOW + 60), NOW), Ok(()));
        let again = |now, until| memory.decide(used(1, "/a", "x", until), now);
        assert_eq!(again(NOW + 60, NOW + 120), Err(ProofFault::Replayed));
        assert_eq!(again(NOW + 61, NOW + 120), Ok(()));
        let uses = memory.uses.lock().unwrap();
        assert_eq!((uses.ids.len(), uses.of_key.len(), uses.ends.len()), (1, 1, 1));
    }

    #[test]
    fn what_was_forgotten_is_refused_when_the_clock_is_set_back() {
        let memory = Memory::new(1000);
        assert_eq!(memory.decide(used(1, "/a", "x", NOW + 60), NOW), Ok(()));
        assert_eq!(memory.decide(used(1, "/a", "y", NOW + 3600), NOW + 3600), Ok(()));
        assert_eq!(memory.decide(used(1, "/a", "x", NOW + 60), NOW), Err(ProofFault::Time));
        assert_eq!(memory.decide(used(1, "/a", "z", NOW + 3660), NOW), Ok(()));
    }

    #[test]
    fn one_key_cannot_take_the_place_of_others_and_a_full_store_refuses() {
        let memory = Memory::new(64);
        let id = |n: u64| n.to_string();
        for n in 0..2 {
            assert_eq!(memory.decide(used(0, "/a", &id(n), NOW), NOW), Ok(()));
        }
        assert_eq!(memory.decide(used(0, "/a", "more", NOW), NOW), Err(ProofFault::TooMany));
        for key in 1..32 {
            for n in 0..2 {
                assert_eq!(memory.decide(used(key, "/a", &id(n), NOW), NOW), Ok(()), "{key}");
            }
        }
        assert_eq!(memory.decide(used(99, "/a", "x", NOW), NOW), Err(ProofFault::NoRoom));
        assert_eq!(memory.decide(used(0, "/a", "0", NOW), NOW), Err(ProofFault::Replayed), "still known");
        assert_eq!(memory.decide(used(99, "/a", "x", NOW + 60), NOW + 1), Ok(()), "all others have ended");
    }

    /// Of one key, and each of a key of its own; while those before it end, and while none does.
    #[test]
    fn a_flood_of_proofs_takes_no_more_memory() {
        for (keys, each_second) in [(1, 100), (u32::MAX, 100), (u32::MAX, u32::MAX)] {
            let memory = Memory::new(1000);
            let mut taken = 0;
            let grown = grows_by(100_000, |number| {
                let mut key = [0; 32];
                key[..4].copy_from_slice(&(number % keys).to_be_bytes());
                let now = NOW + u64::from(number / each_second);
                let used = Use::new(&key, "/a", &number.to_string(), now + 60);
                taken += u32::from(memory.decide(used, now).is_ok());
            });
            assert!(
                taken >= 31 && grown < LITTLE,
                "{grown} bytes, {taken} taken of {keys} and {each_second}"
            );
        }
    }

    #[test]
    fn of_many_equal_uses_at_once_one_wins() {
        let memory = Memory::new(1000);
        let won: usize = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| memory.decide(used(1, "/a", "x", NOW + 60), NOW).is_ok()))
                .collect();
            tries.into_iter().map(|one| usize::from(one.join().unwrap())).sum()
        });
        assert_eq!(won, 1);
    }

    #[tokio::test]
    async fn of_processes_that_share_a_state_one_takes_a_use() {
        let state = State::memory_of(3, Clock::fixed(NOW));
        let [one, other] = [(); 2].map(|()| Shared::new(1000, state.clone()));
        let first = used(1, "/a", "x", NOW + 60);
        assert_eq!(one.note(first, NOW).await, Ok(()));
        assert_eq!(one.note(first, NOW).await, Err(ProofFault::Replayed));
        assert_eq!(other.note(first, NOW).await, Err(ProofFault::Replayed));
        assert_eq!(other.note(used(1, "/a", "y", NOW + 60), NOW).await, Ok(()));
        assert_eq!(one.note(used(1, "/b", "x", NOW + 60), NOW).await, Ok(()));
        assert_eq!(one.note(used(1, "/c", "x", NOW + 60), NOW).await, Err(ProofFault::NoRoom));
    }

    #[tokio::test]
    async fn a_use_is_known_to_an_instance_whose_clock_is_behind() {
        let clock = Clock::fixed(NOW);
        let state = State::memory_of(10, clock.clone());
        let [one, behind] = [(); 2].map(|()| Shared::new(1000, state.clone()));
        let used = used(1, "/a", "x", NOW + 60);
        assert_eq!(one.note(used, NOW).await, Ok(()));
        clock.advance(Duration::from_secs(60 + APART));
        assert_eq!(behind.note(used, NOW + 60).await, Err(ProofFault::Replayed));
    }

    #[tokio::test]
    async fn a_state_that_fails_refuses() {
        struct Away;

        impl Engine for Away {
            fn get(&self, _: Key) -> StoreFuture<'_, Option<Record>, StateError> {
                Box::pin(async { Err(StateError::Late) })
            }

            fn swap(&self, _: Key, _: Expected, _: Next) -> StoreFuture<'_, Swapped, StateError> {
                Box::pin(async { Err(StateError::Late) })
            }
        }

        let shared = Shared::new(1000, State::new(Away));
        assert_eq!(shared.note(used(1, "/a", "x", NOW + 60), NOW).await, Err(ProofFault::Unknown));
    }
}
