//! What generated code names. Not part of the public API.

pub use std::collections::BTreeMap;
pub use std::marker::PhantomData;
pub use std::sync::Arc;
pub use std::time::Duration;

pub use axum;
pub use http::StatusCode;
pub use serde;
pub use validator;

pub use crate::adopt::{Adopted, Agrees, Reads, Stated, adopt, stated};
pub use crate::answer::{Answer, HeaderForm, Items, Notice, Output, TypedBytes, Unfit, under};
pub use crate::authn::{
    BasicVerifier, BearerVerifier, CertificateVerifier, Denylist, IntrospectionVerifier, KeyVerifier,
};
pub use crate::caller::{Caller, Grants, Holds, Scope};
pub use crate::config_error::ConfigError;
pub use crate::cursor::{BothWays, CursorKeys, Forward, Position, SealedCursor};
pub use crate::idempotency::KeptAnswers;
pub use crate::input::*;
pub use crate::operation::*;
pub use crate::part::{Given, Part};
pub use crate::problem::Problem;
pub use crate::resource::{AsAttribute, Attribute, Attributes, attribute};
pub use crate::server::{Builder, Served, Server, served};
pub use crate::settings::Settings;
pub use crate::types::*;
