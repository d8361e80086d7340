//! A server with `/slow`, which takes a second, and `/readiness`, where another says whether this one is ready. It says where
//! it listens, and stops as any does. `ready-server LOG` writes its log there.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use palisade::{Readiness, serve};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if let Some(log) = std::env::args_os().nth(1) {
        tracing_subscriber::fmt().with_ansi(false).with_writer(File::create(log)?).init();
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let readiness = Readiness::new();
    let (here, there) = (listener.local_addr()?, readiness.listen("127.0.0.1:0").await?);
    let router = Router::new()
        .route("/slow", get(slow))
        .route("/readiness", get(move || async move { there.to_string() }));
    std::io::stdout().lock().write_all(format!("{here}\n").as_bytes())?;
    serve(router).listener(listener).readiness(&readiness).await?;
    Ok(())
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(1)).await;
    "done"
}
