//! Attempts at endpoints of ours that are no operations of a document, an issuer's and a login's, counted by the same rules.

use std::borrow::Cow;

use http::request::Parts;

#[cfg(feature = "login")]
use super::Whom;
use super::{Attempts, Failures};
use crate::{
    address::{self, Connection},
    authn::{Reason, present::Credential},
    clock::Now,
    settings::{ForwardedHeader, Settings, TrustedProxies},
};

/// What they count by, and whose word they take for who asks.
pub(crate) struct Counters {
    failures: Failures,
    proxies: TrustedProxies,
    forwarded: ForwardedHeader,
}

/// Seconds until the next attempt: as many have failed as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany(pub(crate) u64);

impl Counters {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            failures: Failures::new(
                settings.failed_attempts,
                false,
                settings.limits_in.as_ref(),
                |_| None,
                None,
            ),
            proxies: settings.trusted_proxies.clone(),
            forwarded: settings.forwarded,
        }
    }

    /// What a request is counted by.
    pub(crate) fn of(&self, parts: &Parts, now: Now) -> Attempts<'_> {
        let connection = Connection::of(&parts.extensions, false);
        let from = address::origin(connection, &parts.headers, &self.proxies, self.forwarded).address;
        self.failures.of(from, now, "-")
    }
}

/// What an attempt of which nobody knows yet was charged.
#[cfg(feature = "login")]
pub(crate) struct Trial(Vec<crate::limit::Reserved>);

impl Attempts<'_> {
    /// Counts for the network, ten times as widely as guesses, what costs us something before it is known whether it is good.
    #[cfg(feature = "login")]
    pub(crate) async fn tries(&self) -> Result<Trial, TooMany> {
        let charged = self.charge(Whom::NetworkWidely, None, |decision| decision.reserved()).await;
        charged.map(Trial).map_err(|reason| TooMany(reason.wait()))
    }

    /// It was good.
    #[cfg(feature = "login")]
    pub(crate) async fn succeeds(&self, Trial(reserved): &Trial) {
        self.give_back(Whom::NetworkWidely, reserved).await;
    }

    /// Counts a guess, at the secret of an account (its issuer and its name) where it claims one. It was found wrong, and is
    /// answered so unless it is one too many.
    pub(crate) async fn guessed(&self, claimed: Option<(&str, &str)>) -> Result<(), TooMany> {
        self.counted(Reason::WrongSecret, claimed, None).await
    }

    /// Counts a token of which nobody says whether it was good before.
    pub(crate) async fn unknown(&self, token: &str) -> Result<(), TooMany> {
        let shown = Credential::Text(Cow::Borrowed(token.as_bytes()));
        self.counted(Reason::Inactive, None, Some(&shown)).await
    }

    async fn counted(
        &self,
        reason: Reason,
        claimed: Option<(&str, &str)>,
        shown: Option<&Credential<'_>>,
    ) -> Result<(), TooMany> {
        let closes = self.count(reason, claimed, shown).await.map_err(|reason| TooMany(reason.wait()))?;
        self.report(closes, claimed);
        Ok(())
    }
}
