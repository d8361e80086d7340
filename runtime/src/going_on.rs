//! Work that goes on beside all else, such as looking at a file again and again.
//!
//! Rules:
//! 1. it goes on once at a time, in a task of the runtime of whoever begins it. Where there is none, it is not begun;
//! 2. a task ends with its runtime, and when it panics, though what it is for is used further. So whoever uses that begins it
//!    each time: while it goes on that is one load, and where it has ended it goes on from there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;

/// Whether it goes on.
#[derive(Debug, Default)]
pub(crate) struct GoingOn(Arc<AtomicBool>);

/// Held by the work for as long as it goes on.
pub(crate) struct Going(Arc<AtomicBool>);

impl GoingOn {
    /// Begins it, unless it goes on.
    pub(crate) fn begin<W>(&self, work: impl FnOnce(Going) -> W)
    where
        W: Future<Output = ()> + Send + 'static,
    {
        if self.0.load(Ordering::Relaxed) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        if !self.0.swap(true, Ordering::Relaxed) {
            runtime.spawn(work(Going(Arc::clone(&self.0)))); // a runtime that has ended drops it at once
        }
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::mpsc;

    use super::*;

    /// Says that it has begun, and then what it is told to do.
    async fn work(begun: mpsc::UnboundedSender<()>, panics: bool, _going: Going) {
        begun.send(()).unwrap();
        assert!(!panics, "work that panics");
        std::future::pending().await
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
    }

    #[test]
    fn it_goes_on_once_and_begins_anew_where_it_has_ended() {
        let going_on = GoingOn::default();
        let (tell, mut begun) = mpsc::unbounded_channel();
        let mut begun_of = |panics| {
            (0..3).for_each(|_| going_on.begin(|going| work(tell.clone(), panics, going)));
            (0..).map_while(|_| begun.try_recv().ok()).count()
        };
        assert_eq!(begun_of(false), 0, "there is no runtime");
        for _ in 0..2 {
            runtime().block_on(async {
                let mut count = 0;
                for _ in 0..3 {
                    count += begun_of(false);
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                assert_eq!(count, 1);
            });
        }
        runtime().block_on(async {
            begun_of(true);
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(begun_of(false), 1, "of the one that panicked");
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(begun_of(false), 1);
        });
    }
}
