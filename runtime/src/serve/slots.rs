//! How many connections are open, overall, from one address, and from one neighbourhood.
//!
//! Rules:
//! 1. all together have no more than a setting says, and one network (an address, or an IPv6 /64) no more than another one;
//! 2. while more than half of all are open, one neighbourhood (an IPv4 /24, an IPv6 /48) that has a quarter of all gets no more:
//!    who holds a /48 has networks enough to take every connection. Where one network may have more than a quarter, it is that;
//! 3. a trusted proxy is counted under the first of these alone: everybody comes through it.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::limit::seen::{Neighbourhood, Network};
use crate::settings::{Settings, TrustedProxies};

/// Counts the connections that are open.
#[derive(Debug)]
pub(super) struct Slots {
    open: Arc<Mutex<Open>>,
    most: usize,
    most_of_one: usize,
    /// Rule 2.
    most_of_neighbours: usize,
    proxies: TrustedProxies,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    /// Never more entries than connections.
    by_network: HashMap<Network, usize>,
    /// The same.
    by_neighbourhood: HashMap<Neighbourhood, usize>,
}

/// The right to one connection, given back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    open: Arc<Mutex<Open>>,
    /// `None` for a trusted proxy, through which everybody comes, and until it is known.
    network: Option<Network>,
}

impl Slots {
    pub(super) fn new(settings: &Settings) -> Self {
        let (most, most_of_one) = (settings.max_connections, settings.max_connections_per_address);
        Self {
            open: Arc::default(),
            most,
            most_of_one,
            most_of_neighbours: (most / 4).max(most_of_one),
            proxies: settings.trusted_proxies.clone(),
        }
    }

    /// One of all, for a connection of which nobody knows yet whose it is. `None` when all together have as many as they may.
    pub(super) fn take(&self) -> Option<Slot> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= self.most {
            return None;
        }
        open.all = open.all.saturating_add(1);
        drop(open);
        Some(Slot { open: Arc::clone(&self.open), network: None })
    }

    /// The same, as one of this address. `None` also when it, or its neighbourhood, has as many as it may.
    pub(super) fn take_for(&self, peer: IpAddr) -> Option<Slot> {
        let mut slot = self.take()?;
        self.count(&mut slot, peer).then_some(slot)
    }

    /// Counts a slot as one of this address; not when it has as many as it may.
    pub(super) fn count(&self, slot: &mut Slot, peer: IpAddr) -> bool {
        if self.proxies.contain(peer) {
            return true;
        }
        let network = Network::of(peer);
        let neighbourhood = network.neighbourhood();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = open.by_network.get(&network).copied().unwrap_or(0);
        let of_neighbours = open.by_neighbourhood.get(&neighbourhood).copied().unwrap_or(0);
        let is_crowded = open.all > self.most / 2 && of_neighbours >= self.most_of_neighbours;
        if of_one >= self.most_of_one || is_crowded {
            return false;
        }
        open.by_network.insert(network, of_one.saturating_add(1));
        open.by_neighbourhood.insert(neighbourhood, of_neighbours.saturating_add(1));
        drop(open);
        slot.network = Some(network);
        true
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        if let Some(network) = self.network {
            one_less(&mut open.by_network, &network);
            one_less(&mut open.by_neighbourhood, &network.neighbourhood());
        }
    }
}

fn one_less<K: Eq + Hash>(counts: &mut HashMap<K, usize>, of: &K) {
    match counts.get_mut(of) {
        Some(count) if *count > 1 => *count = count.saturating_sub(1),
        _ => _ = counts.remove(of),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(most: usize, most_of_one: usize) -> Slots {
        let settings = Settings::new().max_connections(most).max_connections_per_address(most_of_one);
        Slots::new(&settings.trusted_proxies(["10.0.0.0/8"]).unwrap())
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_has_its_share() {
        let slots = slots(10, 2);
        let held = [slots.take_for(ip("192.0.2.1")), slots.take_for(ip("::ffff:192.0.2.1"))];
        assert!(held.iter().all(Option::is_some));
        assert!(slots.take_for(ip("192.0.2.1")).is_none());
        assert!(slots.take_for(ip("192.0.2.2")).is_some());
        drop(held);
        assert!(slots.take_for(ip("192.0.2.1")).is_some());
        let held: Vec<_> =
            (1..=2).map(|host| slots.take_for(ip(&format!("2001:db8::{host}"))).unwrap()).collect();
        assert!(slots.take_for(ip("2001:db8::3")).is_none(), "one /64");
        drop(held);
        let open = slots.open.lock().unwrap();
        assert!(open.by_network.is_empty() && open.by_neighbourhood.is_empty(), "nothing is left behind");
    }

    /// As many as it gets, each from another network of one neighbourhood.
    fn flood(slots: &Slots, network: impl Fn(u16) -> String) -> Vec<Slot> {
        (0..200).map_while(|at| slots.take_for(ip(&network(at)))).collect()
    }

    #[test]
    fn a_neighbourhood_leaves_connections_to_strangers() {
        let slots = slots(100, 2);
        let of_one = flood(&slots, |at| format!("2001:db8:1:{at:x}::1"));
        assert_eq!(of_one.len(), 50, "half of all, while nobody else is there");
        let of_other = flood(&slots, |at| format!("192.0.2.{at}"));
        assert_eq!(of_other.len(), 25, "a quarter, when half are open");
        assert!(slots.take_for(ip("2001:db8:1:ffff::1")).is_none());
        let strangers = ["2001:db8:2::1", "192.0.3.1", "10.0.0.1"].map(|from| slots.take_for(ip(from)));
        assert!(strangers.iter().all(Option::is_some));
        drop(of_one);
        assert!(slots.take_for(ip("192.0.2.250")).is_some(), "less than half are open again");
    }

    #[test]
    fn a_neighbourhood_has_what_one_of_it_may_have() {
        let slots = slots(10, 8);
        let held: Vec<_> = (0..10).map_while(|_| slots.take_for(ip("192.0.2.1"))).collect();
        assert_eq!(held.len(), 8);
        assert!(slots.take_for(ip("192.0.2.2")).is_none());
        assert!(slots.take_for(ip("192.0.3.1")).is_some());
    }

    #[test]
    fn all_have_a_total_and_proxies_no_share() {
        let slots = slots(3, 1);
        let mut held: Vec<_> = (0..3).map(|_| slots.take_for(ip("10.0.0.1")).unwrap()).collect();
        assert!(slots.take_for(ip("10.0.0.1")).is_none());
        assert!(slots.take_for(ip("192.0.2.1")).is_none());
        held.pop();
        assert!(slots.take_for(ip("192.0.2.1")).is_some());
    }
}
