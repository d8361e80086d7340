//! A scheme's rules and an issuer's keys, made ready to judge tokens.

use std::sync::Arc;

use super::{
    JwkSet, Jwks, Jwt,
    algorithm::{Allowed, BadList},
    claims::{self, Expected, Profile},
    header::{self, Header},
    heads::Heads,
    jws::{self, Parts, Room},
};
use crate::{
    authn::{
        Judged, Reason,
        binding::Possession,
        dpop::Proofs,
        present::Shown,
        principal::{Kind, LOCAL_ISSUER},
        setup::Fault,
    },
    clock::Now,
    operation::{Algorithm, Token, TokenRules},
};

/// Clocks that differ by more are broken, and a longer leeway is a longer life for every stolen token.
pub(crate) const MAX_LEEWAY: u64 = 120;

/// Judges the tokens of one scheme.
pub(crate) struct TokenVerifier {
    scheme: &'static str,
    keys: Jwks,
    heads: Heads,
    allowed: Allowed,
    typ: Option<&'static str>,
    profile: Profile,
    issuer: Arc<str>,
    audience: Box<str>,
    leeway: f64,
    max_lifetime: Option<f64>,
    scopes_claim: &'static [&'static str],
    tenant_claim: &'static [&'static str],
    pub(in crate::authn) possession: Possession,
    pub(crate) loopback_only: bool,
}

impl TokenVerifier {
    /// Brings together what the document says and what the configuration gives.
    pub(crate) fn new(
        scheme: &'static str,
        rules: &'static TokenRules,
        jwt: Jwt,
        proofs: Option<&Arc<Proofs>>,
    ) -> Result<Self, Vec<Fault>> {
        let Token::Jwt { algorithms, typ } = rules.token else { return Err(vec![Fault::OtherKind]) };
        let mut faults = Vec::new();
        let possession = Possession::new(rules.binding, proofs).map_err(|fault| faults.push(fault)).ok();
        let configured = same_as_discovered(&jwt, &mut faults);
        let issuer = agree(rules.issuer, configured, Fault::NoIssuer, Fault::OtherIssuer, &mut faults);
        let audience =
            agree(rules.audience, jwt.audience, Fault::NoAudience, Fault::OtherAudience, &mut faults);
        if issuer.starts_with(LOCAL_ISSUER) {
            faults.push(Fault::ReservedIssuer);
        }
        if rules.leeway.as_secs() > MAX_LEEWAY {
            faults.push(Fault::Leeway);
        }
        if jwt.keys.does_any(algorithms) == Some(false) {
            faults.push(Fault::NoKeyFits);
        }
        let allowed = Allowed::new(algorithms).map_err(|bad| match bad {
            BadList::Empty => Fault::NoAlgorithms,
            BadList::Mixed => Fault::MixedAlgorithms,
        });
        let allowed = allowed.map_err(|fault| faults.push(fault)).ok();
        let (Some(allowed), Some(possession), true) = (allowed, possession, faults.is_empty()) else {
            return Err(faults);
        };
        Ok(Self {
            scheme,
            keys: jwt.keys,
            heads: Heads::default(),
            allowed,
            typ,
            profile: match typ {
                // as the header of a token is compared: what it accepts as such has the claims of one
                Some(typ) if header::is_type(typ, "at+jwt") => Profile::AccessToken,
                Some(_) | None => Profile::Signed,
            },
            issuer: issuer.into(),
            audience: audience.into(),
            leeway: rules.leeway.as_secs_f64(),
            max_lifetime: rules.max_lifetime.map(|longest| longest.as_secs_f64()),
            scopes_claim: rules.scopes_claim,
            tenant_claim: rules.tenant_claim,
            possession,
            loopback_only: jwt.loopback_only,
        })
    }

    /// Whether each of its tokens has a tenant.
    pub(crate) const fn names_tenants(&self) -> bool {
        !self.tenant_claim.is_empty()
    }

    /// Judges `token` by the keys as they are now. `shown`: what else the request shows.
    pub(crate) fn judge(&self, token: &[u8], shown: &Shown<'_>, now: Now) -> Result<Judged, Reason> {
        let keys = self.keys.current();
        let Some(set) = keys.as_ref() else { return Err(Reason::KeysUnavailable) };
        let parts = Parts::split(token)?;
        let mut room = Room::for_token(token);
        let (payload, algorithm) = self.verify(&parts, &mut room, set)?;
        let expected = Expected {
            issuer: Some(&self.issuer),
            audience: Some(&self.audience),
            leeway: self.leeway,
            max_lifetime: self.max_lifetime,
            scopes_claim: self.scopes_claim,
            tenant_claim: self.tenant_claim,
            profile: self.profile,
        };
        let claims = claims::judge(payload, &expected, now.wall().as_secs_f64())?;
        let used = self.possession.check(token, claims.confirmation.as_ref(), shown, now)?;
        let kind = Kind::Bearer(algorithm);
        let principal = claims.principal(self.scheme, kind, Arc::clone(&self.issuer));
        Ok(Judged { principal, used })
    }

    /// What a token says whose signature verifies, and by which algorithm.
    fn verify<'a>(
        &self,
        parts: &Parts<'_>,
        room: &'a mut Room,
        set: &'a Arc<JwkSet>,
    ) -> Result<(&'a [u8], Algorithm), Reason> {
        if let Some(head) = self.heads.find(set, parts.header()) {
            return Ok((jws::verify_by(parts, room, &head.check)?, head.algorithm));
        }
        let verified = jws::verify(parts, room, self.allowed, &set.ring, |header| self.check_type(header))?;
        self.heads.keep(set, parts.header(), verified.algorithm, verified.key);
        Ok((verified.payload, verified.algorithm))
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

    /// Judges `token` by the keys as they are now. `None`: they are an issuer's, who may have others by now.
    pub(crate) fn judge_at_hand(
        &self,
        token: &[u8],
        shown: &Shown<'_>,
        now: Now,
    ) -> Option<Result<Judged, Reason>> {
        match self.judge(token, shown, now) {
            Err(Reason::UnknownKid | Reason::KeysUnavailable) if self.keys.is_fetched() => None,
            judged => Some(judged),
        }
    }

    /// Judges `token`; when its key is not among those that a remote set had last time, looks again.
    #[cfg(feature = "outbound")]
    pub(crate) async fn judge_and_look_again(
        &self,
        token: &[u8],
        shown: &Shown<'_>,
        now: Now,
    ) -> Result<Judged, Reason> {
        let judged = self.keys.judge_by(token, || self.judge_at_hand(token, shown, now)).await;
        // 401 only when the set is known to be what the issuer has now; else nobody knows that the token is bad
        judged?.unwrap_or_else(|| self.judge(token, shown, now))
    }

    /// Judges `token`. A set that is not fetched is all there is.
    #[cfg(not(feature = "outbound"))]
    #[expect(clippy::unused_async, reason = "with fetched key sets it waits for them")]
    pub(crate) async fn judge_and_look_again(
        &self,
        token: &[u8],
        shown: &Shown<'_>,
        now: Now,
    ) -> Result<Judged, Reason> {
        self.judge(token, shown, now)
    }

    /// Whether its keys are those of their issuer now, as far as is known.
    pub(crate) fn has_current_keys(&self) -> bool {
        #[cfg(feature = "outbound")]
        return self.keys.is_current();
        #[cfg(not(feature = "outbound"))]
        true
    }

    /// Fetches the keys for the first time, where they are fetched.
    #[cfg(feature = "outbound")]
    pub(crate) async fn load(&self) -> Result<(), Reason> {
        match self.keys.remote() {
            Some(_) => Ok(self.keys.load().await?),
            None => Ok(()),
        }
    }

    /// Fetches the keys for the first time, where they are fetched.
    #[cfg(not(feature = "outbound"))]
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
    match Agreed::of(document, configured) {
        Agreed::On(text) => return text,
        Agreed::Unsaid => faults.push(missing),
        Agreed::Not => faults.push(other),
    }
    String::new()
}

/// What document and configuration say together.
pub(in crate::authn) enum Agreed {
    On(String),
    /// Neither says anything.
    Unsaid,
    Not,
}

impl Agreed {
    pub(in crate::authn) fn of(document: Option<&'static str>, configured: Option<String>) -> Self {
        match (document, configured) {
            (Some(document), Some(configured)) if document != configured => Self::Not,
            (_, Some(configured)) if !configured.is_empty() => Self::On(configured),
            (Some(document), None) if !document.is_empty() => Self::On(document.to_owned()),
            _ => Self::Unsaid,
        }
    }
}

/// The issuer of the configuration. An issuer that was asked for its keys is one: they verify nobody else's tokens (RFC 8725
/// section 3.8).
#[cfg(feature = "outbound")]
fn same_as_discovered(jwt: &Jwt, faults: &mut Vec<Fault>) -> Option<String> {
    let discovered = jwt.keys.discovered_issuer();
    if let (Some(discovered), Some(configured)) = (discovered, &jwt.issuer)
        && discovered != configured
    {
        faults.push(Fault::OtherIssuer);
    }
    jwt.issuer.clone().or_else(|| discovered.map(str::to_owned))
}

#[cfg(not(feature = "outbound"))]
fn same_as_discovered(jwt: &Jwt, _: &mut Vec<Fault>) -> Option<String> {
    jwt.issuer.clone()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        authn::{
            JwkSet,
            testing::{NOW, RULES, Signer, plain_claims},
        },
        clock::Clock,
        operation::Algorithm,
    };

    /// A header that is known is not read again, and nothing else of a token is believed for it.
    #[test]
    fn what_is_known_of_a_header_is_of_its_keys_and_of_nothing_else() {
        let (signer, other, now) = (Signer::new(), Signer::new(), Clock::fixed(NOW).now().unwrap());
        let set = |signer: &Signer, kid| JwkSet::from_json(&signer.jwk(kid).to_string()).unwrap();
        let keys = Jwks::from(set(&signer, "k1"));
        let verifier = TokenVerifier::new("oauth", &RULES, Jwt::new(keys.clone()), None).ok().unwrap();
        let header = json!({ "typ": "at+jwt", "alg": "ES256", "kid": "k1" });
        let judged = |signer: &Signer, claims: &serde_json::Value| {
            let token = signer.sign(&header, claims);
            verifier.judge(token.as_bytes(), &Shown::nothing(), now).err()
        };
        let (good, mut late) = (plain_claims("alice", ""), plain_claims("alice", ""));
        late["exp"] = json!(NOW - 60);
        for _ in 0..2 {
            assert_eq!(judged(&other, &good), Some(Reason::BadSignature));
            assert_eq!(judged(&signer, &late), Some(Reason::Expired));
            assert_eq!(judged(&signer, &good), None);
        }
        keys.replace(set(&other, "k1"));
        assert_eq!((judged(&signer, &good), judged(&other, &good)), (Some(Reason::BadSignature), None));
        keys.replace(set(&other, "k2"));
        assert_eq!(judged(&other, &good), Some(Reason::UnknownKid));
    }

    #[test]
    fn a_leeway_is_two_minutes_at_most() {
        const fn tolerant(seconds: u64) -> TokenRules {
            TokenRules { leeway: std::time::Duration::from_secs(seconds), ..RULES }
        }
        static MOST: TokenRules = tolerant(120);
        static MORE: TokenRules = tolerant(121);
        let keys = || JwkSet::from_json(&Signer::new().jwk("k1").to_string()).unwrap();
        let faults = |rules| TokenVerifier::new("oauth", rules, Jwt::new(keys()), None).err();
        assert_eq!((faults(&MOST), faults(&MORE)), (None, Some(vec![Fault::Leeway])));
    }

    /// RFC 9068 section 2.2, for each way in which a document and a token write the type.
    #[test]
    fn access_tokens_have_all_their_claims_however_their_type_is_written() {
        const fn typed(typ: &'static str) -> TokenRules {
            TokenRules { token: Token::Jwt { algorithms: &[Algorithm::ES256], typ: Some(typ) }, ..RULES }
        }
        static WRITTEN: [TokenRules; 3] =
            [typed("at+jwt"), typed("application/at+jwt"), typed("Application/AT+JWT")];
        static OTHER: TokenRules = typed("secevent+jwt");
        let (signer, now) = (Signer::new(), Clock::fixed(NOW).now().unwrap());
        let reason = |rules: &'static TokenRules, typ: &str, left_out: &str| {
            let keys = JwkSet::from_json(&signer.jwk("k1").to_string()).unwrap();
            let verifier = TokenVerifier::new("oauth", rules, Jwt::new(keys), None).ok().unwrap();
            let mut claims = plain_claims("alice", "");
            claims.as_object_mut().unwrap().remove(left_out);
            let token = signer.sign(&json!({ "typ": typ, "alg": "ES256", "kid": "k1" }), &claims);
            verifier.judge(token.as_bytes(), &Shown::nothing(), now).err()
        };
        for rules in &WRITTEN {
            for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
                assert_eq!(reason(rules, typ, ""), None, "{rules:?} {typ}");
                for claim in ["client_id", "jti", "iat"] {
                    assert_eq!(
                        reason(rules, typ, claim),
                        Some(Reason::MissingClaim),
                        "{rules:?} {typ} {claim}"
                    );
                }
            }
            assert_eq!(reason(rules, "JWT", ""), Some(Reason::WrongType), "{rules:?}");
        }
        assert_eq!(reason(&OTHER, "secevent+jwt", "client_id"), None, "another type, other claims");
    }
}
