//! Asks an introspection endpoint (RFC 7662 section 2.1).
//!
//! Rules:
//! 1. a POST with the token in a form, as the client that the endpoint knows: HTTP Basic, its name and secret encoded as
//!    RFC 6749 section 2.3.1 wants it, or a bearer token. The endpoint must ask for one of these, so there is no third;
//! 2. as [`outbound`](crate::outbound) calls, two seconds for all of it, 64 KiB;
//! 3. an answer is a 200 with `application/json`; anything else, redirects among it, is none;
//! 4. at most 64 calls at a time; a thousand wait for their turn within the same two seconds, more are refused;
//! 5. an endpoint that five times in a row does not answer is left alone for two seconds ([`Breaker`]), and the requests of that
//!    time are refused at once. The beginning of an answer is one, whatever it says and however it goes on: what is asked about
//!    is the client's, and must not close the endpoint for others. Nor does a call that had less than half of its time left
//!    when it began say anything, or one whose requests have all gone.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::future::{Either, ready};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::Full;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};
use zeroize::Zeroizing;

use crate::{
    breaker::{Breaker, LeftAlone, Turn},
    outbound::{Address, Bounds, NoReply, Outbound, Reach, Reply},
    secret::Secret,
};

/// Of events.
const TARGET: &str = "palisade::introspection";
const PATIENCE: Duration = Duration::from_secs(2);
const MAX_ANSWER: usize = 64 * 1024;
/// Calls without an answer until nobody calls any more, and for how long.
const FAILURES: u32 = 5;
const REST: Duration = Duration::from_secs(2);
pub(super) const CALLS: usize = 64;
const WAITING: usize = 1024;

/// Asks the issuer of tokens about them: for schemes with `token: introspection`. Clones share its connections.
///
/// ```
/// # fn main() -> Result<(), palisade::IntrospectionError> {
/// # let secret = palisade::Secret::new(String::from("s"));
/// let issuer = palisade::Introspection::new("https://id.example.com/introspect", "bank-api", &secret)?
///     .issuer("https://id.example.com");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Introspection {
    far: Arc<Far>,
    pub(super) issuer: Option<String>,
    pub(super) audience: Option<String>,
    /// The type of its tokens, as `Authorization` names it.
    pub(super) word: &'static str,
}

struct Far {
    endpoint: Address,
    authorization: HeaderValue,
    outbound: Outbound,
    breaker: Breaker,
    calls: Semaphore,
    /// Those that call and those that wait for it.
    places: Semaphore,
}

/// An endpoint that cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IntrospectionError {
    /// Its address is not `https` (or `http` on loopback).
    Address,
    /// The client has no name or no secret, or its token does not fit into a header.
    Credentials,
    /// The machine has no root certificates.
    Roots,
}

/// Why nobody knows whether a token is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// Too many ask already.
    Busy,
    Unavailable,
    /// Rule 5.
    LeftAlone(LeftAlone),
}

impl Introspection {
    /// The endpoint at this address, asked as the client that it knows by this name and secret.
    ///
    /// # Errors
    /// When the address is neither `https` nor `http` on loopback, name or secret are empty, or the machine has no root
    /// certificates.
    pub fn new(endpoint: &str, client: &str, secret: &Secret<String>) -> Result<Self, IntrospectionError> {
        // looked at to make the header, which is marked as sensitive
        let secret = secret.expose();
        if client.is_empty() || secret.is_empty() {
            return Err(IntrospectionError::Credentials);
        }
        let pair = Zeroizing::new(format!("{}:{}", form(client), *Zeroizing::new(form(secret))));
        let pair = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        Self::authorized(endpoint, &Zeroizing::new(format!("Basic {}", *pair)))
    }

    /// The endpoint at this address, asked with a bearer token that it knows.
    ///
    /// # Errors
    /// As [`Introspection::new`], for a token that is empty or does not fit into a header.
    pub fn with_token(endpoint: &str, token: &Secret<String>) -> Result<Self, IntrospectionError> {
        if token.expose().is_empty() {
            return Err(IntrospectionError::Credentials);
        }
        // looked at to make the header, which is marked as sensitive
        Self::authorized(endpoint, &Zeroizing::new(format!("Bearer {}", token.expose())))
    }

    fn authorized(endpoint: &str, authorization: &str) -> Result<Self, IntrospectionError> {
        let mut authorization =
            HeaderValue::from_str(authorization).map_err(|_| IntrospectionError::Credentials)?;
        authorization.set_sensitive(true);
        let far = Far {
            endpoint: Address::parse(endpoint).ok_or(IntrospectionError::Address)?,
            authorization,
            outbound: Outbound::new(CALLS).map_err(|_| IntrospectionError::Roots)?,
            breaker: Breaker::new(FAILURES, REST),
            calls: Semaphore::new(CALLS),
            places: Semaphore::new(CALLS + WAITING),
        };
        Ok(Self { far: Arc::new(far), issuer: None, audience: None, word: "Bearer" })
    }

    /// Whom its answers must name as issuer. Where the document names it, it must be the same.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// The audience that its answers must name. Where the document names it, it must be the same.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Whether it is not left alone: it answered, or nobody knows that it does not.
    pub(super) fn answers(&self) -> bool {
        self.far.breaker.is_closed()
    }

    /// What it answers about `token`, which is well-formed.
    pub(super) async fn ask(&self, token: &str) -> Result<Bytes, Unknown> {
        let far = &*self.far;
        let _place = far.places.try_acquire().map_err(|_| Unknown::Busy)?;
        let until = Instant::now() + PATIENCE;
        let (_turn, has_time) = far.turn(until).await?;
        let leave = far.breaker.admits().map_err(Unknown::LeftAlone)?;
        let reply = far.call(token, until).await;
        match reply {
            Err(NoReply::Silence(_)) if !has_time => drop(leave),
            Err(NoReply::Silence(_)) => self.tell(leave.failed()),
            Ok(_) | Err(NoReply::Unusable(_)) => self.tell(leave.succeeded()),
        }
        reply.map_err(Into::into).and_then(readable).map_err(|why| {
            self.warn(why);
            Unknown::Unavailable
        })
    }

    /// Tells the operator what changed.
    fn tell(&self, turn: Turn) {
        let endpoint = self.far.endpoint.uri();
        match self.far.breaker.news(turn) {
            Turn::Opened => {
                tracing::error!(target: TARGET, %endpoint, "it does not answer, and is left alone for a moment");
            }
            Turn::Closed => tracing::info!(target: TARGET, %endpoint, "it answers again"),
            Turn::StillOpen | Turn::None => {}
        }
    }

    pub(super) fn warn(&self, why: &'static str) {
        let endpoint = self.far.endpoint.uri();
        tracing::warn!(target: TARGET, %endpoint, why, "no answer about a token");
    }
}

impl Far {
    /// A turn to call, and whether more than half of the time is left for it.
    async fn turn(&self, until: Instant) -> Result<(SemaphorePermit<'_>, bool), Unknown> {
        if let Ok(turn) = self.calls.try_acquire() {
            return Ok((turn, true));
        }
        match timeout_at(until, self.calls.acquire()).await {
            Ok(Ok(turn)) => Ok((turn, until.duration_since(Instant::now()) > PATIENCE / 2)),
            Ok(Err(_)) | Err(_) => Err(Unknown::Busy),
        }
    }

    /// No `async fn`, which would hold the request to its end.
    fn call(
        &self,
        token: &str,
        until: Instant,
    ) -> impl Future<Output = Result<Reply, NoReply>> + Send + use<> {
        let mut body = String::with_capacity(2 * token.len());
        body.push_str("token=");
        body.extend(encoded(token));
        body.push_str("&token_type_hint=access_token");
        let request = Request::post(self.endpoint.uri().clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .header(header::AUTHORIZATION, self.authorization.clone())
            .body(Full::new(Bytes::from(body)));
        let bounds = Bounds { until, bytes: MAX_ANSWER };
        match request {
            Ok(request) => Either::Left(self.outbound.call(request, bounds, Reach::Anywhere)),
            Err(_) => Either::Right(ready(Err(NoReply::Unusable("the request could not be made")))),
        }
    }
}

/// Rule 3.
fn readable(reply: Reply) -> Result<Bytes, &'static str> {
    match reply.status {
        StatusCode::OK if is_json(&reply.headers) => Ok(reply.body),
        StatusCode::OK => Err("an answer that is not `application/json`"),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err("it does not know us as a client"),
        _ => Err("a status other than 200"),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let of = types.next().and_then(|of| of.to_str().ok()).unwrap_or_default();
    let essence = of.split_once(';').map_or(of, |(essence, _)| essence);
    types.next().is_none() && essence.trim().eq_ignore_ascii_case("application/json")
}

/// `application/x-www-form-urlencoded` (RFC 6749 appendix B).
fn form(text: &str) -> String {
    encoded(text).to_string().replace("%20", "+")
}

/// The same with a blank as any other letter that is encoded.
fn encoded(text: &str) -> PercentEncode<'_> {
    const SET: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');
    utf8_percent_encode(text, SET)
}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection").field("endpoint", self.far.endpoint.uri()).finish_non_exhaustive()
    }
}

impl fmt::Display for IntrospectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => {
                "the address of an introspection endpoint must be `https`, or `http` on loopback"
            }
            Self::Credentials => "its client has no name or no secret, or what does not fit into a header",
            Self::Roots => "the machine has no root certificates",
        })
    }
}

impl std::error::Error for IntrospectionError {}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::super::cache::Cache;
    use super::*;
    use crate::clock::Clock;

    /// An endpoint that takes connections and says nothing.
    async fn silent() -> (TcpListener, Introspection) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = format!("http://{}/i", listener.local_addr().unwrap());
        (listener, Introspection::new(&at, "us", &Secret::new("secret".to_owned())).unwrap())
    }

    fn is_left_alone(far: &Introspection) -> bool {
        far.far.breaker.admits().is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_takes_two_seconds_and_five_without_an_answer_are_the_last_for_a_while() {
        let (_listener, far) = silent().await;
        for _ in 0..FAILURES {
            assert!(!is_left_alone(&far));
            let begun = Instant::now();
            assert_eq!(far.ask("t").await, Err(Unknown::Unavailable));
            assert_eq!(begun.elapsed().as_secs(), 2);
        }
        assert!(is_left_alone(&far));
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_wait_for_their_turn_within_the_same_time_and_more_are_refused() {
        let (_listener, far) = silent().await;
        let calls = far.far.calls.acquire_many(64).await.unwrap();
        let begun = Instant::now();
        let asked = futures_util::future::join_all((0..1100).map(|_| async {
            let outcome = far.ask("t").await;
            (outcome, begun.elapsed().as_secs())
        }));
        let of = |all: &[(Result<Bytes, Unknown>, u64)], after| {
            let busy = all.iter().filter(|one| **one == (Err(Unknown::Busy), after));
            busy.count()
        };
        let all = asked.await;
        assert_eq!((of(&all, 0), of(&all, 2)), (1100 - 64 - 1024, 64 + 1024));
        drop(calls);
        assert!(!is_left_alone(&far), "nobody called");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_waited_for_more_than_a_second_says_nothing() {
        for (waited, says) in [(1_100, false), (900, true)] {
            let (_listener, far) = silent().await;
            let calls = far.far.calls.acquire_many(64).await.unwrap();
            let asked = futures_util::future::join_all((0..FAILURES).map(|_| far.ask("t")));
            let freed = async {
                tokio::time::sleep(Duration::from_millis(waited)).await;
                drop(calls);
            };
            let (outcomes, ()) = tokio::join!(asked, freed);
            assert!(outcomes.iter().all(|outcome| *outcome == Err(Unknown::Unavailable)));
            assert_eq!(is_left_alone(&far), says, "{waited}");
        }
    }

    /// Through the cache, too, where the call is on a task of its own.
    #[tokio::test]
    async fn a_call_whose_requests_have_gone_ends_and_says_nothing() {
        let (_listener, far) = silent().await;
        let (cache, now) = (Cache::new(Duration::from_secs(10)), Clock::system().now().unwrap());
        let moment = |time| Duration::from_millis(time);
        let asked = futures_util::future::join_all((0..FAILURES).map(async |number| {
            let token = format!("t{number}");
            let leaves = tokio::time::timeout(moment(50), cache.ask(&far, &token, now));
            let stays = tokio::time::timeout(moment(200), cache.ask(&far, &token, now));
            _ = tokio::join!(leaves, stays);
        }));
        let goes_on = async {
            tokio::time::sleep(moment(120)).await;
            CALLS + WAITING - far.far.places.available_permits()
        };
        let (under_way, _) = tokio::join!(goes_on, asked);
        assert_eq!(under_way, FAILURES as usize, "for those who stay, once for each token");
        while far.far.places.available_permits() < CALLS + WAITING {
            tokio::time::sleep(moment(5)).await;
        }
        assert!(!is_left_alone(&far));
        assert_eq!(cache.under_way(), 0);
        let again = tokio::time::timeout(moment(50), cache.ask(&far, "t0", now));
        assert!(again.await.is_err(), "it is asked again");
    }

    #[test]
    fn names_and_secrets_are_encoded_as_forms_are() {
        // RFC 6749 appendix B
        assert_eq!(form(" %&+\u{a3}\u{20ac}"), "+%25%26%2B%C2%A3%E2%82%AC");
        let secret = Secret::new("a:b c".to_owned());
        let made = Introspection::new("https://id.example.com/i", "us er", &secret).unwrap();
        let basic = made.far.authorization.to_str().unwrap();
        assert_eq!(basic.strip_prefix("Basic "), Some(&*STANDARD.encode("us+er:a%3Ab+c")));
        assert!(!format!("{made:?} {:?}", made.far.authorization).contains(basic));
    }

    #[test]
    fn an_endpoint_needs_tls_and_knows_its_clients() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let made = |endpoint, client, text| Introspection::new(endpoint, client, &secret(text)).err();
        assert_eq!(made("http://127.0.0.1:1/i", "a", "b"), None);
        assert_eq!(made("http://id.example.com/i", "a", "b"), Some(IntrospectionError::Address));
        assert_eq!(made("https://id.example.com/i", "", "b"), Some(IntrospectionError::Credentials));
        assert_eq!(made("https://id.example.com/i", "a", ""), Some(IntrospectionError::Credentials));
        let token = |text| Introspection::with_token("https://id.example.com/i", &secret(text)).err();
        assert_eq!(token("x"), None);
        assert_eq!(token(""), Some(IntrospectionError::Credentials));
        assert_eq!(token("a\nb"), Some(IntrospectionError::Credentials));
    }
}
