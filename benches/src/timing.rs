//! Calls within this process, in rounds.
//!
//! Each of the three of a round comes first, second and third equally often, and begins with a call that is not counted where it is one of
//! many: whoever follows itself finds its code and data in faster memory than who follows another. Where in a line of memory their stacks
//! begin decides over a hundredth, and which place is good only chance says: each round moves all three on by a quarter of a line.

use std::hint::black_box;
use std::io;
use std::time::Instant;

use crate::cpu;
use crate::table::{Ratios, median};

/// The baseline, ours, and the baseline again, so many rounds: what drifts within a round moves all of them.
pub(crate) fn compare(rounds: usize, calls: usize, baseline: impl FnMut(), ours: impl FnMut()) -> Ratios {
    compare_by(cpu::of_this_process, rounds, calls, baseline, ours)
}

/// The same in time that is waited: for what is mostly that.
pub(crate) fn compare_waits(
    rounds: usize,
    calls: usize,
    baseline: impl FnMut(),
    ours: impl FnMut(),
) -> Ratios {
    let began = Instant::now();
    let waited = || u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
    compare_by(waited, rounds, calls, baseline, ours)
}

fn compare_by(
    clock: impl Fn() -> u64,
    rounds: usize,
    calls: usize,
    mut baseline: impl FnMut(),
    mut ours: impl FnMut(),
) -> Ratios {
    let mut ratios = Ratios::new();
    for round in 0..rounds {
        let [mut first, mut second, mut own] = [0.0; 3];
        for turn in 0..3 {
            let (of, call): (_, &mut dyn FnMut()) = match (round + turn) % 3 {
                0 => (&mut first, &mut baseline),
                1 => (&mut own, &mut ours),
                _ => (&mut second, &mut baseline),
            };
            *of = moved_on(round, || cost(&clock, calls, call));
        }
        ratios.round(first, second, own);
    }
    ratios
}

/// On a stack that begins elsewhere in a line of memory.
fn moved_on(round: usize, act: impl FnOnce() -> f64) -> f64 {
    #[inline(never)]
    fn by<const BYTES: usize>(act: impl FnOnce() -> f64) -> f64 {
        let room = [0_u8; BYTES];
        black_box(&room);
        let acted = act();
        black_box(&room);
        acted
    }
    match round % 4 {
        0 => by::<0>(act),
        1 => by::<16>(act),
        2 => by::<32>(act),
        _ => by::<48>(act),
    }
}

/// The median over the rounds, in nanoseconds.
pub(crate) fn typical(rounds: usize, calls: usize, mut call: impl FnMut()) -> f64 {
    let mut costs: Vec<_> = (0..rounds).map(|_| cost(&cpu::of_this_process, calls, &mut call)).collect();
    median(&mut costs)
}

/// What always holds, to be called again and again; not measured when it does not hold the first time.
pub(crate) fn holds(mut call: impl FnMut() -> bool) -> io::Result<impl FnMut()> {
    match call() {
        true => Ok(move || _ = black_box(call())),
        false => Err(io::Error::other("what is to be measured does not work")),
    }
}

/// How many are made where so many are counted.
pub(crate) const fn calls_made(calls: usize) -> usize {
    if calls > 1 { calls + 1 } else { calls }
}

/// Nanoseconds a call.
fn cost(clock: &impl Fn() -> u64, calls: usize, call: &mut dyn FnMut()) -> f64 {
    (calls..calls_made(calls)).for_each(|_| call());
    let before = clock();
    (0..calls).for_each(|_| call());
    (clock() - before) as f64 / calls as f64
}
