//! Where a writer is while it does not run.
//!
//! Rules:
//! 1. it runs in the runtime of whoever has an event first, or says that there will be some;
//! 2. when that runtime ends it comes home with all that it holds, and goes out again with whoever has an event then: nothing is
//!    lost with a runtime that a part of the application had for itself;
//! 3. when the writer panics the sink counts as away, and it goes on after a pause;
//! 4. the operator is told of both, and never while something is dropped: a log that panics then would end the process. What
//!    is told while the last of it is dropped is told so that it does not ([`tell`](super::tell)).

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use tokio::runtime::Handle;

use super::writer::Writer;

pub(super) struct Home {
    writer: Mutex<Option<Writer>>,
    is_out: AtomicBool,
}

impl Home {
    pub(super) fn of(writer: Writer) -> Arc<Self> {
        Arc::new(Self { writer: Mutex::new(Some(writer)), is_out: AtomicBool::new(false) })
    }

    /// Rule 1.
    pub(super) fn send_out(self: &Arc<Self>) {
        if self.is_out.load(Ordering::Relaxed) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some() {
            self.is_out.store(true, Ordering::Relaxed);
            runtime.spawn(Out { writer, home: Arc::clone(self) }.run()); // one that has ended drops it at once
        }
    }
}

/// A writer that runs.
struct Out {
    writer: Option<Writer>,
    home: Arc<Home>,
}

impl Out {
    async fn run(mut self) {
        let Some(writer) = &mut self.writer else { return };
        while AssertUnwindSafe(writer.run()).catch_unwind().await.is_err() {
            if !writer.has_panicked().await {
                return;
            }
        }
    }
}

/// Rules 2 and 4.
impl Drop for Out {
    fn drop(&mut self) {
        if let Some(writer) = &mut self.writer {
            writer.has_ended(); // told where it goes out again
        }
        *self.home.writer.lock().unwrap_or_else(PoisonError::into_inner) = self.writer.take();
        self.home.is_out.store(false, Ordering::Relaxed);
    }
}
