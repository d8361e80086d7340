//! Hand-written axum with `jsonwebtoken`: the checks that a careful team would write for the signed operation.

use std::io;
use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;

use crate::bare::{Detail, Item};
use crate::credentials;

struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "a handler would read who calls")]
pub(crate) struct Claims {
    sub: String,
    scope: String,
}

pub(crate) async fn serve() -> io::Result<()> {
    let key = DecodingKey::from_secret(credentials::SECRET);
    let verifier = Arc::new(Verifier { key, validation: validation() });
    let app = Router::new()
        .route("/signed/items/{id}", get(item))
        .layer(from_fn(answer_headers))
        .with_state(verifier);
    axum::serve(crate::listener().await?, app).await
}

/// What a token must satisfy, as far as `jsonwebtoken` checks it.
pub(crate) fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&["https://id.example.com"]);
    validation.set_audience(&["bench"]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_nbf = true;
    validation.leeway = 30;
    validation
}

async fn item(
    State(verifier): State<Arc<Verifier>>,
    Path(id): Path<String>,
    Query(query): Query<Detail>,
    headers: HeaderMap,
) -> Result<Json<Item>, Response> {
    let claims = authenticate(&verifier, &headers).ok_or_else(|| StatusCode::UNAUTHORIZED.into_response())?;
    if !claims.scope.split(' ').any(|scope| scope == "items:read") {
        return Err(StatusCode::FORBIDDEN.into_response());
    }
    let detail = query.detail.unwrap_or(1);
    if !is_uuid(&id) || !(0..=9).contains(&detail) {
        return Err(StatusCode::BAD_REQUEST.into_response());
    }
    Ok(Json(Item { id, name: "a thing", price: 1250, detail }))
}

fn authenticate(verifier: &Verifier, headers: &HeaderMap) -> Option<Claims> {
    let token = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    decode::<Claims>(token, &verifier.key, &verifier.validation).ok().map(|token| token.claims)
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The answer headers of the OWASP REST cheat sheet, as palisade sends them.
async fn answer_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
