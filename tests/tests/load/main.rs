//! More to do than is done at once, over sockets: what matters less is refused first.

mod waiting;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http2;
use palisade::{
    ApiKeys, Caller, Change, Clock, KeyQuery, KeyRecord, KeyStore, KeyStoreError, KeyUse, NewKey, Problem,
    Settings, StoreFuture,
};
use palisade_tests::client::{Client, Reply};
use palisade_tests::events;
use palisade_tests::waiting::{Waiting, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

#[allow(dead_code, reason = "the generated module has more than this file asks for")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/load.rs"));
}

use api::*;

/// The handlers of `/work` wait until they may go on, and those of `/books`.
#[derive(Clone, Default)]
struct Service(Waiting, Waiting);

impl Load for Service {
    async fn status(&self, _: Caller<Status>, _: StatusInput) -> Result<StatusOutput, Problem> {
        Ok(StatusOutput::NoContent)
    }

    async fn work(&self, _: Caller<Work>, _: WorkInput) -> Result<WorkOutput, Problem> {
        self.0.wait().await;
        Ok(WorkOutput::NoContent)
    }

    async fn effect(&self, _: Caller<Effect>, _: EffectInput) -> Result<EffectOutput, Problem> {
        self.0.wait().await;
        Ok(EffectOutput::NoContent)
    }

    async fn urgent(&self, _: Caller<Urgent>, _: UrgentInput) -> Result<UrgentOutput, Problem> {
        self.0.wait().await;
        Ok(UrgentOutput::NoContent)
    }

    async fn hasty(&self, _: Caller<Hasty>, _: HastyInput) -> Result<HastyOutput, Problem> {
        Ok(HastyOutput::NoContent)
    }

    async fn book(&self, _: Caller<Book>, _: BookInput) -> Result<BookOutput, Problem> {
        self.1.wait().await;
        Ok(BookOutput::Ok("x".repeat(300 << 10)))
    }

    async fn print_book(&self, _: Caller<PrintBook>, _: PrintBookInput) -> Result<PrintBookOutput, Problem> {
        self.1.wait().await;
        Ok(PrintBookOutput::Ok("x".repeat(300 << 10)))
    }

    async fn note(&self, _: Caller<Note>, _: NoteInput) -> Result<NoteOutput, Problem> {
        Ok(NoteOutput::NoContent)
    }

    async fn report(&self, _: Caller<Report>, _: ReportInput) -> Result<ReportOutput, Problem> {
        Ok(ReportOutput::NoContent)
    }

    async fn accounts(&self, _: Caller<Accounts>, _: AccountsInput) -> Result<AccountsOutput, Problem> {
        Ok(AccountsOutput::NoContent)
    }

    async fn urgent_report(
        &self,
        _: Caller<UrgentReport>,
        _: UrgentReportInput,
    ) -> Result<UrgentReportOutput, Problem> {
        Ok(UrgentReportOutput::NoContent)
    }
}

/// Counts how often it was asked for a key, and has none. Where it hangs, it does not say so.
#[derive(Clone, Default)]
struct NoKeys {
    asked: Arc<AtomicUsize>,
    hangs: Arc<AtomicBool>,
}

impl KeyStore for NoKeys {
    fn find<'a>(&'a self, _: &'a str) -> StoreFuture<'a, Option<KeyRecord>, KeyStoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.hangs.load(Ordering::SeqCst) {
            true => Box::pin(std::future::pending()),
            false => Box::pin(async { Ok(None) }),
        }
    }

    fn list<'a>(&'a self, _: &'a KeyQuery) -> StoreFuture<'a, Vec<KeyRecord>, KeyStoreError> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn change<'a>(&'a self, _: &'a Change) -> StoreFuture<'a, usize, KeyStoreError> {
        Box::pin(async { Ok(0) })
    }

    fn used<'a>(&'a self, _: &'a [KeyUse]) -> StoreFuture<'a, (), KeyStoreError> {
        Box::pin(async { Ok(()) })
    }
}

struct Bench {
    client: Client,
    handlers: Waiting,
    /// The handlers of long answers; they wait for nothing from the start.
    books: Waiting,
    keys: NoKeys,
}

impl Bench {
    /// A server that has so many handlers at work, and at which nothing waits for that.
    async fn start(most: usize) -> Self {
        Self::with(Settings::new().max_requests(most).wait_for_place(Duration::ZERO)).await
    }

    async fn with(settings: Settings) -> Self {
        let (service, keys) = (Service::default(), NoKeys::default());
        let server = server(service.clone()).key(ApiKeys::from_store(keys.clone())).settings(settings);
        let server = server.build().expect("a complete server");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        tokio::spawn(async move { palisade::serve(server).listener(listener).await.expect("it serves") });
        service.1.go_on();
        Self { client, handlers: service.0, books: service.1, keys }
    }

    /// So many requests more whose handlers wait.
    async fn waiting(&self, count: usize) -> Vec<JoinHandle<Reply>> {
        self.at_work(count, "/work").await
    }

    async fn at_work(&self, count: usize, path: &str) -> Vec<JoinHandle<Reply>> {
        let begun = self.handlers.begun();
        let sent = (0..count).map(|_| tokio::spawn(self.client.get(path).send())).collect();
        self.handlers.have_begun(begun + count).await;
        sent
    }

    /// A connection over which this was sent.
    async fn sends(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.client.0).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// A client that leaves when its handler is at work.
    async fn leaves(&self, request: &str) {
        let begun = self.handlers.begun();
        let stream = self.sends(request).await;
        self.handlers.have_begun(begun + 1).await;
        drop(stream);
    }

    /// A client over HTTP/2 that says how much it takes of each answer: nothing, until it lets go of it.
    async fn takes_nothing(&self) -> Asks {
        let stream = hyper_util::rt::TokioIo::new(TcpStream::connect(self.client.0).await.unwrap());
        let (sender, connection) = http2::Builder::new(hyper_util::rt::TokioExecutor::new())
            .initial_stream_window_size(1_000)
            .handshake(stream)
            .await
            .unwrap();
        tokio::spawn(connection);
        Asks(sender)
    }

    async fn status_of(&self, path: &str) -> u16 {
        self.client.get(path).send().await.status.as_u16()
    }
}

#[derive(Clone)]
struct Asks(http2::SendRequest<Empty<Bytes>>);

impl Asks {
    async fn ask(mut self, method: &str, path: &str) -> http::Response<hyper::body::Incoming> {
        let request = http::Request::builder().method(method).uri(format!("http://test{path}"));
        self.0.send_request(request.body(Empty::new()).unwrap()).await.unwrap()
    }

    /// Requests whose handlers answer all at once.
    async fn at_once(
        &self,
        bench: &Bench,
        count: usize,
        method: &'static str,
    ) -> Vec<http::Response<hyper::body::Incoming>> {
        bench.books.stop();
        let begun = bench.books.begun();
        let sent: Vec<_> = (0..count).map(|_| tokio::spawn(self.clone().ask(method, "/books"))).collect();
        bench.books.have_begun(begun + count).await;
        bench.books.go_on();
        let mut answers = Vec::new();
        for answer in sent {
            answers.push(answer.await.unwrap());
        }
        answers
    }
}

#[tokio::test]
async fn what_matters_less_is_refused_first() {
    events::collect();
    let bench = Bench::start(10).await;
    let mut waiting = bench.waiting(4).await;
    assert_eq!(bench.status_of("/reports").await, 204);
    waiting.extend(bench.waiting(1).await);
    let shed = bench.client.get("/reports").send().await;
    shed.refused(503, "unavailable");
    assert_eq!(shed.header("retry-after"), "1");
    let event = events::of(shed.header("x-request-id"));
    assert_eq!((&*event["event_type"], &*event["failure_reason"]), ("sys_overloaded", "overloaded: Batch"));
    // an operation says it better than its path
    bench.client.call("PUT", "/reports").send().await.allowed(204);

    waiting.extend(bench.waiting(4).await);
    assert_eq!(bench.status_of("/work").await, 503);
    assert_eq!(bench.status_of("/status").await, 204);
    assert_eq!(bench.status_of("/nowhere").await, 404, "what is nothing needs no place");

    bench.handlers.go_on();
    for sent in waiting {
        sent.await.unwrap().allowed(204);
    }
    for path in ["/reports", "/work", "/status"] {
        assert_eq!(bench.status_of(path).await, 204, "{path}");
    }
}

/// Who floods a server that has no room does not have it look for credentials, and uses up nobody's attempts.
#[tokio::test]
async fn what_is_shed_is_not_authenticated() {
    events::collect();
    let bench = Bench::start(2).await;
    let now = Clock::system().now().unwrap();
    let unknown = NewKey::generate("load_test", "nobody", &[], now, None).unwrap();
    let ask = || bench.client.get("/accounts").key(unknown.key.expose()).send();
    let waiting = bench.waiting(1).await;
    for _ in 0..20 {
        let shed = ask().await;
        shed.refused(503, "unavailable");
        assert_eq!(events::of(shed.header("x-request-id"))["event_type"], "sys_overloaded");
    }
    assert_eq!(bench.keys.asked.load(Ordering::SeqCst), 0);
    bench.handlers.go_on();
    for sent in waiting {
        sent.await.unwrap().allowed(204);
    }
    until(async || bench.status_of("/reports").await == 204).await;
    // five attempts may fail, and none has
    for _ in 0..5 {
        ask().await.refused(401, "unauthenticated");
    }
    ask().await.refused(429, "rate_limited");
    assert!(bench.keys.asked.load(Ordering::SeqCst) >= 5);
}

/// The store may take two seconds, and the operation one: what asks for its credentials ends with it.
#[tokio::test]
async fn who_is_asked_for_credentials_is_waited_for_as_long_as_the_operation_may_take() {
    let bench = Bench::start(2).await;
    bench.keys.hangs.store(true, Ordering::SeqCst);
    let now = Clock::system().now().unwrap();
    let unknown = NewKey::generate("load_test", "nobody", &[], now, None).unwrap();
    let reply = bench.client.get("/accounts").key(unknown.key.expose()).send().await;
    reply.refused(504, "deadline_exceeded");
    assert_eq!(bench.keys.asked.load(Ordering::SeqCst), 1);
}

/// However many connections and streams it takes: a client that lets its bodies come slowly holds as much memory as its share.
#[tokio::test]
async fn bodies_that_come_slowly_take_a_share_of_the_memory() {
    events::collect();
    let bench = Bench::with(Settings::new().max_body_memory(64 * 1024)).await; // 8 KiB for one address
    let note = format!("[{}]", " ".repeat(6_000));
    let (first, last) = note.split_at(5_999);
    let head = "POST /notes HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length:";
    let slowly = format!("{head} {}\r\n\r\n{first}", note.len());
    let mut held = bench.sends(&slowly).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let answer = bench.client.raw(slowly.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1"), "{answer}");
    // what comes at once is held by nobody, and the one that is on its way comes through
    bench.client.post("/notes", &note).send().await.allowed(204);
    held.write_all(last.as_bytes()).await.unwrap();
    let mut answer = String::new();
    held.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    // and its room is free again
    let mut next = bench.sends(&slowly).await;
    next.write_all(last.as_bytes()).await.unwrap();
    let mut answer = String::new();
    next.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

#[tokio::test]
async fn work_that_goes_on_without_its_client_counts_and_a_read_that_does_not_is_over() {
    let bench = Bench::start(2).await;
    bench.leaves("POST /work HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(bench.status_of("/reports").await, 503, "its handler is at work still");
    bench.handlers.go_on();
    until(async || bench.status_of("/reports").await == 204).await;

    bench.handlers.stop();
    bench.leaves("GET /work HTTP/1.1\r\nhost: a\r\n\r\n").await;
    until(async || bench.status_of("/reports").await == 204).await;
}

#[tokio::test]
async fn who_sends_slowly_takes_no_place() {
    let bench = Bench::start(2).await;
    let head =
        "POST /notes HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n[\"";
    let mut slow = Vec::new();
    for _ in 0..20 {
        slow.push(bench.sends(head).await);
    }
    for path in ["/reports", "/status"] {
        assert_eq!(bench.status_of(path).await, 204, "{path}");
    }
    let waiting = bench.waiting(2).await;
    let last = slow.last_mut().unwrap();
    last.write_all(b"a note\"]").await.unwrap();
    let mut answer = [0; 12];
    last.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503", "who is done sending finds the places taken");
    bench.handlers.go_on();
    for sent in waiting {
        sent.await.unwrap().allowed(204);
    }
}

#[tokio::test]
async fn who_does_not_take_answers_gets_no_more_of_them() {
    events::collect();
    let bench = Bench::with(Settings::new().max_answer_memory(8 << 20)).await;
    let asks = bench.takes_nothing().await;
    let ask = async |path: &str| asks.clone().ask("GET", path).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(ask("/books").await); // 1.2 MiB: the last begins below the share of a mebibyte
    }
    assert!(held.iter().all(|answer| answer.status() == 200));
    let refused = ask("/status").await;
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    let event = events::of(refused.headers()["x-request-id"].to_str().unwrap());
    assert_eq!(event["event_type"], "excess_answers_not_taken");
    bench.client.get("/status").send().await.refused(503, "unavailable");
    drop(held);
    until(async || bench.client.get("/status").send().await.status == 204).await;
}

/// When they began, none of them had been answered.
#[tokio::test]
async fn of_many_that_are_answered_at_once_no_more_wait_than_may() {
    let bench = Bench::with(Settings::new().max_answer_memory(8 << 20)).await;
    let asks = bench.takes_nothing().await;
    let read = asks.at_once(&bench, 40, "GET").await;
    let (told, refused): (Vec<_>, Vec<_>) = read.into_iter().partition(|answer| answer.status() == 200);
    assert_eq!((told.len(), refused.len()), (4, 36), "the last begins below the share of a mebibyte");
    let says_when =
        |answer: &http::Response<_>| answer.status() == 503 && answer.headers()["retry-after"] == "1";
    assert!(refused.iter().all(says_when));
}

#[tokio::test]
async fn what_was_done_is_told_however_much_waits() {
    let bench = Bench::with(Settings::new().max_answer_memory(8 << 20)).await;
    let asks = bench.takes_nothing().await;
    let done = asks.at_once(&bench, 8, "POST").await;
    assert!(done.iter().all(|answer| answer.status() == 200));
    bench.client.get("/status").send().await.refused(503, "unavailable");
}
