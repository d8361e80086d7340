//! SIGHUP, where there is one: files are looked at now.

pub(crate) struct Hangup {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangup {
    #[cfg(unix)]
    pub(crate) fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self { signal: signal(SignalKind::hangup()).ok() }
    }

    #[cfg(not(unix))]
    pub(crate) fn new() -> Self {
        Self {}
    }

    #[cfg(unix)]
    pub(crate) async fn wait(&mut self) {
        match &mut self.signal {
            Some(signal) => _ = signal.recv().await,
            None => std::future::pending().await,
        }
    }

    #[cfg(not(unix))]
    pub(crate) async fn wait(&mut self) {
        std::future::pending().await
    }
}
