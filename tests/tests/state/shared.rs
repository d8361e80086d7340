//! The engine in Redis, against a real one.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use palisade::{
    State,
    state::{Expected, Next, StateError, Swapped},
};

use palisade_tests::redis_server::Server;

use crate::suite::{self, Subject, Time, key, made, record};

const HOUR: Duration = Duration::from_secs(3600);
/// A connection, an answer, and what a busy machine adds.
const BOUND: Duration = Duration::from_millis(2500);

async fn state(server: &Server) -> State {
    State::redis(&server.url()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_keeps_the_rules() {
    let server = Server::durable().await;
    suite::keeps_the_rules(&Subject { state: state(&server).await, time: Time::Real }).await;
}

#[tokio::test]
async fn a_full_server_refuses_and_forgets_nothing() {
    let server = Server::durable().await;
    let state = state(&server).await;
    let first = made(state.swap(key("first"), Expected::Nothing, record("1", HOUR)).await);
    server.ask(&["CONFIG", "SET", "maxmemory", "1mb"]).await.unwrap();
    for expected in [Expected::Nothing, Expected::Version(first)] {
        let name = key(if expected == Expected::Nothing { "second" } else { "first" });
        for _ in 0..10 {
            let full = state.swap(name, expected, record("2", HOUR)).await;
            assert!(matches!(full, Err(StateError::Full)), "{full:?}");
        }
    }
    let kept = state.get(key("first")).await.unwrap().unwrap();
    assert_eq!((kept.value.as_slice(), kept.version), (b"1".as_slice(), first));
    assert_eq!(made(state.swap(key("first"), Expected::Version(first), Next::Nothing).await), first);
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]).await.unwrap();
    made(state.swap(key("second"), Expected::Nothing, record("2", HOUR)).await);
}

#[tokio::test]
async fn versions_go_on_though_the_server_lost_its_memory() {
    let server = Server::durable().await;
    let state = state(&server).await;
    let before = made(state.swap(key("a"), Expected::Nothing, record("1", HOUR)).await);
    server.ask(&["FLUSHALL"]).await.unwrap();
    let after = made(state.swap(key("a"), Expected::Nothing, record("2", HOUR)).await);
    assert!(after > before, "{after} after {before}");
    // and though its time is behind what it gave
    server.ask(&["SET", "palisade:versions", "9007199254740000"]).await.unwrap();
    assert_eq!(made(state.swap(key("b"), Expected::Nothing, record("1", HOUR)).await), 9_007_199_254_740_001);
    assert_eq!(made(state.swap(key("c"), Expected::Nothing, record("1", HOUR)).await), 9_007_199_254_740_002);
    server.ask(&["SET", "palisade:versions", "9007199254740991"]).await.unwrap();
    state
        .swap(key("d"), Expected::Nothing, record("1", HOUR))
        .await
        .expect_err("it could not be told from the last");
}

#[tokio::test]
async fn scripts_that_were_forgotten_are_sent_again() {
    let server = Server::durable().await;
    let state = state(&server).await;
    made(state.swap(key("a"), Expected::Nothing, record("1", HOUR)).await);
    server.ask(&["SCRIPT", "FLUSH"]).await.unwrap();
    made(state.swap(key("b"), Expected::Nothing, record("1", HOUR)).await);
}

#[tokio::test]
async fn every_key_of_the_server_ends_but_one() {
    let server = Server::durable().await;
    let state = State::redis_under(&server.url(), "bank").await.unwrap();
    let other = State::redis_under(&server.url(), "shop").await.unwrap();
    made(state.swap(key("a"), Expected::Nothing, record("1", HOUR)).await);
    assert_eq!(other.get(key("a")).await.unwrap(), None, "what is under another prefix");
    let redis::Value::Array(names) = server.ask(&["KEYS", "*"]).await.unwrap() else { panic!("no list") };
    assert_eq!(names.len(), 2);
    for name in names {
        let redis::Value::BulkString(name) = name else { panic!("no name") };
        let name = String::from_utf8(name).unwrap();
        let redis::Value::Int(left) = server.ask(&["PTTL", &name]).await.unwrap() else { panic!("no time") };
        let ends = (3_500_000..=3_600_000).contains(&left);
        assert_eq!(ends, name != "bank:versions", "{name} has {left} ms");
        assert!(name.starts_with("bank:"));
    }
}

#[tokio::test]
async fn addresses_that_cannot_be_used_are_refused_and_not_shown() {
    for (url, why) in [
        ("rediss://user:secret@127.0.0.1:1", ""),
        ("rediss://user:secret@127.0.0.1:1/#insecure", "fragment"),
        ("http://user:secret@127.0.0.1:1", "`redis://`"),
        ("redis://user:secret@127.0.0.1:port", "cannot be read"),
        ("redis://user:secret@127.0.0.1:1", ""),
    ] {
        let refused = State::redis(url).await.unwrap_err().to_string();
        assert!(refused.contains(why) && !refused.contains("secret"), "{refused}");
    }
    let cluster = Server::start("--cluster-enabled yes").await;
    let refused = State::redis(&cluster.url()).await.unwrap_err().to_string();
    assert!(refused.contains("cluster is not supported"), "{refused}");
}

#[tokio::test]
async fn a_server_that_may_forget_is_warned_of() {
    palisade_tests::events::collect();
    let told = |server: &Server| {
        ["maxmemory-policy", "maxmemory", "appendonly", "appendfsync", "replica-read-only"]
            .map(|name| palisade_tests::events::of_redis(server, "setting", name))
    };
    let durable = Server::durable().await;
    state(&durable).await;
    assert_eq!(told(&durable), [0; 5]);
    let forgets = Server::start(
        "--appendonly no --appendfsync everysec --maxmemory-policy allkeys-lru --replica-read-only no",
    )
    .await;
    state(&forgets).await;
    assert_eq!(told(&forgets), [1; 5]);
}

/// A server that hangs costs bounded time, then none, and is found again.
#[tokio::test]
async fn a_server_that_hangs_is_left_alone_and_found_again() {
    palisade_tests::events::collect();
    let server = Server::durable().await;
    let state = state(&server).await;
    made(state.swap(key("a"), Expected::Nothing, record("1", HOUR)).await);
    server.signal("STOP");
    for _ in 0..5 {
        let began = Instant::now();
        assert!(matches!(state.get(key("a")).await, Err(StateError::Late)));
        assert!(began.elapsed() < BOUND);
    }
    let began = Instant::now();
    for _ in 0..100 {
        state.get(key("a")).await.unwrap_err();
    }
    assert!(began.elapsed() < Duration::from_millis(400), "nobody asks: {:?}", began.elapsed());
    server.signal("CONT");
    recovers(&state).await;
    assert!(state.get(key("a")).await.unwrap().is_some());
    for event in ["Redis fails: requests that need it are refused", "Redis answers again"] {
        assert!(palisade_tests::events::of_redis(&server, "message", event) > 0, "{event}");
    }
}

/// It shows what it has, which another one may have changed since: a token that was revoked there is not revoked here.
#[tokio::test]
async fn a_server_that_another_one_leads_is_not_believed_until_it_leads() {
    palisade_tests::events::collect();
    let server = Server::durable().await;
    let state = state(&server).await;
    let first = made(state.swap(key("a"), Expected::Nothing, record("1", HOUR)).await);
    server.follow().await;
    let held = server.ask(&["EXISTS", "palisade:versions"]).await.unwrap();
    assert_eq!(held, redis::Value::Int(1), "it answers whoever reads");
    for name in ["a", "nothing"] {
        let read = state.get(key(name)).await;
        assert!(matches!(read, Err(StateError::Engine(_))), "{read:?}");
    }
    let changes = [
        (key("a"), Expected::Nothing, record("2", HOUR)), // something else is there
        (key("a"), Expected::Version(first), record("2", HOUR)),
        (key("a"), Expected::Version(first), Next::Nothing),
    ];
    for (key, expected, next) in changes {
        let swapped = state.swap(key, expected, next).await;
        assert!(matches!(swapped, Err(StateError::Engine(_))), "{swapped:?}");
    }
    server.lead().await;
    recovers(&state).await;
    assert_eq!(state.get(key("a")).await.unwrap().map(|record| record.version), Some(first));
    assert!(made(state.swap(key("a"), Expected::Version(first), record("2", HOUR)).await) > first);
    for event in ["Redis fails: requests that need it are refused", "Redis answers again"] {
        assert!(palisade_tests::events::of_redis(&server, "message", event) > 0, "{event}");
    }
}

/// Who was cut off from those that follow may not have heard yet that one of them leads now.
#[tokio::test]
async fn a_server_that_too_few_follow_is_not_believed_until_enough_do() {
    let server = Server::durable().await;
    let state = state(&server).await;
    let first = made(state.swap(key("a"), Expected::Nothing, record("1", HOUR)).await);
    server.ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]).await.unwrap();
    let read = state.get(key("a")).await;
    assert!(matches!(read, Err(StateError::Engine(_))), "{read:?}");
    for expected in [Expected::Nothing, Expected::Version(first)] {
        let swapped = state.swap(key("a"), expected, record("2", HOUR)).await;
        assert!(matches!(swapped, Err(StateError::Engine(_))), "{swapped:?}");
    }
    server.ask(&["CONFIG", "SET", "min-replicas-to-write", "0"]).await.unwrap();
    assert_eq!(state.get(key("a")).await.unwrap().map(|record| record.version), Some(first));
}

/// What `docs/state.md` says that its user needs.
const ALLOWED: &str =
    "+evalsha +script|load +info +config|get +time +hmget +pttl +hdel +del +get +set +hset +pexpire";

#[tokio::test]
async fn a_user_who_may_do_what_is_needed_is_enough_and_one_who_may_not_find_out_is_shown_nothing() {
    let server = Server::durable().await;
    // the keys of records and of versions, and none beside them
    let keys = format!("~palisade:{} ~palisade:versions", "?".repeat(43));
    let user = format!("ACL SETUSER bank on >hush {keys} {ALLOWED}");
    server.ask(&user.split(' ').collect::<Vec<_>>()).await.unwrap();
    let state = State::redis(server.url().replace("//", "//bank:hush@")).await.unwrap();
    let first = made(state.swap(key("a"), Expected::Nothing, record("1", HOUR)).await);
    assert_eq!(state.get(key("a")).await.unwrap().map(|record| record.version), Some(first));
    assert_eq!(state.get(key("b")).await.unwrap(), None);
    let other = state.swap(key("a"), Expected::Nothing, record("2", HOUR)).await.unwrap();
    assert!(matches!(other, Swapped::Not(Some(_))), "{other:?}");
    let second = made(state.swap(key("a"), Expected::Version(first), record("2", HOUR)).await);
    server.follow().await;
    let read = state.get(key("a")).await;
    assert!(matches!(read, Err(StateError::Engine(_))), "{read:?}");
    server.lead().await;
    assert_eq!(made(state.swap(key("a"), Expected::Version(second), Next::Nothing).await), second);
    server.ask(&["ACL", "SETUSER", "bank", "-hdel"]).await.unwrap();
    let read = state.get(key("b")).await;
    assert!(matches!(read, Err(StateError::Engine(_))), "{read:?}");
}

/// A disk that fails keeps it from writing, and makes nothing of what it has old.
#[tokio::test]
async fn a_server_whose_disk_fails_is_still_read() {
    let server = Server::durable().await;
    let state = state(&server).await;
    let first = made(state.swap(key("a"), Expected::Nothing, record("1", HOUR)).await);
    fail_to_save(&server).await;
    let swapped = state.swap(key("a"), Expected::Version(first), record("2", HOUR)).await;
    assert!(matches!(swapped, Err(StateError::Engine(_))), "{swapped:?}");
    assert_eq!(state.get(key("a")).await.unwrap().map(|record| record.version), Some(first));
}

/// Its file cannot be put where a folder is, and until it can the server takes no writes.
async fn fail_to_save(server: &Server) {
    let told = server.ask(&["CONFIG", "GET", "dir"]).await.unwrap();
    let (_, folder): (String, String) = redis::FromRedisValue::from_redis_value(told).unwrap();
    std::fs::create_dir(std::path::Path::new(&folder).join("dump.rdb")).unwrap();
    server.ask(&["CONFIG", "SET", "save", "3600 1"]).await.unwrap();
    server.ask(&["BGSAVE"]).await.unwrap();
    let began = Instant::now();
    while !format!("{:?}", server.ask(&["INFO", "persistence"]).await).contains("rdb_last_bgsave_status:err")
    {
        assert!(began.elapsed() < Duration::from_secs(10), "it saves all the same");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A failover to a second server and back: what was revoked meanwhile at the other one is never seen as it was before.
#[tokio::test]
async fn a_failover_and_its_return_lose_no_change_and_show_none_of_before() {
    let [server, other] = [Server::durable().await, Server::durable().await];
    let here = state(&server).await;
    let first = made(here.swap(key("a"), Expected::Nothing, record("1", HOUR)).await);
    other.follow_closely(&server).await;
    server.follow().await; // it lost its place, and knows nothing of the other yet
    other.lead().await;
    let there = state(&other).await;
    let second = made(there.swap(key("a"), Expected::Version(first), record("2", HOUR)).await);
    assert!(second > first, "versions go on");
    let stale = here.get(key("a")).await;
    assert!(matches!(stale, Err(StateError::Engine(_))), "{stale:?}");
    server.follow_closely(&other).await;
    let led = here.get(key("a")).await;
    assert!(matches!(led, Err(StateError::Engine(_))), "what is not behind now may be in a moment: {led:?}");
    other.follow().await;
    server.lead().await;
    recovers(&here).await;
    let found = here.get(key("a")).await.unwrap().map(|record| (record.value, record.version));
    assert_eq!(found, Some((b"2".to_vec(), second)));
    let late = here.swap(key("a"), Expected::Version(first), record("3", HOUR)).await.unwrap();
    assert!(matches!(late, Swapped::Not(Some(_))), "{late:?}");
    assert!(made(here.swap(key("a"), Expected::Version(second), record("3", HOUR)).await) > second);
}

async fn recovers(state: &State) {
    let began = Instant::now();
    while state.get(key("recovers")).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "it does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The server is killed in the middle of changes, and comes back: what was answered is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_that_was_answered_is_lost_when_the_server_is_killed() {
    let mut server = Server::durable().await;
    let state = state(&server).await;
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> =
        (0..8).map(|task| tokio::spawn(write(state.clone(), task, Arc::clone(&stop)))).collect();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        server.kill();
        tokio::time::sleep(Duration::from_millis(700)).await;
        server.restart().await;
        recovers(&state).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::SeqCst);
    let (mut kept, mut refused, mut greatest) = (0, 0, 0);
    for task in tasks {
        let (answered, errors) = task.await.unwrap();
        refused += errors;
        kept += answered.len();
        for (name, version) in answered {
            let found = state.get(key(&name)).await.unwrap().map(|record| (record.value, record.version));
            assert_eq!(found, Some((name.clone().into_bytes(), version)), "{name}");
            greatest = greatest.max(version);
        }
    }
    assert!(kept > 100 && refused > 3, "{kept} kept, {refused} refused");
    assert!(made(state.swap(key("after"), Expected::Nothing, record("x", HOUR)).await) > greatest);
}

/// What was answered to be kept, and how many errors there were.
async fn write(state: State, task: usize, stop: Arc<AtomicBool>) -> (HashMap<String, u64>, usize) {
    let (mut kept, mut errors) = (HashMap::new(), 0);
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let (name, began) = (format!("{task}/{number}"), Instant::now());
        match state.swap(key(&name), Expected::Nothing, record(&name, HOUR)).await {
            Ok(swapped) => {
                kept.insert(name, made(Ok(swapped)));
            }
            Err(_) => {
                errors += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        assert!(began.elapsed() < BOUND, "an answer took {:?}", began.elapsed());
    }
    (kept, errors)
}
