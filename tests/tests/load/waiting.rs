//! What waits for a place among the handlers at work.

use palisade::Readiness;

use super::*;

/// A server that has so many handlers at work; what waits, does so for as long as it may.
async fn patient(most: usize) -> Bench {
    Bench::with(Settings::new().max_requests(most).wait_for_place(Duration::from_secs(5))).await
}

impl Bench {
    /// What there is no place for, and who waits for one: an operation of a class is refused at once where one of its class may
    /// not even wait.
    async fn waits(&self, count: usize, path: &str) -> Vec<JoinHandle<Reply>> {
        let sent: Vec<_> = (0..count).map(|_| tokio::spawn(self.client.get(path).send())).collect();
        tokio::time::sleep(Duration::from_millis(100)).await;
        sent
    }
}

fn ended(sent: &[JoinHandle<Reply>]) -> usize {
    sent.iter().filter(|sent| sent.is_finished()).count()
}

#[tokio::test]
async fn a_burst_of_a_little_more_than_is_done_at_once_is_served() {
    let bench = patient(40).await;
    let mut all = bench.at_work(40, "/urgent").await;
    all.extend(bench.waits(2, "/urgent").await); // 1.05 times the most
    assert_eq!((ended(&all), bench.handlers.begun()), (0, 40));
    bench.handlers.go_on();
    for sent in all {
        sent.await.unwrap().allowed(204);
    }
}

#[tokio::test]
async fn a_burst_of_much_more_is_shed_and_told_when_to_come_again() {
    let bench = patient(40).await;
    let all: Vec<_> = (0..120).map(|_| tokio::spawn(bench.client.get("/urgent").send())).collect();
    until(async || ended(&all) == 76).await;
    assert_eq!(bench.handlers.begun(), 40);
    bench.handlers.go_on();
    let mut served = 0;
    for sent in all {
        let reply = sent.await.unwrap();
        if reply.status == 204 {
            served += 1;
            continue;
        }
        reply.refused(503, "unavailable");
        assert_eq!(reply.header("retry-after"), "1");
    }
    assert_eq!(served, 44);
    assert_eq!(bench.status_of("/urgent").await, 204);
}

/// As many wait as may: one.
#[tokio::test]
async fn what_matters_more_takes_the_turn_of_what_waits() {
    let bench = patient(2).await;
    let began = tokio::time::Instant::now();
    let at_work = bench.waiting(2).await;
    let normal = bench.waits(1, "/work").await;
    assert_eq!(bench.status_of("/work").await, 503, "as many wait as may");
    let critical = bench.waits(1, "/urgent").await;
    for refused in normal {
        refused.await.unwrap().refused(503, "unavailable");
    }
    assert!(began.elapsed() < Duration::from_secs(4), "it did not wait for its turn");
    assert_eq!((ended(&critical), bench.handlers.begun()), (0, 2));
    bench.handlers.go_on();
    for sent in at_work.into_iter().chain(critical) {
        sent.await.unwrap().allowed(204);
    }
}

/// Two of twenty are kept for what is critical, which has waited for a shorter time.
#[tokio::test]
async fn a_place_goes_to_what_matters_most() {
    let bench = patient(20).await;
    let mut leaving = Vec::new();
    for _ in 0..3 {
        let begun = bench.handlers.begun();
        leaving.push(bench.sends("GET /urgent HTTP/1.1\r\nhost: a\r\n\r\n").await);
        bench.handlers.have_begun(begun + 1).await;
    }
    let mut at_work = bench.at_work(17, "/urgent").await;
    let normal = bench.waits(1, "/work").await;
    let critical = bench.waits(1, "/urgent").await;
    leaving.pop();
    bench.handlers.have_begun(21).await;
    assert_eq!(ended(&normal) + ended(&critical), 0);
    drop(leaving);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(bench.handlers.begun(), 21, "18 are at work, and no place is for what is normal");
    at_work.pop().unwrap().abort();
    bench.handlers.have_begun(22).await;
    bench.handlers.go_on();
    for sent in at_work.into_iter().chain(normal).chain(critical) {
        sent.await.unwrap().allowed(204);
    }
}

#[tokio::test]
async fn who_leaves_while_it_waits_leaves_no_place_behind() {
    let bench = patient(2).await;
    let mut at_work = vec![bench.sends("GET /work HTTP/1.1\r\nhost: a\r\n\r\n").await];
    at_work.push(bench.sends("GET /work HTTP/1.1\r\nhost: a\r\n\r\n").await);
    bench.handlers.have_begun(2).await;
    for _ in 0..20 {
        let waits = bench.sends("GET /work HTTP/1.1\r\nhost: a\r\n\r\n").await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        drop(waits);
    }
    // the one place to wait at is free, and nobody who left it takes that of a handler
    let waits = bench.waits(1, "/work").await;
    assert_eq!(ended(&waits), 0);
    at_work.pop();
    bench.handlers.have_begun(3).await;
    drop(at_work);
    let last = bench.waiting(1).await;
    assert_eq!(bench.handlers.begun(), 4);
    bench.handlers.go_on();
    for sent in waits.into_iter().chain(last) {
        sent.await.unwrap().allowed(204);
    }
}

#[tokio::test]
async fn nobody_waits_longer_than_the_operation_may_take() {
    events::collect();
    let bench = patient(2).await;
    let at_work = bench.waiting(2).await;
    let began = tokio::time::Instant::now();
    let late = bench.client.get("/hasty").send().await;
    late.refused(503, "unavailable");
    let waited = began.elapsed();
    assert!((500..4_000).contains(&waited.as_millis()), "its timeout is a second: {waited:?}");
    assert_eq!(events::of(late.header("x-request-id"))["event_type"], "sys_overloaded");
    bench.handlers.go_on();
    for sent in at_work {
        sent.await.unwrap().allowed(204);
    }
}

/// While there is room to wait, credentials are looked at; while there is none, they are not.
#[tokio::test]
async fn what_may_wait_is_authenticated_and_what_may_not_is_shed_before() {
    let bench = patient(2).await;
    let now = Clock::system().now().unwrap();
    let unknown = NewKey::generate("load_test", "nobody", &[], now, None).unwrap();
    let ask = || bench.client.get("/accounts").key(unknown.key.expose()).send();
    let at_work = bench.waiting(2).await;
    ask().await.refused(401, "unauthenticated");
    let asked = bench.keys.asked.load(Ordering::SeqCst);
    assert!(asked > 0);
    let waits = bench.waits(1, "/work").await;
    ask().await.refused(503, "unavailable");
    assert_eq!(bench.keys.asked.load(Ordering::SeqCst), asked);
    bench.handlers.go_on();
    for sent in at_work.into_iter().chain(waits) {
        sent.await.unwrap().allowed(204);
    }
}

/// It has a listener of its own: a server that has too much to do lives, and is ready for what it has room for.
#[tokio::test]
async fn what_a_server_says_of_itself_needs_no_place() {
    let bench = patient(2).await;
    let readiness = Readiness::new();
    readiness.start();
    let itself = Client(readiness.listen("127.0.0.1:0").await.unwrap());
    let mut all = bench.at_work(2, "/urgent").await;
    all.extend(bench.waits(1, "/urgent").await);
    bench.client.get("/urgent").send().await.refused(503, "unavailable");
    for path in ["/livez", "/readyz"] {
        itself.get(path).send().await.allowed(200);
    }
    bench.handlers.go_on();
    for sent in all {
        sent.await.unwrap().allowed(204);
    }
}
