//! `cargo run -p bank`: a bank on 127.0.0.1:8080, with credentials to try it.

mod tour;

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};

use bank::Bank;
use bank::keys::Keys;
use palisade::Readiness;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // Security events have the target `palisade::security`. They go to stderr; stdout has the tour.
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();

    let data = env::var_os("BANK_DATA").map_or_else(default_data, PathBuf::from);
    std::fs::create_dir_all(&data)?;
    let keys = Keys::open(&data)?;
    let bank = Bank::open(&data).await?;
    let books = bank.books().clone();

    let address = |name, otherwise: &str| env::var(name).unwrap_or_else(|_| otherwise.to_owned());
    let listener = TcpListener::bind(address("BANK_LISTEN", "127.0.0.1:8080")).await?;
    // whether it is alive and ready is for who runs it, on a listener that clients do not reach
    let readiness = Readiness::new();
    let health = readiness.listen(address("BANK_HEALTH", "127.0.0.1:9000")).await?;
    tour::show(listener.local_addr()?, health, &data, &keys)?;
    let (tokens, partners, cursors, answers) = keys.into_parts()?;
    let server = bank::server(bank, tokens, partners, cursors, answers)?;
    palisade::serve(server).listener(listener).readiness(&readiness).await?; // until Ctrl-C
    books.close().await;
    Ok(())
}

fn default_data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}
