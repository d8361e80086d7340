//! A state that is watched while it is asked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{
    authn::StoreFuture,
    state::{Engine, Expected, Key, Next, Record, State, StateError, Swapped},
};

/// A state in memory that counts, takes its time, and fails when it should.
#[derive(Clone)]
pub(super) struct Steps {
    pub(super) memory: State,
    pace: usize,
    /// How long a change takes.
    changes_in: Duration,
    taken: Arc<AtomicUsize>,
    swapped: Arc<AtomicUsize>,
    under_way: Arc<AtomicUsize>,
    /// Most steps that were under way at once.
    most: Arc<AtomicUsize>,
    /// Steps that are made before one fails.
    left: Arc<AtomicUsize>,
    /// The change that fails is made, and nobody hears of it.
    unheard: bool,
}

impl Default for Steps {
    fn default() -> Self {
        Self::of_pace(0)
    }
}

impl Steps {
    pub(super) fn of_pace(pace: usize) -> Self {
        let [taken, swapped, under_way, most] = [(); 4].map(|()| Arc::default());
        let left = Arc::new(AtomicUsize::new(usize::MAX));
        let changes_in = Duration::ZERO;
        Self {
            memory: State::memory(),
            pace,
            changes_in,
            taken,
            swapped,
            under_way,
            most,
            left,
            unheard: false,
        }
    }

    pub(super) fn changing_in(changes_in: Duration) -> Self {
        Self { changes_in, ..Self::default() }
    }

    /// The same records.
    pub(super) fn beside(self, other: &Self) -> Self {
        Self { memory: other.memory.clone(), ..self }
    }

    pub(super) fn unheard() -> Self {
        Self { unheard: true, ..Self::default() }
    }

    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    pub(super) fn most_at_once(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    pub(super) fn swapped(&self) -> usize {
        self.swapped.load(Ordering::Relaxed)
    }

    pub(super) fn fail_at(&self, step: usize) {
        self.left.store(step, Ordering::Relaxed);
    }

    async fn pause(&self, step: usize) {
        for _ in 0..(step * 7 + 3) * self.pace % 11 {
            tokio::task::yield_now().await;
        }
    }

    async fn step(&self) -> Result<(), StateError> {
        let step = self.taken.fetch_add(1, Ordering::Relaxed);
        self.most.fetch_max(self.under_way.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.pause(step).await;
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        let left = self.left.load(Ordering::Relaxed);
        if left != usize::MAX {
            self.left.store(left.checked_sub(1).unwrap_or(usize::MAX), Ordering::Relaxed);
        }
        if left == 0 { Err(StateError::Late) } else { Ok(()) }
    }
}

impl Engine for Steps {
    fn get(&self, key: Key) -> StoreFuture<'_, Option<Record>, StateError> {
        Box::pin(async move {
            self.step().await?;
            let found = self.memory.get(key).await;
            // the answer is on its way as long
            self.pause(self.taken()).await;
            found
        })
    }

    fn swap(&self, key: Key, expected: Expected, next: Next) -> StoreFuture<'_, Swapped, StateError> {
        Box::pin(async move {
            let step = self.step().await;
            if step.is_err() && !self.unheard {
                return step.and(Err(StateError::Late));
            }
            self.swapped.fetch_add(1, Ordering::Relaxed);
            if !self.changes_in.is_zero() {
                tokio::time::sleep(self.changes_in).await;
            }
            let made = self.memory.swap(key, expected, next).await;
            step.and(made)
        })
    }
}
