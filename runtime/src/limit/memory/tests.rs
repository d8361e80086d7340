//! The table under floods, with neighbours, and by several threads.

use std::time::Duration;

use super::*;
use crate::limit::gcra::Rate;

const SECOND: u64 = 1_000_000;

/// Ten at once, one back each second.
fn rate() -> Meter {
    Meter::Bucket(Rate::new(10, Duration::from_secs(10), 10))
}

fn key(number: u64) -> Key {
    siphasher::sip::SipHasher13::new().hash(&number.to_le_bytes()) // as real ones are made
}

fn take(table: &Table, now: u64, number: u64, bucket: usize) -> bool {
    table.decide(now, &mut [Ask::new(key(number), bucket, rate(), 1)])
}

fn exhaust(table: &Table, now: u64, number: u64) {
    assert!((0..10).all(|_| take(table, now, number, 0)));
    assert!(!take(table, now, number, 0));
}

#[test]
fn a_flood_neither_grows_the_table_nor_frees_who_is_throttled() {
    const CAPACITY: usize = 4096;
    let table = Table::new(CAPACITY);
    table.add_overflow(0);
    exhaust(&table, SECOND, 0);
    let mut admitted = 0;
    for number in 1..1_000_000 {
        admitted += usize::from(take(&table, SECOND + number / 1_000_000, number, 0));
    }
    assert!(!take(&table, SECOND, 0, 0), "still over its limit");
    let places = table.places();
    assert!(table.live(SECOND) <= places);
    assert!(table.live(SECOND) > CAPACITY * 3 / 4, "most places are used: {}", table.live(SECOND));
    assert!(admitted <= places + 10, "newcomers share one bucket of ten: {admitted}");
    assert!(take(&table, 12 * SECOND, 0, 0), "and it is free when its time has come");
    assert!((2_000_000..2_000_100).all(|number| take(&table, 30 * SECOND, number, 0)), "as are all places");
}

#[test]
fn moving_from_the_shared_bucket_to_a_place_gains_nothing() {
    let table = Table::new(REACH);
    table.add_overflow(0);
    let busy: Vec<u64> = (1..10_000).collect();
    busy.iter().for_each(|number| _ = take(&table, SECOND, *number, 1));
    // No place for this one: it has what the shared bucket has, and no more when a place comes free.
    let mut admitted = (0..20).filter(|_| take(&table, SECOND, 0, 0)).count();
    assert_eq!(admitted, 10);
    for tick in 1..=50 {
        admitted += (0..5).filter(|_| take(&table, SECOND + tick * SECOND / 10, 0, 0)).count();
    }
    assert_eq!(admitted, 15, "burst and five seconds at the rate");
}

#[test]
fn all_or_nothing() {
    let table = Table::new(1024);
    table.add_overflow(0);
    exhaust(&table, SECOND, 1);
    for _ in 0..100 {
        let mut asks = [0, 1, 2].map(|number| Ask::new(key(number), 0, rate(), 1));
        assert!(!table.decide(SECOND, &mut asks));
    }
    for free in [0, 2] {
        exhaust(&table, SECOND, free);
    }
}

#[test]
fn the_same_counter_twice_counts_once() {
    let table = Table::new(1024);
    table.add_overflow(0);
    for round in 0..12 {
        let mut asks = [0, 1].map(|_| Ask::new(key(7), 0, rate(), 1));
        assert_eq!(table.decide(SECOND, &mut asks), round < 10);
    }
}

#[test]
fn many_counters_that_are_new_get_a_place_each() {
    let table = Table::new(REACH);
    table.add_overflow(0);
    // All in one shard, with homes that overlap.
    let crowd = |index: usize| Key::try_from((index << 32) | (index % 4)).unwrap();
    let mut asks: Vec<_> = (1..=16).map(|index| Ask::new(crowd(index), 0, rate(), 1)).collect();
    assert!(table.decide(SECOND, &mut asks));
    assert_eq!(table.live(SECOND), 16);
}

/// Those before it become fresh again, and it does not.
#[test]
fn a_counter_is_found_however_far_from_its_home() {
    let table = Table::new(1);
    let at_one_home = |number: u64| number * REACH as u64; // in one shard, which has so many places
    let take = |now, number| table.decide(now, &mut [Ask::new(at_one_home(number), 0, rate(), 1)]);
    assert!((1..=5).all(|number| take(SECOND, number)));
    assert_eq!((0..20).filter(|_| take(SECOND, 6)).count(), 10);
    assert_eq!((0..20).filter(|_| take(3 * SECOND, 6)).count(), 2, "what came back in two seconds");
}

#[test]
fn threads_together_get_what_one_would() {
    let table = Table::new(1024);
    table.add_overflow(0);
    let admitted: usize = std::thread::scope(|scope| {
        let work = |offset: u64| {
            let table = &table;
            move || {
                let pair = [offset % 4, 100 + offset % 3];
                let ask = |number: u64| Ask::new(key(number), 0, rate(), 1);
                (0..1_000).filter(|_| table.decide(SECOND, &mut pair.map(ask))).count()
            }
        };
        let threads: Vec<_> = (0..8).map(|offset| scope.spawn(work(offset))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(admitted, 30, "the three counters of the second kind hold ten each");
}
