//! What comes next of a seed (SplitMix64): a run that failed is repeated by its seed.

use std::time::UNIX_EPOCH;

pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Of the seed that the environment names, or else of `otherwise`; it is printed.
    pub fn of(variable: &str, otherwise: u64) -> Self {
        let seed = std::env::var(variable).map_or(otherwise, |seed| seed.parse().unwrap());
        println!("{variable}={seed}");
        Self(seed)
    }

    /// Another seed with every run.
    pub fn now() -> u64 {
        u64::try_from(UNIX_EPOCH.elapsed().unwrap().as_nanos()).unwrap()
    }

    pub const fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// One of its own, for who rolls at the same time.
    pub const fn split(&mut self) -> Self {
        Self(self.below(u64::MAX))
    }
}

/// The key of the call of this name: as one that was drawn at random, and the same each time.
pub fn key_of(name: &str) -> String {
    let seed = name.bytes().fold(0, |seed, byte| Dice(seed ^ u64::from(byte)).below(u64::MAX));
    let mut dice = Dice(seed);
    format!("{:016x}{:016x}", dice.below(u64::MAX), dice.below(u64::MAX))
}
