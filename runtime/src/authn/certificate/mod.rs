//! Client certificates: mutual TLS (RFC 8705 section 2.1).
//!
//! Rules ([`ClientCertificates::judge`], with every request of the connection):
//! 1. the chain ends at one of the scheme's roots and every certificate in it is good for its use at this time
//!    (RFC 5280 section 6); where revocation lists are given, all of the chain must stand on none, and a list that is
//!    out of date, or missing for an issuer, refuses;
//! 2. the name that the document asks for is there exactly once (RFC 8705 section 2.1.2);
//! 3. where only certain names are let in, it is one of them;
//! 4. the roots, lists and grants of files are read again when they have changed ([`watched`]). The handshake asks for any
//!    certificate whose key the client has, so connections that are open are judged by the newer ones as well.

mod peer;
#[cfg(feature = "tls")]
mod subject;

#[cfg(feature = "tls")]
mod authority;
#[cfg(feature = "tls")]
mod chains;
#[cfg(feature = "tls")]
mod grants;
#[cfg(feature = "tls")]
mod watched;

#[cfg(feature = "tls")]
pub use self::authority::{CertificateError, ClientCertificates};
pub(crate) use self::peer::ClientCertificate;
#[cfg(feature = "tls")]
pub(crate) use self::peer::MAX_CHAIN;
#[cfg(any(test, feature = "tls", feature = "measure"))]
pub(crate) use self::peer::PeerCertificate;
