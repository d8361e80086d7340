//! How often tokens may cause a fetch, and what is said of a token whose key is not there while they may not.
//!
//! Rules:
//! 1. three at once, and one more every `cooldown`, counted from the beginning and whatever came of it. The last of them is for
//!    keys that were not looked for: whoever shows one token again and again keeps no other key out;
//! 2. a key that was looked for in vain less than a `cooldown` ago is not there: its token is refused. What was looked for is
//!    what a token had been shown with before a fetch began that had an answer, whoever caused it. (Who knows how the header of tokens will
//!    read and shows it before its key is published has them refused for as long: nobody else can);
//! 3. of any other nobody knows: it may be a key that was published since. Its token is good later or never, and the client is
//!    told when there will be a look. It is looked for then.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

/// How many fetches tokens may cause at once.
const BURST: u32 = 3;
/// Keys that are remembered as looked for, and as asked for.
const REMEMBERED: usize = 64;

/// What a token says of its key: the part before its first dot, as it stands there.
///
/// Not the `kid` alone, so that nothing has to be read for it; an issuer writes the same for all tokens of a key.
#[derive(Clone, Copy)]
pub(super) struct Sought<'a>(&'a [u8]);

impl<'a> Sought<'a> {
    pub(super) fn of(token: &'a [u8]) -> Self {
        Self(token.split(|byte| *byte == b'.').next().unwrap_or(token))
    }
}

pub(super) enum Turn {
    /// A fetch begins.
    Taken,
    /// It was looked for a moment ago.
    InVain,
    /// There is no look before that is over.
    NotYet(Duration),
}

pub(super) struct Turns {
    cooldown: Duration,
    /// When tokens may cause as many fetches as ever: moved before anything is sent.
    full_at: Option<Instant>,
    /// When the last fetch that had an answer began, whoever caused it.
    looked: Option<Instant>,
    looked_for: VecDeque<u64>,
    /// Since the last one began that is under way or ended.
    asked_for: VecDeque<u64>,
    /// When it began, and what was asked for until then.
    under_way: Option<(Instant, VecDeque<u64>)>,
    hasher: RandomState,
}

impl Turns {
    pub(super) fn new(cooldown: Duration) -> Self {
        Self {
            cooldown,
            full_at: None,
            looked: None,
            looked_for: VecDeque::new(),
            asked_for: VecDeque::new(),
            under_way: None,
            hasher: RandomState::new(),
        }
    }

    /// A fetch for a token, or for nobody in particular, if there may be one now.
    pub(super) fn take(&mut self, sought: Option<Sought<'_>>, now: Instant) -> Turn {
        let sought = sought.map(|sought| self.hasher.hash_one(sought.0));
        let full_at = self.full_at.map_or(now, |full_at| full_at.max(now)) + self.cooldown;
        let looked_for = sought.is_some_and(|sought| self.looked_for.contains(&sought));
        let burst = if looked_for { BURST - 1 } else { BURST };
        let wait = full_at.saturating_duration_since(now + self.cooldown * burst);
        if wait.is_zero() {
            self.full_at = Some(full_at);
            remember(&mut self.asked_for, sought);
            self.begin(now);
            return Turn::Taken;
        }
        let lately = self.looked.is_some_and(|looked| now.saturating_duration_since(looked) < self.cooldown);
        if sought.is_none() || (looked_for && lately) {
            return Turn::InVain;
        }
        remember(&mut self.asked_for, sought);
        Turn::NotYet(wait)
    }

    /// A fetch begins: it looks for all that were asked for until now.
    pub(super) fn begin(&mut self, now: Instant) {
        self.under_way = Some((now, std::mem::take(&mut self.asked_for)));
    }

    /// It ended: what has no answer looked for nothing.
    pub(super) fn ended(&mut self, answered: bool) {
        let Some((began, sought)) = self.under_way.take().filter(|_| answered) else { return };
        self.looked = Some(began);
        for sought in sought {
            remember(&mut self.looked_for, Some(sought));
        }
    }
}

/// The oldest gives way.
fn remember(all: &mut VecDeque<u64>, sought: Option<u64>) {
    let Some(sought) = sought.filter(|sought| !all.contains(sought)) else { return };
    if all.len() == REMEMBERED {
        all.pop_front();
    }
    all.push_back(sought);
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOLDOWN: Duration = Duration::from_secs(30);

    fn turn(turns: &mut Turns, token: &str, now: Instant) -> Result<bool, u64> {
        match turns.take(Some(Sought::of(token.as_bytes())), now) {
            Turn::Taken => {
                turns.ended(true);
                Ok(true)
            }
            Turn::InVain => Ok(false),
            Turn::NotYet(wait) => Err(wait.as_secs()),
        }
    }

    #[tokio::test]
    async fn what_was_looked_for_is_known_to_be_missing_and_of_what_was_not_nobody_knows() {
        let (mut turns, began) = (Turns::new(COOLDOWN), Instant::now());
        let at = |seconds| began + Duration::from_secs(seconds);
        for key in ["old.x", "old.another", "older.x"] {
            assert_eq!(turn(&mut turns, key, at(0)), Ok(true));
        }
        assert_eq!(turn(&mut turns, "old.more", at(1)), Ok(false), "the same key");
        assert_eq!(turn(&mut turns, "new.x", at(1)), Err(29));
        assert_eq!(turn(&mut turns, "new.x", at(29)), Err(1), "it was not looked for yet");
        assert_eq!(turn(&mut turns, "newer.x", at(30)), Ok(true));
        for key in ["old.x", "new.x"] {
            assert_eq!(turn(&mut turns, key, at(30)), Ok(false), "this fetch was for all who had asked");
        }
        assert_eq!(turn(&mut turns, "newest.x", at(31)), Err(29));
        turns.begin(at(40)); // of our own accord
        turns.ended(false);
        assert_eq!(turn(&mut turns, "newest.x", at(41)), Err(19), "it had no answer");
        turns.begin(at(41));
        turns.ended(true);
        assert_eq!(turn(&mut turns, "newest.x", at(41)), Ok(false));
        assert_eq!(turn(&mut turns, "newest.x", at(59)), Ok(false));
    }

    /// Two looks for one key, and one each minute from then on: the third is another's.
    #[tokio::test]
    async fn one_key_that_is_asked_for_all_the_time_keeps_no_other_out() {
        let (mut turns, began) = (Turns::new(COOLDOWN), Instant::now());
        let asked = |turns: &mut Turns, seconds: std::ops::Range<u64>| {
            seconds.filter(|at| turn(turns, "old.x", began + Duration::from_secs(*at)) == Ok(true)).count()
        };
        assert_eq!(asked(&mut turns, 0..29), 2);
        assert_eq!(turn(&mut turns, "new.x", began + Duration::from_secs(29)), Ok(true));
        assert!((10..=20).contains(&asked(&mut turns, 30..630)));
    }

    #[tokio::test]
    async fn what_was_looked_for_long_ago_may_be_there_by_now() {
        let (mut turns, now) = (Turns::new(COOLDOWN), Instant::now());
        assert_eq!(turn(&mut turns, "a.x", now), Ok(true));
        turns.full_at = Some(now + COOLDOWN * 9);
        assert_eq!(turn(&mut turns, "a.x", now + COOLDOWN / 2), Ok(false));
        assert_eq!(turn(&mut turns, "a.x", now + COOLDOWN), Err(210));
    }

    #[tokio::test]
    async fn a_flood_of_keys_is_forgotten_but_for_the_last() {
        let (mut turns, now) = (Turns::new(COOLDOWN), Instant::now());
        for number in 0..10_000 {
            _ = turn(&mut turns, &format!("{number}.x"), now);
        }
        turns.begin(now);
        turns.ended(true);
        assert_eq!((turns.asked_for.len(), turns.looked_for.len()), (0, REMEMBERED));
        assert_eq!(turn(&mut turns, "9999.x", now), Ok(false));
        assert!(turn(&mut turns, "1.x", now).is_err());
    }
}
