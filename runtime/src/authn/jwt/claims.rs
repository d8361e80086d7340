//! The claims of a token (RFC 7519 section 4), read in one pass and judged.
//!
//! Rules, in this order; each refuses the token:
//! 1. the payload is one JSON object, no member twice at any level, known claims of their own types;
//! 2. `iss` is one string, equal to the issuer code point by code point;
//! 3. `aud` is a string or an array of strings and contains the audience, case-sensitively (RFC 8725 section 3.9);
//! 4. `exp` is there and `now < exp + leeway` (RFC 7519 section 4.1.4: on or after refuses);
//! 5. `nbf`, if there, is not after `now + leeway`; `iat` and `auth_time`, if there, neither, and `iat` not longer ago than
//!    accepted;
//! 6. an access token (RFC 9068 section 2.2) also has `sub`, `client_id`, `iat` and `jti`; any token has `sub`, but a logout token,
//!    which has `iat` and `jti`;
//! 7. a token that is not typed as an access token must not look like an ID token;
//! 8. where there is a claim for it, the tenant is one text that is not empty and not too long.
//!
//! What an issuer says of a token when it is asked (RFC 7662 section 2.2) has the same members and is judged by the same
//! rules, but `exp` need not be there, nor `iss` and `aud` where nobody says what they must be. Before all others: `active`
//! is a boolean, and `true`; a token of a type that the client does not know must not be used (RFC 6749 section 7.1), and the
//! case of `token_type` is free.
//!
//! What a token is bound to (`cnf`) comes out of it; whether that was shown is [`binding`](crate::authn::binding)'s
//! question. So do `acr` and `auth_time`, of which [`step_up`](crate::authn::step_up) decides.

mod named;
mod read;

use std::{borrow::Cow, sync::Arc};

use self::read::{Claims, Reader};
use super::json;
use crate::authn::{
    Reason,
    binding::Confirmation,
    principal::{Facts, Kind, Principal, Said, is_tenant},
};

/// What a scheme asks of the claims.
#[derive(Debug)]
pub(crate) struct Expected<'a> {
    /// `None`: whoever it names. Signed tokens always have one.
    pub(crate) issuer: Option<&'a str>,
    /// `None`: whomever it is for. Signed tokens always have one.
    pub(crate) audience: Option<&'a str>,
    pub(crate) leeway: f64,
    pub(crate) max_lifetime: Option<f64>,
    pub(crate) scopes_claim: &'a [&'a str],
    /// Empty: no tenant is asked for.
    pub(crate) tenant_claim: &'a [&'a str],
    pub(crate) profile: Profile,
}

/// Which claims must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Those of an access token of RFC 9068.
    AccessToken,
    /// Those of any signed token.
    Signed,
    /// Those of an ID token, as far as others have them too: also `iat`.
    #[cfg_attr(not(feature = "login"), allow(dead_code, reason = "a login needs the feature"))]
    IdToken,
    /// Those of a logout token: `iat` and `jti`, and no `nonce`; `sub` need not be there.
    #[cfg_attr(not(feature = "login"), allow(dead_code, reason = "a login needs the feature"))]
    LogoutToken,
    /// Those that an issuer tells who is asked. `word`: the type of token that is asked about, as `Authorization` names it.
    #[cfg_attr(not(feature = "outbound"), allow(dead_code, reason = "asking needs the feature"))]
    Introspected { word: &'static str },
}

impl Profile {
    const fn is_told(self) -> bool {
        matches!(self, Self::Introspected { .. })
    }
}

/// What is kept of claims that were accepted.
#[derive(Debug)]
pub(crate) struct Accepted<'a> {
    /// Empty where a logout token names none.
    pub(crate) subject: Cow<'a, str>,
    pub(crate) scopes: Cow<'a, str>,
    pub(crate) client: Option<Cow<'a, str>>,
    pub(crate) id: Option<Cow<'a, str>>,
    /// Whom it names as issuer, which is the expected one if one is.
    #[cfg_attr(not(feature = "outbound"), allow(dead_code, reason = "signed tokens have the expected one"))]
    pub(crate) issuer: Option<Cow<'a, str>>,
    pub(crate) issued: Option<f64>,
    pub(crate) expires: Option<f64>,
    pub(in crate::authn) confirmation: Option<Confirmation<'a>>,
    pub(crate) acr: Option<Cow<'a, str>>,
    pub(crate) auth_time: Option<f64>,
    /// There where it is asked for.
    pub(crate) tenant: Option<Cow<'a, str>>,
}

impl Accepted<'_> {
    /// Of whom they speak, by the word of `issuer`.
    pub(in crate::authn) fn principal(
        &self,
        scheme: &'static str,
        kind: Kind,
        issuer: Arc<str>,
    ) -> Principal {
        let facts = Facts {
            scheme,
            kind,
            issuer,
            issued: self.issued.map(|issued| issued as u64),
            expires: self.expires.map(|expires| expires as u64),
            login_time: self.auth_time,
        };
        let said = Said {
            subject: &self.subject,
            scopes: &self.scopes,
            client: self.client.as_deref(),
            credential: self.id.as_deref(),
            login_class: self.acr.as_deref(),
            tenant: self.tenant.as_deref(),
        };
        Principal::new(facts, said)
    }
}

/// Reads the decoded payload and judges it at `now` (seconds since 1970).
///
/// Called only after the signature has verified: nothing is parsed that nobody signed.
pub(crate) fn judge<'a>(
    payload: &'a [u8],
    expected: &Expected<'_>,
    now: f64,
) -> Result<Accepted<'a>, Reason> {
    let mut reader = Reader::new(expected);
    json::object_into(payload, &mut reader)?;
    let claims = reader.claims;
    if let Profile::Introspected { word } = expected.profile {
        judge_active(&claims, word)?;
    }
    match (expected.issuer, claims.issuer.as_deref()) {
        (Some(ours), Some(named)) if named == ours => {}
        (Some(_), Some(_)) => return Err(Reason::WrongIssuer),
        (Some(_), None) => return Err(Reason::MissingClaim),
        (None, _) => {}
    }
    match (expected.audience, claims.audience_is_ours) {
        (Some(_), Some(true)) | (None, _) => {}
        (Some(_), Some(false)) => return Err(Reason::WrongAudience),
        (Some(_), None) => return Err(Reason::MissingClaim),
    }
    let expires = judge_times(&claims, expected, now)?;
    let access_token = expected.profile == Profile::AccessToken;
    if claims.id_token && !matches!(expected.profile, Profile::AccessToken | Profile::IdToken) {
        return Err(Reason::IdToken);
    }
    let logout_token = expected.profile == Profile::LogoutToken;
    if (expected.profile == Profile::IdToken || logout_token) && claims.iat.is_none() {
        return Err(Reason::MissingClaim);
    }
    if logout_token && claims.id.as_ref().is_none_or(|id| id.is_empty()) {
        return Err(Reason::MissingClaim);
    }
    // an empty one names nothing, and could not be revoked
    let named = |claim: &Option<Cow<'_, str>>| claim.as_ref().is_some_and(|text| !text.is_empty());
    if access_token && !(named(&claims.client) && named(&claims.id) && claims.iat.is_some()) {
        return Err(Reason::MissingClaim);
    }
    let subject = match claims.sub.filter(|sub| !sub.is_empty()) {
        Some(subject) => subject,
        None if logout_token => Cow::Borrowed(""),
        None => return Err(Reason::MissingClaim),
    };
    let tenant = tenant(claims.tenant, expected)?;
    let scopes = claims.scopes.unwrap_or_default();
    let Claims { client, id, confirmation, issuer, iat: issued, acr, auth_time, .. } = claims;
    Ok(Accepted {
        subject,
        scopes,
        client,
        id,
        issuer,
        issued,
        expires,
        confirmation,
        acr,
        auth_time,
        tenant,
    })
}

/// Rule 8. Nobody without a tenant gets in: what is kept by tenant would be kept for all of them together.
fn tenant<'a>(named: Option<Cow<'a, str>>, expected: &Expected<'_>) -> Result<Option<Cow<'a, str>>, Reason> {
    if expected.tenant_claim.is_empty() {
        return Ok(None);
    }
    named.filter(|tenant| is_tenant(tenant)).map(Some).ok_or(Reason::NoTenant)
}

fn judge_active(claims: &Claims<'_>, word: &str) -> Result<(), Reason> {
    let known = claims.token_type.as_deref().is_none_or(|of| of.eq_ignore_ascii_case(word));
    match claims.active {
        Some(true) if known => Ok(()),
        Some(_) => Err(Reason::Inactive),
        None => Err(Reason::Malformed),
    }
}

fn judge_times(claims: &Claims<'_>, expected: &Expected<'_>, now: f64) -> Result<Option<f64>, Reason> {
    match claims.exp {
        Some(expires) if now >= expires + expected.leeway => return Err(Reason::Expired),
        None if !expected.profile.is_told() => return Err(Reason::MissingClaim),
        Some(_) | None => {}
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
    Ok(claims.exp)
}

#[cfg(test)]
mod tests;
