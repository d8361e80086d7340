//! How a ledger is asked: in bounded time, and not at all while it fails.
//!
//! Rules:
//! 1. what is asked takes two seconds at most;
//! 2. what failed is asked once more in what is left of them, for a connection may have been broken all the time. What did not
//!    answer in time is not: there is none left;
//! 3. a ledger that five times in a row gives no answer is left alone for two seconds ([`Breaker`]). No handler begins
//!    meanwhile, and nothing is asked twice; then one call asks;
//! 4. what became of a handler that ran is asked and written all the same, once: nobody else will know;
//!    a ledger may answer and take no lines, as a database that is full or a copy does: for what is written there is a breaker of
//!    its own, which no look closes. While it is open no handler begins either; then one does, and what is written by whoever
//!    ran says whether lines are taken again. Where that one writes nothing, another begins in its place;
//! 5. whose operation may take no longer, and who has waited for half a second, was given no answer.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::ledger::{Ledger, LedgerError, Line};
use crate::authn::StoreFuture;
use crate::breaker::{Breaker, Leave, LeftAlone, Turn};

/// How long a ledger may take to find a line, or to write one.
const PATIENCE: Duration = Duration::from_secs(2);
/// Who leaves after so long says that it does not answer (rule 5).
const LONG: Duration = Duration::from_millis(500);
/// Failures without a success between them until no handler begins any more.
const FAILURES: u32 = 5;
/// For how long none does then.
const REST: Duration = Duration::from_secs(2);

/// The ledger of a server.
pub(super) struct Asked {
    ledger: Box<dyn Ledger>,
    looks: Way,
    lines: Way,
}

/// One of the two things that it is asked for.
struct Way {
    breaker: Breaker,
    /// What the operator is told.
    fails: &'static str,
    still_fails: &'static str,
    works_again: &'static str,
}

/// When it is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    BeforeTheHandler,
    AfterIt,
}

impl Asked {
    pub(super) fn new(ledger: impl Ledger) -> Self {
        let looks = Way {
            breaker: Breaker::new(FAILURES, REST),
            fails: "the ledger fails: no call begins that it would be asked about",
            still_fails: "the ledger still fails",
            works_again: "the ledger answers again",
        };
        let lines = Way {
            breaker: Breaker::new(FAILURES, REST),
            fails: "the ledger takes no lines: no call begins that it would be told of",
            still_fails: "the ledger still takes no lines",
            works_again: "the ledger takes lines again",
        };
        Self { ledger: Box::new(ledger), looks, lines }
    }

    pub(super) async fn find(&self, key: [u8; 32], when: Asks) -> Result<Option<Vec<u8>>, LedgerError> {
        self.looks.twice(when, true, || self.ledger.find(key)).await
    }

    /// The leave to begin, of a handler that it will be told of: to be held until that is over.
    pub(super) fn begins(&self) -> Result<Leave<'_>, LeftAlone> {
        self.lines.breaker.admits() // 4
    }

    /// After the handler. A line that was committed after all is [`LedgerError::Repeated`] the second time.
    pub(super) async fn insert(&self, line: Line) -> Result<(), LedgerError> {
        let answers = self.looks.breaker.is_closed(); // 3
        self.lines.twice(Asks::AfterIt, answers, || self.ledger.insert(line.clone())).await
    }

    /// The handler wrote the line, and committed it.
    pub(super) fn was_told(&self) {
        self.lines.tell(self.lines.breaker.beside().succeeded(), None);
    }
}

impl Way {
    async fn twice<'a, T>(
        &'a self,
        when: Asks,
        again: bool,
        ask: impl Fn() -> StoreFuture<'a, T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let until = Instant::now() + PATIENCE; // 1
        let leave = match self.breaker.admits() {
            Ok(leave) => leave,
            Err(left_alone) if when == Asks::BeforeTheHandler => return Err(left_alone.into()), // 3
            Err(_) => self.breaker.beside(),                                                    // 4
        };
        let first = self.once(leave, until, ask()).await;
        if !again || !matches!(first, Err(LedgerError::Store(_))) {
            return first;
        }
        match self.breaker.admits() {
            Ok(leave) => self.once(leave, until, ask()).await, // 2
            Err(_) => first,
        }
    }

    async fn once<T>(
        &self,
        leave: Leave<'_>,
        until: Instant,
        asked: StoreFuture<'_, T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let mut waiting = Waiting { on: self, leave: Some(leave), since: Instant::now() };
        let answer = timeout_at(until, asked).await.unwrap_or(Err(LedgerError::Late));
        let turn = match (waiting.leave.take(), &answer) {
            (None, _) => Turn::None,
            (Some(leave), Ok(_) | Err(LedgerError::Repeated)) => leave.succeeded(),
            (Some(leave), Err(_)) => leave.failed(),
        };
        self.tell(turn, answer.as_ref().err());
        answer
    }

    /// Tells the operator what changed.
    fn tell(&self, turn: Turn, error: Option<&LedgerError>) {
        let why = error.map(ToString::to_string).unwrap_or_default();
        match self.breaker.news(turn) {
            Turn::Opened => tracing::error!(target: "palisade::idempotency", why, "{}", self.fails),
            Turn::StillOpen => tracing::warn!(target: "palisade::idempotency", why, "{}", self.still_fails),
            Turn::Closed => tracing::info!(target: "palisade::idempotency", "{}", self.works_again),
            Turn::None => {}
        }
    }
}

/// One who waits for an answer, or has left.
struct Waiting<'a> {
    on: &'a Way,
    leave: Option<Leave<'a>>,
    since: Instant,
}

/// Rule 5.
impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(leave) = self.leave.take().filter(|_| self.since.elapsed() >= LONG) {
            self.on.tell(leave.failed(), Some(&LedgerError::Late));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// One that answers nothing, or fails at once, and knows how often it was asked.
    #[derive(Clone, Default)]
    struct Away {
        asked: Arc<AtomicUsize>,
        hangs: bool,
    }

    impl Away {
        fn answer<T: Send + 'static>(&self) -> StoreFuture<'_, T, LedgerError> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let hangs = self.hangs;
            Box::pin(async move {
                if hangs {
                    std::future::pending::<()>().await;
                }
                Err(LedgerError::Store("the disk is gone".into()))
            })
        }

        fn count(&self) -> usize {
            self.asked.swap(0, Ordering::SeqCst)
        }
    }

    impl Ledger for Away {
        fn find(&self, _: [u8; 32]) -> StoreFuture<'_, Option<Vec<u8>>, LedgerError> {
            self.answer()
        }

        fn insert(&self, _: Line) -> StoreFuture<'_, (), LedgerError> {
            self.answer()
        }
    }

    /// One that answers, and takes no lines.
    #[derive(Clone, Default)]
    struct Full {
        asked: Arc<AtomicUsize>,
        told: Arc<AtomicUsize>,
    }

    impl Ledger for Full {
        fn find(&self, _: [u8; 32]) -> StoreFuture<'_, Option<Vec<u8>>, LedgerError> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { Ok(None) })
        }

        fn insert(&self, _: Line) -> StoreFuture<'_, (), LedgerError> {
            self.told.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { Err(LedgerError::Store("the disk is full".into())) })
        }
    }

    /// Rule 4.
    #[tokio::test]
    async fn one_that_takes_no_lines_is_left_alone_though_it_answers() {
        let full = Full::default();
        let asked = Asked::new(full.clone());
        let mut ran = 0;
        for _ in 0..100 {
            assert!(asked.find([1; 32], Asks::BeforeTheHandler).await.is_ok());
            let Ok(leave) = asked.begins() else { continue };
            ran += 1;
            assert!(matches!(asked.insert(line()).await, Err(LedgerError::Store(_))));
            drop(leave);
        }
        assert_eq!((ran, full.told.load(Ordering::SeqCst)), (3, 5), "what failed is told twice");
        assert_eq!(full.asked.load(Ordering::SeqCst), 100);
        // those who ran are told of all the same, once
        assert!(asked.insert(line()).await.is_err());
        assert_eq!(full.told.load(Ordering::SeqCst), 6);
    }

    fn line() -> Line {
        Line::new([1; 32], Vec::new(), Duration::from_secs(1))
    }

    /// Rules 2 and 3.
    #[tokio::test]
    async fn one_that_fails_is_left_alone_by_those_who_begin() {
        let away = Away::default();
        let asked = Asked::new(away.clone());
        let mut counts = Vec::new();
        for _ in 0..100 {
            let found = asked.find([1; 32], Asks::BeforeTheHandler).await;
            assert!(matches!(found, Err(LedgerError::Store(_) | LedgerError::LeftAlone(_))), "{found:?}");
            counts.push(away.count());
        }
        assert_eq!(counts[..4], [2, 2, 1, 0]);
        assert_eq!(counts.iter().sum::<usize>(), 5);
    }

    /// Rule 4.
    #[tokio::test]
    async fn those_who_ran_ask_all_the_same_and_once() {
        let away = Away::default();
        let asked = Asked::new(away.clone());
        for _ in 0..5 {
            _ = asked.find([1; 32], Asks::BeforeTheHandler).await;
        }
        away.count();
        let found = asked.find([1; 32], Asks::AfterIt).await;
        assert!(matches!(found, Err(LedgerError::Store(_))), "{found:?}");
        assert_eq!(away.count(), 1);
        assert!(matches!(asked.insert(line()).await, Err(LedgerError::Store(_))));
        assert_eq!(away.count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_does_not_answer_is_left_alone_also_where_nobody_may_wait_for_long() {
        for (patience, asked_in_all) in [(LONG, 5), (LONG / 2, 20)] {
            let away = Away { hangs: true, ..Away::default() };
            let asked = Asked::new(away.clone());
            for _ in 0..20 {
                _ = tokio::time::timeout(patience, asked.find([1; 32], Asks::BeforeTheHandler)).await;
            }
            assert_eq!(away.count(), asked_in_all, "{patience:?}");
        }
    }

    /// Rules 1 and 2.
    #[tokio::test(start_paused = true)]
    async fn one_that_does_not_answer_is_asked_once() {
        let away = Away { hangs: true, ..Away::default() };
        let asked = Asked::new(away.clone());
        let began = Instant::now();
        assert!(matches!(asked.insert(line()).await, Err(LedgerError::Late)));
        assert_eq!((away.count(), began.elapsed()), (1, PATIENCE));
        for _ in 0..10 {
            _ = asked.find([1; 32], Asks::BeforeTheHandler).await;
        }
        assert_eq!(away.count(), 5, "a line that was not taken is none of them");
    }
}
