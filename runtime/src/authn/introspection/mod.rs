//! Tokens that only their issuer can read, who is asked about each (RFC 7662).
//!
//! Rules ([`Introspector::judge`]):
//! 1. a token is at most 8 KiB in the letters of RFC 6750 section 2.1; nobody is asked about anything else;
//! 2. without `introspection.cache` the issuer is asked for each request; with it, as [`cache`] says;
//! 3. it is asked as [`ask`] says. When it does not answer, or answers what is none, the request is refused because nobody
//!    knows (503);
//! 4. `active` must be the boolean `true`; `token_type`, where it is there, the word that its tokens come under;
//! 5. `exp`, `nbf`, `iat`, `cnf` and the scopes are judged like those of a signed token where they are there; `max-lifetime`
//!    asks for `iat`;
//! 6. `iss` and `aud` must be there and be ours where the document or the configuration names them. An issuer that tells
//!    no audience answers for the client that asks (RFC 7662 section 4);
//! 7. `sub` must be there, and the tenant where the document has a claim for it: the principal is (issuer, subject, tenant). The
//!    issuer is the one that is named, else the one that the answer names, else the scheme itself.
//!
//! An answer is judged again, at the time and with the certificate of each request that it is used for.

mod ask;
mod cache;

use std::sync::Arc;

pub use self::ask::{Introspection, IntrospectionError};
use self::{ask::Unknown, cache::Cache};
use super::{
    Fault, Judged, Kind, Reason,
    binding::Possession,
    dpop::Proofs,
    jwt::{
        Agreed, MAX_LEEWAY,
        claims::{self, Expected, Profile},
    },
    present::Shown,
    principal::{LOCAL_ISSUER, local_issuer},
};
use crate::{
    clock::Now,
    operation::{Binding, Token, TokenRules},
};

/// Longest token that anybody is asked about.
const MAX_TOKEN: usize = 8 * 1024;

/// Judges the tokens of one scheme.
pub(in crate::authn) struct Introspector {
    scheme: &'static str,
    far: Introspection,
    cache: Option<Cache>,
    issuer: Option<Arc<str>>,
    /// The issuer where nobody names one.
    own: Arc<str>,
    audience: Option<Box<str>>,
    rules: &'static TokenRules,
    pub(in crate::authn) possession: Possession,
}

impl Introspector {
    /// Brings together what the document says and what the configuration gives.
    pub(in crate::authn) fn new(
        scheme: &'static str,
        rules: &'static TokenRules,
        mut far: Introspection,
        proofs: Option<&Arc<Proofs>>,
    ) -> Result<Self, Vec<Fault>> {
        let Token::Introspected { cache } = rules.token else { return Err(vec![Fault::OtherKind]) };
        let mut faults = Vec::new();
        let mut agree = |document, configured: Option<String>, empty, other| {
            let said = configured.is_some();
            match Agreed::of(document, configured) {
                Agreed::On(text) => return Some(text),
                Agreed::Unsaid if said => faults.push(empty),
                Agreed::Unsaid => {}
                Agreed::Not => faults.push(other),
            }
            None
        };
        let issuer = agree(rules.issuer, far.issuer.take(), Fault::NoIssuer, Fault::OtherIssuer);
        let audience = agree(rules.audience, far.audience.take(), Fault::NoAudience, Fault::OtherAudience);
        if issuer.as_ref().is_some_and(|issuer| issuer.starts_with(LOCAL_ISSUER)) {
            faults.push(Fault::ReservedIssuer);
        }
        if rules.leeway.as_secs() > MAX_LEEWAY {
            faults.push(Fault::Leeway);
        }
        if matches!(rules.binding, Binding::Proof { .. }) {
            far.word = "DPoP"; // RFC 9449 section 6.2
        }
        let possession = Possession::new(rules.binding, proofs).map_err(|fault| faults.push(fault)).ok();
        let (Some(possession), true) = (possession, faults.is_empty()) else { return Err(faults) };
        Ok(Self {
            scheme,
            far,
            cache: cache.map(Cache::new),
            issuer: issuer.map(Into::into),
            own: local_issuer(scheme),
            audience: audience.map(Into::into),
            rules,
            possession,
        })
    }

    /// Whether its endpoint answers, as far as is known.
    pub(in crate::authn) fn answers(&self) -> bool {
        self.far.answers()
    }

    /// Judges `token`. `shown`: what else the request shows.
    pub(in crate::authn) async fn judge(
        &self,
        token: &[u8],
        shown: &Shown<'_>,
        now: Now,
    ) -> Result<Judged, Reason> {
        let token = well_formed(token).ok_or(Reason::Malformed)?;
        let answer = match &self.cache {
            None => self.far.ask(token).await,
            Some(cache) => cache.ask(&self.far, token, now).await,
        };
        let answer = answer.map_err(|unknown| match unknown {
            Unknown::Busy => Reason::Busy,
            Unknown::Unavailable => Reason::IntrospectionUnavailable,
            Unknown::LeftAlone(left) => Reason::for_so_long(Reason::IntrospectionLeftAlone, left),
        })?;
        self.judge_answer(token, &answer, shown, now)
    }

    /// Whether each of its tokens has a tenant.
    pub(crate) const fn names_tenants(&self) -> bool {
        !self.rules.tenant_claim.is_empty()
    }

    /// Rules 4 to 7.
    fn judge_answer(
        &self,
        token: &str,
        answer: &[u8],
        shown: &Shown<'_>,
        now: Now,
    ) -> Result<Judged, Reason> {
        let expected = Expected {
            issuer: self.issuer.as_deref(),
            audience: self.audience.as_deref(),
            leeway: self.rules.leeway.as_secs_f64(),
            max_lifetime: self.rules.max_lifetime.map(|longest| longest.as_secs_f64()),
            scopes_claim: self.rules.scopes_claim,
            tenant_claim: self.rules.tenant_claim,
            profile: Profile::Introspected { word: self.far.word },
        };
        let claims =
            claims::judge(answer, &expected, now.wall().as_secs_f64()).map_err(|reason| match reason {
                // the token may be good: it is the answer that cannot be read
                Reason::Malformed | Reason::DuplicateMember => {
                    self.far.warn("an answer that is none of RFC 7662");
                    Reason::IntrospectionUnavailable
                }
                other => other,
            })?;
        let used = self.possession.check(token.as_bytes(), claims.confirmation.as_ref(), shown, now)?;
        let issuer = match (&self.issuer, claims.issuer.as_deref()) {
            (Some(ours), _) => Arc::clone(ours),
            // a name of ours would make its subjects the holders of API keys
            (None, Some(named)) if named.starts_with(LOCAL_ISSUER) => return Err(Reason::WrongIssuer),
            (None, Some(named)) => named.into(),
            (None, None) => Arc::clone(&self.own),
        };
        let principal = claims.principal(self.scheme, Kind::Introspected, issuer);
        Ok(Judged { principal, used })
    }
}

/// Rule 1: `b64token` of RFC 6750 section 2.1.
fn well_formed(token: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(token).ok().filter(|text| text.len() <= MAX_TOKEN)?;
    let letters = text.trim_end_matches('=');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    (!letters.is_empty() && letters.bytes().all(plain)).then_some(text)
}

#[cfg(test)]
mod tests;
