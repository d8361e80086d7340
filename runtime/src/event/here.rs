//! Which sink the events of a task are for.
//!
//! Many are raised far below the gate, by parts that belong to no server: stores of keys, issuers, logins. What is raised while a
//! connection is accepted or a request is answered goes to the sink of the server that does it.

use tokio::task::{JoinHandle, spawn_blocking};

use super::{Events, SecurityEvent, Severity};

tokio::task_local! {
    static SINK: Option<Events>;
}

/// What is raised meanwhile goes to this sink.
///
/// No `async fn`, which would hold its argument twice.
pub(crate) fn storing<F: Future>(sink: Option<Events>, work: F) -> impl Future<Output = F::Output> {
    SINK.scope(sink, work)
}

/// For work of this task that goes on in another.
pub(crate) fn sink() -> Option<Events> {
    SINK.try_with(Clone::clone).ok().flatten()
}

/// Work of this task that blocks.
pub(crate) fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let sink = sink();
    spawn_blocking(move || SINK.sync_scope(sink, work))
}

/// Hands an event to the sink of this task, where it has one.
pub(crate) fn store(severity: Severity, event: impl FnOnce() -> SecurityEvent) {
    // it has none, or ends
    _ = SINK.try_with(|sink| {
        if let Some(sink) = sink {
            sink.push(severity.into(), event);
        }
    });
}
