//! The server of `specs/audit.yaml`, and a sink that does as it is told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use palisade::{
    AnswerKeys, ApiKeys, Caller, Clock, EventSink, EventSinkError, Events, KeptAnswers, NewKey, Problem,
    SecurityEvent, Server, Settings, State, StoreFuture,
};
use palisade_tests::client::{Call, Client};
use palisade_tests::waiting::{Waiting, until};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

#[allow(missing_docs, dead_code, reason = "as it is generated")]
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/audit.rs"));
}

use api::*;

pub const GOOD: usize = 0;
pub const AWAY: usize = 1;
pub const HANGS: usize = 2;
/// It stores when it is good again.
pub const WAITS: usize = 3;

/// What it stores is JSON, as a collector would get it.
#[derive(Clone, Default)]
pub struct Sink(Arc<Shelf>);

#[derive(Default)]
struct Shelf {
    mode: AtomicUsize,
    waiting: AtomicUsize,
    stored: Mutex<Vec<Value>>,
}

impl EventSink for Sink {
    fn write<'a>(&'a self, events: &'a [SecurityEvent]) -> StoreFuture<'a, (), EventSinkError> {
        Box::pin(async move {
            match self.0.mode.load(Ordering::SeqCst) {
                AWAY => return Err(EventSinkError::new("the collector is away")),
                HANGS => std::future::pending().await,
                WAITS => self.is_good_again().await,
                _ => {}
            }
            let events = events.iter().map(|event| serde_json::to_value(event).unwrap());
            self.0.stored.lock().unwrap().extend(events);
            Ok(())
        })
    }
}

impl Sink {
    pub fn is(&self, mode: usize) {
        self.0.mode.store(mode, Ordering::SeqCst);
    }

    async fn is_good_again(&self) {
        self.0.waiting.fetch_add(1, Ordering::SeqCst);
        while self.0.mode.load(Ordering::SeqCst) == WAITS {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// How many calls it has begun that wait until it is good again.
    pub fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::SeqCst)
    }

    pub fn stored(&self) -> Vec<Value> {
        self.0.stored.lock().unwrap().clone()
    }

    /// Those of a request, as soon as there are so many.
    pub async fn of(&self, request_id: &str, count: usize) -> Vec<Value> {
        self.having("request_id", request_id, count).await
    }

    /// Those with this in a member, as soon as there are so many.
    pub async fn having(&self, member: &str, value: &str, count: usize) -> Vec<Value> {
        let found = || {
            let mut stored = self.stored();
            stored.retain(|event| event[member] == value);
            stored
        };
        until(async || found().len() >= count).await;
        let found = found();
        assert_eq!(found.len(), count, "{found:?}");
        found
    }

    /// How many audited calls have begun, as far as it knows.
    pub fn begun(&self) -> usize {
        self.stored().iter().filter(|event| event["event_type"] == "audit_begun").count()
    }
}

/// The types of events.
pub fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event_type"].as_str().unwrap()).collect()
}

#[derive(Clone, Default)]
pub struct Service {
    sink: Sink,
    pub paid: Arc<AtomicUsize>,
    pub handlers: Waiting,
}

impl Service {
    pub fn of(sink: &Sink) -> Self {
        Self { sink: sink.clone(), ..Self::default() }
    }

    async fn act(&self, act: Option<ListPaymentsAct>) -> Result<(), Problem> {
        let begun = self.paid.fetch_add(1, Ordering::SeqCst);
        assert!(self.sink.begun() > begun, "it was told of first");
        match act {
            None => Ok(()),
            Some(ListPaymentsAct::Refuse) => Err(Problem::new(409, "too_poor", "there is not enough")),
            Some(ListPaymentsAct::Panic) => panic!("secret-panic"),
            Some(ListPaymentsAct::Wait) => {
                self.handlers.wait().await;
                Ok(())
            }
        }
    }
}

impl Payments for Service {
    async fn status(&self, _: Caller<Status>, _: StatusInput) -> Result<StatusOutput, Problem> {
        Ok(StatusOutput::NoContent)
    }

    async fn crash(&self, _: Caller<Crash>, _: CrashInput) -> Result<CrashOutput, Problem> {
        panic!("secret-panic")
    }

    async fn list_payments(
        &self,
        _: Caller<ListPayments>,
        input: ListPaymentsInput,
    ) -> Result<ListPaymentsOutput, Problem> {
        self.act(input.act).await?;
        Ok(ListPaymentsOutput::NoContent)
    }

    async fn pay(&self, _: Caller<Pay>, input: PayInput) -> Result<PayOutput, Problem> {
        self.act(input.act).await?;
        Ok(PayOutput::NoContent)
    }

    async fn pay_once(&self, _: Caller<PayOnce>, input: PayOnceInput) -> Result<PayOnceOutput, Problem> {
        self.act(input.act).await?;
        Ok(PayOnceOutput::NoContent)
    }

    async fn hurry(&self, _: Caller<Hurry>, _: HurryInput) -> Result<HurryOutput, Problem> {
        self.act(None).await?;
        Ok(HurryOutput::NoContent)
    }
}

pub struct Desk {
    pub client: Client,
    pub server: Server,
    pub sink: Sink,
    pub events: Events,
    pub service: Service,
    pub key: String,
    pub stop: oneshot::Sender<()>,
    pub stopped: JoinHandle<()>,
}

pub fn keys() -> (String, ApiKeys) {
    let now = Clock::system().now().unwrap();
    let new = NewKey::generate("audit_test", "partner", &["payments"], now, None).unwrap();
    (new.key.expose().clone(), ApiKeys::new([new.record]).unwrap())
}

pub fn complete(
    service: Service,
    keys: ApiKeys,
    settings: Settings,
) -> Result<Server, palisade::ConfigError> {
    complete_keeping(answers(), service, keys, settings)
}

fn complete_keeping(
    answers: KeptAnswers,
    service: Service,
    keys: ApiKeys,
    settings: Settings,
) -> Result<Server, palisade::ConfigError> {
    server(service).key(keys).idempotency(answers).settings(settings).build()
}

fn answers() -> KeptAnswers {
    KeptAnswers::new(State::memory(), AnswerKeys::generate().unwrap())
}

impl Desk {
    pub async fn start() -> Self {
        Self::holding(4096).await
    }

    /// So many events wait at most.
    pub async fn holding(count: usize) -> Self {
        Self::with(count, Settings::new(), answers()).await
    }

    /// So many keys of a principal are kept in a day, and so many bytes under them.
    pub async fn keeping(calls: u32, bytes: u64) -> Self {
        let answers = answers().calls_per_day(calls).bytes_per_day(bytes);
        Self::with(4096, Settings::new(), answers).await
    }

    /// What has begun has so long when it stops.
    pub async fn draining(drain: Duration) -> Self {
        Self::with(4096, Settings::new().drain(drain), answers()).await
    }

    async fn with(count: usize, settings: Settings, answers: KeptAnswers) -> Self {
        let service = Service::default();
        let (sink, (key, keys)) = (service.sink.clone(), keys());
        let events = Events::holding(count, sink.clone());
        let settings = settings.events_to(events.clone());
        let server = complete_keeping(answers, service.clone(), keys, settings).expect("a complete server");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        let (stop, told) = oneshot::channel();
        let serving = palisade::serve(server.clone()).listener(listener).shutdown(async { _ = told.await });
        let stopped = tokio::spawn(async move { serving.await.expect("it serves") });
        Self { client, server, sink, events, service, key, stop, stopped }
    }

    pub fn call(&self, method: &str, path: &str) -> Call {
        self.client.call(method, path).key(&self.key)
    }

    pub fn paid(&self) -> usize {
        self.service.paid.load(Ordering::SeqCst)
    }
}
