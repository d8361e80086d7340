//! What the tests of this folder share: a provider that says what it is and has keys, and a login by it.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{Login, LoginKeys};
use crate::authn::testing::Signer;
use crate::clock::Clock;
use crate::state::State;

/// The name of a provider.
pub(super) async fn provider() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let metadata = json!({
        "issuer": base, "jwks_uri": format!("{base}/jwks"),
        "authorization_endpoint": format!("{base}/authorize"), "token_endpoint": format!("{base}/token"),
    });
    let keys = json!({ "keys": [Signer::new().jwk("p1")] });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let said = if request[..read].starts_with(b"GET /jwks") { &keys } else { &metadata }.to_string();
            let head = format!("content-length: {}\r\nconnection: close", said.len());
            _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{said}").as_bytes()).await;
        }
    });
    base
}

pub(super) async fn login(clock: Clock) -> Login {
    let (keys, state) = (LoginKeys::generate().unwrap(), State::memory_of(10, clock.clone()));
    let builder = Login::builder(&provider().await, "app", "https://app.example.com/callback", state, keys);
    builder.clock(clock).open().await.unwrap()
}
