//! The records of families and subjects in the state, changed by comparing their versions.
//!
//! Rules:
//! 1. a record that cannot be read is an error and no empty record;
//! 2. a record is kept until nothing of it is good, and the most that clocks may differ longer;
//! 3. a family that is revoked keeps its record until its access tokens are over, so that revoking it again puts on the denylist
//!    what a failure left out;
//! 4. the round of a subject is kept as long as any family from before it can last, also one that began when they lasted longer.

use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::builder::LONGEST_FAMILY;
use super::error::IssuerError;
use super::event::{Event, Why};
use super::family::Family;
use super::{ATTEMPTS, Issuer};
use crate::authn::jwt::MAX_LEEWAY;
use crate::clock::Now;
use crate::event::whole;
use crate::state::{Expected, Key, Kind, Next, StateError, Swapped};

/// What was ended of a subject: see the rules of [`ending`](super::ending).
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Subject {
    /// Families of a round before it are over.
    pub(super) round: u64,
    /// The `iat` of the last access tokens that are denied.
    pub(super) denied_until: u64,
}

impl Issuer {
    fn family_key(&self, id: &str) -> Key {
        Key::new(Kind::Family, &[b"family", self.0.issuer.as_bytes(), id.as_bytes()])
    }

    fn subject_key(&self, subject: &str) -> Key {
        Key::new(Kind::Family, &[b"ended", self.0.issuer.as_bytes(), subject.as_bytes()])
    }

    async fn read<T: DeserializeOwned>(&self, key: Key) -> Result<Option<(T, u64)>, IssuerError> {
        let Some(record) = self.0.ring.state().get(key).await? else { return Ok(None) };
        let read = serde_json::from_slice(&record.value).map_err(|error| StateError::Engine(error.into()))?;
        Ok(Some((read, record.version)))
    }

    /// Whether it was put in the place of this version, or of nothing.
    async fn write<T: Serialize>(
        &self,
        key: Key,
        version: Option<u64>,
        value: &T,
        keep: u64,
    ) -> Result<bool, IssuerError> {
        let value = serde_json::to_vec(value).map_err(|error| StateError::Engine(error.into()))?;
        let expected = version.map_or(Expected::Nothing, Expected::Version);
        let next = Next::Record { value, keep: Duration::from_secs(keep.saturating_add(MAX_LEEWAY)) };
        Ok(matches!(self.0.ring.state().swap(key, expected, next).await?, Swapped::Made(_)))
    }

    pub(super) async fn family(&self, id: &str) -> Result<Option<(Family, u64)>, IssuerError> {
        self.read(self.family_key(id)).await
    }

    pub(super) async fn put(
        &self,
        id: &str,
        family: &Family,
        version: Option<u64>,
        now: Now,
    ) -> Result<bool, IssuerError> {
        let keep = family.needed_until().saturating_sub(now.unix());
        self.write(self.family_key(id), version, family, keep).await
    }

    pub(super) async fn subject(&self, subject: &str) -> Result<Subject, IssuerError> {
        let found = self.read(self.subject_key(subject)).await?;
        Ok(found.map_or_else(Subject::default, |(subject, _)| subject))
    }

    /// Begins a new round of a subject.
    pub(super) async fn end_subject(&self, subject: &str) -> Result<Subject, IssuerError> {
        let key = self.subject_key(subject);
        for _ in 0..ATTEMPTS {
            let found = self.read::<Subject>(key).await?;
            let (known, version) =
                found.map_or_else(Default::default, |(subject, version)| (subject, Some(version)));
            let next = known.ended(self.now()?.unix());
            if self.write(key, version, &next, LONGEST_FAMILY.as_secs()).await? {
                return Ok(next);
            }
        }
        Err(IssuerError::Busy)
    }

    /// Revokes a family: its record first, then its access tokens. Whole, also where who asked for it leaves.
    pub(super) async fn end(&self, id: &str, why: Why) -> Result<(), IssuerError> {
        let (issuer, id) = (self.clone(), id.to_owned());
        whole(async move { issuer.end_now(&id, why).await }).await.unwrap_or(Err(IssuerError::Busy))
    }

    async fn end_now(&self, id: &str, why: Why) -> Result<(), IssuerError> {
        let now = self.now()?;
        for _ in 0..ATTEMPTS {
            let Some((family, version)) = self.family(id).await? else { return Ok(()) };
            if family.revoked {
                return self.deny(id, &family).await;
            }
            let ended = Family { revoked: true, ..family };
            if self.put(id, &ended, Some(version), now).await? {
                Event::Revoked(why).emit(&self.about(id, &ended));
                return self.deny(id, &ended).await;
            }
        }
        Err(IssuerError::Busy)
    }

    async fn deny(&self, id: &str, family: &Family) -> Result<(), IssuerError> {
        let Some(denylist) = &self.0.denylist else { return Ok(()) };
        // at once, and one that fails keeps no other from it
        let denied = family.live.iter().map(async |(number, exp)| {
            denylist.revoke_token(&self.0.issuer, &format!("{id}.{number}"), *exp).await
        });
        Ok(join_all(denied).await.into_iter().collect::<Result<(), _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::{GrantError, IssuerBuilder, IssuerKeys, RefreshText, SignIn, Tokens};
    use crate::{Clock, State};

    const HOUR: Duration = Duration::from_secs(3600);

    fn builder(state: &State, clock: &Clock) -> IssuerBuilder {
        let keys = IssuerKeys::from_list("a:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=").unwrap();
        Issuer::builder("https://id.example.com", "api", state.clone(), keys).clock(clock.clone())
    }

    async fn renewed(issuer: &Issuer, token: &str) -> bool {
        match issuer.refresh(token, "app", None).await {
            Ok(_) => true,
            Err(GrantError::Invalid) => false,
            Err(error) => panic!("{error}"),
        }
    }

    fn renewing(tokens: &Tokens) -> &str {
        tokens.refresh.as_ref().unwrap().expose()
    }

    #[tokio::test]
    async fn what_was_ended_stays_so_where_families_last_shorter_now_than_they_did() {
        let clock = Clock::fixed(1_800_000_000);
        let state = State::memory_of(100, clock.clone());
        let long = builder(&state, &clock).open().await.unwrap();
        let short = builder(&state, &clock).family_lifetimes(HOUR, HOUR).open().await.unwrap();
        let alice = long.sign_in(&SignIn::new("alice", "app")).await.unwrap();
        let bob = long.sign_in(&SignIn::new("bob", "app")).await.unwrap();
        short.revoke_all("alice").await.unwrap();
        clock.advance(3 * HOUR);
        assert!(!renewed(&long, renewing(&alice)).await && renewed(&long, renewing(&bob)).await);
    }

    #[tokio::test]
    async fn a_family_of_a_build_that_knew_no_rounds_is_no_error_and_opens_nothing() {
        let clock = Clock::fixed(1_800_000_000);
        let state = State::memory_of(100, clock.clone());
        let issuer = builder(&state, &clock).open().await.unwrap();
        let tokens = issuer.sign_in(&SignIn::new("alice", "app")).await.unwrap();
        let id = tokens.family.as_deref().unwrap();
        let (family, _) = issuer.family(id).await.unwrap().unwrap();
        let now = serde_json::to_string(&family.grant).unwrap();
        let then = now.replace("\"rounds\":{\"subject\":0,\"all\":0}", "\"signed_in\":1800000000");
        assert_ne!(now, then);
        for (grant, good) in [(then, false), (now, true)] {
            let (old, version) = issuer.family(id).await.unwrap().unwrap();
            let record = serde_json::to_string(&old).unwrap();
            let record = record.replace(&serde_json::to_string(&old.grant).unwrap(), &grant).into_bytes();
            let next = Next::Record { value: record, keep: HOUR };
            state.swap(issuer.family_key(id), Expected::Version(version), next).await.unwrap();
            let secret = issuer.0.ring.secrets().refresh_secret("a", grant.as_bytes(), id, 0).unwrap();
            assert_eq!(renewed(&issuer, &RefreshText::write(id, 0, &secret)).await, good, "{grant}");
        }
    }
}
