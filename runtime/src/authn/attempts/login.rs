//! Calls of operations that are logins themselves (`x-palisade.login`): a handler verifies who calls, and its answer says
//! what came of it.
//!
//! Rules:
//! 1. a call is an attempt on the account that its body names, and is charged as a password is before it is verified
//!    ([`attempts`](super)): where a bucket is empty no handler runs. Where the body names none it counts for the network;
//! 2. an answer below 400 gives it back. Every other leaves it charged, and so does none at all (a client that left): a
//!    handler may say by any of them that the secret was wrong;
//! 3. names are counted in one spelling, for a handler may take `Alice` for `alice`. A network is known for a name as it
//!    was written, for another may tell them apart: whose account `Alice` is has no privilege at `alice`;
//! 4. all logins of a document count together: an account with two doors is open to no more guesses.

use http::StatusCode;

use super::{Attempts, Claim, Whom, closed, whom};
use crate::{
    authn::Denied,
    event::{Pseudonym, SECURITY_EVENTS},
    limit::{Reserved, key::spelled},
};

/// Who names accounts in bodies. The issuers of schemes begin with `urn:palisade:scheme:`.
const ISSUER: &str = "urn:palisade:login";

/// A call whose handler runs.
pub(crate) struct Attempt {
    /// As it was written.
    account: Option<String>,
    at: Whom,
    reserved: Vec<Reserved>,
    closes: Option<&'static str>,
}

impl Attempts<'_> {
    /// Rule 1: what is charged before the handler runs, or why it does not run.
    pub(crate) fn begin(&self, account: Option<String>) -> Result<Attempt, Denied> {
        let known = account.as_deref().is_some_and(|account| self.is_known(ISSUER, account));
        let claim = account.as_deref().map(|account| Claim { issuer: ISSUER, account: spelled(account) });
        let at = whom(claim.is_some(), known);
        let charged = self.charge(at, claim.as_ref(), |decision| (decision.reserved(), closed(&decision)));
        let (reserved, closes) = charged.map_err(Denied::new)?;
        Ok(Attempt { account, at, reserved, closes })
    }

    /// Rule 2: the handler was answered for with this status.
    pub(crate) fn end(&self, attempt: &Attempt, status: StatusCode) {
        let account = attempt.account.as_deref();
        if has_succeeded(status) {
            self.give_back(attempt.at, &attempt.reserved);
            account.into_iter().for_each(|account| self.remember(ISSUER, account));
            return;
        }
        let spelled = account.map(spelled);
        let claimed = spelled.as_deref().map(|account| (ISSUER, account));
        if status.is_client_error() {
            self.report_failed(claimed);
        }
        self.report(attempt.closes, claimed);
    }

    /// The event of a login that was refused; what failed otherwise has one of its own.
    fn report_failed(&self, claimed: Option<(&str, &str)>) {
        let account = claimed.map(|(issuer, account)| Pseudonym::new(issuer, account).to_string());
        tracing::warn!(
            target: SECURITY_EVENTS, event_type = "authn_login_fail", severity = "Medium",
            timestamp = %jiff::Timestamp::now(), source_ip = %self.from, request_id = self.request_id,
            account = account.as_deref().unwrap_or("-"),
            "a login was refused",
        );
    }
}

/// Rule 2.
fn has_succeeded(status: StatusCode) -> bool {
    status.as_u16() < 400
}
