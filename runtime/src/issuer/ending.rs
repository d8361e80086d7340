//! Ending what was issued: one token or family by its client, a family by a logout, all of a subject.
//!
//! Rules of ending all of a subject ([`Issuer::revoke_all`]). Nobody can search a state for the families of somebody, nor for the
//! access tokens:
//! 1. families are counted in rounds, as sessions of a login are. A family is of the round in which its sign-in began, and over as soon
//!    as there is a later one ([`later_round`]). No clock decides, neither which came first nor between instances;
//! 2. access tokens know no rounds, for any verifier takes them: they are denied by `iat`, until [`MARGIN`] after the change of the
//!    record began. Whoever did not see the change read the clock before it was made, so none of theirs is later;
//! 3. those who did see it write a later `iat` ([`Subject::iat`]): what they issue is good, also within the same second. It is
//!    ahead of time by the margin and a second, for which verifiers need leeway (30 s unless a document says otherwise);
//! 4. who does it again ends what was issued since, also within the same second: each denies at least a second more. After very
//!    many at once, verifiers take what is issued next some seconds later.

use super::Issuer;
use super::error::{IssuerError, RevokeError};
use super::event::{About, Event, Why};
use super::family::Refusal;
use super::store::Subject;
use super::text::{self, RefreshText};
use crate::event::whole;
use crate::state::later_round;
use crate::{Identity, Principal};

/// The change of a record takes two seconds of it at most, the clocks of instances may differ by the rest.
const MARGIN: u64 = 10;

impl Subject {
    /// What the record becomes when all until now is ended.
    pub(super) fn ended(self, now: u64) -> Self {
        Self {
            round: later_round(self.round, now),
            denied_until: self.denied_until.saturating_add(1).max(now.saturating_add(MARGIN)),
        }
    }

    /// The `iat` of an access token that is made at `now`.
    pub(super) fn iat(self, now: u64) -> u64 {
        now.max(self.denied_until.saturating_add(1))
    }
}

impl Issuer {
    /// Revokes a token for the client that it was given to (RFC 7009): of a refresh token, old or new, its whole family with its
    /// access tokens; of an access token, that one. A token that is unknown or over is no error.
    ///
    /// # Errors
    /// When it is another client's, an access token without a denylist, or the issuer cannot do its part.
    pub async fn revoke(&self, token: &str, client: &str) -> Result<(), RevokeError> {
        let Some(text) = RefreshText::parse(token) else { return self.revoke_access(token, client).await };
        let Some((family, _)) = self.family(text.family).await? else { return Ok(()) };
        if !self.is_genuine(&text, &family) {
            return Ok(());
        }
        if family.grant.client != client {
            self.refused(Refusal::Foreign, &About { client, ..self.about(text.family, &family) });
            return Err(RevokeError::Foreign);
        }
        Ok(self.end(text.family, Why::ByClient).await?)
    }

    /// Ends a family: what a logout does. One that is unknown or over is no error.
    ///
    /// # Errors
    /// When the issuer cannot do its part: the family may not have ended, or an access token of it may be good still.
    pub async fn sign_out(&self, family: &str) -> Result<(), IssuerError> {
        self.end(family, Why::SignedOut).await
    }

    /// The family of the access token that a caller shows, if it has one.
    #[must_use]
    pub fn family_of<'p>(&self, caller: &'p Principal) -> Option<&'p str> {
        let ours = caller.issuer() == self.0.issuer && matches!(caller.kind(), crate::Kind::Bearer(_));
        caller.credential_id().filter(|_| ours).and_then(text::family_of)
    }

    /// Ends every family of a subject that began until now, and revokes its access tokens, whichever instance issued them: their
    /// clocks may differ by eight seconds. A sign-in afterwards is good, also within the same second; the access tokens that the
    /// subject is given within the next ten seconds say an `iat` eleven seconds after this, and one more for each call since.
    ///
    /// # Errors
    /// When the issuer cannot do its part: do it again.
    pub async fn revoke_all(&self, subject: &str) -> Result<(), IssuerError> {
        let (issuer, subject) = (self.clone(), subject.to_owned());
        let done = whole(async move { issuer.revoke_all_now(&subject).await }).await;
        done.unwrap_or(Err(IssuerError::Busy))
    }

    async fn revoke_all_now(&self, subject: &str) -> Result<(), IssuerError> {
        let ended = self.end_subject(subject).await?;
        let about = About { issuer: &self.0.issuer, subject, client: "-", family: "-" };
        Event::Revoked(Why::Everywhere).emit(&about);
        if let Some(denylist) = &self.0.denylist {
            let of = Identity { issuer: &self.0.issuer, subject, tenant: None };
            denylist.revoke_all_until(of, ended.denied_until).await?;
        }
        Ok(())
    }
}
