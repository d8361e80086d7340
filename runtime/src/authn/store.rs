//! What the stores of credentials have in common.

use std::{pin::Pin, time::Duration};

use futures_util::FutureExt;
use tokio::time::timeout;

/// What a store answers, when it has.
pub type StoreFuture<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// Waits for a store, but not for ever: `None` when it has not answered by then.
pub(crate) async fn in_time<T, E>(
    mut asked: StoreFuture<'_, T, E>,
    patience: Duration,
) -> Option<Result<T, E>> {
    // one in memory has answered already, and needs no timer, nor does the request carry the room for one
    if let Some(answered) = (&mut asked).now_or_never() {
        return Some(answered);
    }
    Box::pin(timeout(patience, asked)).await.ok()
}
