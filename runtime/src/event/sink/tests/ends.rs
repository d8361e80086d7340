//! What becomes of events when nobody has any more.

use super::*;
use crate::logs::{Heard, PanickingLog, tell_to};

fn given_up(count: u64) -> String {
    format!(
        "message=security events are given up: nobody has any more, and their sink has not got these count={count} "
    )
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn all_that_is_given_up_is_counted() {
    let heard = Heard::of("palisade::events");
    let _log = tell_to(heard.clone());
    for mode in [AWAY, HANGS, PANICS_TWICE] {
        let (events, shelf) = events(80);
        shelf.is(mode);
        (0..100).for_each(|number| push(&events, Severity::Low, number));
        secs(1).await;
        drop(events);
        secs(20).await;
        assert_eq!(Arc::strong_count(&shelf), 1);
        assert_eq!(heard.take().last(), Some(&given_up(100)), "{mode}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_comes_back_is_given_what_waits_though_nobody_has_events_any_more() {
    let (events, shelf) = events(1000);
    shelf.is(AWAY);
    (0..200).for_each(|number| push(&events, Severity::Low, number));
    secs(20).await;
    drop(events);
    let calls = || shelf.calls.load(Ordering::SeqCst);
    let before = calls();
    while calls() == before {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    shelf.is(GOOD);
    secs(6).await;
    assert_eq!((shelf.stored().len(), Arc::strong_count(&shelf)), (200, 1));
}

#[test]
fn what_no_runtime_writes_any_more_is_told_of() {
    let heard = Heard::of("palisade::events");
    let log = tell_to(heard.clone());
    // it had none
    let none = events(1000).0;
    (0..3).for_each(|number| push(&none, Severity::Low, number));
    drop(none);
    assert_eq!(heard.take(), [given_up(3)]);
    // it ends before those who have events, and after them
    for first in [true, false] {
        let (events, shelf) = events(1000);
        shelf.is(HANGS);
        let runtime = runtime();
        runtime.block_on(async {
            (0..100).for_each(|number| push(&events, Severity::Low, number));
            tokio::time::sleep(Duration::from_millis(1)).await;
        });
        if first {
            drop(runtime);
            drop(events);
        } else {
            drop(events);
            drop(runtime);
        }
        assert_eq!(heard.take(), [given_up(100)], "{first}");
    }
    // nothing was lost
    let (events, _shelf) = events(1000);
    runtime().block_on(async {
        push(&events, Severity::Low, 0);
        events.settle().await;
    });
    drop(events);
    assert!(heard.take().is_empty());

    // also where that is because of a panic, and the log panics as well
    drop(log);
    let _log = tell_to(PanickingLog("palisade::events"));
    let (events, _shelf) = self::events(1000);
    push(&events, Severity::Low, 0);
    let crash = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _dropped_by_it = events;
        panic!("a panic that drops them");
    }));
    assert!(crash.is_err());
}

#[test]
fn what_waits_for_room_in_a_runtime_that_ends_is_counted() {
    let (events, shelf) = events(64);
    shelf.is(AWAY);
    runtime().block_on(async {
        (0..70).for_each(|number| push(&events, Severity::High, number));
        tokio::task::yield_now().await;
    });
    shelf.is(GOOD);
    runtime().block_on(async {
        push(&events, Severity::Low, 0);
        secs(10).await;
    });
    let told = shelf.stored().into_iter().find(|(kind, _)| *kind == "sys_events_dropped");
    assert_eq!(told, Some(("sys_events_dropped", Some(7))), "and the one that came then");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_said_aloud_is_counted() {
    let shelf = Arc::new(Shelf::default());
    let events = Events::new(64, Arc::clone(&shelf) as Arc<dyn EventSink>, |_| panic!("nobody can say it"));
    shelf.is(AWAY);
    (0..65).for_each(|number| push(&events, Severity::High, number));
    for _ in 0..500 {
        if events.shared.book.dropped.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    shelf.is(GOOD);
    secs(10).await;
    assert!(shelf.stored().contains(&("sys_events_dropped", Some(1))));
}

#[tokio::test(start_paused = true)]
async fn each_end_says_what_is_lost_with_what_was_dropped_before() {
    let heard = Heard::of("palisade::events");
    let _log = tell_to(heard.clone());
    let (events, shelf) = events(80);
    shelf.is(AWAY);
    (0..100).for_each(|number| push(&events, Severity::Low, number));
    for _ in 0..2 {
        events.start();
        heard.take();
        tokio::join!(events.settle(), events.settle());
        let lost = "the server ends, and security events are not stored that it has for its sink";
        let told: Vec<_> = heard.take().into_iter().filter(|line| line.contains(lost)).collect();
        assert_eq!(told, [format!("message={lost} count=100 ")]);
    }
}
