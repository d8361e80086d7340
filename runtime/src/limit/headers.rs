//! What a client is told about its limits.
//!
//! Two families, because both are in use: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10,
//! structured fields of RFC 9651), and the older `X-RateLimit-*` for the limit that is nearest to refusing.
//!
//! Both speak of the bucket, so that what remains is never more than the limit: `q` and `X-RateLimit-Limit` are what fits
//! in it (the burst), `w` is the time in which an empty one fills. Of a window they are its quota and its length. What may be
//! under way at once is told in its own unit, by the first family alone.
//!
//! `pk` is the counter that this caller is counted by, for a client that has several: a hash under a secret, of this limit
//! alone. Of an identity it says nothing, and callers with one `pk` have one counter.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{InvalidHeaderValue, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{SECOND, Standing};
use crate::operation::{Counter, Limit};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Adds the fields for `standings`, which may come from several decisions; none when there are none.
///
/// The gate leaves out what this caller is not to learn.
/// `t` is a number of seconds from now on, `X-RateLimit-Reset` is one from `reset_from` on: that many ago, or now.
pub(crate) fn advertise<'a>(
    headers: &mut HeaderMap,
    standings: impl Iterator<Item = Standing<'a>> + Clone,
    reset_from: u64,
) {
    if standings.clone().next().is_none() {
        return;
    }
    let mut text = String::with_capacity(128);
    for (position, one) in standings.clone().enumerate() {
        separate(&mut text, position);
        text.push_str(&one.rule.policy);
        text.push_str(";pk=:"); // a Byte Sequence (RFC 9651 section 4.1.8)
        STANDARD.encode_string(one.rule.partition(one.key), &mut text);
        text.push(':');
    }
    set(headers, POLICY, HeaderValue::from_str(&text));
    text.clear();
    for (position, one) in standings.clone().enumerate() {
        separate(&mut text, position);
        text.push_str(&one.rule.name);
        text.push_str(";r=");
        number(&mut text, one.remaining.into());
        if is_of_a_time(&one) {
            text.push_str(";t=");
            number(&mut text, one.reset.div_ceil(SECOND));
        }
    }
    set(headers, RATE_LIMIT, HeaderValue::from_str(&text));
    let Some(tightest) = standings.filter(is_of_a_time).reduce(tighter) else { return };
    headers.insert(LIMIT, tightest.rule.burst.clone());
    set(headers, REMAINING, decimal(tightest.remaining.into()));
    set(headers, RESET, decimal(reset_from.saturating_add(tightest.reset.div_ceil(SECOND))));
}

/// Whoever is told to come again is told so for no time at which one of these limits still has nothing for them: it may be
/// another that they were refused by. What is no number of seconds stays as it is.
pub(crate) fn put_off<'a>(headers: &mut HeaderMap, standings: impl Iterator<Item = Standing<'a>>) {
    let seconds = |value: &HeaderValue| value.to_str().ok()?.parse::<u64>().ok();
    let Some(told) = headers.get(RETRY_AFTER).and_then(seconds) else { return };
    let used_up = standings.filter(|one| is_of_a_time(one) && one.remaining == 0);
    let Some(until) = used_up.map(|one| one.reset.div_ceil(SECOND)).max() else { return };
    if until > told {
        set(headers, RETRY_AFTER, decimal(until));
    }
}

/// One item of `RateLimit-Policy` without its counter, e.g. `"money";q=10;w=60`.
pub(crate) fn policy(limit: &Limit) -> String {
    let mut text = name(limit.name);
    text.push_str(";q=");
    number(&mut text, limit.burst.into());
    if limit.counter == Counter::Concurrency {
        text.push_str(";qu=\"concurrent-requests\""); // section 3.1.2
    }
    if let Some(seconds) = filling(limit) {
        text.push_str(";w=");
        number(&mut text, seconds);
    }
    text
}

/// Seconds in which an empty bucket fills, or a window lasts. A time of no whole seconds is left out, which the draft allows, rather than
/// told wrongly.
fn filling(limit: &Limit) -> Option<u64> {
    let quota = u128::from(limit.quota).checked_mul(u128::from(SECOND))?;
    let filled = limit.window.as_micros().checked_mul(limit.burst.into())?;
    let seconds = u64::try_from(filled.checked_div(quota)?).ok()?;
    (filled.checked_rem(quota)? == 0 && seconds > 0).then_some(seconds)
}

/// What is under way is not known to end at any time, and `X-RateLimit-*` do not tell of it.
fn is_of_a_time(standing: &Standing<'_>) -> bool {
    standing.rule.limit.counter != Counter::Concurrency
}

/// A refusal is tighter than none, a longer wait than a shorter; else it is the share that is left.
fn tighter<'a>(one: Standing<'a>, other: Standing<'a>) -> Standing<'a> {
    let share = |standing: &Standing<'_>, whole: &Standing<'_>| {
        u64::from(standing.remaining).saturating_mul(whole.rule.limit.burst.into())
    };
    // one/one.burst > other/other.burst, without dividing
    let other_is_tighter = share(&one, &other) > share(&other, &one);
    match one.wait.cmp(&other.wait) {
        std::cmp::Ordering::Greater => one,
        std::cmp::Ordering::Less => other,
        std::cmp::Ordering::Equal => {
            if other_is_tighter {
                other
            } else {
                one
            }
        }
    }
}

/// The members of a list (RFC 9651 section 4.1.1).
fn separate(text: &mut String, position: usize) {
    if position > 0 {
        text.push_str(", ");
    }
}

/// A limit's name as a String (RFC 9651 section 4.1.6): printable ASCII, `"` and `\` escaped. What does not fit shows as
/// `?`.
pub(crate) fn name(name: &str) -> String {
    let mut text = String::from("\"");
    for byte in name.bytes() {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push('?'),
        }
    }
    text.push('"');
    text
}

fn number(text: &mut String, number: u64) {
    text.push_str(itoa::Buffer::new().format(number));
}

fn decimal(number: u64) -> Result<HeaderValue, InvalidHeaderValue> {
    HeaderValue::from_str(itoa::Buffer::new().format(number))
}

fn set(headers: &mut HeaderMap, field: HeaderName, value: Result<HeaderValue, InvalidHeaderValue>) {
    if let Ok(value) = value {
        headers.insert(field, value);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::seen::{Network, Seen};
    use super::super::shared::SharedLimits;
    use super::super::{Limiter, Rule};
    use super::*;
    use crate::operation::{Advertise, CountedOn, Counting, OnOutage, Per};

    static FLOOD: Limit = limit("flood", 50, Duration::from_secs(1), 100, &[Per::Address]);
    static MONEY: Limit = limit("money", 10, Duration::from_secs(60), 10, &[Per::Principal]);
    static ODD: Limit = limit("a \"b\\ é", 5, Duration::from_millis(250), 5, &[Per::Global]);

    const fn limit(
        name: &'static str,
        quota: u32,
        window: Duration,
        burst: u32,
        per: &'static [Per],
    ) -> Limit {
        Limit {
            name,
            quota,
            window,
            burst,
            counter: Counter::TokenBucket,
            cost: 1,
            per,
            scope: Counting::Document,
            on: CountedOn::Request,
            on_outage: OnOutage::Local,
            advertise: Advertise::Admitted,
        }
    }

    /// All but the counters.
    fn fields(headers: &HeaderMap) -> Vec<(&str, String)> {
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let without =
            |text: String| text.split(", ").map(|item| parts(item).0).collect::<Vec<_>>().join(", ");
        headers.iter().map(|(name, value)| (name.as_str(), without(text(value)))).collect()
    }

    fn told<'a>(fields: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
        fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    /// An item, and the counter that it tells.
    fn parts(item: &str) -> (&str, Option<Vec<u8>>) {
        match item.split_once(";pk=:") {
            Some((policy, key)) => (policy, Some(STANDARD.decode(key.strip_suffix(':').unwrap()).unwrap())),
            None => (item, None),
        }
    }

    /// The counters that are told.
    fn counters(headers: &HeaderMap) -> Vec<Vec<u8>> {
        headers[POLICY].to_str().unwrap().split(", ").map(|item| parts(item).1.unwrap()).collect()
    }

    fn advertised(limiter: &Limiter, rules: &[&Rule], times: usize) -> HeaderMap {
        let here = Network::of("192.0.2.1".parse().unwrap());
        let seen = Seen {
            from: here,
            principal: Some(("https://id", "alice")),
            tenant: None,
            is_claimed: false,
            values: &[],
        };
        let charges: Vec<_> = rules.iter().map(|rule| rule.charge(&seen)).collect();
        (1..times).for_each(|_| _ = limiter.decide(SECOND, &charges));
        let decision = limiter.decide(SECOND, &charges);
        let mut headers = HeaderMap::new();
        advertise(&mut headers, decision.standings(), 1_800_000_000);
        if decision.refused_by().is_some() {
            headers.insert(http::header::RETRY_AFTER, decision.retry_after().into());
        }
        headers
    }

    #[test]
    fn both_families_for_all_limits() {
        let limiter = Limiter::new(1024);
        let (flood, money) = (limiter.rule(&FLOOD, "a"), limiter.rule(&MONEY, "a"));
        assert_eq!(
            told(&fields(&advertised(&limiter, &[&flood, &money], 3))),
            [
                ("ratelimit-policy", "\"flood\";q=100;w=2, \"money\";q=10;w=60"),
                ("ratelimit", "\"flood\";r=97;t=1, \"money\";r=7;t=6"),
                ("x-ratelimit-limit", "10"),
                ("x-ratelimit-remaining", "7"),
                ("x-ratelimit-reset", "1800000006"),
            ]
        );
    }

    #[tokio::test]
    async fn a_counter_is_told_by_a_number_that_is_of_it_alone() {
        let limiter = Limiter::new(1024);
        let (flood, money) = (limiter.rule(&FLOOD, "a"), limiter.rule(&MONEY, "a"));
        let of = |limiter: &Limiter, rule: &Rule, subject: &str| {
            let from = Network::of("192.0.2.1".parse().unwrap());
            let seen = Seen {
                from,
                principal: Some(("https://id", subject)),
                tenant: None,
                is_claimed: false,
                values: &[],
            };
            let charges = [rule.charge(&seen)];
            let mut headers = HeaderMap::new();
            advertise(&mut headers, limiter.decide(SECOND, &charges).standings(), 0);
            counters(&headers).remove(0)
        };
        let alice = of(&limiter, &money, "alice");
        assert_eq!(alice.len(), 8);
        assert_eq!(of(&limiter, &money, "alice"), alice, "whenever it is asked");
        assert_ne!(of(&limiter, &money, "bob"), alice);
        assert_ne!(of(&limiter, &flood, "alice"), alice);
        assert_eq!(of(&limiter, &flood, "alice"), of(&limiter, &flood, "bob"), "they have one address");
        let other = Limiter::new(1024);
        assert_ne!(of(&other, &other.rule(&MONEY, "a"), "alice"), alice, "nobody can compute it");
        let together = || Limiter::new(1024).shared(Some(SharedLimits::away(2)));
        let [one, two] = [together(), together()];
        let told = |limiter: &Limiter| of(limiter, &limiter.rule(&MONEY, "a"), "alice");
        assert_eq!(told(&one), told(&two), "instances share the counter");
    }

    #[test]
    fn a_refusal_says_when_to_come_back() {
        let limiter = Limiter::new(1024);
        let money = limiter.rule(&MONEY, "a");
        let headers = advertised(&limiter, &[&money], 11);
        let fields = fields(&headers);
        let mut said = told(&fields);
        let (name, wait) = said.pop().unwrap();
        assert!(name == "retry-after" && ["6", "7"].contains(&wait), "a tenth of jitter: {wait}");
        assert_eq!(
            said,
            [
                ("ratelimit-policy", "\"money\";q=10;w=60"),
                ("ratelimit", "\"money\";r=0;t=6"),
                ("x-ratelimit-limit", "10"),
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-reset", "1800000006"),
            ]
        );
    }

    #[test]
    fn names_are_escaped_and_a_window_of_no_whole_seconds_is_left_out() {
        assert_eq!(policy(&ODD), "\"a \\\"b\\\\ ??\";q=5");
    }

    #[test]
    fn what_remains_is_never_more_than_the_limit() {
        static BROWSE: Limit = limit("browse", 600, Duration::from_secs(60), 61, &[Per::Principal]);
        let limiter = Limiter::new(1024);
        for (limit, whole) in [(&FLOOD, "100"), (&BROWSE, "61")] {
            let told = advertised(&limiter, &[&limiter.rule(limit, "a")], 1);
            assert_eq!(told["x-ratelimit-limit"], whole);
            let remaining: u32 = told["x-ratelimit-remaining"].to_str().unwrap().parse().unwrap();
            assert_eq!(remaining + 1, whole.parse::<u32>().unwrap());
        }
        assert_eq!(policy(&BROWSE), "\"browse\";q=61", "6.1 seconds are not told");
    }

    #[test]
    fn the_tightest_is_the_one_with_the_smallest_share_left() {
        let limiter = Limiter::new(1024);
        let (flood, money) = (limiter.rule(&FLOOD, "a"), limiter.rule(&MONEY, "a"));
        for order in [[&flood, &money], [&money, &flood]] {
            assert_eq!(advertised(&limiter, &order, 1)["x-ratelimit-limit"], "10");
        }
    }
}
