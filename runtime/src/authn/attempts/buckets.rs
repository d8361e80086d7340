//! The buckets of an account and of a network: for a minute, an hour and a day.

use std::time::Duration;

use crate::operation::{Advertise, CountedOn, Counter, Counting, Limit, OnOutage, Per};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

// No limit of a document has a space in its name.
pub(super) const ACCOUNT: [&str; 3] = [
    "failed attempts of an account (minute)",
    "failed attempts of an account (hour)",
    "failed attempts of an account (day)",
];
pub(super) const NETWORK: [&str; 3] = [
    "failed attempts from a network (minute)",
    "failed attempts from a network (hour)",
    "failed attempts from a network (day)",
];
pub(super) const NETWORK_WIDELY: [&str; 3] = [
    "unknown credentials from a network (minute)",
    "unknown credentials from a network (hour)",
    "unknown credentials from a network (day)",
];

/// Rule 4. They live as long as the process, as the limits of a document do.
pub(super) fn limits(names: [&'static str; 3], per: &'static [Per], most: u32) -> [&'static Limit; 3] {
    let limit = |name, quota, window| -> &'static Limit {
        Box::leak(Box::new(Limit {
            name,
            quota,
            window,
            burst: quota,
            counter: Counter::TokenBucket,
            cost: 1,
            per,
            scope: Counting::Document,
            on: CountedOn::Failure,
            on_outage: OnOutage::Local,
            advertise: Advertise::Admitted,
        }))
    };
    let [minute, hour, day] = names;
    [
        limit(minute, most, MINUTE),
        limit(hour, most.saturating_mul(4), HOUR),
        limit(day, most.saturating_mul(10), DAY),
    ]
}
