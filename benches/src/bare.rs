//! Bare axum: the same handlers, no checks.

use std::io;
use std::sync::LazyLock;

use axum::extract::{Path, Query};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
pub(crate) struct Detail {
    pub(crate) detail: Option<i32>,
}

#[derive(Serialize)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) price: i64,
    pub(crate) detail: i32,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "the members are decoded, as a handler's would be")]
pub(crate) struct Order {
    reference: String,
    customer: String,
    currency: String,
    note: Option<String>,
    pub(crate) lines: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the members are decoded, as a handler's would be")]
pub(crate) struct Line {
    sku: String,
    description: String,
    quantity: i32,
    unit_price: i64,
    discount: Option<i32>,
}

#[derive(Serialize)]
pub(crate) struct Recorded {
    pub(crate) lines: usize,
}

pub(crate) async fn serve() -> io::Result<()> {
    let app = Router::new().route("/items/{id}", get(item)).route("/orders", post(order));
    axum::serve(crate::listener().await?, app).await
}

/// The same item under the headers that palisade's answers carry, ready-made: what they cost alone.
pub(crate) async fn serve_dressed() -> io::Result<()> {
    let app = Router::new().route("/items/{id}", get(dressed_item));
    axum::serve(crate::listener().await?, app).await
}

async fn dressed_item(path: Path<String>, query: Query<Detail>) -> (HeaderMap, Json<Item>) {
    (READY.clone(), item(path, query).await)
}

static READY: LazyLock<HeaderMap> = LazyLock::new(|| {
    let ready = |(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    HEADERS.into_iter().map(ready).collect()
});

/// As an answer of palisade has them, beside those of its content.
const HEADERS: [(&str, &str); 13] = [
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    (
        "permissions-policy",
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), \
         geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), \
         publickey-credentials-get=(), screen-wake-lock=(), sync-xhr=(), usb=(), web-share=(), xr-spatial-tracking=()",
    ),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-request-id", "01a21043-dc2e-7c95-98f8-73d972b0d53e"),
    ("ratelimit-policy", "\"flood\";q=1000000;w=1, \"each\";q=1000000;w=1"),
    ("ratelimit", "\"flood\";r=999999;t=1, \"each\";r=999999;t=1"),
    ("x-ratelimit-limit", "1000000"),
    ("x-ratelimit-remaining", "999999"),
    ("x-ratelimit-reset", "1795569213"),
];

async fn item(Path(id): Path<String>, Query(query): Query<Detail>) -> Json<Item> {
    Json(Item { id, name: "a thing", price: 1250, detail: query.detail.unwrap_or(1) })
}

async fn order(Json(order): Json<Order>) -> (StatusCode, Json<Recorded>) {
    (StatusCode::CREATED, Json(Recorded { lines: order.lines.len() }))
}
