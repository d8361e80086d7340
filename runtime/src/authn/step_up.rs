//! Step-up authentication (RFC 9470): whether the user of a token, or of a session, logged in as an operation asks for.
//!
//! Rules ([`check`]):
//! 1. an operation that does not ask takes every login;
//! 2. otherwise a token or a session was shown: a key, a password or a certificate says nothing of a login. Of several each suffices;
//! 3. `acr` is one of those that the operation names, letter by letter; where it names none, any will do;
//! 4. `auth_time` is not longer ago than the operation allows. There is no leeway: a token from the future was refused
//!    before, and a second more or less is the issuer's to spare;
//! 5. a token that does not say what is asked does not have it, nor a session whose ID token did not.

use super::{Authenticated, Principal};
use crate::{clock::Now, operation::StepUp};

/// What a login lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Insufficient {
    /// No token and no session was shown.
    NoToken,
    /// `acr` is missing or another.
    Class,
    /// `auth_time` is missing or too long ago.
    Age,
}

impl Insufficient {
    /// The word for the event's `failure_reason`.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::NoToken => "step_up_no_token",
            Self::Class => "step_up_acr",
            Self::Age => "step_up_auth_time",
        }
    }
}

/// Decides by the tokens and sessions that were shown. See the rules above.
pub(crate) fn check(
    rule: Option<&StepUp>,
    authenticated: &Authenticated<'_>,
    now: Now,
) -> Result<(), Insufficient> {
    let Some(rule) = rule else { return Ok(()) };
    let mut logins = authenticated.all().filter(|principal| principal.kind().tells_of_a_login()).peekable();
    if logins.peek().is_none() {
        return Err(Insufficient::NoToken);
    }
    logins.try_for_each(|principal| suffices(rule, principal, now))
}

fn suffices(rule: &StepUp, principal: &Principal, now: Now) -> Result<(), Insufficient> {
    let fits = |class: &str| rule.acr.contains(&class);
    if !rule.acr.is_empty() && !principal.login_class().is_some_and(fits) {
        return Err(Insufficient::Class);
    }
    let Some(longest) = rule.max_age else { return Ok(()) };
    let recent = |time: f64| now.wall().as_secs_f64() - time <= longest.as_secs_f64();
    if principal.login_time().is_some_and(recent) { Ok(()) } else { Err(Insufficient::Age) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        authn::{
            principal::{Kind, tests::logged_in},
            testing::Bench,
        },
        clock::Clock,
        operation::{Access, Algorithm, Need},
    };

    const NOW: u64 = 1_800_000_000;

    fn decide(
        acr: &'static [&'static str],
        max_age: Option<u64>,
        login: (Option<&str>, Option<f64>),
    ) -> Result<(), Insufficient> {
        let rule = StepUp { acr, max_age: max_age.map(Duration::from_secs) };
        let principal = logged_in(Kind::Bearer(Algorithm::ES256), login.0, login.1);
        suffices(&rule, &principal, Clock::fixed(NOW).now().unwrap())
    }

    #[test]
    fn the_class_is_one_of_the_named() {
        let named = &["urn:bank:strong", "urn:bank:stronger"];
        for good in named {
            assert_eq!(decide(named, None, (Some(good), None)), Ok(()));
        }
        for bad in [
            None,
            Some(""),
            Some("urn:bank:weak"),
            Some("URN:BANK:STRONG"),
            Some("urn:bank:strong urn:bank:stronger"),
        ] {
            assert_eq!(decide(named, None, (bad, None)), Err(Insufficient::Class), "{bad:?}");
        }
        assert_eq!(decide(&[], None, (None, None)), Ok(()));
    }

    #[test]
    fn the_login_is_not_too_long_ago() {
        let now = NOW as f64;
        for good in [now, now - 299.0, now - 300.0, now + 10.0] {
            assert_eq!(decide(&[], Some(300), (None, Some(good))), Ok(()), "{good}");
        }
        for bad in [None, Some(now - 300.5), Some(0.0), Some(-1.0), Some(f64::NAN)] {
            assert_eq!(decide(&[], Some(300), (None, bad)), Err(Insufficient::Age), "{bad:?}");
        }
    }

    #[test]
    fn who_shows_nothing_that_tells_of_a_login_has_not_logged_in() {
        static ACCESS: Access = Access::Any(&[&[Need { scheme: "oauth", scopes: &[] }]]);
        static RULE: StepUp = StepUp { acr: &[], max_age: None };
        let (prepared, now) = (Bench::new().prepare(&ACCESS), Clock::fixed(NOW).now().unwrap());
        let decide = |rule, shown: &[Kind]| {
            let held = shown.iter().map(|kind| Some(logged_in(*kind, None, None))).collect();
            check(rule, &Authenticated::assertion(&prepared, held), now)
        };
        let token = Kind::Bearer(Algorithm::ES256);
        for none in [&[][..], &[Kind::ApiKey], &[Kind::Basic, Kind::ApiKey]] {
            assert_eq!(decide(Some(&RULE), none), Err(Insufficient::NoToken), "{none:?}");
            assert_eq!(decide(None, none), Ok(()));
        }
        assert_eq!(decide(Some(&RULE), &[Kind::ApiKey, token]), Ok(()));
    }

    #[test]
    fn both_are_asked_where_both_are_named() {
        let named = &["strong"];
        let recent = Some(NOW as f64);
        assert_eq!(decide(named, Some(300), (Some("strong"), recent)), Ok(()));
        assert_eq!(decide(named, Some(300), (Some("weak"), recent)), Err(Insufficient::Class));
        assert_eq!(decide(named, Some(300), (Some("strong"), None)), Err(Insufficient::Age));
    }
}
