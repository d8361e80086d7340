//! How much is under way, and what is refused when that is too much.
//!
//! Rules:
//! 1. requests of every class are counted together: each takes of what all have;
//! 2. one of `batch` is let in while less than half of the most is under way, one of `normal` while less than nine tenths
//!    is, one of `critical` while less than the most is;
//! 3. while nothing is under way each class is let in, whatever the most is: a setting sheds load and closes nothing;
//! 4. it counts until its handler has answered or ended, also when nobody waits for it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::operation::Priority;

/// The requests that are under way. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    under_way: Arc<AtomicUsize>,
    most: usize,
}

/// A request that counts until this is dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<AtomicUsize>);

impl Load {
    pub(super) fn new(most: usize) -> Self {
        Self { under_way: Arc::default(), most }
    }

    /// A place for a request of this class, while there is room for its class.
    pub(super) fn enter(&self, class: Priority) -> Option<Place> {
        let room = room(self.most, class);
        let more = |under_way: usize| (under_way < room).then(|| under_way.saturating_add(1));
        let entered = self.under_way.fetch_update(Ordering::AcqRel, Ordering::Relaxed, more);
        entered.is_ok().then(|| Place(Arc::clone(&self.under_way)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How many may be under way, this one included, for one of this class to be let in.
fn room(most: usize, class: Priority) -> usize {
    let room = match class {
        Priority::Critical => most,
        Priority::Normal => most - most / 10,
        Priority::Batch => most / 2,
    };
    room.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(load: &Load, class: Priority) -> Vec<Place> {
        std::iter::from_fn(|| load.enter(class)).collect()
    }

    #[test]
    fn what_matters_less_gives_way_first() {
        let load = Load::new(100);
        let batch = fill(&load, Priority::Batch);
        let normal = fill(&load, Priority::Normal);
        let critical = fill(&load, Priority::Critical);
        assert_eq!([batch.len(), normal.len(), critical.len()], [50, 40, 10]);
        drop(critical);
        assert!(load.enter(Priority::Normal).is_none(), "there is room for what is critical only");
        assert!(load.enter(Priority::Critical).is_some());
        drop(normal);
        assert!(load.enter(Priority::Batch).is_none());
        assert!(load.enter(Priority::Normal).is_some());
        drop(batch);
        assert_eq!(fill(&load, Priority::Critical).len(), 100);
    }

    #[test]
    fn no_setting_shuts_a_class_out() {
        for most in [0, 1, 2] {
            for class in [Priority::Critical, Priority::Normal, Priority::Batch] {
                assert!(Load::new(most).enter(class).is_some(), "{most} {class:?}");
            }
        }
    }

    #[test]
    fn many_at_once_find_as_many_places_as_there_are() {
        let load = Load::new(64);
        let entered: usize = std::thread::scope(|threads| {
            let all: Vec<_> = (0..8)
                .map(|_| {
                    threads.spawn(|| {
                        (0..1_000).filter_map(|_| load.enter(Priority::Critical)).collect::<Vec<_>>()
                    })
                })
                .collect();
            let held: Vec<_> = all.into_iter().map(|thread| thread.join().unwrap()).collect();
            held.iter().map(Vec::len).sum()
        });
        assert_eq!(entered, 64);
        assert_eq!(load.under_way.load(Ordering::Relaxed), 0, "all left");
    }
}
