//! The end of a visit: what its client is told, what is reported, and what is given back.

use axum::response::Response;
use http::header::{ALLOW, CONNECTION, LINK, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use http_body::Body as _;

use super::{Fault, Reader, Told, Visit, Walk, micros};
use crate::answer::headers as answer_headers;
use crate::authn::dpop;
use crate::gate::{REQUEST_ID, Witness};
use crate::limit::running::until_sent;
use crate::limit::{self, Standing};
use crate::operation::{Access, Replays};
use crate::problem::{self, Outward, Rejection, outward};
use crate::settings::RateLimitReset;

impl Visit {
    /// Writes the answer: the envelope of a refusal with its event, and the headers that every answer carries.
    ///
    /// Who does not wait for the answer has used what the request was charged.
    pub(crate) async fn close(&mut self, result: Result<Response, Rejection>) -> Response {
        let held = std::mem::take(&mut self.held);
        let mut response = match result.and_then(|response| self.counted(response)) {
            Ok(response) => {
                self.report_login(&"a login was refused", response.status());
                if held.is_empty() { response } else { response.map(|body| until_sent(body, held)) }
            }
            Err(rejection) => self.refuse(&rejection),
        };
        if let Some(walk) = self.walk.take() {
            let pages = self.count_page(&walk, response.status());
            walk.close(response.status(), response.headers_mut(), pages, &self.witness);
        }
        if let Some(attempt) = self.attempt.take()
            && let Ok(now) = self.gate.settings().clock.now()
        {
            Box::pin(self.attempts_at(now).end(&attempt, response.status())).await;
        }
        self.give_back(response.status()).await;
        self.dress(response)
    }

    /// An answer that counts until its client has taken it. One that may be asked for again goes where there is no room for it.
    fn counted(&self, mut response: Response) -> Result<Response, Rejection> {
        let bytes = response.body().size_hint().exact();
        let has_effects = !self.witness.method.is_safe() && !self.is_replay;
        let unread = self.gate.unread();
        let counted = match has_effects {
            true => unread.count(self.network(), bytes),
            false => unread.offer(self.network(), self.witness.principal.is_some(), bytes)?,
        };
        if let Some(counted) = counted {
            response.extensions_mut().insert(counted);
        }
        Ok(response)
    }

    /// Whether it is a login that was refused: that is its one event. What the server is to blame for is none, and has its own.
    fn report_login(&self, reason: &dyn std::fmt::Display, status: StatusCode) -> bool {
        let failed = self.attempt.as_ref().filter(|_| status.is_client_error());
        if let Some(attempt) = failed {
            self.witness.report_login(&attempt.account(), reason, status);
        }
        failed.is_some()
    }

    /// How many pages of this list the caller got by cursors in this hour, when this is one.
    fn count_page(&self, walk: &Walk, status: StatusCode) -> Option<u32> {
        let policy = self.witness.policy.filter(|_| walk.is_on() && status == StatusCode::OK)?;
        self.gate.walkers().count(self.micros(), policy.id, &self.seen())
    }

    /// Takes back what this request was charged
    ///
    /// 1. by all of its limits, when one of them refuses it, at whichever step: it consumes from all or from none. What its
    ///    principal may have kept in a day is no limit of the document, and a call that is over that has been one;
    /// 2. by limits on failures, when it succeeds: they are charged when it comes, else all who try at once would find them open;
    /// 3. by those of its principal, when it is answered as another call was and the document has such answers be free.
    async fn give_back(&mut self, status: StatusCode) {
        let idempotency = self.witness.policy.and_then(|policy| policy.idempotency.as_ref());
        let is_free = self.is_replay && idempotency.is_some_and(|rule| rule.replays == Replays::Free);
        let mut charged = std::mem::take(&mut self.charged);
        charged.retain(|charged| {
            self.is_over
                || (charged.is_of_failures() && status.as_u16() < 400)
                || (charged.is_of_caller() && is_free)
        });
        if !charged.is_empty()
            && let Ok(now) = self.gate.settings().clock.now()
        {
            for charged in &charged {
                self.standings.iter_mut().for_each(|told| told.give_back(charged));
            }
            self.gate.limiter().give_back(micros(now), &charged).await;
        }
    }

    /// The headers that every answer carries; a second time they stay the same.
    pub(crate) fn dress(&self, mut response: Response) -> Response {
        let is_refusal = response.status().as_u16() >= 400;
        let headers = response.headers_mut();
        answer_headers::secure(headers, self.over_tls());
        if let Ok(id) = HeaderValue::from_str(self.witness.request_id.as_str()) {
            headers.insert(REQUEST_ID, id);
        }
        if self.fault.is_some_and(Fault::ends_connection) {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(nonce) = &self.nonce {
            headers.insert(dpop::NONCE, nonce.clone());
        }
        let reset_from = match self.gate.settings().rate_limit_reset {
            RateLimitReset::Time => self.now().unix(),
            RateLimitReset::Seconds => 0,
        };
        limit::headers::advertise(headers, self.advertised(), reset_from);
        if is_refusal {
            limit::headers::put_off(headers, self.advertised());
        }
        response
    }

    /// The limits that this caller may know of. Who is not authenticated where one should be learns of those alone that say so.
    fn advertised(&self) -> impl Iterator<Item = Standing<'_>> + Clone {
        let public = self.witness.policy.is_some_and(|policy| matches!(policy.access, Access::Public(_)));
        let reader = match public {
            _ if self.witness.principal.is_some() => Reader::Authenticated,
            true => Reader::Anybody,
            false => Reader::Stranger,
        };
        self.standings.iter().filter(move |told| told.is_for(reader)).map(Told::standing)
    }

    /// TLS is ours, or a trusted proxy vouched for HTTPS; a loopback connection is protected without either.
    fn over_tls(&self) -> bool {
        self.origin.protected && (self.tls || !self.gate.settings().trusted_proxies.is_empty())
    }

    fn refuse(&self, rejection: &Rejection) -> Response {
        let outward = outward(rejection);
        let is_by_handler = matches!(rejection, Rejection::Handler(_));
        if !(is_by_handler && self.report_login(rejection, outward.status)) {
            self.witness.report(rejection, &outward);
        }
        refusal(&outward, &self.witness)
    }
}

/// The answer to a refused request: its body, and what the headers must say.
pub(in crate::gate) fn refusal(outward: &Outward<'_>, witness: &Witness) -> Response {
    let mut response = problem::answer(outward, witness.request_id.as_str(), witness.errors);
    let headers = response.headers_mut();
    for challenge in outward.challenges {
        headers.append(WWW_AUTHENTICATE, challenge.clone());
    }
    if let Some(allow) = outward.allow {
        headers.insert(ALLOW, allow.clone());
    }
    if let Some(url) = outward.described_by
        && let Ok(link) = HeaderValue::from_str(&format!("<{url}>; rel=\"describedby\""))
    {
        headers.insert(LINK, link); // RFC 8288 section 3
    }
    if let Some(seconds) = outward.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
