//! How often tokens may cause a fetch, and what is said of a token whose key is not there while they may not.
//!
//! Rules:
//! 1. three at once, and one more every `cooldown`, counted from the beginning and whatever came of it;
//! 2. a key that was looked for in vain less than a `cooldown` ago is not there: its token is refused. What was looked for is
//!    what a token had been shown with before a fetch began, whoever caused that fetch;
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
    /// When the last fetch began, whoever caused it.
    looked: Option<Instant>,
    looked_for: VecDeque<u64>,
    /// Since it began.
    asked_for: VecDeque<u64>,
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
            hasher: RandomState::new(),
        }
    }

    /// A fetch for a token, or for nobody in particular, if there may be one now.
    pub(super) fn take(&mut self, sought: Option<Sought<'_>>, now: Instant) -> Turn {
        let sought = sought.map(|sought| self.hasher.hash_one(sought.0));
        let full_at = self.full_at.map_or(now, |full_at| full_at.max(now)) + self.cooldown;
        let wait = full_at.saturating_duration_since(now + self.cooldown * BURST);
        if wait.is_zero() {
            self.full_at = Some(full_at);
            remember(&mut self.asked_for, sought);
            self.begin(now);
            return Turn::Taken;
        }
        let lately = self.looked.is_some_and(|looked| now.saturating_duration_since(looked) < self.cooldown);
        let looked_for = sought.is_none_or(|sought| self.looked_for.contains(&sought));
        if lately && looked_for {
            return Turn::InVain;
        }
        remember(&mut self.asked_for, sought);
        Turn::NotYet(wait)
    }

    /// A fetch begins: it looks for all that were asked for until now.
    pub(super) fn begin(&mut self, now: Instant) {
        self.looked = Some(now);
        for sought in std::mem::take(&mut self.asked_for) {
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
            Turn::Taken => Ok(true),
            Turn::InVain => Ok(false),
            Turn::NotYet(wait) => Err(wait.as_secs()),
        }
    }

    #[tokio::test]
    async fn what_was_looked_for_is_known_to_be_missing_and_of_what_was_not_nobody_knows() {
        let (mut turns, began) = (Turns::new(COOLDOWN), Instant::now());
        let at = |seconds| began + Duration::from_secs(seconds);
        for _ in 0..3 {
            assert_eq!(turn(&mut turns, "old.x", at(0)), Ok(true));
        }
        assert_eq!(turn(&mut turns, "old.another", at(1)), Ok(false), "the same key");
        assert_eq!(turn(&mut turns, "new.x", at(1)), Err(29));
        assert_eq!(turn(&mut turns, "new.x", at(29)), Err(1), "it was not looked for yet");
        assert_eq!(turn(&mut turns, "old.x", at(30)), Ok(true));
        for key in ["old.x", "new.x"] {
            assert_eq!(turn(&mut turns, key, at(30)), Ok(false), "this fetch was for all who had asked");
        }
        assert_eq!(turn(&mut turns, "newer.x", at(31)), Err(29));
        turns.begin(at(40)); // of our own accord
        assert_eq!(turn(&mut turns, "newer.x", at(41)), Ok(false));
        assert_eq!(turn(&mut turns, "newer.x", at(59)), Ok(false));
    }

    #[tokio::test]
    async fn what_was_looked_for_long_ago_may_be_there_by_now() {
        let (mut turns, now) = (Turns::new(COOLDOWN), Instant::now());
        for _ in 0..3 {
            assert_eq!(turn(&mut turns, "a.x", now), Ok(true));
        }
        assert_eq!(turn(&mut turns, "a.x", now + COOLDOWN / 2), Ok(false));
        turns.full_at = Some(now + COOLDOWN * 9);
        assert_eq!(turn(&mut turns, "a.x", now + COOLDOWN), Err(180));
    }

    #[tokio::test]
    async fn a_flood_of_keys_is_forgotten_but_for_the_last() {
        let (mut turns, now) = (Turns::new(COOLDOWN), Instant::now());
        for number in 0..10_000 {
            _ = turn(&mut turns, &format!("{number}.x"), now);
        }
        turns.begin(now);
        assert_eq!((turns.asked_for.len(), turns.looked_for.len()), (0, REMEMBERED));
        assert_eq!(turn(&mut turns, "9999.x", now), Ok(false));
        assert!(turn(&mut turns, "1.x", now).is_err());
    }
}
