//! The runtime of palisade: what an OpenAPI document says about security is what the server does.
//!
//! A generated module states facts; this crate acts on them. The order of a request is written down in one place, the
//! gate; a handler takes a [`Caller`], which only the gate can make.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::string_slice, reason = "a test may stop with a panic"))]

mod address;
mod adopt;
mod answer;
mod authn;
mod authz;
mod breaker;
mod caller;
mod clock;
#[cfg(feature = "config")]
pub mod config;
mod config_error;
pub mod cursor;
pub mod dev;
mod event;
#[cfg(test)]
mod flood;
mod form;
mod gate;
mod going_on;
pub mod idempotency;
mod input;
pub mod issuer;
mod limit;
#[cfg(feature = "login")]
pub mod login;
#[cfg(test)]
mod logs;
pub mod operation;
mod origin;
#[cfg(feature = "outbound")]
mod outbound;
mod part;
mod problem;
mod random;
mod readiness;
mod resource;
mod routes;
mod sealing;
mod secret;
mod segments;
mod seldom;
mod serve;
mod server;
mod settings;
mod signing;
pub mod state;
pub mod types;
mod works;

pub use self::address::Peer;
pub use self::adopt::{GateLayer, GateService, Guarded};
pub use self::answer::{EXPOSED_HEADERS, Items, Notice, TypedBytes, Unfit};
pub use self::authn::{
    ApiKeys, BasicVerifier, BearerVerifier, CertificateVerifier, Change, Class, Denied, Denylist,
    DenylistError, DenylistStore, Entry, Fault, Identity, IntrospectionVerifier, IssuedKey, JwkSet, Jwks,
    Jwt, KeyAdmin, KeyAdminError, KeyError, KeyFile, KeyInfo, KeyPage, KeyPeppers, KeyQuery, KeyRecord,
    KeyRequest, KeyState, KeyStore, KeyStoreError, KeyUse, KeyVerifier, Kind, LeftOut, Mark, NewKey,
    PasswordRecord, Passwords, PepperError, Principal, ProofFault, Reason, RecordError, SetupError,
    StoreFuture,
};
#[cfg(feature = "tls")]
pub use self::authn::{CertificateError, ClientCertificates};
#[cfg(feature = "outbound")]
pub use self::authn::{Introspection, IntrospectionError};
pub use self::caller::{Caller, Grants, Holds, Scope};
pub use self::clock::{Clock, ClockError, Now};
pub use self::config_error::ConfigError;
pub use self::cursor::{
    BothWays, CursorKeyError, CursorKeys, Direction, Forward, Page, PageFrom, Position, SealedCursor,
};
pub use self::event::{EventSink, EventSinkError, Events, SECURITY_EVENTS, SecurityEvent, Severity};
pub use self::gate::{Gate, GateBuilder, RequestId};
pub use self::idempotency::{AnswerKeys, KeptAnswers};
pub use self::input::{Decimal, Parts, Upload, UploadReader};
pub use self::issuer::Issuer;
pub use self::limit::kept::KeptLimits;
#[cfg(feature = "redis")]
pub use self::limit::shared::SharedLimits;
#[cfg(feature = "login")]
pub use self::login::Login;
pub use self::operation::Operation;
pub use self::problem::Problem;
pub use self::readiness::{Degraded, Readiness};
pub use self::resource::{Attribute, Attributes};
pub use self::secret::Secret;
pub use self::serve::{Servable, Serve, ServeError, serve};
#[cfg(feature = "tls")]
pub use self::serve::{Tls, TlsError};
pub use self::server::Server;
pub use self::settings::{ForwardedHeader, RateLimitReset, Settings, SettingsError};
pub use self::state::State;
pub use http::StatusCode;
#[cfg(feature = "api")]
pub use palisade_macros::{Operation, api};
#[cfg(feature = "macros")]
pub use palisade_macros::{Position, Problem, Resource, Service};

#[doc(hidden)]
pub mod __private;
#[cfg(feature = "measure")]
#[doc(hidden)]
pub mod measure;
