//! What an operator hears of keys that cannot be had. The event of each refused request says that there is an outage; this says
//! why, and of what.
//!
//! Rules:
//! 1. an outage is told of when it begins, and that it is over if it was told of;
//! 2. whatever comes and goes, an outage is told of at most once in ten seconds. One that begins meanwhile is told of by the first
//!    failure after them;
//! 3. what comes of a look that began before an outage did, or before it was over, changes nothing: of looks that are under way
//!    together some end late;
//! 4. a look that its request left says nothing, unless half a second had passed: who waits shorter than the keys may take, by its
//!    own timeout or because its client is gone, shall not keep an outage secret;
//! 5. what is wrong with one record is no outage: the others can be had. It is told of as what it is, as seldom.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tracing::field::display;

use super::store::KeyStoreError;
use crate::{
    event::{self, Kind, SECURITY_EVENTS, SecurityEvent, Severity, known},
    seldom::Seldom,
};

/// Rule 4.
const LONG: Duration = Duration::from_millis(500);

/// The outages of one store or file.
pub(super) struct Outages {
    of: Keeper,
    course: Mutex<Course>,
}

/// Who has the keys.
pub(super) enum Keeper {
    Store(String),
    File(PathBuf),
}

impl Outages {
    pub(super) fn of(keeper: Keeper) -> Self {
        Self { of: keeper, course: Mutex::default() }
    }

    /// One look for this key, or for all of them, begins and reports what came of it.
    pub(super) fn look<'o>(&'o self, key: Option<&'o str>) -> Look<'o> {
        Look { of: Some(self), key, turn: self.ask(|course| course.turn), began: Instant::now() }
    }

    #[cfg(test)]
    pub(super) fn has_begun(&self) -> bool {
        self.ask(|course| course.fails)
    }

    fn ask<T>(&self, ask: impl FnOnce(&mut Course) -> T) -> T {
        ask(&mut self.course.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn tell(&self, news: Option<News>, key: Option<&str>, error: Option<&KeyStoreError>) {
        let (store, file) = self.of.fields();
        let (store, file, reason) = (store, file.map(display), error.map(display));
        match news {
            Some(News::Begins) => {
                tracing::error!(
                    target: SECURITY_EVENTS, event_type = "sys_key_store_unavailable", severity = "High",
                    store, file, failure_reason = reason,
                    "requests with API keys are refused until {}", self.of.until(),
                );
                let kind = Kind { event_type: "sys_key_store_unavailable", severity: Severity::High };
                event::store(kind.severity, || SecurityEvent {
                    failure_reason: error.and_then(|error| known(error)),
                    ..SecurityEvent::of(kind)
                });
            }
            Some(News::IsOver) => {
                tracing::info!(target: "palisade::keys", store, file, "{}", self.of.again());
            }
            Some(News::Unreadable) => tracing::warn!(
                target: "palisade::keys", store, file, key, error = reason, "requests with this API key are refused",
            ),
            None => {}
        }
    }
}

impl Keeper {
    fn fields(&self) -> (Option<&str>, Option<std::path::Display<'_>>) {
        match self {
            Self::Store(name) => (Some(name), None),
            Self::File(path) => (None, Some(path.display())),
        }
    }

    const fn until(&self) -> &'static str {
        match self {
            Self::Store(_) => "their store answers",
            Self::File(_) => "the file can be read",
        }
    }

    const fn again(&self) -> &'static str {
        match self {
            Self::Store(_) => "the store of API keys answers again",
            Self::File(_) => "the file of API keys can be read again",
        }
    }
}

/// A look for keys.
pub(super) struct Look<'o> {
    /// `None`: it was reported on.
    of: Option<&'o Outages>,
    key: Option<&'o str>,
    turn: u64,
    began: Instant,
}

impl Look<'_> {
    /// What came of it.
    pub(super) fn ended<T>(mut self, outcome: &Result<T, KeyStoreError>) {
        self.report(outcome.as_ref().err());
    }

    fn report(&mut self, error: Option<&KeyStoreError>) {
        let Some(outages) = self.of.take() else { return };
        let turn = self.turn;
        let news = outages.ask(|course| match error {
            None => course.succeeded(turn),
            Some(KeyStoreError::Unreadable(_)) => course.unreadable(Instant::now()),
            Some(_) => course.failed(turn, Instant::now()),
        });
        outages.tell(news, self.key, error);
    }
}

/// Rule 4.
impl Drop for Look<'_> {
    fn drop(&mut self) {
        if self.of.is_some() && self.began.elapsed() >= LONG {
            self.report(Some(&KeyStoreError::TimedOut));
        }
    }
}

/// Rules 1 to 3.
#[derive(Default)]
struct Course {
    fails: bool,
    /// How often it began to fail, or to answer.
    turn: u64,
    is_told: bool,
    of_outages: Seldom,
    of_records: Seldom,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Begins,
    IsOver,
    Unreadable,
}

impl Course {
    fn failed(&mut self, turn: u64, now: Instant) -> Option<News> {
        if turn != self.turn {
            return None; // 3
        }
        self.become_of(true);
        if self.is_told || !self.of_outages.lets(now) {
            return None; // 1, 2
        }
        self.is_told = true;
        Some(News::Begins)
    }

    fn succeeded(&mut self, turn: u64) -> Option<News> {
        if turn != self.turn {
            return None; // 3
        }
        self.become_of(false);
        std::mem::take(&mut self.is_told).then_some(News::IsOver)
    }

    fn unreadable(&mut self, now: Instant) -> Option<News> {
        self.of_records.lets(now).then_some(News::Unreadable) // 5
    }

    fn become_of(&mut self, fails: bool) {
        self.turn = self.turn.wrapping_add(u64::from(self.fails != fails));
        self.fails = fails;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_outage_is_told_of_once_and_so_is_its_end() {
        let (mut course, now) = (Course::default(), Instant::now());
        assert_eq!(course.succeeded(0), None);
        assert_eq!(course.failed(0, now), Some(News::Begins));
        assert_eq!(course.failed(1, now + seconds(60)), None);
        assert_eq!(course.succeeded(1), Some(News::IsOver));
        assert_eq!(course.succeeded(2), None);
        assert_eq!(course.failed(2, now + seconds(61)), Some(News::Begins));
    }

    #[test]
    fn one_that_comes_and_goes_is_told_of_once_in_ten_seconds() {
        let (mut course, began) = (Course::default(), Instant::now());
        let mut told = Vec::new();
        for step in 0..100 {
            let now = began + Duration::from_millis(step * 210);
            told.extend(course.failed(course.turn, now).map(|_| step));
            assert_eq!(
                course.succeeded(course.turn).is_some(),
                told.last() == Some(&step),
                "as it was told of"
            );
        }
        assert_eq!(told, [0, 48, 96]);
    }

    #[test]
    fn one_that_begins_within_the_ten_seconds_is_told_of_after_them() {
        let (mut course, now) = (Course::default(), Instant::now());
        assert_eq!(course.failed(0, now), Some(News::Begins));
        assert_eq!(course.succeeded(1), Some(News::IsOver));
        assert_eq!(course.failed(2, now + seconds(1)), None);
        assert_eq!(course.failed(3, now + seconds(10)), Some(News::Begins));
    }

    #[test]
    fn what_began_before_it_turned_changes_nothing() {
        let (mut course, now) = (Course::default(), Instant::now());
        assert_eq!(course.failed(0, now), Some(News::Begins));
        assert_eq!(course.succeeded(0), None, "it was asked before the outage");
        assert_eq!(course.succeeded(1), Some(News::IsOver));
        assert_eq!(course.failed(1, now + seconds(20)), None, "and this one in it");
        assert!(!course.fails);
    }

    #[test]
    fn a_record_that_cannot_be_read_is_no_outage() {
        let (mut course, now) = (Course::default(), Instant::now());
        assert_eq!(course.unreadable(now), Some(News::Unreadable));
        assert_eq!(course.unreadable(now + seconds(9)), None);
        assert_eq!(course.failed(0, now + seconds(9)), Some(News::Begins), "each by its own ten seconds");
        assert_eq!(course.unreadable(now + seconds(10)), Some(News::Unreadable));
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_is_left_counts_when_it_took_long() {
        let outages = Outages::of(Keeper::Store("partner".to_owned()));
        let left_after = async |time: Duration| {
            let look = outages.look(None);
            tokio::time::advance(time).await;
            drop(look);
            outages.has_begun()
        };
        assert!(!left_after(LONG - Duration::from_millis(1)).await);
        assert!(left_after(LONG).await);
        let look = outages.look(None);
        tokio::time::advance(LONG).await;
        look.ended(&Ok(()));
        assert!(!outages.has_begun(), "one that ends says what came of it");
    }
}
