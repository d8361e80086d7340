//! The claims of a token (RFC 7519 section 4), read in one pass and judged.
//!
//! Rules, in this order; each refuses the token:
//! 1. the payload is one JSON object, no member twice at any level, known claims of their own types;
//! 2. `iss` is one string, equal to the issuer code point by code point;
//! 3. `aud` is a string or an array of strings and contains the audience, case-sensitively (RFC 8725 section 3.9);
//! 4. `exp` is there and `now < exp + leeway` (RFC 7519 section 4.1.4: on or after refuses);
//! 5. `nbf`, if there, is not after `now + leeway`; `iat` and `auth_time`, if there, neither, and `iat` not longer ago than
//!    accepted;
//! 6. an access token (RFC 9068 section 2.2) also has `sub`, `client_id`, `iat` and `jti`; any token has `sub`;
//! 7. a token that is not typed as an access token must not look like an ID token.
//!
//! What a token is bound to (`cnf`) comes out of it; whether that was shown is [`binding`](crate::authn::binding)'s
//! question. So do `acr` and `auth_time`, of which [`step_up`](crate::authn::step_up) decides.

mod read;

use std::borrow::Cow;

use self::read::{Claims, Reader};
use super::json::{self, Why};
use crate::authn::{Reason, binding::Confirmation};

/// What a scheme asks of the claims.
#[derive(Debug)]
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) leeway: f64,
    pub(crate) max_lifetime: Option<f64>,
    pub(crate) scopes_claim: &'a [&'a str],
    /// The token is typed as an access token of RFC 9068.
    pub(crate) access_token: bool,
}

/// What is kept of claims that were accepted.
#[derive(Debug)]
pub(crate) struct Accepted<'a> {
    pub(crate) subject: Cow<'a, str>,
    pub(crate) scopes: Cow<'a, str>,
    pub(crate) client: Option<Cow<'a, str>>,
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) expires: f64,
    pub(in crate::authn) confirmation: Option<Confirmation<'a>>,
    pub(crate) acr: Option<Cow<'a, str>>,
    pub(crate) auth_time: Option<f64>,
}

/// Reads the decoded payload and judges it at `now` (seconds since 1970).
///
/// Called only after the signature has verified: nothing is parsed that nobody signed.
pub(crate) fn judge<'a>(
    payload: &'a [u8],
    expected: &Expected<'_>,
    now: f64,
) -> Result<Accepted<'a>, Reason> {
    let why = Why::default();
    let claims = json::parse(payload, Reader { expected, why: &why }, &why)?;
    match claims.issuer_is_ours {
        Some(true) => {}
        Some(false) => return Err(Reason::WrongIssuer),
        None => return Err(Reason::MissingClaim),
    }
    match claims.audience_is_ours {
        Some(true) => {}
        Some(false) => return Err(Reason::WrongAudience),
        None => return Err(Reason::MissingClaim),
    }
    let expires = judge_times(&claims, expected, now)?;
    if claims.id_token && !expected.access_token {
        return Err(Reason::IdToken);
    }
    if expected.access_token && (claims.client.is_none() || claims.id.is_none() || claims.iat.is_none()) {
        return Err(Reason::MissingClaim);
    }
    let subject = claims.sub.filter(|sub| !sub.is_empty()).ok_or(Reason::MissingClaim)?;
    let scopes = claims.scopes.unwrap_or_default();
    let Claims { client, id, confirmation, acr, auth_time, .. } = claims;
    Ok(Accepted { subject, scopes, client, id, expires, confirmation, acr, auth_time })
}

fn judge_times(claims: &Claims<'_>, expected: &Expected<'_>, now: f64) -> Result<f64, Reason> {
    let expires = claims.exp.ok_or(Reason::MissingClaim)?;
    if now >= expires + expected.leeway {
        return Err(Reason::Expired);
    }
    if claims.nbf.is_some_and(|nbf| nbf > now + expected.leeway) {
        return Err(Reason::NotYetValid);
    }
    if [claims.iat, claims.auth_time].into_iter().flatten().any(|past| past > now + expected.leeway) {
        return Err(Reason::IssuedInFuture);
    }
    if let Some(longest) = expected.max_lifetime {
        // without `iat` nobody knows how old it is
        let issued = claims.iat.ok_or(Reason::MissingClaim)?;
        if now - issued > longest {
            return Err(Reason::TooOld);
        }
    }
    Ok(expires)
}

#[cfg(test)]
mod tests;
