//! The queue and its writer, by a clock that does not wait.

mod ends;
mod panics;
mod slow;

use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use super::*;

/// A sink that does as it is told.
#[derive(Default)]
struct Shelf {
    mode: AtomicUsize,
    calls: AtomicUsize,
    stored: Mutex<Vec<SecurityEvent>>,
}

const GOOD: usize = 0;
const AWAY: usize = 1;
const HANGS: usize = 2;
const PANICS: usize = 3;
const SLOW: usize = 4;
/// Each event takes 20 ms.
const BY_EACH: usize = 5;
/// It panics when it is given up.
const PANICS_LATE: usize = 6;
/// It panics when it is asked why it failed.
const UNSPEAKABLE: usize = 7;
/// It panics, and whoever holds what came out of it does.
const PANICS_TWICE: usize = 8;
/// A call takes less than those wait who find no room.
const BRISK: usize = 9;
/// A call takes 600 ms, whatever it has.
const FAR: usize = 10;
/// One event takes so long that two are late.
const ALONE: usize = 11;

/// What panics in the end.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("a sink that panics when it is dropped");
        }
    }
}

#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("a sink that panics when it is asked")
    }
}

impl Error for Unspeakable {}

impl EventSink for Shelf {
    fn write<'a>(&'a self, events: &'a [SecurityEvent]) -> StoreFuture<'a, (), EventSinkError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            assert!((1..=64).contains(&events.len()));
            if self.mode.load(Ordering::SeqCst) == SLOW {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            if self.mode.load(Ordering::SeqCst) == BRISK {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            if self.mode.load(Ordering::SeqCst) == FAR {
                tokio::time::sleep(Duration::from_millis(600)).await;
            }
            if let Some(millis) = [(BY_EACH, 20), (ALONE, 800)]
                .into_iter()
                .find_map(|(mode, millis)| (self.mode.load(Ordering::SeqCst) == mode).then_some(millis))
            {
                let each = Duration::from_millis(millis);
                tokio::time::sleep(each * u32::try_from(events.len()).unwrap()).await;
            }
            match self.mode.load(Ordering::SeqCst) {
                AWAY => return Err(EventSinkError::new("away")),
                HANGS => std::future::pending().await,
                PANICS => panic!("a sink that panics"),
                PANICS_LATE => {
                    let _bomb = Bomb;
                    std::future::pending().await
                }
                UNSPEAKABLE => return Err(EventSinkError::new(Unspeakable)),
                PANICS_TWICE => std::panic::panic_any(Bomb),
                _ => self.stored.lock().unwrap().extend_from_slice(events),
            }
            Ok(())
        })
    }
}

impl Shelf {
    fn is(&self, mode: usize) {
        self.mode.store(mode, Ordering::SeqCst);
    }

    /// The types in the order in which they came, with how many they tell of.
    fn stored(&self) -> Vec<(&'static str, Option<u64>)> {
        self.stored.lock().unwrap().iter().map(|event| (event.event_type, event.count)).collect()
    }
}

fn event(severity: Severity, number: u64) -> SecurityEvent {
    let event_type = match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
    };
    SecurityEvent { count: Some(number), ..SecurityEvent::of(Kind { event_type, severity }) }
}

fn push(events: &Events, severity: Severity, number: u64) {
    events.push(severity.into(), || event(severity, number));
}

fn silent(_: &str) {}

fn events(capacity: usize) -> (Events, Arc<Shelf>) {
    let shelf = Arc::new(Shelf::default());
    (Events::new(capacity, Arc::clone(&shelf) as Arc<dyn EventSink>, silent), shelf)
}

async fn secs(secs: u64) {
    tokio::time::sleep(Duration::from_secs(secs)).await;
}

#[tokio::test(start_paused = true)]
async fn what_waited_for_the_sink_comes_in_its_order_when_that_is_back() {
    let (events, shelf) = events(1000);
    for mode in [AWAY, HANGS, PANICS, PANICS_LATE, UNSPEAKABLE] {
        shelf.is(mode);
        shelf.stored.lock().unwrap().clear();
        (0..200).for_each(|number| push(&events, Severity::Low, number));
        secs(20).await;
        assert!(!events.answers() && shelf.stored().is_empty());
        shelf.is(GOOD);
        secs(10).await;
        let expected: Vec<_> = (0..200).map(|number| ("low", Some(number))).collect();
        assert!(events.answers());
        assert_eq!(shelf.stored(), expected, "none is lost, none comes twice");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_is_away_is_asked_less_and_less() {
    let (events, shelf) = events(1000);
    shelf.is(AWAY);
    push(&events, Severity::Low, 0);
    secs(60).await;
    let calls = shelf.calls.load(Ordering::SeqCst);
    assert!((15..=36).contains(&calls), "every five seconds, less a half at most: {calls}");
}

#[tokio::test(start_paused = true)]
async fn a_flood_leaves_room_for_what_is_high_and_its_end_is_told() {
    let (events, shelf) = events(80);
    shelf.is(AWAY);
    push(&events, Severity::High, 0);
    tokio::time::sleep(Duration::from_millis(1)).await; // the writer has it
    (0..1000).for_each(|number| push(&events, Severity::Medium, number));
    (1..=10).for_each(|number| push(&events, Severity::High, number));
    shelf.is(GOOD);
    secs(10).await;
    let stored = shelf.stored();
    let of = |kind| stored.iter().filter(move |(found, _)| *found == kind).map(|(_, count)| count.unwrap());
    assert_eq!(of("high").collect::<Vec<_>>(), (0..=10).collect::<Vec<_>>());
    assert_eq!(of("medium").collect::<Vec<_>>(), (0..69).collect::<Vec<_>>(), "seven eighths of it");
    assert_eq!(of("sys_events_dropped").collect::<Vec<_>>(), [931]);
    assert_eq!(stored.len(), 11 + 69 + 1);

    push(&events, Severity::Low, 0);
    secs(10).await;
    assert_eq!(shelf.stored().len(), 82, "it is told once");
}

#[tokio::test(start_paused = true)]
async fn no_flood_of_what_is_high_takes_the_room_of_what_is_audited() {
    let (events, shelf) = events(80);
    shelf.is(AWAY);
    (0..1000).for_each(|number| push(&events, Severity::High, number));
    for number in 0..10 {
        events
            .push(Worth::Audited, || SecurityEvent { event_type: "audited", ..event(Severity::Low, number) });
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    shelf.is(GOOD);
    secs(10).await;
    let stored = shelf.stored();
    let audited: Vec<_> = stored.iter().filter(|(kind, _)| *kind == "audited").collect();
    assert_eq!(audited.len(), 10, "an eighth of 80");
    assert_eq!(stored.iter().filter(|(kind, _)| *kind == "high").count(), 80);
}

#[tokio::test(start_paused = true)]
async fn no_flood_of_what_is_audited_takes_the_room_of_what_is_high() {
    let (events, shelf) = events(80);
    shelf.is(AWAY);
    for number in 0..1000 {
        let audited = || SecurityEvent { event_type: "audited", ..event(Severity::Low, number) };
        events.push(Worth::Audited, audited);
    }
    (0..10).for_each(|number| push(&events, Severity::High, number));
    tokio::time::sleep(Duration::from_millis(100)).await;
    shelf.is(GOOD);
    secs(10).await;
    let of = |kind| shelf.stored().iter().filter(|(found, _)| *found == kind).count();
    assert_eq!((of("high"), of("audited")), (10, 10 + 70), "an eighth of their own, and seven eighths");
}

#[tokio::test(start_paused = true)]
async fn what_is_high_waits_for_room_and_is_said_aloud_then() {
    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let shelf = Arc::new(Shelf::default());
    let say = |line: &str| SAID.lock().unwrap().push(line.to_owned());
    let events = Events::new(64, Arc::clone(&shelf) as Arc<dyn EventSink>, say);
    shelf.is(AWAY);
    (0..64).for_each(|number| push(&events, Severity::High, number));
    tokio::time::sleep(Duration::from_millis(1)).await;
    push(&events, Severity::High, 64);
    tokio::time::sleep(Duration::from_millis(3)).await;
    assert!(SAID.lock().unwrap().is_empty());
    let said = async || {
        while SAID.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    said().await;
    let line: serde_json::Value = serde_json::from_str(&SAID.lock().unwrap()[0]).unwrap();
    assert_eq!((line["event_type"].as_str(), line["count"].as_u64()), (Some("high"), Some(64)));
    assert!(SAID.lock().unwrap()[0].ends_with("}\n"));

    // whose room comes in time waits for it
    push(&events, Severity::High, 65);
    shelf.is(GOOD);
    events.shared.book.hurry.notify_one();
    secs(10).await;
    assert_eq!(SAID.lock().unwrap().len(), 1);
    let expected: Vec<_> = (0..64).chain([65]).map(|number| ("high", Some(number))).collect();
    assert_eq!(shelf.stored(), expected);

    // no more lines than somebody reads
    shelf.is(AWAY);
    (0..64).for_each(|number| push(&events, Severity::High, number));
    for _ in 0..100 {
        (0..10).for_each(|number| push(&events, Severity::High, number));
        tokio::time::sleep(Duration::from_millis(6)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(SAID.lock().unwrap().len() <= 1 + 100);
    shelf.is(GOOD);
    secs(10).await;
    let dropped = shelf.stored().into_iter().find(|(kind, _)| *kind == "sys_events_dropped").unwrap();
    let said = u64::try_from(SAID.lock().unwrap().len()).unwrap();
    assert_eq!(dropped.1, Some(1000 - (said - 1)), "what nobody was told of is counted");
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_stored_first_is_stored_or_refused() {
    let (events, shelf) = events(1000);
    assert_eq!(events.store(event(Severity::Low, 0)).await, Ok(()));
    assert_eq!(shelf.stored(), [("low", Some(0))]);
    for mode in [AWAY, HANGS, PANICS, PANICS_LATE, UNSPEAKABLE] {
        shelf.is(mode);
        let began = tokio::time::Instant::now();
        assert!(events.store(event(Severity::Low, 1)).await.is_err());
        assert!(began.elapsed() <= Duration::from_secs(1), "as soon as it is known");
        let began = tokio::time::Instant::now();
        assert!(events.store(event(Severity::Low, 1)).await.is_err());
        assert_eq!(began.elapsed(), Duration::ZERO, "nobody waits during a pause");
        shelf.is(GOOD);
        secs(6).await;
        assert_eq!(events.store(event(Severity::Low, 2)).await, Ok(()));
    }
    let expected = [("low", Some(0))].into_iter().chain([("low", Some(2)); 5]);
    assert_eq!(shelf.stored(), expected.collect::<Vec<_>>(), "what was refused is not stored later");
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_stored_first_goes_before_a_flood() {
    let (events, shelf) = events(1000);
    shelf.is(SLOW);
    (0..500).for_each(|number| push(&events, Severity::Low, number));
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(events.store(event(Severity::Medium, 0)).await, Ok(()));
    let place = shelf.stored().iter().position(|(kind, _)| *kind == "medium");
    assert_eq!(place, Some(64), "behind what was being written");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_while_events_are_given_again_to_a_sink_that_hangs() {
    let (events, shelf) = events(1000);
    shelf.is(HANGS);
    push(&events, Severity::Low, 0);
    secs(2).await;
    for _ in 0..500 {
        let began = tokio::time::Instant::now();
        assert!(events.store(event(Severity::Medium, 0)).await.is_err());
        assert_eq!(began.elapsed(), Duration::ZERO, "neither during a call nor during a pause");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    shelf.is(GOOD);
    secs(6).await;
    assert_eq!(events.store(event(Severity::Medium, 1)).await, Ok(()));
    assert_eq!(shelf.stored(), [("low", Some(0)), ("medium", Some(1))]);
}

#[test]
fn what_waits_outlives_the_runtime_in_which_it_came() {
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let (events, shelf) = events(1000);
    shelf.is(HANGS);
    runtime().block_on(async {
        push(&events, Severity::Low, 0);
        tokio::time::sleep(Duration::from_millis(1)).await; // the writer has it
        _ = timeout(Duration::from_millis(1), events.store(event(Severity::Medium, 0))).await;
    });
    shelf.is(GOOD);
    push(&events, Severity::Low, 1);
    assert!(events.answers() && shelf.stored().is_empty());
    runtime().block_on(async {
        assert_eq!(events.store(event(Severity::Medium, 1)).await, Ok(()));
        secs(1).await;
    });
    assert_eq!(shelf.stored(), [("medium", Some(1)), ("low", Some(0)), ("low", Some(1))]);
    // at the end as well
    push(&events, Severity::Low, 2);
    runtime().block_on(events.settle());
    assert_eq!(shelf.stored().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_room_at_the_end_is_written_as_well() {
    let (events, shelf) = events(64);
    shelf.is(AWAY);
    (0..64).for_each(|number| push(&events, Severity::High, number));
    secs(1).await;
    (64..74).for_each(|number| push(&events, Severity::High, number));
    shelf.is(BRISK);
    // more find room while the end is waited for
    let settling = tokio::spawn({
        let events = events.clone();
        async move { events.settle().await }
    });
    tokio::task::yield_now().await;
    assert_eq!(events.shared.overflow.waiting(), 10, "no others do");
    (74..79).for_each(|number| push(&events, Severity::High, number));
    settling.await.unwrap();
    assert_eq!(shelf.stored(), (0..79).map(|number| ("high", Some(number))).collect::<Vec<_>>());
}

#[test]
fn an_event_that_came_while_the_runtime_of_the_writer_ended_is_stored() {
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let (events, shelf) = events(1000);
    let first = runtime();
    first.block_on(async { push(&events, Severity::Low, 0) });
    runtime().block_on(async {
        events.push(Worth::Kept, || {
            std::thread::scope(|scope| _ = scope.spawn(move || drop(first)));
            event(Severity::High, 1)
        });
        secs(1).await;
    });
    assert_eq!(shelf.stored(), [("low", Some(0)), ("high", Some(1))]);
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_stored_first_says_when_it_is_worth_to_come_again() {
    let (events, shelf) = events(1000);
    shelf.is(AWAY);
    assert_eq!(events.store(event(Severity::Medium, 0)).await.unwrap_err().0.seconds(), 1);
    push(&events, Severity::Low, 0);
    secs(20).await;
    let before = shelf.calls.load(Ordering::SeqCst);
    while shelf.calls.load(Ordering::SeqCst) == before {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // a pause has begun, of two seconds and a half at least
    tokio::time::sleep(Duration::from_millis(1)).await;
    let left = events.store(event(Severity::Medium, 0)).await.unwrap_err().0.seconds();
    assert!((3..=5).contains(&left), "{left}");
    secs(left).await;
    assert!(shelf.calls.load(Ordering::SeqCst) > before + 1, "it was asked again by then");
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_written_at_the_end() {
    let (events, shelf) = events(1000);
    shelf.is(AWAY);
    (0..300).for_each(|number| push(&events, Severity::Low, number));
    secs(60).await;
    shelf.is(GOOD);
    let began = tokio::time::Instant::now();
    events.settle().await;
    assert_eq!(shelf.stored().len(), 300);
    assert!(began.elapsed() < Duration::from_millis(1), "it does not wait for the pause to end");

    shelf.is(HANGS);
    push(&events, Severity::Low, 0);
    let began = tokio::time::Instant::now();
    events.settle().await;
    assert_eq!(began.elapsed(), LAST);
}

#[tokio::test(start_paused = true)]
async fn the_writer_ends_when_nobody_has_events_any_more() {
    let (events, shelf) = events(1000);
    push(&events, Severity::Low, 0);
    drop(events);
    secs(1).await;
    assert_eq!((shelf.stored().len(), Arc::strong_count(&shelf)), (1, 1));
    let (events, shelf) = self::events(1000);
    shelf.is(AWAY);
    push(&events, Severity::Low, 0);
    secs(1).await;
    assert_eq!(Arc::strong_count(&shelf), 2);
    drop(events);
    secs(10).await;
    assert_eq!(Arc::strong_count(&shelf), 1);
}

#[test]
fn a_flood_with_no_sink_that_takes_it_leaves_no_more_than_the_queue() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (events, shelf) = events(256);
        shelf.is(AWAY);
        let grown = crate::flood::grows_by(100_000, |number| {
            events.push(Worth::Dropped, || SecurityEvent {
                failure_reason: super::super::known(&"a".repeat(500)),
                ..event(Severity::Low, number.into())
            });
        });
        assert!(grown <= crate::flood::LITTLE, "{grown}");
    });
}
