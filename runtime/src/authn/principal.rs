//! Who calls, once a credential has been verified.

use std::sync::{Arc, LazyLock};

use crate::operation::Algorithm;

/// Who calls: what a verified credential says, and which scheme verified it.
///
/// Only this crate makes one. Cloning it copies a pointer.
#[derive(Clone)]
pub struct Principal(Arc<Sealed>);

/// Who a principal is: what names the same caller again, whatever credential it shows.
///
/// A subject alone does not: two issuers may both know an `alice`. Nor does it with its issuer where there are tenants: who works
/// for two of them is somebody else in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity<'a> {
    /// Who vouches for the subject: the `iss` of a token, or a name of our own for a scheme without issuers.
    pub issuer: &'a str,
    /// Whom it vouches for.
    pub subject: &'a str,
    /// The tenant for which it does, where the credential names one.
    pub tenant: Option<&'a str>,
}

/// What a verifier found out; [`Principal::new`] seals it, with what the credential says.
pub(in crate::authn) struct Facts {
    pub(in crate::authn) scheme: &'static str,
    pub(in crate::authn) kind: Kind,
    pub(in crate::authn) issuer: Arc<str>,
    pub(in crate::authn) issued: Option<u64>,
    pub(in crate::authn) expires: Option<u64>,
    /// `auth_time`, in seconds since 1970 (RFC 9470 section 6.1).
    pub(in crate::authn) login_time: Option<f64>,
}

/// What a credential says.
#[derive(Clone, Copy, Default)]
pub(in crate::authn) struct Said<'a> {
    pub(in crate::authn) subject: &'a str,
    /// Granted scopes, separated by single spaces (RFC 6749 section 3.3).
    pub(in crate::authn) scopes: &'a str,
    pub(in crate::authn) client: Option<&'a str>,
    /// `jti` of a token, public id of an API key, thumbprint of a certificate, digest of the id of a session.
    pub(in crate::authn) credential: Option<&'a str>,
    /// `acr`: how the user of a token logged in (RFC 9470 section 6.1).
    pub(in crate::authn) login_class: Option<&'a str>,
    /// Never empty: [`is_tenant`].
    pub(in crate::authn) tenant: Option<&'a str>,
}

/// Every request makes one, so what it [says](Said) is one piece of memory and not six.
struct Sealed {
    facts: Facts,
    words: Box<str>,
    /// Where each of them ends, in the order of [`Word`]; it begins where the last one before it ends.
    ends: [Option<usize>; 6],
}

#[derive(Clone, Copy)]
enum Word {
    Subject,
    Scopes,
    Client,
    Credential,
    LoginClass,
    Tenant,
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
    pub(in crate::authn) fn new(facts: Facts, said: Said<'_>) -> Self {
        let Said { subject, scopes, client, credential, login_class, tenant } = said;
        let said = [Some(subject), Some(scopes), client, credential, login_class, tenant];
        let mut words = String::with_capacity(said.iter().flatten().map(|word| word.len()).sum());
        let ends = said.map(|word| {
            words.push_str(word?);
            Some(words.len())
        });
        Self(Arc::new(Sealed { facts, words: words.into(), ends }))
    }

    fn word(&self, word: Word) -> Option<&str> {
        let (before, [end, ..]) = self.0.ends.split_at_checked(word as usize)? else { return None };
        let start = before.iter().rev().find_map(|end| *end).unwrap_or(0);
        self.0.words.get(start..(*end)?)
    }

    /// An identity that owns nothing and holds no scope: what stands in for a principal that should be there.
    pub(crate) fn nobody() -> &'static Self {
        static NOBODY: LazyLock<Principal> = LazyLock::new(|| {
            let facts = Facts {
                scheme: "",
                kind: Kind::ApiKey,
                issuer: "".into(),
                issued: None,
                expires: None,
                login_time: None,
            };
            Principal::new(facts, Said::default())
        });
        &NOBODY
    }

    /// Who it is: issuer, subject, and the tenant where there is one.
    #[must_use]
    pub fn identity(&self) -> Identity<'_> {
        Identity { issuer: self.issuer(), subject: self.subject(), tenant: self.tenant() }
    }

    /// Who vouches for the subject. `urn:palisade:scheme:<name>` for API keys and passwords.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.facts.issuer
    }

    /// `sub` of a token, owner of an API key, name of a user or in a certificate.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.word(Word::Subject).unwrap_or_default()
    }

    /// The tenant that its credential names: the claim of a token that the scheme calls `claims.tenant`, the claim of the ID token
    /// that `LoginBuilder::tenant_claim` names for a session, `tenant` of an API key. Passwords and certificates name none.
    ///
    /// It is never empty. Where a scheme has a claim for it, no token without one gets here.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.word(Word::Tenant)
    }

    /// The scheme of the document that verified it.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.0.facts.scheme
    }

    /// What was shown.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.facts.kind
    }

    /// Everything that its credential grants, whether or not the operation asks for it.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        // RFC 6749 section 3.3: separated by spaces, and by nothing else
        self.word(Word::Scopes).unwrap_or_default().split(' ').filter(|scope| !scope.is_empty())
    }

    /// Whether its credential grants `scope`: the same characters, case included.
    #[must_use]
    pub fn grants(&self, scope: &str) -> bool {
        self.scopes().any(|granted| granted == scope)
    }

    /// `client_id` of a token: the application that acts.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.word(Word::Client)
    }

    /// Whether an application acts for itself: a token whose `sub` is its `client_id` (RFC 9068 section 2.2).
    #[must_use]
    pub fn is_client(&self) -> bool {
        self.client_id() == Some(self.subject())
    }

    /// `jti` of a token, public id of an API key, digest of the id of a session; never the credential itself.
    #[must_use]
    pub fn credential_id(&self) -> Option<&str> {
        self.word(Word::Credential)
    }

    /// When the credential was issued, in seconds since 1970, where it says so.
    #[must_use]
    pub fn issued(&self) -> Option<u64> {
        self.0.facts.issued
    }

    /// When the credential ends, in seconds since 1970.
    #[must_use]
    pub fn expires(&self) -> Option<u64> {
        self.0.facts.expires
    }

    /// `acr` of a token: the class of the login of its user.
    #[must_use]
    pub fn login_class(&self) -> Option<&str> {
        self.word(Word::LoginClass)
    }

    /// `auth_time` of a token: when its user logged in, in seconds since 1970.
    #[must_use]
    pub fn login_time(&self) -> Option<f64> {
        self.0.facts.login_time
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

/// Bytes of a tenant at most: as long as a name of an API key may be, which can name the same ones. It is hashed with every call
/// and stands in every principal, so who may choose it must not make that dear.
const LONGEST_TENANT: usize = 256;

/// Whether this names a tenant. An empty text would be "no tenant" to whom compares it with one.
pub(in crate::authn) fn is_tenant(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_TENANT
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn principal(scheme: &'static str, kind: Kind, subject: &str, scopes: &str) -> Principal {
        let issuer = local_issuer(scheme);
        let facts = Facts { scheme, kind, issuer, issued: None, expires: None, login_time: None };
        Principal::new(facts, Said { subject, scopes, ..Said::default() })
    }

    /// Somebody whose token says this of the login.
    pub(crate) fn logged_in(kind: Kind, class: Option<&str>, time: Option<f64>) -> Principal {
        let issuer = "https://id.example.com".into();
        let facts = Facts { scheme: "oauth", kind, issuer, issued: None, expires: None, login_time: time };
        Principal::new(facts, Said { subject: "alice", login_class: class, ..Said::default() })
    }

    pub(crate) fn token(
        issuer: &str,
        subject: &str,
        id: Option<&str>,
        issued: Option<u64>,
        expires: Option<u64>,
    ) -> Principal {
        let kind = Kind::Introspected;
        let facts = Facts { scheme: "oauth", kind, issuer: issuer.into(), issued, expires, login_time: None };
        Principal::new(facts, Said { subject, credential: id, ..Said::default() })
    }

    #[test]
    fn what_is_said_is_told_apart_from_what_is_not() {
        let words = [None, Some(""), Some("a"), Some("ab")];
        for client in words {
            for credential in words {
                for (login_class, tenant) in
                    words.into_iter().flat_map(|word| [(word, None), (word, Some("t"))])
                {
                    let facts = Facts {
                        scheme: "oauth",
                        kind: Kind::Introspected,
                        issuer: "".into(),
                        issued: None,
                        expires: None,
                        login_time: None,
                    };
                    let said =
                        Said { subject: "alice", scopes: "x y", client, credential, login_class, tenant };
                    let caller = Principal::new(facts, said);
                    let told = (caller.client_id(), caller.credential_id(), caller.login_class());
                    assert_eq!(told, (client, credential, login_class));
                    assert_eq!(caller.tenant(), tenant);
                    assert_eq!(caller.subject(), "alice");
                    assert_eq!(caller.scopes().collect::<Vec<_>>(), ["x", "y"]);
                }
            }
        }
    }

    /// RFC 9068 section 2.2.
    #[test]
    fn a_client_that_is_its_own_subject_acts_for_itself() {
        for (subject, client, itself) in [
            ("app", Some("app"), true),
            ("alice", Some("app"), false),
            ("App", Some("app"), false),
            ("app", Some("app "), false),
            ("alice", None, false),
        ] {
            let facts = Facts {
                scheme: "oauth",
                kind: Kind::Introspected,
                issuer: "https://id.example.com".into(),
                issued: None,
                expires: None,
                login_time: None,
            };
            let caller = Principal::new(facts, Said { subject, client, ..Said::default() });
            assert_eq!(caller.is_client(), itself, "{subject} by {client:?}");
        }
        assert!(!principal("key", Kind::ApiKey, "app", "").is_client(), "a key names no client");
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
    fn the_same_subject_in_another_tenant_is_somebody_else() {
        let of = |tenant| {
            let facts = Facts {
                scheme: "oauth",
                kind: Kind::Introspected,
                issuer: "https://id.example.com".into(),
                issued: None,
                expires: None,
                login_time: None,
            };
            Principal::new(facts, Said { subject: "alice", tenant, ..Said::default() })
        };
        let [one, other, none] = [Some("north"), Some("south"), None].map(of);
        assert_ne!(one.identity(), other.identity());
        assert_ne!(one.identity(), none.identity());
        assert_eq!(one.identity(), of(Some("north")).identity());
    }

    #[test]
    fn debug_does_not_show_the_subject() {
        assert!(!format!("{:?}", principal("oauth", Kind::ApiKey, "alice", "")).contains("alice"));
    }
}
