//! Works that run whether or not somebody waits for them, counted for whoever stops.

use tokio::sync::watch;

/// How many run.
#[derive(Clone, Debug)]
pub(crate) struct Works(watch::Sender<usize>);

/// One of them, until it is dropped.
pub(crate) struct Work(watch::Sender<usize>);

impl Default for Works {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Works {
    pub(crate) fn begin(&self) -> Work {
        self.0.send_modify(|running| *running = running.saturating_add(1));
        Work(self.0.clone())
    }

    /// Waits until none runs.
    pub(crate) async fn settled(&self) {
        // Fails only when no sender is left, and this is one.
        _ = self.0.subscribe().wait_for(|running| *running == 0).await;
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running = running.saturating_sub(1));
    }
}
