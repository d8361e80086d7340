//! Places that are held in a real Redis.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::places::{Act, Pace};
use super::*;
use crate::flood::grows_by;

const LEASE: Duration = Duration::from_secs(3);
const PACE: Pace = Pace { lease: LEASE, every: Duration::from_millis(300) };

fn taken(number: u64, cost: u32) -> Taken {
    Taken { name: name(number), cost }
}

async fn two() -> (Server, [Places; 2]) {
    let (server, counters) = start().await;
    let counters: Arc<dyn Counters> = Arc::new(counters);
    let of = |_| Places::new(Arc::clone(&counters), PACE).unwrap();
    (server, [0, 1].map(of))
}

async fn take(places: &Places, number: u64, most: u32) -> Came {
    places.take(&[(taken(number, 1), most)], LONG).await.expect(ANSWER)
}

/// Whether there is a place before so long.
async fn comes_free(places: &Places, number: u64, most: u32, within: Duration) -> bool {
    let asking = async {
        while take(places, number, most).await.lease.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(within, asking).await.is_ok()
}

/// Requests that come and go, against sets of places.
#[tokio::test]
async fn all_places_are_taken_or_none() {
    const MOST: [u32; 6] = [1, 2, 3, 4, 5, 9];
    let (_server, counters) = start().await;
    let (mut dice, mut held) = (Dice(5), Vec::<([u8; 16], Vec<Taken>)>::new());
    let (mut passed, mut refused) = (0, 0);
    for number in 0..4_000_u128 {
        if dice.below(5) < 2 && !held.is_empty() {
            let (of, left) = held.swap_remove(usize::try_from(dice.below(held.len() as u64)).unwrap());
            let act = if dice.below(4) == 0 { Act::Hold } else { Act::Leave };
            let said: Vec<_> = left.iter().map(|taken| Said { act, of, taken: *taken }).collect();
            assert!(counters.places(&said, LONG, LONG).await.expect(ANSWER).taken.is_empty());
            if matches!(act, Act::Hold) {
                held.push((of, left));
            }
            continue;
        }
        let (first, of) = (dice.below(6), number.to_be_bytes());
        let wanted: Vec<_> = (0..1 + dice.below(3))
            .map(|step| taken((first + step) % 6, u32::try_from(1 + dice.below(2)).unwrap()))
            .collect();
        let most = |one: &Taken| MOST[usize::from(one.name[7])];
        let before = |one: &Taken| -> u32 {
            let all = held.iter().flat_map(|(_, taken)| taken);
            all.filter(|other| other.name == one.name).map(|other| other.cost).sum()
        };
        let said: Vec<_> =
            wanted.iter().map(|taken| Said { act: Act::Take(most(taken)), of, taken: *taken }).collect();
        let room = counters.places(&said, LONG, LONG).await.expect(ANSWER);
        let fits = wanted.iter().all(|one| before(one) + one.cost <= most(one));
        let after: Vec<u32> =
            wanted.iter().map(|one| before(one) + if fits { one.cost } else { 0 }).collect();
        assert_eq!((room.found, room.taken.as_slice()), (fits, &*after), "{wanted:?}");
        if fits {
            passed += 1;
            held.push((of, wanted));
        } else {
            refused += 1;
        }
    }
    assert!(passed > 500 && refused > 500, "{passed} passed, {refused} refused");
}

#[tokio::test]
async fn a_place_is_held_as_long_as_its_request_and_then_free_everywhere() {
    let (_server, [here, there]) = two().await;
    let mut first = take(&here, 1, 1).await;
    assert_eq!(first.taken.as_slice(), [1]);
    assert!(!comes_free(&there, 1, 1, LEASE + LEASE / 2).await, "it outlasts what it is held for at once");
    drop(first.lease.take());
    assert!(take(&here, 1, 1).await.lease.is_some(), "here at once");
    assert!(comes_free(&there, 1, 1, LONG).await);
}

#[tokio::test]
async fn what_a_process_held_that_died_is_free_after_a_while() {
    let (_server, [here, there]) = two().await;
    std::mem::forget(take(&here, 1, 1).await.lease);
    drop(here);
    assert!(take(&there, 1, 1).await.lease.is_none());
    assert!(comes_free(&there, 1, 1, LONG).await);
}

#[tokio::test]
async fn what_was_forgotten_is_known_again() {
    let (server, [here, there]) = two().await;
    let _held = take(&here, 1, 1).await;
    server.ask(&["FLUSHALL"]).await.unwrap();
    let known = async {
        // what it takes meanwhile, it leaves
        while take(&there, 1, 1).await.lease.is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(LONG, known).await.is_ok());
}

/// A client that hangs up while the places are asked for.
#[tokio::test]
async fn who_leaves_while_it_is_let_in_keeps_no_place() {
    let (server, counters) = start().await;
    let key = counters.key(name(1));
    let here = Places::new(Arc::new(counters), PACE).unwrap();
    for _ in 0..300 {
        _ = tokio::time::timeout(Duration::ZERO, here.take(&[(taken(1, 1), 1_000)], LONG)).await;
    }
    let left = async {
        while server.ask(&["EXISTS", &key]).await.unwrap() == redis::Value::Int(1) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(LEASE / 2, left).await.is_ok(), "before they end by themselves");
}

/// Time that was set back must not keep a place for as long as it was set back.
#[tokio::test]
async fn a_place_of_the_future_is_held_no_longer_than_any() {
    let (server, counters) = start().await;
    let key = counters.key(name(1));
    server.ask(&["ZADD", &key, "4000000000000000", "nobody"]).await.unwrap();
    let places = Places::new(Arc::new(counters), PACE).unwrap();
    assert!(take(&places, 1, 1).await.lease.is_none());
    assert!(comes_free(&places, 1, 1, LONG).await);
}

/// Refused requests, as fast as they come, leave nothing and keep nobody from saying what is held.
#[tokio::test]
async fn a_flood_of_refusals_ends_no_place() {
    let (_server, [here, there]) = two().await;
    let _held = take(&here, 1, 1).await;
    let began = tokio::time::Instant::now();
    let flood = async |places: &Places| {
        while began.elapsed() < LEASE + LEASE / 2 {
            let come = (0..50).map(|_| take(places, 1, 1));
            let let_in = futures_util::future::join_all(come).await.iter().any(|came| came.lease.is_some());
            assert!(!let_in, "after {:?}", began.elapsed());
        }
    };
    tokio::join!(flood(&here), flood(&there));
}

/// Counters that are far away, and know how often they were told that a place is held.
struct Far(AtomicUsize);

impl Counters for Far {
    fn spend<'a>(&'a self, _: &'a [Asked], _: Duration) -> StoreFuture<'a, Answer, StateError> {
        Box::pin(async { Err(StateError::Late) })
    }

    fn give_back<'a>(&'a self, _: &'a [Spent], _: Duration) -> StoreFuture<'a, u64, StateError> {
        Box::pin(async { Err(StateError::Late) })
    }

    fn places<'a>(&'a self, said: &'a [Said], _: Duration, _: Duration) -> StoreFuture<'a, Room, StateError> {
        let held = said.iter().filter(|said| matches!(said.act, Act::Hold)).count();
        self.0.fetch_add(held, Ordering::SeqCst);
        let taken = said.iter().filter(|said| matches!(said.act, Act::Take(_))).map(|_| 1).collect();
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok(Room { found: true, taken })
        })
    }

    fn record<'a>(&'a self, _: &'a str, _: Duration) -> StoreFuture<'a, Option<Vec<u8>>, StateError> {
        Box::pin(async { Err(StateError::Late) })
    }

    fn keep_record<'a>(
        &'a self,
        _: &'a str,
        _: Vec<u8>,
        _: Duration,
        _: Duration,
    ) -> StoreFuture<'a, (), StateError> {
        Box::pin(async { Err(StateError::Late) })
    }
}

/// There is always one more to be left.
#[tokio::test(start_paused = true)]
async fn who_come_and_go_do_not_keep_others_from_being_held() {
    let far = Arc::new(Far(AtomicUsize::new(0)));
    let places = Places::new(Arc::clone(&far) as Arc<dyn Counters>, PACE).unwrap();
    let _held = places.hold([taken(1, 1)].into_iter().collect());
    for _ in 0..6_000 {
        drop(places.hold([taken(2, 1)].into_iter().collect()));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let told = far.0.load(Ordering::SeqCst);
    assert!(told >= 15, "{told} times in six seconds");
}

/// Nobody is told meanwhile of what is left: what is in memory is for as many as may be, and of those who are held for each.
#[tokio::test]
async fn of_what_is_to_be_left_no_more_is_kept_than_there_is_room_for() {
    let places = Places::new(Arc::new(Far(AtomicUsize::new(0))), PACE).unwrap();
    let grown = grows_by(60_000, |number| {
        drop(places.hold([taken(number.into(), 1)].into_iter().collect()));
    });
    assert_eq!(grown, 0);
}

#[tokio::test]
async fn a_server_without_memory_takes_nobody_and_holds_who_is_there() {
    let (server, [here, there]) = two().await;
    let held = take(&here, 1, 1).await;
    server.ask(&["CONFIG", "SET", "maxmemory", "1mb"]).await.unwrap();
    tokio::time::sleep(LEASE + LEASE / 4).await;
    for number in [1, 2] {
        let full = there.take(&[(taken(number, 1), 1)], LONG).await;
        assert!(matches!(full, Err(StateError::Full)), "{number}: {:?}", full.map(|came| came.taken));
    }
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]).await.unwrap();
    assert!(take(&there, 1, 1).await.lease.is_none(), "it was held all the time");
    server.ask(&["CONFIG", "SET", "maxmemory", "1mb"]).await.unwrap();
    drop(held);
    tokio::time::sleep(LEASE / 4).await;
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]).await.unwrap();
    assert!(take(&there, 1, 1).await.lease.is_some(), "it was left all the same");
}

#[tokio::test]
async fn what_could_not_be_asked_for_is_held_as_soon_as_it_can() {
    let (_server, [here, there]) = two().await;
    let held = here.hold([taken(1, 1)].into_iter().collect());
    let known = async {
        while take(&there, 1, 1).await.lease.is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(LONG, known).await.is_ok());
    drop(held);
    here.settle().await;
    assert!(take(&there, 1, 1).await.lease.is_some(), "and is left when its process ends");
}

/// Whose requests would have the names of another process.
#[tokio::test]
async fn no_process_has_a_name_without_random_bytes() {
    let _failing = crate::random::failing::begin();
    assert!(Places::new(Arc::new(Away), PACE).is_err());
}
