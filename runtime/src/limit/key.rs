//! Whom a limit counts, as a number that nobody can aim at.
//!
//! The counters are kept under a hash with a secret key, which mostly is of this process alone: an identity is not in memory as
//! text, and nobody outside can choose addresses or names that share a counter with somebody else.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use siphasher::sip::SipHasher13;

use super::memory::{Half, counter, placed};
use super::seen::{Network, Seen, Site};
use crate::operation::{Counter, Limit, Per};

/// The key of a counter; never zero, which marks a place that was never used.
///
/// With a hundred thousand callers at once, one request in 10^11 shares a counter with somebody else.
pub(crate) type Key = u64;

/// Makes keys; different in each process, but for those that begin with the counters of another.
pub(crate) struct Keyer(SipHasher13);

impl std::fmt::Debug for Keyer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyer")
    }
}

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
    /// Of what clients are told: no key of a counter is.
    told: SipHasher13,
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
        let [first, second, seed, third, fourth] = [0, 1, 2, 3, 4].map(|which| {
            let mut hash = self.0;
            hash.write_u8(which);
            of_limit(&mut hash, limit, operation);
            hash.finish()
        });
        Prefix {
            hash: SipHasher13::new_with_keys(first, second),
            seed,
            told: SipHasher13::new_with_keys(third, fourth),
        }
    }
}

impl Prefix {
    /// The key of the counter that counts by these parts, and the number of its crowd: of all whose counters one client can
    /// have made. Newcomers of one crowd share a bucket when there is no room, so that a flood from one does not spoil it for
    /// others, and no crowd takes all room ([`Table`](super::memory::Table)). What anybody can say, or claim to be, is of the
    /// neighbourhood that says it first: whom a counter counts does not depend on it.
    ///
    /// Each part is written with its kind, and with its length where that differs. Who has no principal is counted by
    /// address. A value that is not there is a value of its own.
    pub(crate) fn key(&self, per: &[Per], seen: &Seen<'_>) -> (Key, u64) {
        let mut written = Written { hash: self.hash, bytes: [0; WRITTEN], length: 0 };
        let by = parts(&mut written, per, seen);
        let hash = written.finish();
        let crowd = match (by, seen.principal) {
            (By::Principal, Some(principal)) if per.len() > 1 => self.crowd_of(per, principal, seen.tenant),
            (By::Principal, _) if !seen.is_claimed => hash, // of this counter alone
            (By::Everybody, _) => hash,
            (By::Principal | By::Address | By::Values, _) => self.near(seen.from.neighbourhood()),
        };
        let half = match by {
            By::Principal | By::Everybody => Half::Known,
            By::Address | By::Values => Half::Strangers,
        };
        (placed(hash, crowd, half).max(1), crowd)
    }

    /// What a client is told of the counter that it is counted by: the same whenever it is that one, and nothing about whom it
    /// counts.
    pub(crate) fn partition(&self, key: Key) -> [u8; 8] {
        self.told.hash(&counter(key).to_le_bytes()).to_le_bytes()
    }

    /// Counters of a tenant are of one crowd, however many principals it has: none takes the places of others.
    fn crowd_of(&self, per: &[Per], principal: (&str, &str), tenant: Option<&str>) -> u64 {
        let mut written = Written { hash: self.hash, bytes: [0; WRITTEN], length: 0 };
        match tenant.filter(|_| !per.contains(&Per::Principal)) {
            Some(tenant) => text(&mut written, tenant),
            None => of_principal(&mut written, principal, tenant),
        }
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
pub(super) enum By {
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
pub(super) fn parts(hash: &mut impl Hasher, per: &[Per], seen: &Seen<'_>) -> By {
    let mut by = By::Everybody;
    for part in per {
        let here = match (part, seen.principal) {
            (Per::Global, _) => {
                hash.write_u8(4);
                By::Everybody
            }
            (Per::Principal, Some(principal)) => {
                of_principal(hash, principal, seen.tenant);
                By::Principal
            }
            (Per::Tenant, Some(principal)) => {
                of_tenant(hash, principal, seen.tenant);
                By::Principal
            }
            (Per::Address | Per::Principal | Per::Tenant, _) => {
                network(hash, seen.from);
                By::Address
            }
            (Per::Network, _) => {
                site(hash, seen.from.site());
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

/// Writes who was authenticated. In each tenant that is somebody else.
fn of_principal(hash: &mut impl Hasher, (issuer, subject): (&str, &str), tenant: Option<&str>) {
    match tenant {
        None => hash.write_u8(3),
        Some(tenant) => {
            hash.write_u8(10);
            text(hash, tenant);
        }
    }
    text(hash, issuer);
    text(hash, subject);
}

/// Writes for whom. Who has no tenant is counted alone, and not with all others who have none.
fn of_tenant(hash: &mut impl Hasher, principal: (&str, &str), tenant: Option<&str>) {
    match tenant {
        None => of_principal(hash, principal, None),
        Some(tenant) => {
            hash.write_u8(11);
            text(hash, tenant);
        }
    }
}

/// Writes which limit counts. One that counts in another way, or by windows of another length, is another one.
pub(super) fn of_limit(hash: &mut impl Hasher, limit: &Limit, operation: Option<&str>) {
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
        Counter::ExactLog => 6,
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

fn site(hash: &mut impl Hasher, site: Site) {
    match site {
        Site::V4(octets) => network(hash, Network::V4(octets)),
        Site::V6(octets) => {
            hash.write_u8(9);
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
        Seen { from: network(text), principal: None, tenant: None, is_claimed: false, values: &[] }
    }

    fn limit(name: &'static str) -> Limit {
        use crate::operation::{Advertise, CountedOn, Counting, OnOutage};
        let (window, per, scope) = (std::time::Duration::from_secs(60), &[Per::Address], Counting::Document);
        let (counter, on, on_outage) = (Counter::TokenBucket, CountedOn::Request, OnOutage::Local);
        Limit {
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
            advertise: Advertise::Admitted,
        }
    }

    fn by_address(keyer: &Keyer, text: &str) -> u64 {
        keyer.prefix(&limit("l"), None).key(&[Per::Address], &from(text)).0
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
        let by_network = |address| keyer.prefix(&limit("l"), None).key(&[Per::Network], &from(address)).0;
        let in_tenant = |per: &[Per], tenant, subject| {
            let seen = Seen { principal: Some(("https://id", subject)), tenant, ..from("192.0.2.1") };
            keyer.prefix(&limit("l"), None).key(per, &seen).0
        };
        let (by_principal, by_tenant) = (&[Per::Principal], &[Per::Tenant]);
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
            in_tenant(by_principal, Some("north"), "alice"),
            in_tenant(by_principal, Some("south"), "alice"),
            in_tenant(by_principal, Some("northhttps://id"), "alice"),
            in_tenant(by_tenant, Some("north"), "alice"),
            in_tenant(by_tenant, Some("south"), "alice"),
            in_tenant(&[Per::Principal, Per::Tenant], Some("north"), "alice"),
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
            by_network("2001:db8:1::"),
            by_network("2001:db8:2::"),
            by_address(&keyer, "2001:db8:1::"),
        ];
        assert_eq!(HashSet::from(keys).len(), keys.len());
        assert_eq!(principal("https://id", "alice"), principal("https://id", "alice"));
        let alone = principal("https://id", "alice");
        assert_eq!(in_tenant(by_tenant, None, "alice"), alone, "without a tenant: the principal");
        assert_eq!(in_tenant(by_tenant, Some("north"), "bob"), in_tenant(by_tenant, Some("north"), "alice"));
        let nobody = keyer.prefix(&limit("l"), None).key(by_tenant, &from("192.0.2.1")).0;
        assert_eq!(nobody, by_address(&keyer, "192.0.2.1"), "without a principal: the address");
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
    fn what_a_tenant_is_counted_by_is_of_one_crowd_whoever_asks_for_it() {
        let prefix = Keyer::default().prefix(&limit("l"), None);
        let values = [(Per::Path("id"), "7".to_owned())];
        let crowd = |by, tenant, subject| {
            let principal = Some(("https://id", subject));
            let seen = Seen { principal, tenant, values: &values, ..from("192.0.2.1") };
            prefix.key(&[by, Per::Path("id")], &seen).1
        };
        let north = crowd(Per::Tenant, Some("north"), "alice");
        assert_eq!(north, crowd(Per::Tenant, Some("north"), "bob"));
        assert_ne!(north, crowd(Per::Tenant, Some("south"), "alice"));
        assert_ne!(crowd(Per::Tenant, None, "alice"), crowd(Per::Tenant, None, "bob"));
        let alice = crowd(Per::Principal, Some("north"), "alice");
        assert_ne!(alice, crowd(Per::Principal, Some("north"), "bob"));
        assert_ne!(alice, crowd(Per::Principal, Some("south"), "alice"));
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
