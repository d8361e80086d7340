//! What generated code looks like, for the tests of this folder.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Boxed, Json, Pattern, Words, each, items, length, maximum, minimum, pattern, unique_items};
use crate::operation::{Access, Location, Pagination, Parameter, Policy};
use crate::types::Uuid;

pub(super) static CODE: Pattern = Pattern::new("^[A-Z]{2}$", "^[A-Z]{2}$");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Currency {
    Eur,
    Usd,
}

impl Words for Currency {
    const WORDS: &'static [(&'static str, Self)] = &[("EUR", Self::Eur), ("USD", Self::Usd)];
}

crate::__words!(Currency);

/// Closed, with every kind of member.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Transfer {
    pub(super) to: Uuid,
    pub(super) amount: i64,
    pub(super) currency: Option<Currency>,
    pub(super) note: Option<Option<String>>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) parts: Option<Vec<Part>>,
    pub(super) labels: Option<BTreeMap<String, i64>>,
}

crate::__object!(Transfer: Closed {
    0 to: Uuid = required "to",
    1 amount: i64 = required "amount" under |amount, at, out| {
        minimum(amount, 1, at, out);
        maximum(amount, 1000, at, out);
    },
    2 currency: Currency = optional "currency",
    3 note: Option<String> = optional "note" under |note, at, out| {
        if let Some(note) = note {
            length(note, 0..=5, at, out);
        }
    },
    4 tags: Vec<String> = optional "tags" under |tags, at, out| {
        items(tags, 1..=3, at, out);
        unique_items(tags, at, out);
        each(tags, at, out, |tag, at, out| pattern(tag, &CODE, at, out));
    },
    5 parts: Vec<Part> = optional "parts" under |parts, at, out| items(parts, 1..=2, at, out),
    6 labels: BTreeMap<String, i64> = optional "labels",
});

/// Open, and contains itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) share: i64,
    pub(super) inner: Option<Boxed<Part>>,
    pub(super) extra: Option<Json>,
}

crate::__object!(Part: Open {
    0 share: i64 = required "share" under |share, at, out| minimum(share, 0, at, out),
    1 inner: Boxed<Part> = optional "inner",
    2 extra: Json = optional "extra",
});

const fn declared(name: &'static str, location: Location) -> Parameter {
    Parameter { name, location }
}

/// A walked list with parameters in every place.
pub(super) const POLICY: Policy = Policy {
    id: "listTransfers",
    method: "GET",
    path: "/banks/{bank}/accounts/{accountId}/transfers",
    access: Access::Public("a test"),
    step_up: None,
    limits: &[],
    parameters: &[
        declared("bank", Location::Path),
        declared("accountId", Location::Path),
        declared("currency", Location::Query),
        declared("tags", Location::Query),
        declared("ids", Location::Query),
        declared("limit", Location::Query),
        declared("after", Location::Query),
        declared("X-Trace", Location::Header),
        declared("X-Days", Location::Header),
        declared("sid", Location::Cookie),
    ],
    body: None,
    timeout: Duration::from_secs(1),
    priority: crate::operation::Priority::Normal,
    audit: false,
    ownership: None,
    pagination: Some(Pagination { cursor: "after", limit: "limit", ttl: Duration::from_secs(1) }),
    idempotency: None,
    login: None,
    answers: &[],
};
