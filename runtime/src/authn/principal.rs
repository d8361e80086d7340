//! Who calls, once a credential has been verified.

use std::sync::{Arc, LazyLock};

use crate::operation::Algorithm;

/// Who calls: what a verified credential says, and which scheme verified it.
///
/// Only this crate makes one. Cloning it copies a pointer.
#[derive(Clone)]
pub struct Principal(Arc<Facts>);

/// Who a principal is: the pair that names the same caller again, whatever credential it shows.
///
/// A subject alone does not: two issuers may both know an `alice`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity<'a> {
    /// Who vouches for the subject: the `iss` of a token, or a name of our own for a scheme without issuers.
    pub issuer: &'a str,
    /// Whom it vouches for.
    pub subject: &'a str,
}

/// What a verifier found out; [`Principal::new`] seals it.
pub(in crate::authn) struct Facts {
    pub(in crate::authn) scheme: &'static str,
    pub(in crate::authn) kind: Kind,
    pub(in crate::authn) issuer: Arc<str>,
    pub(in crate::authn) subject: Arc<str>,
    /// Granted scopes, separated by single spaces (RFC 6749 section 3.3).
    pub(in crate::authn) scopes: Arc<str>,
    pub(in crate::authn) client: Option<Arc<str>>,
    /// `jti` of a token, public id of an API key, thumbprint of a certificate, digest of the id of a session.
    pub(in crate::authn) credential: Option<Arc<str>>,
    pub(in crate::authn) issued: Option<u64>,
    pub(in crate::authn) expires: Option<u64>,
    pub(in crate::authn) login: Login,
}

/// How and when the user of a token logged in (RFC 9470 section 6.1), as far as it says.
#[derive(Default)]
pub(in crate::authn) struct Login {
    /// `acr`
    pub(in crate::authn) class: Option<Arc<str>>,
    /// `auth_time`, in seconds since 1970.
    pub(in crate::authn) time: Option<f64>,
}

/// What kind of credential was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A signed token.
    Bearer(Algorithm),
    /// A token whose issuer was asked.
    Introspected,
    /// An API key.
    ApiKey,
    /// A user name and a password.
    Basic,
    /// A client certificate.
    Certificate,
    /// A session of a browser.
    Session,
}

impl Principal {
    pub(in crate::authn) fn new(facts: Facts) -> Self {
        Self(Arc::new(facts))
    }

    /// An identity that owns nothing and holds no scope: what stands in for a principal that should be there.
    pub(crate) fn nobody() -> &'static Self {
        static NOBODY: LazyLock<Principal> = LazyLock::new(|| {
            Principal::new(Facts {
                scheme: "",
                kind: Kind::ApiKey,
                issuer: "".into(),
                subject: "".into(),
                scopes: "".into(),
                client: None,
                credential: None,
                issued: None,
                expires: None,
                login: Login::default(),
            })
        });
        &NOBODY
    }

    /// Who it is: (issuer, subject).
    #[must_use]
    pub fn identity(&self) -> Identity<'_> {
        Identity { issuer: self.issuer(), subject: self.subject() }
    }

    /// Who vouches for the subject. `urn:palisade:scheme:<name>` for API keys and passwords.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// `sub` of a token, owner of an API key, name of a user or in a certificate.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The scheme of the document that verified it.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.0.scheme
    }

    /// What was shown.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Everything that its credential grants, whether or not the operation asks for it.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        // RFC 6749 section 3.3: separated by spaces, and by nothing else
        self.0.scopes.split(' ').filter(|scope| !scope.is_empty())
    }

    /// Whether its credential grants `scope`: the same characters, case included.
    #[must_use]
    pub fn grants(&self, scope: &str) -> bool {
        self.scopes().any(|granted| granted == scope)
    }

    /// `client_id` of a token: the application that acts.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.0.client.as_deref()
    }

    /// Whether an application acts for itself: a token whose `sub` is its `client_id` (RFC 9068 section 2.2).
    #[must_use]
    pub fn is_client(&self) -> bool {
        self.client_id() == Some(self.subject())
    }

    /// `jti` of a token, public id of an API key, digest of the id of a session; never the credential itself.
    #[must_use]
    pub fn credential_id(&self) -> Option<&str> {
        self.0.credential.as_deref()
    }

    /// When the credential was issued, in seconds since 1970, where it says so.
    #[must_use]
    pub fn issued(&self) -> Option<u64> {
        self.0.issued
    }

    /// When the credential ends, in seconds since 1970.
    #[must_use]
    pub fn expires(&self) -> Option<u64> {
        self.0.expires
    }

    /// `acr` of a token: the class of the login of its user.
    #[must_use]
    pub fn login_class(&self) -> Option<&str> {
        self.0.login.class.as_deref()
    }

    /// `auth_time` of a token: when its user logged in, in seconds since 1970.
    #[must_use]
    pub fn login_time(&self) -> Option<f64> {
        self.0.login.time
    }
}

/// The subject is personal data: a `{:?}` in a log shows where a principal comes from, not who it is.
impl std::fmt::Debug for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Principal")
            .field("scheme", &self.scheme())
            .field("issuer", &self.issuer())
            .finish_non_exhaustive()
    }
}

impl Kind {
    pub(crate) const fn is_bearer(self) -> bool {
        matches!(self, Self::Bearer(_) | Self::Introspected)
    }

    /// Whether what was shown comes of a login of its user.
    pub(crate) const fn tells_of_a_login(self) -> bool {
        self.is_bearer() || matches!(self, Self::Session)
    }
}

/// The issuer that stands for a scheme whose credentials are kept by the server itself.
///
/// No token can claim it: [`Jwt`](super::Jwt) refuses to be configured with an issuer that starts so.
pub(in crate::authn) fn local_issuer(scheme: &str) -> Arc<str> {
    format!("{LOCAL_ISSUER}{scheme}").into()
}

pub(in crate::authn) const LOCAL_ISSUER: &str = "urn:palisade:scheme:";

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn principal(scheme: &'static str, kind: Kind, subject: &str, scopes: &str) -> Principal {
        Principal::new(Facts {
            scheme,
            kind,
            issuer: local_issuer(scheme),
            subject: subject.into(),
            scopes: scopes.into(),
            client: None,
            credential: None,
            issued: None,
            expires: None,
            login: Login::default(),
        })
    }

    /// Somebody whose token says this of the login.
    pub(crate) fn logged_in(kind: Kind, class: Option<&str>, time: Option<f64>) -> Principal {
        Principal::new(Facts {
            scheme: "oauth",
            kind,
            issuer: "https://id.example.com".into(),
            subject: "alice".into(),
            scopes: "".into(),
            client: None,
            credential: None,
            issued: None,
            expires: None,
            login: Login { class: class.map(Into::into), time },
        })
    }

    pub(crate) fn token(
        issuer: &str,
        subject: &str,
        id: Option<&str>,
        issued: Option<u64>,
        expires: Option<u64>,
    ) -> Principal {
        Principal::new(Facts {
            scheme: "oauth",
            kind: Kind::Introspected,
            issuer: issuer.into(),
            subject: subject.into(),
            scopes: "".into(),
            client: None,
            credential: id.map(Into::into),
            issued,
            expires,
            login: Login::default(),
        })
    }

    #[test]
    fn a_scope_is_held_only_in_its_own_letters() {
        let caller = principal("oauth", Kind::ApiKey, "alice", "accounts:read  transfers:write");
        assert!(caller.grants("accounts:read") && caller.grants("transfers:write"));
        for near in
            ["Accounts:read", "accounts:rea", "accounts", "*", "", " ", "accounts:read transfers:write"]
        {
            assert!(!caller.grants(near), "{near}");
        }
    }

    #[test]
    fn a_tab_does_not_separate_scopes() {
        assert!(!principal("oauth", Kind::ApiKey, "alice", "a\taccounts:read").grants("accounts:read"));
    }

    #[test]
    fn the_same_subject_of_another_issuer_is_somebody_else() {
        let one = principal("oauth", Kind::ApiKey, "alice", "");
        let other = principal("partner", Kind::ApiKey, "alice", "");
        assert_ne!(one.identity(), other.identity());
        assert_eq!(one.identity(), one.clone().identity());
    }

    #[test]
    fn debug_does_not_show_the_subject() {
        assert!(!format!("{:?}", principal("oauth", Kind::ApiKey, "alice", "")).contains("alice"));
    }
}
