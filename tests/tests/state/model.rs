//! Random changes, against the simplest engine there is: a map that is looked at with the time in hand.

use std::{collections::HashMap, time::Duration};

use palisade::state::{Expected, Next, Swapped};
use palisade_tests::dice::Dice;

use crate::suite::{Subject, Time, key, record, told};

/// A value and its version.
type Told = (Vec<u8>, u64);

const STEPS: usize = 600;
const KEYS: u64 = 5;

#[derive(Default)]
struct Model {
    now: Duration,
    records: HashMap<u64, (Told, Duration)>,
    /// The greatest version that was seen under each key.
    versions: HashMap<u64, u64>,
}

impl Model {
    fn get(&self, name: u64) -> Option<Told> {
        self.records.get(&name).filter(|(_, end)| *end > self.now).map(|(record, _)| record.clone())
    }

    /// Takes what the engine said, when it is what the model says.
    fn swap(&mut self, name: u64, expected: Expected, next: Next, said: &Swapped) {
        let found = self.get(name);
        let fits = match expected {
            Expected::Nothing => found.is_none(),
            Expected::Version(version) => found.as_ref().is_some_and(|(_, there)| *there == version),
        };
        if !fits {
            let Swapped::Not(there) = said else { panic!("{expected:?} is not there, and it said {said:?}") };
            assert_eq!(told(there.clone()), found);
            return;
        }
        let Swapped::Made(version) = *said else { panic!("{expected:?} was there, and it said {said:?}") };
        match next {
            Next::Nothing => {
                assert_eq!(version, found.map_or(0, |(_, there)| there));
                self.records.remove(&name);
            }
            Next::Record { value, keep } => {
                let last = self.versions.insert(name, version).unwrap_or_default();
                assert!(version > last, "{version} after {last}");
                self.records.insert(name, ((value, version), self.now + keep));
            }
        }
    }
}

/// The engine and the model say the same for some hundred steps. `STATE_SEED` repeats a run.
pub async fn agrees(Subject { state, time }: &Subject) {
    let (mut random, mut model) = (Dice::of("STATE_SEED", Dice::now()), Model::default());
    for step in 0..STEPS {
        let name = random.below(KEYS);
        let at = key(&format!("model {name}"));
        match random.below(10) {
            0..=2 => assert_eq!(told(state.get(at).await.unwrap()), model.get(name), "step {step}"),
            3 => {
                let Time::Moved(clock) = time else { continue };
                let by = Duration::from_millis(random.below(5_000));
                clock.advance(by);
                model.now += by;
            }
            _ => {
                let expected = match random.below(5) {
                    0 => Expected::Nothing,
                    1 => Expected::Version(random.below(1000)),
                    2 => Expected::Version(model.versions.get(&name).copied().unwrap_or_default()),
                    _ => model.get(name).map_or(Expected::Nothing, |(_, there)| Expected::Version(there)),
                };
                let keep = match time {
                    Time::Moved(_) => Duration::from_millis(random.below(10_000)),
                    Time::Real => Duration::from_secs(3600),
                };
                let next = match random.below(4) {
                    0 => Next::Nothing,
                    _ => record(random.below(1000).to_string(), keep),
                };
                let said = state.swap(at, expected, next.clone()).await.unwrap();
                model.swap(name, expected, next, &said);
            }
        }
    }
}
