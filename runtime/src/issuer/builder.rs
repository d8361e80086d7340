//! What an issuer is configured with, and within which bounds.

use std::{sync::Arc, time::Duration};

use super::error::IssuerError;
use super::family::Lifetimes;
use super::proof::REMEMBERED;
use super::ring::{Ring, Source};
use super::schedule::Schedule;
use super::secrets::IssuerKeys;
use super::{Inner, Issuer};
use crate::authn::attempts::Counters;
use crate::authn::dpop::Proofs;
use crate::authn::jwt::MAX_LEEWAY;
use crate::operation::Algorithm;
use crate::origin::PublicOrigin;
use crate::{Clock, Denylist, Settings, State, origin};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Families are no accounts: who does not come back within a year signs in again.
pub(super) const LONGEST_FAMILY: Duration = Duration::from_secs(366 * 24 * 3600);
/// Longer, and a thief who was quick has as much use of a token as its owner.
const LONGEST_GRACE: Duration = Duration::from_secs(10);
/// Verifiers keep a key set for an hour at most, those of `Jwks` among them.
const SHORTEST_LEAD: Duration = HOUR;

/// An issuer in the making. See [`Issuer::builder`].
#[must_use]
pub struct IssuerBuilder {
    issuer: String,
    audience: String,
    state: State,
    keys: IssuerKeys,
    denylist: Option<Denylist>,
    clock: Clock,
    algorithm: Algorithm,
    access: Duration,
    absolute: Duration,
    idle: Duration,
    grace: Duration,
    period: Duration,
    lead: Duration,
    settings: Settings,
}

impl IssuerBuilder {
    pub(super) fn new(issuer: &str, audience: &str, state: State, keys: IssuerKeys) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            state,
            keys,
            denylist: None,
            clock: Clock::system(),
            algorithm: Algorithm::ES256,
            access: 10 * MINUTE,
            absolute: 30 * DAY,
            idle: 7 * DAY,
            grace: Duration::ZERO,
            period: 30 * DAY,
            lead: 2 * HOUR,
            settings: Settings::new(),
        }
    }

    /// Where access tokens are revoked: the one that the server of a scheme with `revocation: required` has. Without it they are
    /// good until they expire, whatever becomes of their family.
    pub fn denylist(mut self, denylist: Denylist) -> Self {
        self.denylist = Some(denylist);
        self
    }

    /// The clock; the system's when nothing is said.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The settings of the server that the endpoints are mounted in: its proxies, whose word says who asks, and how many attempts
    /// may fail, and where events of its endpoints are stored. Without them whoever connects is who asks.
    pub fn settings(mut self, settings: &Settings) -> Self {
        self.settings = settings.clone();
        self
    }

    /// What new signing keys are for: ES256 (the default), EdDSA or RS256.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// How long an access token is good: a minute to an hour, ten minutes when nothing is said.
    pub fn access_lifetime(mut self, lifetime: Duration) -> Self {
        self.access = lifetime;
        self
    }

    /// After how long a family ends, however much it is used, and after how long if it is not used: 30 days and 7 when nothing
    /// is said, a year at most.
    pub fn family_lifetimes(mut self, absolute: Duration, idle: Duration) -> Self {
        self.absolute = absolute;
        self.idle = idle;
        self
    }

    /// For how long the refresh token before the current one is answered with the current one again, for clients that lost an
    /// answer: zero (the default) to ten seconds. A thief has this time as well.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long a key signs, and for how long the next is published before: 30 days and 2 hours when nothing is said; the second
    /// is an hour at least, the first twice that and an access token's life.
    pub fn rotation(mut self, period: Duration, lead: Duration) -> Self {
        self.period = period;
        self.lead = lead;
        self
    }

    /// Reads the signing keys from the state, or makes the first, and looks after them from then on as long as the issuer is
    /// held.
    ///
    /// # Errors
    /// When something does not fit, the state fails, or the keys in it were sealed with a key that was not given.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn open(self) -> Result<Issuer, IssuerError> {
        self.check()?;
        let lifetimes = Lifetimes {
            access: self.access.as_secs(),
            absolute: self.absolute.as_secs(),
            idle: self.idle.as_secs(),
            grace: self.grace.as_secs(),
        };
        let schedule = Schedule {
            period: self.period.as_secs(),
            lead: self.lead.as_secs(),
            keep: lifetimes.access.saturating_add(2 * MAX_LEEWAY),
        };
        let kept = Source {
            state: self.state,
            keys: self.keys,
            issuer: self.issuer.clone(),
            algorithm: self.algorithm,
            schedule,
        };
        let origin = origin_of(&self.issuer).ok_or(IssuerError::Configuration("the issuer has no origin"))?;
        let proofs = Proofs::new(origin, REMEMBERED, Some(kept.state.clone()));
        let now = self.clock.now().map_err(|_| IssuerError::Clock)?;
        let ring = Ring::open(kept, now).await?;
        let issuer = Issuer(Arc::new(Inner {
            issuer: self.issuer,
            audience: self.audience,
            ring,
            denylist: self.denylist,
            proofs,
            clock: self.clock,
            lifetimes,
            counters: Counters::new(&self.settings),
        }));
        issuer.look_after_keys();
        Ok(issuer)
    }

    fn check(&self) -> Result<(), IssuerError> {
        let whole = |duration: Duration| duration.subsec_nanos() == 0;
        let all = [self.access, self.absolute, self.idle, self.grace, self.period, self.lead];
        let keep = self.access.saturating_add(Duration::from_secs(2 * MAX_LEEWAY));
        for (holds, otherwise) in [
            (
                is_issuer(&self.issuer),
                "the issuer is no `https` address without query, fragment and `/` at its end",
            ),
            (is_text(&self.audience), "the audience is empty, too long or no text"),
            (all.into_iter().all(whole), "a lifetime is not in whole seconds"),
            ((MINUTE..=HOUR).contains(&self.access), "an access token lives a minute to an hour"),
            (
                self.denylist.as_ref().is_none_or(|denylist| self.access <= denylist.longest()),
                "an access token lives longer than the denylist lets one: give that a `longest_token` of as much",
            ),
            (self.absolute <= LONGEST_FAMILY, "a family lives a year at most"),
            (self.access <= self.idle, "a family that is idle outlives its access tokens"),
            (self.idle <= self.absolute, "the idle lifetime is not longer than the absolute one"),
            (self.grace <= LONGEST_GRACE, "the grace is ten seconds at most"),
            (self.lead >= SHORTEST_LEAD, "the next key is published for an hour at least before it signs"),
            (self.period >= self.lead.saturating_add(keep).max(2 * self.lead), "a key signs for longer"),
            (self.period <= LONGEST_FAMILY, "a key signs for a year at most"),
            (
                matches!(self.algorithm, Algorithm::ES256 | Algorithm::EdDSA | Algorithm::RS256),
                "tokens are signed by ES256, EdDSA or RS256",
            ),
        ] {
            if !holds {
                return Err(IssuerError::Configuration(otherwise));
            }
        }
        Ok(())
    }
}

/// RFC 8414 section 2, in its normal form, so that there is one text for it; `http` on loopback, for development.
fn is_issuer(issuer: &str) -> bool {
    let path_is_plain = !issuer.ends_with('/') && !issuer.contains(['?', '#', '{', '}']);
    let normal = origin::normal(issuer).is_some_and(|normal| normal.trim_end_matches('/') == issuer);
    path_is_plain
        && normal
        && (issuer.starts_with("https://") || origin::is_local(issuer))
        && issuer.len() <= 512
}

/// Where its clients ask it.
fn origin_of(issuer: &str) -> Option<PublicOrigin> {
    let host = issuer.find("://")?.checked_add(3)?;
    let end = issuer.get(host..)?.find('/').and_then(|path| host.checked_add(path)).unwrap_or(issuer.len());
    PublicOrigin::parse(issuer.get(..end)?)
}

fn is_text(text: &str) -> bool {
    !text.is_empty() && text.len() <= 512 && !text.contains(char::is_control)
}

impl std::fmt::Debug for IssuerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuerBuilder").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refused(change: impl FnOnce(IssuerBuilder) -> IssuerBuilder) -> bool {
        let keys = IssuerKeys::generate().unwrap();
        let builder = IssuerBuilder::new("https://id.example.com", "api", State::memory(), keys);
        matches!(change(builder).open().await, Err(IssuerError::Configuration(_)))
    }

    #[tokio::test]
    async fn what_does_not_fit_is_refused_at_the_start() {
        let seconds = Duration::from_secs;
        assert!(!refused(|it| it).await);
        assert!(
            !refused(|it| it.access_lifetime(HOUR).family_lifetimes(HOUR, HOUR).grace(seconds(10))).await
        );
        assert!(!refused(|it| it.rotation(2 * HOUR, HOUR)).await);
        assert!(refused(|it| it.access_lifetime(seconds(59))).await);
        assert!(refused(|it| it.access_lifetime(seconds(3601))).await);
        let kept = |longest| Denylist::in_memory().longest_token(longest);
        assert!(!refused(|it| it.denylist(kept(10 * MINUTE))).await);
        assert!(refused(|it| it.denylist(kept(9 * MINUTE))).await);
        assert!(refused(|it| it.family_lifetimes(DAY, 2 * DAY)).await);
        assert!(refused(|it| it.family_lifetimes(DAY, MINUTE)).await);
        assert!(refused(|it| it.family_lifetimes(400 * DAY, DAY)).await);
        assert!(refused(|it| it.grace(seconds(11))).await);
        assert!(refused(|it| it.grace(Duration::from_millis(1500))).await);
        assert!(refused(|it| it.rotation(DAY, HOUR / 2)).await);
        assert!(refused(|it| it.rotation(HOUR, HOUR)).await);
        assert!(refused(|it| it.algorithm(Algorithm::HS256)).await);
    }

    #[test]
    fn an_issuer_is_an_address_in_its_normal_form() {
        for good in ["https://id.example.com", "https://id.example.com:8443/tenant", "http://127.0.0.1:8080"]
        {
            assert!(is_issuer(good), "{good}");
        }
        for bad in [
            "",
            "id",
            "http://id.example.com",
            "https://id.example.com/",
            "https://ID.example.com",
            "https://id.example.com?a",
            "https://id.example.com#a",
            "https://me@id.example.com",
            "https://id.example.com/{tenant}",
            "https://id.example.com/a/../b",
        ] {
            assert!(!is_issuer(bad), "{bad}");
        }
    }
}
