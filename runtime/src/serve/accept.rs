//! The accept loop.
//!
//! It stands where `axum::serve` would, because that one installs no timer: a client that never finishes its headers
//! would hold its connection for ever, and nothing would bound how many it holds.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{OptionFuture, join};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Servable;
use super::connection::Connections;
use super::proxy_protocol::{Caller, Proxies};
use super::slots::{Slot, Slots};
use super::tally::Tally;
use crate::address::Relay;
use crate::event::{Events, storing, works_settled};
use crate::settings::Settings;

/// The first and the longest pause after the system refused to accept, e.g. for want of files.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));
/// For what is to be written, when those who have begun have finished or have no time any more.
const SETTLING: Duration = Duration::from_secs(2);

/// What connections speak before they speak HTTP.
#[derive(Debug)]
pub(super) enum Transport {
    Plain,
    #[cfg(feature = "tls")]
    Tls(super::tls::Acceptor),
}

impl Transport {
    /// Whether nobody on the way can read what is sent.
    pub(super) fn is_protected(&self) -> bool {
        !matches!(self, Self::Plain)
    }

    async fn serve<S: Servable>(
        &self,
        connections: &Connections,
        service: S,
        stream: TcpStream,
        caller: Caller,
        stopped: watch::Receiver<()>,
    ) {
        // Answers are written whole, so nothing is gained by waiting for more to send.
        _ = stream.set_nodelay(true);
        match self {
            Self::Plain => connections.serve(service, stream, caller, None, stopped).await,
            #[cfg(feature = "tls")]
            Self::Tls(acceptor) => match acceptor.accept(stream).await {
                Ok((stream, session)) => {
                    connections.serve(service, stream, caller, Some(session), stopped).await;
                }
                Err(error) => tracing::debug!(%error, peer = %caller.address, "no handshake"),
            },
        }
    }
}

/// What all connections of a listener share.
#[derive(Debug)]
struct Door {
    transport: Transport,
    connections: Connections,
    slots: Slots,
    proxies: Proxies,
    /// Connections over a cap.
    refused: Tally,
    /// Attempts to accept one that the system refused.
    failed: Tally,
}

impl Door {
    fn new(transport: Transport, settings: &Settings) -> Self {
        Self {
            transport,
            connections: Connections::new(settings),
            slots: Slots::new(settings),
            proxies: Proxies::new(settings),
            refused: Tally::default(),
            failed: Tally::default(),
        }
    }

    /// A place for a connection, if it may come and there is one.
    fn admit(&self, peer: SocketAddr) -> Option<Slot> {
        if !self.proxies.admit(peer) {
            return None;
        }
        let slot = if self.proxies.speak() { self.slots.take() } else { self.slots.take_for(peer.ip()) };
        if slot.is_none() {
            self.refuse(peer);
        }
        slot
    }

    /// Serves a connection as long as it has its place.
    async fn serve<S: Servable>(
        &self,
        mut slot: Slot,
        service: S,
        mut stream: TcpStream,
        peer: SocketAddr,
        mut stopped: watch::Receiver<()>,
    ) {
        let caller = tokio::select! {
            biased; // where no header is awaited, it goes on to the end that a connection has
            caller = self.proxies.caller(&mut stream, peer) => caller,
            _ = stopped.changed() => None, // nothing has begun that could be finished
        };
        let Some(caller) = caller else { return };
        if matches!(caller.relay, Some(Relay::Client { .. }))
            && !self.slots.count(&mut slot, caller.address.ip())
        {
            return self.refuse(caller.address);
        }
        self.transport.serve(&self.connections, service, stream, caller, stopped).await;
        drop(slot);
    }

    fn refuse(&self, peer: SocketAddr) {
        if let Some(count) = self.refused.one() {
            tracing::warn!(count, last = %peer.ip(), "connections refused: too many are open");
        }
    }

    /// The next connection. An error is about one connection or about the system, and never a reason to stop serving.
    ///
    /// Whoever comes while there is no descriptor for them waits, and is accepted when there is one.
    async fn next(&self, listener: &TcpListener) -> (TcpStream, SocketAddr) {
        let (mut pause, longest) = PAUSES;
        loop {
            match listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if let Some(count) = self.failed.one() {
                        tracing::error!(count, %error, "cannot accept connections");
                    }
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2).min(longest);
                }
            }
        }
    }
}

/// Accepts and serves until `shutdown`, then lets what has begun finish.
pub(super) async fn accept<S: Servable>(
    listener: TcpListener,
    transport: Transport,
    service: S,
    settings: Settings,
    mut shutdown: Pin<Box<dyn Future<Output = ()> + Send>>,
) {
    let drain = settings.drain;
    let door = Arc::new(Door::new(transport, &settings));
    let (stop, stopped) = watch::channel(());
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            biased; // who has ended goes before anybody comes: there are never more tasks than connections may be open
            () = &mut shutdown => break,
            Some(_) = tasks.join_next() => {}
            (stream, peer) = door.next(&listener) => if let Some(slot) = door.admit(peer) {
                let (door, service, stopped) = (Arc::clone(&door), service.clone(), stopped.clone());
                let serving = async move { door.serve(slot, service, stream, peer, stopped).await };
                tasks.spawn(storing(settings.events.clone(), serving));
            },
        }
    }
    drop(listener); // who comes now is refused at once, and does not wait for an answer that never comes
    drop(stop); // every connection waits for this
    // of a service that has no sink of its own, or another
    let stored = OptionFuture::from(settings.events.as_ref().map(Events::settle));
    let written = join(service.written(), stored);
    finish(tasks, drain, join(service.settled(), works_settled()), written).await;
}

/// Lets those who have begun finish, for so long. What the service has to write is written in any case.
async fn finish(mut tasks: JoinSet<()>, drain: Duration, settled: impl Future, written: impl Future) {
    let ends = Instant::now() + drain;
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout_at(ends, all).await.is_err() {
        tracing::warn!(connections = tasks.len(), "closing connections that did not finish in time");
        tasks.shutdown().await;
    }
    // what came late in the drain has a moment of its own
    if tokio::time::timeout_at(ends.max(Instant::now() + SETTLING), settled).await.is_err() {
        tracing::warn!("handlers run that did not finish in time");
    }
    if tokio::time::timeout(SETTLING, written).await.is_err() {
        tracing::warn!("not all that was to be written was written in time");
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests;
