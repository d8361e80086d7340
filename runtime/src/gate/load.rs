//! How many handlers are at work, and what is refused when these are too many.
//!
//! Rules:
//! 1. handlers of every class are counted together: each takes of what all have;
//! 2. one of `batch` begins while fewer than half of the most are at work, one of `normal` while fewer than nine tenths are,
//!    one of `critical` while fewer than the most are;
//! 3. while none is at work each class is let in, whatever the most is: a setting sheds load and closes nothing;
//! 4. a request has a place from when all of it has been read until its handler has answered or ended, also when nobody waits
//!    for it any more. Who sends slowly has none: else one client could take all places and do nothing with them;
//! 5. while there is no place for it, a request is refused when it comes, before anything is done for it. What loses the last
//!    place to another meanwhile is refused when its handler would begin.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::operation::Priority;

/// The handlers that are at work. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    at_work: Arc<AtomicUsize>,
    most: usize,
}

/// One that counts until this is dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<AtomicUsize>);

impl Load {
    pub(super) fn new(most: usize) -> Self {
        Self { at_work: Arc::default(), most }
    }

    /// Whether one of this class would find a place.
    pub(super) fn has_room(&self, class: Priority) -> bool {
        self.at_work.load(Ordering::Relaxed) < room(self.most, class)
    }

    /// A place for one of this class, while there is room for its class.
    pub(super) fn enter(&self, class: Priority) -> Option<Place> {
        let room = room(self.most, class);
        let more = |at_work: usize| (at_work < room).then(|| at_work.saturating_add(1));
        let entered = self.at_work.fetch_update(Ordering::AcqRel, Ordering::Relaxed, more);
        entered.is_ok().then(|| Place(Arc::clone(&self.at_work)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How many may be at work, this one included, for one of this class to begin.
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
        assert!(!load.has_room(Priority::Critical));
        drop(critical);
        assert!(load.has_room(Priority::Critical) && !load.has_room(Priority::Normal));
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
        assert_eq!(load.at_work.load(Ordering::Relaxed), 0, "all left");
    }
}
