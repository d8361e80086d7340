//! Keys that clients prove to hold when they ask for tokens (DPoP, RFC 9449 sections 5 and 6).
//!
//! Rules:
//! 1. a proof is judged as [`dpop`](crate::authn::dpop) says, for the URI under the issuer's own origin, without a token;
//! 2. what is issued beside a proof is bound to its key: the access token by `cnf`, and the refresh token of a public client
//!    (the rules of [`family`](super::family));
//! 3. a proof is good once. It is noted when all else has been found good, so that nobody fills what remembers them with proofs
//!    that came with nothing, and before anything is issued.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;

use super::Issuer;
use super::error::{GrantError, IssuerError};
use super::event::Event;
use crate::authn::dpop::{Asked, Proven};
use crate::{ProofFault, Reason};

/// Proofs of a minute that one process remembers. One key takes a thirty-second of them at most.
pub(super) const REMEMBERED: usize = 65_536;

/// A key that a client has proved to hold, for one request.
#[derive(Clone)]
pub struct ProvenKey(Proven);

impl ProvenKey {
    /// `jkt`: its thumbprint (RFC 7638) in base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.thumbprint)
    }
}

impl fmt::Debug for ProvenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProvenKey({})", self.thumbprint())
    }
}

impl Issuer {
    /// The key of which a request brings a proof: for an application that signs in, to be handed to
    /// [`SignIn::bound_to`](super::SignIn::bound_to). `None` when it brings none. `path` is that of the request under the
    /// issuer's origin, without query.
    ///
    /// # Errors
    /// When the proof is not good, or the clock cannot be relied on.
    pub fn proven_key(
        &self,
        method: &str,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Option<ProvenKey>, GrantError> {
        if !headers.contains_key("dpop") {
            return Ok(None);
        }
        let proven = self.0.proofs.prove(Asked { method, path, headers }, self.now()?);
        proven.map(|proven| Some(ProvenKey(proven))).map_err(|fault| self.bad_proof(fault))
    }

    /// Rule 3.
    pub(super) async fn note(&self, key: Option<&ProvenKey>) -> Result<(), GrantError> {
        let Some(ProvenKey(proven)) = key else { return Ok(()) };
        self.0.proofs.note(proven.used, self.now()?).await.map_err(|reason| match reason {
            Reason::Proof(fault) => self.bad_proof(fault),
            _ => GrantError::Unavailable(IssuerError::Busy),
        })
    }

    fn bad_proof(&self, fault: ProofFault) -> GrantError {
        Event::BadProof(fault).emit(&self.nobody("-"));
        match fault {
            ProofFault::TooMany => GrantError::TooMany { wait: std::time::Duration::from_secs(1) },
            ProofFault::NoRoom | ProofFault::Unknown => GrantError::Unavailable(IssuerError::Busy),
            fault => GrantError::Proof(fault),
        }
    }
}
