//! Logs, for the tests of what is told, and of what goes on though a log panics.

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// It panics at whatever is said under this target.
pub(crate) struct PanickingLog(pub(crate) &'static str);

impl Subscriber for PanickingLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == self.0
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        panic!("a log that panics")
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
