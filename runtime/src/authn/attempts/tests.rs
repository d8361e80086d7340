//! Guesses by the clock: how many, how long they wait, and whom they keep out.

use std::time::Duration;

use futures_util::FutureExt as _;

use super::*;
use crate::clock::Clock;
use crate::flood::grows_by;

const ALICE: &str = "alice";
const HERE: &str = "urn:here";

/// One that is refused says how long to wait.
fn guess(failures: &Failures, clock: &Clock, from: &str, account: Option<&str>) -> Result<(), u64> {
    let attempts = failures.of(from.parse().unwrap(), clock.now().unwrap(), "request");
    let known = account.and_then(|account| attempts.there(HERE, account, account));
    let known = attempts.knows(known).now_or_never().unwrap();
    let counted = attempts.charge(whom(account.is_some(), known), account.map(|name| (HERE, name)), |_| ());
    counted.now_or_never().unwrap().map_err(Reason::wait)
}

fn log_in(failures: &Failures, clock: &Clock, from: &str) {
    let attempts = failures.of(from.parse().unwrap(), clock.now().unwrap(), "request");
    attempts.remember(attempts.there(HERE, ALICE, ALICE)).now_or_never().unwrap();
}

fn start() -> (Failures, Clock) {
    (Failures::new(Most::DEFAULT, true, None, |_| None, None), Clock::fixed(1_800_000_000))
}

#[test]
fn the_wait_grows_and_a_day_has_a_hundred_guesses_at_most() {
    let (failures, clock) = start();
    let (mut guesses, mut waits) = (0, Vec::new());
    for second in 0..24 * 3600_u64 {
        // from another network each time: the account alone is what counts
        let from = format!("2001:db8:{:x}:{:x}::1", second >> 16, second & 0xffff);
        match guess(&failures, &clock, &from, Some(ALICE)) {
            Ok(()) => guesses += 1,
            Err(wait) => waits.push((second, wait)),
        }
        clock.advance(Duration::from_secs(1));
    }
    let longest =
        |from, to| waits.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, wait)| *wait).max();
    assert_eq!(waits[0].0, 5, "five at once");
    // each may have a tenth of jitter on top
    assert!((11..=13).contains(&longest(0, 60).unwrap()), "{waits:?}");
    assert!((170..=198).contains(&longest(300, 3600).unwrap()));
    assert!((1700..=1901).contains(&longest(12 * 3600, 24 * 3600).unwrap()));
    assert!((90..=100).contains(&guesses), "{guesses}");
}

/// Each bucket is one that is full and one that fills again.
#[test]
fn a_network_has_a_minute_an_hour_and_a_day() {
    let (failures, clock) = start();
    let until = |seconds: u64, step: u64| {
        let steps = seconds * 1000 / step;
        let let_in = (0..steps).filter(|_| {
            clock.advance(Duration::from_millis(step));
            guess(&failures, &clock, "192.0.2.1", None).is_ok()
        });
        let_in.count()
    };
    let minute = until(60, 250);
    let hour = minute + until(3540, 500);
    let day = hour + until(23 * 3600, 10_000);
    assert!((55..=60).contains(&minute), "{minute}");
    assert!((225..=240).contains(&hour), "{hour}");
    assert!((570..=600).contains(&day), "{day}");
    assert_eq!(guess(&failures, &clock, "198.51.100.9", None), Ok(()), "another network");
}

#[test]
fn whose_account_it_is_is_spared_where_they_lately_were() {
    let (failures, clock) = start();
    log_in(&failures, &clock, "192.0.2.1");
    while guess(&failures, &clock, "198.51.100.9", Some(ALICE)).is_ok() {}
    assert_eq!(guess(&failures, &clock, "192.0.2.1", Some(ALICE)), Ok(()));
    assert!(guess(&failures, &clock, "192.0.2.2", Some(ALICE)).is_err(), "a network that is new for them");
    assert_eq!(guess(&failures, &clock, "198.51.100.9", Some("bob")), Ok(()), "another account");
    // who guesses in their network finds a door of its own, which closes as soon
    let inside = (0..20).filter(|_| guess(&failures, &clock, "192.0.2.1", Some(ALICE)).is_ok()).count();
    assert_eq!(inside, 4);
}

#[test]
fn a_network_that_is_closed_is_not_for_whom_it_knows() {
    let (failures, clock) = start();
    log_in(&failures, &clock, "192.0.2.1");
    let forged = (0..100).filter(|_| guess(&failures, &clock, "192.0.2.1", None).is_ok()).count();
    assert_eq!(forged, 30);
    assert!(guess(&failures, &clock, "192.0.2.1", Some("bob")).is_err());
    assert_eq!(guess(&failures, &clock, "192.0.2.1", Some(ALICE)), Ok(()));
}

/// A hundred thousand addresses guess at as many accounts, and each is a network that another account is known in; and a
/// hundred thousand sessions that are not there are shown.
#[test]
fn a_flood_of_attempts_takes_no_more_memory() {
    let (failures, clock) = start();
    let grown = grows_by(100_000, |number| {
        let from = std::net::Ipv6Addr::from_bits((0x2001_0db8 << 96) | (u128::from(number) << 64));
        let account = format!("account {number}");
        _ = guess(&failures, &clock, &from.to_string(), Some(&account));
        let attempts = failures.of(from.into(), clock.now().unwrap(), "request");
        attempts.remember(attempts.there(HERE, &account, &account)).now_or_never().unwrap();
        let shown = Credential::Text(account.as_bytes().into());
        _ = attempts.count(Reason::NoSession, None, Some(&shown)).now_or_never().unwrap();
        let flight = failures.flights.board(&*account, std::future::ready(Ok(())));
        _ = flight.now_or_never().unwrap();
    });
    assert!(grown <= 0, "{grown} bytes");
}

/// The network of an organisation, a /48, has tens of thousands of networks, each with guesses of its own.
#[test]
fn who_guesses_at_ever_more_accounts_locks_nobody_out_elsewhere() {
    let (failures, clock) = start();
    for number in 0..120_000_u32 {
        let from = format!("2001:db8:0:{:x}::1", number / 20);
        _ = guess(&failures, &clock, &from, Some(&format!("made up {number}")));
    }
    let tries = (0..200).filter(|number| {
        guess(&failures, &clock, &format!("198.51.{number}.1"), Some(&format!("real {number}"))).is_ok()
    });
    let let_in = tries.count();
    // but for those who share the bucket of that crowd, one in 64
    assert!(let_in >= 180, "{let_in} of 200");
}

#[test]
fn what_was_good_elsewhere_or_before_is_no_guess() {
    use Reason as R;
    for guess in [R::Malformed, R::UnknownIdentity, R::WrongSecret, R::BadSignature, R::UnknownKid] {
        assert!(guess.is_guess());
    }
    for other in [R::Missing, R::Expired, R::Revoked, R::WrongAudience, R::UnsupportedScheme, R::NotBound] {
        assert!(!other.is_guess() && !other.may_be_made_up(), "{other:?}");
    }
    for either in [R::Inactive, R::NoSession, R::UntrustedCertificate] {
        assert!(!either.is_guess() && either.may_be_made_up());
    }
}
