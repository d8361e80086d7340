//! Calls within this process, in rounds.

use std::hint::black_box;
use std::io;

use crate::cpu;
use crate::table::{Ratios, median};

/// The baseline, the baseline again, and ours, so many rounds.
pub(crate) fn compare(
    rounds: usize,
    calls: usize,
    mut baseline: impl FnMut(),
    mut ours: impl FnMut(),
) -> io::Result<Ratios> {
    let mut ratios = Ratios::new();
    for _ in 0..rounds {
        let (first, second) = (cost(calls, &mut baseline)?, cost(calls, &mut baseline)?);
        ratios.round(first, second, cost(calls, &mut ours)?);
    }
    Ok(ratios)
}

/// The median over the rounds, in nanoseconds.
pub(crate) fn typical(rounds: usize, calls: usize, mut call: impl FnMut()) -> io::Result<f64> {
    let mut costs = (0..rounds).map(|_| cost(calls, &mut call)).collect::<io::Result<Vec<_>>>()?;
    Ok(median(&mut costs))
}

/// What always holds, to be called again and again; not measured when it does not hold the first time.
pub(crate) fn holds(mut call: impl FnMut() -> bool) -> io::Result<impl FnMut()> {
    match call() {
        true => Ok(move || _ = black_box(call())),
        false => Err(io::Error::other("what is to be measured does not work")),
    }
}

/// CPU nanoseconds a call.
fn cost(calls: usize, call: &mut impl FnMut()) -> io::Result<f64> {
    let before = cpu::nanoseconds(std::process::id())?;
    (0..calls).for_each(|_| call());
    let spent = cpu::nanoseconds(std::process::id())? - before;
    Ok(spent as f64 / calls as f64)
}
