//! Work that is done whole, also where whoever asked for it leaves: their connection breaks, and with it ends the task that answers them.
//!
//! Rules:
//! 1. it is for what must not be left in the middle: who leaves would decide how much of a revocation is done;
//! 2. a thousand such works are under way at most. Beyond that they end with who asked for them, and the operator is told;
//! 3. whoever waits for one that panics panics;
//! 4. a server that stops waits for them, as long as for handlers whose clients have left ([`works_settled`]).

use std::{
    panic::resume_unwind,
    sync::{LazyLock, Mutex, PoisonError},
};

use futures_util::future::Either;
use tokio::{runtime::Handle, sync::Semaphore, time::Instant};

use super::asking::asking;
use super::here::{sink, storing};
use crate::{seldom::Seldom, works::Works};

/// Rule 2.
static PLACES: Semaphore = Semaphore::const_new(1024);
static TOLD: Mutex<Seldom> = Mutex::new(Seldom::new());
/// Rule 4.
static UNDER_WAY: LazyLock<Works> = LazyLock::new(Works::default);

/// `None`: the runtime ends.
pub(crate) async fn whole<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    whole_in(&PLACES, work).await
}

/// Ends when none is under way in this process.
pub(crate) async fn works_settled() {
    UNDER_WAY.settled().await;
}

async fn whole_in<T: Send + 'static>(
    places: &'static Semaphore,
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let Ok(runtime) = Handle::try_current() else { return Some(work.await) };
    let Ok(place) = places.try_acquire() else {
        if TOLD.lock().unwrap_or_else(PoisonError::into_inner).lets(Instant::now()) {
            tracing::warn!("more changes are under way than are made whole where who asked for them leaves");
        }
        return Some(work.await);
    };
    let (asking, under_way) = (asking(), UNDER_WAY.begin());
    let going_on = storing(sink(), async move {
        let _held = (place, under_way);
        match asking {
            Some(asking) => Either::Left(asking.during(work)),
            None => Either::Right(work),
        }
        .await
    });
    match runtime.spawn(going_on).await {
        Ok(done) => Some(done),
        Err(ended) => ended.try_into_panic().map_or(None, |panic| resume_unwind(panic)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Notify;

    use super::*;

    /// Work that says when it has begun, and goes on to its end when it is told to.
    struct Work([Arc<Notify>; 3]);

    impl Work {
        fn new() -> Self {
            Self([(); 3].map(|()| Arc::new(Notify::new())))
        }

        /// Whoever asks for it leaves when it has begun.
        async fn is_left(&self, places: &'static Semaphore) {
            let [begun, goes_on, done] = self.0.clone();
            let asked = tokio::spawn(whole_in(places, async move {
                begun.notify_one();
                goes_on.notified().await;
                done.notify_one();
            }));
            self.0[0].notified().await;
            asked.abort();
            assert!(asked.await.is_err());
        }

        async fn goes_on(&self) {
            self.0[1].notify_one();
            self.0[2].notified().await;
        }

        fn is_over(&self) -> bool {
            Arc::strong_count(&self.0[2]) == 1
        }
    }

    #[tokio::test]
    async fn it_is_done_also_where_who_asked_leaves() {
        static PLACES: Semaphore = Semaphore::const_new(1);
        let work = Work::new();
        work.is_left(&PLACES).await;
        work.goes_on().await;
        assert_eq!(whole(async { 7 }).await, Some(7));
    }

    #[tokio::test]
    async fn who_waits_for_one_that_panics_panics() {
        let asked = tokio::spawn(whole(async { panic!("work that panics") }));
        assert!(asked.await.unwrap_err().is_panic());
    }

    #[tokio::test]
    async fn beyond_its_places_it_ends_with_who_asked() {
        static PLACES: Semaphore = Semaphore::const_new(1);
        let (first, second, third) = (Work::new(), Work::new(), Work::new());
        first.is_left(&PLACES).await;
        second.is_left(&PLACES).await;
        assert!(second.is_over() && !first.is_over());
        assert_eq!(whole_in(&PLACES, async { 7 }).await, Some(7), "it is done where who asked waits");
        first.goes_on().await;
        while PLACES.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
        third.is_left(&PLACES).await;
        third.goes_on().await;
    }

    #[test]
    fn it_ends_with_its_runtime() {
        static PLACES: Semaphore = Semaphore::const_new(1);
        let work = Work::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(work.is_left(&PLACES));
        drop(runtime);
        assert!(work.is_over());
        assert_eq!(PLACES.available_permits(), 1, "and leaves its place");
    }
}
