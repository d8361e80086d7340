//! Calls of operations that are logins themselves (`x-palisade.login`): a handler verifies who calls, and its answer says
//! what came of it.
//!
//! Rules:
//! 1. a call is an attempt on the account that its body names, and is charged as a password is before it is verified
//!    ([`attempts`](super)): where a bucket is empty no handler runs. Where the body names none it counts for the network;
//! 2. an answer below 400 gives it back. Every other leaves it charged, and so does none at all (a client that left): a
//!    handler may say by any of them that the secret was wrong;
//! 3. names are counted in one spelling, for a handler may take `Alice` for `alice`. A network is known for the spelling
//!    that succeeded, for another handler may tell them apart: whose account `Alice` is has no privilege at `alice`;
//! 4. all logins of a document count together: an account with two doors is open to no more guesses. A network is known at
//!    the door where it succeeded: behind another the same name may be another's.

use http::StatusCode;

use super::{Attempts, Whom, closed, known::Place, pseudonym, whom};
use crate::{
    authn::Denied,
    limit::{Reserved, seen::spelled},
};

/// Who names the accounts in bodies. The issuers of schemes begin with `urn:palisade:scheme:`.
const ISSUER: &str = "urn:palisade:login";

/// A call whose handler runs.
pub(crate) struct Attempt {
    account: Option<Account>,
    there: Option<Place>,
    at: Whom,
    reserved: Vec<Reserved>,
    closes: Option<&'static str>,
}

/// An account, as an operation knows it.
struct Account {
    written: String,
    counted: String,
    door: String,
}

impl Account {
    /// Rules 3 and 4.
    fn new(operation: &str, written: String) -> Self {
        Self { counted: spelled(&written), written, door: format!("{ISSUER}:{operation}") }
    }

    fn claimed(&self) -> (&str, &str) {
        (ISSUER, &self.counted)
    }
}

impl Attempts<'_> {
    /// Rule 1: what is charged before the handler runs, or why it does not run. `account`: as the body writes it.
    pub(crate) async fn begin(&self, operation: &str, account: Option<String>) -> Result<Attempt, Denied> {
        let account = account.map(|written| Account::new(operation, written));
        let there = account.as_ref().and_then(|it| self.there(&it.door, &it.counted, &it.written));
        let at = whom(account.is_some(), self.knows(there).await);
        let claimed = account.as_ref().map(Account::claimed);
        let charged = self.charge(at, claimed, |decision| (decision.charged(), closed(&decision))).await;
        let (reserved, closes) = charged.map_err(Denied::new)?;
        Ok(Attempt { account, there, at, reserved, closes })
    }

    /// Rule 2: what becomes of the charge, now that its call is answered with this status.
    pub(crate) async fn end(&self, attempt: &Attempt, status: StatusCode) {
        if has_succeeded(status) {
            self.give_back(attempt.at, &attempt.reserved).await;
            return self.remember(attempt.there).await;
        }
        self.report(attempt.closes, attempt.claimed());
    }
}

impl Attempt {
    /// The account, as events name it.
    pub(crate) fn account(&self) -> String {
        pseudonym(self.claimed())
    }

    fn claimed(&self) -> Option<(&str, &str)> {
        self.account.as_ref().map(Account::claimed)
    }
}

/// Rule 2.
fn has_succeeded(status: StatusCode) -> bool {
    status.as_u16() < 400
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;

    use super::super::{Failures, Most};
    use super::*;
    use crate::clock::Clock;

    const HOME: &str = "192.0.2.1";
    const ELSEWHERE: &str = "198.51.100.9";
    const DOOR: &str = "logIn";

    struct Bench(Failures, Clock);

    impl Bench {
        fn start() -> Self {
            Self(Failures::new(Most::DEFAULT, true, None, |_| None, None), Clock::fixed(1_800_000_000))
        }

        fn at<'a>(&'a self, from: &str) -> Attempts<'a> {
            self.0.of(from.parse().unwrap(), self.1.now().unwrap(), "request")
        }

        fn begin(&self, from: &str, account: Option<&str>) -> Result<Attempt, u64> {
            let begun = self.at(from).begin(DOOR, account.map(str::to_owned)).now_or_never().unwrap();
            begun.map_err(|denied| denied.reason().wait())
        }

        /// What a call is answered with when its handler would answer so.
        fn call(&self, from: &str, account: Option<&str>, status: StatusCode) -> Result<(), u64> {
            let attempt = self.begin(from, account)?;
            self.at(from).end(&attempt, status).now_or_never().unwrap();
            Ok(())
        }

        fn guess(&self, from: &str, account: &str) -> Result<(), u64> {
            self.call(from, Some(account), StatusCode::UNAUTHORIZED)
        }

        fn log_in(&self, from: &str, account: &str) -> Result<(), u64> {
            self.call(from, Some(account), StatusCode::NO_CONTENT)
        }
    }

    #[test]
    fn the_wait_grows_however_the_name_is_written_and_wherever_guesses_come_from() {
        let bench = Bench::start();
        let spellings = ["alice", "Alice", "ALICE ", "\u{a0}aLiCe\t"];
        let (mut guesses, mut waits) = (0, Vec::new());
        for (second, spelling) in (0..24 * 3600_u64).zip(spellings.into_iter().cycle()) {
            let from = format!("2001:db8:{:x}:{:x}::1", second >> 16, second & 0xffff);
            match bench.guess(&from, spelling) {
                Ok(()) => guesses += 1,
                Err(wait) => waits.push(wait),
            }
            bench.1.advance(Duration::from_secs(1));
        }
        assert!((11..=13).contains(waits[..10].iter().max().unwrap()));
        assert!((1700..=1901).contains(waits.iter().max().unwrap()));
        assert!((90..=100).contains(&guesses), "{guesses}");
    }

    #[test]
    fn below_400_is_a_success_and_all_else_stays_charged() {
        for status in [200, 201, 202, 204, 302, 303, 304].map(|code| StatusCode::from_u16(code).unwrap()) {
            let bench = Bench::start();
            assert!((0..40).all(|_| bench.call(HOME, Some("alice"), status).is_ok()), "{status}");
        }
        for status in [400, 401, 403, 404, 406, 409, 422, 429, 500, 503, 504] {
            let (bench, status) = (Bench::start(), StatusCode::from_u16(status).unwrap());
            let passed = (0..40).filter(|_| bench.call(HOME, Some("alice"), status).is_ok()).count();
            assert_eq!(passed, 5, "{status}");
        }
        let bench = Bench::start();
        let cut_off = (0..40).filter(|_| bench.begin(HOME, Some("alice")).is_ok()).count();
        assert_eq!(cut_off, 5, "never ended");
    }

    /// Rule 2 gives back its own call alone.
    #[test]
    fn logins_of_ones_own_between_guesses_make_no_more_guesses() {
        let bench = Bench::start();
        let guesses = (0..99).filter(|number| {
            _ = bench.log_in(ELSEWHERE, &format!("puppet {number}")); // not known there before
            bench.log_in(ELSEWHERE, "mallory").unwrap();
            bench.guess(ELSEWHERE, &format!("user {number}")).is_ok()
        });
        assert_eq!(guesses.count(), 30);
    }

    #[test]
    fn a_network_is_known_where_the_login_succeeded_and_for_the_spelling_that_did() {
        let bench = Bench::start();
        bench.log_in(HOME, "Alice").unwrap();
        while bench.guess(ELSEWHERE, "alice").is_ok() {}
        assert!(bench.log_in(ELSEWHERE, "Alice").is_err());
        assert_eq!(bench.log_in(HOME, "Alice"), Ok(()));
        assert!(bench.log_in(HOME, "alice").is_err(), "it may be another's account");
        // a guess at her there is no success
        let bench = Bench::start();
        bench.guess(HOME, "alice").unwrap();
        while bench.guess(ELSEWHERE, "alice").is_ok() {}
        assert!(bench.log_in(HOME, "alice").is_err());
    }

    #[test]
    fn two_doors_count_together_and_each_knows_its_own() {
        let bench = Bench::start();
        bench.log_in(HOME, "alice").unwrap();
        while bench.guess(ELSEWHERE, "alice").is_ok() {}
        let at_another =
            |from| bench.at(from).begin("logInElsewhere", Some("alice".to_owned())).now_or_never().unwrap();
        assert!(at_another(ELSEWHERE).is_err());
        assert!(at_another(HOME).is_err(), "she has succeeded at the other door");
        assert_eq!(bench.log_in(HOME, "alice"), Ok(()));
    }

    #[test]
    fn who_names_no_account_counts_for_the_network_alone() {
        let bench = Bench::start();
        let nameless = |from, status| bench.call(from, None, status);
        let failed = (0..99).filter(|_| nameless(ELSEWHERE, StatusCode::UNAUTHORIZED).is_ok()).count();
        assert_eq!(failed, 30);
        assert!(nameless(ELSEWHERE, StatusCode::OK).is_err());
        assert_eq!(nameless(HOME, StatusCode::OK), Ok(()));
    }
}
