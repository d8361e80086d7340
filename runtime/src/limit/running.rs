//! Requests that are under way, by what a limit counts by.
//!
//! Rules:
//! 1. all limits of a step let a request in, or none of them counts it;
//! 2. it counts until everything of it has ended: its answer has been handed to the connection, or its client has left, and
//!    its handler has returned, panicked or been given up;
//! 3. nothing is kept of a counter that nobody counts under, so there are never more than requests under way;
//! 4. where instances count together, it is held there as long as it counts here.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::key::Key;
use super::memory::counter;
use super::shared::Lease;
use super::{Charge, Few, Rule, Standing};
use crate::operation::Limit;

/// How much is under way. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Running(Arc<Mutex<HashMap<Key, u32>>>);

/// A request that counts until the last clone of this is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    _counted: Arc<Counted>,
    /// Where instances count together.
    _lease: Option<Arc<Lease>>,
}

#[derive(Debug)]
struct Counted {
    running: Running,
    keys: Few<(Key, u32)>,
}

/// What came of asking to be let in.
#[derive(Debug)]
pub(crate) struct Entered<'a> {
    /// Where the caller stands with each limit, in the order of the charges.
    pub(crate) standings: Few<Standing<'a>>,
    /// Or the limit that is full.
    pub(crate) held: Result<Held, &'static Limit>,
}

impl Running {
    /// Lets a request in under all of these limits, or under none. `most`: how many each lets in here.
    pub(crate) fn enter<'a>(&self, charges: &[Charge<'a>], most: impl Fn(&Rule) -> u32) -> Entered<'a> {
        let mut under_way = self.lock();
        let standings = |under_way: &HashMap<Key, u32>| {
            let of = |charge: &Charge<'a>| {
                charge.standing(under_way.get(&counter(charge.key)).copied().unwrap_or(0), most(charge.rule))
            };
            charges.iter().map(of).collect()
        };
        let before: Few<Standing<'a>> = standings(&under_way);
        if let Some(full) = before.iter().find(|standing| standing.wait > 0) {
            let held = Err(full.rule.limit());
            return Entered { standings: before, held };
        }
        let mut keys: Few<(Key, u32)> = Few::new();
        for charge in charges {
            // a limit that is named twice counts once
            let of = counter(charge.key);
            if !keys.iter().any(|(key, _)| *key == of) {
                let count = under_way.entry(of).or_insert(0);
                *count = count.saturating_add(charge.cost);
                keys.push((of, charge.cost));
            }
        }
        let standings =
            standings(&under_way).into_iter().map(|after| Standing { wait: 0, ..after }).collect();
        drop(under_way);
        let counted = Arc::new(Counted { running: self.clone(), keys });
        Entered { standings, held: Ok(Held { _counted: counted, _lease: None }) }
    }

    /// Every change under the lock is of whole numbers, so a thread that died holding it leaves nothing half-done.
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    pub(super) fn with(self, lease: Lease) -> Self {
        Self { _lease: Some(Arc::new(lease)), ..self }
    }
}

impl Rule {
    pub(super) fn quota(&self) -> u32 {
        self.limit.quota
    }
}

impl<'a> Charge<'a> {
    /// Where its caller stands when so many of `most` are under way. How long to wait nobody knows.
    pub(super) fn standing(&self, under_way: u32, most: u32) -> Standing<'a> {
        let remaining = most.saturating_sub(under_way);
        let wait = u64::from(remaining < self.cost);
        Standing { rule: self.rule, key: self.key, remaining, reset: 0, wait, counted: true }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut under_way = self.running.lock();
        for (key, cost) in &self.keys {
            let left = under_way.get(key).map_or(0, |count| count.saturating_sub(*cost));
            match left {
                0 => _ = under_way.remove(key),
                left => _ = under_way.insert(*key, left),
            }
        }
    }
}

/// An answer whose request counts until the last byte has been taken, or nobody takes it any more.
pub(crate) fn until_sent(body: Body, held: Few<Held>) -> Body {
    Body::new(Sent { body, held })
}

struct Sent {
    body: Body,
    held: Few<Held>,
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.held.clear();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Limiter;
    use super::super::seen::{Network, Seen};
    use super::*;
    use crate::flood::grows_by;
    use crate::operation::{Advertise, CountedOn, Counter, Counting, OnOutage, Per};

    static EACH: Limit = limit("each", 2, 1, &[Per::Principal]);
    static WHOLE: Limit = limit("whole", 3, 1, &[Per::Global]);
    static HEAVY: Limit = limit("whole", 3, 2, &[Per::Global]);

    const fn limit(name: &'static str, most: u32, cost: u32, per: &'static [Per]) -> Limit {
        Limit {
            name,
            quota: most,
            window: Duration::ZERO,
            burst: most,
            counter: Counter::Concurrency,
            cost,
            per,
            scope: Counting::Document,
            on: CountedOn::Request,
            on_outage: OnOutage::Local,
            advertise: Advertise::Admitted,
        }
    }

    fn seen(subject: &str) -> Seen<'_> {
        let from = Network::of("192.0.2.1".parse().unwrap());
        Seen { from, principal: Some(("https://id", subject)), tenant: None, is_claimed: false, values: &[] }
    }

    /// How much room each limit has, and that it was let in.
    fn let_in(entered: Entered<'_>) -> (Held, Vec<u32>) {
        let room = entered.standings.iter().map(|standing| standing.remaining).collect();
        (entered.held.expect("room"), room)
    }

    /// How much room each limit has, and which refused it.
    fn refused(entered: &Entered<'_>) -> (&'static str, Vec<u32>) {
        let room = entered.standings.iter().map(|standing| standing.remaining).collect();
        (entered.held.as_ref().expect_err("no room").name, room)
    }

    #[test]
    fn all_let_it_in_or_none_counts_it() {
        let limiter = Limiter::new(0);
        let running = Running::default();
        let rules = [limiter.rule(&EACH, "a"), limiter.rule(&WHOLE, "a")];
        let enter =
            |subject| running.enter(&rules.each_ref().map(|rule| rule.charge(&seen(subject))), Rule::quota);
        let (first, room) = let_in(enter("alice"));
        assert_eq!(room, [1, 2]);
        let (second, _) = let_in(enter("alice"));
        for _ in 0..9 {
            assert_eq!(refused(&enter("alice")), ("each", vec![0, 1]), "not counted as a whole");
        }
        let (third, _) = let_in(enter("bob"));
        assert_eq!(refused(&enter("carol")), ("whole", vec![2, 0]));
        let again = first.clone();
        drop(first);
        assert!(enter("carol").held.is_err(), "something of it goes on");
        drop(again);
        let (fourth, _) = let_in(enter("carol"));
        drop((second, third, fourth));
        assert!(running.lock().is_empty(), "and nothing is kept");
    }

    #[test]
    fn a_request_takes_as_many_places_as_it_costs_and_a_limit_counts_once() {
        let limiter = Limiter::new(0);
        let running = Running::default();
        let (light, heavy) = (limiter.rule(&WHOLE, "a"), limiter.rule(&HEAVY, "b"));
        let twice = [heavy.charge(&seen("alice")), heavy.charge(&seen("alice"))];
        let (held, room) = let_in(running.enter(&twice, Rule::quota));
        assert_eq!(room, [1, 1]);
        assert!(running.enter(&twice[..1], Rule::quota).held.is_err());
        let _light = let_in(running.enter(&[light.charge(&seen("bob"))], Rule::quota));
        assert!(running.enter(&[light.charge(&seen("bob"))], Rule::quota).held.is_err());
        drop(held);
        let_in(running.enter(&[heavy.charge(&seen("bob"))], Rule::quota));
    }

    #[test]
    fn what_requests_say_is_counted_wherever_they_come_from() {
        static SAID: Limit = limit("said", 2, 1, &[Per::Body("name")]);
        let (limiter, running) = (Limiter::new(0), Running::default());
        let rule = limiter.rule(&SAID, "a");
        let values = [(Per::Body("name"), "a".to_owned())];
        let enter = |from: &str| {
            let from = Network::of(from.parse().unwrap());
            running.enter(&[rule.charge(&Seen { from, values: &values, ..seen("alice") })], Rule::quota)
        };
        let (_first, _second) = (let_in(enter("192.0.2.1")), let_in(enter("2001:db8::1")));
        assert_eq!(refused(&enter("198.51.100.1")), ("said", vec![0]));
    }

    #[test]
    fn who_has_left_takes_no_memory() {
        let (limiter, running) = (Limiter::new(0), Running::default());
        let rule = limiter.rule(&EACH, "a");
        let grown = grows_by(40_000, |number| {
            let subject = format!("subject {number}");
            let (_held, _) = let_in(running.enter(&[rule.charge(&seen(&subject))], Rule::quota));
        });
        assert_eq!(grown, 0);
    }

    #[tokio::test]
    async fn an_answer_counts_until_its_end_or_until_nobody_takes_it() {
        let limiter = Limiter::new(0);
        let running = Running::default();
        let rule = limiter.rule(&WHOLE, "a");
        let answer = || {
            let (held, _) = let_in(running.enter(&[rule.charge(&seen("alice"))], Rule::quota));
            until_sent(Body::from("answer"), [held].into_iter().collect())
        };
        let mut taken = answer();
        assert_eq!(taken.size_hint().exact(), Some(6), "its length is still told");
        let frame = std::future::poll_fn(|cx| Pin::new(&mut taken).poll_frame(cx));
        assert!(frame.await.is_some_and(|frame| frame.is_ok()));
        assert_eq!(running.lock().len(), 1);
        assert!(std::future::poll_fn(|cx| Pin::new(&mut taken).poll_frame(cx)).await.is_none());
        assert!(running.lock().is_empty());
        drop(answer());
        assert!(running.lock().is_empty());
    }
}
