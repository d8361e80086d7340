//! The endpoints of an issuer, for an application that mounts them.
//!
//! | | |
//! |---|---|
//! | `POST <issuer>/token` | `refresh_token` (RFC 6749 section 6), `client_credentials` (section 4.4) |
//! | `POST <issuer>/revoke` | RFC 7009 |
//! | `GET <issuer>/jwks` | RFC 7517 section 5 |
//! | `GET /.well-known/oauth-authorization-server<path of the issuer>` | RFC 8414 section 3 |
//!
//! Rules:
//! 1. the client is authenticated before anything else is looked at;
//! 2. a proof of possession (RFC 9449 section 5) that comes with a request is judged, needed or not;
//! 3. an answer of the first two is never kept by a cache (RFC 6749 section 5.1), and says no more than the code of an error;
//! 4. attempts that fail are counted by the rules of [`attempts`](crate::authn::attempts), as those at API keys are: a secret of a
//!    client for that client and for the network, a refresh token that is not good for the network. What is good gets in
//!    whatever was counted. When there are too many the answer is 429;
//! 5. an issuer that cannot do its part answers 503 with `Retry-After`, and the event or the log says why.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::clients::{Client, Clients, Unknown};
use super::error::{GrantError, IssuerError, RevokeError};
use super::event::Event;
use super::{Asking, Issuer, ProvenKey, Tokens};
use crate::ProofFault;
use crate::authn::attempts::TooMany;
use crate::event::Asked;
use crate::form::{Form, is_scope};

pub(super) const TOKEN: &str = "/token";
pub(super) const REVOKE: &str = "/revoke";
pub(super) const JWKS: &str = "/jwks";
/// Verifiers may keep the keys for so long: far shorter than the next key is published before it signs.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const JWK_SET: HeaderValue = HeaderValue::from_static("application/jwk-set+json");

#[derive(Clone, Debug)]
struct Desk {
    issuer: Issuer,
    clients: Clients,
}

/// An error answer of RFC 6749 section 5.2.
struct Refused {
    status: StatusCode,
    code: &'static str,
    retry_after: Option<u64>,
}

impl Issuer {
    /// The endpoints, at the paths that the metadata name: below the path of the issuer's name.
    ///
    /// Attempts that fail are counted; requests are not. A limit on those is for the server in front.
    pub fn router(&self, clients: Clients) -> Router {
        let path = self.path();
        let desk = Desk { issuer: self.clone(), clients };
        Router::new()
            .route(&format!("{path}{TOKEN}"), post(token))
            .route(&format!("{path}{REVOKE}"), post(revoke))
            .route(&format!("{path}{JWKS}"), get(jwks))
            .route(&format!("/.well-known/oauth-authorization-server{path}"), get(metadata))
            .route_layer(from_fn_with_state(desk.clone(), known))
            .with_state(desk)
    }

    /// The path of its name.
    fn path(&self) -> &str {
        let rest = self.name().split_once("://").map_or("", |(_, rest)| rest);
        rest.find('/').and_then(|start| rest.get(start..)).unwrap_or_default()
    }
}

/// Whatever is said of a request in events is known before it is looked at.
async fn known(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    desk.issuer.0.counters.answer(request, next, desk.issuer.now().ok()).await
}

async fn token(State(desk): State<Desk>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = async {
        let form = Form::receive(&parts.headers, body).await.map_err(|_| Refused::request())?;
        let client = desk.client(&parts, &form).await?;
        let scope = form.get("scope");
        if scope.is_some_and(|scope| !is_scope(scope)) {
            return Err(GrantError::Scope.into());
        }
        let grant = form.get("grant_type").ok_or_else(Refused::request)?;
        let key = desk.issuer.proven_key(parts.method.as_str(), parts.uri.path(), &parts.headers)?;
        if client.must_prove() && key.is_none() {
            return Err(GrantError::Proof(ProofFault::Missing).into());
        }
        match grant {
            "refresh_token" => {
                let token = form.get("refresh_token").ok_or_else(Refused::request)?;
                let asking = Asking { client: client.id(), public: client.is_public(), scope, key };
                match desk.issuer.renew(token, &asking).await {
                    Err(GrantError::Invalid) => Err(desk.unknown(&parts, token).await?),
                    renewed => Ok(renewed?),
                }
            }
            "client_credentials" => desk.for_itself(client, scope, key).await,
            _ => Err(Refused::bad("unsupported_grant_type")),
        }
    };
    match answer.await {
        Ok(tokens) => tokens.into_response(),
        Err(refused) => refused.into_response(),
    }
}

async fn revoke(State(desk): State<Desk>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = async {
        let form = Form::receive(&parts.headers, body).await.map_err(|_| Refused::request())?;
        let client = desk.client(&parts, &form).await?;
        // `token_type_hint` is not needed: the two kinds do not look alike (RFC 7009 section 2.1)
        let token = form.get("token").ok_or_else(Refused::request)?;
        Ok::<_, Refused>(desk.issuer.revoke(token, client.id()).await?)
    };
    match answer.await {
        Ok(()) => answered(StatusCode::OK, None),
        Err(refused) => refused.into_response(),
    }
}

async fn jwks(State(desk): State<Desk>) -> Response {
    published(JWK_SET, desk.issuer.jwks().await)
}

async fn metadata(State(desk): State<Desk>) -> Response {
    published(JSON, desk.issuer.metadata())
}

impl Desk {
    async fn client(&self, parts: &Parts, form: &Form) -> Result<&Client, Refused> {
        match self.clients.authenticate(&parts.headers, form) {
            Ok(client) => Ok(client),
            Err(Unknown::Request) => Err(Refused::request()),
            Err(Unknown::Client) => {
                Event::UnknownClient.emit(&self.issuer.nobody("-"));
                let claimed = Clients::claimed(&parts.headers, form);
                let claimed = claimed.as_deref().map(|client| (self.issuer.name(), client));
                self.issuer.attempts(parts)?.guessed(claimed).await?;
                Err(Refused { status: StatusCode::UNAUTHORIZED, code: "invalid_client", retry_after: None })
            }
        }
    }

    /// How a refresh token is refused that is not good.
    async fn unknown(&self, parts: &Parts, token: &str) -> Result<Refused, Refused> {
        self.issuer.attempts(parts)?.unknown(token).await?;
        Ok(GrantError::Invalid.into())
    }

    async fn for_itself(
        &self,
        client: &Client,
        scope: Option<&str>,
        key: Option<ProvenKey>,
    ) -> Result<Tokens, Refused> {
        let granted = client.scope_for_itself(scope).ok_or_else(|| Refused::bad("unauthorized_client"))?;
        let scope = granted.map_err(|()| Refused::from(GrantError::Scope))?;
        Ok(self.issuer.token_for_client(client.id(), scope, key.as_ref()).await?)
    }
}

fn published(media_type: HeaderValue, text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, KEPT),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, text).into_response()
}

/// RFC 6749 section 5.1: never kept.
fn answered(status: StatusCode, body: Option<Value>) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(body) = body {
        headers.insert(header::CONTENT_TYPE, JSON);
        *response.body_mut() = Body::from(body.to_string());
    }
    response
}

/// The answer of RFC 6749 section 5.1, for an application with an endpoint of its own.
impl IntoResponse for Tokens {
    fn into_response(self) -> Response {
        // looked at to be handed to their client
        let mut body = json!({
            "access_token": self.access.expose(),
            "token_type": self.token_type,
            "expires_in": self.expires_in.as_secs(),
        });
        let refresh = self.refresh.as_ref().map(|token| Value::from(token.expose().as_str()));
        let scope = (!self.scope.is_empty()).then(|| Value::from(self.scope.as_str()));
        for (name, value) in [("refresh_token", refresh), ("scope", scope)] {
            if let (Some(members), Some(value)) = (body.as_object_mut(), value) {
                members.insert(name.to_owned(), value);
            }
        }
        answered(StatusCode::OK, Some(body))
    }
}

/// The answer of RFC 6749 section 5.2.
impl IntoResponse for GrantError {
    fn into_response(self) -> Response {
        Refused::from(self).into_response()
    }
}

/// The answer of RFC 7009 section 2.2.1.
impl IntoResponse for RevokeError {
    fn into_response(self) -> Response {
        Refused::from(self).into_response()
    }
}

impl Refused {
    const fn bad(code: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, retry_after: None }
    }

    const fn request() -> Self {
        Self::bad("invalid_request")
    }

    fn unavailable(error: &IssuerError, code: &'static str) -> Self {
        tracing::error!(target: "palisade::issuer", request_id = %Asked::RequestId, %error, "the issuer cannot do its part");
        Self { status: StatusCode::SERVICE_UNAVAILABLE, code, retry_after: Some(1) }
    }

    fn into_response(self) -> Response {
        let mut response = answered(self.status, Some(json!({ "error": self.code })));
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 6749 section 5.2 asks for it where `Authorization` was used, RFC 9110 section 15.5.2 with every 401
            let challenge = HeaderValue::from_static(r#"Basic realm="clients", charset="UTF-8""#);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<TooMany> for Refused {
    fn from(TooMany(wait): TooMany) -> Self {
        GrantError::TooMany { wait: Duration::from_secs(wait) }.into()
    }
}

impl From<GrantError> for Refused {
    fn from(error: GrantError) -> Self {
        let code = error.code();
        match error {
            GrantError::Invalid | GrantError::Proof(_) | GrantError::Scope => Self::bad(code),
            GrantError::TooMany { wait } => {
                Self { status: StatusCode::TOO_MANY_REQUESTS, code, retry_after: Some(wait.as_secs().max(1)) }
            }
            GrantError::Unavailable(error) => Self::unavailable(&error, code),
        }
    }
}

impl From<RevokeError> for Refused {
    fn from(error: RevokeError) -> Self {
        let code = error.code();
        match error {
            RevokeError::Foreign | RevokeError::Unsupported => Self::bad(code),
            RevokeError::Unavailable(error) => Self::unavailable(&error, code),
        }
    }
}
