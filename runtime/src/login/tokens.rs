//! The provider's tokens of a session, for calls that the application makes in its user's name. They never leave the server.
//!
//! Rules:
//! 1. an access token is given out while it is good for [`MARGIN`] more seconds;
//! 2. a session's tokens are renewed by one at a time, of all instances: a provider that rotates refresh tokens takes two uses of
//!    one for theft (RFC 9700 section 4.14.2). Whoever renews has the record for [`LEASE`] seconds, the others wait as long;
//! 3. a refresh token that the provider refuses is forgotten: the user must log in again for more. One that comes beside an access
//!    token that is none is kept all the same, for the one that was shown is spent.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::Login;
use super::error::{Fault, LoginError};
use super::event::Event;
use super::provider::{Renewed, UNKNOWN_TYPE};
use super::session::Session;
use super::store::ATTEMPTS;
use crate::authn::{Kind, Principal};
use crate::secret::Secret;
use crate::state::Key;

/// Seconds.
const MARGIN: u64 = 30;
/// Longer than a call to the provider takes at most, in seconds.
const LEASE: u64 = 10;
const PAUSE: Duration = Duration::from_millis(100);
/// Looks at a record that somebody renews: as long as a lease.
const LOOKS: usize = 100;

impl Login {
    /// The access token of a caller's session, renewed when it is about to end: for calls to other servers in the user's name.
    /// `None` where the caller has no session, or the provider gives no more tokens for it.
    ///
    /// Waits up to ten seconds where another request renews it, and five for the provider.
    ///
    /// # Errors
    /// When the state fails, or the provider cannot be asked.
    pub async fn access_token(&self, caller: &Principal) -> Result<Option<Secret<String>>, LoginError> {
        let Some(key) = self.session_of(caller) else { return Ok(None) };
        for _ in 0..LOOKS {
            let now = self.now()?.unix();
            let Some((mut session, version)) = self.find(key, now).await? else { return Ok(None) };
            if session.access_ends.is_none_or(|ends| now.saturating_add(MARGIN) < ends) {
                return Ok(Some(Secret::new(session.access.clone())));
            }
            if session.renewing > now {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let Some(refresh) = session.refresh.clone().map(zeroize::Zeroizing::new) else { return Ok(None) };
            session.renewing = now.saturating_add(LEASE);
            if self.put(key, &session, Some(version), now).await? {
                return self.renew(key, &refresh).await;
            }
        }
        Err(LoginError::Busy)
    }

    async fn renew(&self, key: Key, refresh: &str) -> Result<Option<Secret<String>>, LoginError> {
        match self.0.provider.renew(refresh).await {
            Ok(Renewed::Tokens(tokens)) => {
                let take = |session: &mut Session, now| {
                    session.renewing = 0;
                    session.take(&tokens, now);
                };
                self.settle(key, take).await?;
                Ok(Some(Secret::new((*tokens.access).clone())))
            }
            // as below: the lease ends by itself
            Ok(Renewed::Unshowable(refresh)) => {
                if let Some(refresh) = refresh {
                    self.settle(key, |session, _| session.take_refresh(&refresh)).await?;
                }
                Err(LoginError::Provider(UNKNOWN_TYPE))
            }
            Err(Fault::Exchange("invalid_grant")) => {
                let forget = |session: &mut Session, _| {
                    session.renewing = 0;
                    session.refresh = None;
                };
                if let Some(subject) = self.settle(key, forget).await? {
                    Event::TokensEnded.emit(self.0.provider.issuer(), &subject);
                }
                Ok(None)
            }
            // a lease that is not given back ends by itself
            Err(fault) => Err(LoginError::Provider(fault.code())),
        }
    }

    /// Puts what a renewal brought into the record. Whose it is, if it is still there.
    async fn settle(
        &self,
        key: Key,
        change: impl Fn(&mut Session, u64),
    ) -> Result<Option<String>, LoginError> {
        for _ in 0..ATTEMPTS {
            let now = self.now()?.unix();
            let Some((mut session, version)) = self.find(key, now).await? else { return Ok(None) };
            change(&mut session, now);
            if self.put(key, &session, Some(version), now).await? {
                return Ok(Some(session.subject.clone()));
            }
        }
        Err(LoginError::Busy)
    }

    /// Under what the session of a caller is kept, where it is one of this login.
    pub(super) fn session_of(&self, caller: &Principal) -> Option<Key> {
        let by_us = caller.issuer() == &**self.issuer() && caller.client_id() == Some(self.client());
        let ours = caller.kind() == Kind::Session && by_us;
        let digest = URL_SAFE_NO_PAD.decode(caller.credential_id().filter(|_| ours)?).ok()?;
        Some(Key::of_session(digest.try_into().ok()?))
    }
}
