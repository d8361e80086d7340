//! Whether a server can do what it is there for: what a balancer and an operator ask.
//!
//! Rules:
//! 1. `/livez` depends on nothing: a process that answers lives, and none is started again because a store is away;
//! 2. `/readyz` asks each part now, in bounded time, and names those that do not answer. The server stays ready: what is
//!    shared is as far from the others, and each operation refuses, or does as its limit says, by itself;
//! 3. before the server takes requests it is not ready (503), whatever its parts say, nor once it is to stop, so that nobody sends
//!    it more; that it says until the process ends;
//!    Issuers of tokens are not asked for that: what requests found, or who keeps their keys fresh, is what is told of them;
//! 4. parts are asked once a second at most, by one at a time: whoever asks often learns what was found last.

use std::fmt;
use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State as Extracted};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::event::Events;
use crate::gate::names_one_host;
use crate::limit::shared::SharedLimits;
use crate::serve::{ServeError, bind_here, serve};
use crate::settings::Settings;
use crate::state::State;

/// For how long what was found is told again.
const FRESH: Duration = Duration::from_secs(1);
/// For how long a part of the application's own is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a server says of itself to balancers and operators, at an address of its own.
///
/// ```no_run
/// # async fn run(server: axum::Router, state: palisade::State) -> Result<(), palisade::ServeError> {
/// let readiness = palisade::Readiness::new().state("answers", &state);
/// readiness.listen("127.0.0.1:9000").await?;
/// palisade::serve(server).readiness(&readiness).await
/// # }
/// ```
///
/// | path | answer |
/// |---|---|
/// | `GET /livez` | 200 `{"status":"alive"}` |
/// | `GET /readyz` | 200 `{"status":"ready"}`; 200 `{"status":"degraded","degraded":["answers"]}` while a part does not answer; 503 `{"status":"starting"}` or `{"status":"stopping"}` |
#[derive(Clone, Default)]
pub struct Readiness {
    parts: Vec<(&'static str, Part)>,
    now: Arc<Now>,
}

/// What a server relies on besides, and whether that answers: asked whenever somebody wants to know, and not waited for.
#[derive(Clone)]
pub struct Degraded(Arc<dyn Fn() -> Vec<&'static str> + Send + Sync>);

#[derive(Default)]
struct Now {
    starts: AtomicBool,
    stops: AtomicBool,
    /// Of the servers that tell of themselves.
    servers: std::sync::Mutex<Vec<Degraded>>,
    /// What was found last, and when.
    found: Mutex<Option<(Instant, Vec<&'static str>)>>,
}

#[derive(Clone)]
enum Part {
    State(State),
    Limits(SharedLimits),
    Events(Events),
    Other(Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>),
}

impl Readiness {
    /// Of a server without parts that may be away.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a state, under a name that is told.
    #[must_use]
    pub fn state(mut self, name: &'static str, state: &State) -> Self {
        self.parts.push((name, Part::State(state.clone())));
        self
    }

    /// With limits that instances share, likewise.
    #[must_use]
    pub fn limits(mut self, name: &'static str, limits: &SharedLimits) -> Self {
        self.parts.push((name, Part::Limits(limits.clone())));
        self
    }

    /// With the sink of security events, likewise: whether it stored what it was given last. It is not asked for that.
    #[must_use]
    pub fn events(mut self, name: &'static str, events: &Events) -> Self {
        self.parts.push((name, Part::Events(events.clone())));
        self
    }

    /// With the limits that these settings share with other instances, where they do, under the name `limits`, and with the sink
    /// of their security events, where they have one, under the name `events`.
    #[must_use]
    pub fn shared_by(mut self, settings: &Settings) -> Self {
        if let Some(limits) = &settings.limits_in {
            self = self.limits("limits", limits);
        }
        match &settings.events {
            Some(events) => self.events("events", events),
            None => self,
        }
    }

    /// With a part of the application's own, such as its database: whether it answers now. One second at most is waited for
    /// that, and it is `false` then.
    #[must_use]
    pub fn part<A>(mut self, name: &'static str, answers: impl Fn() -> A + Send + Sync + 'static) -> Self
    where
        A: Future<Output = bool> + Send + 'static,
    {
        self.parts.push((name, Part::Other(Arc::new(move || Box::pin(answers())))));
        self
    }

    /// The server takes requests from now on. [`Serve::readiness`](crate::Serve::readiness) says so by itself: it is for
    /// servers that are served otherwise.
    pub fn start(&self) {
        self.now.starts.store(true, Ordering::SeqCst);
    }

    /// The server is about to stop. [`Serve::readiness`](crate::Serve::readiness) says so by itself.
    pub fn stop(&self) {
        self.now.stops.store(true, Ordering::SeqCst);
    }

    /// Tells also of this, from now on.
    pub(crate) fn tell_of(&self, degraded: Degraded) {
        self.now.servers.lock().unwrap_or_else(PoisonError::into_inner).push(degraded);
    }

    fn of_servers(&self) -> Vec<&'static str> {
        let servers = self.now.servers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        servers.iter().flat_map(|Degraded(names)| names()).collect()
    }

    /// The names of the parts that do not answer now, or did not a second ago; after them those of the schemes of a server that
    /// is [served](crate::Serve::readiness) with it whose issuer does not.
    pub async fn degraded(&self) -> Vec<&'static str> {
        let mut found = self.now.found.lock().await; // rule 4
        if let Some((_, names)) = found.as_ref().filter(|(then, _)| then.elapsed() < FRESH) {
            return names.clone();
        }
        let asked = self.parts.iter().map(async |(name, part)| (!part.answers().await).then_some(*name));
        let mut names: Vec<_> = futures_util::future::join_all(asked).await.into_iter().flatten().collect();
        names.extend(self.of_servers());
        *found = Some((Instant::now(), names.clone()));
        names
    }

    /// Serves the two paths from now on, at an address of this machine that clients do not reach, and says at which. That does
    /// not stop when the process is told to, but ends with it: until then it is asked whether the server stops.
    ///
    /// # Errors
    /// As those of [`serve`](crate::serve).
    pub async fn listen(&self, address: impl fmt::Display) -> Result<SocketAddr, ServeError> {
        let (listener, address) = bind_here(address.to_string()).await?;
        let serving = serve(self.routes()).listener(listener).shutdown(std::future::pending());
        tokio::spawn(serving.into_future());
        Ok(address)
    }

    /// The two paths, for a listener of another kind. It must outlast the server, as that of [`Readiness::listen`] does.
    pub fn routes(&self) -> Router {
        let alive = async || answer(StatusCode::OK, "alive", &[]);
        let paths = Router::new().route("/livez", get(alive)).route("/readyz", get(ready));
        paths.with_state(self.clone()).layer(from_fn(of_one_host))
    }
}

/// As every request that is served here (RFC 9112 section 3.2).
async fn of_one_host(request: Request, next: Next) -> Response {
    match names_one_host(request.version(), request.uri(), request.headers()) {
        true => next.run(request).await,
        false => answer(StatusCode::BAD_REQUEST, "bad_request", &[]),
    }
}

async fn ready(Extracted(readiness): Extracted<Readiness>) -> Response {
    // 3
    if readiness.now.stops.load(Ordering::SeqCst) {
        return answer(StatusCode::SERVICE_UNAVAILABLE, "stopping", &[]);
    }
    if !readiness.now.starts.load(Ordering::SeqCst) {
        return answer(StatusCode::SERVICE_UNAVAILABLE, "starting", &[]);
    }
    match readiness.degraded().await.as_slice() {
        [] => answer(StatusCode::OK, "ready", &[]),
        names => answer(StatusCode::OK, "degraded", names), // 2
    }
}

fn answer(status: StatusCode, word: &'static str, degraded: &[&'static str]) -> Response {
    let mut members = serde_json::Map::from_iter([("status".to_owned(), word.into())]);
    if !degraded.is_empty() {
        members.insert("degraded".to_owned(), degraded.into());
    }
    let mut response = Response::new(Body::from(serde_json::Value::from(members).to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl Degraded {
    /// Whatever `names` says when it is asked: the names of what does not answer then. It must not wait.
    #[must_use]
    pub fn new(names: impl Fn() -> Vec<&'static str> + Send + Sync + 'static) -> Self {
        Self(Arc::new(names))
    }
}

impl Default for Degraded {
    fn default() -> Self {
        Self::new(Vec::new)
    }
}

impl fmt::Debug for Degraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Degraded").field(&(self.0)()).finish()
    }
}

impl Part {
    fn answers(&self) -> BoxFuture<'_, bool> {
        match self {
            Self::State(state) => Box::pin(state.answers()),
            Self::Limits(limits) => Box::pin(limits.answers()),
            Self::Events(events) => Box::pin(std::future::ready(events.answers())),
            Self::Other(answers) => Box::pin(timeout(PATIENCE, answers()).map(|answer| answer == Ok(true))),
        }
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.parts.iter().map(|(name, _)| name)).finish()
    }
}
