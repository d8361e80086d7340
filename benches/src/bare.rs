//! Bare axum: the same handlers, no checks.

use std::io;

use axum::extract::{Path, Query};
use axum::http::StatusCode;
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

async fn item(Path(id): Path<String>, Query(query): Query<Detail>) -> Json<Item> {
    Json(Item { id, name: "a thing", price: 1250, detail: query.detail.unwrap_or(1) })
}

async fn order(Json(order): Json<Order>) -> (StatusCode, Json<Recorded>) {
    (StatusCode::CREATED, Json(Recorded { lines: order.lines.len() }))
}
