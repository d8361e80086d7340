//! The signing keys: kept in the state, sealed, the same in every instance, exchanged by the schedule.
//!
//! Rules:
//! 1. the keys are one record, changed by comparing: of two instances that make the next key at once one does;
//! 2. who signs has looked at the record within the last half minute; when the state cannot be asked, nobody signs;
//! 3. a record that does not open is an error: it is never written over;
//! 4. what was read is published at once to the verifiers in this process ([`Ring::published`]). The record is looked at all the
//!    time ([`Ring::look`]), also where nobody signs, so that a key that was replaced is refused there within the half minute, too;
//! 5. the record is written anew once a period, and kept longer than a family can last: with it goes the round, and what was ended
//!    would be good again;
//! 6. of what is read and what is replaced one is done after the other: what was replaced is not published again by who read before.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::builder::LONGEST_FAMILY;
use super::error::IssuerError;
use super::replacement::Families;
use super::schedule::{self, Schedule};
use super::secrets::IssuerKeys;
use crate::authn::jwt::{MAX_LEEWAY, algorithm};
use crate::clock::Now;
use crate::operation::Algorithm;
use crate::signing::{self, Signer};
use crate::state::{Expected, Key, Kind, Next, State, StateError, Swapped, later_round};
use crate::{JwkSet, Jwks};

/// How old what was read may be for who signs.
const FRESH: Duration = Duration::from_secs(30);
/// For somebody else to look.
const PATIENCE: Duration = Duration::from_secs(2);
/// Others who change the record at the same time, one after the other.
const ATTEMPTS: usize = 5;

pub(super) struct Ring {
    kept: Source,
    view: ArcSwap<View>,
    looking: tokio::sync::Mutex<()>,
    published: Jwks,
}

/// Where the keys are kept, and what becomes of them.
pub(super) struct Source {
    pub(super) state: State,
    pub(super) keys: IssuerKeys,
    pub(super) issuer: String,
    pub(super) algorithm: Algorithm,
    pub(super) schedule: Schedule,
}

/// The keys as they were read.
pub(super) struct View {
    signers: Vec<(u64, Signer)>,
    /// The current round of all families: those of one before it are over.
    pub(super) round: u64,
    pub(super) key_set: String,
    read: Duration,
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    keys: Vec<KeptKey>,
    #[serde(default)]
    round: u64,
}

#[derive(Serialize, Deserialize)]
struct KeptKey {
    algorithm: String,
    signs_from: u64,
    /// Base64 of PKCS #8.
    key: String,
}

impl Drop for KeptKey {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl Ring {
    pub(super) async fn open(kept: Source, now: Now) -> Result<Self, IssuerError> {
        let view = kept.look(now).await?;
        let published = Jwks::from(view.set()?);
        Ok(Self {
            kept,
            view: ArcSwap::from_pointee(view),
            looking: tokio::sync::Mutex::default(),
            published,
        })
    }

    pub(super) fn state(&self) -> &State {
        &self.kept.state
    }

    pub(super) fn secrets(&self) -> &IssuerKeys {
        &self.kept.keys
    }

    /// What the verifiers of this process share.
    pub(super) fn published(&self) -> &Jwks {
        &self.published
    }

    /// The keys as they were read last.
    pub(super) fn last(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// The keys for who signs at `now`.
    pub(super) async fn view(&self, now: Now) -> Result<Arc<View>, IssuerError> {
        if let Some(view) = self.fresh(now) {
            return Ok(view);
        }
        let _one = self.alone().await?;
        match self.fresh(now) {
            Some(view) => Ok(view),
            None => self.publish(self.kept.look(now).await?),
        }
    }

    /// Looks at the record, however lately somebody did.
    pub(super) async fn look(&self, now: Now) -> Result<(), IssuerError> {
        let _one = self.alone().await?;
        self.publish(self.kept.look(now).await?).map(drop)
    }

    /// Puts a new key in the place of all. See the rules of [`replacement`](super::replacement).
    pub(super) async fn replace(&self, families: Families, now: Now) -> Result<(), IssuerError> {
        let _one = self.alone().await?;
        self.publish(self.kept.replace(families, now).await?).map(drop)
    }

    async fn alone(&self) -> Result<tokio::sync::MutexGuard<'_, ()>, IssuerError> {
        // who waits for somebody who looks in vain does not wait for all who came before
        let looking = tokio::time::timeout(PATIENCE, self.looking.lock()).await;
        looking.map_err(|_| IssuerError::State(StateError::Late))
    }

    fn publish(&self, view: View) -> Result<Arc<View>, IssuerError> {
        let view = Arc::new(view);
        self.published.replace(view.set()?);
        self.view.store(Arc::clone(&view));
        Ok(view)
    }

    fn fresh(&self, now: Now) -> Option<Arc<View>> {
        let view = self.last();
        let begins: Vec<u64> = view.signers.iter().map(|(begins, _)| *begins).collect();
        let nothing_due = self.kept.schedule.due(&begins, now.unix()).is_nothing();
        let young = now.monotonic().saturating_sub(view.read) < FRESH;
        (nothing_due && young).then_some(view)
    }
}

impl Source {
    /// Reads the record, and changes it when the schedule says so.
    async fn look(&self, now: Now) -> Result<View, IssuerError> {
        self.change(now, |kept| {
            let begins: Vec<u64> = kept.keys.iter().map(|key| key.signs_from).collect();
            let due = self.schedule.due(&begins, now.unix());
            kept.keys.drain(..due.gone.min(begins.len()));
            if let Some(signs_from) = due.next {
                kept.keys.push(self.new_key(signs_from)?);
            }
            Ok(!due.is_nothing())
        })
        .await
    }

    async fn replace(&self, families: Families, now: Now) -> Result<View, IssuerError> {
        self.change(now, |kept| {
            kept.keys = vec![self.new_key(now.unix().saturating_sub(MAX_LEEWAY))?];
            if families == Families::End {
                kept.round = later_round(kept.round, now.unix());
            }
            Ok(true)
        })
        .await
    }

    /// Reads the record, and puts what `change` makes of it in its place where that says so.
    async fn change(
        &self,
        now: Now,
        change: impl Fn(&mut Kept) -> Result<bool, IssuerError>,
    ) -> Result<View, IssuerError> {
        let key = Key::new(Kind::Family, &[b"signing keys", self.issuer.as_bytes()]);
        for _ in 0..ATTEMPTS {
            let found = self.state.get(key).await?;
            let mut kept = match &found {
                Some(record) => self.open(&record.value)?,
                None => Kept::default(),
            };
            if !change(&mut kept)? {
                return View::of(&kept, now);
            }
            let expected = found.map_or(Expected::Nothing, |record| Expected::Version(record.version));
            let keep = Duration::from_secs(self.schedule.period).saturating_add(LONGEST_FAMILY);
            let next = Next::Record { value: self.seal(&kept)?, keep };
            if let Swapped::Made(_) = self.state.swap(key, expected, next).await? {
                return View::of(&kept, now);
            }
        }
        Err(IssuerError::Busy)
    }

    fn new_key(&self, signs_from: u64) -> Result<KeptKey, IssuerError> {
        let pkcs8 = signing::new_pkcs8(self.algorithm).map_err(|_| IssuerError::Crypto)?;
        let algorithm = algorithm::name(self.algorithm).to_owned();
        Ok(KeptKey { algorithm, signs_from, key: STANDARD.encode(&*pkcs8) })
    }

    fn about(&self) -> Vec<u8> {
        [b"signing keys ".as_slice(), self.issuer.as_bytes()].concat()
    }

    fn seal(&self, kept: &Kept) -> Result<Vec<u8>, IssuerError> {
        let plain = Zeroizing::new(serde_json::to_vec(kept).map_err(|_| IssuerError::Crypto)?);
        self.keys.seal(&self.about(), &plain).ok_or(IssuerError::Crypto)
    }

    fn open(&self, sealed: &[u8]) -> Result<Kept, IssuerError> {
        let plain = self.keys.open(&self.about(), sealed).ok_or(IssuerError::Sealed)?;
        serde_json::from_slice(&plain).map_err(|_| IssuerError::Sealed)
    }
}

impl KeptKey {
    fn read(&self) -> Option<Signer> {
        let pkcs8 = Zeroizing::new(STANDARD.decode(&self.key).ok()?);
        Signer::read(algorithm::from_name(&self.algorithm)?, &pkcs8).ok()
    }
}

impl View {
    fn of(kept: &Kept, now: Now) -> Result<Self, IssuerError> {
        let mut signers = Vec::with_capacity(kept.keys.len());
        for kept in &kept.keys {
            signers.push((kept.signs_from, kept.read().ok_or(IssuerError::Sealed)?));
        }
        let key_set = signing::key_set(signers.iter().map(|(_, signer)| signer));
        Ok(Self { signers, round: kept.round, key_set, read: now.monotonic() })
    }

    fn set(&self) -> Result<JwkSet, IssuerError> {
        JwkSet::from_json(&self.key_set).map_err(|_| IssuerError::Sealed)
    }

    /// The key that signs at `now`. None does while the clock is before all of them.
    pub(super) fn signer(&self, now: u64) -> Option<&Signer> {
        let index = schedule::signing(self.signers.iter().map(|(begins, _)| *begins), now)?;
        self.signers.get(index).map(|(_, signer)| signer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    const SCHEDULE: Schedule = Schedule { period: 10_000, lead: 1_000, keep: 500 };

    async fn ring(state: &State, list: &str, now: Now) -> Result<Ring, IssuerError> {
        let source = Source {
            state: state.clone(),
            keys: IssuerKeys::from_list(list).unwrap(),
            issuer: "https://i".to_owned(),
            algorithm: Algorithm::ES256,
            schedule: SCHEDULE,
        };
        Ring::open(source, now).await
    }

    const ONE: &str = "a:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";
    const TWO: &str = "b:3q2-7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg";

    #[tokio::test]
    async fn instances_share_their_keys_and_the_state_does_not_show_them() {
        let clock = Clock::fixed(1_800_000_000);
        let state = State::memory_of(10, clock.clone());
        let now = clock.now().unwrap();
        let (one, other) = tokio::join!(ring(&state, ONE, now), ring(&state, ONE, now));
        let (one, other) = (one.unwrap(), other.unwrap());
        for _ in 0..30 {
            let now = clock.now().unwrap();
            let (one, other) = tokio::join!(one.view(now), other.view(now));
            let (one, other) = (one.unwrap(), other.unwrap());
            assert_eq!(one.signer(now.unix()).unwrap().kid(), other.signer(now.unix()).unwrap().kid());
            clock.advance(Duration::from_secs(977));
        }
        let record =
            state.get(Key::new(Kind::Family, &[b"signing keys", b"https://i"])).await.unwrap().unwrap();
        assert!(!String::from_utf8_lossy(&record.value).contains("signs_from"));
    }

    #[tokio::test]
    async fn what_does_not_open_is_an_error_and_stays() {
        let clock = Clock::fixed(1_800_000_000);
        let now = clock.now().unwrap();
        let state = State::memory_of(10, clock);
        ring(&state, ONE, now).await.unwrap();
        assert!(matches!(ring(&state, TWO, now).await, Err(IssuerError::Sealed)));
        assert!(ring(&state, &format!("{TWO} {ONE}"), now).await.is_ok());
    }

    #[tokio::test]
    async fn before_its_first_key_nobody_signs() {
        let clock = Clock::fixed(1_800_000_000);
        let ring = ring(&State::memory_of(10, clock.clone()), ONE, clock.now().unwrap()).await.unwrap();
        let view = ring.last();
        assert!(view.signer(1_799_999_999).is_none());
    }
}
