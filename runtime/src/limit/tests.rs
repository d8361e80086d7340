use std::collections::HashSet;
use std::time::Duration;

use super::seen::Network;
use super::*;
use crate::flood::grows_by;
use crate::operation::{Advertise, CountedOn, Counter, Per};

static FLOOD: Limit = limit("flood", 3, &[Per::Address], Counting::Document);
static MONEY: Limit = limit("money", 2, &[Per::Principal], Counting::Operation);
static WHOLE: Limit = limit("whole", 100, &[Per::Global], Counting::Document);

const fn limit(name: &'static str, burst: u32, per: &'static [Per], scope: Counting) -> Limit {
    Limit {
        name,
        quota: burst,
        window: Duration::from_secs(60),
        burst,
        counter: Counter::TokenBucket,
        cost: 1,
        per,
        scope,
        on: CountedOn::Request,
        on_outage: OnOutage::Local,
        advertise: Advertise::Admitted,
    }
}

fn from(text: &str) -> Network {
    Network::of(text.parse().unwrap())
}

fn seen<'a>(from: Network, principal: Option<(&'a str, &'a str)>) -> Seen<'a> {
    Seen { from, principal, tenant: None, is_claimed: false, values: &[] }
}

const ALICE: Option<(&str, &str)> = Some(("https://id", "alice"));
const BOB: Option<(&str, &str)> = Some(("https://id", "bob"));

fn admitted(limiter: &Limiter, charge: Charge<'_>, times: usize) -> usize {
    admitted_at(limiter, SECOND, charge, times)
}

fn admitted_at(limiter: &Limiter, now: u64, charge: Charge<'_>, times: usize) -> usize {
    (0..times).filter(|_| limiter.decide(now, &[charge]).refused_by().is_none()).count()
}

#[test]
fn each_limit_counts_whom_it_says() {
    let limiter = Limiter::new(1024);
    let (flood, money) = (limiter.rule(&FLOOD, "a"), limiter.rule(&MONEY, "a"));
    let (here, there) = (from("192.0.2.1"), from("192.0.2.2"));
    assert_eq!(admitted(&limiter, flood.charge(&seen(here, ALICE)), 9), 3);
    assert_eq!(admitted(&limiter, flood.charge(&seen(here, BOB)), 9), 0, "one address, whoever asks");
    assert_eq!(admitted(&limiter, flood.charge(&seen(there, ALICE)), 9), 3);
    assert_eq!(admitted(&limiter, money.charge(&seen(here, ALICE)), 9), 2);
    assert_eq!(admitted(&limiter, money.charge(&seen(there, ALICE)), 9), 0, "one principal, wherever from");
    assert_eq!(admitted(&limiter, money.charge(&seen(here, BOB)), 9), 2);
    assert_eq!(admitted(&limiter, money.charge(&seen(here, None)), 9), 2, "without a principal: the address");
    assert_eq!(admitted(&limiter, money.charge(&seen(here, None)), 9), 0);
    assert_eq!(admitted(&limiter, limiter.rule(&WHOLE, "a").charge(&seen(here, ALICE)), 99), 99);
    assert_eq!(admitted(&limiter, limiter.rule(&WHOLE, "b").charge(&seen(there, None)), 9), 1);
}

/// An IPv6 /48 has 65,536 networks, each of which `per: address` counts alone.
#[test]
fn a_network_is_a_48_of_ipv6_and_an_address_of_ipv4() {
    static SITE: Limit = limit("site", 3, &[Per::Network], Counting::Document);
    static NAMED: Limit = limit("named", 2, &[Per::Network, Per::Body("name")], Counting::Document);
    let limiter = Limiter::new(1024);
    let (site, named) = (limiter.rule(&SITE, "a"), limiter.rule(&NAMED, "a"));
    let passed = |text: &str| admitted(&limiter, site.charge(&seen(from(text), ALICE)), 1);
    let of_site: usize = (0..9).map(|net| passed(&format!("2001:db8:1:{net}::1"))).sum();
    assert_eq!(of_site, 3);
    assert_eq!([passed("2001:db8:2::1"), passed("192.0.2.1"), passed("192.0.2.2")], [1; 3]);
    let of_address: usize = (0..9).map(|_| passed("::ffff:192.0.2.1")).sum();
    assert_eq!(of_address, 2, "three, with the one before");
    let says = |text: &str, name: &str| {
        let values = [(Per::Body("name"), name.to_owned())];
        admitted(&limiter, named.charge(&Seen { values: &values, ..seen(from(text), None) }), 1)
    };
    let of_pair: usize = (0..9).map(|net| says(&format!("2001:db8:1:{net}::1"), "a")).sum();
    assert_eq!(of_pair, 2);
    assert_eq!([says("2001:db8:1::1", "b"), says("2001:db8:2::1", "a")], [1; 2]);
}

#[test]
fn shared_by_the_document_or_alone_for_the_operation() {
    let limiter = Limiter::new(1024);
    let here = from("192.0.2.1");
    let of = |limit, operation, principal| {
        let rule = limiter.rule(limit, operation);
        admitted(&limiter, rule.charge(&seen(here, principal)), 9)
    };
    assert_eq!((of(&FLOOD, "a", None), of(&FLOOD, "b", None)), (3, 0));
    assert_eq!((of(&MONEY, "a", ALICE), of(&MONEY, "b", ALICE), of(&MONEY, "a", ALICE)), (2, 2, 0));
}

#[test]
fn a_refusal_costs_nothing_and_says_how_long() {
    let limiter = Limiter::new(1024);
    let rules = [limiter.rule(&FLOOD, "a"), limiter.rule(&MONEY, "a"), limiter.rule(&WHOLE, "a")];
    let charges = rules.each_ref().map(|rule| rule.charge(&seen(from("192.0.2.1"), ALICE)));
    assert!((0..2).all(|_| limiter.decide(SECOND, &charges).refused_by().is_none()));
    for _ in 0..50 {
        let decision = limiter.decide(SECOND, &charges);
        assert!(decision.refused_by().is_some());
        assert_eq!(decision.refused_by().map(|limit| limit.name), Some("money"));
        assert!((30..=33).contains(&decision.retry_after()), "a tenth of jitter: {}", decision.retry_after());
        let left: Vec<_> = decision.standings().map(|one| (one.remaining, one.wait > 0)).collect();
        assert_eq!(left, [(1, false), (0, true), (98, false)]);
    }
    assert!(limiter.decide(31 * SECOND - 1, &charges).refused_by().is_some());
    assert!(limiter.decide(31 * SECOND, &charges).refused_by().is_none());
}

/// A million IPv4 addresses, and a million IPv6 networks of which each comes with addresses of its own, against somebody
/// who is over the limit, somebody who is not, and a table of four thousand places.
#[test]
fn a_million_addresses_neither_grow_the_table_nor_wash_anybody_free() {
    let limiter = Limiter::new(4096);
    let rule = limiter.rule(&FLOOD, "a");
    let passes = |now, address| {
        let seen = seen(Network::of(address), None);
        limiter.decide(now, &[rule.charge(&seen)]).refused_by().is_none()
    };
    let [over, within]: [std::net::IpAddr; 2] = ["203.0.113.1", "203.0.113.2"].map(|it| it.parse().unwrap());
    assert_eq!((0..9).filter(|_| passes(SECOND, over)).count(), 3);
    assert!(passes(SECOND, within));
    let places = limiter.table.places();
    let mut admitted = 0_usize;
    let grown = grows_by(1_000_000, |number| {
        let now = SECOND + u64::from(number);
        let v4 = std::net::Ipv4Addr::from_bits(0x0a00_0000 + number);
        let host = u128::from(number).wrapping_mul(0x9e37_79b9);
        let v6 = std::net::Ipv6Addr::from_bits((0x2001_0db8 << 96) | (u128::from(number) << 64) | host);
        admitted += [v4.into(), v6.into()].into_iter().filter(|address| passes(now, *address)).count();
    });
    let end = 2 * SECOND;
    assert_eq!((limiter.table.places(), grown), (places, 0));
    let live = limiter.table.live(end);
    assert!((places / 3..=places / 2).contains(&live), "{live} of {places} places: a half is theirs");
    assert!(!passes(end, over), "still over the limit");
    assert!(passes(end, within) && passes(end, within) && !passes(end, within), "still with what was left");
    // each place three times, and the buckets that newcomers share
    let most = 3 * (places / 2 + memory::OVERFLOWS);
    assert!(admitted <= most, "{admitted} of two million got through, of {most} that can");
    // who comes new, and is known, has all of their own
    let [money, whole] = [&MONEY, &WHOLE].map(|limit| limiter.rule(limit, "a"));
    let subjects: Vec<String> = (0..200).map(|number| format!("subject {number}")).collect();
    let passed = subjects.iter().map(|subject| {
        let seen = seen(Network::of(over), Some(("https://id", subject)));
        (0..9).filter(|_| limiter.decide(end, &[money.charge(&seen)]).refused_by().is_none()).count()
    });
    assert_eq!(passed.sum::<usize>(), 400, "two each");
    assert_eq!(admitted_at(&limiter, end, whole.charge(&seen(Network::of(over), None)), 200), 100);
}

/// Also beside what else it counts by.
#[test]
fn all_principals_of_a_tenant_share_its_counters() {
    static EACH: Limit = limit("each", 3, &[Per::Tenant], Counting::Document);
    static LOOKS: Limit = limit("looks", 3, &[Per::Tenant, Per::Path("id")], Counting::Document);
    let limiter = Limiter::new(1024);
    for limit in [&EACH, &LOOKS] {
        let rule = limiter.rule(limit, "a");
        let values = [(Per::Path("id"), "7".to_owned())];
        let admitted = |tenant, who| {
            let seen = Seen { values: &values, tenant, ..seen(from("192.0.2.1"), who) };
            admitted(&limiter, rule.charge(&seen), 9)
        };
        assert_eq!([Some("north"), Some("south")].map(|tenant| admitted(tenant, ALICE)), [3, 3]);
        assert_eq!([Some("north"), Some("south")].map(|tenant| admitted(tenant, BOB)), [0, 0]);
        assert_eq!([ALICE, BOB].map(|who| admitted(None, who)), [3, 3], "who has no tenant is counted alone");
    }
}

/// Of 4,096 places a half is theirs: a customer's network has 65,536 networks of its own to come from, and a principal all
/// identifiers that there are.
#[test]
fn neither_one_network_nor_one_principal_takes_the_places_of_others() {
    static LOOKS: Limit = limit("looks", 3, &[Per::Principal, Per::Path("id")], Counting::Document);
    let limiter = Limiter::new(4096);
    let (flood, looks) = (limiter.rule(&FLOOD, "a"), limiter.rule(&LOOKS, "a"));
    let half = limiter.table.places() / 2;
    let by_network =
        |address: std::net::IpAddr| admitted(&limiter, flood.charge(&seen(Network::of(address), None)), 9);
    let by_path = |subject: &str, number: u32| {
        let values = [(Per::Path("id"), number.to_string())];
        let seen = Seen { values: &values, ..seen(from("::1"), Some(("https://id", subject))) };
        admitted(&limiter, looks.charge(&seen), 9)
    };
    for number in 0..65_536_u32 {
        by_network(std::net::Ipv6Addr::from_bits((0x2001_0db8 << 96) | (u128::from(number) << 64)).into());
    }
    let of_network = limiter.table.live(SECOND);
    assert!((half / 32..half / 8).contains(&of_network), "{of_network} of {half}");
    (0..65_536_u32).for_each(|number| _ = by_path("mallory", number));
    let of_principal = limiter.table.live(SECOND) - of_network;
    assert!((half / 32..half / 8).contains(&of_principal), "{of_principal} of {half}");
    // but for those who share the bucket of that crowd, one in 64
    let passed: usize = (0..400_u32)
        .map(|number| by_network(std::net::Ipv4Addr::from_bits(0xc000_0200 | (number << 16)).into()))
        .sum();
    assert!((1_100..=1_200).contains(&passed), "{passed} of 1,200 from elsewhere");
    let passed: usize = (0..400).map(|number| by_path(&format!("subject {number}"), 7)).sum();
    assert!((1_100..=1_200).contains(&passed), "{passed} of 1,200 of others");
}

/// What a limit counts by the body or the path alone has as many counters as somebody thinks up, and one of each, whoever says it.
#[test]
fn nor_does_one_network_by_what_its_requests_say() {
    static NAMED: Limit = limit("named", 3, &[Per::Body("name")], Counting::Document);
    let limiter = Limiter::new(4096);
    let (named, flood) = (limiter.rule(&NAMED, "a"), limiter.rule(&FLOOD, "a"));
    let half = limiter.table.places() / 2;
    let says = |address: &str, name: &str| {
        let values = [(Per::Body("name"), name.to_owned())];
        admitted(&limiter, named.charge(&Seen { values: &values, ..seen(from(address), None) }), 1)
    };
    assert_eq!([says("192.0.2.1", "a"), says("198.51.100.1", "a"), says("::1", "a")], [1; 3]);
    assert_eq!(
        [says("192.0.2.1", "a"), says("203.0.113.1", "a")],
        [0; 2],
        "three of one name, wherever from"
    );
    (0..65_536).for_each(|number| _ = says(&format!("2001:db8:0:{number:x}::1"), &format!("name {number}")));
    let taken = limiter.table.live(SECOND);
    assert!((half / 32..half / 8).contains(&taken), "{taken} of {half}");
    assert_eq!([says("192.0.2.1", "a"), says("::1", "a")], [0; 2], "still used up");
    // but for those who share the bucket of that crowd, one in 64
    let passed =
        (0..200).map(|number| says(&format!("192.0.{number}.1"), &format!("new {number}"))).sum::<usize>();
    assert!(passed >= 180, "{passed} of 200 new names from elsewhere");
    let charged = |number: u32| flood.charge(&seen(from(&format!("198.51.{number}.1")), None));
    let passed = (0..200).map(|number| admitted(&limiter, charged(number), 1)).sum::<usize>();
    assert!(passed >= 180, "{passed} of 200 new networks from elsewhere");
}

/// Or they come back together.
#[test]
fn who_is_refused_is_told_one_of_several_waits_and_none_that_is_too_short() {
    let limiter = Limiter::new(1024);
    let rule = limiter.rule(&FLOOD, "a");
    let charge = rule.charge(&seen(from("192.0.2.1"), None));
    assert_eq!(admitted(&limiter, charge, 9), 3);
    let waits: HashSet<_> =
        (0..200).map(|micros| limiter.decide(SECOND + micros, &[charge]).retry_after()).collect();
    assert!(waits.iter().all(|wait| (20..=22).contains(wait)), "one in twenty seconds: {waits:?}");
    assert!(waits.len() > 1, "{waits:?}");
    let unknown: HashSet<_> = (0..200).map(|micros| limiter.some_time(micros)).collect();
    assert_eq!(unknown, HashSet::from([1, 2, 3]));
}

#[test]
fn more_limits_than_fit_on_the_stack() {
    let limiter = Limiter::new(1024);
    let rules: Vec<_> = (0..20)
        .map(|number| limiter.rule(&MONEY, Box::leak(format!("operation{number}").into_boxed_str())))
        .collect();
    let charges: Vec<_> = rules.iter().map(|rule| rule.charge(&seen(from("::1"), BOB))).collect();
    assert!((0..2).all(|_| limiter.decide(SECOND, &charges).refused_by().is_none()));
    assert!(limiter.decide(SECOND, &charges).refused_by().is_some());
    assert_eq!(limiter.decide(SECOND, &charges).standings().count(), 20);
}

#[test]
fn no_limits_no_refusal() {
    let limiter = Limiter::new(0);
    let decision = limiter.decide(SECOND, &[]);
    assert!(decision.refused_by().is_none());
    assert_eq!((decision.standings().count(), decision.refused_by().is_none()), (0, true));
}
