//! Whom a limit counts that instances share, as a name that is the same in each of them.

use std::hash::Hasher;

use aws_lc_rs::digest::{Context, SHA256};

use super::key::{of_limit, parts};
use super::seen::Seen;
use crate::operation::{Limit, Per};

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

    /// The name of the counter that counts by these parts, told apart as in a [`Prefix`](super::key::Prefix).
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::seen::Network;
    use super::*;
    use crate::operation::Counter;

    fn from(text: &str) -> Seen<'static> {
        Seen {
            from: Network::of(text.parse().unwrap()),
            principal: None,
            tenant: None,
            is_claimed: false,
            values: &[],
        }
    }

    #[test]
    fn names_are_the_same_everywhere_and_tell_counters_apart() {
        use crate::operation::{Advertise, CountedOn, Counting, OnOutage};
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
            advertise: Advertise::Admitted,
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
        assert_eq!(
            names[0],
            name(&bucket, None, &Seen { from: Network::of("::1".parse().unwrap()), ..alice })
        );
        // what instances of another release must make as well
        assert_eq!(names[0], [239, 252, 61, 43, 34, 195, 214, 117, 240, 47, 232, 93, 109, 176, 76, 110]);
    }
}
