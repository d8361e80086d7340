//! The budgets of the design as one command and one table: what a request costs beside bare and hand-written axum, what its
//! parts cost, and what generation costs. See `README.md` for how to read it.
#![expect(clippy::print_stdout, reason = "a server says where it listens")]

mod asked;
mod bare;
mod cpu;
mod credentials;
mod generation;
mod guarded;
mod hand;
mod load;
mod once;
mod parts;
mod requests;
mod schemes;
mod scratch;
mod sessions;
mod signed;
mod stores;
mod table;
mod timing;
mod tokens;
mod unknown;
mod vouched;

use std::io;

use tokio::runtime::Runtime;

/// How much is measured.
struct Effort {
    rounds: usize,
    /// Requests to each server in a round.
    requests: usize,
    /// Calls within this process in a round.
    calls: usize,
    quick: bool,
}

const FULL: Effort = Effort { rounds: 7, requests: 40_000, calls: 100_000, quick: false };
/// To see that everything answers.
const QUICK: Effort = Effort { rounds: 1, requests: 1_600, calls: 20_000, quick: true };

const USAGE: &str =
    "usage: budgets [--quick] [requests] [schemes] [tokens] [unknown] [once] [stores] [parts] [generation]";

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", "bare"] => bare::serve().await,
        ["serve", "dressed"] => bare::serve_dressed().await,
        ["serve", "hand"] => hand::serve().await,
        ["serve", "hand-limited"] => hand::serve_limited().await,
        ["serve", "palisade"] => guarded::serve_guarded().await,
        ["serve", "provider"] => sessions::serve().await,
        ["generate", document] => generation::report(document),
        ["--quick", subjects @ ..] => measure(&QUICK, subjects).await,
        subjects => measure(&FULL, subjects).await,
    }
}

async fn measure(effort: &Effort, subjects: &[&str]) -> io::Result<()> {
    let known = ["requests", "schemes", "tokens", "unknown", "once", "stores", "parts", "generation"];
    if !subjects.iter().all(|subject| known.contains(subject)) {
        return Err(io::Error::other(USAGE));
    }
    let asked = |subject| subjects.is_empty() || subjects.contains(&subject);
    table::title(effort.rounds);
    if asked("requests") {
        requests::measure(effort.rounds, effort.requests).await?;
    }
    if asked("schemes") {
        schemes::measure(effort.rounds, effort.calls)?;
    }
    if asked("tokens") {
        tokens::measure(effort.rounds, effort.calls)?;
    }
    if asked("unknown") {
        unknown::measure(effort.rounds, effort.calls, effort.quick)?;
    }
    if asked("once") {
        once::measure(effort.rounds, effort.calls)?;
    }
    if asked("stores") {
        stores::measure(effort.rounds, effort.calls)?;
    }
    if asked("parts") {
        parts::measure(effort.rounds, effort.calls)?;
    }
    if asked("generation") {
        generation::measure(effort.rounds.min(3), effort.quick)?;
    }
    Ok(())
}

fn current_thread() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Binds a port of the system's choice and says which.
async fn listener() -> io::Result<tokio::net::TcpListener> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    Ok(listener)
}
