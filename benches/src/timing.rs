//! Calls within this process, in rounds.

use std::hint::black_box;
use std::io;

use crate::cpu;
use crate::table::{Ratios, median};

/// The baseline, ours, and the baseline again, so many rounds: what drifts within a round moves both sides.
pub(crate) fn compare(
    rounds: usize,
    calls: usize,
    mut baseline: impl FnMut(),
    mut ours: impl FnMut(),
) -> Ratios {
    let mut ratios = Ratios::new();
    for _ in 0..rounds {
        let (first, ours) = (cost(calls, &mut baseline), cost(calls, &mut ours));
        ratios.round(first, cost(calls, &mut baseline), ours);
    }
    ratios
}

/// The median over the rounds, in nanoseconds.
pub(crate) fn typical(rounds: usize, calls: usize, mut call: impl FnMut()) -> f64 {
    let mut costs: Vec<_> = (0..rounds).map(|_| cost(calls, &mut call)).collect();
    median(&mut costs)
}

/// What always holds, to be called again and again; not measured when it does not hold the first time.
pub(crate) fn holds(mut call: impl FnMut() -> bool) -> io::Result<impl FnMut()> {
    match call() {
        true => Ok(move || _ = black_box(call())),
        false => Err(io::Error::other("what is to be measured does not work")),
    }
}

/// CPU nanoseconds a call.
fn cost(calls: usize, call: &mut impl FnMut()) -> f64 {
    let before = cpu::of_this_process();
    (0..calls).for_each(|_| call());
    (cpu::of_this_process() - before) as f64 / calls as f64
}
