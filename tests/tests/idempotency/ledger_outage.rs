//! A ledger that fails: no handler begins, and it is left alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use palisade::idempotency::{Ledger, LedgerError, Line};
use palisade::{Clock, StoreFuture};
use palisade_tests::dice::key_of;
use palisade_tests::tokens::now;
use palisade_tests::waiting::until;

use crate::desk::{Desk, in_memory};

/// Knows how often it was asked, and answers when it works.
#[derive(Clone, Default)]
struct Counting {
    asked: Arc<AtomicUsize>,
    works: Arc<AtomicBool>,
}

impl Counting {
    fn answer<T: Send + 'static>(&self, with: T) -> StoreFuture<'_, T, LedgerError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let works = self.works.load(Ordering::SeqCst);
        Box::pin(async move { works.then_some(with).ok_or(LedgerError::Store("the disk is gone".into())) })
    }
}

impl Ledger for Counting {
    fn find(&self, _: [u8; 32]) -> StoreFuture<'_, Option<Vec<u8>>, LedgerError> {
        self.answer(None)
    }

    fn insert(&self, _: Line) -> StoreFuture<'_, (), LedgerError> {
        self.answer(())
    }
}

/// One that answers whoever looks, and takes lines only when it has room.
#[derive(Clone, Default)]
struct Full {
    told: Arc<AtomicUsize>,
    has_room: Arc<AtomicBool>,
}

impl Ledger for Full {
    fn find(&self, _: [u8; 32]) -> StoreFuture<'_, Option<Vec<u8>>, LedgerError> {
        Box::pin(async { Ok(None) })
    }

    fn insert(&self, _: Line) -> StoreFuture<'_, (), LedgerError> {
        self.told.fetch_add(1, Ordering::SeqCst);
        let taken = self.has_room.load(Ordering::SeqCst);
        Box::pin(async move { taken.then_some(()).ok_or(LedgerError::Store("the disk is full".into())) })
    }
}

/// Nothing runs of which it could not be told, but for one call at a time that finds out whether it can be.
#[tokio::test]
async fn a_ledger_that_answers_and_takes_no_lines_lets_one_call_at_a_time_find_that_out() {
    let (clock, ledger) = (Clock::fixed(now()), Full::default());
    let desk = Desk::of(clock.clone(), in_memory(&clock).ledger(ledger.clone())).await;
    let pay = |number: usize| desk.transfer(&key_of(&number.to_string()), "pay").send();
    for number in 0..3 {
        pay(number).await.refused(503, "unavailable");
    }
    assert_eq!((desk.effects.count(), ledger.told.load(Ordering::SeqCst)), (3, 5));
    let refused = pay(3).await;
    refused.refused(503, "unavailable");
    assert_eq!(refused.header("retry-after"), "2", "what is left of two seconds");
    assert_eq!(desk.effects.count(), 3, "its handler did not run");
    let many = async |first: usize| {
        for reply in futures_util::future::join_all((first..first + 20).map(pay)).await {
            reply.refused(503, "unavailable");
        }
        desk.effects.count() > 3
    };
    let first = AtomicUsize::new(100);
    until(async || many(first.fetch_add(20, Ordering::SeqCst)).await).await;
    assert_eq!((desk.effects.count(), ledger.told.load(Ordering::SeqCst)), (4, 6), "one asks, once");
    ledger.has_room.store(true, Ordering::SeqCst);
    until(async || pay(4).await.status == 201).await;
    assert_eq!((desk.effects.count(), ledger.told.load(Ordering::SeqCst)), (5, 7));
    for number in 5..25 {
        pay(number).await.allowed(201);
    }
}

/// Of a run that keeps nothing, the ledger is told nothing: the next call finds out in its place, and waits for nothing.
#[tokio::test]
async fn a_call_that_keeps_nothing_does_not_prolong_an_outage() {
    let (clock, ledger) = (Clock::fixed(now()), Full::default());
    let desk = Desk::of(clock.clone(), in_memory(&clock).ledger(ledger.clone())).await;
    for number in 0..3 {
        desk.transfer(&key_of(&number.to_string()), "pay").send().await.refused(503, "unavailable");
    }
    ledger.has_room.store(true, Ordering::SeqCst);
    until(async || desk.transfer(&key_of("3"), "forbid").send().await.status == 403).await;
    desk.transfer(&key_of("4"), "forbid").send().await.refused(403, "closed");
    desk.transfer(&key_of("5"), "pay").send().await.allowed(201);
}

#[tokio::test]
async fn a_ledger_that_fails_is_left_alone_until_one_call_finds_that_it_answers() {
    let (clock, ledger) = (Clock::fixed(now()), Counting::default());
    let desk = Desk::of(clock.clone(), in_memory(&clock).ledger(ledger.clone())).await;
    for number in 0..50 {
        desk.transfer(&key_of(&number.to_string()), "pay").send().await.refused(503, "unavailable");
    }
    let asked = ledger.asked.load(Ordering::SeqCst);
    assert!((5..20).contains(&asked), "five times, and once in two seconds: {asked}");
    assert_eq!(desk.effects.count(), 0);
    ledger.works.store(true, Ordering::SeqCst);
    until(async || desk.transfer(&key_of("0"), "pay").send().await.status == 201).await;
    desk.transfer(&key_of("1"), "pay").send().await.allowed(201);
    assert_eq!(desk.effects.count(), 2);
}

/// A run of which nobody knows is not forgotten because the next one may not begin.
#[tokio::test]
async fn what_is_known_of_a_run_before_outlasts_a_ledger_that_fails() {
    let (clock, ledger, key) = (Clock::fixed(now()), Counting::default(), key_of("1"));
    let desk = Desk::of(clock.clone(), in_memory(&clock).ledger(ledger.clone())).await;
    let call = async |act: &str| desk.post("/repeatable", &key, act).token(&desk.alice()).send().await;
    ledger.works.store(true, Ordering::SeqCst);
    call("panic").await.refused(500, "internal");
    ledger.works.store(false, Ordering::SeqCst);
    call("panic").await.refused(503, "unavailable");
    call("pay").await.refused(422, "idempotency_key_reused");
    assert_eq!(desk.effects.count(), 1);
}
