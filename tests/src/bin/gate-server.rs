//! The server of `specs/gate.yaml` behind this machine as its proxy: `gate-server FOLDER [away]`. It leaves an API key in `key`, and
//! says where it listens. With `away` it has a sink of events, which stores nothing.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use palisade::cursor::CursorKeys;
use palisade::{
    ApiKeys, Clock, EventSink, EventSinkError, NewKey, SecurityEvent, Settings, StoreFuture, serve,
};
use palisade_tests::gate::{Service, complete};
use palisade_tests::tokens::Signer;
use tokio::net::TcpListener;

/// It stores nothing.
struct Away;

impl EventSink for Away {
    fn write<'a>(&'a self, _: &'a [SecurityEvent]) -> StoreFuture<'a, (), EventSinkError> {
        Box::pin(async { Err(EventSinkError::new("away")) })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("FOLDER")?);
    let key = NewKey::generate("gate_test", "partner", &["notes:read"], Clock::system().now()?, None)?;
    std::fs::write(folder.join("key"), key.key.expose())?; // looked at to be shown by the test
    let (keys, signer) = (ApiKeys::new([key.record])?, Signer::new("k1"));
    let settings = Settings::new().trusted_proxies(["127.0.0.1"])?;
    let settings = if std::env::args_os().len() > 2 { settings.events_to(Away) } else { settings };
    let server = complete(Service::default(), &signer, &keys, settings, CursorKeys::generate()?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    std::io::stdout().lock().write_all(format!("{}\n", listener.local_addr()?).as_bytes())?;
    serve(server).listener(listener).await?;
    Ok(())
}
