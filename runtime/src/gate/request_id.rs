//! The id under which a request is spoken of: in its answer, in the log, in security events.

use std::cell::RefCell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderName, HeaderValue};
use uuid::Builder as UuidBuilder;

use crate::clock::Now;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: a UUIDv7, or what a trusted proxy sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    bytes: [u8; RequestId::MAX],
    length: usize,
}

impl RequestId {
    const MAX: usize = 64;
    const MIN: usize = 8;

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// RFC 9562 section 5.7: milliseconds, then random bits.
    pub(crate) fn fresh(now: Option<Now>) -> Self {
        let millis = now.map_or(0, |now| u64::try_from(now.wall().as_millis()).unwrap_or(u64::MAX));
        let id = UuidBuilder::from_unix_timestamp_millis(millis, &Drawn::next()).into_uuid();
        let mut bytes = [0; Self::MAX];
        let length = id.hyphenated().encode_lower(&mut bytes).len();
        Self { bytes, length }
    }

    /// One that a proxy sent, if it is `[A-Za-z0-9._-]{8,64}`.
    pub(crate) fn forwarded(value: &HeaderValue) -> Option<Self> {
        let sent = value.as_bytes();
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let fits = (Self::MIN..=Self::MAX).contains(&sent.len()) && sent.iter().all(plain);
        let mut bytes = [0; Self::MAX];
        bytes.get_mut(..sent.len()).filter(|_| fits)?.copy_from_slice(sent);
        Some(Self { bytes, length: sent.len() })
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The random bits of one id.
type Bits = [u8; 10];

/// Random bits for several ids: a draw costs the same for one as for all of them.
///
/// Ids need to be distinct, not secret, so they may lie here until they are used.
struct Drawn {
    bits: [Bits; Self::AT_ONCE],
    used: usize,
}

thread_local! {
    static DRAWN: RefCell<Drawn> = const { RefCell::new(Drawn { bits: [[0; 10]; Drawn::AT_ONCE], used: Drawn::AT_ONCE }) };
}

impl Drawn {
    const AT_ONCE: usize = 64;

    fn next() -> Bits {
        DRAWN.with_borrow_mut(Self::take)
    }

    fn take(&mut self) -> Bits {
        if self.used >= Self::AT_ONCE {
            if crate::random::fill(self.bits.as_flattened_mut()).is_err() {
                self.bits = [(); Self::AT_ONCE].map(|()| counted());
            }
            self.used = 0;
        }
        let bits = self.bits.get(self.used).copied().unwrap_or_default();
        self.used = self.used.saturating_add(1);
        bits
    }
}

/// What no other request of this process has. The library that draws never says that it could not: it aborts the process
/// ([`random`](crate::random)). Should it ever say so, ids are not alike for it.
fn counted() -> Bits {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let [a, b, c, d, e, f, g, h] = COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    [0, 0, a, b, c, d, e, f, g, h]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn forwarded_request_ids_are_plain() {
        for good in ["0193a1b2-c3d4", "abc.DEF_12-3"] {
            assert_eq!(RequestId::forwarded(&HeaderValue::from_static(good)).unwrap().as_str(), good);
        }
        let long = "a".repeat(65);
        for bad in ["short", "with space 12", "quote\"12345", long.as_str()] {
            assert!(RequestId::forwarded(&HeaderValue::from_str(bad).unwrap()).is_none(), "{bad}");
        }
    }

    #[test]
    fn fresh_request_ids_are_version_7_and_distinct() {
        let now = crate::clock::Clock::fixed(1_700_000_000).now().ok();
        let ids: Vec<String> = (0..3 * Drawn::AT_ONCE).map(|_| RequestId::fresh(now).to_string()).collect();
        assert!(ids.iter().all(|id| uuid::Uuid::parse_str(id).unwrap().get_version_num() == 7));
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    }

    #[test]
    fn request_ids_are_distinct_without_random_bytes() {
        let now = crate::clock::Clock::fixed(1_700_000_000).now().ok();
        let ids = std::thread::scope(|scope| {
            let several = || {
                let _failing = crate::random::failing::begin();
                (0..3 * Drawn::AT_ONCE).map(|_| RequestId::fresh(now).to_string()).collect::<Vec<_>>()
            };
            [(); 2].map(|()| scope.spawn(several)).map(|thread| thread.join().unwrap()).concat()
        });
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 6 * Drawn::AT_ONCE);
    }
}
