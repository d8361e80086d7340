//! What is published of an issuer: its keys and its metadata.

use serde_json::json;

use super::{Issuer, clients, endpoints};
use crate::Jwks;
use crate::authn::dpop;

impl Issuer {
    /// The keys for a [`Jwt`](crate::Jwt) of this process: they change with the issuer's, as long as the issuer is held.
    #[must_use]
    pub fn keys(&self) -> Jwks {
        self.0.ring.published().clone()
    }

    /// The public keys as a JWK set (RFC 7517 section 5), to be published at `<issuer>/jwks`: those that signed tokens that are
    /// still good, the one that signs, and the next.
    pub async fn jwks(&self) -> String {
        if let Ok(now) = self.now() {
            // what was read last is published also while the state cannot be asked
            let _ = self.0.ring.view(now).await;
        }
        self.0.ring.last().key_set.clone()
    }

    /// The metadata (RFC 8414 section 2), to be published at `/.well-known/oauth-authorization-server` before the path of the
    /// issuer.
    #[must_use]
    pub fn metadata(&self) -> String {
        let at = |path: &str| format!("{}{path}", self.0.issuer);
        json!({
            "issuer": self.0.issuer,
            "token_endpoint": at(endpoints::TOKEN),
            "revocation_endpoint": at(endpoints::REVOKE),
            "jwks_uri": at(endpoints::JWKS),
            // REQUIRED, and there is no authorization endpoint
            "response_types_supported": [],
            "grant_types_supported": ["refresh_token", "client_credentials"],
            "token_endpoint_auth_methods_supported": clients::METHODS,
            "revocation_endpoint_auth_methods_supported": clients::METHODS,
            // RFC 9449 section 5.1
            "dpop_signing_alg_values_supported": dpop::ALGORITHMS.split(' ').collect::<Vec<_>>(),
        })
        .to_string()
    }
}
