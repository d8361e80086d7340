//! Parts of a request alone: the reading of a body, the decision over rate limits, and the sealing and opening of cursors.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::rc::Rc;
use std::time::Duration;

use governor::clock::FakeRelativeClock;
use governor::{Quota, RateLimiter};
use palisade::CursorKeys;
use palisade::measure::{Cursors, Limits};
use palisade::operation::{Advertise, CountedOn, Counter, Counting, Limit, OnOutage, Per};
use palisade::types::Uuid;

use crate::table::{self, Ratios};
use crate::{bare, cpu, credentials, guarded, timing};

const SECOND: Duration = Duration::from_secs(1);

pub(crate) static LIMITS: [Limit; 2] =
    [limit("flood", 1_000_000, SECOND, &[Per::Address]), limit("each", 1_000_000, SECOND, &[Per::Principal])];
/// On what is under way.
pub(crate) static UNDER_WAY: [Limit; 2] =
    [at_once("crowd", 1_000, &[Per::Address]), at_once("own", 1_000, &[Per::Principal])];
/// What is counted under it stays counted.
static HOURLY: [Limit; 1] = [limit("hourly", 1, Duration::from_secs(3600), &[Per::Address])];

const fn limit(name: &'static str, quota: u32, window: Duration, per: &'static [Per]) -> Limit {
    let counter = Counter::TokenBucket;
    Limit {
        name,
        quota,
        window,
        burst: quota,
        counter,
        cost: 1,
        per,
        scope: Counting::Document,
        on: CountedOn::Request,
        on_outage: OnOutage::Local,
        advertise: Advertise::Admitted,
    }
}

const fn at_once(name: &'static str, quota: u32, per: &'static [Per]) -> Limit {
    Limit { counter: Counter::Concurrency, ..limit(name, quota, Duration::ZERO, per) }
}

/// As many callers as have a counter each.
const CALLERS: u32 = 50_000;

pub(crate) fn measure(rounds: usize, calls: usize) -> io::Result<()> {
    table::ratio(
        "2 KB body decoded and checked / serde_json, nothing checked",
        &mut bodies(rounds, calls)?,
        Some(1.10),
    );
    table::figure(
        "two limits decided in memory, 50,000 callers",
        timing::typical(rounds, calls, limits()?),
        "ns",
        Some(300.0),
    );
    let mut alone = timing::compare(rounds, calls, places()?, limits()?);
    table::added("  the same / two places read, the second when the first is there", &mut alone, 0.30);
    let mut others = timing::compare(rounds, calls, buckets()?, limits()?);
    table::ratio("  the same / two keyed token buckets of governor", &mut others, None);
    let taken = timing::typical(rounds, calls, under_way()?);
    table::figure("places under two limits taken and left in memory", taken, "ns", None);
    table::figure("memory that a million addresses add to a full table", flood()?, "KB", None);
    let (seal, open) = cursors()?;
    table::figure("cursor sealed", timing::typical(rounds, calls, seal), "ns", None);
    table::figure("cursor opened", timing::typical(rounds, calls, open), "ns", None);
    Ok(())
}

/// The order of the requests, against the same members without a word on what may stand in them.
fn bodies(rounds: usize, calls: usize) -> io::Result<Ratios> {
    let text = credentials::order().into_bytes();
    let bare = timing::holds(|| serde_json::from_slice::<bare::Order>(&text).is_ok())?;
    let ours = timing::holds(|| guarded::is_order(&text))?;
    Ok(timing::compare(rounds, calls, bare, ours))
}

/// Places for the counters of all callers, half of them free.
const PLACES: usize = 4 * CALLERS as usize;

/// Callers far from each other come one after the other, as they do: their counters are in no cache.
fn spread(turn: u32) -> u32 {
    turn.wrapping_mul(2_654_435_761)
}

/// Callers by number, one after the other, with an address and a name each. The name is made and not looked up: that of a real
/// caller was just read from its token.
struct Callers(u32);

impl Callers {
    fn next(&mut self) -> (u32, Ipv4Addr, [u8; 12]) {
        self.0 = self.0.wrapping_add(1);
        let caller = spread(self.0) % CALLERS;
        let (mut name, mut rest) = (*b"caller-00000", caller);
        for digit in name.iter_mut().rev().take(5) {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        (caller, Ipv4Addr::from_bits(0x0a00_0000 | caller), name)
    }
}

fn limits() -> io::Result<impl FnMut()> {
    let (limits, mut callers) = (Limits::new(PLACES, &LIMITS), Callers(0));
    timing::holds(move || {
        let (_, from, name) = callers.next();
        let subject = str::from_utf8(&name).unwrap_or_default();
        limits.allow(u64::from(callers.0), from.into(), ("https://id.example.com", subject))
    })
}

fn under_way() -> io::Result<impl FnMut()> {
    let (limits, mut callers) = (Limits::new(PLACES, &UNDER_WAY), Callers(0));
    timing::holds(move || {
        let (_, from, name) = callers.next();
        let subject = str::from_utf8(&name).unwrap_or_default();
        limits.pass_at_once(from.into(), ("https://id.example.com", subject))
    })
}

/// What memory alone costs of a decision: a place for each of the two counters of a caller in a table of the same size.
fn places() -> io::Result<impl FnMut()> {
    let (table, mut callers) = (vec![[1_u64; 3]; PLACES], Callers(0));
    let read = move |place: u32| table.get(place as usize % PLACES).map_or(0, |[key, ..]| *key);
    timing::holds(move || {
        let (caller, _, name) = callers.next();
        let first = read(spread(caller).wrapping_add(u32::from(name[0]))) as u32;
        read(spread(caller.wrapping_add(first))) == 1
    })
}

/// A bucket for each address and one for each name, of a library that many use. It asks one after the other: what the first has
/// let through stays charged when the second refuses.
fn buckets() -> io::Result<impl FnMut()> {
    let quota = Quota::per_second(NonZeroU32::MAX);
    let clock = FakeRelativeClock::default(); // ours is told the time as well
    let by_address = RateLimiter::<Ipv4Addr, _, _, _>::dashmap_with_clock(quota, clock.clone());
    let by_name = RateLimiter::<(&str, [u8; 12]), _, _, _>::dashmap_with_clock(quota, clock);
    let mut callers = Callers(0);
    timing::holds(move || {
        let (_, from, name) = callers.next();
        by_address.check_key(&from).is_ok() && by_name.check_key(&("https://id.example.com", name)).is_ok()
    })
}

/// Kilobytes. Each address is a /64 of its own, and none of the counters is free again meanwhile.
fn flood() -> io::Result<f64> {
    let limits = Limits::new(131_072, &HOURLY);
    let come = |numbers: std::ops::Range<u32>| {
        let allowed = |number: &u32| {
            let from = Ipv6Addr::from_bits((0x2001_0db8 << 96) | (u128::from(*number) << 64) | 1);
            limits.allow(u64::from(*number), IpAddr::V6(from), ("https://id.example.com", "nobody"))
        };
        numbers.filter(allowed).count()
    };
    come(0..400_000); // all places are taken, and every page of the table is there
    let before = cpu::resident_kilobytes()?;
    come(400_000..1_400_000);
    Ok(cpu::resident_kilobytes()? - before)
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
