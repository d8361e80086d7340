//! What is seen of a request that limits count by.

use std::net::IpAddr;

use crate::operation::Per;

/// The network that a client's address stands for: who holds one IPv6 address holds its /64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Network {
    /// An IPv4 address.
    V4([u8; 4]),
    /// The first 64 bits of an IPv6 address.
    V6([u8; 8]),
}

/// The network that a client's address is counted by with its neighbours: who is given an IPv6 /48 has 65,536 networks of
/// their own in it. Of IPv4 it is the address alone, for a /24 is of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// An IPv4 address.
    V4([u8; 4]),
    /// The first 48 bits of an IPv6 address.
    V6([u8; 6]),
}

/// The network that one organisation usually holds: an IPv4 /24, or an IPv6 /48.
pub(crate) type Neighbourhood = [u8; 6];

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

    /// Which site it is of.
    pub(crate) const fn site(self) -> Site {
        match self {
            Self::V4(octets) => Site::V4(octets),
            Self::V6([a, b, c, d, e, f, ..]) => Site::V6([a, b, c, d, e, f]),
        }
    }

    /// Which neighbourhood it is of.
    pub(crate) const fn neighbourhood(self) -> Neighbourhood {
        match self.site() {
            Site::V4([a, b, c, _]) => [4, a, b, c, 0, 0],
            Site::V6(site) => site,
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
    /// For which tenant that is: one of all issuers that name it.
    pub(crate) tenant: Option<&'a str>,
    /// Whether that is who the request claims to be, before it is known: anybody can.
    pub(crate) is_claimed: bool,
    /// What it says at the parts of path and body that are asked for, in one spelling ([`spelled`]).
    pub(crate) values: &'a [(Per, String)],
}

impl Seen<'_> {
    pub(super) fn value(&self, part: Per) -> Option<&str> {
        self.values.iter().find(|(of, _)| *of == part).map(|(_, value)| value.as_str())
    }
}

/// One spelling for what differs in nothing that a name is told by: its case and the space around it. Who writes `Alice`
/// for `alice` shall not have a counter more; two accounts that differ in case alone share one.
pub(crate) fn spelled(value: &str) -> String {
    value.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::of(text.parse().unwrap())
    }

    #[test]
    fn addresses_that_one_client_can_choose_from_are_one() {
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }

    #[test]
    fn a_site_is_a_48_of_ipv6_and_an_address_of_ipv4() {
        let site = |text| network(text).site();
        assert_eq!(site("2001:db8:1::1"), site("2001:db8:1:ffff::1"));
        assert_ne!(site("2001:db8:1::1"), site("2001:db8:2::1"));
        assert_eq!(site("::ffff:192.0.2.1"), site("192.0.2.1"));
        assert_ne!(site("192.0.2.1"), site("192.0.2.2"));
        assert_eq!(network("192.0.2.1").neighbourhood(), network("192.0.2.2").neighbourhood());
    }
}
