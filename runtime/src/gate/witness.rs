//! What is known of a request for its security event: enough to report on it when the request itself is gone.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use http::{HeaderValue, Method, StatusCode};

use super::RequestId;
use super::walk::Walked;
use crate::authn::Principal;
use crate::breaker::LeftAlone;
use crate::event::{Endpoint, Event, Events, Kind, NotStored, SecurityEvent, Severity, Worth, tell};
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
    /// Where its events are stored, besides the log.
    pub(super) events: Option<Events>,
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
        self.event(kind, reason, Some(status.as_u16()), Some(account)).emit(self.events.as_ref());
    }

    /// The event of a refusal whose answer nobody waits for any more.
    pub(super) fn report_unanswered(&self, rejection: &Rejection) {
        self.report(rejection, &outward(rejection));
    }

    /// The event of a refusal.
    pub(super) fn report(&self, reason: &Rejection, outward: &Outward<'_>) {
        self.emit(outward.event, reason, outward.status.as_u16());
    }

    /// Whether its calls are told of before they are done.
    pub(super) fn is_audited(&self) -> bool {
        self.policy.is_some_and(|policy| policy.audit)
    }

    /// The event of what is about to be done, once it is stored.
    pub(super) async fn store(
        &self,
        kind: Kind,
        reason: &(dyn fmt::Display + Sync),
        status: Option<u16>,
    ) -> Result<(), NotStored> {
        let stored = {
            let event = SecurityEvent::from(&self.event(kind, reason, status, None));
            self.events.as_ref().ok_or(NotStored(LeftAlone(Duration::ZERO)))?.store(event)
        };
        stored.await?;
        tell(|| self.event(kind, reason, status, None).trace());
        Ok(())
    }

    /// The event of what was done. The sink gets it, whatever the log does: a call may be dropped because that panics.
    pub(super) fn report_audited(&self, kind: Kind, reason: &dyn fmt::Display, status: Option<u16>) {
        let event = self.event(kind, reason, status, None);
        tell(|| event.trace());
        if let Some(events) = &self.events {
            events.push(Worth::Audited, || SecurityEvent::from(&event));
        }
    }

    fn emit(&self, kind: Kind, reason: &dyn fmt::Display, status: u16) {
        self.event(kind, reason, Some(status), None).emit(self.events.as_ref());
    }

    fn event<'a>(
        &'a self,
        kind: Kind,
        reason: &'a dyn fmt::Display,
        status: Option<u16>,
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
