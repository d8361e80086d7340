//! What an access token says (RFC 9068 section 2.2), and one of ours read back to be revoked.

use serde_json::{Value, json};

use super::Issuer;
use super::error::RevokeError;
use super::event::{About, Event, Why};
use super::family::Refusal;
use crate::authn::jwt::{
    algorithm::Allowed,
    claims::{self, Expected, Profile},
    jws::{self, Parts, Room},
};
use crate::operation::Algorithm;

/// What is said of whom.
pub(super) struct Claims<'a> {
    pub(super) subject: &'a str,
    pub(super) client: &'a str,
    pub(super) scope: &'a str,
    pub(super) id: &'a str,
    pub(super) iat: u64,
    pub(super) exp: u64,
    pub(super) auth_time: Option<u64>,
    pub(super) acr: Option<&'a str>,
    /// The thumbprint of the key that it is bound to.
    pub(super) key: Option<&'a str>,
}

impl Claims<'_> {
    pub(super) fn json(&self, issuer: &str, audience: &str) -> Value {
        // the claims that must be there
        let mut claims = json!({
            "iss": issuer,
            "aud": audience,
            "sub": self.subject,
            "client_id": self.client,
            "iat": self.iat,
            "exp": self.exp,
            "jti": self.id,
        });
        let optional = [
            ("scope", (!self.scope.is_empty()).then(|| self.scope.into())),
            ("auth_time", self.auth_time.map(Value::from)),
            ("acr", self.acr.map(Value::from)),
            ("cnf", self.key.map(|key| json!({ "jkt": key }))), // RFC 9449 section 6.1
        ];
        if let Some(members) = claims.as_object_mut() {
            members.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        }
        claims
    }
}

/// What revoking one needs to know.
struct Ours {
    subject: String,
    client: String,
    id: String,
    exp: u64,
}

impl Issuer {
    /// Revokes an access token for its client. What is not ours, or over, is no error (RFC 7009 section 2.2).
    pub(super) async fn revoke_access(&self, token: &str, client: &str) -> Result<(), RevokeError> {
        let now = self.now()?;
        // who rotated a moment ago in another instance signed by a key that is published here
        self.0.ring.view(now).await?;
        let Some(ours) = self.read_access(token, now.wall().as_secs_f64()) else { return Ok(()) };
        let about = About {
            issuer: &self.0.issuer,
            subject: &ours.subject,
            client,
            family: super::text::family_of(&ours.id).unwrap_or("-"),
        };
        if ours.client != client {
            self.refused(Refusal::Foreign, &about);
            return Err(RevokeError::Foreign);
        }
        let Some(denylist) = &self.0.denylist else { return Err(RevokeError::Unsupported) };
        denylist.revoke_token(&self.0.issuer, &ours.id, ours.exp).await?;
        Event::Revoked(Why::ByClient).emit(&about);
        Ok(())
    }

    /// Whether the keys of this process verify an access token.
    #[cfg(test)]
    pub(super) fn is_ours(&self, token: &str, now: crate::clock::Now) -> bool {
        self.read_access(token, now.wall().as_secs_f64()).is_some()
    }

    fn read_access(&self, token: &str, now: f64) -> Option<Ours> {
        let keys = self.0.ring.published().current();
        let parts = Parts::split(token.as_bytes()).ok()?;
        let mut room = Room::for_token(token.as_bytes());
        let allowed = Allowed::new(&[Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256]).ok()?;
        let verified = jws::verify(&parts, &mut room, allowed, &keys.as_ref()?.ring, |header| {
            match header.is_typed("at+jwt") {
                true => Ok(()),
                false => Err(crate::Reason::WrongType),
            }
        });
        let expected = Expected {
            issuer: Some(&self.0.issuer),
            audience: Some(&self.0.audience),
            leeway: crate::authn::jwt::MAX_LEEWAY as f64,
            max_lifetime: None,
            scopes_claim: &["scope"],
            tenant_claim: &[],
            profile: Profile::AccessToken,
        };
        let claims = claims::judge(verified.ok()?.payload, &expected, now).ok()?;
        Some(Ours {
            subject: claims.subject.into_owned(),
            client: claims.client?.into_owned(),
            id: claims.id?.into_owned(),
            exp: claims.expires? as u64,
        })
    }
}
