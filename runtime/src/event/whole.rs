//! Work that is done whole, also where whoever asked for it leaves: their connection breaks, and with it ends the task that answers them.
//!
//! It is for what must not be left in the middle: who leaves would decide how much of a revocation is done. A thousand such works are
//! under way at most; beyond that they end with who asked for them.

use futures_util::future::Either;
use tokio::{runtime::Handle, sync::Semaphore};

use super::asking::asking;
use super::here::{sink, storing};

static PLACES: Semaphore = Semaphore::const_new(1024);

/// `None`: it panicked, or the runtime ends.
pub(crate) async fn whole<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    let (Ok(place), Ok(runtime)) = (PLACES.try_acquire(), Handle::try_current()) else {
        return Some(work.await);
    };
    let asking = asking();
    let going_on = storing(sink(), async move {
        let _place = place;
        match asking {
            Some(asking) => Either::Left(asking.during(work)),
            None => Either::Right(work),
        }
        .await
    });
    runtime.spawn(going_on).await.ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn it_is_done_also_where_who_asked_leaves() {
        let [begun, goes_on, done] = [(); 3].map(|()| Arc::new(Notify::new()));
        let work = {
            let (begun, goes_on, done) = (Arc::clone(&begun), Arc::clone(&goes_on), Arc::clone(&done));
            async move {
                begun.notify_one();
                goes_on.notified().await;
                done.notify_one();
                7
            }
        };
        let asked = tokio::spawn(whole(work));
        begun.notified().await;
        asked.abort();
        assert!(asked.await.is_err());
        goes_on.notify_one();
        done.notified().await;
        assert_eq!(whole(async { 7 }).await, Some(7));
    }
}
