//! When keys were last used: gathered beside the requests, handed to the store every two seconds.
//!
//! A key comes here once a minute at most ([`noted`](super::noted)). At most 10,000 are held; what comes beyond, what a
//! store does not take in time, and what is held when the process ends is lost: a use of the key a minute later is noted.
//! What a runtime leaves that ends is handed over in the next that has a use.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    engine::Engine,
    store::{KeyUse, in_time},
};
use crate::going_on::{Going, GoingOn};

const MOST: usize = 10_000;
const GATHER: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(super) struct Uses {
    gathered: Arc<Mutex<Gathered>>,
    /// A task waits to hand them over.
    waiting: GoingOn,
}

type Gathered = HashMap<String, u64>;

impl Uses {
    pub(super) fn note(&self, engine: &Arc<Engine>, id: &str, at: u64) {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        if gathered.len() < MOST {
            gathered.insert(id.to_owned(), at);
        }
        self.waiting.begin(|going| hand_over(Arc::clone(&self.gathered), Arc::clone(engine), going));
    }
}

async fn hand_over(gathered: Arc<Mutex<Gathered>>, engine: Arc<Engine>, going: Going) {
    tokio::time::sleep(GATHER).await;
    let taken = take(&gathered, going);
    let uses = taken.into_iter().map(|(id, at)| KeyUse { id, at }).collect();
    if let Err(error) = in_time(Box::pin(engine.used(uses))).await {
        tracing::warn!(target: "palisade::keys", %error, "the last uses of API keys were not noted");
    }
}

/// What is noted from now on is handed over by another task.
fn take(gathered: &Mutex<Gathered>, going: Going) -> Gathered {
    let mut gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
    drop(going);
    std::mem::take(&mut *gathered)
}

#[cfg(test)]
mod tests {
    use super::super::engine::Memory;
    use super::*;
    use crate::flood::grows_by;

    #[test]
    fn what_a_runtime_leaves_that_ends_is_handed_over_in_the_next() {
        let (uses, engine) = (Uses::default(), Arc::new(Engine::Memory(Memory::new([]).unwrap())));
        let held = |millis, id: &str| {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            runtime.enable_all().start_paused(true).build().unwrap().block_on(async {
                uses.note(&engine, id, 1);
                tokio::time::sleep(Duration::from_millis(millis)).await;
                uses.gathered.lock().unwrap().len()
            })
        };
        assert_eq!([held(1_000, "a"), held(1_000, "b"), held(3_000, "c")], [1, 2, 0]);
    }

    /// Without a runtime nobody hands them over.
    #[test]
    fn of_what_is_to_be_handed_over_no_more_is_held_than_there_is_room_for() {
        let (uses, engine) = (Uses::default(), Arc::new(Engine::Memory(Memory::new([]).unwrap())));
        let grown = grows_by(40_000, |number| uses.note(&engine, &format!("key number {number}"), 1));
        assert_eq!(grown, 0);
        assert_eq!(uses.gathered.lock().unwrap().len(), MOST);
    }
}
