//! The headers of tokens that were good: an issuer writes the same one for each token of a key, and it need not be read each time.
//!
//! Rules:
//! 1. a header is kept once the signature of its token has verified: strangers bring none in;
//! 2. it is found by its text as it was sent, letter by letter, and for the set of keys that it was read for: the same would come
//!    of reading it again. Another set has none to begin with;
//! 3. eight at most, of 512 bytes at most: the first ones. An issuer has a handful of keys.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::keys::Check;
use super::source::JwkSet;
use crate::operation::Algorithm;

const MOST: usize = 8;
const LONGEST: usize = 512;

/// Of one verifier: another may refuse what this one takes.
#[derive(Default)]
pub(super) struct Heads(ArcSwapOption<Known>);

struct Known {
    set: Arc<JwkSet>,
    heads: Vec<Head>,
}

/// What a header says of how its token is verified.
#[derive(Clone)]
pub(super) struct Head {
    text: Arc<[u8]>,
    pub(super) algorithm: Algorithm,
    pub(super) check: Arc<Check>,
}

impl Heads {
    pub(super) fn find(&self, set: &Arc<JwkSet>, header: &[u8]) -> Option<Head> {
        let known = self.0.load();
        let known = known.as_ref().filter(|known| Arc::ptr_eq(&known.set, set))?;
        known.heads.iter().find(|head| &*head.text == header).cloned()
    }

    /// Rule 1 is the caller's.
    pub(super) fn keep(&self, set: &Arc<JwkSet>, header: &[u8], algorithm: Algorithm, check: &Arc<Check>) {
        let known = self.0.load();
        let of_this = known.as_ref().filter(|known| Arc::ptr_eq(&known.set, set));
        let mut heads = of_this.map(|known| known.heads.clone()).unwrap_or_default();
        let is_new = heads.iter().all(|head| &*head.text != header);
        if is_new && heads.len() < MOST && header.len() <= LONGEST {
            heads.push(Head { text: header.into(), algorithm, check: Arc::clone(check) });
            self.0.store(Some(Arc::new(Known { set: Arc::clone(set), heads })));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn set() -> (Arc<JwkSet>, Arc<Check>) {
        let set = JwkSet::from_secret(&Secret::new(vec![7; 32])).unwrap();
        let check = Arc::clone(set.ring.find(None, Algorithm::HS256).unwrap());
        (Arc::new(set), check)
    }

    #[test]
    fn a_header_is_known_for_its_set_letter_by_letter() {
        let (heads, (one, check), (other, _)) = (Heads::default(), set(), set());
        heads.keep(&one, b"eyJ", Algorithm::HS256, &check);
        let found = heads.find(&one, b"eyJ").unwrap();
        assert!(found.algorithm == Algorithm::HS256 && Arc::ptr_eq(&found.check, &check));
        for text in [&b"eyj"[..], b"eyJ ", b"ey", b""] {
            assert!(heads.find(&one, text).is_none());
        }
        assert!(heads.find(&other, b"eyJ").is_none());
        heads.keep(&other, b"eyK", Algorithm::HS256, &check);
        assert!(heads.find(&other, b"eyJ").is_none() && heads.find(&one, b"eyJ").is_none());
    }

    #[test]
    fn there_are_eight_of_half_a_kibibyte() {
        let (heads, (set, check)) = (Heads::default(), set());
        heads.keep(&set, &[b'x'; LONGEST + 1], Algorithm::HS256, &check);
        for number in (0..100_u8).flat_map(|number| [number; 3]) {
            heads.keep(&set, &[number; LONGEST], Algorithm::HS256, &check);
        }
        let known: Vec<_> =
            (0..100_u8).filter(|number| heads.find(&set, &[*number; LONGEST]).is_some()).collect();
        assert_eq!(known, (0..8).collect::<Vec<_>>());
        assert!(heads.find(&set, &[b'x'; LONGEST + 1]).is_none());
    }
}
