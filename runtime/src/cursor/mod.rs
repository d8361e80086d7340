//! Cursors: where a caller stands in a list, sealed so that only this service reads it, and only for that caller.
//!
//! A cursor is opaque to clients and worthless to anybody else: it is encrypted, it expires, and it opens only for the
//! operation, document, principal and filters that it was made for. Replaying one does no harm, because each page is
//! authorized anew.
//!
//! ```text
//! text      = base64url, no padding, of:  version 2 | key id 4 | nonce 12 | ciphertext | tag 16
//! plaintext = expiry 8 | page 4 | side 1 | length 2 | position | zeros up to 128, 256, 512, 1024 or 1472
//! ```

mod binding;
mod keys;
mod page;
mod position;
mod retired;
mod seal;

pub(crate) use self::binding::{Binding, Filters};
pub use self::keys::{CursorKeyError, CursorKeys};
pub(crate) use self::keys::{Master, Ring, masters};
pub use self::page::{BothWays, Direction, Forward, Page, PageFrom};
pub(crate) use self::page::{Cut, Side, cut};
pub use self::position::Position;
/// The name under which `#[derive(Position)]` reaches the fields: they are positions themselves.
#[doc(hidden)]
pub use self::position::Position as PositionField;
pub(crate) use self::seal::{BadCursor, Leads, Opened, open, seal};
pub use self::seal::{SealedCursor, Unsealable};
