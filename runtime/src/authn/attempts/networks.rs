//! From which networks accounts were lately authenticated (rule 3 of [`attempts`](super)).
//!
//! Rules:
//! 1. what this process knows it knows at once ([`Known`]);
//! 2. what it does not know it looks up where that is kept: beside the counters that outlast a process, or with those that several
//!    instances share. So neither a restart nor another instance locks anybody out of where they are;
//! 3. what is kept is the same table, a record for each of its sets: it has a bound as well;
//! 4. a network is written once a day. Of two instances that write to one set at once, the second may undo what the first wrote: an
//!    account that had just come to a network is new there for another day;
//! 5. where it cannot be looked up in time the network is not known: it costs a privilege and opens nothing.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use siphasher::sip::SipHasher13;

use super::known::{Known, LATELY, Place, Set};
use crate::{
    clock::Now,
    limit::{kept::KeptLimits, seen::Network, shared::SharedLimits},
    state::{Expected, Key, Kind, Next, State, StateError},
};

/// Accounts in networks that are known at once: 1.5 MiB.
const PLACES: usize = 65_536;
const DAY: u64 = 24 * 3600;

/// Where they are known beyond this process.
pub(crate) enum Shelf {
    Kept(State, [u8; 16]),
    Shared(SharedLimits),
}

/// The networks of accounts.
pub(super) struct Networks {
    known: Known,
    /// Nobody can aim at the set of somebody else.
    hasher: SipHasher13,
    shelf: Option<Shelf>,
}

impl Networks {
    pub(super) fn new(shelf: Option<Shelf>) -> Self {
        let hasher = match &shelf {
            Some(shelf) => SipHasher13::new_with_key(&shelf.secret()),
            None => {
                let random = RandomState::new();
                SipHasher13::new_with_keys(random.hash_one(0), random.hash_one(1))
            }
        };
        Self { known: Known::new(PLACES), hasher, shelf }
    }

    /// What this process knows alone.
    pub(super) fn knows_here(&self, place: Place, now: Now) -> bool {
        self.known.holds(place, now)
    }

    pub(super) async fn knows(&self, place: Place, now: Now) -> bool {
        if self.known.holds(place, now) {
            return true;
        }
        let Some(shelf) = &self.shelf else { return false };
        // rule 5. Boxed, as below: who is known here does not carry the room for the look
        let Ok((set, _)) = Box::pin(shelf.find(self.known.number(place))).await else { return false };
        if set.holds(place, now) {
            self.known.take(place, &set);
        }
        set.holds(place, now)
    }

    pub(super) async fn learn(&self, place: Place, now: Now) {
        let before = self.known.insert(place, now);
        let Some(shelf) = &self.shelf else { return };
        let fresh = now.unix().saturating_add(LATELY).saturating_sub(DAY);
        if before.is_some_and(|until| until > fresh) {
            return; // rule 4
        }
        if let Err(error) = Box::pin(shelf.add(self.known.number(place), place, now)).await {
            tracing::warn!(target: "palisade::state", %error, "the network of an account is known to this process alone");
        }
    }

    /// Of an account, as it is counted, where it is, and how its name is spelled there.
    pub(super) fn place(&self, from: Network, issuer: &str, account: &str, written: &str) -> Place {
        let owner = self.hash(&[issuer.as_bytes(), account.as_bytes()]);
        let network = match &from {
            Network::V4(bytes) => &bytes[..],
            Network::V6(bytes) => &bytes[..],
        };
        let of = |name: &str| self.hash(&[issuer.as_bytes(), name.as_bytes(), network]);
        let key = of(account);
        let written = if written == account { key } else { of(written) };
        Place { owner, key: key.max(1), written }
    }

    fn hash(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = self.hasher;
        for part in parts {
            hasher.write_u64(u64::try_from(part.len()).unwrap_or(u64::MAX));
            hasher.write(part);
        }
        hasher.finish()
    }
}

impl Shelf {
    /// That of the settings.
    pub(crate) fn of(shared: Option<&SharedLimits>, kept: Option<&KeptLimits>) -> Option<Self> {
        let kept = || kept.map(KeptLimits::place).map(|(state, secret)| Self::Kept(state, secret));
        shared.map(|shared| Self::Shared(shared.clone())).or_else(kept)
    }

    fn secret(&self) -> [u8; 16] {
        match self {
            Self::Kept(_, secret) => *secret,
            Self::Shared(shared) => shared.secret(),
        }
    }

    /// The set of this number, and its version where it has one. What cannot be read is empty.
    async fn find(&self, number: usize) -> Result<(Set, Option<u64>), StateError> {
        let (found, version) = match self {
            Self::Kept(state, _) => {
                let record = state.get(key(number)).await?;
                record.map_or((None, None), |record| (Some(record.value), Some(record.version)))
            }
            Self::Shared(shared) => (shared.record(&name(number)).await?, None),
        };
        Ok((found.and_then(|bytes| Set::from_bytes(&bytes)).unwrap_or_default(), version))
    }

    async fn add(&self, number: usize, place: Place, now: Now) -> Result<(), StateError> {
        let (mut set, version) = self.find(number).await?;
        set.insert(place, now);
        let (value, keep) = (set.to_bytes(), Duration::from_secs(LATELY));
        match self {
            Self::Kept(state, _) => {
                let expected = version.map_or(Expected::Nothing, Expected::Version);
                state.swap(key(number), expected, Next::Record { value, keep }).await.map(drop)
            }
            Self::Shared(shared) => shared.keep_record(&name(number), value, keep).await,
        }
    }
}

fn key(number: usize) -> Key {
    Key::new(Kind::Limit, &[b"known", name(number).as_bytes()])
}

fn name(number: usize) -> String {
    format!("known:{number}")
}
