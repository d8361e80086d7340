//! Who may call, how often, for how long: inheritance resolved, defaults made explicit.

use std::time::Duration;

use foldhash::HashSet;

use super::Builder;
use crate::annotation::{Authorize, RateLimit, SharedRules, StepUp, StepUpRule};
use crate::document::{Operation, PathItem};
use crate::model::{
    self, Access, Idempotency, LimitId, Login, Need, Ownership, Pagination, Priority, ResourceId, SchemeId,
};

/// Bytes of a body when the document says nothing.
const BODY_MAX: usize = 256 << 10;
/// Nesting of a body when the document says nothing.
const BODY_DEPTH: usize = 32;
const TIMEOUT: Duration = Duration::from_secs(10);
const CURSOR_TTL: Duration = Duration::from_secs(15 * 60);
const ANSWER_TTL: Duration = Duration::from_secs(24 * 3600);

impl Builder<'_> {
    /// The nearest `security`; `None` when nobody decided.
    pub(super) fn access(&self, operation: &Operation) -> Option<Access> {
        let requirements = operation.security.as_ref().or(self.document.security.as_ref())?;
        if requirements.alternatives.is_empty() {
            return Some(Access::Public(operation.rules.public.as_ref()?.value.clone()));
        }
        let alternative = |requirement: &crate::document::Requirement| {
            let need = |need: &crate::document::Need| {
                let scheme = self.scheme_id(&need.scheme.value)?;
                let mut known = HashSet::default();
                let each = need.scopes.iter().map(|scope| &scope.value).filter(|scope| known.insert(*scope));
                Some(Need { scheme, scopes: each.cloned().collect() })
            };
            requirement.needs.iter().map(need).collect::<Option<Vec<_>>>()
        };
        // a need that names nothing makes the whole requirement unknown, never a weaker one
        let alternatives = requirements.alternatives.iter().map(alternative).collect::<Option<Vec<_>>>()?;
        Some(Access::Any(alternatives))
    }

    fn scheme_id(&self, name: &str) -> Option<SchemeId> {
        self.scheme_ids.get(name).copied()
    }

    /// Document, path, operation: lists add up, `none` forgets the outer ones.
    pub(super) fn limits(&self, item: &PathItem, operation: &Operation) -> Option<Vec<LimitId>> {
        self.limits_of(&[&self.document.rules.shared, &item.rules.shared, &operation.rules.shared])
    }

    /// Who matches no operation has no principal: what the document says of addresses and of all together counts.
    pub(super) fn unmatched_limits(&self) -> Vec<LimitId> {
        let mut limits = self.limits_of(&[&self.document.rules.shared]).unwrap_or_default();
        let named = &self.document.rules.limits;
        limits.retain(|id| named.get(id.position()).is_some_and(|named| named.limit.is_of_strangers()));
        limits
    }

    fn limits_of(&self, levels: &[&SharedRules]) -> Option<Vec<LimitId>> {
        let mut limits: Vec<LimitId> = Vec::new();
        for level in levels {
            match &level.rate_limit {
                None => {}
                Some(RateLimit::None) => limits.clear(),
                Some(RateLimit::Names(names)) => {
                    for name in names {
                        let known = &self.document.rules.limits;
                        let id = LimitId::at(known.iter().position(|limit| limit.limit.name == name.value)?);
                        if !limits.contains(&id) {
                            limits.push(id);
                        }
                    }
                }
            }
        }
        Some(limits)
    }

    pub(super) fn timeout(&self, item: &PathItem, operation: &Operation) -> Duration {
        self.nearest(item, operation, |level| level.timeout.as_ref().map(|timeout| timeout.value))
            .unwrap_or(TIMEOUT)
    }

    pub(super) fn priority(&self, item: &PathItem, operation: &Operation) -> Priority {
        self.nearest(item, operation, |level| level.priority).unwrap_or_default()
    }

    pub(super) fn audit(&self, item: &PathItem, operation: &Operation) -> bool {
        self.nearest(item, operation, |level| level.audit.as_ref().map(|audit| audit.value))
            .unwrap_or_default()
    }

    pub(super) fn body_bounds(&self, item: &PathItem, operation: &Operation) -> (usize, usize) {
        let max = self.nearest(item, operation, |level| level.body_max.as_ref().map(|max| max.value));
        let depth = self.nearest(item, operation, |level| level.body_depth.as_ref().map(|depth| depth.value));
        (max.unwrap_or(BODY_MAX), depth.unwrap_or(BODY_DEPTH))
    }

    fn nearest<T>(
        &self,
        item: &PathItem,
        operation: &Operation,
        read: impl Fn(&SharedRules) -> Option<T>,
    ) -> Option<T> {
        read(&operation.rules.shared)
            .or_else(|| read(&item.rules.shared))
            .or_else(|| read(&self.document.rules.shared))
    }

    pub(super) fn idempotency(&self, operation: &Operation) -> Option<Idempotency> {
        let rule = operation.rules.idempotency.as_ref()?;
        let docs = operation.elsewhere.as_ref().or(self.document.elsewhere.as_ref());
        Some(Idempotency {
            required: rule.required,
            ttl: rule.ttl.unwrap_or(ANSWER_TTL),
            rerun: rule.rerun,
            counts_replays: rule.counts_replays,
            docs: docs.filter(|url| is_link(url)).cloned(),
        })
    }

    /// `Err` when a rule is there and cannot be built.
    pub(super) fn ownership(&self, item: &PathItem, operation: &Operation) -> Result<Option<Ownership>, ()> {
        let Some(rule) = authorize(item, operation) else { return Ok(None) };
        let resources = &self.document.rules.resources;
        let resource =
            resources.iter().position(|resource| resource.name.value == rule.resource.value).ok_or(())?;
        Ok(Some(Ownership {
            resource: ResourceId::at(resource),
            id: rule.id.value.clone(),
            owner: rule.owner.value.clone(),
            or_scope: rule.or_scope.as_ref().map(|scope| scope.value.clone()),
        }))
    }
}

/// Whether it can stand between the angle brackets of a `Link` (RFC 8288 section 3).
fn is_link(url: &str) -> bool {
    !url.is_empty() && url.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"\\^`{|}".contains(&byte))
}

/// How many a request counts as under each limit.
pub(crate) fn cost(operation: &Operation) -> u32 {
    operation.rules.cost.as_ref().map_or(1, |cost| cost.value)
}

/// The nearer rule wins; `none` is one.
pub(crate) fn step_up<'d>(item: &'d PathItem, operation: &'d Operation) -> Option<&'d StepUp> {
    match operation.rules.step_up.as_ref().or(item.rules.step_up.as_ref())? {
        StepUpRule::None => None,
        StepUpRule::Asked(rule) => Some(rule),
    }
}

/// What an operation asks of a login.
pub(super) fn asked_login(item: &PathItem, operation: &Operation) -> Option<model::StepUp> {
    let rule = step_up(item, operation)?;
    Some(model::StepUp {
        acr: rule.acr.iter().map(|class| class.value.clone()).collect(),
        max_age: rule.max_age.as_ref().map(|longest| longest.value),
    })
}

/// The nearer rule wins.
pub(crate) fn authorize<'d>(item: &'d PathItem, operation: &'d Operation) -> Option<&'d Authorize> {
    operation.rules.authorize.as_ref().or(item.rules.authorize.as_ref())
}

pub(super) fn login(operation: &Operation) -> Option<Login> {
    let rule = operation.rules.login.as_ref()?;
    Some(Login { account: rule.account.value.clone() })
}

pub(super) fn pagination(operation: &Operation) -> Option<Pagination> {
    let rule = operation.rules.pagination.as_ref()?;
    Some(Pagination {
        cursor: rule.cursor.value.clone(),
        limit: rule.limit.value.clone(),
        items: rule.items.value.clone(),
        next: rule.next.value.clone(),
        previous: rule.previous.as_ref().map(|previous| previous.value.clone()),
        ttl: rule.ttl.as_ref().map_or(CURSOR_TTL, |ttl| ttl.value),
    })
}
