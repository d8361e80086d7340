//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::Servable;
use super::proxy_protocol::Caller;
use super::pulse::{Beat, Piece, Pulse};
use super::session::Session;
use super::watched::{Patience, Watched};
use crate::address::Peer;
use crate::operation::ErrorForm;
use crate::settings::Settings;

/// An HTTP/2 client that does not answer a ping is gone.
const PING: Duration = Duration::from_secs(20);

/// So much of a streamed answer is made ahead of what the client takes, for each stream of HTTP/2.
const AHEAD: usize = 16 * 1024;

/// So much of what clients of HTTP/2 send is taken before anybody reads it, for each connection.
const WINDOW: u32 = 256 * 1024;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Connections {
    http: Builder<TokioExecutor>,
    patience: Patience,
    errors: ErrorForm,
}

impl Connections {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { http: http(settings), patience: Patience::new(settings), errors: settings.errors }
    }

    /// Serves it until either side is done, or until `stopped` and what has begun is finished.
    pub(super) async fn serve<S: Servable, T: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
        &self,
        service: S,
        stream: T,
        caller: Caller,
        session: Option<Session>,
        mut stopped: watch::Receiver<()>,
    ) {
        let pulse = Arc::new(Pulse::new());
        let peer = caller.address;
        let watched = Watched::new(stream, peer.ip(), Arc::clone(&pulse), self.patience, self.errors);
        let io = TokioIo::new(watched);
        let service = service_fn(move |request: Request<Incoming>| {
            let beat = pulse.begin(request.version());
            answer(service.clone(), caller, session.clone(), request, beat)
        });
        let mut connection = pin!(self.http.serve_connection(io, service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            _ = stopped.changed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            // What clients send wrongly has been answered, with its event; here it is only noise for who debugs.
            tracing::debug!(%error, %peer, "connection ended");
        }
    }
}

/// The limits of the HTTP library. What is not set here is left at its defaults, which are limits too:
/// 100 headers (431), at most 20 streams that the client reset before they were accepted.
fn http(settings: &Settings) -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    // The head's time is kept by `Watched`; this timer would also end idle connections.
    http.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(settings.max_header_bytes);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_concurrent_streams(settings.max_streams)
        .max_send_buf_size(AHEAD)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_header_list_size(u32::try_from(settings.max_header_bytes / 2).unwrap_or(u32::MAX));
    http
}

async fn answer<S: Servable>(
    mut service: S,
    caller: Caller,
    session: Option<Session>,
    request: Request<Incoming>,
    mut beat: Beat,
) -> Result<Response<Answering>, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(Peer(caller.address));
    if let Some(relay) = caller.relay {
        request.extensions_mut().insert(relay);
    }
    if let Some(session) = session {
        request.extensions_mut().insert(session);
    }
    poll_fn(|cx| service.poll_ready(cx)).await?;
    let mut answer = service.call(request).await?;
    beat.counts_as(answer.extensions_mut().remove());
    Ok(answer.map(|body| Answering { body, beat }))
}

/// A body that is being sent.
#[derive(Debug)]
struct Answering {
    body: Body,
    beat: Beat,
}

impl http_body::Body for Answering {
    type Data = Piece;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(
            frame.map(|frame| frame.map(|frame| frame.map_data(|bytes| Piece::new(bytes, &self.beat)))),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
