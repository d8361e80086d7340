//! All that a real Redis keeps of callers ends, and what is of all instances does not.

use super::super::places::Act;
use super::*;

async fn asked(server: &Server, words: &[&str]) -> i64 {
    redis::from_redis_value(server.ask(words).await.expect(ANSWER)).unwrap()
}

async fn ends_within(server: &Server, key: &str, most: i64) {
    let left = asked(server, &["PTTL", key]).await;
    assert!((1..=most).contains(&left), "{key} in {left} ms");
}

#[tokio::test]
async fn what_is_kept_of_callers_ends() {
    let (server, counters) = start().await;
    for (number, meter) in [
        (1, bucket(1, 60 * SECOND, 1)),
        (2, window(true, 1, 60 * SECOND)),
        (3, window(false, 1, 60 * SECOND)),
    ] {
        one(&counters, name(number), meter, 1).await;
        ends_within(&server, &counters.key(name(number)), 121_000).await;
    }

    let places = counters.key(name(4));
    let taken = Taken { name: name(4), cost: 1 };
    for act in [Act::Take(1), Act::Hold] {
        counters.places(&[Said { act, of: [1; 16], taken }], LONG, LONG).await.expect(ANSWER);
        ends_within(&server, &places, 10_000).await; // the lease, and a second
        assert_eq!(asked(&server, &["PERSIST", &places]).await, 1);
    }

    assert_eq!(asked(&server, &["DBSIZE"]).await, 4, "nothing else is kept");
}

#[tokio::test]
async fn known_networks_end_and_their_secret_does_not() {
    let (server, counters) = start().await;
    counters.secret().await.expect(ANSWER);
    let an_hour = Duration::from_secs(3_600);
    counters.keep_record("known:1", b"a".to_vec(), an_hour, LONG).await.expect(ANSWER);
    ends_within(&server, "test:limit:known:1", 3_600_000).await;
    assert_eq!(asked(&server, &["PTTL", "test:limit:secret"]).await, -1, "it is that of all instances");
}
