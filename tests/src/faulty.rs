//! A state that fails as a test says.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use palisade::{
    State, StoreFuture,
    state::{Engine, Expected, Key, Next, Record, StateError, Swapped},
};

/// A state that fails when it is told to.
pub struct Faulty {
    inner: State,
    fault: Arc<AtomicU8>,
}

impl Faulty {
    pub fn new(inner: State, fault: &Arc<AtomicU8>) -> Self {
        Self { inner, fault: Arc::clone(fault) }
    }
}

pub const WELL: u8 = 0;
/// Nothing is done.
pub const DOWN: u8 = 1;
/// A change is made, and its answer is lost.
pub const LOSES_ANSWERS: u8 = 2;
/// The next change, and no other, waits until there is another fault.
pub const HOLDS_ONE: u8 = 3;
/// It waits.
pub const HELD: u8 = 4;
/// The next change, and no other, is not made.
pub const FAILS_ONE: u8 = 5;

/// While the change that waits does so, lets who asked for it leave; then lets it go on.
///
/// # Panics
/// Where nothing waits within ten seconds.
pub async fn who_asked_leaves<T: Send + 'static>(
    fault: &AtomicU8,
    asking: impl Future<Output = T> + Send + 'static,
) {
    fault.store(HOLDS_ONE, Ordering::SeqCst);
    let asking = tokio::spawn(asking);
    for _ in 0..10_000 {
        if fault.load(Ordering::SeqCst) == HELD {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(fault.load(Ordering::SeqCst), HELD);
    asking.abort();
    tokio::time::sleep(Duration::from_millis(200)).await; // the server sees it
    fault.store(WELL, Ordering::SeqCst);
}

impl Engine for Faulty {
    fn get(&self, key: Key) -> StoreFuture<'_, Option<Record>, StateError> {
        Box::pin(async move {
            match self.fault.load(Ordering::SeqCst) {
                DOWN => Err(StateError::Late),
                _ => self.inner.get(key).await,
            }
        })
    }

    fn swap(&self, key: Key, expected: Expected, next: Next) -> StoreFuture<'_, Swapped, StateError> {
        Box::pin(async move {
            let holds = self.fault.compare_exchange(HOLDS_ONE, HELD, Ordering::SeqCst, Ordering::SeqCst);
            while holds.is_ok() && self.fault.load(Ordering::SeqCst) == HELD {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let fails = self.fault.compare_exchange(FAILS_ONE, WELL, Ordering::SeqCst, Ordering::SeqCst);
            if fails.is_ok() {
                return Err(StateError::Late);
            }
            match self.fault.load(Ordering::SeqCst) {
                DOWN => Err(StateError::Late),
                LOSES_ANSWERS => {
                    self.inner.swap(key, expected, next).await?;
                    Err(StateError::Late)
                }
                _ => self.inner.swap(key, expected, next).await,
            }
        })
    }
}
