//! Whom a limit counts, as a number that nobody can aim at.
//!
//! The counters are kept under a hash with a key that this process drew for itself: an identity is not in memory as
//! text, and nobody outside can choose addresses or names that share a counter with somebody else.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, DefaultHasher, Hasher};
use std::net::IpAddr;

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

/// Whom one charge is counted for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who<'a> {
    /// Whoever comes from there.
    Address(Network),
    /// The authenticated principal: a subject means something only together with who named it.
    Principal { issuer: &'a str, subject: &'a str },
    /// All callers together.
    Everybody,
}

/// The key of a counter; never zero, which marks a place that was never used.
///
/// With a hundred thousand callers at once, one request in 10^14 shares a counter with a stranger.
pub(crate) type Key = u64;

/// Makes keys; different in each process.
#[derive(Debug, Default)]
pub(crate) struct Keyer(RandomState);

/// The part of a key that is the same for each request of a rule, hashed once.
#[derive(Clone, Debug)]
pub(crate) struct Prefix {
    hash: DefaultHasher,
    seed: u64,
}

impl Keyer {
    /// `operation`: the one that is counted alone; `None` for a counter that all share.
    pub(crate) fn prefix(&self, limit: &str, operation: Option<&str>) -> Prefix {
        let mut hash = self.0.build_hasher();
        text(&mut hash, limit);
        match operation {
            None => hash.write_u8(0),
            Some(operation) => {
                hash.write_u8(1);
                text(&mut hash, operation);
            }
        }
        let seed = hash.finish();
        Prefix { hash, seed }
    }
}

impl Prefix {
    /// The key of the counter, and a number for picking the bucket that newcomers share when there is no room.
    ///
    /// That number is the same for a whole neighbourhood, so that a flood from one does not spoil it for others.
    pub(crate) fn key(&self, who: Who<'_>) -> (Key, u64) {
        let mut hash = self.hash.clone();
        match who {
            Who::Address(network) => {
                hash.write_u8(2);
                match network {
                    Network::V4(octets) => hash.write(&octets),
                    Network::V6(octets) => hash.write(&octets),
                }
                let key = hash.finish().max(1);
                (key, self.near(network.neighbourhood()))
            }
            Who::Principal { issuer, subject } => {
                hash.write_u8(3);
                text(&mut hash, issuer);
                text(&mut hash, subject);
                let key = hash.finish().max(1);
                (key, key)
            }
            Who::Everybody => {
                hash.write_u8(4);
                let key = hash.finish().max(1);
                (key, key)
            }
        }
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

/// With its length, so that `a` + `bc` and `ab` + `c` are two things.
fn text(hash: &mut DefaultHasher, text: &str) {
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

    fn address(text: &str) -> Who<'static> {
        Who::Address(network(text))
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
        let everybody = |limit, operation| keyer.prefix(limit, operation).key(Who::Everybody).0;
        let principal = |issuer, subject| keyer.prefix("l", None).key(Who::Principal { issuer, subject }).0;
        let keys = [
            everybody("ab", Some("c")),
            everybody("a", Some("bc")),
            everybody("abc", None),
            everybody("abc", Some("")),
            principal("https://id", "alice"),
            principal("https://ida", "lice"),
            principal("https://id", "bob"),
            principal("", "https://idalice"),
            keyer.prefix("l", None).key(address("192.0.2.1")).0,
            keyer.prefix("l", None).key(address("192.0.2.2")).0,
            keyer.prefix("l", None).key(address("c000:201::")).0,
            keyer.prefix("l", None).key(Who::Everybody).0,
        ];
        assert_eq!(HashSet::from(keys).len(), keys.len());
        assert_eq!(principal("https://id", "alice"), principal("https://id", "alice"));
    }

    #[test]
    fn keys_are_of_this_process_alone() {
        let key = |keyer: &Keyer| keyer.prefix("flood", None).key(address("192.0.2.1")).0;
        assert_ne!(key(&Keyer::default()), key(&Keyer::default()));
    }

    #[test]
    fn neighbours_share_the_place_for_newcomers() {
        for _ in 0..1_000 {
            let prefix = Keyer::default().prefix("flood", None);
            let near = |text: &str| prefix.key(Who::Address(network(text))).1;
            assert_eq!(near("2001:db8:1:2::1"), near("2001:db8:1:ff::1"));
            assert_ne!(near("2001:db8:1::1"), near("2001:db8:2::1"));
            assert_eq!(near("192.0.2.1"), near("192.0.2.200"));
            assert_ne!(near("192.0.2.1"), near("192.0.3.1"));
            let buckets: HashSet<_> = (0..=255).map(|net| near(&format!("198.51.{net}.1")) >> 58).collect();
            assert!(buckets.len() > 48, "neighbourhoods spread over the 64 buckets: {}", buckets.len());
        }
    }
}
