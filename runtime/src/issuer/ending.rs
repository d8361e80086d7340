//! Ending what was issued: one token or family by its client, a family by a logout, all of a subject.

use super::Issuer;
use super::error::{IssuerError, RevokeError};
use super::event::{About, Event, Why};
use super::family::Refusal;
use super::text::{self, RefreshText};
use crate::{Identity, Principal};

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

    /// Ends every family of a subject that began until now, and revokes its access tokens. Whoever signs in within the same
    /// second signs in again: nobody knows which came first.
    ///
    /// # Errors
    /// When the issuer cannot do its part: do it again.
    pub async fn revoke_all(&self, subject: &str) -> Result<(), IssuerError> {
        let now = self.now()?;
        self.put_subject(subject, now).await?;
        let about = About { issuer: &self.0.issuer, subject, client: "-", family: "-" };
        Event::Revoked(Why::Everywhere).emit(&about);
        if let Some(denylist) = &self.0.denylist {
            let of = Identity { issuer: &self.0.issuer, subject };
            // who renewed before the record was there may have a token of a later second than when this began
            denylist.revoke_all_until(of, self.now()?.unix()).await?;
        }
        Ok(())
    }
}
