//! What is known of a request for its security event: enough to report on it when the request itself is gone.

use std::net::IpAddr;

use http::{HeaderValue, Method};

use super::RequestId;
use crate::authn::Principal;
use crate::event::{Endpoint, Event};
use crate::operation::Policy;
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
}

impl Witness {
    /// The event of a refusal whose answer nobody waits for any more.
    pub(super) fn report_unanswered(&self, rejection: &Rejection) {
        self.report(rejection, &outward(rejection));
    }

    /// The event of a refusal.
    pub(super) fn report(&self, reason: &Rejection, outward: &Outward<'_>) {
        let event = Event {
            kind: outward.event,
            reason,
            source: self.address,
            user_agent: self.user_agent.as_ref(),
            endpoint: Endpoint(self.policy.map(|policy| (&self.method, policy.path))),
            operation: self.policy.map(|policy| policy.id),
            request_id: self.request_id.as_str(),
            principal: self.principal.as_ref(),
            status: outward.status.as_u16(),
        };
        event.emit();
    }
}
