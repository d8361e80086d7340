//! Logout by the provider (OpenID Connect Back-Channel Logout 1.0): it says who was logged out there, and their sessions end here.
//!
//! Rules:
//! 1. it is a form with one `logout_token` (section 2.5), received as [`Form`] says. No cookie and no `Origin` counts: the token says
//!    who asks, and without a good one nothing is changed;
//! 2. the token is judged by the rules of [`logout_token`](crate::authn::jwt::logout_token), and refused once what it says was done: not
//!    before, for whoever sent it may send it again where that failed or nobody heard of it;
//! 3. where it names a session at the provider (`sid`), those end that came of it, and those of its subject of which nobody knows of
//!    which session they came; else all of the subject (section 2.4, of `sid`);
//! 4. the answer is 200, also when there was no session to end, or 400 (section 2.8), which says no more than whether another try may
//!    help. Nothing of it is kept by a cache. It goes on where the
//!    provider does not wait for it.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::Login;
use super::ended::Group;
use super::endpoints::said;
use super::error::LoginError;
use super::event::Event;
use crate::authn::jwt::id_token::BadIdToken;
use crate::authn::jwt::logout_token::LoggedOut;
use crate::event::{Asked, Severity, whole};
use crate::form::Form;

/// Why nobody was logged out.
enum Refused {
    Request,
    Token(BadIdToken),
    Replayed,
    Ours(LoginError),
}

pub(super) async fn log_out(State(login): State<Login>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match login.provider_logs_out(&parts.headers, body).await {
        Ok(()) => said(StatusCode::OK, ""),
        Err(refused) => {
            let answer = login.refuses(&refused);
            if refused.is_guess() { login.guessed(&parts).await.unwrap_or(answer) } else { answer }
        }
    }
}

impl Refused {
    /// Nobody vouches for its token.
    fn is_guess(&self) -> bool {
        matches!(self, Self::Token(bad) if !bad.is_unknown())
    }
}

impl Login {
    async fn provider_logs_out(&self, headers: &HeaderMap, body: Body) -> Result<(), Refused> {
        let form = Form::receive(headers, body).await.map_err(|_| Refused::Request)?;
        let token = form.get("logout_token").ok_or(Refused::Request)?;
        let logged_out = self.0.provider.logged_out(token, self.now()?).await?;
        if self.was_logged_out(&logged_out.id).await? {
            return Err(Refused::Replayed);
        }
        let login = self.clone();
        let done = whole(async move { login.logs_out(&logged_out).await }).await;
        Ok(done.unwrap_or(Err(LoginError::Busy))?)
    }

    async fn logs_out(&self, logged_out: &LoggedOut) -> Result<(), LoginError> {
        self.ends(logged_out).await?;
        self.mark_logout(&logged_out.id).await?; // 2
        Event::EndedByProvider.emit(self.issuer(), logged_out.subject.as_deref().unwrap_or("-"));
        Ok(())
    }

    /// Rule 3.
    async fn ends(&self, logged_out: &LoggedOut) -> Result<(), LoginError> {
        let subject = logged_out.subject.as_deref();
        let group = match &logged_out.session {
            Some(sid) => {
                self.begin_round(Group::AtProvider(sid)).await?;
                subject.map(Group::Unnamed)
            }
            None => subject.map(Group::Subject),
        };
        match group {
            Some(group) => self.begin_round(group).await,
            None => Ok(()),
        }
    }

    fn refuses(&self, refused: &Refused) -> Response {
        let (event, error) = match refused {
            Refused::Request => (Event::LogoutRefused("no_logout_token", Severity::Low), INVALID),
            Refused::Token(bad) if bad.is_unknown() => {
                (Event::LogoutRefused(bad.code(), Severity::Low), UNAVAILABLE)
            }
            Refused::Token(bad) => (Event::LogoutRefused(bad.code(), Severity::Medium), INVALID),
            Refused::Replayed => (Event::LogoutReplayed, INVALID),
            Refused::Ours(error) => {
                tracing::error!(target: "palisade::login", request_id = %Asked::RequestId, %error, "a logout by the provider failed");
                (Event::LogoutRefused("logout_unavailable", Severity::Medium), UNAVAILABLE)
            }
        };
        event.emit(self.issuer(), "-");
        let mut response = said(StatusCode::BAD_REQUEST, error);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

/// In the form of RFC 6749 section 5.2.
const INVALID: &str = r#"{"error":"invalid_request"}"#;
const UNAVAILABLE: &str = r#"{"error":"temporarily_unavailable"}"#;

impl From<BadIdToken> for Refused {
    fn from(bad: BadIdToken) -> Self {
        Self::Token(bad)
    }
}

impl From<LoginError> for Refused {
    fn from(error: LoginError) -> Self {
        Self::Ours(error)
    }
}
