//! Authentication: which principals the credentials of a request are.
//!
//! Rules, in order ([`authenticate`]):
//! 1. a public operation looks at no credential;
//! 2. a credential that stands twice in the request is refused: which of them counts would be a guess
//!    (RFC 6750 section 3.1 for `Authorization`; the same for a repeated key header or cookie). So are keys in two places,
//!    unless an alternative asks for them together;
//! 3. every credential that is shown to a scheme of the operation is verified, whether or not another alternative
//!    would do. Schemes that read the same place (two issuers of bearer tokens) share what stands there.
//!    `Authorization` is the credential of the schemes with whose word it begins (RFC 9110 section 11.4), and a key in that
//!    header where it begins with none of them: never both;
//! 4. what is at hand judges first, and an issuer is asked (about the token, or for its keys) only about what no other scheme
//!    of the same place has accepted, unless an alternative asks for both: tokens are shown to nobody else;
//! 5. a credential that no scheme accepts refuses the request, even when an alternative `{}` would let it in
//!    without: who shows a bad credential did not mean to be anonymous;
//! 6. some alternative must be whole: all its schemes verified. `{}` always is;
//! 7. a credential in a cookie is one only in a request that our own pages made ([`cross_site`]);
//! 8. attempts that fail are counted, and refused when they are too many ([`attempts`]);
//! 9. a proof ([`dpop`]) that was shown beside a token, and was good with it, counts as used from then on, whatever becomes of
//!    the request (RFC 9449 section 11.1). One beside a token that is refused opens nothing, and is not remembered;
//! 10. credentials that an alternative asks for together name one tenant, or none ([`tenants`]). Those that name two refuse the request, also
//!     when another alternative would let it in with one of them: for whom it acts would be a guess.
//!
//! What the principals may do is [`crate::authz`]'s question, asked of the [`Authenticated`] that comes out here.

mod api_key;
pub(crate) mod attempts;
mod basic;
mod binding;
pub(crate) mod certificate;
mod challenge;
pub(crate) mod cross_site;
mod denied;
mod denylist;
pub(crate) mod dpop;
pub(crate) mod file;
#[cfg(feature = "outbound")]
mod introspection;
pub(crate) mod jwt;
pub(crate) mod prepared;
mod present;
pub(crate) mod principal;
mod proof;
#[cfg(feature = "login")]
mod session;
mod setup;
pub(crate) mod step_up;
pub(crate) mod store;
mod tenants;
#[cfg(test)]
pub(crate) mod testing;
mod token;
mod verifiers;

use http::request::Parts;
use smallvec::SmallVec;

#[cfg(feature = "tls")]
pub use self::certificate::{CertificateError, ClientCertificates};
#[cfg(feature = "outbound")]
pub use self::introspection::{Introspection, IntrospectionError};
pub(crate) use self::present::Occasion;
#[cfg(feature = "measure")]
pub(crate) use self::present::Shown;
#[cfg(feature = "login")]
pub(crate) use self::present::cookies;
pub use self::{
    api_key::{
        ApiKeys, Change, IssuedKey, KeyAdmin, KeyAdminError, KeyFile, KeyInfo, KeyPage, KeyPeppers, KeyQuery,
        KeyRecord, KeyRequest, KeyState, KeyStore, KeyStoreError, KeyUse, NewKey, PepperError, RecordError,
    },
    basic::{PasswordRecord, Passwords},
    denied::{Class, Denied, Reason},
    denylist::{Denylist, DenylistError, DenylistStore, Entry, Mark},
    dpop::ProofFault,
    jwt::{JwkSet, Jwks, Jwt, KeyError, LeftOut},
    principal::{Identity, Kind, Principal},
    setup::{Fault, SetupError},
    store::StoreFuture,
    verifiers::{BasicVerifier, BearerVerifier, CertificateVerifier, IntrospectionVerifier, KeyVerifier},
};
use self::{
    attempts::{Attempts, Charged},
    present::Credential,
    token::Judged,
};
pub(crate) use self::{
    prepared::{Prepared, Schemes, Verifiers},
    proof::Authenticated,
};
use crate::clock::Now;

/// Verifies the credentials of a request for one operation. `local`: it comes from this machine. `attempts`: what failed
/// before.
pub(crate) async fn authenticate<'p>(
    prepared: &'p Prepared,
    parts: &Parts,
    local: bool,
    now: Now,
    attempts: &Attempts<'_>,
) -> Result<Authenticated<'p>, Denied> {
    if prepared.public {
        return Ok(Authenticated::assertion(prepared, OfEach::new()));
    }
    let shown = present::shown(prepared, parts)?;
    let (from, request_id) = (attempts.from(), attempts.request_id());
    let on = Occasion { local, from, operation: prepared.operation, now, request_id };
    let (verdicts, charged) = judge_all(prepared, &shown, parts, &on, attempts).await;
    let denied = refused(prepared, &verdicts);
    if !charged.is_empty() {
        attempts.settle(prepared, &verdicts, charged).await;
    }
    let noted = note_proof(prepared, &verdicts, now).await;
    if let Some(denied) = denied {
        return Err(Box::pin(attempts.after(prepared, denied, &shown)).await);
    }
    noted?;
    let verified = |need: &prepared::Need| matches!(verdicts.get(need.scheme), Some(Some(Ok(_))));
    if prepared.alternatives.iter().any(|needs| needs.iter().all(verified)) {
        let judged = verdicts.into_iter().map(|verdict| verdict.and_then(Result::ok));
        let held: OfEach<_> = judged.map(|judged| judged.map(|judged| judged.principal)).collect();
        tenants::agree(prepared, &held)?;
        return Ok(Authenticated::assertion(prepared, held));
    }
    let nothing_shown = verdicts.iter().all(Option::is_none);
    Err(Denied::new(if nothing_shown { Reason::Missing } else { Reason::Incomplete }))
}

/// What there is of each scheme of an operation, which mostly has one alone.
pub(in crate::authn) type OfEach<T> = SmallVec<[T; 1]>;

type Verdict = Option<Result<Judged, Reason>>;

/// Rules 3 and 4: what each scheme says of the credential that is shown to it, and what was charged before it did.
async fn judge_all<'a>(
    prepared: &'a Prepared,
    shown: &'a [Option<Credential<'_>>],
    parts: &Parts,
    on: &Occasion<'_>,
    attempts: &Attempts<'a>,
) -> (OfEach<Verdict>, Vec<Charged<'a>>) {
    let mut verdicts = OfEach::with_capacity(prepared.schemes.len());
    let mut charged = Vec::new();
    let mut to_be_asked = Vec::new();
    for (place, (scheme, credential)) in prepared.schemes.iter().zip(shown).enumerate() {
        let Some(credential) = credential else {
            verdicts.push(None);
            continue;
        };
        let charge = match scheme.is_guessable() {
            true => attempts.before(place, prepared, credential).await,
            false => Ok(None),
        };
        verdicts.push(match charge.map(|charge| charged.extend(charge)) {
            Err(reason) => Some(Err(reason)),
            Ok(()) => {
                let judged = scheme.judge_at_hand(credential, parts, on).await;
                if judged.is_none() {
                    to_be_asked.push((place, scheme, credential));
                }
                judged
            }
        });
    }
    for (place, scheme, credential) in to_be_asked {
        if !is_settled(prepared, &verdicts, place) {
            // boxed: a request whose credential is at hand does not carry the room for asking
            let judged = Box::pin(scheme.judge(credential, parts, on)).await;
            if let Some(verdict) = verdicts.get_mut(place) {
                *verdict = Some(judged);
            }
        }
    }
    (verdicts, charged)
}

/// Rule 9. A request shows one proof, whichever of its schemes look at it, so it is noted once.
async fn note_proof(prepared: &Prepared, verdicts: &[Verdict], now: Now) -> Result<(), Denied> {
    let mut shown = prepared.schemes.iter().zip(verdicts);
    let used = shown.find_map(|(scheme, verdict)| Some((scheme, verdict.as_ref()?.as_ref().ok()?.used?)));
    let Some((scheme, used)) = used else { return Ok(()) };
    scheme.note(used, now).await.map_err(|reason| Denied::of(scheme.name, reason))
}

/// Rule 4: whether another scheme has accepted what the scheme at `place` reads, and no alternative asks for both.
fn is_settled(prepared: &Prepared, verdicts: &[Verdict], place: usize) -> bool {
    let Some(asking) = prepared.schemes.get(place) else { return false };
    let reads_the_same = |other: usize| {
        other != place && prepared.schemes.get(other).is_some_and(|other| other.reads_like(asking))
    };
    let is_combined = prepared.alternatives.iter().any(|needs| {
        needs.iter().any(|need| need.scheme == place) && needs.iter().any(|need| reads_the_same(need.scheme))
    });
    let is_accepted = |(at, verdict): (usize, &Verdict)| matches!(verdict, Some(Ok(_))) && reads_the_same(at);
    !is_combined && verdicts.iter().enumerate().any(is_accepted)
}

/// Rule 5: the first credential that no scheme accepts, with the reason of the scheme that came farthest with it.
fn refused(prepared: &Prepared, verdicts: &[Verdict]) -> Option<Denied> {
    let judged = || prepared.schemes.iter().zip(verdicts);
    let (first, _) = judged().find(|(scheme, verdict)| {
        matches!(verdict, Some(Err(_)))
            && !judged().any(|(other, verdict)| other.reads_like(scheme) && matches!(verdict, Some(Ok(_))))
    })?;
    let of_the_same = judged().filter(|(scheme, _)| scheme.reads_like(first));
    let reasons = of_the_same.filter_map(|(scheme, verdict)| match verdict {
        Some(Err(reason)) => Some(Denied::of(scheme.name, *reason)),
        _ => None,
    });
    // `max_by_key` keeps the last of equals; the order of the document should win
    reasons.reduce(|best, next| if next.reason().progress() > best.reason().progress() { next } else { best })
}

#[cfg(test)]
mod tests;
