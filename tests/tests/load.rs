//! More to do than is done at once, over sockets: what matters less is refused first.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use palisade::{Caller, Problem, Settings};
use palisade_tests::client::{Client, Reply};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[allow(dead_code, reason = "the generated module has more than this file asks for")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/load.rs"));
}

use api::*;

/// The handlers of `/work` wait until they may go on.
#[derive(Clone)]
struct Service {
    go: watch::Sender<bool>,
    inside: Arc<AtomicUsize>,
}

impl Service {
    async fn wait(&self) {
        self.inside.fetch_add(1, Ordering::SeqCst);
        self.go.subscribe().wait_for(|go| *go).await.unwrap();
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Load for Service {
    async fn status(&self, _: Caller<Status>, _: StatusInput) -> Result<StatusOutput, Problem> {
        Ok(StatusOutput::NoContent)
    }

    async fn work(&self, _: Caller<Work>, _: WorkInput) -> Result<WorkOutput, Problem> {
        self.wait().await;
        Ok(WorkOutput::NoContent)
    }

    async fn effect(&self, _: Caller<Effect>, _: EffectInput) -> Result<EffectOutput, Problem> {
        self.wait().await;
        Ok(EffectOutput::NoContent)
    }

    async fn report(&self, _: Caller<Report>, _: ReportInput) -> Result<ReportOutput, Problem> {
        Ok(ReportOutput::NoContent)
    }

    async fn urgent_report(
        &self,
        _: Caller<UrgentReport>,
        _: UrgentReportInput,
    ) -> Result<UrgentReportOutput, Problem> {
        Ok(UrgentReportOutput::NoContent)
    }
}

struct Bench {
    client: Client,
    service: Service,
}

impl Bench {
    /// A server with room for so many requests.
    async fn start(most: usize) -> Self {
        let service = Service { go: watch::Sender::new(false), inside: Arc::default() };
        let settings = Settings::new().max_requests(most);
        let server = server(service.clone()).settings(settings).build().expect("a complete server");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        tokio::spawn(async move { palisade::serve(server).listener(listener).await.expect("it serves") });
        Self { client, service }
    }

    async fn inside(&self, count: usize) {
        let reached = async {
            while self.service.inside.load(Ordering::SeqCst) != count {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), reached).await.expect("so many are inside");
    }

    /// So many requests more whose handlers wait.
    async fn waiting(&self, count: usize) -> Vec<JoinHandle<Reply>> {
        let before = self.service.inside.load(Ordering::SeqCst);
        let sent = (0..count).map(|_| tokio::spawn(self.client.get("/work").send())).collect();
        self.inside(before + count).await;
        sent
    }

    async fn status_of(&self, path: &str) -> u16 {
        self.client.get(path).send().await.status.as_u16()
    }
}

#[tokio::test]
async fn what_matters_less_is_refused_first() {
    let bench = Bench::start(10).await;
    let mut waiting = bench.waiting(4).await;
    assert_eq!(bench.status_of("/reports").await, 204);
    waiting.extend(bench.waiting(1).await);
    let shed = bench.client.get("/reports").send().await;
    shed.refused(503, "unavailable");
    assert_eq!(shed.header("retry-after"), "1");
    // an operation says it better than its path
    bench.client.call("PUT", "/reports").send().await.allowed(204);

    waiting.extend(bench.waiting(4).await);
    assert_eq!(bench.status_of("/work").await, 503);
    assert_eq!(bench.status_of("/status").await, 204);
    assert_eq!(bench.status_of("/nowhere").await, 404, "what is nothing takes no place");

    bench.service.go.send_replace(true);
    for sent in waiting {
        sent.await.unwrap().allowed(204);
    }
    for path in ["/reports", "/work", "/status"] {
        assert_eq!(bench.status_of(path).await, 204, "{path}");
    }
}

#[tokio::test]
async fn work_that_goes_on_without_its_client_counts_and_a_read_that_does_not_is_over() {
    let bench = Bench::start(2).await;
    let leave = async |request: &str| {
        let mut stream = TcpStream::connect(bench.client.0).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        bench.inside(1).await;
    };
    leave("POST /work HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(bench.status_of("/reports").await, 503, "its handler is at work still");
    bench.service.go.send_replace(true);
    bench.inside(0).await;
    assert_eq!(bench.status_of("/reports").await, 204);

    bench.service.go.send_replace(false);
    leave("GET /work HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let again = async {
        while bench.status_of("/reports").await != 204 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), again).await.expect("nobody waits for it");
}
