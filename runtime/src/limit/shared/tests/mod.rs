//! The scripts in a real Redis, that of counters against the functions of this crate.

mod ends;
mod places;

use std::collections::HashMap;
use std::time::Duration;

use super::in_redis::{InRedis, PATIENCE};
use super::server::Server;
use super::*;
use crate::limit::dice::Dice;
use crate::limit::log::{MOST as UNITS, Units};
use crate::limit::meter::State;
use crate::state::shared::Patience;

const SECOND: u64 = 1_000_000;
/// What a busy machine loses nobody must take for a decision.
const LONG: Duration = Duration::from_secs(9);
const ANSWER: &str = "Redis answers";

fn name(number: u64) -> Name {
    let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
    [a, b, c, d, e, f, g, h, 0, 0, 0, 0, 0, 0, 0, 0]
}

fn bucket(quota: u32, micros: u64, burst: u32) -> Meter {
    Meter::Bucket(Rate::new(quota, Duration::from_micros(micros), burst))
}

fn window(slides: bool, quota: u32, micros: u64) -> Meter {
    let length = Duration::from_micros(micros);
    Meter::Window(if slides { Window::sliding(quota, length) } else { Window::fixed(quota, length) })
}

fn log(quota: u32, micros: u64) -> Meter {
    Meter::Log(Log::new(quota, Duration::from_micros(micros)))
}

/// One that is fresh says what one that is not there says.
fn seen(state: State, now: u64) -> State {
    if state.fresh_at <= now { State::default() } else { state }
}

async fn start() -> (Server, InRedis) {
    let server = Server::start("--appendonly no").await;
    let patience = Patience { answer: LONG, whole: LONG, ..PATIENCE };
    let counters = InRedis::connect(&server.url().into(), "test", patience).await.unwrap();
    (server, counters)
}

async fn one(counters: &InRedis, name: Name, meter: Meter, cost: u32) -> (u64, Outcome) {
    let answer = counters.spend(&[Asked { name, meter, cost }], LONG).await.expect(ANSWER);
    (answer.now, answer.outcomes[0])
}

/// What the functions of this crate make of the same, one counter after the other.
#[derive(Default)]
struct Twin {
    states: HashMap<Name, State>,
    logs: HashMap<Name, Units>,
}

impl Twin {
    fn state(&self, one: &Asked, now: u64) -> State {
        match one.meter {
            Meter::Log(log) => log.state(self.logs.get(&one.name).unwrap_or(&[0; UNITS]), now),
            _ => self.states.get(&one.name).copied().unwrap_or_default(),
        }
    }

    fn wait(&self, one: &Asked, now: u64) -> u64 {
        match one.meter {
            Meter::Log(log) => log.wait(self.logs.get(&one.name).unwrap_or(&[0; UNITS]), now, one.cost),
            meter => meter.spend(self.state(one, now), now, one.cost).err().map_or(0, |wait| wait.max(1)),
        }
    }

    fn charge(&mut self, one: &Asked, now: u64) {
        if let Meter::Log(log) = one.meter {
            log.note(self.logs.entry(one.name).or_insert([0; UNITS]), now, one.cost);
        } else if let Ok(next) = one.meter.spend(self.state(one, now), now, one.cost) {
            self.states.insert(one.name, next);
        }
    }

    fn spend(&mut self, now: u64, asked: &[Asked]) -> Vec<(State, u64)> {
        let waits: Vec<_> = asked.iter().map(|one| self.wait(one, now)).collect();
        if waits.iter().all(|wait| *wait == 0) {
            asked.iter().for_each(|one| self.charge(one, now));
        }
        asked.iter().zip(waits).map(|(one, wait)| (seen(self.state(one, now), now), wait)).collect()
    }

    fn give_back(&mut self, now: u64, spent: &Spent) {
        let Asked { name, meter, cost } = spent.asked;
        if let Meter::Log(log) = meter {
            log.give_back(self.logs.entry(name).or_insert([0; UNITS]), spent.then, now, cost);
            return;
        }
        let left = meter.give_back(self.state(&spent.asked, now), spent.then, now, cost);
        self.states.insert(name, left);
    }
}

/// Traces in which windows pass, limits are met and charges are given back. The time is that of the script, so both see
/// the same.
#[tokio::test]
async fn the_script_decides_as_this_crate_does() {
    let (_server, counters) = start().await;
    let (mut dice, mut twin) = (Dice(7), Twin::default());
    let (mut passed, mut refused, mut given) = (0, 0, 0);
    let meters: Vec<_> = (0..12)
        .map(|number: u64| {
            let quota = u32::try_from(1 + dice.below(9)).unwrap();
            let micros = 2_000 + dice.below(40_000);
            match number % 4 {
                0 => bucket(quota, micros, 1 + quota / 2),
                1 => log(quota, micros),
                kind => window(kind == 2, quota, micros),
            }
        })
        .collect();
    let mut spent: Vec<Spent> = Vec::new();
    for _ in 0..6_000 {
        let first = dice.below(12);
        let asked: Vec<_> = (0..1 + dice.below(3))
            .map(|step| (first + step * 5) % 12)
            .map(|at| {
                let cost = u32::try_from(1 + dice.below(2)).unwrap();
                Asked { name: name(at), meter: meters[usize::try_from(at).unwrap()], cost }
            })
            .collect();
        let answer = counters.spend(&asked, LONG).await.expect(ANSWER);
        let theirs: Vec<_> =
            answer.outcomes.iter().map(|one| (seen(one.state, answer.now), one.wait)).collect();
        assert_eq!(theirs, twin.spend(answer.now, &asked), "{asked:?} at {}", answer.now);
        if theirs.iter().all(|(_, wait)| *wait == 0) {
            passed += 1;
            spent.push(Spent { asked: asked[0], then: answer.now });
        } else {
            refused += 1;
        }
        match dice.below(20) {
            0 => tokio::time::sleep(Duration::from_micros(dice.below(20_000))).await,
            1..5 if !spent.is_empty() => {
                given += 1;
                let one = spent.swap_remove(usize::try_from(dice.below(spent.len() as u64)).unwrap());
                twin.give_back(counters.give_back(&[one], LONG).await.expect(ANSWER), &one);
            }
            _ => {}
        }
    }
    assert!(
        passed > 500 && refused > 500 && given > 100,
        "{passed} passed, {refused} refused, {given} given"
    );
}

/// Lengths of up to 400 days and quotas of up to four billion: what is reckoned stays exact.
#[tokio::test]
async fn the_script_reckons_exactly_with_large_numbers() {
    let (server, counters) = start().await;
    let mut dice = Dice(11);
    let (mut passed, mut refused) = (0, 0);
    for number in 0..1_500 {
        let length = SECOND + dice.below(400 * 86_400 * SECOND);
        let bits = 1 + dice.below(32);
        let quota = u32::try_from(1 + dice.below(1 << bits)).unwrap_or(u32::MAX);
        let cost = u32::try_from(1 + dice.below(u64::from(quota).min(1_000))).unwrap();
        let meter = match number % 3 {
            0 => bucket(quota, length, quota),
            kind => window(kind == 1, quota, length),
        };
        let (now, _) = one(&counters, name(u64::MAX), bucket(1, 1, 1), 1).await;
        let state = match meter {
            Meter::Bucket(rate) => State::full_at(now + dice.below(rate.times().1.max(1))),
            Meter::Log(_) => continue, // of which all that is reckoned is a sum
            Meter::Window(_) => {
                let slides = number % 3 == 1;
                let start = now - now % length - if slides { dice.below(2) * length } else { 0 };
                let count = |dice: &mut Dice| u32::try_from(dice.below(u64::from(quota) + 1)).unwrap();
                let (current, previous) = (count(&mut dice), if slides { count(&mut dice) } else { 0 });
                State::with_pair(start + length * if slides { 2 } else { 1 }, current, previous)
            }
        };
        let (current, previous) = state.pair();
        let kept = format!("{} {current} {previous}", state.fresh_at);
        server.ask(&["SET", &counters.key(name(number)), &kept]).await.unwrap();
        let (now, outcome) = one(&counters, name(number), meter, cost).await;
        let ours = meter.spend(state, now, cost);
        let expected = (seen(ours.unwrap_or(state), now), ours.err().unwrap_or(0));
        assert_eq!(
            (seen(outcome.state, now), outcome.wait),
            expected,
            "{meter:?}, {state:?}, {cost} at {now}"
        );
        *(if outcome.wait == 0 { &mut passed } else { &mut refused }) += 1;
    }
    assert!(passed > 200 && refused > 200, "{passed} passed, {refused} refused");
}

/// However far a window reaches and however many units it has.
#[tokio::test]
async fn the_script_keeps_logs_of_all_lengths_and_quotas() {
    let (server, counters) = start().await;
    let (mut dice, mut passed, mut refused) = (Dice(13), 0, 0);
    for number in 0..600 {
        let length = SECOND + dice.below(400 * 86_400 * SECOND);
        let of =
            Log::new(u32::try_from(1 + dice.below(UNITS as u64)).unwrap(), Duration::from_micros(length));
        let cost = u32::try_from(1 + dice.below(u64::from(of.facts().1))).unwrap();
        let (now, _) = one(&counters, name(u64::MAX), bucket(1, 1, 1), 1).await;
        let mut units = [0; UNITS];
        let used = usize::try_from(dice.below(u64::from(of.facts().1) + 1)).unwrap();
        units.iter_mut().take(used).for_each(|unit| *unit = now + dice.below(length));
        units.sort_unstable();
        let kept: Vec<_> = units.iter().filter(|unit| **unit > 0).map(u64::to_string).collect();
        if !kept.is_empty() {
            server.ask(&["SET", &counters.key(name(number)), &kept.join(" ")]).await.unwrap();
        }
        let (now, outcome) = one(&counters, name(number), Meter::Log(of), cost).await;
        let wait = of.wait(&units, now, cost);
        if wait == 0 {
            of.note(&mut units, now, cost);
        }
        assert_eq!((outcome.state, outcome.wait), (of.state(&units, now), wait), "{of:?}, {cost} at {now}");
        *(if wait == 0 { &mut passed } else { &mut refused }) += 1;
    }
    assert!(passed > 100 && refused > 100, "{passed} passed, {refused} refused");
}

/// Time that was set back must not shut anybody out for as long as it was set back.
#[tokio::test]
async fn a_counter_of_the_future_is_used_up_and_no_more() {
    let (server, counters) = start().await;
    let of = [bucket(1, 300_000, 1), window(true, 1, 300_000), window(false, 1, 300_000), log(1, 300_000)];
    for (number, meter) in (0..).zip(of) {
        let (now, _) = one(&counters, name(9), bucket(1, 1, 1), 1).await;
        let ahead = (now + 3_600 * SECOND) / 300_000 * 300_000;
        let ahead = if meter.log().is_some() { ahead.to_string() } else { format!("{ahead} 1 1") };
        server.ask(&["SET", &counters.key(name(number)), &ahead]).await.unwrap();
        let (_, outcome) = one(&counters, name(number), meter, 1).await;
        assert!((1..=600_000).contains(&outcome.wait), "{meter:?} waits {}", outcome.wait);
        tokio::time::sleep(Duration::from_micros(outcome.wait)).await;
        assert_eq!(one(&counters, name(number), meter, 1).await.1.wait, 0, "{meter:?}");
        assert!(one(&counters, name(number), meter, 1).await.1.wait > 0, "{meter:?} counts on");
    }
}

#[tokio::test]
async fn a_counter_ends_when_it_is_fresh_and_not_before() {
    let (server, counters) = start().await;
    let of = [
        (bucket(1, 2 * SECOND, 3), 2_000),
        (log(3, 2 * SECOND), 2_000),
        (window(true, 3, 60 * SECOND), 120_000),
    ];
    for (number, (meter, longest)) in (0..).zip(of) {
        let (now, outcome) = one(&counters, name(number), meter, 1).await;
        let redis::Value::Int(left) = server.ask(&["PTTL", &counters.key(name(number))]).await.unwrap()
        else {
            panic!("no time")
        };
        let fresh = i64::try_from((outcome.state.fresh_at - now).div_ceil(1_000)).unwrap();
        assert!((fresh - 500..=fresh).contains(&left) && fresh <= longest, "{left} of {fresh} ms");
        let asked = Asked { name: name(number), meter, cost: 1 };
        counters.give_back(&[Spent { asked, then: now }], LONG).await.unwrap();
    }
    for (number, what) in [(0, "a bucket that is full again"), (1, "a log of nothing")] {
        let gone = server.ask(&["EXISTS", &counters.key(name(number))]).await.unwrap();
        assert_eq!(gone, redis::Value::Int(0), "{what}");
    }
}

#[tokio::test]
async fn what_nobody_of_us_wrote_is_no_answer() {
    let (server, counters) = start().await;
    let asked = [bucket(1, SECOND, 1), log(1, SECOND)].map(|meter| [Asked { name: name(1), meter, cost: 1 }]);
    for words in [["SET", &counters.key(name(1)), "many"], ["LPUSH", &counters.key(name(1)), "1"]] {
        server.ask(&["DEL", &counters.key(name(1))]).await.unwrap();
        server.ask(&words).await.unwrap();
        for one in &asked {
            assert!(counters.spend(one, LONG).await.is_err(), "{words:?}, {one:?}");
        }
    }
    let [asked, _] = asked;
    server.ask(&["DEL", &counters.key(name(1))]).await.unwrap();
    server.ask(&["SCRIPT", "FLUSH"]).await.unwrap();
    assert_eq!(
        counters.spend(&asked, LONG).await.unwrap().outcomes[0].wait,
        0,
        "a script that was forgotten"
    );
}

#[tokio::test]
async fn a_secret_that_was_forgotten_is_there_again_with_what_is_kept_under_it() {
    let (server, counters) = start().await;
    let secret = counters.secret().await.expect(ANSWER);
    server.ask(&["FLUSHALL"]).await.expect(ANSWER);
    counters.keep_record("known:1", b"a".to_vec(), Duration::from_secs(60), LONG).await.expect(ANSWER);
    let newcomer = InRedis::connect(&server.url().into(), "test", PATIENCE).await.expect(ANSWER);
    assert_eq!(newcomer.secret().await.expect(ANSWER), secret);
    assert_eq!(newcomer.record("known:1", LONG).await.expect(ANSWER).as_deref(), Some(&b"a"[..]));
}

/// One that anybody could guess would say who calls.
#[tokio::test]
async fn no_secret_is_put_into_redis_without_random_bytes() {
    let (server, counters) = start().await;
    let without = {
        let _failing = crate::random::failing::begin();
        counters.secret().await
    };
    assert!(without.is_err());
    let there = server.ask(&["EXISTS", "test:limit:secret"]).await.unwrap();
    assert_eq!(there, redis::Value::Int(0));
    counters.secret().await.unwrap();
}
