//! Proofs of possession (DPoP, RFC 9449): a token that is bound to a key is good only beside a proof that the key signed
//! for this request.
//!
//! Rules ([`check`], section 4.3), after the token itself has been found good:
//! 1. there is exactly one `DPoP` header field, and it is a signed token of at most 8 KiB, no member named twice;
//! 2. its `typ` is `dpop+jwt`, its `alg` asymmetric and one of ours, and its header demands no extension and names no
//!    other place of a key;
//! 3. its `jwk` is a public key that fits `alg` (RSA: 2048 bits at least), and the RFC 7638 thumbprint of it is the one
//!    that the token is bound to (section 6.1). Only then is the key looked at: nobody makes us verify by another;
//! 4. the signature verifies by that key;
//! 5. `htm` is the method of the request, letter by letter; `htu` is its URI under the configured origin, without query
//!    and fragment (see [`origin`](crate::origin));
//! 6. `iat` is at most 60 s ago and at most 5 s ahead;
//! 7. `ath` is the SHA-256 of the token, in base64url. Where the client asks for its token, at [`issuer`](crate::issuer)'s
//!    endpoint, there is none (section 5), and any key will do;
//! 8. where the document asks for it, `nonce` is one that this server, or one that shares its state, gave within the last
//!    two minutes (section 9);
//! 9. `jti` has 1 to 256 bytes. That it was not seen before, for this key and URI, is asked last, and of [`Seen`]
//!    (section 11.1): strangers cannot fill that store, for they have no proof that comes so far.

mod claims;
mod heads;
mod key;
mod nonce;
mod replay;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

pub(crate) use self::replay::Use;
use self::{
    claims::Claims,
    heads::Heads,
    nonce::Nonces,
    replay::{Memory, Seen, Shared},
};
use super::{
    Reason, binding,
    jwt::{
        json,
        jws::{self, Parts, Room},
    },
};
use crate::{clock::Now, operation::Algorithm, origin, origin::PublicOrigin, state::State};

/// The algorithms of proofs, as challenges name them.
pub(crate) const ALGORITHMS: &str = "ES256 ES384 EdDSA RS256 PS256";

/// The header that a proof stands in.
const HEADER: &str = "dpop";

/// The header that a nonce is given in (RFC 9449 section 8.2).
pub(crate) const NONCE: http::HeaderName = http::HeaderName::from_static("dpop-nonce");

/// RFC 9449 section 11.1: how old and how far ahead a proof may be, in seconds.
const OLDEST: u32 = 60;
const AHEAD: u32 = 5;

/// Longest accepted `jti`, in bytes.
const MAX_ID: usize = 256;

/// What is wrong with a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProofFault {
    /// The request has none.
    Missing,
    /// The request has two.
    Repeated,
    /// It is no signed token, or a member is missing or of another type.
    Malformed,
    /// `typ` is not `dpop+jwt`.
    Type,
    /// `alg` is missing, `none`, symmetric or unknown.
    Algorithm,
    /// `jwk` is no public key that fits `alg`.
    Key,
    /// The signature does not verify by `jwk`.
    Signature,
    /// It was made for another method.
    Method,
    /// It was made for another URI.
    Target,
    /// It was made too long ago, or is from the future.
    Time,
    /// It was made for another token.
    Token,
    /// It names no nonce that was given here, or an old one.
    Nonce,
    /// It was shown before.
    Replayed,
    /// Its key has signed as many proofs within a minute as one client may.
    TooMany,
    /// As many proofs as can be remembered were shown within a minute, so nobody knows whether this one was.
    NoRoom,
    /// The state in which instances remember them together failed.
    Unknown,
}

impl ProofFault {
    /// The word for the event's `failure_reason`.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Missing => "proof_missing",
            Self::Repeated => "proof_repeated",
            Self::Malformed => "proof_malformed",
            Self::Type => "proof_type",
            Self::Algorithm => "proof_algorithm",
            Self::Key => "proof_key",
            Self::Signature => "proof_signature",
            Self::Method => "proof_method",
            Self::Target => "proof_target",
            Self::Time => "proof_time",
            Self::Token => "proof_of_other_token",
            Self::Nonce => "proof_nonce",
            Self::Replayed => "proof_replayed",
            Self::TooMany => "proofs_too_many",
            Self::NoRoom => "proofs_no_room",
            Self::Unknown => "proofs_unknown",
        }
    }
}

impl From<ProofFault> for Reason {
    fn from(fault: ProofFault) -> Self {
        Self::Proof(fault)
    }
}

/// What a request shows, and for what: the parts of it that a proof speaks of.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'r> {
    pub(crate) method: &'r str,
    /// As it was sent, without the query.
    pub(crate) path: &'r str,
    pub(crate) headers: &'r HeaderMap,
}

/// A key that a client holds, and the use of the proof that says so, which is still to be noted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proven {
    /// RFC 7638, by SHA-256.
    pub(crate) thumbprint: [u8; 32],
    pub(crate) used: Use,
}

/// What a proof must be, all of it known before.
struct Expected<'a> {
    method: &'a str,
    /// The URI in its normal form.
    target: &'a str,
    /// None where the client asks for one.
    token: Option<&'a [u8]>,
    /// The thumbprint of the key that the token is bound to.
    key: Option<&'a [u8; 32]>,
    nonces: Option<&'a Nonces>,
    /// Those that were good beside such tokens; none where there is no token.
    heads: Option<&'a Heads>,
}

/// The server's side of proofs, shared by the schemes of a document.
pub(crate) struct Proofs {
    origin: PublicOrigin,
    nonces: Nonces,
    seen: Box<dyn Seen>,
    heads: Heads,
}

impl Proofs {
    /// Proofs for the server at `origin`, of which `capacity` are remembered: in `state` as well, where there is one.
    pub(crate) fn new(origin: PublicOrigin, capacity: usize, state: Option<State>) -> Arc<Self> {
        let nonces = Nonces::new(state.clone());
        let seen: Box<dyn Seen> = match state {
            Some(state) => Box::new(Shared::new(capacity, state)),
            None => Box::new(Memory::new(capacity)),
        };
        Arc::new(Self { origin, nonces, seen, heads: Heads::new() })
    }

    /// Rules 1 to 8 for a request that shows `token`, which is bound to `key`.
    pub(in crate::authn) fn check(
        &self,
        asked: Asked<'_>,
        token: &[u8],
        key: &[u8; 32],
        nonce: bool,
        now: Now,
    ) -> Result<Use, Reason> {
        let proof = only(asked.headers)?;
        let target = self.origin.target(asked.path);
        let nonces = nonce.then_some(&self.nonces);
        let (token, key, heads) = (Some(token), Some(key), Some(&self.heads));
        let expected = Expected { method: asked.method, target: &target, token, key, nonces, heads };
        check(proof, &expected, now.wall().as_secs_f64()).map(|proven| proven.used)
    }

    /// Rules 1 to 6 for a request that shows no token and asks for one (section 5): which key it proves.
    pub(crate) fn prove(&self, asked: Asked<'_>, now: Now) -> Result<Proven, ProofFault> {
        let target = self.origin.target(asked.path);
        let (method, target) = (asked.method, &*target);
        let expected = Expected { method, target, token: None, key: None, nonces: None, heads: None };
        let proven = only(asked.headers).map_err(Reason::from);
        let proven = proven.and_then(|proof| check(proof, &expected, now.wall().as_secs_f64()));
        proven.map_err(|reason| match reason {
            Reason::Proof(fault) => fault,
            _ => ProofFault::Malformed,
        })
    }

    /// Rule 9: notes a use, or refuses it.
    pub(crate) async fn note(&self, used: Use, now: Now) -> Result<(), Reason> {
        Ok(self.seen.note(used, now.unix()).await?)
    }

    /// The nonce that clients are to use from now on.
    pub(in crate::authn) async fn nonce(&self, now: Now) -> Option<HeaderValue> {
        HeaderValue::try_from(self.nonces.current(now.unix()).await?).ok()
    }
}

impl fmt::Debug for Proofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proofs").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// Rule 1: a field that is there twice is refused, although one of the two may be good.
fn only(headers: &HeaderMap) -> Result<&[u8], ProofFault> {
    let mut fields = headers.get_all(HEADER).iter();
    match (fields.next(), fields.next()) {
        (Some(proof), None) => Ok(proof.as_bytes()),
        (None, _) => Err(ProofFault::Missing),
        (Some(_), Some(_)) => Err(ProofFault::Repeated),
    }
}

/// Rules 1 to 8 for one proof at `now` (seconds since 1970). See above.
fn check(proof: &[u8], expected: &Expected<'_>, now: f64) -> Result<Proven, Reason> {
    let parts = Parts::split(proof).map_err(fault)?;
    let mut room = Room::for_token(proof);
    let known = expected.heads.and_then(|heads| heads.find(parts.header()));
    let was_known = known.is_some();
    let chosen = match known {
        Some(chosen) => chosen.bound_to(expected.key)?,
        None => Arc::new(key::choose(&parts.decoded_header().map_err(fault)?, expected.key).map_err(fault)?),
    };
    let payload = jws::verify_by(&parts, &mut room, &chosen.check).map_err(fault)?;
    let claims: Claims<'_> = json::object(payload).map_err(|_| ProofFault::Malformed)?;
    if claims.method.ok_or(ProofFault::Malformed)? != expected.method {
        return Err(ProofFault::Method.into());
    }
    if !origin::is_target(&claims.target.ok_or(ProofFault::Malformed)?, expected.target) {
        return Err(ProofFault::Target.into());
    }
    let issued = claims.issued.ok_or(ProofFault::Malformed)?;
    if issued < now - f64::from(OLDEST) || issued > now + f64::from(AHEAD) {
        return Err(ProofFault::Time.into());
    }
    if let Some(token) = expected.token {
        let named = claims.token.ok_or(ProofFault::Malformed)?;
        match binding::is_digest(&named, digest(&SHA256, token).as_ref()) {
            Ok(true) => {}
            Ok(false) | Err(_) => return Err(ProofFault::Token.into()),
        }
    }
    if let Some(nonces) = expected.nonces {
        let nonce = claims.nonce.as_ref().and_then(Value::as_str);
        if !nonces.accept(nonce.unwrap_or_default(), now as u64)? {
            return Err(ProofFault::Nonce.into());
        }
    }
    let id = claims.id.ok_or(ProofFault::Malformed)?;
    if id.is_empty() || id.len() > MAX_ID {
        return Err(ProofFault::Malformed.into());
    }
    if let Some(heads) = expected.heads.filter(|_| !was_known) {
        heads.keep(parts.header(), &chosen);
    }
    // good until then, and remembered as long
    let until = (issued + f64::from(OLDEST)).ceil() as u64;
    let thumbprint = chosen.thumbprint;
    Ok(Proven { thumbprint, used: Use::new(&thumbprint, expected.target, &id, until) })
}

/// What is wrong with the form of a proof is wrong with the proof, not with the token.
fn fault(reason: Reason) -> Reason {
    match reason {
        Reason::Proof(_) | Reason::BindingMismatch => reason,
        Reason::BadSignature => ProofFault::Signature.into(),
        _ => ProofFault::Malformed.into(),
    }
}

/// The names of [`ALGORITHMS`] as the runtime has them.
const fn is_for_proofs(algorithm: Algorithm) -> bool {
    match algorithm {
        Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA | Algorithm::RS256 | Algorithm::PS256 => true,
        Algorithm::HS256 => false,
    }
}
