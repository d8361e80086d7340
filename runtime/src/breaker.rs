//! Whether another server is asked at all: one that does not answer is left alone for a while.
//!
//! Rules:
//! 1. after so many failures without a success between them it is open: nobody asks;
//! 2. when it has been open for a while, one asks; all others go without until it is known what came of that;
//! 3. a success closes it, a failure opens it for another while;
//! 4. one who gives up before anything came of it says nothing: the next one asks in its place;
//! 5. what those say who asked before it opened or closed changes nothing;
//! 6. who must ask whether or not it is open has a say as well: while one asks, it closes and opens it as that one does;
//! 7. the operator is told when it opens and closes, of an opening once in ten seconds at most: a server that does one thing
//!    and not another opens and closes it all the time.

use std::error::Error;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Rule 7.
const SELDOM: Duration = Duration::from_secs(10);

/// The breaker of one server.
#[derive(Debug)]
pub(crate) struct Breaker {
    rules: Mutex<Rules>,
    told: Mutex<Told>,
    started: Instant,
}

impl Breaker {
    /// One that so many failures open, for so long.
    pub(crate) fn new(bound: u32, rest: Duration) -> Self {
        let (rules, told) = (Mutex::new(Rules::new(bound, rest)), Mutex::default());
        Self { rules, told, started: Instant::now() }
    }

    /// The leave to ask now, if there is one.
    pub(crate) fn admits(&self) -> Result<Leave<'_>, LeftAlone> {
        let turn = self.ask(|rules| {
            if rules.is_closed() {
                return Ok(rules.turns); // whatever the time is, which is not free to read
            }
            let now = self.now();
            if rules.admits(now) { Ok(rules.turns) } else { Err(LeftAlone(rules.rest_left(now))) }
        })?;
        Ok(Leave { of: Some(self), turn })
    }

    /// For one who asks whatever it is. Rule 6.
    pub(crate) fn beside(&self) -> Leave<'_> {
        Leave { of: Some(self), turn: self.ask(|rules| rules.turns) }
    }

    /// What the operator is told of this turn. Rule 7.
    pub(crate) fn news(&self, turn: Turn) -> Turn {
        match turn {
            Turn::None => Turn::None,
            turn => self.told.lock().unwrap_or_else(PoisonError::into_inner).news(turn, self.now()),
        }
    }

    /// Whether it is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.ask(|rules| rules.is_closed())
    }

    fn ask<T>(&self, ask: impl FnOnce(&mut Rules) -> T) -> T {
        ask(&mut self.rules.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Nobody asks for so long, or until it is known what comes of one who does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeftAlone(pub(crate) Duration);

impl LeftAlone {
    /// After how many seconds it is worth to come again.
    pub(crate) fn seconds(self) -> u64 {
        let Self(left) = self;
        left.as_secs().saturating_add(u64::from(left.subsec_nanos() > 0)).max(1)
    }
}

impl fmt::Display for LeftAlone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it failed, and is left alone for a moment")
    }
}

impl Error for LeftAlone {}

/// The leave to ask, of one who then reports what came of it.
#[derive(Debug)]
pub(crate) struct Leave<'b> {
    /// None: it was reported on.
    of: Option<&'b Breaker>,
    turn: u64,
}

impl Leave<'_> {
    /// There was an answer.
    pub(crate) fn succeeded(mut self) -> Turn {
        self.report(|rules, _| rules.succeeded())
    }

    /// There was none.
    pub(crate) fn failed(mut self) -> Turn {
        self.report(|rules, breaker| rules.failed(breaker.now()))
    }

    fn report(&mut self, report: impl FnOnce(&mut Rules, &Breaker) -> Turn) -> Turn {
        let turn = self.turn;
        let Some(breaker) = self.of.take() else { return Turn::None };
        breaker.ask(|rules| if rules.turns == turn { report(rules, breaker) } else { Turn::None }) // 5
    }
}

/// Rule 4.
impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.report(|rules, breaker| {
            rules.gave_up(breaker.now());
            Turn::None
        });
    }
}

/// Rule 7, by a time that the caller tells.
#[derive(Debug, Default)]
struct Told {
    is_open: bool,
    last: Option<Duration>,
}

impl Told {
    fn news(&mut self, turn: Turn, now: Duration) -> Turn {
        match turn {
            Turn::None => Turn::None,
            Turn::Closed if std::mem::take(&mut self.is_open) => Turn::Closed,
            Turn::Closed => Turn::None,
            Turn::Opened | Turn::StillOpen if !self.is_due(now) => Turn::None,
            Turn::Opened | Turn::StillOpen if self.is_open => Turn::StillOpen,
            Turn::Opened | Turn::StillOpen => {
                self.is_open = true;
                Turn::Opened
            }
        }
    }

    fn is_due(&mut self, now: Duration) -> bool {
        let due = self.last.is_none_or(|last| now.saturating_sub(last) >= SELDOM);
        if due {
            self.last = Some(now);
        }
        due
    }
}

/// The rules, by a time that the caller tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rules {
    /// Failures that open it.
    bound: u32,
    /// For how long.
    rest: Duration,
    position: Position,
    /// How often it opened, closed, or let one ask.
    turns: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Closed {
        failures: u32,
    },
    Open {
        until: Duration,
    },
    /// One asks, and is waited for until then.
    HalfOpen {
        until: Duration,
    },
}

/// What a report changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It was closed, and is open.
    Opened,
    /// It was asked, and stays open.
    StillOpen,
    /// It was open, and is closed.
    Closed,
    /// Nothing.
    None,
}

impl Rules {
    const fn new(bound: u32, rest: Duration) -> Self {
        Self { bound, rest, position: Position::Closed { failures: 0 }, turns: 0 }
    }

    const fn is_closed(&self) -> bool {
        matches!(self.position, Position::Closed { .. })
    }

    fn admits(&mut self, now: Duration) -> bool {
        match self.position {
            Position::Closed { .. } => true,
            Position::Open { until } | Position::HalfOpen { until } if now < until => false,
            Position::Open { .. } | Position::HalfOpen { .. } => {
                self.turn(Position::HalfOpen { until: now.saturating_add(self.rest) }, Turn::None);
                true
            }
        }
    }

    fn rest_left(&self, now: Duration) -> Duration {
        match self.position {
            Position::Open { until } => until.saturating_sub(now),
            Position::Closed { .. } | Position::HalfOpen { .. } => Duration::ZERO,
        }
    }

    fn succeeded(&mut self) -> Turn {
        match self.position {
            Position::Closed { .. } => self.turn(Position::Closed { failures: 0 }, Turn::None),
            Position::HalfOpen { .. } => self.turn(Position::Closed { failures: 0 }, Turn::Closed),
            Position::Open { .. } => Turn::None,
        }
    }

    fn failed(&mut self, now: Duration) -> Turn {
        let open = Position::Open { until: now.saturating_add(self.rest) };
        match self.position {
            Position::Closed { failures } if failures + 1 < self.bound => {
                self.turn(Position::Closed { failures: failures + 1 }, Turn::None)
            }
            Position::Closed { .. } => self.turn(open, Turn::Opened),
            Position::HalfOpen { .. } => self.turn(open, Turn::StillOpen),
            Position::Open { .. } => Turn::None,
        }
    }

    fn gave_up(&mut self, now: Duration) {
        if let Position::HalfOpen { .. } = self.position {
            self.turn(Position::Open { until: now }, Turn::None);
        }
    }

    const fn turn(&mut self, to: Position, turn: Turn) -> Turn {
        let stays = matches!((self.position, to), (Position::Closed { .. }, Position::Closed { .. }));
        self.turns += !stays as u64;
        self.position = to;
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(1);

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn open() -> Rules {
        let mut breaker = Rules::new(3, REST);
        for turn in [Turn::None, Turn::None, Turn::Opened] {
            assert!(breaker.admits(at(0)));
            assert_eq!(breaker.failed(at(0)), turn);
        }
        breaker
    }

    #[test]
    fn failures_open_it_unless_a_success_is_between_them() {
        assert!(!open().admits(at(999)));
        let mut breaker = Rules::new(3, REST);
        for _ in 0..10 {
            assert_eq!(breaker.failed(at(0)), Turn::None);
            assert_eq!(breaker.failed(at(0)), Turn::None);
            assert_eq!(breaker.succeeded(), Turn::None);
            assert!(breaker.admits(at(0)));
        }
    }

    #[test]
    fn one_asks_and_its_success_closes_it() {
        let mut breaker = open();
        assert!(breaker.admits(at(1000)));
        assert!(!breaker.admits(at(1000)), "one asks already");
        assert_eq!(breaker.succeeded(), Turn::Closed);
        assert!(breaker.admits(at(1000)) && breaker.admits(at(1000)));
        assert_eq!(breaker.failed(at(1000)), Turn::None, "it counts anew");
    }

    #[test]
    fn its_failure_opens_it_for_another_while() {
        let mut breaker = open();
        assert!(breaker.admits(at(1000)));
        assert_eq!(breaker.failed(at(1500)), Turn::StillOpen);
        assert!(!breaker.admits(at(2499)));
        assert!(breaker.admits(at(2500)));
        assert!(!breaker.admits(at(2500)));
    }

    #[test]
    fn the_next_one_asks_for_who_gave_up() {
        let mut breaker = open();
        assert!(breaker.admits(at(1000)));
        breaker.gave_up(at(1001));
        assert!(breaker.admits(at(1001)) && !breaker.admits(at(1001)));
        assert_eq!(breaker.succeeded(), Turn::Closed);
        breaker.gave_up(at(1002));
        assert!(breaker.admits(at(1002)), "of one that is closed it changes nothing");
        let mut breaker = open();
        breaker.gave_up(at(0));
        assert!(!breaker.admits(at(999)), "nor of one that is open");
    }

    #[test]
    fn who_leaves_gives_up() {
        let breaker = Breaker::new(1, Duration::ZERO);
        let leave = breaker.admits().unwrap();
        assert_eq!(leave.failed(), Turn::Opened);
        let first = breaker.admits().unwrap();
        drop(first);
        assert_eq!(breaker.admits().unwrap().succeeded(), Turn::Closed);
    }

    #[test]
    fn what_those_say_who_asked_before_it_turned_changes_nothing() {
        let breaker = Breaker::new(1, Duration::ZERO);
        let [first, second, third] = [(); 3].map(|()| breaker.admits().unwrap());
        assert_eq!(first.failed(), Turn::Opened);
        let asks = breaker.admits().unwrap();
        drop(second);
        assert_eq!(third.failed(), Turn::None);
        assert_eq!(asks.succeeded(), Turn::Closed, "it is the one that asks");
    }

    #[test]
    fn what_is_left_of_its_rest_is_told_in_whole_seconds() {
        let mut breaker = open();
        assert_eq!(
            [0, 400, 999, 1000].map(|now| breaker.rest_left(at(now))),
            [at(1000), at(600), at(1), at(0)]
        );
        assert!(breaker.admits(at(1000)));
        assert_eq!(breaker.rest_left(at(1000)), at(0), "one asks: what comes of it is known soon");
        let seconds = |millis| LeftAlone(at(millis)).seconds();
        assert_eq!([0, 1, 1000, 1001, 2000].map(seconds), [1, 1, 1, 2, 2]);
    }

    #[test]
    fn who_asks_beside_the_one_that_does_closes_and_opens_it_as_well() {
        for (succeeds, turn) in [(true, Turn::Closed), (false, Turn::StillOpen)] {
            let breaker = Breaker::new(1, Duration::ZERO);
            assert_eq!(breaker.admits().unwrap().failed(), Turn::Opened);
            let resting = breaker.beside();
            assert_eq!(resting.succeeded(), Turn::None, "nobody was to ask");
            let asks = breaker.admits().unwrap();
            assert!(!breaker.is_closed());
            let beside = breaker.beside();
            assert_eq!(if succeeds { beside.succeeded() } else { beside.failed() }, turn);
            drop(asks);
            assert_eq!(breaker.is_closed(), succeeds);
        }
    }

    #[test]
    fn what_opens_and_closes_all_the_time_is_told_of_once_in_ten_seconds() {
        let (mut told, mut heard) = (Told::default(), Vec::new());
        for second in (0..25).step_by(2) {
            for (turn, later) in [(Turn::Opened, 0), (Turn::Closed, 100)] {
                match told.news(turn, at(second * 1000 + later)) {
                    Turn::None => {}
                    news => heard.push((second, news)),
                }
            }
        }
        let both = |second| [(second, Turn::Opened), (second, Turn::Closed)];
        assert_eq!(heard, [0, 10, 20].map(both).concat());
    }

    #[test]
    fn what_stays_open_is_told_of_as_seldom_and_so_is_its_end() {
        let mut told = Told::default();
        assert_eq!(told.news(Turn::Opened, at(0)), Turn::Opened);
        assert_eq!(told.news(Turn::Closed, at(1_000)), Turn::Closed);
        let news: Vec<_> = (2..24).map(|second| told.news(Turn::StillOpen, at(second * 1000))).collect();
        assert_eq!((news[8], news[18]), (Turn::Opened, Turn::StillOpen), "nobody knows of it before");
        assert_eq!(news.iter().filter(|news| **news == Turn::None).count(), 20);
        assert_eq!(
            [told.news(Turn::Closed, at(24_000)), told.news(Turn::Closed, at(24_000))],
            [Turn::Closed, Turn::None]
        );
    }

    #[test]
    fn one_who_never_reports_is_waited_for_a_while() {
        let mut breaker = open();
        assert!(breaker.admits(at(1000)));
        assert!(!breaker.admits(at(1999)));
        assert!(breaker.admits(at(2000)));
        assert!(!breaker.admits(at(2000)));
    }

    #[test]
    fn those_who_asked_before_change_nothing_while_it_is_open() {
        let mut breaker = open();
        assert_eq!(breaker.succeeded(), Turn::None);
        assert_eq!(breaker.failed(at(900)), Turn::None);
        assert!(!breaker.admits(at(999)));
        assert!(breaker.admits(at(1000)), "it rests no longer for that");
    }
}
