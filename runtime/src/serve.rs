//! From a service to a server: where it may listen, and until when.

mod accept;
mod connection;
mod garbled;
pub(crate) mod proxy_protocol;
mod pulse;
mod session;
mod slots;
mod tally;
#[cfg(feature = "tls")]
mod tls;
mod watched;

use std::convert::Infallible;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use axum::body::Body;
use axum::response::Response;
use http::Request;
use tokio::net::{TcpListener, lookup_host};
use tower_service::Service;

use self::accept::{Transport, accept};
pub(crate) use self::session::Session;
#[cfg(feature = "tls")]
pub(crate) use self::tls::Hangup;
#[cfg(feature = "tls")]
pub use self::tls::{Tls, TlsError};
use crate::config_error::ConfigError;
use crate::event::{Events, storing};
use crate::readiness::{Degraded, Readiness};
use crate::server::Server;
use crate::settings::Settings;

/// What [`serve`] serves: a [`Server`], or an axum router that has adopted some operations ([`Gate::guards`](crate::Gate::guards)).
///
/// A service of your own becomes one by an empty `impl`.
pub trait Servable:
    Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
    /// How it meets the network.
    fn settings(&self) -> Settings {
        Settings::new()
    }

    /// Whether it has use for client certificates: then every client is asked for one in the handshake.
    fn asks_for_certificates(&self) -> bool {
        false
    }

    /// Loads what must be there before the first request, such as key sets that are fetched.
    fn ready(&self) -> impl Future<Output = Result<(), ConfigError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Says, whenever it is asked, what it relies on that does not answer: [`Readiness`] tells of it beside its own parts.
    fn degraded(&self) -> Degraded {
        Degraded::default()
    }

    /// Ends when nothing runs any more that outlives its client. A server that stops waits for it, as long as it waits
    /// for those who are being answered.
    fn settled(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Ends when what the server has to write last is written. It comes after [`Servable::settled`], also where that did not
    /// end in time, and is waited for two seconds at most.
    fn written(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

impl Servable for axum::Router {}

impl Servable for Server {
    fn settings(&self) -> Settings {
        Self::settings(self).clone()
    }

    fn asks_for_certificates(&self) -> bool {
        Self::asks_for_certificates(self)
    }

    fn degraded(&self) -> Degraded {
        Self::degraded(self)
    }

    fn ready(&self) -> impl Future<Output = Result<(), ConfigError>> + Send {
        Self::ready(self)
    }

    fn settled(&self) -> impl Future<Output = ()> + Send {
        Self::settled(self)
    }

    fn written(&self) -> impl Future<Output = ()> + Send {
        Self::written(self)
    }
}

/// Serves requests until the process is told to stop. Await what it returns.
///
/// ```no_run
/// # async fn run(server: palisade::Server) -> Result<(), palisade::ServeError> {
/// palisade::serve(server).listen("127.0.0.1:8080").await
/// # }
/// ```
pub fn serve<S: Servable>(service: S) -> Serve<S> {
    let settings = service.settings();
    let place = Place::Address("127.0.0.1:8080".to_owned());
    Serve {
        service,
        settings,
        place,
        #[cfg(feature = "tls")]
        tls: None,
        shutdown: Box::pin(told_to_stop()),
        readiness: None,
    }
}

/// A server that is about to run: see [`serve`].
#[must_use = "nothing is served until this is awaited"]
pub struct Serve<S> {
    service: S,
    settings: Settings,
    place: Place,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
    shutdown: Pin<Box<dyn Future<Output = ()> + Send>>,
    readiness: Option<Readiness>,
}

#[derive(Debug)]
enum Place {
    Address(String),
    Listener(TcpListener),
}

impl<S> fmt::Debug for Serve<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("place", &self.place)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Why a server did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// It would have taken requests in plain text from other machines.
    Exposed(SocketAddr),
    /// What must be there before the first request is not.
    NotReady(ConfigError),
    /// The address could not be resolved or bound.
    Bind {
        /// The address that was asked for.
        address: String,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exposed(address) => write!(
                f,
                "refusing to listen on {address} without TLS: credentials would travel in plain text; give it a \
                 certificate with `Serve::tls`, listen on a loopback address, or name the proxies that speak TLS in front of this server with \
                 `Settings::trusted_proxies` or `Settings::proxy_protocol_from`"
            ),
            Self::NotReady(fault) => fault.fmt(f),
            Self::Bind { address, .. } => write!(f, "cannot listen on {address}"),
        }
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Exposed(_) | Self::NotReady(_) => None,
            Self::Bind { source, .. } => Some(source),
        }
    }
}

impl<S: Servable> Serve<S> {
    /// Where to listen: `address:port` or `name:port`. Default: `127.0.0.1:8080`.
    pub fn listen(self, address: impl fmt::Display) -> Self {
        Self { place: Place::Address(address.to_string()), ..self }
    }

    /// Listens on a socket that is bound already, e.g. to a port that the system chose.
    pub fn listener(self, listener: TcpListener) -> Self {
        Self { place: Place::Listener(listener), ..self }
    }

    /// Speaks TLS. Then it may listen on any address.
    #[cfg(feature = "tls")]
    pub fn tls(self, tls: Tls) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// Other settings than those of the service, for the connections only.
    pub fn settings(self, settings: Settings) -> Self {
        let errors = self.settings.errors; // of the document
        let events = settings.events.or(self.settings.events);
        Self { settings: Settings { errors, events, ..settings }, ..self }
    }

    /// Stops when this is done. Default: on Ctrl-C, and on SIGTERM where there is one.
    ///
    /// No new connection is taken then, and the port is free; requests that have begun have [`Settings::drain`] to finish.
    pub fn shutdown(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { shutdown: Box::pin(shutdown), ..self }
    }

    /// Tells it when the server begins to take requests, and when it begins to stop, and which of its schemes have an issuer that
    /// does not answer. Whoever wants balancers to know some time before calls [`Readiness::stop`]
    /// in [`Serve::shutdown`] and waits there.
    pub fn readiness(self, readiness: &Readiness) -> Self {
        Self { readiness: Some(readiness.clone()), ..self }
    }

    async fn run(self) -> Result<(), ServeError> {
        self.service.ready().await.map_err(ServeError::NotReady)?;
        #[cfg(feature = "tls")]
        let transport = match self.tls {
            Some(tls) => Transport::Tls(tls.acceptor(self.service.asks_for_certificates())),
            None => Transport::Plain,
        };
        #[cfg(not(feature = "tls"))]
        let transport = Transport::Plain;
        let listener = bind(self.place, &transport, &self.settings).await?;
        if let Ok(address) = listener.local_addr() {
            tracing::info!(%address, tls = transport.is_protected(), "listening");
        }
        let (shutdown, readiness) = (self.shutdown, self.readiness.unwrap_or_default());
        readiness.tell_of(self.service.degraded());
        readiness.start();
        let told = Box::pin(async move {
            shutdown.await;
            readiness.stop();
        });
        let sink = self.settings.events.clone();
        sink.iter().for_each(Events::start);
        storing(sink, accept(listener, transport, self.service, self.settings, told)).await;
        Ok(())
    }
}

impl<S: Servable> IntoFuture for Serve<S> {
    type Output = Result<(), ServeError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

async fn bind(place: Place, transport: &Transport, settings: &Settings) -> Result<TcpListener, ServeError> {
    match place {
        Place::Listener(listener) => {
            let address = listener.local_addr();
            let failed = |source| ServeError::Bind { address: "the given socket".to_owned(), source };
            permitted(address.map_err(failed)?, transport, settings)?;
            Ok(listener)
        }
        Place::Address(address) => {
            let failed = |source| ServeError::Bind { address: address.clone(), source };
            let all: Vec<_> = lookup_host(&address).await.map_err(failed)?.collect();
            all.iter().try_for_each(|one| permitted(*one, transport, settings))?;
            TcpListener::bind(all.as_slice()).await.map_err(failed)
        }
    }
}

/// A listener in plain text for this machine, and where it is.
pub(crate) async fn bind_here(address: String) -> Result<(TcpListener, SocketAddr), ServeError> {
    let listener = bind(Place::Address(address.clone()), &Transport::Plain, &Settings::new()).await?;
    let at = listener.local_addr().map_err(|source| ServeError::Bind { address, source })?;
    Ok((listener, at))
}

/// Without TLS of our own, only this machine is served, or those who come through a proxy that has TLS: whether they
/// did is checked for each request.
fn permitted(address: SocketAddr, transport: &Transport, settings: &Settings) -> Result<(), ServeError> {
    let served_here = address.ip().to_canonical().is_loopback();
    if transport.is_protected()
        || served_here
        || !settings.trusted_proxies.is_empty()
        || !settings.proxy_protocol.is_empty()
    {
        Ok(())
    } else {
        Err(ServeError::Exposed(address))
    }
}

async fn told_to_stop() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => _ = signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;

    use super::*;

    #[tokio::test]
    async fn without_tls_only_this_machine_is_served_unless_proxies_are_named() {
        let try_on = async |address: &str, settings: Settings| {
            serve(Router::new()).settings(settings).listen(address).shutdown(std::future::ready(())).await
        };
        let behind = || Settings::new().trusted_proxies(["10.0.0.1"]).unwrap();
        assert!(try_on("127.0.0.1:0", Settings::new()).await.is_ok());
        assert!(try_on("localhost:0", Settings::new()).await.is_ok());
        assert!(matches!(try_on("0.0.0.0:0", Settings::new()).await, Err(ServeError::Exposed(_))));
        assert!(matches!(try_on("[::]:0", Settings::new()).await, Err(ServeError::Exposed(_))));
        assert!(try_on("0.0.0.0:0", behind()).await.is_ok());
        let balanced = Settings::new().proxy_protocol_from(["10.0.0.1"]).unwrap();
        assert!(try_on("0.0.0.0:0", balanced).await.is_ok());
        assert!(matches!(try_on("no port", Settings::new()).await, Err(ServeError::Bind { .. })));
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let exposed = serve(Router::new()).listener(listener).shutdown(std::future::ready(())).await;
        assert!(matches!(exposed, Err(ServeError::Exposed(_))));
    }
}
