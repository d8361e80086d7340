//! Whom a limit counts, as a number that nobody can aim at.
//!
//! The counters are kept under a hash with a secret key, which mostly is of this process alone: an identity is not in memory as
//! text, and nobody outside can choose addresses or names that share a counter with somebody else.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;

use aws_lc_rs::digest::{Context, SHA256};
use siphasher::sip::SipHasher13;

use super::memory::{Half, placed};
use crate::operation::{Counter, Limit, Per};

/// The network that a client's address stands for: who holds one IPv6 address holds its /64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Network {
    /// An IPv4 address.
    V4([u8; 4]),
    /// The first 64 bits of an IPv6 address.
    V6([u8; 8]),
}

impl Network {
    /// An IPv4 address that is written as IPv6 (RFC 4291 section 2.5.5.2) is the IPv4 address.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.octets()),
            IpAddr::V6(v6) => {
                let [a, b, c, d, e, f, g, h, ..] = v6.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
        }
    }

    /// The network that one organisation usually holds: /24, or /48.
    fn neighbourhood(self) -> [u8; 6] {
        match self {
            Self::V4([a, b, c, _]) => [4, a, b, c, 0, 0],
            Self::V6([a, b, c, d, e, f, ..]) => [a, b, c, d, e, f],
        }
    }
}

/// What a request is counted by, as far as it is known by then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    /// Where it comes from.
    pub(crate) from: Network,
    /// Issuer and subject: a subject means something only together with who named it.
    pub(crate) principal: Option<(&'a str, &'a str)>,
    /// What it says at the parts of path and body that are asked for, in one spelling ([`spelled`]).
    pub(crate) values: &'a [(Per, String)],
}

impl Seen<'_> {
    fn value(&self, part: Per) -> Option<&str> {
        self.values.iter().find(|(of, _)| *of == part).map(|(_, value)| value.as_str())
    }
}

/// One spelling for what differs in nothing that a name is told by: its case and the space around it. Who writes `Alice`
/// for `alice` shall not have a counter more; two accounts that differ in case alone share one.
pub(crate) fn spelled(value: &str) -> String {
    value.trim().to_lowercase()
}

/// The key of a counter; never zero, which marks a place that was never used.
///
/// With a hundred thousand callers at once, one request in 10^14 shares a counter with a stranger, and one in 10^11 with
/// somebody of its own neighbourhood, if all of them are of that.
pub(crate) type Key = u64;

/// Makes keys; different in each process, but for those that begin with the counters of another.
#[derive(Debug)]
pub(crate) struct Keyer(SipHasher13);

impl Default for Keyer {
    fn default() -> Self {
        let random = RandomState::new();
        Self(SipHasher13::new_with_keys(random.hash_one(0), random.hash_one(1)))
    }
}

/// What makes the keys of one rule. It has a key of its own, so that those of two rules have nothing in common.
#[derive(Clone)]
pub(crate) struct Prefix {
    hash: SipHasher13,
    seed: u64,
}

impl std::fmt::Debug for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prefix")
    }
}

impl Keyer {
    /// With a secret that others have as well.
    pub(super) fn of(secret: [u8; 16]) -> Self {
        Self(SipHasher13::new_with_key(&secret))
    }

    /// `operation`: the one that is counted alone; `None` for a counter that all share.
    pub(crate) fn prefix(&self, limit: &Limit, operation: Option<&str>) -> Prefix {
        let [first, second, seed] = [0, 1, 2].map(|which| {
            let mut hash = self.0;
            hash.write_u8(which);
            of_limit(&mut hash, limit, operation);
            hash.finish()
        });
        Prefix { hash: SipHasher13::new_with_keys(first, second), seed }
    }
}

impl Prefix {
    /// The key of the counter that counts by these parts, and the number of its crowd: of all whose counters one client can
    /// have made. Newcomers of one crowd share a bucket when there is no room, so that a flood from one does not spoil it for
    /// others, and no crowd takes all room ([`Table`](super::memory::Table)).
    ///
    /// Each part is written with its kind, and with its length where that differs. Who has no principal is counted by
    /// address. A value that is not there is a value of its own.
    pub(crate) fn key(&self, per: &[Per], seen: &Seen<'_>) -> (Key, u64) {
        let mut written = Written { hash: self.hash, bytes: [0; WRITTEN], length: 0 };
        let by = parts(&mut written, per, seen);
        let hash = written.finish();
        let crowd = match (by, seen.principal) {
            (By::Address, _) => self.near(seen.from.neighbourhood()),
            (By::Principal, Some(principal)) if per.len() > 1 => self.crowd_of(principal),
            _ => hash, // of this counter alone
        };
        let half = match by {
            By::Principal | By::Everybody => Half::Known,
            By::Address | By::Values => Half::Strangers,
        };
        (placed(hash, crowd, half).max(1), crowd)
    }

    fn crowd_of(&self, (issuer, subject): (&str, &str)) -> u64 {
        let mut written = Written { hash: self.hash, bytes: [0; WRITTEN], length: 0 };
        text(&mut written, issuer);
        text(&mut written, subject);
        written.finish()
    }

    /// Spreads neighbourhoods over the few shared buckets. It need not be as good as a key, and is on every request's way.
    ///
    /// The constants are those of SplitMix64 (Steele, Lea, Flood, 2014): with whatever seed, each bit that goes in
    /// reaches all that come out. A product with the seed alone put neighbours together under one seed in thousands.
    fn near(&self, neighbourhood: [u8; 6]) -> u64 {
        let [a, b, c, d, e, f] = neighbourhood;
        let mut mixed = u64::from_be_bytes([0, 0, a, b, c, d, e, f]) ^ self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// The name of a counter that instances share: the same in each of them, so it has no key that one of them drew. It is 128
/// bits of a digest, of which two that are alike are not found.
pub(crate) type Name = [u8; 16];

/// The part of a name that is the same for each request of a rule.
#[derive(Clone)]
pub(crate) struct NamePrefix(Context);

impl NamePrefix {
    pub(crate) fn new(limit: &Limit, operation: Option<&str>) -> Self {
        let mut digest = Digest(Context::new(&SHA256));
        of_limit(&mut digest, limit, operation);
        Self(digest.0)
    }

    /// The name of the counter that counts by these parts, told apart as in a [`Prefix`].
    pub(crate) fn name(&self, per: &[Per], seen: &Seen<'_>) -> Name {
        let mut digest = Digest(self.0.clone());
        parts(&mut digest, per, seen);
        digest.0.finish().as_ref().first_chunk().copied().unwrap_or_default()
    }
}

impl std::fmt::Debug for NamePrefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NamePrefix")
    }
}

/// Hashes what a [`Hasher`] is given, the same on every machine.
struct Digest(Context);

impl Hasher for Digest {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn write_usize(&mut self, number: usize) {
        self.write(&u64::try_from(number).unwrap_or(u64::MAX).to_le_bytes());
    }

    /// Nobody asks for it.
    fn finish(&self) -> u64 {
        0
    }
}

/// What a principal mostly takes: its issuer and its subject.
const WRITTEN: usize = 96;

/// What a [`Hasher`] is given, gathered to be hashed in one piece: piece by piece costs several times as much.
struct Written {
    hash: SipHasher13,
    bytes: [u8; WRITTEN],
    length: usize,
}

impl Hasher for Written {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let end = self.length.saturating_add(bytes.len());
        match self.bytes.get_mut(self.length..end) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.length = end;
            }
            None => self.pass_on(bytes),
        }
    }

    fn finish(&self) -> u64 {
        self.hash.hash(self.bytes.get(..self.length).unwrap_or_default())
    }
}

impl Written {
    #[cold]
    fn pass_on(&mut self, bytes: &[u8]) {
        self.hash.write(self.bytes.get(..self.length).unwrap_or_default());
        self.hash.write(bytes);
        self.length = 0;
    }
}

/// Of what a counter counts by, that which says who can make another one: the greatest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    /// Nothing: it is the only one of its limit.
    Everybody,
    /// What requests say.
    Values,
    /// Where they come from.
    Address,
    /// Who was authenticated.
    Principal,
}

/// Writes what a counter counts by.
fn parts(hash: &mut impl Hasher, per: &[Per], seen: &Seen<'_>) -> By {
    let mut by = By::Everybody;
    for part in per {
        let here = match (part, seen.principal) {
            (Per::Global, _) => {
                hash.write_u8(4);
                By::Everybody
            }
            (Per::Principal, Some((issuer, subject))) => {
                hash.write_u8(3);
                text(hash, issuer);
                text(hash, subject);
                By::Principal
            }
            (Per::Address | Per::Principal, _) => {
                network(hash, seen.from);
                By::Address
            }
            (Per::Path(_) | Per::Body(_), _) => {
                match seen.value(*part) {
                    Some(value) => {
                        hash.write_u8(5);
                        text(hash, value);
                    }
                    None => hash.write_u8(6),
                }
                By::Values
            }
        };
        by = by.max(here);
    }
    by
}

/// Writes which limit counts. One that counts in another way, or by windows of another length, is another one.
fn of_limit(hash: &mut impl Hasher, limit: &Limit, operation: Option<&str>) {
    text(hash, limit.name);
    match operation {
        None => hash.write_u8(0),
        Some(operation) => {
            hash.write_u8(1);
            text(hash, operation);
        }
    }
    let way = match limit.counter {
        Counter::TokenBucket => 2,
        Counter::SlidingWindow => 3,
        Counter::FixedWindow => 4,
        Counter::Concurrency => 5,
    };
    hash.write_u8(way);
    hash.write(&limit.window.as_micros().to_le_bytes());
}

fn network(hash: &mut impl Hasher, network: Network) {
    match network {
        Network::V4(octets) => {
            hash.write_u8(2);
            hash.write(&octets);
        }
        Network::V6(octets) => {
            hash.write_u8(7);
            hash.write(&octets);
        }
    }
}

/// With its length, so that `a` + `bc` and `ab` + `c` are two things.
fn text(hash: &mut impl Hasher, text: &str) {
    hash.write_usize(text.len());
    hash.write(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn network(text: &str) -> Network {
        Network::of(text.parse().unwrap())
    }

    fn from(text: &str) -> Seen<'static> {
        Seen { from: network(text), principal: None, values: &[] }
    }

    fn limit(name: &'static str) -> Limit {
        use crate::operation::{CountedOn, Counting, OnOutage};
        let (window, per, scope) = (std::time::Duration::from_secs(60), &[Per::Address], Counting::Document);
        let (counter, on, on_outage) = (Counter::TokenBucket, CountedOn::Request, OnOutage::Local);
        Limit { name, quota: 1, window, burst: 1, counter, cost: 1, per, scope, on, on_outage }
    }

    fn by_address(keyer: &Keyer, text: &str) -> u64 {
        keyer.prefix(&limit("l"), None).key(&[Per::Address], &from(text)).0
    }

    #[test]
    fn addresses_that_one_client_can_choose_from_are_one() {
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }

    #[test]
    fn nothing_that_differs_shares_a_key() {
        let keyer = Keyer::default();
        let everybody =
            |name, operation| keyer.prefix(&limit(name), operation).key(&[Per::Global], &from("192.0.2.1")).0;
        let principal = |issuer, subject| {
            let seen = Seen { principal: Some((issuer, subject)), ..from("192.0.2.1") };
            keyer.prefix(&limit("l"), None).key(&[Per::Principal], &seen).0
        };
        let pair = |address: &str, values: [Option<&str>; 2]| {
            let parts = [Per::Body("a"), Per::Body("b")];
            let there = parts.into_iter().zip(values);
            let values: Vec<_> = there.filter_map(|(part, value)| Some((part, value?.to_owned()))).collect();
            let per = [Per::Address, Per::Body("a"), Per::Body("b")];
            keyer.prefix(&limit("l"), None).key(&per, &Seen { values: &values, ..from(address) }).0
        };
        let keys = [
            everybody("ab", Some("c")),
            everybody("a", Some("bc")),
            everybody("abc", None),
            everybody("abc", Some("")),
            principal("https://id", "alice"),
            principal("https://ida", "lice"),
            principal("https://id", "bob"),
            principal("", "https://idalice"),
            pair("192.0.2.1", [Some("ab"), Some("c")]),
            pair("192.0.2.1", [Some("a"), Some("bc")]),
            pair("192.0.2.1", [Some("abc"), None]),
            pair("192.0.2.1", [Some("abc"), Some("")]),
            pair("192.0.2.1", [None, Some("abc")]),
            pair("192.0.2.2", [Some("ab"), Some("c")]),
            by_address(&keyer, "192.0.2.1"),
            by_address(&keyer, "192.0.2.2"),
            by_address(&keyer, "c000:201::"),
            keyer.prefix(&limit("l"), None).key(&[Per::Global], &from("::1")).0,
        ];
        assert_eq!(HashSet::from(keys).len(), keys.len());
        assert_eq!(principal("https://id", "alice"), principal("https://id", "alice"));
    }

    /// Wherever what is gathered is passed on.
    #[test]
    fn every_byte_of_a_name_counts_however_long_it_is() {
        let prefix = Keyer::default().prefix(&limit("l"), None);
        let key = |subject: &str| {
            let seen = Seen { principal: Some(("https://id", subject)), ..from("192.0.2.1") };
            prefix.key(&[Per::Principal, Per::Address], &seen).0
        };
        for length in (1..=16).chain(60..=120).chain([1_000]) {
            let name = "a".repeat(length);
            let mut keys = HashSet::from([key(&name)]);
            for at in (0..length).rev().take(130) {
                let mut other = name.clone().into_bytes();
                other[at] = b'b';
                assert!(keys.insert(key(str::from_utf8(&other).unwrap())), "{at} of {length}");
            }
        }
    }

    #[test]
    fn names_are_the_same_everywhere_and_tell_counters_apart() {
        use crate::operation::{CountedOn, Counting, OnOutage};
        let (window, per) = (std::time::Duration::from_secs(60), &[Per::Principal]);
        let (scope, on, on_outage) = (Counting::Document, CountedOn::Request, OnOutage::Local);
        let of = |name, counter, window| Limit {
            name,
            quota: 1,
            window,
            burst: 1,
            counter,
            cost: 1,
            per,
            scope,
            on,
            on_outage,
        };
        let bucket = of("l", Counter::TokenBucket, window);
        let name = |limit: &Limit, operation, seen: &Seen<'_>| {
            NamePrefix::new(limit, operation).name(&[Per::Principal], seen)
        };
        let principal = |issuer, subject| Seen { principal: Some((issuer, subject)), ..from("192.0.2.1") };
        let alice = principal("https://id", "alice");
        let names = [
            name(&bucket, None, &alice),
            name(&bucket, Some(""), &alice),
            name(&bucket, Some("a"), &alice),
            name(&of("la", Counter::TokenBucket, window), None, &alice),
            name(&of("l", Counter::FixedWindow, window), None, &alice),
            name(&of("l", Counter::SlidingWindow, window), None, &alice),
            name(&of("l", Counter::SlidingWindow, window * 2), None, &alice),
            name(&bucket, None, &principal("https://ida", "lice")),
            name(&bucket, None, &from("192.0.2.1")),
            name(&bucket, None, &from("192.0.2.2")),
        ];
        assert_eq!(HashSet::from(names).len(), names.len());
        assert_eq!(names[0], name(&bucket, None, &Seen { from: network("::1"), ..alice }));
        // what instances of another release must make as well
        assert_eq!(names[0], [239, 252, 61, 43, 34, 195, 214, 117, 240, 47, 232, 93, 109, 176, 76, 110]);
    }

    #[test]
    fn keys_are_of_this_process_alone() {
        let key = |keyer: &Keyer| by_address(keyer, "192.0.2.1");
        assert_ne!(key(&Keyer::default()), key(&Keyer::default()));
    }

    #[test]
    fn neighbours_share_the_place_for_newcomers() {
        for _ in 0..1_000 {
            let prefix = Keyer::default().prefix(&limit("flood"), None);
            let near = |text: &str| prefix.key(&[Per::Address], &from(text)).1;
            assert_eq!(near("2001:db8:1:2::1"), near("2001:db8:1:ff::1"));
            assert_ne!(near("2001:db8:1::1"), near("2001:db8:2::1"));
            assert_eq!(near("192.0.2.1"), near("192.0.2.200"));
            assert_ne!(near("192.0.2.1"), near("192.0.3.1"));
            let buckets: HashSet<_> = (0..=255).map(|net| near(&format!("198.51.{net}.1")) >> 58).collect();
            assert!(buckets.len() > 48, "neighbourhoods spread over the 64 buckets: {}", buckets.len());
        }
    }
}
