//! The endpoints of a login, for an application that mounts them beside its server.
//!
//! | | |
//! |---|---|
//! | `GET <login>?return_to=/path` | begins a login; the way back is `/` unless said, and [`step_up`](super::step_up) says what else may stand there |
//! | `GET <path of the redirect URI>` | ends it, and makes a session |
//! | `POST <logout>` | ends the session here, then at the provider where it has a logout |
//! | `POST <back-channel logout>` | the provider ends sessions: see [`back_channel`](super::back_channel) |
//!
//! Rules:
//! 1. no answer is kept by a cache, framed, or told to the next page as its referrer: addresses have codes in them;
//! 2. a login that came back is over, whatever became of it: its cookie is taken away, its `state` is used;
//! 3. the session that the browser had is ended before it gets another;
//! 4. only our own pages log out (CSRF), by the rules of [`cross_site`];
//! 5. what comes back from no login of ours, and logout tokens that are not good, count as guesses for their network
//!    ([`attempts`](crate::authn::attempts)). When there are too many the answer is 429; what is good is taken whatever was counted.
//!    But a login that comes back takes a place in the state and a call to the provider before anybody knows whether it is good: those
//!    of a network that did not succeed are ten times as many as its guesses, and then none of it is looked at for a while;
//! 6. a browser learns that a login did not succeed and not why; the event says it.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::callback::Answer;
use super::cookies::{self, PENDING};
use super::error::{Fault, LoginError};
use super::event::Event;
use super::pending::{PATIENCE, Pending};
use super::session::{Session, key_of};
use super::step_up::Wanted;
use super::{Login, back_channel, return_to};
use crate::authn::attempts::{Attempts, TooMany};
use crate::authn::cross_site;
use crate::event::{Asked, Severity};
use crate::input::form_decoded;

impl Login {
    /// The endpoints, at the paths of the builder.
    ///
    /// Attempts that fail are counted; requests are not. A limit on those is for the server in front.
    pub fn router(&self) -> Router {
        let router = Router::new()
            .route(&self.0.pages.login, get(begin))
            .route(&self.0.callback, get(finish))
            .route(&self.0.pages.logout, post(log_out));
        let router = match &self.0.pages.back_channel {
            Some(path) => router.route(path, post(back_channel::log_out)),
            None => router,
        };
        router.route_layer(from_fn_with_state(self.clone(), known)).with_state(self.clone())
    }

    fn begin(&self, query: Option<&str>) -> Result<Response, Fault> {
        let wanted = Wanted::read(query, &self.0.classes)?;
        let pending =
            Pending::begin(way_back(query)?, wanted, self.now()?.unix()).ok_or(LoginError::Crypto)?;
        let cookie = pending.seal(&self.0.keys.0, &self.0.about).ok_or(LoginError::Crypto)?;
        let cookie = cookies::set(PENDING, &cookie, std::time::Duration::from_secs(PATIENCE));
        let mut response = go(&self.0.provider.authorization(&pending))?;
        response.headers_mut().append(header::SET_COOKIE, cookie.ok_or(LoginError::Crypto)?);
        Ok(response)
    }

    /// Rule 5.
    async fn finish_counted(&self, parts: &Parts) -> Result<Response, Fault> {
        let attempts = self.attempts(parts)?;
        let trial = match attempts.tries().await {
            Ok(trial) => trial,
            Err(closed) => return Ok(too_many(closed)),
        };
        let finished = self.finish(&parts.headers, parts.uri.query()).await?;
        attempts.succeeds(&trial).await;
        Ok(finished)
    }

    async fn finish(&self, headers: &HeaderMap, query: Option<&str>) -> Result<Response, Fault> {
        let now = self.now()?;
        let sealed = cookies::read(headers, PENDING).map_err(|_| Fault::Request)?;
        let pending = sealed.and_then(|cookie| Pending::open(cookie, &self.0.keys.0, &self.0.about));
        // rule 2: before it is looked at what it came back with
        let marked = match pending.as_ref().filter(|pending| !pending.is_over(now.unix())) {
            Some(pending) => self.mark(pending).await,
            None => Ok(()),
        };
        let answer = Answer::read(query.unwrap_or_default())?;
        let pending = answer.belongs_to(pending, now.unix())?;
        marked?;
        let code = answer.code(self.issuer(), self.0.provider.names_itself())?;
        let (who, tokens) = self.0.provider.redeem(code, &pending, now).await?;
        let mut session = Session::begin(who, &tokens, &self.0.asked, self.0.lifetimes, now.unix());
        session.rounds = self.rounds(&session.subject, session.sid.as_deref()).await?;
        self.leave(headers).await?;
        let id = self.keep(&session, now.unix()).await?;
        Event::Created.emit(self.issuer(), &session.subject);
        let keep = std::time::Duration::from_secs(self.0.lifetimes.absolute);
        let cookie = cookies::set(&self.0.cookie, &id, keep).ok_or(LoginError::Crypto)?;
        let mut response = go(&pending.return_to)?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(response)
    }

    /// Ends the session that a browser has, if it has one: whose it was.
    async fn leave(&self, headers: &HeaderMap) -> Result<Option<String>, Fault> {
        let id = cookies::read(headers, &self.0.cookie).map_err(|_| Fault::Request)?;
        let Some(key) = id.and_then(|id| key_of(self.issuer(), self.client(), id)) else { return Ok(None) };
        Ok(self.remove(key).await?.map(|session| session.subject.clone()))
    }

    async fn log_out(&self, headers: &HeaderMap) -> Result<Response, Fault> {
        if let Some(subject) = self.leave(headers).await? {
            Event::Ended.emit(self.issuer(), &subject);
        }
        let back = format!("{}{}", self.0.origin.as_str(), self.0.pages.after_logout);
        let mut response = match self.0.provider.end_session(&back) {
            Some(at) => go(&at)?,
            None => go(&self.0.pages.after_logout)?,
        };
        let cookie = cookies::clear(&self.0.cookie).ok_or(LoginError::Crypto)?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(response)
    }

    /// Rule 5: counts a guess; what it is answered with if it is one too many.
    pub(super) async fn guessed(&self, parts: &Parts) -> Option<Response> {
        self.attempts(parts).ok()?.guessed(None).await.err().map(too_many)
    }

    fn attempts<'a>(&'a self, parts: &'a Parts) -> Result<Attempts<'a>, LoginError> {
        Ok(self.0.counters.of(parts, self.now()?))
    }

    /// What a browser gets whose login came to nothing.
    fn failed(&self, fault: &Fault) -> Response {
        if let Fault::Ours(error) = fault {
            tracing::error!(target: "palisade::login", request_id = %Asked::RequestId, %error, "a login cannot be finished");
        }
        let severity = if fault.is_attack() { Severity::Medium } else { Severity::Low };
        Event::Failed(fault.code(), severity).emit(self.issuer(), "-");
        let page = self.0.pages.failed.as_deref().and_then(|page| go(page).ok());
        page.unwrap_or_else(|| said(fault.status(), "The login did not succeed. Please try again.\n"))
    }
}

/// Whatever is said of a request in events is known before it is looked at.
async fn known(State(login): State<Login>, request: Request, next: Next) -> Response {
    login.0.counters.answer(request, next, login.now().ok()).await
}

async fn begin(State(login): State<Login>, request: Request) -> Response {
    login.begin(request.uri().query()).unwrap_or_else(|fault| login.failed(&fault))
}

async fn finish(State(login): State<Login>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let mut response = match login.finish_counted(&parts).await {
        Ok(response) => response,
        Err(fault) => {
            let failed = login.failed(&fault);
            if fault.is_guess() { login.guessed(&parts).await.unwrap_or(failed) } else { failed }
        }
    };
    if let Some(cookie) = cookies::clear(PENDING) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

async fn log_out(State(login): State<Login>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if cross_site::judge(&parts.method, &parts.headers, Some(&login.0.origin)).is_err() {
        Event::CrossSite.emit(login.issuer(), "-");
        return said(StatusCode::FORBIDDEN, "Only our own pages log out.\n");
    }
    login.log_out(&parts.headers).await.unwrap_or_else(|fault| {
        tracing::error!(target: "palisade::login", request_id = %Asked::RequestId, why = fault.code(), "a session cannot be ended");
        said(fault.status(), "The logout did not succeed. Please try again.\n")
    })
}

/// Where `return_to` leads, if that is said once and stays here.
fn way_back(query: Option<&str>) -> Result<String, Fault> {
    let mut ways = query.unwrap_or_default().split('&').filter_map(|pair| pair.strip_prefix("return_to="));
    let Some(way) = ways.next() else { return Ok("/".to_owned()) };
    let way = form_decoded(way).map_err(|_| Fault::ReturnTo)?;
    if ways.next().is_some() || !return_to::is_ours(&way) {
        return Err(Fault::ReturnTo);
    }
    Ok(way.into_owned())
}

/// Sends a browser on, by GET.
fn go(to: &str) -> Result<Response, Fault> {
    let to = HeaderValue::try_from(to).map_err(|_| LoginError::Crypto)?;
    let mut response = said(StatusCode::SEE_OTHER, "");
    response.headers_mut().insert(header::LOCATION, to);
    Ok(response)
}

fn too_many(TooMany(wait): TooMany) -> Response {
    let mut response = said(StatusCode::TOO_MANY_REQUESTS, "Too many attempts. Please try again later.\n");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
    response
}

pub(super) fn said(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_said_once_and_stays_here() {
        let way = |query| way_back(query).ok();
        assert_eq!(way(None).as_deref(), Some("/"));
        assert_eq!(way(Some("a=b")).as_deref(), Some("/"));
        assert_eq!(way(Some("return_to=%2Faccounts%3Fa%3D1")).as_deref(), Some("/accounts?a=1"));
        for bad in [
            "return_to=",
            "return_to=//evil.example",
            "return_to=%2F%2Fevil.example",
            "return_to=/%5Cevil.example",
            "return_to=https://evil.example",
            "return_to=/a&return_to=/b",
            "return_to=%",
            "return_to=/%00",
        ] {
            assert_eq!(way(Some(bad)), None, "{bad}");
        }
    }
}
