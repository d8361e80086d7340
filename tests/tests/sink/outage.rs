//! What becomes of events and of requests while the sink is away.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use palisade::Readiness;
use palisade_tests::events;
use palisade_tests::waiting::until;

use crate::desk::{AWAY, Desk, GOOD, HANGS, Service, Sink, complete, keys, types};

#[tokio::test]
async fn a_sink_gets_what_the_log_says() {
    events::collect();
    let desk = Desk::start().await;
    let calls = [
        (desk.client.get("/payments"), 401, "authn_missing"),
        (desk.client.get("/payments").key("audit_test_x"), 401, "authn_login_fail"),
        (desk.call("GET", "/payments?act=dance"), 400, "input_validation_fail"),
        (desk.client.get("/nothing"), 404, "input_no_route"),
        (desk.client.get("/crash"), 500, "sys_crash"),
    ];
    for (call, status, event_type) in calls {
        let reply = call.header("user-agent", "sinks/1 \"\t").send().await;
        let id = reply.allowed(status).header("x-request-id");
        let [stored] = desk.sink.of(id, 1).await.try_into().unwrap();
        assert_eq!(stored["event_type"], event_type);
        let mut logged = events::of(id);
        // what the log says of all, or says of what it does not know
        logged.retain(|name, value| !(matches!(name.as_str(), "target") || value == "-"));
        let stored = stored.as_object().unwrap();
        let mut names: BTreeSet<_> = stored.keys().map(String::as_str).collect();
        assert!(names.remove("sequence") && names.remove("process"));
        assert_eq!(names, logged.keys().map(String::as_str).collect());
        for name in names.into_iter().filter(|name| *name != "timestamp") {
            let text = stored[name].as_str().map_or_else(|| stored[name].to_string(), str::to_owned);
            assert_eq!(text, logged[name], "{name}");
        }
        stored["timestamp"].as_str().unwrap().parse::<palisade::types::Timestamp>().unwrap();
    }
    desk.client.raw(b"no request at all\r\n\r\n").await;
    let [malformed] = desk.sink.having("event_type", "input_malformed_request", 1).await.try_into().unwrap();
    assert_eq!((&malformed["status"], &malformed["source_ip"]), (&400.into(), &"127.0.0.1".into()));
    // raised far below the gate
    for _ in 0..40 {
        desk.client.get("/payments").key("audit_test_x").send().await;
    }
    let [max] = desk
        .sink
        .having("failure_reason", "failed attempts from a network (minute)", 1)
        .await
        .try_into()
        .unwrap();
    assert_eq!((&max["event_type"], &max["severity"]), (&"authn_login_fail_max".into(), &"High".into()));
    for event in desk.sink.stored() {
        assert!(!event.to_string().contains(&desk.key));
    }
}

#[tokio::test]
async fn requests_are_answered_as_ever_and_what_was_dropped_is_told() {
    events::collect();
    let desk = Desk::holding(64).await;
    for mode in [AWAY, HANGS] {
        desk.sink.is(mode);
        let (began, before) = (Instant::now(), desk.sink.stored().len());
        for _ in 0..150 {
            desk.client.get("/nothing").send().await.allowed(404);
            desk.client.get("/status").send().await.allowed(204);
        }
        assert!(began.elapsed() < Duration::from_secs(60), "nobody waited for it");
        let crash = desk.client.get("/crash").send().await;
        assert_eq!(desk.sink.stored().len(), before);
        desk.sink.is(GOOD);
        // what is high had its room
        let [crash] = desk.sink.of(crash.header("x-request-id"), 1).await.try_into().unwrap();
        assert_eq!(crash["event_type"], "sys_crash");
        let told = async || types(&desk.sink.stored()[before..]).contains(&"sys_events_dropped");
        until(told).await;
        let stored = desk.sink.stored().split_off(before);
        let (dropped, rest): (Vec<_>, Vec<_>) =
            stored.into_iter().partition(|event| event["event_type"] == "sys_events_dropped");
        let [dropped] = dropped.try_into().unwrap();
        let lost = dropped["count"].as_u64().unwrap();
        assert!(lost > 0);
        assert_eq!(rest.len() as u64 + lost, 151, "each is stored, or counted");
        assert_eq!(dropped["severity"], "High");
        let order: Vec<_> = rest.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
        assert!(order.is_sorted() && order.iter().collect::<BTreeSet<_>>().len() == order.len());
    }
}

#[tokio::test]
async fn a_readiness_says_that_it_is_away() {
    let desk = Desk::start().await;
    let readiness = Readiness::new().events("events", &desk.events);
    readiness.start();
    let admin = palisade_tests::client::Client(readiness.listen("127.0.0.1:0").await.unwrap());
    let says = async |expected: &str| {
        until(async || admin.get("/readyz").send().await.allowed(200).body == expected).await;
    };
    says(r#"{"status":"ready"}"#).await;
    desk.sink.is(AWAY);
    desk.client.get("/nothing").send().await.allowed(404);
    says(r#"{"degraded":["events"],"status":"degraded"}"#).await;
    desk.sink.is(GOOD);
    says(r#"{"status":"ready"}"#).await;
    let of_settings = Readiness::new().shared_by(&palisade::Settings::new().events_to(desk.events.clone()));
    assert_eq!(format!("{of_settings:?}"), r#"["events"]"#);
}

#[tokio::test]
async fn a_server_that_stops_stores_what_it_has() {
    let desk = Desk::start().await;
    desk.sink.is(AWAY);
    for _ in 0..100 {
        desk.client.get("/nothing").send().await.allowed(404);
    }
    until(async || !Readiness::new().events("events", &desk.events).degraded().await.is_empty()).await;
    assert_eq!(desk.sink.stored().len(), 0);
    desk.sink.is(GOOD);
    desk.stop.send(()).unwrap();
    desk.stopped.await.unwrap();
    assert_eq!(desk.sink.stored().len(), 100);
}

#[tokio::test]
async fn a_service_without_a_sink_is_served_with_one_that_is_written_at_the_end() {
    let sink = Sink::default();
    let events = palisade::Events::to(sink.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = palisade_tests::client::Client(listener.local_addr().unwrap());
    let (stop, told) = tokio::sync::oneshot::channel::<()>();
    let serving = palisade::serve(axum::Router::new())
        .settings(palisade::Settings::new().events_to(events.clone()))
        .listener(listener)
        .shutdown(async { _ = told.await });
    let stopped = tokio::spawn(async move { serving.await.unwrap() });
    sink.is(AWAY);
    client.raw(b"no request at all\r\n\r\n").await;
    until(async || !Readiness::new().events("events", &events).degraded().await.is_empty()).await;
    tokio::time::sleep(Duration::from_millis(400)).await; // its pauses are longer than a stop is
    sink.is(GOOD);
    stop.send(()).unwrap();
    stopped.await.unwrap();
    assert_eq!(types(&sink.stored()), ["input_malformed_request"]);
}

#[tokio::test]
async fn a_server_stops_though_its_sink_hangs() {
    let desk = Desk::start().await;
    desk.sink.is(HANGS);
    desk.client.get("/nothing").send().await.allowed(404);
    desk.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(10), desk.stopped).await.unwrap().unwrap();
}

#[test]
fn a_sink_outlives_the_runtime_in_which_its_server_was_made_ready() {
    events::collect();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (sink, (key, keys)) = (Sink::default(), keys());
    let settings = palisade::Settings::new().events_to(palisade::Events::to(sink.clone()));
    let server = complete(Service::of(&sink), keys, settings).unwrap();
    runtime().block_on(async {
        server.ready().await.unwrap();
        tokio::task::yield_now().await; // the writer runs
    });
    let told = || {
        events::with(
            "message",
            "the task that stored security events has ended before them: another one goes on",
        )
    };
    assert!(told().is_empty());
    runtime().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = palisade_tests::client::Client(listener.local_addr().unwrap());
        let (stop, stops) = tokio::sync::oneshot::channel::<()>();
        let serving = palisade::serve(server).listener(listener).shutdown(async { _ = stops.await });
        let stopped = tokio::spawn(serving.into_future());
        client.call("POST", "/payments").key(&key).send().await.allowed(204);
        stop.send(()).unwrap();
        stopped.await.unwrap().unwrap();
    });
    assert_eq!(types(&sink.stored()), ["audit_begun", "audit_ended"]);
    assert_eq!(told().len(), 1, "the operator is told of it");
}

#[tokio::test]
async fn what_waits_when_another_accept_loop_has_ended_is_written_when_it_is_told_to() {
    let (sink, (_, keys)) = (Sink::default(), keys());
    let events = palisade::Events::to(sink.clone());
    let settings = palisade::Settings::new().events_to(events.clone());
    let server = complete(Service::of(&sink), keys, settings).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = palisade_tests::client::Client(listener.local_addr().unwrap());
    let (stop, stops) = tokio::sync::oneshot::channel::<()>();
    let app = server.clone().into_router().into_make_service_with_connect_info::<std::net::SocketAddr>();
    let serving = axum::serve(listener, app).with_graceful_shutdown(async { _ = stops.await });
    let stopped = tokio::spawn(serving.into_future());
    sink.is(AWAY);
    for _ in 0..100 {
        client.get("/nothing").send().await.allowed(404);
    }
    until(async || !Readiness::new().events("events", &events).degraded().await.is_empty()).await;
    tokio::time::sleep(Duration::from_millis(400)).await; // its pauses are longer than the end takes
    sink.is(GOOD);
    stop.send(()).unwrap();
    stopped.await.unwrap().unwrap();
    server.written().await;
    assert_eq!(sink.stored().len(), 100);
}
