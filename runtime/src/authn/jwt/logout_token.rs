//! Logout tokens (OpenID Connect Back-Channel Logout 1.0 sections 2.4 and 2.6): what a provider says of who was logged out.
//!
//! Rules, after those of every signed token; each refuses the token:
//! 1. it is signed as an ID token of this provider is (rule 1 of [`id_token`](super::id_token)): never by `none`;
//! 2. `typ`, where it is there, is `logout+jwt` or `JWT`;
//! 3. `iss`, `aud`, `iat` and `exp` are judged as those of an ID token: the client is its only audience;
//! 4. it is [`LONGEST`] old at most, so that its `jti`, which must be there, is remembered for no longer;
//! 5. it names a `sub`, a `sid` or both;
//! 6. `events` is an object with the member [`EVENT`], which is an object: no ID token says that;
//! 7. it has no `nonce`: no logout token could stand for an ID token.
//!
//! Whether it was shown before, the login knows.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::claims::{self, Expected, Profile};
use super::header::Header;
use super::id_token::{Audience, BadIdToken, IdTokens};
use super::jws::{self, Parts, Room};
use crate::authn::Reason;
use crate::clock::Now;

/// Section 2.4.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// Seconds since `iat`. Section 4 recommends two minutes for `exp`.
pub(crate) const LONGEST: u64 = 600;

/// Who was logged out.
#[derive(Debug)]
pub(crate) struct LoggedOut {
    pub(crate) subject: Option<String>,
    /// `sid`: the session at the provider.
    pub(crate) session: Option<String>,
    /// `jti`.
    pub(crate) id: String,
}

/// What only logout tokens have. Read after [`claims::judge`] has refused names that stand twice.
#[derive(Deserialize)]
struct OfLogoutTokens {
    aud: Audience,
    sid: Option<String>,
    #[serde(default)]
    events: BTreeMap<String, serde_json::Value>,
}

impl IdTokens {
    /// Judges a logout token; when its key is not among those that the issuer had last time, looks again.
    pub(crate) async fn judge_logout(&self, token: &str, now: Now) -> Result<LoggedOut, BadIdToken> {
        self.judge_by_newest(token, || self.judge_logout_now(token, now)).await
    }

    fn judge_logout_now(&self, token: &str, now: Now) -> Result<LoggedOut, BadIdToken> {
        let keys = self.keys.current();
        let set = keys.as_ref().ok_or(Reason::KeysUnavailable)?;
        let parts = Parts::split(token.as_bytes())?;
        let mut room = Room::for_token(token.as_bytes());
        let verified = jws::verify(&parts, &mut room, self.allowed, &set.ring, typed)?;
        let expected = Expected { max_lifetime: Some(LONGEST as f64), ..self.expected(Profile::LogoutToken) };
        let claims = claims::judge(verified.payload, &expected, now.wall().as_secs_f64())?;
        let own: OfLogoutTokens = serde_json::from_slice(verified.payload).map_err(|_| Reason::Malformed)?;
        self.is_for_us_alone(&own.aud)?;
        if !own.events.get(EVENT).is_some_and(serde_json::Value::is_object) {
            return Err(BadIdToken::NoLogout);
        }
        let subject = Some(claims.subject.into_owned()).filter(|subject| !subject.is_empty());
        let session = own.sid.filter(|session| !session.is_empty());
        if subject.is_none() && session.is_none() {
            return Err(BadIdToken::Nobody);
        }
        let id = claims.id.ok_or(Reason::MissingClaim)?.into_owned();
        Ok(LoggedOut { subject, session, id })
    }
}

/// Rule 2.
fn typed(header: &Header<'_>) -> Result<(), Reason> {
    match header.typ.is_none() || header.is_typed("logout+jwt") || header.is_typed("JWT") {
        true => Ok(()),
        false => Err(Reason::WrongType),
    }
}
