//! What generated code looks like, for the tests of this folder.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{
    Boxed, Declared, Fill, Json, Member, Object, Pattern, Visit, Words, each, items, length, maximum,
    minimum, pattern, unique_items,
};
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

impl Transfer {
    const TO: Member<Uuid> = Member::required("to");
    const AMOUNT: Member<i64> = Member::required("amount").check(|amount, at, out| {
        minimum(amount, 1, at, out);
        maximum(amount, 1000, at, out);
    });
    const CURRENCY: Member<Currency> = Member::optional("currency");
    const NOTE: Member<Option<String>> = Member::optional("note").check(|note, at, out| {
        if let Some(note) = note {
            length(note, 0..=5, at, out);
        }
    });
    const TAGS: Member<Vec<String>> = Member::optional("tags").check(|tags, at, out| {
        items(tags, 1..=3, at, out);
        unique_items(tags, at, out);
        each(tags, at, out, |tag, at, out| pattern(tag, &CODE, at, out));
    });
    const PARTS: Member<Vec<Part>> =
        Member::optional("parts").check(|parts, at, out| items(parts, 1..=2, at, out));
    const LABELS: Member<BTreeMap<String, i64>> = Member::optional("labels");
}

impl Object for Transfer {
    const MEMBERS: &'static [Declared] = &[
        Self::TO.declared(),
        Self::AMOUNT.declared(),
        Self::CURRENCY.declared(),
        Self::NOTE.declared(),
        Self::TAGS.declared(),
        Self::PARTS.declared(),
        Self::LABELS.declared(),
    ];
    const OPEN: bool = false;
    type Slots = (
        Option<Uuid>,
        Option<i64>,
        Option<Currency>,
        Option<Option<String>>,
        Option<Vec<String>>,
        Option<Vec<Part>>,
        Option<BTreeMap<String, i64>>,
    );
    fn slots() -> Self::Slots {
        (None, None, None, None, None, None, None)
    }
    fn fill<F: Fill>(slots: &mut Self::Slots, member: usize, from: F) -> Result<(), F::Error> {
        match member {
            0 => from.fill(&Self::TO, &mut slots.0),
            1 => from.fill(&Self::AMOUNT, &mut slots.1),
            2 => from.fill(&Self::CURRENCY, &mut slots.2),
            3 => from.fill(&Self::NOTE, &mut slots.3),
            4 => from.fill(&Self::TAGS, &mut slots.4),
            5 => from.fill(&Self::PARTS, &mut slots.5),
            6 => from.fill(&Self::LABELS, &mut slots.6),
            _ => from.skip(),
        }
    }
    fn build(slots: Self::Slots) -> Option<Self> {
        Some(Self {
            to: slots.0?,
            amount: slots.1?,
            currency: slots.2,
            note: slots.3,
            tags: slots.4,
            parts: slots.5,
            labels: slots.6,
        })
    }
    fn visit<V: Visit>(&self, to: &mut V) {
        to.required(&Self::TO, &self.to);
        to.required(&Self::AMOUNT, &self.amount);
        to.optional(&Self::CURRENCY, &self.currency);
        to.optional(&Self::NOTE, &self.note);
        to.optional(&Self::TAGS, &self.tags);
        to.optional(&Self::PARTS, &self.parts);
        to.optional(&Self::LABELS, &self.labels);
    }
}

crate::__object!(Transfer);

/// Open, and contains itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) share: i64,
    pub(super) inner: Option<Boxed<Part>>,
    pub(super) extra: Option<Json>,
}

impl Part {
    const SHARE: Member<i64> = Member::required("share").check(|share, at, out| minimum(share, 0, at, out));
    const INNER: Member<Boxed<Part>> = Member::optional("inner");
    const EXTRA: Member<Json> = Member::optional("extra");
}

impl Object for Part {
    const MEMBERS: &'static [Declared] =
        &[Self::SHARE.declared(), Self::INNER.declared(), Self::EXTRA.declared()];
    const OPEN: bool = true;
    type Slots = (Option<i64>, Option<Boxed<Part>>, Option<Json>);
    fn slots() -> Self::Slots {
        (None, None, None)
    }
    fn fill<F: Fill>(slots: &mut Self::Slots, member: usize, from: F) -> Result<(), F::Error> {
        match member {
            0 => from.fill(&Self::SHARE, &mut slots.0),
            1 => from.fill(&Self::INNER, &mut slots.1),
            2 => from.fill(&Self::EXTRA, &mut slots.2),
            _ => from.skip(),
        }
    }
    fn build(slots: Self::Slots) -> Option<Self> {
        Some(Self { share: slots.0?, inner: slots.1, extra: slots.2 })
    }
    fn visit<V: Visit>(&self, to: &mut V) {
        to.required(&Self::SHARE, &self.share);
        to.optional(&Self::INNER, &self.inner);
        to.optional(&Self::EXTRA, &self.extra);
    }
}

crate::__object!(Part);

const fn declared(name: &'static str, location: Location) -> Parameter {
    Parameter { name, location }
}

/// A walked list with parameters in every place.
pub(super) static POLICY: Policy = Policy {
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
    ownership: None,
    pagination: Some(Pagination { cursor: "after", limit: "limit", ttl: Duration::from_secs(1) }),
    idempotency: None,
    answers: &[],
};
