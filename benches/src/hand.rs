//! Hand-written axum with `jsonwebtoken`: the checks that a careful team would write for the signed operation.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use governor::middleware::StateInformationMiddleware;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;

use crate::bare::{Detail, Item};
use crate::credentials;

struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

#[derive(Deserialize)]
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

type Buckets<K> = DefaultKeyedRateLimiter<K, StateInformationMiddleware>;

/// As many as the document of the guarded server lets through.
const RATE: NonZeroU32 = NonZeroU32::new(1_000_000).unwrap();

struct Limits {
    by_address: Buckets<IpAddr>,
    by_subject: Buckets<String>,
}

/// The same server, which counts by address and by subject as well, and tells where the caller stands.
pub(crate) async fn serve_limited() -> io::Result<()> {
    let buckets = Quota::per_second(RATE);
    let limits = Limits {
        by_address: RateLimiter::keyed(buckets).with_middleware(),
        by_subject: RateLimiter::keyed(buckets).with_middleware(),
    };
    let key = DecodingKey::from_secret(credentials::SECRET);
    let verifier = Arc::new(Verifier { key, validation: validation() });
    let app = Router::new()
        .route("/signed/items/{id}", get(limited_item))
        .layer(from_fn(answer_headers))
        .with_state((verifier, Arc::new(limits)));
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(crate::listener().await?, app).await
}

async fn limited_item(
    State((verifier, limits)): State<(Arc<Verifier>, Arc<Limits>)>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    path: Path<String>,
    query: Query<Detail>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let refused = |_| StatusCode::TOO_MANY_REQUESTS.into_response();
    let by_address = limits.by_address.check_key(&from.ip()).map_err(refused)?;
    let claims = authenticate(&verifier, &headers).ok_or_else(|| StatusCode::UNAUTHORIZED.into_response())?;
    let by_subject = limits.by_subject.check_key(&claims.sub).map_err(refused)?;
    let remaining = by_address.remaining_burst_capacity().min(by_subject.remaining_burst_capacity());
    let answer = answer(&claims, path, query).map_err(IntoResponse::into_response)?;
    let mut response = answer.into_response();
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-limit", RATE.get().into());
    headers.insert("x-ratelimit-remaining", remaining.into());
    Ok(response)
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
    path: Path<String>,
    query: Query<Detail>,
    headers: HeaderMap,
) -> Result<Json<Item>, Response> {
    let claims = authenticate(&verifier, &headers).ok_or_else(|| StatusCode::UNAUTHORIZED.into_response())?;
    answer(&claims, path, query).map_err(IntoResponse::into_response)
}

fn answer(
    claims: &Claims,
    Path(id): Path<String>,
    Query(query): Query<Detail>,
) -> Result<Json<Item>, StatusCode> {
    if !claims.scope.split(' ').any(|scope| scope == "items:read") {
        return Err(StatusCode::FORBIDDEN);
    }
    let detail = query.detail.unwrap_or(1);
    if !is_uuid(&id) || !(0..=9).contains(&detail) {
        return Err(StatusCode::BAD_REQUEST);
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
