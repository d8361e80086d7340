//! Login by an OpenID Connect provider, for browsers: the authorization code flow with PKCE, and sessions in cookies.
//!
//! ```text
//! browser            here                              provider
//!   GET /login ─────>  state, nonce, verifier: sealed in a cookie
//!      <───────────── 303 ────────────────────────────> logs the user in
//!   GET /callback <──────────────────────────────────── code, state, iss
//!      ─────────────>  state is this browser's, and new
//!                      code + verifier ───────────────> access, ID and refresh token
//!                      the ID token is judged; a session is kept
//!      <───────────── 303, session cookie
//!   GET /accounts ──>  the gate: cookie -> session -> principal
//! ```
//!
//! The standards: OpenID Connect Core 1.0 section 3.1, RFC 7636 (S256 alone), RFC 9207, RFC 9700, OpenID Connect RP-Initiated
//! Logout 1.0, OpenID Connect Back-Channel Logout 1.0. Tokens stay on the server ([`Login::access_token`]); what a browser has is the id of a session, and nothing that means anything
//! elsewhere.
//!
//! | what | bound |
//! |---|---|
//! | a login under way | ten minutes, and nothing of it on the server |
//! | marks of logins that came back | of `marks_in`, 100,000 in memory; full: no login is finished |
//! | marks of logout tokens that were taken | of the state, for fourteen minutes each; full: none is taken |
//! | sessions | of the state; full: nobody logs in, nobody is logged out |
//! | calls to the provider | 64 at a time, five seconds each |

mod back_channel;
mod builder;
mod callback;
mod cookies;
mod ended;
mod endpoints;
mod error;
mod event;
mod keys;
mod pending;
mod provider;
mod return_to;
mod session;
mod step_up;
mod store;
#[cfg(test)]
mod testing;
mod tokens;

use std::fmt;
use std::sync::Arc;

pub use self::builder::LoginBuilder;
use self::builder::Pages;
pub use self::error::LoginError;
pub use self::keys::LoginKeys;
use self::provider::Provider;
use self::session::{Lifetimes, Session, key_of};
use crate::authn::Principal;
use crate::authn::attempts::Counters;
use crate::breaker::LeftAlone;
use crate::clock::{Clock, Now};
use crate::origin::PublicOrigin;
use crate::state::{Key, State};

/// Logs browsers in by a provider, and knows their sessions again. Clones share it.
///
/// It is the verifier of an `apiKey` scheme of the document that is `in: cookie` under the name of the session's cookie, and it
/// brings the endpoints that make and end sessions ([`Login::router`]).
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use palisade::{Login, Secret, State, login::LoginKeys};
///
/// let login = Login::builder(
///     "https://id.example.com",
///     "notes-web",
///     "https://notes.example.com/callback",
///     State::memory(),
///     LoginKeys::from_env("LOGIN_KEYS")?,
/// )
/// .secret(Secret::new(std::env::var("CLIENT_SECRET")?))
/// .scopes(&["notes:read"])
/// .open()
/// .await?;
/// # drop(login);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Login(Arc<Shared>);

struct Shared {
    provider: Provider,
    /// The scopes that are asked for.
    asked: String,
    client: String,
    /// Of our own pages.
    origin: PublicOrigin,
    /// The path at which the provider sends browsers back.
    callback: String,
    /// Which login a sealed cookie is of.
    about: Vec<u8>,
    state: State,
    marks: State,
    keys: LoginKeys,
    cookie: String,
    lifetimes: Lifetimes,
    pages: Pages,
    /// That a page may ask for.
    classes: Vec<String>,
    /// Whether every session has a tenant.
    names_tenants: bool,
    clock: Clock,
    counters: Counters,
}

/// Why the gate does not know a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// It is no id of a session.
    Malformed,
    /// There is none, or it is over.
    None,
    /// The state cannot be asked; perhaps because it failed, and is left alone.
    Unavailable(Option<LeftAlone>),
}

impl Login {
    /// Begins a login: `issuer` is the provider, by the name that its metadata and its tokens have; `client` is our name there;
    /// `redirect` the address of our callback, letter by letter as the provider knows it; sessions are kept in `state`.
    #[must_use]
    pub fn builder(
        issuer: &str,
        client: &str,
        redirect: &str,
        state: State,
        keys: LoginKeys,
    ) -> LoginBuilder {
        LoginBuilder::new(issuer, client, redirect, state, keys)
    }

    /// Ends the session of a caller, as its logout does; nothing when the caller has none.
    ///
    /// # Errors
    /// When the state fails: the session may be good still.
    pub async fn end(&self, caller: &Principal) -> Result<(), LoginError> {
        if let Some(key) = self.session_of(caller)
            && let Some(session) = self.remove(key).await?
        {
            event::Event::Ended.emit(self.0.provider.issuer(), &session.subject);
        }
        Ok(())
    }

    pub(crate) fn issuer(&self) -> &Arc<str> {
        self.0.provider.issuer()
    }

    pub(crate) fn client(&self) -> &str {
        &self.0.client
    }

    /// Whether every session has a tenant.
    pub(crate) fn names_tenants(&self) -> bool {
        self.0.names_tenants
    }

    /// The name of the session's cookie.
    pub(crate) fn cookie(&self) -> &str {
        &self.0.cookie
    }

    /// The origin of the pages whose requests a session is good for.
    pub(crate) fn origin(&self) -> &PublicOrigin {
        &self.0.origin
    }

    /// The session of an id, and under what it is kept. That it is used is noted. `request_id`: whose request shows it, for the log.
    pub(crate) async fn session(
        &self,
        id: &[u8],
        now: Now,
        request_id: &str,
    ) -> Result<(Session, Key), Unknown> {
        let key = key_of(self.issuer(), self.client(), id).ok_or(Unknown::Malformed)?;
        let now = now.unix();
        let found = self.find(key, now).await.map_err(|error| {
            tracing::error!(target: "palisade::login", request_id, %error, "a session cannot be looked up");
            Unknown::Unavailable(error.left_alone())
        })?;
        let (mut session, version) = found.ok_or(Unknown::None)?;
        if session.is_due(self.0.lifetimes, now) {
            session.used = now;
            // who changed it meanwhile noted it, too, or ended it; a failure costs the session a part of its idle time. Boxed: it is
            // once a minute
            if let Err(error) = Box::pin(self.put(key, &session, Some(version), now)).await {
                tracing::warn!(target: "palisade::login", request_id, %error, "the use of a session was not noted");
            }
        }
        Ok((session, key))
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("issuer", &self.issuer()).finish_non_exhaustive()
    }
}

impl Login {
    fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}
