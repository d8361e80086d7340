//! The records of families and subjects in the state, changed by comparing their versions.
//!
//! Rules:
//! 1. a record that cannot be read is an error and no empty record;
//! 2. a record is kept until nothing of it is good, and the most that clocks may differ longer;
//! 3. a family that is revoked keeps its record until its access tokens are over, so that revoking it again puts on the denylist
//!    what a failure left out;
//! 4. the revocation of a subject is kept as long as a family from before it can last.

use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::error::IssuerError;
use super::event::{Event, Why};
use super::family::Family;
use super::{ATTEMPTS, Issuer};
use crate::authn::jwt::MAX_LEEWAY;
use crate::clock::Now;
use crate::state::{Expected, Key, Kind, Next, StateError, Swapped};

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Subject {
    revoked_until: u64,
}

impl Issuer {
    fn family_key(&self, id: &str) -> Key {
        Key::new(Kind::Family, &[b"family", self.0.issuer.as_bytes(), id.as_bytes()])
    }

    fn subject_key(&self, subject: &str) -> Key {
        Key::new(Kind::Family, &[b"subject", self.0.issuer.as_bytes(), subject.as_bytes()])
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

    /// Until when the families of a subject were revoked.
    pub(super) async fn subject_revoked(&self, subject: &str) -> Result<Option<u64>, IssuerError> {
        let found = self.read::<Subject>(self.subject_key(subject)).await?;
        Ok(found.map(|(subject, _)| subject.revoked_until))
    }

    pub(super) async fn put_subject(&self, subject: &str, now: Now) -> Result<(), IssuerError> {
        let key = self.subject_key(subject);
        for _ in 0..ATTEMPTS {
            let found = self.read::<Subject>(key).await?;
            let (known, version) =
                found.map_or((0, None), |(subject, version)| (subject.revoked_until, Some(version)));
            let next = Subject { revoked_until: known.max(now.unix()) };
            if self.write(key, version, &next, self.0.lifetimes.absolute).await? {
                return Ok(());
            }
        }
        Err(IssuerError::Busy)
    }

    /// Revokes a family: its record first, then its access tokens.
    pub(super) async fn end(&self, id: &str, why: Why) -> Result<(), IssuerError> {
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
        for (number, exp) in &family.live {
            denylist.revoke_token(&self.0.issuer, &format!("{id}.{number}"), *exp).await?;
        }
        Ok(())
    }
}
