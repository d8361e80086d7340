//! The parts of a server, as types: `build` exists where each of them is [`Given`].

/// A part that the document needs and that was given.
#[diagnostic::on_unimplemented(
    message = "the server is not complete: `{Self}` is missing",
    label = "`{Self}` was not given",
    note = "the document needs this part: call the builder's step of that name before `build`"
)]
pub trait Part {}

/// Stands in the builder's type where a part was given.
#[derive(Debug)]
pub enum Given {}

impl Part for Given {}
