//! Collects the security events that a test causes.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, OnceLock};

use palisade::SECURITY_EVENTS;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::redis_server::Server;

type Fields = BTreeMap<String, String>;

static COLLECTED: OnceLock<Arc<Mutex<Vec<Fields>>>> = OnceLock::new();

/// Starts collecting, once a process.
pub fn collect() {
    COLLECTED.get_or_init(|| {
        let collected = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::registry().with(Collector(Arc::clone(&collected)));
        tracing::subscriber::set_global_default(subscriber).expect("the first subscriber of this process");
        collected
    });
}

/// The event of a request, by the id that its answer carries.
pub fn of(request_id: &str) -> Fields {
    let mut found = with("request_id", request_id);
    // the log may speak of the request as well
    found.retain(|fields| fields["target"] == SECURITY_EVENTS);
    assert_eq!(found.len(), 1, "one event a refusal: {request_id}");
    found.remove(0)
}

/// The events in which a field has this value.
pub fn with(field: &str, value: &str) -> Vec<BTreeMap<String, String>> {
    let all = COLLECTED.get().expect("collect() first").lock().unwrap();
    all.iter().filter(|fields| fields.get(field).is_some_and(|found| found == value)).cloned().collect()
}

/// How many tell of this Redis, which no other test has, with this value in a field.
pub fn of_redis(server: &Server, field: &str, value: &str) -> usize {
    let of_it = with("server", &server.address());
    of_it.iter().filter(|fields| fields.get(field).is_some_and(|found| found == value)).count()
}

/// Everything that was ever logged, as text.
pub fn everything() -> String {
    format!("{:?}", COLLECTED.get().expect("collect() first").lock().unwrap())
}

struct Collector(Arc<Mutex<Vec<Fields>>>);

impl<S: tracing::Subscriber> Layer<S> for Collector {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut fields = Text(BTreeMap::new());
        event.record(&mut fields);
        fields.0.insert("target".to_owned(), event.metadata().target().to_owned());
        self.0.lock().unwrap().push(fields.0);
    }
}

struct Text(Fields);

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}
