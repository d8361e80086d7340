//! The server of `specs/ledger.yaml` in a folder, until it is killed: `ledger-server FOLDER STATE HOW BOOKS`, where `STATE`
//! is `file`, `memory` or the address of a Redis, which then counts its limits as well, `HOW` is `recorded` or `bare`, and
//! `BOOKS` a file or the address of a Postgres. It says where it listens.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use palisade::{AnswerKeys, KeptAnswers, KeptLimits, Settings, SharedLimits, State};
use palisade_tests::ledger::{Books, How, Service, build};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, state, how, at] = arguments.as_slice() else { return Err("FOLDER STATE HOW BOOKS".into()) };
    let folder = PathBuf::from(folder);
    let (state, settings, pause): (_, _, fn() -> _) = match state.as_str() {
        "file" => {
            let state = State::open(folder.join("state"))?;
            let kept = KeptLimits::load(state.clone()).await?;
            (state, Settings::new().limits_kept(kept), pause)
        }
        "memory" => (State::memory(), Settings::new(), pause),
        url => {
            // one that waits as long as a busy machine may need
            let shared = SharedLimits::redis(url, 3).await?.patience(Duration::from_secs(1));
            (State::redis(url).await?, Settings::new().limits_in(shared), short_pause)
        }
    };
    let keys = AnswerKeys::from_list(&std::fs::read_to_string(folder.join("keys"))?)?;
    let how = if how == "bare" { How::Bare } else { How::Recorded };
    let service = Service { books: Books::open(at).await, how, pause };
    let jwks = std::fs::read_to_string(folder.join("jwks"))?;
    // one machine has one clock
    let answers = KeptAnswers::new(state, keys).margin(Duration::ZERO).calls_per_day(1_000_000);
    let server = build(service, &jwks, answers, settings);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    std::io::stdout().lock().write_all(format!("{}\n", listener.local_addr()?).as_bytes())?;
    palisade::serve(server).listener(listener).await?;
    Ok(())
}

/// Up to 8 ms, so that a kill meets every stage of a call.
fn pause() -> Duration {
    below(8000)
}

/// Less, where many write to the same books.
fn short_pause() -> Duration {
    below(1500)
}

fn below(micros: u32) -> Duration {
    let nanos = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().subsec_nanos();
    Duration::from_micros((nanos / 1000 % micros).into())
}
