//! ID tokens (OpenID Connect Core 1.0 section 3.1.3.7): what a provider says of a login, to its client.
//!
//! Rules, after those of every signed token ([`jws`], [`claims`]); each refuses the token:
//! 1. it is signed by a key of the issuer that was asked, with an asymmetric algorithm: never `none`, and never the client's
//!    secret, whatever the provider allows (rules 6 to 8);
//! 2. `typ`, where it is there, is `JWT`: no access token and no logout token stands for one (RFC 8725 section 3.11);
//! 3. `aud` is the client and nobody else, for we trust no other audience (rule 3);
//! 4. `azp`, where it is there, is the client (rule 5);
//! 5. `exp` and `iat` are there (section 2), `nonce` is that of the request, compared in constant time (rule 11);
//! 6. `at_hash`, where it is there, is that of the access token (section 3.1.3.8);
//! 7. where classes were asked for, `acr` is one of them (rule 12);
//! 8. where `max_age` was asked for, `auth_time` is there (section 3.1.2.1), and was no longer before the request than that (rule 13);
//! 9. where a claim names the tenant, it is there.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::{
    Jwks,
    algorithm::Allowed,
    claims::{self, Expected, Profile},
    header::Header,
    jws::{self, Parts, Room},
};
use crate::{authn::Reason, clock::Now, operation::Algorithm, secret::ct_eq};

/// Clocks of providers differ from ours by this much.
const LEEWAY: f64 = 30.0;

/// Judges the ID tokens of one provider for one client.
pub(crate) struct IdTokens {
    pub(super) keys: Jwks,
    pub(super) allowed: Allowed,
    issuer: String,
    client: String,
    /// Path of the claim that names the tenant; empty where none does.
    tenant: Vec<String>,
}

/// What the request of a login asked for and the answer gave beside the token.
pub(crate) struct Asked<'a> {
    pub(crate) nonce: &'a str,
    pub(crate) access_token: &'a str,
    /// `acr_values`; empty where any will do.
    pub(crate) classes: &'a [String],
    /// The earliest `auth_time`, in seconds since 1970, where `max_age` was asked for.
    pub(crate) since: Option<u64>,
}

/// Who logged in.
#[derive(Debug)]
pub(crate) struct Identified {
    pub(crate) subject: String,
    pub(crate) tenant: Option<String>,
    pub(crate) class: Option<String>,
    pub(crate) time: Option<f64>,
    /// `sid`: the session at the provider.
    pub(crate) session: Option<String>,
}

/// Why an ID token was refused: for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadIdToken {
    Token(Reason),
    OtherAudiences,
    AuthorizedParty,
    Nonce,
    AccessTokenHash,
    /// The login is none of the classes that were asked for.
    Class,
    /// The login is older than was asked for, or nobody says how old.
    Age,
    /// Of a logout token: it does not say that somebody was logged out.
    NoLogout,
    /// Of a logout token: it names neither a subject nor a session.
    Nobody,
}

/// What only ID tokens have. Read after [`claims::judge`] has refused names that stand twice.
#[derive(Deserialize)]
struct OfIdTokens {
    aud: Audience,
    azp: Option<String>,
    nonce: Option<String>,
    at_hash: Option<String>,
    sid: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(#[expect(dead_code, reason = "judged with the claims of every token")] String),
    Several(Vec<String>),
}

impl IdTokens {
    /// By the keys of the issuer. `None` where an algorithm is one of a shared secret, or there is none.
    pub(crate) fn new(keys: Jwks, algorithms: &[Algorithm], issuer: &str, client: &str) -> Option<Self> {
        let allowed = Allowed::new(algorithms).ok().filter(|allowed| !allowed.contains(Algorithm::HS256))?;
        let (issuer, client) = (issuer.to_owned(), client.to_owned());
        Some(Self { keys, allowed, issuer, client, tenant: Vec::new() })
    }

    /// Whose claim at this path names the tenant.
    pub(crate) fn naming_tenants(self, tenant: Vec<String>) -> Self {
        Self { tenant, ..self }
    }

    /// Fetches the keys for the first time.
    pub(crate) async fn load(&self) -> Result<(), Reason> {
        Ok(self.keys.load().await?)
    }

    /// Judges a token; when its key is not among those that the issuer had last time, looks again.
    pub(crate) async fn judge(
        &self,
        token: &str,
        asked: &Asked<'_>,
        now: Now,
    ) -> Result<Identified, BadIdToken> {
        self.judge_by_newest(token, || self.judge_now(token, asked, now)).await
    }

    pub(super) async fn judge_by_newest<T>(
        &self,
        token: &str,
        judge: impl Fn() -> Result<T, BadIdToken>,
    ) -> Result<T, BadIdToken> {
        let by_known = || match judge() {
            Err(BadIdToken::Token(Reason::UnknownKid | Reason::KeysUnavailable)) => None,
            judged => Some(judged),
        };
        let judged = self.keys.judge_by(token.as_bytes(), by_known).await;
        judged.map_err(Reason::from)?.unwrap_or_else(judge)
    }

    fn judge_now(&self, token: &str, asked: &Asked<'_>, now: Now) -> Result<Identified, BadIdToken> {
        let keys = self.keys.current();
        let set = keys.as_ref().ok_or(Reason::KeysUnavailable)?;
        let parts = Parts::split(token.as_bytes())?;
        let mut room = Room::for_token(token.as_bytes());
        let verified = jws::verify(&parts, &mut room, self.allowed, &set.ring, plainly_typed)?;
        let tenant_claim: Vec<&str> = self.tenant.iter().map(String::as_str).collect();
        let expected = Expected { tenant_claim: &tenant_claim, ..self.expected(Profile::IdToken) };
        let claims = claims::judge(verified.payload, &expected, now.wall().as_secs_f64())?;
        let own: OfIdTokens = serde_json::from_slice(verified.payload).map_err(|_| Reason::Malformed)?;
        self.judge_own(&own, verified.algorithm, asked)?;
        if !asked.classes.is_empty() && !asked.classes.iter().any(|one| claims.acr.as_deref() == Some(one)) {
            return Err(BadIdToken::Class);
        }
        let recent = |since: u64| claims.auth_time.is_some_and(|time| time + LEEWAY >= since as f64);
        if !asked.since.is_none_or(recent) {
            return Err(BadIdToken::Age);
        }
        Ok(Identified {
            subject: claims.subject.into_owned(),
            tenant: claims.tenant.map(Into::into),
            class: claims.acr.map(Into::into),
            time: claims.auth_time,
            session: own.sid,
        })
    }

    /// What is asked of the claims of every token that the provider makes for us.
    pub(super) fn expected(&self, profile: Profile) -> Expected<'_> {
        Expected {
            issuer: Some(&self.issuer),
            audience: Some(&self.client),
            leeway: LEEWAY,
            max_lifetime: None,
            scopes_claim: &[],
            tenant_claim: &[],
            profile,
        }
    }

    /// Rule 3.
    pub(super) fn is_for_us_alone(&self, audience: &Audience) -> Result<(), BadIdToken> {
        match audience {
            Audience::Several(all) if all.iter().any(|one| *one != self.client) => {
                Err(BadIdToken::OtherAudiences)
            }
            Audience::One(_) | Audience::Several(_) => Ok(()),
        }
    }

    /// Rules 3 to 6.
    fn judge_own(&self, own: &OfIdTokens, algorithm: Algorithm, asked: &Asked<'_>) -> Result<(), BadIdToken> {
        self.is_for_us_alone(&own.aud)?;
        if own.azp.as_ref().is_some_and(|party| *party != self.client) {
            return Err(BadIdToken::AuthorizedParty);
        }
        match own.nonce.as_ref().is_some_and(|nonce| ct_eq(nonce.as_bytes(), asked.nonce.as_bytes())) {
            true => {}
            false => return Err(BadIdToken::Nonce),
        }
        match &own.at_hash {
            Some(hash) if *hash != left_half(algorithm, asked.access_token) => {
                Err(BadIdToken::AccessTokenHash)
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Rule 2.
fn plainly_typed(header: &Header<'_>) -> Result<(), Reason> {
    if header.typ.is_none() || header.is_typed("JWT") { Ok(()) } else { Err(Reason::WrongType) }
}

/// The left half of the hash of an access token, by the hash of the token's own algorithm; that of Ed25519 is SHA-512
/// (RFC 8032 section 5.1).
fn left_half(algorithm: Algorithm, access_token: &str) -> String {
    let hash = match algorithm {
        Algorithm::HS256 | Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256 => &digest::SHA256,
        Algorithm::ES384 => &digest::SHA384,
        Algorithm::EdDSA => &digest::SHA512,
    };
    let digest = digest::digest(hash, access_token.as_bytes());
    let (left, _) = digest.as_ref().split_at_checked(digest.as_ref().len() / 2).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(left)
}

impl BadIdToken {
    /// The word for the event's `failure_reason`.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Token(reason) => reason.code(),
            Self::OtherAudiences => "other_audiences",
            Self::AuthorizedParty => "wrong_authorized_party",
            Self::Nonce => "wrong_nonce",
            Self::AccessTokenHash => "wrong_at_hash",
            Self::Class => "wrong_acr",
            Self::Age => "wrong_auth_time",
            Self::NoLogout => "no_logout_event",
            Self::Nobody => "neither_subject_nor_session",
        }
    }

    /// The login is not as it was asked for.
    pub(crate) fn is_insufficient(self) -> bool {
        matches!(self, Self::Class | Self::Age)
    }

    /// Nobody knows whether the token is good.
    pub(crate) fn is_unknown(self) -> bool {
        matches!(self, Self::Token(Reason::KeysUnavailable | Reason::KeyNotSought(_) | Reason::Busy))
    }
}

impl From<Reason> for BadIdToken {
    fn from(reason: Reason) -> Self {
        Self::Token(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_the_standards_example() {
        // OpenID Connect Core 1.0 appendix A.3
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(left_half(Algorithm::RS256, token), "77QmUPtjPfzWtF2AnpK9RQ");
        // of the same token, by the hashes of the other algorithms
        assert_eq!(left_half(Algorithm::ES256, token), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(left_half(Algorithm::ES384, token), "jtAeDp945y1dDqU3nkIVGNZP1HjH_MFs");
        assert_eq!(left_half(Algorithm::EdDSA, token), "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM");
    }

    #[test]
    fn no_shared_secret_signs() {
        let keys =
            || Jwks::from(super::super::JwkSet::from_secret(&crate::Secret::new(vec![1; 32])).unwrap());
        let made =
            |algorithms: &[Algorithm]| IdTokens::new(keys(), algorithms, "https://id", "app").is_some();
        assert!(made(&[Algorithm::ES256, Algorithm::RS256]));
        assert!(!made(&[Algorithm::HS256]) && !made(&[Algorithm::ES256, Algorithm::HS256]) && !made(&[]));
    }
}
