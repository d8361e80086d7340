//! A writer that panics, by what its sink does or by what the log does.

use super::*;
use crate::logs::{PanickingLog, tell_to};

#[tokio::test(start_paused = true)]
async fn a_writer_that_panics_goes_on_after_a_pause() {
    let (events, shelf) = events(1000);
    shelf.is(PANICS_TWICE);
    push(&events, Severity::Low, 0);
    for number in 1..=600 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        push(&events, Severity::Low, number);
    }
    assert!(!events.answers(), "a readiness says so");
    let calls = shelf.calls.load(Ordering::SeqCst);
    assert!((15..=36).contains(&calls), "as often as one that is away: {calls}");
    assert!(events.store(event(Severity::Medium, 0)).await.is_err());
    shelf.is(GOOD);
    secs(5).await;
    assert_eq!(shelf.stored(), (0..=600).map(|number| ("low", Some(number))).collect::<Vec<_>>());
    assert!(events.answers());

    // it ends with those who have events
    shelf.is(PANICS_TWICE);
    push(&events, Severity::Low, 0);
    drop(events);
    secs(10).await;
    assert_eq!(Arc::strong_count(&shelf), 1);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_panics_ends_no_process_and_keeps_no_event_from_its_sink() {
    let _log = tell_to(PanickingLog("palisade::events"));
    let (events, shelf) = events(1000);
    shelf.is(AWAY);
    push(&events, Severity::Low, 0);
    secs(10).await;
    assert!(!events.answers());
    shelf.is(GOOD);
    secs(20).await;
    assert!(events.answers());
    assert_eq!(events.store(event(Severity::Medium, 0)).await, Ok(()));
    assert_eq!(shelf.stored(), [("low", Some(0)), ("medium", Some(0))], "and none comes twice");
}
