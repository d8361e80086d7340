//! How many are given at once to a sink that takes its time.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_burst_does_not_keep_a_slow_sink_away() {
    let (events, shelf) = events(1000);
    shelf.is(BY_EACH);
    (0..500).for_each(|number| push(&events, Severity::Low, number));
    secs(3).await;
    assert!(!shelf.stored().is_empty(), "64 take 1280 ms: fewer are given then");
    assert_eq!(events.store(event(Severity::Medium, 0)).await, Ok(()), "in the middle of it");
    secs(9).await; // each takes 20 ms still: nothing was given in vain again
    let mut stored = shelf.stored();
    stored.retain(|(kind, _)| *kind == "low");
    assert_eq!(stored, (0..500).map(|number| ("low", Some(number))).collect::<Vec<_>>());

    // more are given again when it is fast
    shelf.is(GOOD);
    (0..1000).for_each(|number| push(&events, Severity::Low, number));
    let calls = shelf.calls.load(Ordering::SeqCst);
    secs(1).await;
    assert!(shelf.calls.load(Ordering::SeqCst) - calls <= 1 + 875_usize.div_ceil(64));

    // one by one where nothing else is in time
    shelf.is(HANGS);
    push(&events, Severity::Low, 0);
    secs(60).await;
    let before = shelf.stored().len();
    shelf.is(BY_EACH);
    (0..70).for_each(|number| push(&events, Severity::Low, number));
    secs(10).await;
    assert_eq!(shelf.stored().len(), before + 71);
}

#[tokio::test(start_paused = true)]
async fn few_that_are_late_again_and_again_are_given_in_parts() {
    let (events, shelf) = events(1000);
    shelf.is(BY_EACH);
    (0..60).for_each(|number| push(&events, Severity::Low, number));
    secs(5).await;
    assert_eq!(shelf.stored(), (0..60).map(|number| ("low", Some(number))).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn one_late_call_in_a_quiet_moment_makes_no_sink_slow() {
    let (events, shelf) = events(1000);
    shelf.is(HANGS);
    push(&events, Severity::Low, 0);
    tokio::time::sleep(Duration::from_millis(900)).await;
    shelf.is(FAR); // the call that hangs does so until it is given up
    secs(2).await;
    assert_eq!(shelf.stored().len(), 1);
    (0..640).for_each(|number| push(&events, Severity::Low, number));
    secs(7).await;
    assert_eq!(shelf.stored().len(), 641, "64 in 600 ms");
}

/// One at a time is given from then on.
async fn hang_for_long(events: &Events, shelf: &Shelf) {
    shelf.is(HANGS);
    push(events, Severity::Low, 0);
    secs(60).await;
}

#[tokio::test(start_paused = true)]
async fn more_are_given_again_to_a_sink_that_is_slow_whatever_it_is_given() {
    let (events, shelf) = events(1000);
    hang_for_long(&events, &shelf).await;
    shelf.is(FAR);
    (1..=800).for_each(|number| push(&events, Severity::Low, number));
    secs(30).await;
    assert_eq!(shelf.stored(), (0..=800).map(|number| ("low", Some(number))).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn more_are_given_again_where_all_of_them_are_waited_for() {
    let (events, shelf) = events(1000);
    hang_for_long(&events, &shelf).await;
    shelf.is(SLOW);
    secs(6).await;
    let waiting = (0..64).map(|number| events.store(event(Severity::Medium, number)));
    let stored = futures_util::future::join_all(waiting).await;
    assert!(stored.iter().all(Result::is_ok), "100 ms a call, and 2 s for all of them");
}

#[tokio::test(start_paused = true)]
async fn what_is_waited_for_leaves_half_to_the_others_where_one_is_given_at_a_time() {
    let (events, shelf) = events(1000);
    hang_for_long(&events, &shelf).await;
    shelf.is(ALONE);
    secs(6).await;
    for _ in 0..4 {
        let events = events.clone();
        tokio::spawn(async move {
            loop {
                _ = events.store(event(Severity::Medium, 0)).await;
            }
        });
    }
    (1..=10).for_each(|number| push(&events, Severity::Low, number));
    secs(18).await;
    let of = |kind| shelf.stored().iter().filter(|(found, _)| *found == kind).count();
    assert_eq!(of("low"), 1 + 10);
    assert!(of("medium") >= 10, "{}", of("medium"));
}
