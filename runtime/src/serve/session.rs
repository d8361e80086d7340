//! What the handshake of our own TLS has shown: an extension of the requests that come through it.

use std::sync::Arc;

use crate::authn::certificate::ClientCertificate;

/// A connection under TLS.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// The server that the client meant (RFC 6066 section 3).
    pub(crate) name: Option<Arc<str>>,
    /// Its certificate, if it has shown one.
    pub(crate) certificate: Option<ClientCertificate>,
}
