//! `gate.guards(app)`: an application with its gate, for [`serve`](crate::serve()).
//!
//! A router does not say which gate its operations have. So that what the gate keeps is there before the first request, is
//! written while it runs, and is settled when the server stops, it is served together with it.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use http::Request;
use tower_service::Service;

use crate::config_error::ConfigError;
use crate::gate::Gate;
use crate::readiness::Degraded;
use crate::serve::Servable;
use crate::settings::Settings;

/// Made by [`Gate::guards`].
#[derive(Clone, Debug)]
pub struct Guarded {
    app: Router,
    gate: Gate,
}

impl Gate {
    /// An application with adopted operations, to be served with the settings of this gate: its key sets are fetched first, its
    /// counters are kept where they are to be, and a server that stops waits for what outlives its clients.
    ///
    /// The layer is still yours to put where it belongs ([`Gate::layer`]).
    #[must_use]
    pub fn guards(&self, app: Router) -> Guarded {
        Guarded { app, gate: self.clone() }
    }
}

impl Service<Request<Body>> for Guarded {
    type Response = Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<Body>>::poll_ready(&mut self.app, cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.app.call(request)
    }
}

impl Servable for Guarded {
    fn settings(&self) -> Settings {
        self.gate.settings().clone()
    }

    fn asks_for_certificates(&self) -> bool {
        self.gate.asks_for_certificates()
    }

    fn degraded(&self) -> Degraded {
        self.gate.degraded()
    }

    fn ready(&self) -> impl Future<Output = Result<(), ConfigError>> + Send {
        self.gate.ready()
    }

    fn settled(&self) -> impl Future<Output = ()> + Send {
        self.gate.settled()
    }

    fn written(&self) -> impl Future<Output = ()> + Send {
        self.gate.written()
    }
}
