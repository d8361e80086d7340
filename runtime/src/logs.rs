//! Logs, for the tests of what is told, and of what goes on though a log panics.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, LazyLock, Mutex};

use tracing::dispatcher::{DefaultGuard, Dispatch, set_default};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::NoSubscriber;
use tracing::{Event, Metadata, Subscriber};

/// It panics at whatever is said under this target.
pub(crate) struct PanickingLog(pub(crate) &'static str);

/// What was said under a target: a line for each, with its fields.
#[derive(Clone)]
pub(crate) struct Heard(&'static str, Arc<Mutex<Vec<String>>>);

impl Heard {
    pub(crate) fn of(target: &'static str) -> Self {
        Self(target, Arc::default())
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.1.lock().unwrap())
    }
}

/// What this thread says is told to it until the guard is dropped.
pub(crate) fn tell_to(log: impl Subscriber + Send + Sync) -> DefaultGuard {
    // of a single one, `tracing` asks what the thread that says something first has
    static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));
    LazyLock::force(&ANOTHER);
    set_default(&Dispatch::new(log))
}

macro_rules! log {
    ($log:ty, $event:expr) => {
        impl Subscriber for $log {
            fn enabled(&self, metadata: &Metadata<'_>) -> bool {
                metadata.target() == self.0
            }

            fn event(&self, event: &Event<'_>) {
                $event(self, event);
            }

            fn new_span(&self, _: &Attributes<'_>) -> Id {
                Id::from_u64(1)
            }

            fn record(&self, _: &Id, _: &Record<'_>) {}

            fn record_follows_from(&self, _: &Id, _: &Id) {}

            fn enter(&self, _: &Id) {}

            fn exit(&self, _: &Id) {}
        }
    };
}

log!(PanickingLog, |_, _| panic!("a log that panics"));
log!(Heard, |heard: &Heard, event: &Event<'_>| {
    let mut line = Line::default();
    event.record(&mut line);
    heard.1.lock().unwrap().push(line.0);
});

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}
