//! What `docs/events.md` shows.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use palisade::{EventSink, EventSinkError, Events, Readiness, SecurityEvent, Settings, StoreFuture};
use palisade_tests::waiting::until;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::desk::{Service, complete, keys};

/// Lines of JSON in a file that grows, and that no other process writes. A thread of its own writes them.
struct Lines(SyncSender<(Vec<u8>, oneshot::Sender<io::Result<()>>)>);

struct Writer {
    file: File,
    /// Where the last line ends that is stored.
    end: u64,
}

impl Lines {
    fn of(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let end = last_line(&mut file)?;
        let (ask, asked) = sync_channel::<(Vec<u8>, oneshot::Sender<_>)>(1); // one more than is being written
        let mut writer = Writer { file, end };
        thread::spawn(move || {
            for (lines, tell) in asked {
                // nobody waits for what was given up: it is given again
                if !tell.is_closed() {
                    _ = tell.send(writer.store(&lines));
                }
            }
        });
        Ok(Self(ask))
    }
}

impl Writer {
    /// All of them, or none.
    fn store(&mut self, lines: &[u8]) -> io::Result<()> {
        self.file.set_len(self.end)?; // a write that failed may have left a part of it
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(lines)?;
        self.file.sync_data()?; // they outlast a machine that loses its power
        self.end += lines.len() as u64;
        Ok(())
    }
}

/// Where the last whole line ends.
fn last_line(file: &mut File) -> io::Result<u64> {
    let (mut end, mut byte) = (file.metadata()?.len(), [0]);
    while end > 0 {
        file.seek(SeekFrom::Start(end - 1))?;
        file.read_exact(&mut byte)?;
        if byte == *b"\n" {
            break;
        }
        end -= 1;
    }
    Ok(end)
}

impl EventSink for Lines {
    fn write<'a>(&'a self, events: &'a [SecurityEvent]) -> StoreFuture<'a, (), EventSinkError> {
        Box::pin(async move {
            let mut lines = Vec::new();
            for event in events {
                serde_json::to_writer(&mut lines, event).map_err(EventSinkError::new)?;
                lines.push(b'\n');
            }
            let (tell, stored) = oneshot::channel();
            // fails while the disk hangs: no more waits for it than this
            self.0.try_send((lines, tell)).map_err(|_| EventSinkError::new("the disk does not answer"))?;
            stored.await.map_err(EventSinkError::new)?.map_err(EventSinkError::new)
        })
    }
}

#[tokio::test]
async fn a_file_is_a_sink() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("events");
    std::fs::write(&path, "{}\n{\"event_type\":\"auth")?; // of a process that was killed

    let events = Events::to(Lines::of(&path)?);
    let settings = Settings::new().events_to(events);
    let readiness = Readiness::new().shared_by(&settings); // says `events` while the sink is away

    let server = complete(Service::default(), keys().1, settings)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let client = palisade_tests::client::Client(listener.local_addr()?);
    tokio::spawn(async move { palisade::serve(server).listener(listener).readiness(&readiness).await });
    let written = async |lines| {
        let text = || std::fs::read_to_string(&path).unwrap();
        until(async || text().ends_with('\n') && text().lines().count() == lines).await;
        let last = text().lines().map(serde_json::from_str::<Value>).next_back();
        last.expect("a line").expect("whole lines only")
    };
    let refused = client.get("/payments").send().await;
    let line = written(2).await;
    assert_eq!((&line["event_type"], &line["status"]), (&"authn_missing".into(), &401.into()));
    assert_eq!(line["request_id"], refused.header("x-request-id"));
    // as a disk that is full leaves it
    OpenOptions::new().append(true).open(&path)?.write_all(b"{\"event_type\":\"auth")?;
    let refused = client.get("/payments").send().await;
    assert_eq!(written(3).await["request_id"], refused.header("x-request-id"));
    Ok(())
}
