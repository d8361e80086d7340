//! What the server sends of its own accord.

use super::{Content, Docs, Method};

/// A webhook or a callback.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// What it is called: its `operationId`, or what stands for one.
    pub name: String,
    /// What has it sent.
    pub cause: Cause,
    /// The method.
    pub method: Method,
    /// What the document says about it.
    pub docs: Docs,
    /// What it carries, if it carries anything: of a type, as JSON, as a form or in parts.
    pub body: Option<Content>,
}

/// What has something sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An entry of `webhooks`, by name.
    Webhook(String),
    /// An entry of `callbacks`.
    Callback {
        /// The operation that it comes after.
        operation: String,
        /// The expression that says where to send it.
        to: String,
    },
}
