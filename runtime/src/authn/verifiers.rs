//! What an application gives for a scheme of its document: one type for each kind, made from what verifies.

#[cfg(feature = "outbound")]
use super::Introspection;
use super::{ApiKeys, Jwt, Passwords};

/// Verifies the signed tokens of a bearer, oauth2 or openIdConnect scheme: made from a [`Jwt`].
#[derive(Clone, Debug)]
pub struct BearerVerifier(pub(crate) Jwt);

/// Verifies the tokens of such a scheme with `token: introspection`: made from an `Introspection`, which the feature
/// `outbound` brings.
#[derive(Clone, Debug)]
pub struct IntrospectionVerifier(pub(crate) Introspections);

#[cfg(feature = "outbound")]
pub(super) type Introspections = Introspection;
#[cfg(not(feature = "outbound"))]
#[derive(Clone, Debug)]
pub(crate) struct Introspections(());

/// Verifies what an `apiKey` scheme names: made from [`ApiKeys`], or from a `Login`, which the feature `login` brings.
#[derive(Clone, Debug)]
pub struct KeyVerifier(pub(crate) Keys);

#[derive(Clone, Debug)]
pub(crate) enum Keys {
    Api(ApiKeys),
    #[cfg(feature = "login")]
    Sessions(crate::Login),
}

/// Verifies the passwords of a scheme: made from [`Passwords`].
#[derive(Clone, Debug)]
pub struct BasicVerifier(pub(crate) Passwords);

/// Verifies the client certificates of a scheme: made from `ClientCertificates`, which the feature `tls` brings.
#[derive(Clone, Debug)]
pub struct CertificateVerifier(pub(crate) Certificates);

#[cfg(feature = "tls")]
pub(super) type Certificates = super::ClientCertificates;
#[cfg(not(feature = "tls"))]
pub(super) type Certificates = std::convert::Infallible;

impl From<Jwt> for BearerVerifier {
    fn from(jwt: Jwt) -> Self {
        Self(jwt)
    }
}

#[cfg(feature = "outbound")]
impl From<Introspection> for IntrospectionVerifier {
    fn from(introspection: Introspection) -> Self {
        Self(introspection)
    }
}

impl From<ApiKeys> for KeyVerifier {
    fn from(keys: ApiKeys) -> Self {
        Self(Keys::Api(keys))
    }
}

#[cfg(feature = "login")]
impl From<crate::Login> for KeyVerifier {
    fn from(login: crate::Login) -> Self {
        Self(Keys::Sessions(login))
    }
}

impl From<Passwords> for BasicVerifier {
    fn from(passwords: Passwords) -> Self {
        Self(passwords)
    }
}

#[cfg(feature = "tls")]
impl From<Certificates> for CertificateVerifier {
    fn from(certificates: Certificates) -> Self {
        Self(certificates)
    }
}
