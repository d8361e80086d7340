//! [`Input`] and [`Payload`]: what an operation takes, and the kinds of body it can have.

use std::collections::BTreeMap;
use std::future::Future;

use http::HeaderMap;

use super::{Boxed, Check, Decode, InputError, Json, Object, Parameters, Password, Refused, body, from_json};
use crate::operation::Body;

/// The typed input of an operation. Implemented by generated code.
pub trait Input: Sized + Send {
    /// The decoded parameters, in the order of the document.
    type Parameters: Send;
    /// The decoded body; `()` when none is declared, `Option` when it may be absent.
    type Body: Payload;
    /// Asks for every parameter, so that all violations are noted. `None`: one was.
    fn parameters(from: &mut Parameters<'_>) -> Option<Self::Parameters>;
    /// The input.
    fn assemble(parameters: Self::Parameters, body: Self::Body) -> Self;
}

/// A body, or its absence.
pub trait Payload: Sized + Send {
    /// What stands for no body. `None`: there must be one.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }

    /// Decodes a body that is there.
    ///
    /// # Errors
    /// Why it is not what the document declares.
    fn present(bytes: &[u8], declared: &Body) -> Result<Self, Refused>;

    /// Reads a request's body and decodes it. The deadline is the caller's.
    fn read(
        declared: Option<&Body>,
        headers: &HeaderMap,
        body: axum::body::Body,
    ) -> impl Future<Output = Result<Self, InputError>> + Send {
        body::receive(declared, headers, body)
    }
}

/// A type that can be a JSON body by itself.
pub trait JsonPayload: Decode + Check + Send {}

impl<T: Object + Check + Send> JsonPayload for T {}
impl<T: Decode + Check + Send> JsonPayload for Vec<T> {}
impl<T: Decode + Check + Send> JsonPayload for BTreeMap<String, T> {}
impl<T: Decode + Check + Send> JsonPayload for Boxed<T> {}

macro_rules! leaves {
    ($($type:ty),* $(,)?) => { $( impl JsonPayload for $type {} )* };
}

leaves!(
    bool,
    i32,
    i64,
    u32,
    u64,
    f32,
    f64,
    String,
    uuid::Uuid,
    jiff::Timestamp,
    jiff::civil::Date,
    std::net::Ipv4Addr,
    std::net::Ipv6Addr,
    Json,
    Password,
);

/// No body is declared; that none came is checked before anything is decoded.
impl Payload for () {
    fn absent() -> Option<Self> {
        Some(())
    }

    fn present(_: &[u8], _: &Body) -> Result<Self, Refused> {
        Err(Refused::Syntax)
    }
}

impl<T: JsonPayload> Payload for T {
    fn present(bytes: &[u8], declared: &Body) -> Result<Self, Refused> {
        from_json(bytes, declared.depth)
    }
}

/// A body that may be absent. Where it is required, `None` is its `null`.
impl<T: JsonPayload> Payload for Option<T> {
    fn absent() -> Option<Self> {
        Some(None)
    }

    fn present(bytes: &[u8], declared: &Body) -> Result<Self, Refused> {
        match declared.required {
            true => from_json::<Self>(bytes, declared.depth),
            false => from_json::<T>(bytes, declared.depth).map(Some),
        }
    }
}

/// A body that may be absent, and may be `null`.
impl<T: JsonPayload> Payload for Option<Option<T>> {
    fn absent() -> Option<Self> {
        Some(None)
    }

    fn present(bytes: &[u8], declared: &Body) -> Result<Self, Refused> {
        from_json::<Option<T>>(bytes, declared.depth).map(Some)
    }
}
