//! How many connections are open, overall and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::limit::seen::Network;
use crate::settings::{Settings, TrustedProxies};

/// Counts the connections that are open.
#[derive(Debug)]
pub(super) struct Slots {
    open: Arc<Mutex<Open>>,
    most: usize,
    most_of_one: usize,
    proxies: TrustedProxies,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    /// Never more entries than connections.
    by_network: HashMap<Network, usize>,
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
        Self {
            open: Arc::default(),
            most: settings.max_connections,
            most_of_one: settings.max_connections_per_address,
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

    /// The same, as one of this address. `None` also when it has as many as it may.
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
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = open.by_network.get(&network).copied().unwrap_or(0);
        if of_one >= self.most_of_one {
            return false;
        }
        open.by_network.insert(network, of_one.saturating_add(1));
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
            match open.by_network.get_mut(&network) {
                Some(count) if *count > 1 => *count = count.saturating_sub(1),
                _ => _ = open.by_network.remove(&network),
            }
        }
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
        assert!(slots.open.lock().unwrap().by_network.is_empty(), "nothing is left behind");
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
