//! What the stores of credentials have in common.

use std::pin::Pin;

/// What a store answers, when it has.
pub type StoreFuture<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;
