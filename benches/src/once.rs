//! What a call costs more when it is done once: the same operation within this process, with and without its key.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use palisade::{AnswerKeys, ApiKeys, Clock, KeptAnswers, NewKey, State};
use tokio::runtime::Runtime;
use tower_service::Service;

use crate::{credentials, guarded, table, timing};

/// Short rounds, as many more of them.
const OFTEN: usize = 9;

/// In a thread of its own, for it waits within a runtime of its own.
pub(crate) fn measure(rounds: usize, calls: usize) -> io::Result<()> {
    let (rounds, calls) = (rounds * OFTEN, calls / 50);
    let measuring = std::thread::spawn(move || compare(rounds, calls));
    measuring.join().map_err(|_| io::Error::other("the measuring thread died"))?
}

fn compare(rounds: usize, calls: usize) -> io::Result<()> {
    let bench = Bench::new(rounds * timing::calls_made(calls) + 2)?;
    for (what, is_new) in [("under a new key, sealed in memory", true), ("that was answered before", false)] {
        let turn = Cell::new(0);
        let plain = timing::holds(|| bench.call("/orders", None))?;
        let once = timing::holds(|| {
            turn.set(turn.get() + 1);
            bench.call("/orders/once", Some(if is_new { turn.get() } else { 0 }))
        })?;
        let what = format!("POST of 2 KB {what} / without a key");
        table::ratio(&what, &mut timing::compare(rounds, calls, plain, once), None);
    }
    Ok(())
}

struct Bench {
    runtime: Runtime,
    server: palisade::Server,
    key: String,
    body: String,
}

impl Bench {
    fn new(records: usize) -> io::Result<Self> {
        let now = Clock::system().now().map_err(io::Error::other)?;
        let made =
            NewKey::generate("bench", "bench", &["orders:write"], now, None).map_err(io::Error::other)?;
        let key = made.key.expose().clone(); // shown, as a client does
        let keys = ApiKeys::new([made.record]).map_err(io::Error::other)?;
        let state = State::memory_of(2 * records, Clock::system()); // answers leave a part of it
        let answers = KeptAnswers::new(state, AnswerKeys::generate().map_err(io::Error::other)?);
        let answers = answers.calls_per_day(u32::MAX).bytes_per_day(1 << 40);
        let server = guarded::guarded(keys, answers)?;
        let runtime = crate::current_thread()?;
        Ok(Self { runtime, server, key, body: credentials::order() })
    }

    /// Whether it was recorded.
    fn call(&self, path: &str, number: Option<usize>) -> bool {
        let mut request = Request::post(path)
            .header("host", "bench")
            .header("x-api-key", &self.key)
            .header("content-type", "application/json")
            .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))));
        if let Some(number) = number {
            request = request.header("idempotency-key", key(number));
        }
        let Ok(request) = request.body(Body::from(self.body.clone())) else { return false };
        let answered = self.runtime.block_on(self.server.clone().call(request));
        answered.is_ok_and(|answer| answer.status() == StatusCode::CREATED)
    }
}

/// As a client draws one.
fn key(number: usize) -> String {
    format!("{:032x}", (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}
