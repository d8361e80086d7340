//! Answers that are used again, where the document allows it (`introspection: { cache: 10s }`).
//!
//! Rules:
//! 1. they are kept under the SHA-256 of the token, never under the token;
//! 2. an answer about an active token for as long as the document says and not beyond its `exp`; that a token is not active
//!    for half as long, and five seconds at most; that nobody knows, not at all;
//! 3. requests with the same token share one call that is under way. It ends without a word when all of them have gone, as
//!    does the call of a single request that has;
//! 4. 4096 of each kind, the oldest goes first, and none over 8 KiB. The kinds are apart: tokens that somebody makes up push out none of the good.

use std::{
    collections::{HashMap, VecDeque},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use aws_lc_rs::digest;
use bytes::Bytes;
use serde_json::Value;
use tokio::{sync::watch, time::Instant};

use super::{Introspection, Unknown};
use crate::{authn::jwt::json, clock::Now};

pub(super) const CAPACITY: usize = 4096;
/// Largest answer that is kept.
const LARGEST: usize = 8 * 1024;
const LONGEST_NO: Duration = Duration::from_secs(5);

type Key = [u8; 32];
type Outcome = Result<Bytes, Unknown>;

/// The answers of one scheme.
pub(super) struct Cache {
    shared: Arc<Mutex<Shared>>,
    yes: Duration,
    no: Duration,
}

struct Shared {
    yes: Kept,
    no: Kept,
    under_way: HashMap<Key, Weak<Tell>>,
}

type Tell = watch::Sender<Option<Outcome>>;

impl Cache {
    pub(super) fn new(longest: Duration) -> Self {
        let shared = Shared { yes: Kept::new(CAPACITY), no: Kept::new(CAPACITY), under_way: HashMap::new() };
        Self { shared: Arc::new(Mutex::new(shared)), yes: longest, no: (longest / 2).min(LONGEST_NO) }
    }

    /// What is known of `token`, or what `far` says of it.
    pub(super) async fn ask(&self, far: &Introspection, token: &str, now: Now) -> Outcome {
        let key = key(token);
        let mut answer = match self.look(key) {
            Found::Kept(answer) => return Ok(answer),
            Found::UnderWay(answer) => answer,
            Found::Nothing(tell, answer) => {
                // on a task of its own: a caller who leaves must not end what others wait for
                let call = Call { far: far.clone(), token: token.to_owned(), key, tell };
                let (shared, yes, no) = (Arc::clone(&self.shared), self.yes, self.no);
                tokio::spawn(async move {
                    let Some((tell, outcome)) = call.make(&shared).await else { return };
                    keep(&shared, key, &outcome, (yes, no), now);
                    tell.send_replace(Some(outcome));
                });
                answer
            }
        };
        let told = answer.wait_for(Option::is_some).await.map_err(|_| Unknown::Unavailable)?;
        told.clone().unwrap_or(Err(Unknown::Unavailable))
    }

    #[cfg(test)]
    pub(super) fn under_way(&self) -> usize {
        lock(&self.shared).under_way.len()
    }

    fn look(&self, key: Key) -> Found {
        let mut shared = lock(&self.shared);
        let Shared { yes, no, under_way } = &mut *shared;
        if let Some(answer) = yes.get(&key).or_else(|| no.get(&key)) {
            return Found::Kept(answer);
        }
        // one whose sender is gone died before it could tell
        if let Some(tell) = under_way.get(&key).and_then(Weak::upgrade) {
            return Found::UnderWay(tell.subscribe());
        }
        let (tell, answer) = watch::channel(None);
        let tell = Arc::new(tell);
        under_way.insert(key, Arc::downgrade(&tell));
        Found::Nothing(tell, answer)
    }
}

enum Found {
    Kept(Bytes),
    UnderWay(watch::Receiver<Option<Outcome>>),
    Nothing(Arc<Tell>, watch::Receiver<Option<Outcome>>),
}

/// A call that is under way, for all who wait for it.
struct Call {
    far: Introspection,
    token: String,
    key: Key,
    tell: Arc<Tell>,
}

impl Call {
    /// What came of it, and whom to tell; `None` when nobody waits any more.
    async fn make(self, shared: &Mutex<Shared>) -> Option<(Arc<Tell>, Outcome)> {
        let Self { far, token, key, tell } = self;
        let mut asking = pin!(far.ask(&token));
        loop {
            tokio::select! {
                outcome = &mut asking => return Some((tell, outcome)),
                () = tell.closed() => {
                    // who comes now finds it under way, or begins another: it is looked up under the same lock
                    let mut shared = lock(shared);
                    if tell.receiver_count() == 0 {
                        shared.under_way.remove(&key);
                        return None;
                    }
                }
            }
        }
    }
}

/// Rule 2, and that the call is over.
fn keep(shared: &Mutex<Shared>, key: Key, outcome: &Outcome, (yes, no): (Duration, Duration), now: Now) {
    let mut shared = lock(shared);
    if let Some(answer) = outcome.as_ref().ok().filter(|answer| answer.len() <= LARGEST) {
        match State::of(answer) {
            Some(State { active: true, exp }) => {
                shared.yes.put(key, answer.clone(), lifetime(exp, yes, now));
            }
            Some(State { active: false, .. }) => shared.no.put(key, answer.clone(), no),
            None => {}
        }
    }
    shared.under_way.remove(&key);
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    // a panic while it was held leaves maps that are whole
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key(token: &str) -> Key {
    let mut key = [0; 32];
    key.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    key
}

/// What decides how long an answer is kept. Whether it is a good one is judged at each use.
struct State {
    active: bool,
    exp: Option<f64>,
}

impl State {
    /// `None`: the answer is none.
    fn of(answer: &[u8]) -> Option<Self> {
        let answer = json::value(answer).ok()?;
        let member = |name| answer.get(name);
        Some(Self { active: member("active")?.as_bool()?, exp: member("exp").and_then(Value::as_f64) })
    }
}

/// Rule 2: how long an answer about an active token is kept.
fn lifetime(exp: Option<f64>, longest: Duration, now: Now) -> Duration {
    let rest = exp.map(|exp| (exp - now.wall().as_secs_f64()).max(0.0));
    rest.and_then(|rest| Duration::try_from_secs_f64(rest).ok()).map_or(longest, |rest| rest.min(longest))
}

/// Answers of one kind, in the order in which they came.
struct Kept {
    capacity: usize,
    answers: HashMap<Key, (Bytes, Instant, u64)>,
    /// Each answer by its number, and some that were replaced since.
    order: VecDeque<(Key, u64)>,
    count: u64,
}

impl Kept {
    fn new(capacity: usize) -> Self {
        Self { capacity, answers: HashMap::new(), order: VecDeque::new(), count: 0 }
    }

    fn get(&self, key: &Key) -> Option<Bytes> {
        let (answer, until, _) = self.answers.get(key)?;
        (Instant::now() < *until).then(|| answer.clone())
    }

    fn put(&mut self, key: Key, answer: Bytes, lifetime: Duration) {
        if lifetime.is_zero() {
            return;
        }
        self.count = self.count.wrapping_add(1);
        self.answers.insert(key, (answer, Instant::now() + lifetime, self.count));
        self.order.push_back((key, self.count));
        // what was replaced counts as well, so that neither grows beyond its bound
        while self.order.len() > self.capacity {
            let Some((oldest, number)) = self.order.pop_front() else { break };
            if self.answers.get(&oldest).is_some_and(|(_, _, of)| *of == number) {
                self.answers.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::flood::{LITTLE, grows_by};

    #[test]
    fn a_flood_of_tokens_takes_no_more_memory() {
        let mut kept = Kept::new(CAPACITY);
        let answer = Bytes::from_static(br#"{"active":false}"#);
        let grown = grows_by(100_000, |number| {
            kept.put(key(&number.to_string()), answer.clone(), LONGEST_NO);
            kept.put(key(&number.to_string()), answer.clone(), LONGEST_NO);
        });
        assert!(grown < LITTLE, "{grown} bytes");
    }

    #[tokio::test(start_paused = true)]
    async fn answers_end_and_the_oldest_goes_first() {
        let mut kept = Kept::new(2);
        for number in 1..=3 {
            kept.put([number; 32], Bytes::new(), Duration::from_secs(1));
        }
        assert_eq!((kept.answers.len(), kept.order.len()), (2, 2));
        assert_eq!([1, 2, 3].map(|number| kept.get(&[number; 32]).is_some()), [false, true, true]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(kept.get(&[3; 32]), None);
        for _ in 0..100 {
            kept.put([9; 32], Bytes::new(), Duration::from_secs(1));
        }
        assert!(kept.order.len() <= 2 && kept.get(&[9; 32]).is_some());
        kept.put([8; 32], Bytes::new(), Duration::ZERO);
        assert_eq!(kept.get(&[8; 32]), None);
    }

    /// What is kept of the answers, each `seconds` after it came.
    async fn kept_after(cache: &Cache, answers: &[(&str, Bytes)], seconds: u64) -> Vec<bool> {
        let now = Clock::fixed(1_800_000_000).now().unwrap();
        for (token, answer) in answers {
            keep(&cache.shared, key(token), &Ok(answer.clone()), (cache.yes, cache.no), now);
        }
        tokio::time::advance(Duration::from_secs(seconds)).await;
        answers.iter().map(|(token, _)| matches!(cache.look(key(token)), Found::Kept(_))).collect()
    }

    const YES: Bytes = Bytes::from_static(br#"{"active":true}"#);
    const NO: Bytes = Bytes::from_static(br#"{"active":false}"#);

    #[tokio::test(start_paused = true)]
    async fn a_no_is_kept_for_half_as_long_as_a_yes_and_five_seconds_at_most() {
        for (longest, no) in [(60, 5), (10, 5), (4, 2)] {
            let after = async |seconds| {
                let cache = Cache::new(Duration::from_secs(longest));
                kept_after(&cache, &[("yes", YES), ("no", NO)], seconds).await
            };
            assert_eq!(after(no - 1).await, [true, true], "{longest}");
            assert_eq!(after(no).await, [true, false], "{longest}");
            assert_eq!(after(longest).await, [false, false], "{longest}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn answers_over_8_kib_and_what_is_no_answer_are_not_kept() {
        let long = |bytes: usize| Bytes::from(format!("{}{}", r#"{"active":true}"#, " ".repeat(bytes - 15)));
        let cache = Cache::new(Duration::from_secs(60));
        let answers = [("a", long(8192)), ("b", long(8193)), ("c", Bytes::from_static(b"{}"))];
        assert_eq!(kept_after(&cache, &answers, 0).await, [true, false, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_that_are_made_up_push_out_none_of_the_good() {
        let cache = Cache::new(Duration::from_secs(60));
        assert_eq!(kept_after(&cache, &[("good", YES)], 0).await, [true]);
        let made_up: Vec<_> = (0..=CAPACITY).map(|number| number.to_string()).collect();
        let made_up: Vec<_> = made_up.iter().map(|token| (&**token, NO)).collect();
        let kept = kept_after(&cache, &made_up, 0).await;
        assert_eq!(kept.iter().filter(|kept| **kept).count(), CAPACITY);
        assert!(matches!(cache.look(key("good")), Found::Kept(_)));
    }

    #[test]
    fn no_answer_is_kept_beyond_the_end_of_its_token() {
        let now = Clock::fixed(1_800_000_000).now().unwrap();
        let of = |answer: &str| {
            let exp = State::of(answer.as_bytes()).unwrap().exp;
            lifetime(exp, Duration::from_secs(60), now).as_secs()
        };
        assert_eq!(of(r#"{"active":true}"#), 60);
        assert_eq!(of(r#"{"active":true,"exp":1800000010}"#), 10);
        assert_eq!(of(r#"{"active":true,"exp":1900000000}"#), 60);
        assert_eq!(of(r#"{"active":true,"exp":1799999999}"#), 0);
        assert_eq!(of(r#"{"active":true,"exp":1e300}"#), 60);
    }
}
