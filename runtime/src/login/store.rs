//! The records of sessions and the marks of finished logins in the state.
//!
//! Rules:
//! 1. a record is sealed as being about its key: one that is moved, or of keys that were taken away, is no session;
//! 2. it is kept as long as its session can last, and changed by comparing versions: a session that was ended is not brought back
//!    by a request that was under way;
//! 3. the mark of a logout token that was done is kept as long as the token is good;
//! 4. the mark of a finished login is kept as long as its cookie could come again, and by a margin for clocks that differ.

use std::time::Duration;

use zeroize::Zeroizing;

use super::Login;
use super::error::{Fault, LoginError};
use super::pending::{PATIENCE, Pending};
use super::session::{Session, key_of, new_id};
use crate::authn::jwt::MAX_LEEWAY;
use crate::authn::jwt::logout_token::LONGEST;
use crate::clock::Now;
use crate::state::{Expected, Key, Kind, Next, Swapped};

/// How often a change is tried when others change the same record.
pub(super) const ATTEMPTS: usize = 8;

impl Login {
    pub(super) fn now(&self) -> Result<Now, LoginError> {
        self.0.clock.now().map_err(|_| LoginError::Clock)
    }

    /// A session that is not over, with the version of its record.
    pub(super) async fn find(&self, key: Key, now: u64) -> Result<Option<(Session, u64)>, LoginError> {
        let Some(record) = self.0.state.get(key).await? else { return Ok(None) };
        let Ok(plain) = self.0.keys.0.open(key.as_bytes(), &record.value) else { return Ok(None) };
        let Ok(session) = serde_json::from_slice::<Session>(&plain) else { return Ok(None) };
        if session.is_over(self.0.lifetimes, now) || self.was_ended(&session).await? {
            return Ok(None);
        }
        Ok(Some((session, record.version)))
    }

    /// Whether it was put in the place of this version, or of nothing.
    pub(super) async fn put(
        &self,
        key: Key,
        session: &Session,
        version: Option<u64>,
        now: u64,
    ) -> Result<bool, LoginError> {
        let plain = serde_json::to_vec(session).map_err(|_| LoginError::Crypto)?;
        let value = self.0.keys.0.seal(key.as_bytes(), plain).map_err(|_| LoginError::Crypto)?;
        let keep = Duration::from_secs(session.keep(self.0.lifetimes, now));
        let expected = version.map_or(Expected::Nothing, Expected::Version);
        let swapped = self.0.state.swap(key, expected, Next::Record { value, keep }).await?;
        Ok(matches!(swapped, Swapped::Made(_)))
    }

    /// Keeps a session under a new id, which the browser gets.
    pub(super) async fn keep(&self, session: &Session, now: u64) -> Result<Zeroizing<String>, LoginError> {
        let id = new_id().ok_or(LoginError::Crypto)?;
        let key = key_of(self.issuer(), self.client(), id.as_bytes()).ok_or(LoginError::Crypto)?;
        match self.put(key, session, None, now).await? {
            true => Ok(id),
            false => Err(LoginError::Crypto), // two ids of 256 random bits are alike
        }
    }

    /// Ends a session: whose it was, if there was one.
    pub(super) async fn remove(&self, key: Key) -> Result<Option<Session>, LoginError> {
        let now = self.now()?.unix();
        for _ in 0..ATTEMPTS {
            let Some((session, version)) = self.find(key, now).await? else { return Ok(None) };
            let swapped = self.0.state.swap(key, Expected::Version(version), Next::Nothing).await?;
            if matches!(swapped, Swapped::Made(_)) {
                return Ok(Some(session));
            }
        }
        Err(LoginError::Busy)
    }

    /// Notes that this login was finished, or refuses it.
    pub(super) async fn mark(&self, pending: &Pending) -> Result<(), Fault> {
        let key = Key::new(Kind::Login, &[b"state", &self.0.about, pending.state.as_bytes()]);
        let keep = Duration::from_secs(PATIENCE.saturating_add(2 * MAX_LEEWAY));
        let next = Next::Record { value: Vec::new(), keep };
        match self.0.marks.swap(key, Expected::Nothing, next).await? {
            Swapped::Made(_) => Ok(()),
            Swapped::Not(_) => Err(Fault::Replayed),
        }
    }

    /// Notes that what this logout token says was done. It stands beside the sessions, where only the provider adds to it, and not among
    /// the marks of logins, which whoever logs in fills.
    pub(super) async fn mark_logout(&self, id: &str) -> Result<(), LoginError> {
        let keep = Duration::from_secs(LONGEST.saturating_add(2 * MAX_LEEWAY));
        let next = Next::Record { value: Vec::new(), keep };
        self.0.state.swap(self.logout_key(id), Expected::Nothing, next).await?; // where it stands, it was done twice
        Ok(())
    }

    pub(super) async fn was_logged_out(&self, id: &str) -> Result<bool, LoginError> {
        Ok(self.0.state.get(self.logout_key(id)).await?.is_some())
    }

    fn logout_key(&self, id: &str) -> Key {
        Key::new(Kind::Session, &[b"logout token", self.issuer().as_bytes(), id.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::session::tests::session;
    use super::super::testing;
    use super::*;
    use crate::clock::Clock;

    /// Rule 1: whoever may write to the state makes nobody another's session.
    #[tokio::test]
    async fn a_record_in_the_place_of_another_is_no_session() {
        let clock = Clock::fixed(1_800_000_000);
        let (login, now) = (testing::login(clock.clone()).await, clock.now().unwrap().unix());
        let mut keys = Vec::new();
        for _ in 0..2 {
            let id = login.keep(&session(now), now).await.unwrap();
            keys.push(key_of(login.issuer(), login.client(), id.as_bytes()).unwrap());
        }
        assert!(login.find(keys[0], now).await.unwrap().is_some());
        let (_, version) = login.find(keys[1], now).await.unwrap().unwrap();
        let value = login.0.state.get(keys[0]).await.unwrap().unwrap().value;
        let next = Next::Record { value, keep: Duration::from_secs(60) };
        let moved = login.0.state.swap(keys[1], Expected::Version(version), next).await.unwrap();
        assert!(matches!(moved, Swapped::Made(_)));
        assert!(login.find(keys[0], now).await.unwrap().is_some());
        assert!(login.find(keys[1], now).await.unwrap().is_none());
    }
}
