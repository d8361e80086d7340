//! Client certificates: mutual TLS (RFC 8705 section 2.1).
//!
//! Rules ([`ClientCertificates::judge`], with every request of the connection):
//! 1. the chain ends at one of the scheme's roots and every certificate in it is good for its use at this time
//!    (RFC 5280 section 6); where revocation lists are given, all of the chain must stand on none, and a list that is
//!    out of date, or missing for an issuer, refuses; those of a file are read again when it has changed ([`lists`]);
//! 2. the name that the document asks for is there exactly once (RFC 8705 section 2.1.2);
//! 3. where only certain names are let in, it is one of them.

mod peer;
#[cfg(feature = "tls")]
mod subject;

#[cfg(feature = "tls")]
mod authority;
#[cfg(feature = "tls")]
mod lists;

#[cfg(feature = "tls")]
pub use self::authority::{CertificateError, ClientCertificates};
pub(crate) use self::peer::ClientCertificate;
#[cfg(feature = "tls")]
pub(crate) use self::peer::MAX_CHAIN;
#[cfg(any(test, feature = "tls", feature = "measure"))]
pub(crate) use self::peer::PeerCertificate;
