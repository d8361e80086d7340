//! A scheme's rules and an issuer's keys, made ready to judge tokens.

use std::sync::Arc;

use super::{
    Jwks, Jwt,
    algorithm::{Allowed, BadList},
    claims::{self, Expected},
    header::Header,
    jws::{self, Parts, Room},
};
use crate::{
    authn::{
        Reason, binding,
        dpop::{Proofs, Use},
        present::Shown,
        principal::{Facts, Kind, LOCAL_ISSUER, Login, Principal},
        setup::Fault,
    },
    clock::Now,
    operation::{Binding, TokenRules},
};

/// Clocks that differ by more are broken, and a longer leeway is a longer life for every stolen token.
const MAX_LEEWAY: u64 = 120;

/// Judges the tokens of one scheme.
pub(crate) struct TokenVerifier {
    scheme: &'static str,
    keys: Jwks,
    allowed: Allowed,
    typ: Option<&'static str>,
    access_token: bool,
    issuer: Arc<str>,
    audience: Box<str>,
    leeway: f64,
    max_lifetime: Option<f64>,
    scopes_claim: &'static [&'static str],
    pub(crate) binding: Binding,
    /// There where tokens are bound to keys.
    pub(crate) proofs: Option<Arc<Proofs>>,
    pub(crate) loopback_only: bool,
}

/// Whose token it is, and the proof that was shown beside it, which is good once.
pub(crate) struct Judged {
    pub(crate) principal: Principal,
    pub(crate) used: Option<Use>,
}

impl TokenVerifier {
    /// Brings together what the document says and what the configuration gives.
    pub(crate) fn new(
        scheme: &'static str,
        rules: &'static TokenRules,
        jwt: Jwt,
        proofs: Option<&Arc<Proofs>>,
    ) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let proofs = proofs.filter(|_| matches!(rules.binding, Binding::Proof { .. })).cloned();
        if matches!(rules.binding, Binding::Proof { .. }) && proofs.is_none() {
            faults.push(Fault::NoPublicOrigin);
        }
        let issuer = agree(rules.issuer, jwt.issuer, Fault::NoIssuer, Fault::OtherIssuer, &mut faults);
        let audience =
            agree(rules.audience, jwt.audience, Fault::NoAudience, Fault::OtherAudience, &mut faults);
        if issuer.starts_with(LOCAL_ISSUER) {
            faults.push(Fault::ReservedIssuer);
        }
        if rules.leeway.as_secs() > MAX_LEEWAY {
            faults.push(Fault::Leeway);
        }
        if jwt.keys.does_any(rules.algorithms) == Some(false) {
            faults.push(Fault::NoKeyFits);
        }
        let allowed = Allowed::new(rules.algorithms).map_err(|bad| match bad {
            BadList::Empty => Fault::NoAlgorithms,
            BadList::Mixed => Fault::MixedAlgorithms,
        });
        let allowed = match (allowed, faults.is_empty()) {
            (Ok(allowed), true) => allowed,
            (Ok(_), false) => return Err(faults),
            (Err(fault), _) => {
                faults.push(fault);
                return Err(faults);
            }
        };
        Ok(Self {
            scheme,
            keys: jwt.keys,
            allowed,
            typ: rules.typ,
            access_token: rules.typ.is_some_and(|typ| typ.eq_ignore_ascii_case("at+jwt")),
            issuer: issuer.into(),
            audience: audience.into(),
            leeway: rules.leeway.as_secs_f64(),
            max_lifetime: rules.max_lifetime.map(|longest| longest.as_secs_f64()),
            scopes_claim: rules.scopes_claim,
            binding: rules.binding,
            proofs,
            loopback_only: jwt.loopback_only,
        })
    }

    /// Judges `token` by the keys as they are now. `shown`: what else the request shows.
    pub(crate) fn judge(&self, token: &[u8], shown: &Shown<'_>, now: Now) -> Result<Judged, Reason> {
        let keys = self.keys.current();
        let Some(set) = keys.as_ref() else { return Err(Reason::KeysUnavailable) };
        let parts = Parts::split(token)?;
        let mut room = Room::for_token(token);
        let verified =
            jws::verify(&parts, &mut room, self.allowed, &set.ring, |header| self.check_type(header))?;
        let expected = Expected {
            issuer: &self.issuer,
            audience: &self.audience,
            leeway: self.leeway,
            max_lifetime: self.max_lifetime,
            scopes_claim: self.scopes_claim,
            access_token: self.access_token,
        };
        let claims = claims::judge(verified.payload, &expected, now.wall().as_secs_f64())?;
        let key = binding::check(self.binding, claims.confirmation.as_ref(), shown.certificate)?;
        let used = key.map(|key| self.proved(token, &key, shown, now)).transpose()?;
        let principal = Principal::new(Facts {
            scheme: self.scheme,
            kind: Kind::Bearer(verified.algorithm),
            issuer: Arc::clone(&self.issuer),
            subject: claims.subject.into(),
            scopes: claims.scopes.into(),
            client: claims.client.map(Into::into),
            credential: claims.id.map(Into::into),
            expires: Some(claims.expires as u64),
            login: Login { class: claims.acr.map(Into::into), time: claims.auth_time },
        });
        Ok(Judged { principal, used })
    }

    /// The proof by the key that the token is bound to.
    fn proved(&self, token: &[u8], key: &[u8; 32], shown: &Shown<'_>, now: Now) -> Result<Use, Reason> {
        let (Some(proofs), Binding::Proof { nonce }) = (&self.proofs, self.binding) else {
            return Err(Reason::BindingNotShown);
        };
        proofs.check(shown.asked, token, key, nonce, now)
    }

    /// RFC 9068 section 4: the `typ` of the scheme and no other. Where the document opted out, plain tokens pass
    /// and those typed as something else do not.
    fn check_type(&self, header: &Header<'_>) -> Result<(), Reason> {
        let fits = match self.typ {
            Some(typ) => header.is_typed(typ),
            None => header.typ.is_none() || header.is_typed("JWT"),
        };
        if fits { Ok(()) } else { Err(Reason::WrongType) }
    }

    /// Judges `token`; when its key is not among those that a remote set had last time, looks again.
    #[cfg(feature = "jwks-url")]
    pub(crate) async fn judge_and_look_again(
        &self,
        token: &[u8],
        shown: &Shown<'_>,
        now: Now,
    ) -> Result<Judged, Reason> {
        match self.judge(token, shown, now) {
            Err(Reason::UnknownKid | Reason::KeysUnavailable) if self.keys.remote().is_some() => {
                // 401 only when the set is known to be what the issuer has now; else nobody knows that the token is bad
                self.keys.look_again().await.map_err(|_| Reason::KeysUnavailable)?;
                self.judge(token, shown, now)
            }
            judged => judged,
        }
    }

    /// Judges `token`. A set that is not fetched is all there is.
    #[cfg(not(feature = "jwks-url"))]
    #[expect(clippy::unused_async, reason = "with fetched key sets it waits for them")]
    pub(crate) async fn judge_and_look_again(
        &self,
        token: &[u8],
        shown: &Shown<'_>,
        now: Now,
    ) -> Result<Judged, Reason> {
        self.judge(token, shown, now)
    }

    /// Fetches the keys for the first time, where they are fetched.
    #[cfg(feature = "jwks-url")]
    pub(crate) async fn load(&self) -> Result<(), Reason> {
        match self.keys.remote() {
            Some(_) => self.keys.load().await.map_err(|_| Reason::KeysUnavailable),
            None => Ok(()),
        }
    }

    /// Fetches the keys for the first time, where they are fetched.
    #[cfg(not(feature = "jwks-url"))]
    #[expect(clippy::unused_async, reason = "with fetched key sets it waits for them")]
    pub(crate) async fn load(&self) -> Result<(), Reason> {
        Ok(())
    }
}

/// The document's word, the configuration's, or both when they say the same.
fn agree(
    document: Option<&'static str>,
    configured: Option<String>,
    missing: Fault,
    other: Fault,
    faults: &mut Vec<Fault>,
) -> String {
    match (document, configured) {
        (Some(document), Some(configured)) if document != configured => {
            faults.push(other);
            configured
        }
        (_, Some(configured)) if !configured.is_empty() => configured,
        (Some(document), None) if !document.is_empty() => document.to_owned(),
        _ => {
            faults.push(missing);
            String::new()
        }
    }
}
