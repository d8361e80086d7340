//! What `docs/events.md` shows.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::Arc;

use palisade::{EventSink, EventSinkError, Events, Readiness, SecurityEvent, Settings, StoreFuture};
use palisade_tests::waiting::until;
use serde_json::Value;

use crate::desk::{Service, complete, keys};

/// Lines of JSON in a file that grows.
struct Lines(Arc<File>);

impl EventSink for Lines {
    fn write<'a>(&'a self, events: &'a [SecurityEvent]) -> StoreFuture<'a, (), EventSinkError> {
        Box::pin(async move {
            let mut lines = Vec::new();
            for event in events {
                serde_json::to_writer(&mut lines, event).map_err(EventSinkError::new)?;
                lines.push(b'\n');
            }
            let file = Arc::clone(&self.0);
            let written = tokio::task::spawn_blocking(move || {
                (&*file).write_all(&lines)?;
                file.sync_data() // they outlast a machine that loses its power
            });
            written.await.map_err(EventSinkError::new)?.map_err(EventSinkError::new)
        })
    }
}

#[tokio::test]
async fn a_file_is_a_sink() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("events");
    let file = OpenOptions::new().append(true).create(true).open(&path)?;

    let events = Events::to(Lines(Arc::new(file)));
    let settings = Settings::new().events_to(events);
    let readiness = Readiness::new().shared_by(&settings); // says `events` while the sink is away

    let server = complete(Service::default(), keys().1, settings)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let client = palisade_tests::client::Client(listener.local_addr()?);
    tokio::spawn(async move { palisade::serve(server).listener(listener).readiness(&readiness).await });
    let refused = client.get("/payments").send().await;
    until(async || std::fs::read_to_string(&path).is_ok_and(|text| text.ends_with('\n'))).await;
    let line: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
    assert_eq!((&line["event_type"], &line["status"]), (&"authn_missing".into(), &401.into()));
    assert_eq!(line["request_id"], refused.header("x-request-id"));
    Ok(())
}
