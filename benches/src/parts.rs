//! Parts of a request alone: the decision over rate limits, and the sealing and opening of cursors.

use std::cell::Cell;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::Duration;

use palisade::CursorKeys;
use palisade::measure::{Cursors, Limits};
use palisade::operation::{CountedOn, Counter, Counting, Limit, OnOutage, Per};
use palisade::types::Uuid;

use crate::{table, timing};

static LIMITS: [Limit; 2] = [limit("flood", &[Per::Address]), limit("each", &[Per::Principal])];

const fn limit(name: &'static str, per: &'static [Per]) -> Limit {
    let window = Duration::from_secs(1);
    let counter = Counter::TokenBucket;
    Limit {
        name,
        quota: 1_000_000,
        window,
        burst: 1_000_000,
        counter,
        cost: 1,
        per,
        scope: Counting::Document,
        on: CountedOn::Request,
        on_outage: OnOutage::Local,
    }
}

/// As many callers as have a counter each.
const CALLERS: u32 = 50_000;

pub(crate) fn measure(rounds: usize, calls: usize) -> io::Result<()> {
    let decided = timing::typical(rounds, calls, limits()?);
    table::figure("two limits decided in memory, 50,000 callers", decided, "ns", "-");
    let (seal, open) = cursors()?;
    table::figure("cursor sealed", timing::typical(rounds, calls, seal), "ns", "-");
    table::figure("cursor opened", timing::typical(rounds, calls, open), "ns", "-");
    Ok(())
}

fn limits() -> io::Result<impl FnMut()> {
    let limits = Limits::new(4 * CALLERS as usize, &LIMITS);
    let subjects: Vec<String> = (0..CALLERS).map(|caller| format!("caller-{caller}")).collect();
    let turn = Cell::new(0_u32);
    timing::holds(move || {
        turn.set(turn.get().wrapping_add(1));
        // Callers far from each other come one after the other, as they do: their counters are in no cache.
        let caller = turn.get().wrapping_mul(2_654_435_761) % CALLERS;
        let from = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 | caller));
        let subject = subjects.get(caller as usize).map_or("", String::as_str);
        limits.allow(u64::from(turn.get()), from, ("https://id.example.com", subject))
    })
}

fn cursors() -> io::Result<(impl FnMut(), impl FnMut())> {
    let position: Uuid = "0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b".parse().map_err(io::Error::other)?;
    let keys = CursorKeys::generate().map_err(io::Error::other)?;
    let sealing = Rc::new(Cursors::new(keys));
    let opening = Rc::clone(&sealing);
    let sealed = opening.seal(&position, u64::MAX).ok_or_else(|| io::Error::other("it does not seal"))?;
    let seal = timing::holds(move || sealing.seal(&position, u64::MAX).is_some())?;
    let open = timing::holds(move || opening.open::<Uuid>(&sealed, 1) == Some(position))?;
    Ok((seal, open))
}
