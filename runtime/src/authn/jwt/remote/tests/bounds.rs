//! The numbers of the rules, as the page on authentication states them: each test names its number, and not the constant, in a
//! time that the test moves.

use super::*;

/// The time stands still while this thread is busy, but for what a test moves it by: what goes over a socket takes none.
struct StandingStill(#[expect(dead_code, reason = "the thread ends with it")] std::sync::mpsc::Sender<()>);

impl StandingStill {
    fn begin() -> Self {
        let (release, busy) = std::sync::mpsc::channel();
        tokio::task::spawn_blocking(move || _ = busy.recv_timeout(Duration::from_secs(60)));
        Self(release)
    }
}

/// What comes of it, and in how many seconds, where it takes some.
async fn in_seconds<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> (T, f64) {
    let begun = Instant::now();
    let task = tokio::spawn(task);
    while !task.is_finished() {
        // each step lets what goes over sockets happen
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    (task.await.unwrap(), begun.elapsed().as_secs_f64())
}

fn sized(set: &str, bytes: usize) -> String {
    ok(&format!("{set}{}", " ".repeat(bytes - set.len())))
}

#[tokio::test]
async fn a_set_has_512_kib_and_100_keys() {
    let set = json!({ "keys": [Signer::new().jwk("a")] }).to_string();
    let issuer = Issuer::start(sized(&set, 524_288)).await;
    let jwks = Jwks::at(&issuer.address, QUICK).unwrap();
    assert_eq!(jwks.load().await, Ok(()));
    issuer.say(sized(&set.replace("\"a\"", "\"b\""), 524_289));
    assert_eq!(jwks.look_again(None).await, Err(Unreachable));
    assert_eq!(kids(&jwks), ["a"]);

    let many: Vec<_> = (0..101).map(|number| Signer::new().jwk(&number.to_string())).collect();
    let set = |count: usize| ok(&json!({ "keys": many[..count] }).to_string());
    issuer.say(set(100));
    assert_eq!(jwks.look_again(None).await, Ok(Looked::Anew));
    assert_eq!(kids(&jwks).len(), 100);
    issuer.say(set(101));
    assert_eq!(jwks.look_again(None).await, Err(Unreachable));
}

#[tokio::test]
async fn metadata_have_64_kib() {
    let keys = Issuer::start(ok(&json!({ "keys": [Signer::new().jwk("a")] }).to_string())).await;
    let issuer = Issuer::start("hang".to_owned()).await;
    let name = issuer.address.trim_end_matches("/keys").to_owned();
    let metadata = json!({ "issuer": name, "jwks_uri": keys.address }).to_string();
    for (bytes, loaded) in [(65_536, Ok(())), (65_537, Err(Unreachable))] {
        issuer.say(sized(&metadata, bytes));
        assert_eq!(Jwks::discover(&name).unwrap().load().await, loaded, "{bytes}");
    }
}

/// A machine that lets nobody in: its queue of connections is full.
async fn full() -> (tokio::net::TcpListener, Vec<std::net::TcpStream>) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let connect = || std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok();
    (listener, std::iter::from_fn(connect).collect())
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_waited_for_two_seconds() {
    let _still = StandingStill::begin();
    let (listener, _queue) = full().await;
    let jwks = Jwks::url(&format!("http://{}/keys", listener.local_addr().unwrap())).unwrap();
    let (loaded, took) = in_seconds(async move { jwks.load().await }).await;
    assert_eq!(loaded, Err(Unreachable));
    assert!((2.0..2.5).contains(&took), "{took}");
}

/// What is too large is not read to its end.
#[tokio::test]
async fn an_answer_without_an_end_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let jwks = Jwks::url(&format!("http://{}/keys", listener.local_addr().unwrap())).unwrap();
    let answer = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
        let mut sent = 0_usize;
        while stream.write_all(&[b' '; 65_536]).await.is_ok() {
            sent += 65_536;
        }
        sent
    });
    assert_eq!(jwks.load().await, Err(Unreachable));
    let sent = answer.await.unwrap();
    // beside what the machine keeps of a connection
    assert!(sent < 64 * 1024 * 1024, "{sent} bytes were read");
}

#[tokio::test(start_paused = true)]
async fn a_set_is_waited_for_five_seconds_with_the_metadata_that_name_it() {
    let _still = StandingStill::begin();
    let issuer = Issuer::start("hang".to_owned()).await;
    let hanging = Jwks::url(&issuer.address).unwrap();
    let (loaded, took) = in_seconds(async move { hanging.load().await }).await;
    assert_eq!(loaded, Err(Unreachable));
    assert!((5.0..5.5).contains(&took), "{took}");

    // two answers, each within the time
    let keys = Issuer::start("hang".to_owned()).await;
    let name = issuer.address.trim_end_matches("/keys").to_owned();
    issuer.say(format!("slow {}", ok(&json!({ "issuer": name, "jwks_uri": keys.address }).to_string())));
    let discovered = Jwks::discover(&name).unwrap();
    let (loaded, took) = in_seconds(async move { discovered.load().await }).await;
    assert_eq!((loaded, keys.asked()), (Err(Unreachable), 1));
    assert!((5.0..5.5).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn unknown_keys_cause_three_fetches_at_once_and_one_more_each_half_minute() {
    let _still = StandingStill::begin();
    let issuer = Issuer::start(keys(&["a"])).await;
    let jwks = Jwks::url(&issuer.address).unwrap();
    let flood = async |seconds: u64| {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        for _ in 0..20 {
            jwks.look_again(None).await.unwrap();
        }
        issuer.asked()
    };
    assert_eq!(flood(0).await, 3);
    assert_eq!(flood(29).await, 3);
    assert_eq!(flood(1).await, 4);
    assert_eq!(flood(29).await, 4);
    // ours after a minute may have been one of them
    assert!((7..=8).contains(&flood(300).await), "three at once again");
}

#[tokio::test(start_paused = true)]
async fn the_last_good_set_serves_for_a_day() {
    const DAY: Duration = Duration::from_secs(86_400);
    let _still = StandingStill::begin();
    let issuer = Issuer::start(keys(&["a"])).await;
    let jwks = Jwks::url(&issuer.address).unwrap();
    jwks.load().await.unwrap();
    // from now on only what is asked for here is fetched
    let claimed = || jwks.claim_background(jwks.remote().unwrap()).unwrap();
    let fetch = claimed();
    issuer.say("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n");
    tokio::time::advance(DAY - Duration::from_secs(10)).await;
    fetch.finish().await;
    assert_eq!(kids(&jwks), ["a"]);
    let fetch = claimed();
    tokio::time::advance(Duration::from_secs(11)).await;
    fetch.finish().await;
    assert!(kids(&jwks).is_empty());
}

#[tokio::test]
async fn a_thousand_wait_for_an_issuer_that_hangs_and_more_are_refused_at_once() {
    let issuer = Issuer::start("hang".to_owned()).await;
    let jwks = Jwks::url(&issuer.address).unwrap();
    let verifier = verifier(&jwks);
    let token = token("a", &Signer::new());
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..1024 {
        let (verifier, token) = (Arc::clone(&verifier), token.clone());
        waiting.spawn(async move { judged(&verifier, &token).await });
    }
    // each of them comes to wait
    for _ in 0..2000 {
        tokio::task::yield_now().await;
    }
    let at_once =
        async || tokio::time::timeout(Duration::from_millis(200), judged(&verifier, &token)).await.ok();
    assert_eq!(at_once().await, Some(Err(Reason::Busy)));
    waiting.shutdown().await;
    assert_eq!(at_once().await, None, "who leaves makes room: it waits");
}
