//! The headers of proofs that were good. A client writes the same one each time, and reading the key in it costs more than all
//! else about a proof but the signatures.
//!
//! Rules:
//! 1. a header is kept when its proof was good beside a token that is bound to its key: strangers bring none in;
//! 2. it is found by its text as it was sent, letter by letter, so that the same would come of reading it again. Nothing else of
//!    a proof is taken from here: its signature, its claims and what its token is bound to are judged each time;
//! 3. 4,096 at most, of 1 KiB at most (a key of RSA with 4096 bits has 950 bytes); those that were used least lately go, half of them
//!    at a time.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::key::Chosen;

const HALF: usize = 2048;
const LONGEST: usize = 1024;

pub(super) struct Heads {
    kept: RwLock<Kept>,
}

#[derive(Default)]
struct Kept {
    late: HashMap<Box<[u8]>, Arc<Chosen>>,
    early: HashMap<Box<[u8]>, Arc<Chosen>>,
}

impl Heads {
    pub(super) fn new() -> Self {
        Self { kept: RwLock::default() }
    }

    /// The key of a header that was good before.
    pub(super) fn find(&self, header: &[u8]) -> Option<Arc<Chosen>> {
        // a panic while it was held leaves maps that are whole
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(chosen) = kept.late.get(header) {
            return Some(Arc::clone(chosen));
        }
        let chosen = Arc::clone(kept.early.get(header)?);
        drop(kept);
        self.keep(header, &chosen);
        Some(chosen)
    }

    /// Rule 1 is the caller's.
    pub(super) fn keep(&self, header: &[u8], chosen: &Arc<Chosen>) {
        if header.len() > LONGEST {
            return;
        }
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.late.len() >= HALF {
            kept.early = std::mem::take(&mut kept.late);
        }
        kept.late.insert(header.into(), Arc::clone(chosen));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::authn::dpop::key::choose;
    use crate::authn::testing::Signer;
    use crate::flood::grows_by;

    fn chosen() -> Arc<Chosen> {
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": Signer::new().jwk("k") });
        Arc::new(choose(header.to_string().as_bytes(), None).unwrap())
    }

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let (heads, chosen) = (Heads::new(), chosen());
        heads.keep(b"used", &chosen);
        heads.keep(b"unused", &chosen);
        for number in 0..HALF * 4 {
            assert!(heads.find(b"used").is_some(), "{number}");
            heads.keep(number.to_string().as_bytes(), &chosen);
        }
        assert!(heads.find(b"unused").is_none());
        assert!(
            heads.find(b"use").is_none() && heads.find(b"used ").is_none() && heads.find(b"Used").is_none()
        );
    }

    #[test]
    fn a_flood_of_headers_takes_no_more_memory() {
        let (heads, chosen) = (Heads::new(), chosen());
        for number in 0..HALF * 2 {
            heads.keep(&[number.to_string().as_bytes(), &[b'x'; 900]].concat(), &chosen);
        }
        let grown = grows_by(20_000, |number| {
            heads.keep(&[number.to_string().as_bytes(), &[b'y'; 900]].concat(), &chosen);
        });
        assert!(grown < 64 * 1024, "{grown} bytes");
        heads.keep(&[b'x'; LONGEST + 1], &chosen);
        assert!(heads.find(&[b'x'; LONGEST + 1]).is_none());
    }
}
