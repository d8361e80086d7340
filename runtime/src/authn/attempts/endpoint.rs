//! Attempts at endpoints of ours that are no operations of a document, an issuer's and a login's, counted by the same rules, and
//! spoken of in events and answers as those at operations are.

use std::borrow::Cow;
use std::net::IpAddr;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue};

#[cfg(feature = "login")]
use super::Whom;
use super::{Attempts, Failures};
use crate::{
    RequestId,
    address::{self, Connection},
    authn::{Reason, present::Credential},
    clock::Now,
    event::{Asking, Events, storing},
    gate::REQUEST_ID,
    settings::{ForwardedHeader, Settings, TrustedProxies},
};

/// What they count by, and whose word they take for who asks.
pub(crate) struct Counters {
    failures: Failures,
    proxies: TrustedProxies,
    forwarded: ForwardedHeader,
    events: Option<Events>,
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
            events: settings.events.clone(),
        }
    }

    /// What a request is counted by.
    pub(crate) fn of<'a>(&'a self, parts: &'a Parts, now: Now) -> Attempts<'a> {
        let id = parts.extensions.get().map_or("-", RequestId::as_str);
        self.failures.of(self.source(&parts.extensions, &parts.headers), now, id)
    }

    /// Answers a request under an id: that of a trusted proxy, as at the gate, or a fresh one. Events tell of it.
    pub(crate) async fn answer(&self, mut request: Request, next: Next, now: Option<Now>) -> Response {
        let trusted = Connection::of(request.extensions(), false).is_trusted(&self.proxies);
        let sent = request.headers().get(REQUEST_ID).filter(|_| trusted).and_then(RequestId::forwarded);
        let id = sent.unwrap_or_else(|| RequestId::fresh(now));
        let asking = Asking::of(&request, self.source(request.extensions(), request.headers()), id);
        request.extensions_mut().insert(id);
        let mut response = storing(self.events.clone(), asking.during(next.run(request))).await;
        if let Ok(id) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }

    fn source(&self, extensions: &Extensions, headers: &HeaderMap) -> IpAddr {
        let connection = Connection::of(extensions, false);
        address::origin(connection, headers, &self.proxies, self.forwarded).address
    }
}

/// What an attempt of which nobody knows yet was charged.
#[cfg(feature = "login")]
pub(crate) struct Trial(Vec<crate::limit::Reserved>);

impl Attempts<'_> {
    /// Counts for the network, ten times as widely as guesses, what costs us something before it is known whether it is good.
    #[cfg(feature = "login")]
    pub(crate) async fn tries(&self) -> Result<Trial, TooMany> {
        let charged = self.charge(Whom::NetworkWidely, None, |decision| decision.charged()).await;
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
