//! Clients that send a byte a second. The server's own patience ends them, and nobody else waits for that.

use std::time::Duration;

use palisade_tests::attacks::Fortress;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Verdicts;
use crate::recipe::Recipe;
use crate::request::{SCOPES, reading};

pub async fn run(fortress: &Fortress, recipe: &Recipe) -> Verdicts {
    let token = fortress.token("alice", SCOPES);
    let head = match recipe.proc.as_deref() {
        Some("slow_headers") => "GET /status HTTP/1.1\r\nX-Slow: ".to_owned(),
        Some("slow_body") => format!(
            "POST /notes HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Content-Length: 1000\r\n\r\n"
        ),
        other => panic!("what is the procedure {other:?}?"),
    };
    let (mut reader, mut writer) = TcpStream::connect(fortress.address).await.unwrap().into_split();
    writer.write_all(head.as_bytes()).await.unwrap();
    let dripping = async {
        while writer.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let others = async {
        loop {
            let answer = reading(fortress).send(fortress.address).await;
            assert_eq!(answer.status, 200, "another client has to wait: {}", answer.text());
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let mut read = Vec::new();
    let seconds = Duration::from_secs(recipe.seconds.expect("how long"));
    let ended = tokio::select! {
        ended = tokio::time::timeout(seconds, reader.read_to_end(&mut read)) => ended.is_ok(),
        () = others => unreachable!("they go on"),
        () = async { dripping.await; std::future::pending::<()>().await } => unreachable!("it never ends"),
    };
    let text = String::from_utf8_lossy(&read);
    let refused = text.is_empty() || text.starts_with("HTTP/1.1 408 ");
    match ended && refused {
        true => Ok(()),
        false => Err(format!("ended: {ended}, {text}")),
    }
}
