//! `gate.layer()`: the outer steps, for an axum application that adopts operations.
//!
//! It goes around every route that extracts an operation, and may go around others: they get request ids, security
//! headers, the panic guard and the envelope of a [`Problem`](crate::Problem), and are not counted by any limit.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use super::desk::Desk;
use crate::event::storing;
use crate::gate::{Gate, Visit, guarded};
use crate::problem::Rejection;

/// Made by [`Gate::layer`].
#[derive(Clone, Debug)]
pub struct GateLayer {
    gate: Gate,
}

/// A service behind a [`GateLayer`].
#[derive(Clone, Debug)]
pub struct GateService<S> {
    inner: S,
    gate: Gate,
}

impl Gate {
    /// The outer steps of the gate, for [`axum::Router::layer`].
    #[must_use]
    pub fn layer(&self) -> GateLayer {
        GateLayer { gate: self.clone() }
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = GateService<S>;

    fn layer(&self, inner: S) -> GateService<S> {
        GateService { inner, gate: self.gate.clone() }
    }
}

impl<S> Service<Request<Body>> for GateService<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The instance that was polled ready is the one to call.
        let ready = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, ready);
        let gate = self.gate.clone();
        let sink = gate.settings().events.clone();
        Box::pin(storing(sink, async move { Ok(pass(&gate, inner, request).await) }))
    }
}

async fn pass<S>(gate: &Gate, mut inner: S, request: Request<Body>) -> Response
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    let (mut parts, body) = request.into_parts();
    let desk = Desk::new(gate, Visit::open(gate, &mut parts)); // 1
    parts.extensions.insert(desk.clone());
    let answering = inner.call(Request::from_parts(parts, body));
    let answered = guarded(async {
        tokio::select! {
            biased;
            answer = answering => Ok(answer.unwrap_or_else(|never| match never {})),
            () = desk.overdue() => Err(Rejection::Deadline),
        }
    });
    let answered = answered.await;
    desk.close(answered).await // 16
}
