//! When a signing key signs, when the next is made, and when one goes.
//!
//! Rules ([`Schedule::due`]), of keys in the order in which they begin to sign:
//! 1. a key signs from its time until that of the next;
//! 2. without any key one is made that signs at once: nobody holds an older set;
//! 3. the next key is made, and so published, `lead` before the last has signed for `period`; when that is missed it begins
//!    `lead` later all the same, so that every verifier has seen it before it signs;
//! 4. a key goes when the last token that it signed has expired everywhere: `keep` after the next began to sign.
//!
//! `lead` is longer than verifiers keep a key set, `keep` longer than a token lives and clocks differ.

/// All in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    pub(super) period: u64,
    pub(super) lead: u64,
    pub(super) keep: u64,
}

/// What is to be done with the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Due {
    /// So many go, from the oldest.
    pub(super) gone: usize,
    /// A new key, which signs from then on.
    pub(super) next: Option<u64>,
}

impl Due {
    pub(super) fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

impl Schedule {
    /// `keys`: since when each signs, in order.
    pub(super) fn due(&self, keys: &[u64], now: u64) -> Due {
        let Some(last) = keys.last() else { return Due { gone: 0, next: Some(now) } };
        let over = last.saturating_add(self.period);
        let next = (over.saturating_sub(self.lead) <= now).then(|| over.max(now.saturating_add(self.lead)));
        let followers = keys.iter().skip(1);
        let gone = followers.take_while(|begun| begun.saturating_add(self.keep) <= now).count();
        Due { gone, next }
    }
}

/// The key that signs: the last that has begun. `None` when the clock is before all of them.
pub(super) fn signing(
    keys: impl DoubleEndedIterator<Item = u64> + ExactSizeIterator,
    now: u64,
) -> Option<usize> {
    keys.enumerate().rev().find(|(_, begins)| *begins <= now).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: Schedule = Schedule { period: 1000, lead: 100, keep: 50 };

    fn due(keys: &[u64], now: u64) -> (usize, Option<u64>) {
        let due = SCHEDULE.due(keys, now);
        (due.gone, due.next)
    }

    #[test]
    fn the_next_key_is_made_in_time_and_the_last_goes_when_its_tokens_have() {
        assert_eq!(due(&[], 7), (0, Some(7)));
        assert_eq!(due(&[0], 899), (0, None));
        assert_eq!(due(&[0], 900), (0, Some(1000)));
        assert_eq!(due(&[0], 950), (0, Some(1050)), "late: published for as long all the same");
        assert_eq!(due(&[0], 5000), (0, Some(5100)), "much too late: the old one signs on until then");
        assert_eq!(due(&[0, 1000], 1049), (0, None));
        assert_eq!(due(&[0, 1000], 1050), (1, None));
        assert_eq!(due(&[0, 1000], 1900), (1, Some(2000)));
    }

    #[test]
    fn the_last_that_has_begun_signs() {
        let signing = |now| signing([10, 20, 30].into_iter(), now);
        assert_eq!([signing(9), signing(10), signing(29), signing(99)], [None, Some(0), Some(1), Some(2)]);
    }

    #[test]
    fn at_every_second_of_ten_periods_each_signature_is_of_a_key_that_was_published_for_the_lead_and_stays() {
        let (mut keys, mut made): (Vec<u64>, Vec<(u64, u64)>) = (Vec::new(), Vec::new());
        for now in 0..10_000 {
            let due = SCHEDULE.due(&keys, now);
            keys.drain(..due.gone);
            if let Some(next) = due.next {
                keys.push(next);
                made.push((now, next));
            }
            assert!(keys.len() <= 2);
            let signs = keys[signing(keys.iter().copied(), now).unwrap()];
            assert!(now - signs < SCHEDULE.period);
            // a token of any moment within `keep` still has its key
            let then = now.saturating_sub(SCHEDULE.keep - 1);
            let signed = made.iter().rev().find(|(_, begins)| *begins <= then).unwrap().1;
            assert!(keys.contains(&signed), "{now}: the key of {then} is gone");
        }
        assert!(made.iter().skip(1).all(|(made, begins)| begins - made == SCHEDULE.lead));
        assert_eq!(made.len(), 11, "the first, nine after it, and the one that is next");
    }
}
