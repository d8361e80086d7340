//! Handlers that wait until they may go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// Clones are the same.
#[derive(Clone, Default)]
pub struct Waiting {
    go: watch::Sender<bool>,
    begun: Arc<AtomicUsize>,
}

impl Waiting {
    /// In a handler.
    pub async fn wait(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.told().wait_for(|go| *go).await.unwrap();
    }

    pub fn told(&self) -> watch::Receiver<bool> {
        self.go.subscribe()
    }

    /// All that wait go on, and none waits any more.
    pub fn go_on(&self) {
        self.go.send_replace(true);
    }

    /// They wait again.
    pub fn stop(&self) {
        self.go.send_replace(false);
    }

    /// How many have begun to wait.
    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    pub async fn have_begun(&self, count: usize) {
        until(async || self.begun() >= count).await;
    }
}

/// Waits until it is so, soon.
pub async fn until(is_so: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(20), "it does not come to be");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
