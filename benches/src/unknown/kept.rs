//! Keys in a state: in memory, in a file, and in Redis. What is waited for is measured in time that is waited.

use std::io;

use palisade::measure::Keys;
use palisade::operation::{Document, ErrorForm, Scheme, SchemeKind};
use palisade::{ApiKeys, Clock, KeyAdmin, KeyPeppers, KeyRequest, State};
use tokio::runtime::Runtime;

use super::{RULES, SHOWN, Turns};
use crate::stores::Server;
use crate::{table, timing};

static DOCUMENT: Document = Document {
    title: "Bench",
    version: "1",
    hash: "",
    schemes: &[Scheme { name: "key", kind: SchemeKind::ApiKey(RULES) }],
    limits: &[],
    errors: ErrorForm::Envelope,
};

/// In a thread of its own, for it waits within a runtime of its own.
pub(super) fn measure(rounds: usize, calls: usize) -> io::Result<bool> {
    let measuring = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        compare(&runtime, rounds, calls)
    });
    measuring.join().map_err(|_| io::Error::other("the measuring thread died"))?
}

fn compare(runtime: &Runtime, rounds: usize, calls: usize) -> io::Result<bool> {
    let keys = Shown::new(runtime, State::memory(), 10_000)?;
    let now = Clock::system().now().map_err(io::Error::other)?;
    let [known, unknown] = keys.refused(calls, |keys, text| !keys.accept_at_once(text, now))?;
    let mut alike = print("in a state in memory", &mut timing::compare(rounds, calls, known, unknown));
    let folder = tempfile::tempdir()?;
    let waits = |what, keys: &Shown| {
        let calls = calls / 20;
        let [known, unknown] = keys.refused(calls, |keys, text| !runtime.block_on(keys.accept(text, now)))?;
        Ok::<_, io::Error>(print(what, &mut timing::compare_waits(rounds, calls, known, unknown)))
    };
    let state = State::open(folder.path().join("state")).map_err(io::Error::other)?;
    alike &= waits("in a state in a file", &Shown::new(runtime, state, 1000)?)?;
    let Ok(server) = Server::start(folder.path()) else {
        table::note("    not measured in Redis: there is no redis-server on the PATH");
        return Ok(alike);
    };
    let (state, _) = runtime.block_on(server.connect())?;
    Ok(alike & waits("in a state in Redis", &Shown::new(runtime, state, 1000)?)?)
}

fn print(what: &str, ratios: &mut table::Ratios) -> bool {
    table::interval(&format!("API key of nobody / another secret of a known id, {what}"), ratios)
}

/// Keys that are shown in turn.
struct Shown {
    state: State,
    known: Vec<String>,
    unknown: Vec<String>,
}

impl Shown {
    /// So many in this state, of which some are shown, and as many that are in another one.
    fn new(runtime: &Runtime, state: State, count: usize) -> io::Result<Self> {
        let known = made(runtime, &state, count)?.into_iter().step_by(count / SHOWN).collect();
        Ok(Self { state, known, unknown: made(runtime, &State::memory(), SHOWN)? })
    }

    /// The known and the unknown ones, in rounds of so many calls. The secrets are wrong because the peppers of who judges are others,
    /// under the same id.
    fn refused(
        &self,
        calls: usize,
        refuses: impl Fn(&Keys, &str) -> bool + Copy,
    ) -> io::Result<[impl FnMut(); 2]> {
        let refused = |texts: Vec<String>| {
            let keys = Keys::new(&RULES, ApiKeys::kept_in(self.state.clone(), "bench").peppers(peppers()?));
            let mut turns = Turns::of(calls);
            timing::holds(move || turns.next(&texts).is_some_and(|text| refuses(&keys, text)))
        };
        Ok([refused(self.known.clone())?, refused(self.unknown.clone())?])
    }
}

fn peppers() -> io::Result<KeyPeppers> {
    KeyPeppers::generate("bench").map_err(io::Error::other)
}

fn made(runtime: &Runtime, state: &State, count: usize) -> io::Result<Vec<String>> {
    let keys = ApiKeys::kept_in(state.clone(), "bench").peppers(peppers()?);
    let admin = KeyAdmin::new(&keys, &DOCUMENT, "key").map_err(io::Error::other)?;
    let make = |number: usize| {
        let (owner, scopes) = (format!("owner {number}"), vec!["items:read".to_owned()]);
        let request = KeyRequest { owner, scopes, ..KeyRequest::default() };
        let made = runtime.block_on(admin.create(&request, |_| true)).map_err(io::Error::other)?;
        Ok(made.key.expose().clone()) // looked at to be shown, as a client does
    };
    (0..count).map(make).collect()
}
