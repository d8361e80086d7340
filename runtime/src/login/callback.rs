//! What the provider sends back by way of the browser (RFC 6749 section 4.1.2), and what it is worth.
//!
//! Rules, in order; each refuses the login:
//! 1. no parameter stands twice (RFC 6749 section 3.1); the text is at most [`LONGEST`] long;
//! 2. the browser has a login under way that is not over, and `state` is its own, compared in constant time;
//! 3. that `state` was not used before. From here on it is used, whatever becomes of the login, and an error uses it too;
//! 4. `iss` is the issuer that was asked; it must be there where the provider says that it sends it (RFC 9207 section 2.4);
//! 5. there is no `error`;
//! 6. there is a `code`.

use std::borrow::Cow;

use super::error::Fault;
use super::pending::Pending;
use crate::input::form_decoded;

const LONGEST: usize = 8 * 1024;

/// The parameters that came.
#[derive(Default)]
pub(super) struct Answer<'q> {
    state: Option<Cow<'q, str>>,
    code: Option<Cow<'q, str>>,
    iss: Option<Cow<'q, str>>,
    error: Option<Cow<'q, str>>,
}

impl<'q> Answer<'q> {
    /// Rule 1.
    pub(super) fn read(query: &'q str) -> Result<Self, Fault> {
        let mut answer = Self::default();
        if query.len() > LONGEST {
            return Err(Fault::Request);
        }
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = form_decoded(name).map_err(|_| Fault::Request)?;
            let slot = match &*name {
                "state" => &mut answer.state,
                "code" => &mut answer.code,
                "iss" => &mut answer.iss,
                "error" => &mut answer.error,
                // what is not known is ignored (RFC 6749 section 4.1.2)
                _ => continue,
            };
            if slot.replace(form_decoded(value).map_err(|_| Fault::Request)?).is_some() {
                return Err(Fault::Request);
            }
        }
        Ok(answer)
    }

    /// Rule 2.
    pub(super) fn belongs_to(&self, pending: Option<Pending>, now: u64) -> Result<Pending, Fault> {
        let pending = pending.ok_or(Fault::NotPending)?;
        if pending.is_over(now) {
            return Err(Fault::NotPending);
        }
        match self.state.as_deref().is_some_and(|state| pending.is_of(state)) {
            true => Ok(pending),
            false => Err(Fault::State),
        }
    }

    /// Rules 4 to 6: the code. `names_itself`: the provider says that it sends `iss`.
    pub(super) fn code(&self, issuer: &str, names_itself: bool) -> Result<&str, Fault> {
        match self.iss.as_deref() {
            Some(named) if named == issuer => {}
            None if !names_itself => {}
            Some(_) | None => return Err(Fault::Issuer),
        }
        if let Some(error) = self.error.as_deref() {
            return Err(Fault::Provider(known(error)));
        }
        self.code.as_deref().filter(|code| !code.is_empty()).ok_or(Fault::Request)
    }
}

/// An error of RFC 6749 section 4.1.2.1 or OpenID Connect Core section 3.1.2.6, for the log: what a browser sends is not
/// repeated.
pub(super) fn known(error: &str) -> &'static str {
    const KNOWN: [&str; 16] = [
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_request_object",
        "invalid_scope",
        "login_required",
        "request_not_supported",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_response_type",
    ];
    KNOWN.into_iter().find(|known| *known == error).unwrap_or("another_error")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::step_up::Wanted;

    const ISSUER: &str = "https://id.example.com";

    fn code(query: &str, names_itself: bool) -> Result<String, &'static str> {
        let answer = Answer::read(query).map_err(|fault| fault.code())?;
        answer.code(ISSUER, names_itself).map(str::to_owned).map_err(|fault| fault.code())
    }

    #[test]
    fn a_code_is_read_and_a_parameter_stands_once() {
        assert_eq!(code("code=a%2Bb&state=s&session_state=x", false), Ok("a+b".to_owned()));
        for bad in
            ["code=a&code=a", "code=a&%63ode=b", "state=a&state=a&code=x", "code=%ff", "code=", "", "state=s"]
        {
            assert_eq!(code(bad, false), Err("malformed_callback"), "{bad}");
        }
        assert_eq!(code(&format!("code={}", "a".repeat(LONGEST)), false), Err("malformed_callback"));
    }

    /// RFC 9207 section 2.4.
    #[test]
    fn the_issuer_is_the_one_that_was_asked() {
        let ours = "iss=https%3A%2F%2Fid.example.com";
        for names_itself in [true, false] {
            assert_eq!(code(&format!("code=a&{ours}"), names_itself), Ok("a".to_owned()));
            for other in [
                "iss=https://evil.example",
                "iss=https://id.example.com/",
                "iss=",
                "iss=https://ID.example.com",
            ] {
                assert_eq!(code(&format!("code=a&{other}"), names_itself), Err("wrong_issuer"), "{other}");
                assert_eq!(code(&format!("error=access_denied&{other}"), names_itself), Err("wrong_issuer"));
            }
        }
        assert_eq!(code("code=a", true), Err("wrong_issuer"));
        assert_eq!(code("error=access_denied", true), Err("wrong_issuer"));
    }

    #[test]
    fn an_error_is_no_login_even_with_a_code() {
        assert_eq!(code("error=access_denied&code=a", false), Err("access_denied"));
        assert_eq!(code("error=%0Aforged", false), Err("another_error"));
    }

    #[test]
    fn the_state_is_that_of_the_browser() {
        let pending = || Pending::begin("/".to_owned(), Wanted::default(), 1000);
        let mine = pending().unwrap();
        let query = format!("state={}", mine.state);
        let answer = Answer::read(&query).unwrap();
        let fault = |pending, now| answer.belongs_to(pending, now).err().map(|fault| fault.code());
        assert_eq!(fault(None, 1000), Some("no_login_under_way"));
        assert_eq!(fault(pending(), 1000), Some("wrong_state"));
        assert_eq!(
            Answer::read("code=a").unwrap().belongs_to(pending(), 1000).err().map(|fault| fault.code()),
            Some("wrong_state")
        );
        let again = || Pending {
            state: mine.state.clone(),
            nonce: String::new(),
            verifier: String::new(),
            return_to: String::new(),
            wanted: Wanted::default(),
            ends: mine.ends,
        };
        assert_eq!(fault(Some(again()), 1599), None);
        assert_eq!(fault(Some(again()), 1600), Some("no_login_under_way"));
    }
}
