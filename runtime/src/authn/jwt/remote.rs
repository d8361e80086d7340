//! Key sets that an issuer publishes, fetched and kept fresh.
//!
//! Rules (RFC 7517; OpenID Connect Discovery section 10.1.1 for rotation):
//! 1. `https` only (`http` on loopback), no redirects, 5 s for the whole answer, 512 KiB, 100 keys;
//! 2. fetched before the server is ready ([`Jwks::load`]), then at the answer's `max-age`, between a minute and an hour;
//! 3. a token with an unknown `kid` causes one fetch that all who wait share; the next may begin 30 s later,
//!    *counted from the beginning and whatever came of it*, so that random `kid`s cannot drive us;
//! 4. an answer that fails or has no usable key changes nothing: the last good set serves for 24 h, then none does;
//!    a key that is missing from a good answer is gone at once.

use std::{
    net::IpAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{sync::watch, time::Instant};

use super::{
    JwkSet, Jwks,
    jwk::{self, KeyError, Origin},
};

/// Longest and shortest time between two fetches of a set that is in use, and the rest of the clockwork.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// For one whole answer.
    answer: Duration,
    /// Between two fetches that tokens cause.
    cooldown: Duration,
    /// Bounds of the background interval.
    shortest: Duration,
    longest: Duration,
    /// How long the last good set serves.
    stale: Duration,
}

const TIMING: Timing = Timing {
    answer: Duration::from_secs(5),
    cooldown: Duration::from_secs(30),
    shortest: Duration::from_secs(60),
    longest: Duration::from_secs(3600),
    stale: Duration::from_secs(24 * 3600),
};

/// The far end of a key set.
pub(crate) struct Remote {
    address: Uri,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    timing: Timing,
    progress: Mutex<Progress>,
    /// Counts the fetches that ended; who waits for one watches it.
    ended: watch::Sender<u64>,
    kept_fresh: AtomicBool,
}

#[derive(Default)]
struct Progress {
    running: bool,
    /// When the last fetch began: claimed before anything is sent.
    begun: Option<Instant>,
    last_good: Option<Instant>,
    last_failed: bool,
    etag: Option<HeaderValue>,
    max_age: Option<Duration>,
}

/// The set at hand may be out of date, and a newer one cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreachable;

impl Jwks {
    /// The key set at `address`, kept fresh while the server runs. Nothing is fetched yet: the server does so before
    /// it says that it is ready.
    ///
    /// # Errors
    /// When `address` is neither `https` nor `http` on loopback, or the machine has no root certificates.
    pub fn url(address: &str) -> Result<Self, KeyError> {
        Self::with_timing(address, TIMING)
    }

    fn with_timing(address: &str, timing: Timing) -> Result<Self, KeyError> {
        let address: Uri = address.parse().map_err(|_| KeyError::Address)?;
        if !is_acceptable(&address) {
            return Err(KeyError::Address);
        }
        Ok(Self::fetched(Remote {
            client: client()?,
            address,
            timing,
            progress: Mutex::default(),
            ended: watch::Sender::new(0),
            kept_fresh: AtomicBool::new(false),
        }))
    }

    /// Fetches the set unless it is there, and sees to it that it stays fresh.
    pub(crate) async fn load(&self) -> Result<(), Unreachable> {
        if self.current().is_some() { Ok(()) } else { self.look_again().await }
    }

    /// Looks at the far end again, at most once in a cooldown, all callers together. When it is well, the set at
    /// hand is what the far end has.
    pub(crate) async fn look_again(&self) -> Result<(), Unreachable> {
        let Some(remote) = self.remote() else { return Ok(()) };
        self.keep_fresh(remote);
        let mut ended = remote.ended.subscribe();
        ended.mark_unchanged();
        match remote.claim() {
            Claim::CoolingDown => return remote.state(),
            Claim::Running => {}
            Claim::Begin => {
                // on a task of its own: a caller who leaves must not end what others wait for
                let jwks = self.clone();
                tokio::spawn(async move { jwks.refresh().await });
            }
        }
        let patience = remote.timing.answer + Duration::from_secs(1);
        match tokio::time::timeout(patience, ended.changed()).await {
            Ok(Ok(())) => remote.state(),
            _ => Err(Unreachable),
        }
    }

    /// Fetches once and exchanges the keys if there are new ones. The caller has claimed the fetch.
    async fn refresh(&self) {
        let Some(remote) = self.remote() else { return };
        let outcome = remote.fetch().await;
        let mut progress = remote.progress();
        progress.running = false;
        progress.last_failed = outcome.is_err();
        match outcome {
            Ok(answer) => {
                progress.last_good = Some(Instant::now());
                progress.max_age = answer.max_age;
                if let Some((set, etag)) = answer.changed {
                    progress.etag = etag;
                    for left_out in set.left_out() {
                        tracing::info!(
                            target: "palisade::keys", address = %remote.address, kid = left_out.kid.as_deref(),
                            why = left_out.why, "key left out",
                        );
                    }
                    self.replace(set);
                }
            }
            Err(why) => {
                tracing::warn!(target: "palisade::keys", address = %remote.address, why, "key set not refreshed");
                if progress.last_good.is_none_or(|good| good.elapsed() > remote.timing.stale) {
                    progress.etag = None;
                    self.clear();
                }
            }
        }
        drop(progress);
        remote.ended.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Begins the background refresh, once. It ends when nobody holds the set any more.
    fn keep_fresh(&self, remote: &Remote) {
        if remote.kept_fresh.swap(true, Ordering::SeqCst) {
            return;
        }
        let source = self.downgrade();
        let first = remote.timing.shortest;
        tokio::spawn(async move {
            let mut pause = first;
            loop {
                tokio::time::sleep(pause).await;
                let Some(jwks) = Self::from_weak(&source) else { return };
                let Some(remote) = jwks.remote() else { return };
                if remote.claim_background() {
                    jwks.refresh().await;
                }
                pause = remote.pause();
            }
        });
    }
}

enum Claim {
    Begin,
    Running,
    CoolingDown,
}

struct Answer {
    /// `None`: as it was (304).
    changed: Option<(JwkSet, Option<HeaderValue>)>,
    max_age: Option<Duration>,
}

impl Remote {
    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        // a panic while it was held leaves plain values that are still true or false on their own
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claim(&self) -> Claim {
        let mut progress = self.progress();
        if progress.running {
            return Claim::Running;
        }
        if progress.begun.is_some_and(|begun| begun.elapsed() < self.timing.cooldown) {
            return Claim::CoolingDown;
        }
        progress.running = true;
        progress.begun = Some(Instant::now());
        Claim::Begin
    }

    /// The background keeps its own rhythm: the cooldown is about what tokens cause.
    fn claim_background(&self) -> bool {
        let mut progress = self.progress();
        let free = !progress.running;
        if free {
            progress.running = true;
            progress.begun = Some(Instant::now());
        }
        free
    }

    fn state(&self) -> Result<(), Unreachable> {
        let progress = self.progress();
        if progress.last_good.is_some() && !progress.last_failed { Ok(()) } else { Err(Unreachable) }
    }

    fn pause(&self) -> Duration {
        let progress = self.progress();
        match progress.max_age {
            _ if progress.last_failed => self.timing.shortest,
            Some(max_age) => max_age.clamp(self.timing.shortest, self.timing.longest),
            None => self.timing.longest.min(Duration::from_secs(600)),
        }
    }

    async fn fetch(&self) -> Result<Answer, &'static str> {
        let fetched = tokio::time::timeout(self.timing.answer, self.ask());
        fetched.await.map_err(|_| "no answer in time")?
    }

    async fn ask(&self) -> Result<Answer, &'static str> {
        let mut request = Request::get(self.address.clone())
            .header(header::ACCEPT, "application/jwk-set+json, application/json");
        if let Some(etag) = self.progress().etag.clone() {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let request = request.body(Empty::new()).map_err(|_| "the request could not be made")?;
        let answer = self.client.request(request).await.map_err(|_| "no connection")?;
        let (head, body) = answer.into_parts();
        let max_age = head.headers.get(header::CACHE_CONTROL).and_then(max_age);
        match head.status {
            StatusCode::NOT_MODIFIED => return Ok(Answer { changed: None, max_age }),
            StatusCode::OK => {}
            // redirects among them: the configured address is the one that is trusted
            _ => return Err("a status other than 200"),
        }
        let body = Limited::new(body, jwk::MAX_TEXT).collect().await;
        let bytes = body.map_err(|_| "the answer broke off or is over 512 KiB")?.to_bytes();
        let text = std::str::from_utf8(&bytes).map_err(|_| "the answer is not UTF-8")?;
        let loaded =
            jwk::read_set(text, Origin::Fetched).map_err(|_| "the answer is no set of usable keys")?;
        Ok(Answer { changed: Some((loaded.into(), head.headers.get(header::ETAG).cloned())), max_age })
    }
}

fn client() -> Result<Client<HttpsConnector<HttpConnector>, Empty<Bytes>>, KeyError> {
    // the provider is named: with two compiled in, the process default is a panic
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_platform_verifier(provider)
        .map_err(|_| KeyError::Fetch("the machine has no root certificates"))?
        .https_or_http()
        .enable_http1()
        .build();
    Ok(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector))
}

fn is_acceptable(address: &Uri) -> bool {
    let Some(authority) = address.authority() else { return false };
    if authority.as_str().contains('@') {
        return false;
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let on_loopback = || host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match address.scheme_str() {
        Some("https") => true,
        Some("http") => on_loopback(),
        _ => false,
    }
}

fn max_age(value: &HeaderValue) -> Option<Duration> {
    let directives = value.to_str().ok()?.split(',');
    let seconds = directives.filter_map(|directive| {
        let (name, value) = directive.trim().split_once('=')?;
        name.eq_ignore_ascii_case("max-age").then(|| value.trim_matches('"').parse().ok()).flatten()
    });
    seconds.map(Duration::from_secs).next()
}

#[cfg(test)]
mod tests;
