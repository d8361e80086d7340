//! A server with `/slow`, which takes a second, and one beside it that says whether the first is ready. It says where both
//! listen, and stops as any does.

use std::error::Error;
use std::future::IntoFuture;
use std::io::Write;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use palisade::{Readiness, serve};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (listener, probed) =
        (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
    let addresses = format!("{} {}\n", listener.local_addr()?, probed.local_addr()?);
    let readiness = Readiness::new();
    tokio::spawn(readiness.serve().listener(probed).into_future());
    std::io::stdout().lock().write_all(addresses.as_bytes())?;
    serve(Router::new().route("/slow", get(slow))).listener(listener).readiness(&readiness).await?;
    Ok(())
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(1)).await;
    "done"
}
