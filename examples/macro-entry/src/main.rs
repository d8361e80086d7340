//! The smallest server: `PORT=8081 cargo run -p macro-entry`.

use std::env;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use palisade::{ApiKeys, Caller, Clock, NewKey, Problem};
use tokio::net::TcpListener;

palisade::api!("openapi.yaml");

struct Greeter;

impl api::Greeter for Greeter {
    async fn get_status(
        &self,
        _caller: Caller<api::GetStatus>,
        _input: api::GetStatusInput,
    ) -> Result<api::GetStatusOutput, Problem> {
        Ok(api::GetStatusOutput::NoContent)
    }

    async fn greet(
        &self,
        _caller: Caller<api::Greet>,
        input: api::GreetInput,
    ) -> Result<api::GreetOutput, Problem> {
        Ok(api::GreetOutput::Ok(api::Greeting { text: format!("Hello, {}!", input.body.name) }))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let new = NewKey::generate("greeter", "you", &["greet"], Clock::system().now()?, None)?;
    let server = api::server(Greeter).key(ApiKeys::new([new.record])?).build()?;
    let port = env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(8081);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    welcome(listener.local_addr()?, new.key.expose());
    palisade::serve(server).listener(listener).await?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what a person who starts the example reads")]
fn welcome(address: SocketAddr, key: &str) {
    println!("curl -i http://{address}/status");
    println!("curl -i http://{address}/greetings -H 'X-API-Key: {key}' --json '{{\"name\":\"you\"}}'");
}
