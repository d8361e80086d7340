//! The table under floods, with neighbours, and by several threads.

use std::time::Duration;

use super::*;
use crate::flood::grows_by;
use crate::limit::dice::Dice;
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

/// Ten in any ten seconds.
fn log() -> Meter {
    Meter::Log(Log::new(10, Duration::from_secs(10)))
}

fn table_with_logs(capacity: usize) -> Table {
    let table = Table::new(capacity);
    table.add_overflow(0);
    table.make_room_for_logs();
    table
}

fn note(table: &Table, now: u64, number: u64, cost: u32) -> bool {
    table.decide(now, &mut [Ask::new(key(number), 0, log(), cost)])
}

#[test]
fn logs_have_room_from_when_one_is_asked_for_and_not_before() {
    let table = Table::new(131_072);
    let places = table.places();
    table.make_room_for_logs();
    let with_logs = table.places();
    assert!((places / 9..places / 6).contains(&(with_logs - places)), "{places} and {with_logs}");
    note(&table, SECOND, 1, 10);
    table.make_room_for_logs();
    assert_eq!((table.places(), note(&table, SECOND, 1, 1)), (with_logs, false), "once");
    // what is kept of as many as there can be fits the records
    let most = Table::new(crate::limit::kept::MOST);
    assert!(most.homes_of_logs + REACH - 1 <= MOST_LOGS);
}

#[test]
fn a_log_of_a_million_strangers_neither_grows_nor_frees_who_is_over_it() {
    let table = table_with_logs(32_768);
    assert!(note(&table, SECOND, 0, 10) && !note(&table, SECOND, 0, 1));
    let mut admitted = 0;
    let grown = grows_by(1_000_000, |number| {
        admitted +=
            usize::from(note(&table, SECOND + u64::from(number) / 1_000_000, u64::from(number) + 1, 1));
    });
    assert_eq!(grown, 0);
    assert!(!note(&table, SECOND, 0, 1), "still over its limit");
    let logs = table.homes_of_logs * SHARDS;
    assert!((logs / 2..logs * 3 / 2).contains(&admitted), "{admitted} of a million for {logs} places");
    assert!(note(&table, 11 * SECOND + 1, 0, 10), "and it is free when its time has come");
}

/// By a clock that is moved at random, many counters at once: of each no more than ten in any ten seconds, whether it had a
/// place or shared a bucket.
#[test]
fn whenever_ten_seconds_begin_no_more_than_ten_pass_of_each_counter() {
    for capacity in [32_768, 1] {
        let table = table_with_logs(capacity);
        let (mut dice, mut now, mut refused) = (Dice(3), SECOND, 0);
        let mut passed: Vec<Vec<(u64, u32)>> = vec![Vec::new(); 40];
        let mut busy = 1_000;
        for _ in 0..40_000 {
            let step = if dice.below(200) == 0 { 12 * SECOND } else { SECOND / 40 };
            now += dice.below(step);
            let number = dice.below(40);
            let cost = u32::try_from(1 + dice.below(3)).unwrap();
            if dice.below(4) == 0 {
                busy += 1; // newcomers, who take places where there are few
                note(&table, now, busy, 1);
            }
            let mut twice = [(); 2].map(|()| Ask::new(key(number), 0, log(), cost));
            match table.decide(now, &mut twice) {
                true if dice.below(10) == 0 => table.give_back(now, now, &twice[0]),
                true => passed[usize::try_from(number).unwrap()].push((now, cost)),
                false => refused += 1,
            }
        }
        for all in &passed {
            for (first, (start, _)) in all.iter().enumerate() {
                let within = all[first..].iter().take_while(|(at, _)| at - start < 10 * SECOND);
                let count: u32 = within.map(|(_, cost)| cost).sum();
                assert!(count <= 10, "{count} from {start} on");
            }
        }
        let all: usize = passed.iter().map(Vec::len).sum();
        assert!(all > 1_000 && refused > 1_000, "{all} passed, {refused} refused");
    }
}

#[test]
fn a_log_and_a_bucket_are_charged_both_or_none() {
    let table = table_with_logs(1024);
    let both = |now, first: u64, second: u64, cost| {
        let mut asks = [Ask::new(key(first), 0, log(), cost), Ask::new(key(second), 0, rate(), cost)];
        table.decide(now, &mut asks)
    };
    assert!(note(&table, SECOND, 1, 9));
    assert!((0..50).all(|_| !both(SECOND, 1, 2, 2)));
    assert!(take(&table, SECOND, 2, 0), "the bucket was not charged");
    exhaust(&table, 3 * SECOND, 3);
    assert!((0..50).all(|_| !both(3 * SECOND, 1, 3, 1)));
    assert!(note(&table, 3 * SECOND, 1, 1) && !note(&table, 3 * SECOND, 1, 1), "nor was the log");
    assert!(both(11 * SECOND, 1, 2, 9), "nine have ended");
    assert!(!both(11 * SECOND, 1, 2, 1));
}

#[test]
fn the_same_log_twice_counts_once() {
    let table = table_with_logs(1024);
    for round in 0..12 {
        let mut asks = [0, 1].map(|_| Ask::new(key(7), 0, log(), 1));
        assert_eq!(table.decide(SECOND, &mut asks), round < 10, "{round}");
    }
}

#[test]
fn what_is_given_back_to_a_log_may_pass_again() {
    let table = table_with_logs(1024);
    assert!(note(&table, SECOND, 1, 4) && note(&table, 2 * SECOND, 1, 6));
    table.give_back(3 * SECOND, SECOND, &Ask::new(key(1), 0, log(), 4));
    assert!(!note(&table, 3 * SECOND, 1, 5));
    assert!(note(&table, 3 * SECOND, 1, 4));
    assert!(!note(&table, 11 * SECOND, 1, 1), "six of two seconds, and four of three");
    assert!(note(&table, 12 * SECOND, 1, 6) && !note(&table, 12 * SECOND, 1, 1));
}
