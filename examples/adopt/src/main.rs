//! `PORT=8082 cargo run -p adopt`.

use std::env;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use palisade::dev::{Grant, SigningKey};
use palisade::{ApiKeys, Clock, JwkSet, Jwt, NewKey};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let now = Clock::system().now()?;
    let signer = SigningKey::generate()?;
    let token = signer.token(
        &Grant {
            issuer: "https://id.tasks.example",
            audience: "tasks",
            subject: "alice",
            scopes: &["tasks:read"],
            lifetime: Duration::from_secs(1800),
        },
        now.unix(),
    )?;
    let new = NewKey::generate("tasks", "reporting", &["tasks:search"], now, None)?;
    let tokens = Jwt::new(JwkSet::from_json(&signer.jwks())?).accept_from_loopback_only();
    let app = adopt::app(tokens, ApiKeys::new([new.record])?)?;

    let port = env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(8082);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    welcome(listener.local_addr()?, &token, new.key.expose());
    palisade::serve(app).listener(listener).await?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what a person who starts the example reads")]
fn welcome(address: SocketAddr, token: &str, key: &str) {
    println!("# as it was\ncurl -i http://{address}/");
    println!("# adopted: alice's task, bob's task (404), no token (401)");
    println!("curl -i http://{address}/tasks/1 -H 'Authorization: Bearer {token}'");
    println!("curl -i http://{address}/tasks/2 -H 'Authorization: Bearer {token}'");
    println!("curl -i http://{address}/tasks/1");
    println!("# adopted: the reporting job's search, and one that the document does not allow (400)");
    println!("curl -i 'http://{address}/search?words=water&done=false' -H 'X-API-Key: {key}'");
    println!("curl -i 'http://{address}/search?words=water&limit=1000' -H 'X-API-Key: {key}'");
}
