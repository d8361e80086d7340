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
