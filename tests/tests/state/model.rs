//! Random changes, against the simplest engine there is: a map that is looked at with the time in hand.
//!
//! An engine with a clock of its own says when something was by answering then. So the model knows of each change between
//! which times it was made, and of each record between which times it ends. What an engine says in that time may be either;
//! it is held to what it said.

use std::time::{Duration, Instant};
use std::{collections::HashMap, ops::RangeInclusive};

use palisade::state::{Expected, Next, Swapped};
use palisade_tests::dice::Dice;

use crate::suite::{Subject, Time, key, record, told};

/// A value and its version.
type Told = (Vec<u8>, u64);
/// When something was, at the earliest and at the latest.
type When = RangeInclusive<Duration>;

const STEPS: usize = 600;
const KEYS: u64 = 5;
/// Two clocks of one machine, of which one counts in milliseconds.
const APART: Duration = Duration::from_millis(10);

#[derive(Default)]
struct Model {
    /// Each record, and when it ends.
    records: HashMap<u64, (Told, When)>,
    /// The greatest version that was seen under each key.
    versions: HashMap<u64, u64>,
    /// How often a record was there, and had ended.
    seen: [usize; 2],
}

impl Model {
    /// What may be there.
    fn may_be(&mut self, name: u64, when: &When) -> Vec<Option<Told>> {
        let Some((record, ends)) = self.records.get(&name) else { return vec![None] };
        let (there, gone) = (when.start() < ends.end(), when.end() >= ends.start());
        self.seen[0] += usize::from(!gone);
        self.seen[1] += usize::from(!there);
        [there.then(|| Some(record.clone())), gone.then_some(None)].into_iter().flatten().collect()
    }

    /// The record of the name, as far as is known.
    fn last(&self, name: u64) -> Option<u64> {
        self.records.get(&name).map(|((_, version), _)| *version)
    }

    fn get(&mut self, name: u64, said: &Option<Told>, when: &When) {
        let may_be = self.may_be(name, when);
        assert!(may_be.contains(said), "{said:?} is none of {may_be:?}");
        if said.is_none() {
            self.records.remove(&name);
        }
    }

    /// Takes what the engine said, when it is what the model says.
    fn swap(&mut self, name: u64, expected: Expected, next: Next, said: &Swapped, when: &When) {
        let may_be = self.may_be(name, when);
        let fits = |found: &Option<Told>| match expected {
            Expected::Nothing => found.is_none(),
            Expected::Version(version) => found.as_ref().is_some_and(|(_, there)| *there == version),
        };
        let version = match said {
            Swapped::Not(there) => {
                let there = told(there.clone());
                assert!(may_be.contains(&there) && !fits(&there), "{expected:?}: {said:?} of {may_be:?}");
                if there.is_none() {
                    self.records.remove(&name);
                }
                return;
            }
            Swapped::Made(version) => *version,
        };
        let found = may_be.iter().find(|found| fits(found));
        let Some(found) = found else { panic!("{expected:?}: {said:?} of {may_be:?}") };
        match next {
            Next::Nothing => {
                assert_eq!(version, found.as_ref().map_or(0, |(_, there)| *there));
                self.records.remove(&name);
            }
            Next::Record { value, keep } => {
                let last = self.versions.insert(name, version).unwrap_or_default();
                assert!(version > last, "{version} after {last}");
                self.records.insert(name, ((value, version), *when.start() + keep..=*when.end() + keep));
            }
        }
    }
}

/// The time of a run, and what its engine may take it for.
struct Course<'a> {
    time: &'a Time,
    began: Instant,
    moved: Duration,
}

impl Course<'_> {
    fn now(&self) -> Duration {
        match self.time {
            Time::Moved(_) => self.moved,
            Time::Real => APART + self.began.elapsed(),
        }
    }

    /// From then on until now.
    fn since(&self, then: Duration) -> When {
        match self.time {
            Time::Moved(_) => then..=self.now(),
            Time::Real => then - APART..=self.now() + APART,
        }
    }

    /// Some of it goes by: of what is real, no more than is needed for records to end.
    async fn goes_by(&mut self, dice: &mut Dice) {
        let most = match self.time {
            Time::Moved(_) => 5_000,
            Time::Real => 60,
        };
        let by = Duration::from_millis(dice.below(most));
        self.time.pass(by).await;
        self.moved += by;
    }

    /// How long a record is kept: some end between two steps, and some outlast the next ten.
    fn keep(&self, dice: &mut Dice) -> Duration {
        let most = match self.time {
            Time::Moved(_) => 10_000,
            Time::Real => 120,
        };
        Duration::from_millis(dice.below(most))
    }
}

/// The engine and the model say the same for some hundred steps. `STATE_SEED` repeats a run.
pub async fn agrees(Subject { state, time }: &Subject) {
    let (mut random, mut model) = (Dice::of("STATE_SEED", Dice::now()), Model::default());
    let mut course = Course { time, began: Instant::now(), moved: Duration::ZERO };
    for _ in 0..STEPS {
        let name = random.below(KEYS);
        let at = key(&format!("model {name}"));
        match random.below(10) {
            0..=2 => {
                let asked = course.now();
                let said = told(state.get(at).await.unwrap());
                model.get(name, &said, &course.since(asked));
            }
            3 => course.goes_by(&mut random).await,
            _ => {
                let expected = match random.below(5) {
                    0 => Expected::Nothing,
                    1 => Expected::Version(random.below(1000)),
                    2 => Expected::Version(model.versions.get(&name).copied().unwrap_or_default()),
                    _ => model.last(name).map_or(Expected::Nothing, Expected::Version),
                };
                let keep = course.keep(&mut random);
                let next = match random.below(4) {
                    0 => Next::Nothing,
                    _ => record(random.below(1000).to_string(), keep),
                };
                let asked = course.now();
                let said = state.swap(at, expected, next.clone()).await.unwrap();
                model.swap(name, expected, next, &said, &course.since(asked));
            }
        }
    }
    let [there, ended] = model.seen;
    assert!(there > 20 && ended > 10, "{there} were there, {ended} had ended: nothing was tried");
}
