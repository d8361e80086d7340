//! What a sign-in says, and what a client is given.

use std::time::Duration;

use super::error::IssuerError;
use super::proof::ProvenKey;
use crate::Secret;
use crate::form::is_scope;

/// Somebody whose identity the application has just proved.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub(super) subject: String,
    pub(super) client: String,
    pub(super) scope: String,
    pub(super) auth_time: Option<u64>,
    pub(super) acr: Option<String>,
    pub(super) key: Option<ProvenKey>,
}

/// What a client is given.
#[derive(Debug)]
pub struct Tokens {
    /// The access token.
    pub access: Secret<String>,
    /// `Bearer`, or `DPoP` for an access token that is bound to a key (RFC 9449 section 5).
    pub token_type: &'static str,
    /// The refresh token, good once. None where a client asks for itself.
    pub refresh: Option<Secret<String>>,
    /// How long the access token is good.
    pub expires_in: Duration,
    /// The scopes of the access token, separated by single spaces.
    pub scope: String,
    /// The family, for [`Issuer::sign_out`](super::Issuer::sign_out). None where a client asks for itself.
    pub family: Option<String>,
}

impl SignIn {
    /// `subject` by means of `client`, without scopes. The login was now ([`SignIn::at`]).
    ///
    /// Subjects and clients share their names (RFC 9068 section 5): nobody may be able to register as a subject that is the
    /// name of a client.
    pub fn new(subject: impl Into<String>, client: impl Into<String>) -> Self {
        let (subject, client) = (subject.into(), client.into());
        Self { subject, client, scope: String::new(), auth_time: None, acr: None, key: None }
    }

    /// What the tokens grant.
    #[must_use]
    pub fn scopes<S: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes: Vec<S> = scopes.into_iter().collect();
        self.scope = scopes.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" ");
        self
    }

    /// When the login was, in seconds since 1970, where it was not now: `auth_time`, which `step-up` asks for.
    #[must_use]
    pub fn at(mut self, second: u64) -> Self {
        self.auth_time = Some(second);
        self
    }

    /// The class of the login: `acr`.
    #[must_use]
    pub fn class(mut self, acr: impl Into<String>) -> Self {
        self.acr = Some(acr.into());
        self
    }

    /// The key that the tokens are bound to: the client's, which brought a proof with the request that signs in
    /// ([`Issuer::proven_key`](super::Issuer::proven_key)).
    #[must_use]
    pub fn bound_to(mut self, key: ProvenKey) -> Self {
        self.key = Some(key);
        self
    }

    pub(super) fn check(&self) -> Result<(), IssuerError> {
        for (holds, otherwise) in [
            (is_name(&self.subject), "a subject is 1 to 256 bytes without control characters"),
            (is_name(&self.client), "a client is 1 to 256 bytes without control characters"),
            (
                self.subject != self.client,
                "a subject that is its client would be taken for the client itself",
            ),
            (self.acr.as_deref().is_none_or(is_name), "a class is 1 to 256 bytes without control characters"),
            (self.scope.is_empty() || is_scope(&self.scope), "a scope has characters that cannot be"),
        ] {
            if !holds {
                return Err(IssuerError::Invalid(otherwise));
            }
        }
        Ok(())
    }
}

/// What can be a subject, a client or a class.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 256 && !text.contains(char::is_control)
}
