//! A generated server: its parts, its routes, and the tower service that runs the gate.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use tower_service::Service;

use crate::adopt::Guarded;
use crate::answer::Output;
use crate::authn::{
    BasicVerifier, BearerVerifier, CertificateVerifier, Denylist, IntrospectionVerifier, KeyVerifier,
};
use crate::caller::Caller;
use crate::config_error::ConfigError;
use crate::cursor::CursorKeys;
use crate::event::storing;
use crate::gate::{self, Gate, GateBuilder, Prepared, Request, Visit};
use crate::idempotency::KeptAnswers;
use crate::input::Input;
use crate::operation::{Document, Operation, Policy};
use crate::problem::{Problem, Rejection};
use crate::readiness::Degraded;
use crate::resource::Attributes;
use crate::routes;
use crate::settings::Settings;

pub use crate::__served as served;

/// An operation that service `S` answers. Generated code states it by `served!`, one line a method of the trait.
pub trait Served<S>: Operation {
    /// Its decoded and validated input.
    type Input: Input + 'static;
    /// Its declared answers.
    type Output: Output + 'static;

    /// Calls the service's method.
    fn handle(
        service: &S,
        caller: Caller<Self>,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output, Problem>> + Send;
}

/// States which method of a trait answers an operation.
#[macro_export]
#[doc(hidden)]
macro_rules! __served {
    ($operation:ident by $of:ident::$method:ident($input:ident) -> $output:ident) => {
        impl<S: $of> $crate::__private::Served<S> for $operation {
            type Input = $input;
            type Output = $output;

            fn handle(
                service: &S,
                caller: $crate::__private::Caller<Self>,
                input: Self::Input,
            ) -> impl ::core::future::Future<
                Output = ::core::result::Result<Self::Output, $crate::__private::Problem>,
            > + Send {
                service.$method(caller, input)
            }
        }
    };
}

/// Collects the parts of a server. Generated code wraps it in a builder with one step for each part the document needs.
pub struct Builder<S> {
    service: Arc<S>,
    gate: GateBuilder,
    endpoints: Vec<(&'static Policy, Box<dyn Endpoint>)>,
}

impl<S: Send + Sync + 'static> Builder<S> {
    /// Begins with the document's facts and the service that answers.
    pub fn new(document: &'static Document, service: S) -> Self {
        let gate = GateBuilder::default().document(document);
        Self { service: Arc::new(service), gate, endpoints: Vec::new() }
    }

    /// The verifier of a bearer, oauth2 or openIdConnect scheme.
    #[must_use]
    pub fn bearer(mut self, scheme: &'static str, verifier: impl Into<BearerVerifier>) -> Self {
        self.gate = self.gate.bearer(scheme, verifier);
        self
    }

    /// The verifier of such a scheme with `token: introspection`.
    #[must_use]
    pub fn introspection(mut self, scheme: &'static str, verifier: impl Into<IntrospectionVerifier>) -> Self {
        self.gate = self.gate.introspection(scheme, verifier);
        self
    }

    /// Which tokens were revoked: for the schemes with `revocation: required`.
    #[must_use]
    pub fn denylist(mut self, denylist: Denylist) -> Self {
        self.gate = self.gate.denylist(denylist);
        self
    }

    /// The verifier of an apiKey scheme.
    #[must_use]
    pub fn api_key(mut self, scheme: &'static str, verifier: impl Into<KeyVerifier>) -> Self {
        self.gate = self.gate.api_key(scheme, verifier);
        self
    }

    /// The verifier of an http basic scheme.
    #[must_use]
    pub fn basic(mut self, scheme: &'static str, verifier: impl Into<BasicVerifier>) -> Self {
        self.gate = self.gate.basic(scheme, verifier);
        self
    }

    /// The verifier of a mutualTLS scheme.
    #[must_use]
    pub fn mutual_tls(mut self, scheme: &'static str, verifier: impl Into<CertificateVerifier>) -> Self {
        self.gate = self.gate.mutual_tls(scheme, verifier);
        self
    }

    /// The keys that seal cursors.
    #[must_use]
    pub fn cursor_keys(mut self, keys: CursorKeys) -> Self {
        self.gate = self.gate.cursor_keys(keys);
        self
    }

    /// Where the answers of idempotent operations are kept.
    #[must_use]
    pub fn idempotency(mut self, answers: KeptAnswers) -> Self {
        self.gate = self.gate.idempotency(answers);
        self
    }

    /// Settings of the server that the document does not speak of.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.gate = self.gate.settings(settings);
        self
    }

    /// How the service finds an object of a resource.
    #[must_use]
    pub fn resolver<F, Fut>(mut self, resource: &'static str, find: F) -> Self
    where
        F: Fn(Arc<S>, String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<Attributes>, Problem>> + Send + 'static,
    {
        let service = Arc::clone(&self.service);
        self.gate = self.gate.resolver(resource, move |id| find(Arc::clone(&service), id));
        self
    }

    /// Adds an operation.
    #[must_use]
    pub fn operation<Op: Served<S>>(mut self) -> Self {
        let service = Arc::clone(&self.service);
        self.gate = self.gate.operation::<Op>();
        self.endpoints.push((Op::POLICY, Box::new(Typed::<S, Op> { service, operation: PhantomData })));
        self
    }

    /// The server.
    ///
    /// # Errors
    /// Every part that is missing or contradicts the document, at once.
    pub fn build(self) -> Result<Server, ConfigError> {
        let gate = self.gate.build()?;
        let routes = Routes::new(&gate, self.endpoints)?;
        Ok(Server { shared: Arc::new(Shared { gate, routes }) })
    }
}

/// A complete server: a tower service, cheap to clone.
///
/// Give it to [`serve`](crate::serve), or mount it in an axum application with [`Server::into_router`].
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

struct Shared {
    gate: Gate,
    routes: Routes,
}

impl Server {
    /// An axum router that sends everything through the gate.
    ///
    /// Serve it by [`serve`](crate::serve), or by axum with `into_make_service_with_connect_info::<SocketAddr>()`: a
    /// request whose peer is not known is nobody's, and is refused.
    ///
    /// Another accept loop writes nothing when it ends: call [`Server::written`] then, of a clone.
    ///
    /// [`serve`](crate::serve) refuses to listen in plain text where others could; another accept loop does not, so TLS and the
    /// address are the application's business then. The gate believes in its own TLS and in that of trusted proxies: without
    /// either, whatever does not come from this machine is refused as plain text. **A proxy on this machine that
    /// [`Settings::trusted_proxies`](crate::Settings::trusted_proxies) does not name passes for this machine.**
    pub fn into_router(self) -> axum::Router {
        axum::Router::new().fallback_service(self)
    }

    /// The server behind layers of tower, such as one for CORS, to be [served](crate::serve) with its settings as without them. What they
    /// answer themselves has passed no gate.
    #[must_use]
    pub fn behind(self, layers: impl FnOnce(axum::Router) -> axum::Router) -> Guarded {
        let gate = self.shared.gate.clone();
        gate.guards(layers(self.into_router()))
    }

    /// Fetches the key sets that its schemes name by URL, and keeps them fresh from then on. The files of client
    /// certificates are looked at from then on, and on SIGHUP, which ends a process that does not listen to it.
    ///
    /// [`serve`](crate::serve) does it before it listens; call it where the server is mounted otherwise.
    ///
    /// # Errors
    /// Every key set that cannot be had.
    pub async fn ready(&self) -> Result<(), ConfigError> {
        self.shared.gate.ready().await
    }

    /// Says which of its schemes have an issuer that does not answer.
    pub(crate) fn degraded(&self) -> Degraded {
        self.shared.gate.degraded()
    }

    /// Whether one of its schemes takes client certificates, or tokens that are bound to them.
    pub(crate) fn asks_for_certificates(&self) -> bool {
        self.shared.gate.asks_for_certificates()
    }

    /// Waits for the handlers that still run though their clients have left.
    pub(crate) async fn settled(&self) {
        self.shared.gate.settled().await;
    }

    /// Ends when what was counted is written and security events are stored, or after two seconds.
    ///
    /// [`serve`](crate::serve) does it when it stops. Keep a clone of a server that is mounted otherwise, and call it when its accept
    /// loop has ended, before the runtime does: else what waits for the sink of security events is lost.
    pub async fn written(&self) {
        self.shared.gate.written().await;
    }

    /// The settings it was built with.
    pub(crate) fn settings(&self) -> &Settings {
        self.shared.gate.settings()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("operations", &self.shared.routes.endpoints.len())
            .finish_non_exhaustive()
    }
}

impl Service<http::Request<Body>> for Server {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        let sink = shared.gate.settings().events.clone();
        Box::pin(storing(sink, async move { Ok(shared.answer(request).await) }))
    }
}

impl Shared {
    /// Steps 1 to 16: see [`gate`].
    async fn answer(&self, request: http::Request<Body>) -> Response {
        let (mut parts, body) = request.into_parts();
        let mut visit = Visit::open(&self.gate, &mut parts);
        let result = gate::guarded(self.steps(&mut visit, &parts, body)).await;
        visit.close(result).await
    }

    async fn steps(
        &self,
        visit: &mut Visit,
        parts: &http::request::Parts,
        body: Body,
    ) -> Result<Response, Rejection> {
        let found = self.routes.find(parts.uri.path(), parts.method.as_str()); // looked up first, answered after step 2
        visit.arrive(found.endpoint().map(|(_, prepared)| prepared)).await?; // 2
        let (endpoint, prepared, captures) = found.or_refuse()?; // 3
        endpoint.call(prepared, visit, Request { parts, body, captures: &captures }).await // 4 to 16
    }
}

/// An operation behind its types.
trait Endpoint: Send + Sync {
    fn call<'a>(&'a self, at: &'a Prepared, visit: &'a mut Visit, request: Request<'a>) -> Answering<'a>;
}

type Answering<'a> = Pin<Box<dyn Future<Output = Result<Response, Rejection>> + Send + 'a>>;

struct Typed<S, Op> {
    service: Arc<S>,
    operation: PhantomData<fn() -> Op>,
}

impl<S: Send + Sync + 'static, Op: Served<S>> Endpoint for Typed<S, Op> {
    fn call<'a>(&'a self, at: &'a Prepared, visit: &'a mut Visit, request: Request<'a>) -> Answering<'a> {
        Box::pin(gate::handle::<S, Op>(at, &self.service, visit, request))
    }
}

/// The declared paths and methods, and nothing else.
pub(crate) struct Routes {
    tree: routes::Routes<Route>,
    endpoints: Vec<(Box<dyn Endpoint>, Prepared)>,
}

/// The methods of one path.
struct Route {
    methods: Vec<(&'static str, usize)>,
    allow: HeaderValue,
}

/// What a path and a method lead to.
enum Found<'r, 'p> {
    Endpoint { endpoint: &'r dyn Endpoint, prepared: &'r Prepared, captures: Vec<&'p str> },
    NoMethod(&'r HeaderValue),
    NoRoute,
}

impl<'r, 'p> Found<'r, 'p> {
    fn endpoint(&self) -> Option<(&'r dyn Endpoint, &'r Prepared)> {
        match self {
            Self::Endpoint { endpoint, prepared, .. } => Some((*endpoint, prepared)),
            Self::NoMethod(_) | Self::NoRoute => None,
        }
    }

    fn or_refuse(self) -> Result<(&'r dyn Endpoint, &'r Prepared, Vec<&'p str>), Rejection> {
        match self {
            Self::Endpoint { endpoint, prepared, captures } => Ok((endpoint, prepared, captures)),
            Self::NoMethod(allow) => Err(Rejection::NoMethod { allow: allow.clone() }),
            Self::NoRoute => Err(Rejection::NoRoute),
        }
    }
}

impl Routes {
    fn new(gate: &Gate, served: Vec<(&'static Policy, Box<dyn Endpoint>)>) -> Result<Self, ConfigError> {
        let mut tree: routes::Routes<Route> = routes::Routes::new();
        let mut endpoints = Vec::with_capacity(served.len());
        for (policy, endpoint) in served {
            // Two operations may name the same place differently: the template of parameters is one.
            let route = tree.entry(policy.path, Route::default).filter(|route| !route.has(policy.method));
            let route = route.ok_or_else(|| ConfigError::route(policy.path))?;
            route.methods.push((policy.method, endpoints.len()));
            route.allow = allow(&route.methods);
            let prepared =
                gate.prepared(policy.id).ok_or_else(|| ConfigError::unknown_operation(policy.id))?;
            endpoints.push((endpoint, prepared));
        }
        Ok(Self { tree, endpoints })
    }

    fn find<'r, 'p>(&'r self, path: &'p str, method: &str) -> Found<'r, 'p> {
        let Some((route, captures)) = self.tree.find(path) else { return Found::NoRoute };
        let index = route.methods.iter().find(|(declared, _)| *declared == method).map(|(_, index)| *index);
        match index.and_then(|index| self.endpoints.get(index)) {
            Some((endpoint, prepared)) => Found::Endpoint { endpoint: endpoint.as_ref(), prepared, captures },
            None => Found::NoMethod(&route.allow),
        }
    }
}

impl Route {
    fn has(&self, method: &str) -> bool {
        self.methods.iter().any(|(declared, _)| *declared == method)
    }
}

impl Default for Route {
    fn default() -> Self {
        Self { methods: Vec::new(), allow: HeaderValue::from_static("") }
    }
}

/// `Allow` lists the declared methods (RFC 9110 section 10.2.1).
fn allow(methods: &[(&'static str, usize)]) -> HeaderValue {
    let names: Vec<&str> = methods.iter().map(|(method, _)| *method).collect();
    HeaderValue::from_str(&names.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""))
}
