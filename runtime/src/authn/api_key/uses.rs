//! When keys were last used: gathered beside the requests, handed to the store every two seconds.
//!
//! A key comes here once a minute at most ([`noted`](super::noted)). At most 10,000 are held; what comes beyond, what a
//! store does not take in time, and what is held when the process ends is lost: a use of the key a minute later is noted.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    engine::Engine,
    store::{KeyUse, in_time},
};

const MOST: usize = 10_000;
const GATHER: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(super) struct Uses(Arc<Mutex<Gathered>>);

#[derive(Default)]
struct Gathered {
    uses: HashMap<String, u64>,
    /// A task waits to hand them over.
    waiting: bool,
}

impl Uses {
    pub(super) fn note(&self, engine: &Arc<Engine>, id: &str, at: u64) {
        let mut gathered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if gathered.uses.len() < MOST {
            gathered.uses.insert(id.to_owned(), at);
        }
        if !gathered.waiting
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            gathered.waiting = true;
            runtime.spawn(hand_over(Arc::clone(&self.0), Arc::clone(engine)));
        }
    }
}

async fn hand_over(gathered: Arc<Mutex<Gathered>>, engine: Arc<Engine>) {
    tokio::time::sleep(GATHER).await;
    let taken = std::mem::take(&mut *gathered.lock().unwrap_or_else(PoisonError::into_inner));
    let uses = taken.uses.into_iter().map(|(id, at)| KeyUse { id, at }).collect();
    if let Err(error) = in_time(Box::pin(engine.used(uses))).await {
        tracing::warn!(target: "palisade::keys", %error, "the last uses of API keys were not noted");
    }
}

#[cfg(test)]
mod tests {
    use super::super::engine::Memory;
    use super::*;
    use crate::flood::grows_by;

    /// Without a runtime nobody hands them over.
    #[test]
    fn of_what_is_to_be_handed_over_no_more_is_held_than_there_is_room_for() {
        let (uses, engine) = (Uses::default(), Arc::new(Engine::Memory(Memory::new([]).unwrap())));
        let grown = grows_by(40_000, |number| uses.note(&engine, &format!("key number {number}"), 1));
        assert_eq!(grown, 0);
        assert_eq!(uses.0.lock().unwrap().uses.len(), MOST);
    }
}
