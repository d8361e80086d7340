//! What is known of a request for its security event: enough to report on it when the request itself is gone.

use std::fmt;
use std::net::IpAddr;

use http::{HeaderValue, Method, StatusCode};

use super::RequestId;
use super::walk::Walked;
use crate::authn::Principal;
use crate::event::{Endpoint, Event, Kind, Severity};
use crate::limit::seen::{Network, Seen};
use crate::operation::{ErrorForm, Policy};
use crate::problem::{Outward, Rejection, outward};

/// Who asked for what.
#[derive(Clone)]
pub(crate) struct Witness {
    pub(super) request_id: RequestId,
    pub(super) address: IpAddr,
    pub(super) method: Method,
    pub(super) user_agent: Option<HeaderValue>,
    pub(super) policy: Option<&'static Policy>,
    pub(super) principal: Option<Principal>,
    /// Whose credential says for which tenant.
    pub(super) of_tenant: Option<Principal>,
    /// What its refusal would look like.
    pub(super) errors: ErrorForm,
}

impl Witness {
    /// What limits count by of who asks.
    pub(super) fn seen(&self) -> Seen<'_> {
        let principal = self.principal.as_ref().map(|principal| (principal.issuer(), principal.subject()));
        let from = Network::of(self.address);
        Seen { from, principal, tenant: self.tenant(), is_claimed: false, values: &[] }
    }

    fn tenant(&self) -> Option<&str> {
        self.of_tenant.as_ref().and_then(Principal::tenant)
    }

    /// The event of a list that one caller walks for long, or often.
    pub(super) fn report_walk(&self, walked: &Walked, status: StatusCode) {
        let kind = Kind { event_type: "excess_pages_walked", severity: Severity::Medium };
        self.emit(kind, walked, status.as_u16());
    }

    /// The event of a login that its handler refused, by an answer or by a problem.
    pub(super) fn report_login(&self, account: &str, reason: &dyn fmt::Display, status: StatusCode) {
        let kind = Kind { event_type: "authn_login_fail", severity: Severity::Medium };
        self.event(kind, reason, status.as_u16(), Some(account)).emit();
    }

    /// The event of a refusal whose answer nobody waits for any more.
    pub(super) fn report_unanswered(&self, rejection: &Rejection) {
        self.report(rejection, &outward(rejection));
    }

    /// The event of a refusal.
    pub(super) fn report(&self, reason: &Rejection, outward: &Outward<'_>) {
        self.emit(outward.event, reason, outward.status.as_u16());
    }

    fn emit(&self, kind: Kind, reason: &dyn fmt::Display, status: u16) {
        self.event(kind, reason, status, None).emit();
    }

    fn event<'a>(
        &'a self,
        kind: Kind,
        reason: &'a dyn fmt::Display,
        status: u16,
        account: Option<&'a str>,
    ) -> Event<'a> {
        Event {
            kind,
            reason,
            source: self.address,
            user_agent: self.user_agent.as_ref(),
            endpoint: Endpoint(self.policy.map(|policy| (&self.method, policy.path))),
            operation: self.policy.map(|policy| policy.id),
            request_id: self.request_id.as_str(),
            principal: self.principal.as_ref(),
            tenant: self.tenant(),
            account,
            status,
        }
    }
}
