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
    attempts: Attempts<'_>,
) -> Result<Authenticated<'p>, Denied> {
    if prepared.public {
        return Ok(Authenticated::assertion(prepared, Vec::new()));
    }
    let shown = present::shown(prepared, parts)?;
    let (from, request_id) = (attempts.from(), attempts.request_id());
    let on = Occasion { local, from, operation: prepared.operation, now, request_id };
    let (verdicts, charged) = judge_all(prepared, &shown, parts, &on, attempts).await;
    let denied = refused(prepared, &verdicts);
    if !charged.is_empty() {
        Box::pin(attempts.settle(prepared, &verdicts, charged)).await;
    }
    let noted = note_proof(prepared, &verdicts, now).await;
    if let Some(denied) = denied {
        return Err(Box::pin(attempts.after(prepared, denied, parts)).await);
    }
    noted?;
    let verified = |need: &prepared::Need| matches!(verdicts.get(need.scheme), Some(Some(Ok(_))));
    if prepared.alternatives.iter().any(|needs| needs.iter().all(verified)) {
        let judged = verdicts.into_iter().map(|verdict| verdict.and_then(Result::ok));
        let held: Vec<_> = judged.map(|judged| judged.map(|judged| judged.principal)).collect();
        tenants::agree(prepared, &held)?;
        return Ok(Authenticated::assertion(prepared, held));
    }
    let nothing_shown = verdicts.iter().all(Option::is_none);
    Err(Denied::new(if nothing_shown { Reason::Missing } else { Reason::Incomplete }))
}

type Verdict = Option<Result<Judged, Reason>>;

/// Rules 3 and 4: what each scheme says of the credential that is shown to it, and what was charged before it did.
async fn judge_all<'a>(
    prepared: &Prepared,
    shown: &[Option<Credential<'_>>],
    parts: &Parts,
    on: &Occasion<'_>,
    attempts: Attempts<'a>,
) -> (Vec<Verdict>, Vec<Charged<'a>>) {
    let mut verdicts = Vec::with_capacity(prepared.schemes.len());
    let mut charged = Vec::new();
    let mut to_be_asked = Vec::new();
    for (place, (scheme, credential)) in prepared.schemes.iter().zip(shown).enumerate() {
        let Some(credential) = credential else {
            verdicts.push(None);
            continue;
        };
        // boxed: a request without a password does not carry the room for one
        let held = match scheme.is_guessable() {
            true => Box::pin(attempts.before(place, prepared, credential)).await,
            false => Ok(None),
        };
        verdicts.push(match held {
            Err(reason) => Some(Err(reason)),
            Ok(held) => {
                charged.extend(held);
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
mod tests {
    use super::{
        testing::{Bench, NOW, header},
        *,
    };
    use crate::operation::{Access, Document, Need, Scheme, SchemeKind};

    static OAUTH: Access = Access::Any(&[&[Need { scheme: "oauth", scopes: &[] }]]);
    static EITHER: Access =
        Access::Any(&[&[Need { scheme: "oauth", scopes: &[] }], &[Need { scheme: "partner", scopes: &[] }]]);
    static BOTH: Access =
        Access::Any(&[&[Need { scheme: "oauth", scopes: &[] }, Need { scheme: "partner", scopes: &[] }]]);
    static KEY_WITH_OR_WITHOUT: Access = Access::Any(&[
        &[Need { scheme: "partner", scopes: &[] }],
        &[Need { scheme: "oauth", scopes: &[] }, Need { scheme: "partner", scopes: &[] }],
    ]);
    static OPTIONAL: Access = Access::Any(&[&[Need { scheme: "oauth", scopes: &[] }], &[]]);

    async fn reason(access: &'static Access, headers: &[(&str, String)]) -> Result<(), Reason> {
        let bench = Bench::new();
        let prepared = bench.prepare(access);
        let outcome = bench.authenticate(&prepared, headers).await;
        outcome.map(|_| ()).map_err(|denied| denied.reason())
    }

    #[tokio::test]
    async fn a_good_token_is_let_in_and_nothing_is_not() {
        let bench = Bench::new();
        assert_eq!(reason(&OAUTH, &[bench.bearer("alice", "")]).await, Ok(()));
        assert_eq!(reason(&OAUTH, &[]).await, Err(Reason::Missing));
        let lower = bench.bearer("alice", "").1.replace("Bearer", "bearer");
        assert_eq!(reason(&OAUTH, &[header("authorization", &lower)]).await, Ok(()));
    }

    #[tokio::test]
    async fn a_credential_that_stands_twice_is_refused() {
        let bench = Bench::new();
        let (token, key) = (bench.bearer("alice", ""), bench.key());
        let twice = Err(Reason::DuplicateCredential);
        assert_eq!(reason(&OAUTH, &[token.clone(), token.clone()]).await, twice);
        assert_eq!(reason(&EITHER, &[key.clone(), key.clone()]).await, twice);
        assert_eq!(reason(&EITHER, &[token.clone(), key.clone()]).await, twice, "who calls would be a guess");
        assert_eq!(reason(&BOTH, &[token, key]).await, Ok(()));
    }

    #[tokio::test]
    async fn a_token_in_the_query_beside_the_header_is_refused() {
        let bench = Bench::new();
        let prepared = bench.prepare(&OAUTH);
        let at = |uri: &'static str| {
            let mut parts = testing::parts(&[bench.bearer("alice", "")]);
            parts.uri = http::Uri::from_static(uri);
            parts
        };
        let clock = crate::clock::Clock::fixed(NOW).now().unwrap();
        for beside in
            ["/x?a=1&access_token=x", "/x?access%5Ftoken=x", "/x?%61ccess_toke%6e=x", "/x?access_token"]
        {
            let denied = authenticate(&prepared, &at(beside), false, clock, testing::attempts()).await;
            assert_eq!(denied.err().map(|denied| denied.class()), Some(Class::InvalidRequest), "{beside}");
        }
        for other in ["/x?access=1", "/x?access_tokens=1", "/x?a=access_token", "/x?access%255Ftoken=x"] {
            let let_in = authenticate(&prepared, &at(other), false, clock, testing::attempts()).await;
            assert!(let_in.is_ok(), "{other}");
        }
    }

    #[test]
    fn beside_a_token_alone_one_in_a_form_is_the_second() {
        static DOCUMENT: Document = Document {
            schemes: &[
                Scheme { name: "oauth", kind: SchemeKind::Bearer(testing::RULES) },
                Scheme { name: "staff", kind: SchemeKind::Basic },
            ],
            ..testing::DOCUMENT
        };
        static ANY: Access = Access::Any(&[
            &[Need { scheme: "oauth", scopes: &[] }],
            &[Need { scheme: "staff", scopes: &[] }],
        ]);
        let mut verifiers = Verifiers::new(&DOCUMENT);
        verifiers.bearer("oauth", Jwt::new(Bench::new().keys()));
        verifiers.basic("staff", Passwords::new([]).unwrap());
        let prepared = verifiers.finish(&crate::Settings::new()).unwrap().prepare("x", &ANY).unwrap();
        let of = |value| prepared.token_of(&testing::parts(&[header("authorization", value)]).headers);
        assert_eq!(["Bearer x", "bearer x", "Basic x"].map(of), [Some("oauth"), Some("oauth"), None]);
    }

    #[tokio::test]
    async fn a_combination_holds_only_whole() {
        let bench = Bench::new();
        let (token, key) = (bench.bearer("alice", ""), bench.key());
        assert_eq!(reason(&BOTH, &[token.clone(), key.clone()]).await, Ok(()));
        assert_eq!(reason(&BOTH, &[token]).await, Err(Reason::Incomplete));
        assert_eq!(reason(&BOTH, &[key]).await, Err(Reason::Incomplete));
    }

    #[tokio::test]
    async fn a_bad_credential_refuses_even_where_none_or_another_would_do() {
        let bench = Bench::new();
        let bad = header("authorization", "Bearer a.b.c");
        assert_eq!(reason(&OPTIONAL, &[]).await, Ok(()));
        assert_eq!(reason(&OPTIONAL, std::slice::from_ref(&bad)).await, Err(Reason::Malformed));
        assert_eq!(reason(&KEY_WITH_OR_WITHOUT, &[bench.key()]).await, Ok(()));
        assert_eq!(reason(&KEY_WITH_OR_WITHOUT, &[bad, bench.key()]).await, Err(Reason::Malformed));
        for other in ["Token abc", "DPoP abc", "Basic YTpi", "abc", ""] {
            let other = header("authorization", other);
            assert_eq!(reason(&OPTIONAL, &[other]).await, Err(Reason::UnsupportedScheme));
        }
    }

    #[tokio::test]
    async fn two_issuers_share_what_stands_in_authorization() {
        static ISSUERS: Access = Access::Any(&[
            &[Need { scheme: "oauth", scopes: &[] }],
            &[Need { scheme: "other", scopes: &[] }],
        ]);
        let bench = Bench::new();
        assert_eq!(reason(&ISSUERS, &[bench.bearer("alice", "")]).await, Ok(()));
        assert_eq!(reason(&ISSUERS, &[bench.bearer_of_other("alice")]).await, Ok(()));
        assert_eq!(reason(&OAUTH, &[bench.bearer_of_other("alice")]).await, Err(Reason::BadSignature));
    }

    /// RFC 9110 section 15.5.2: 401 says that the credential is bad, so nobody says it who does not know.
    #[test]
    fn of_several_refusals_of_one_token_not_knowing_goes_first_and_then_the_farthest() {
        static THREE: Access = Access::Any(&[
            &[Need { scheme: "oauth", scopes: &[] }],
            &[Need { scheme: "other", scopes: &[] }],
            &[Need { scheme: "dev", scopes: &[] }],
        ]);
        let prepared = Bench::new().prepare(&THREE);
        let of = |reasons: [Reason; 3]| {
            let verdicts: Vec<Verdict> = reasons.into_iter().map(|reason| Some(Err(reason))).collect();
            let denied = refused(&prepared, &verdicts).unwrap();
            (denied.reason(), denied.scheme().unwrap())
        };
        use Reason::{BadSignature, Expired, Inactive, KeyNotSought, KeysUnavailable, Malformed, UnknownKid};
        for (reasons, expected) in [
            ([KeysUnavailable, Expired, BadSignature], (KeysUnavailable, "oauth")),
            ([BadSignature, Expired, KeysUnavailable], (KeysUnavailable, "dev")),
            ([UnknownKid, KeyNotSought(7), BadSignature], (KeyNotSought(7), "other")),
            ([Inactive, KeyNotSought(7), UnknownKid], (KeyNotSought(7), "other")),
            ([KeyNotSought(7), Expired, UnknownKid], (Expired, "other")),
            ([Malformed, UnknownKid, BadSignature], (BadSignature, "dev")),
            ([BadSignature, BadSignature, UnknownKid], (BadSignature, "oauth")),
        ] {
            assert_eq!(of(reasons), expected, "{reasons:?}");
        }
    }

    #[tokio::test]
    async fn what_one_scheme_has_accepted_is_settled_for_the_others_of_its_place_unless_both_are_asked_for() {
        static APART: Access = Access::Any(&[
            &[Need { scheme: "oauth", scopes: &[] }],
            &[Need { scheme: "other", scopes: &[] }],
            &[Need { scheme: "partner", scopes: &[] }],
        ]);
        static TOGETHER: Access =
            Access::Any(&[&[Need { scheme: "oauth", scopes: &[] }, Need { scheme: "other", scopes: &[] }]]);
        let bench = Bench::new();
        let parts = testing::parts(&[bench.bearer("alice", "")]);
        let now = crate::clock::Clock::fixed(NOW).now().unwrap();
        let from = std::net::Ipv4Addr::LOCALHOST.into();
        let on = Occasion { local: false, from, operation: "x", now, request_id: "-" };
        for (access, settled) in [(&APART, true), (&TOGETHER, false)] {
            let prepared = bench.prepare(access);
            let credential = prepared.schemes[0].find(&parts).unwrap().unwrap();
            let accepted = prepared.schemes[0].judge(&credential, &parts, &on).await;
            assert_eq!(is_settled(&prepared, &[Some(accepted), None, None], 1), settled);
            let refused = || Some(Err(Reason::UnknownKid));
            assert!(!is_settled(&prepared, &[refused(), None, None], 1));
            assert!(!is_settled(&prepared, &[refused(), None, None], 0), "another scheme, not the same");
        }
        let prepared = bench.prepare(&APART);
        let credential = prepared.schemes[0].find(&parts).unwrap().unwrap();
        let accepted = prepared.schemes[0].judge(&credential, &parts, &on).await;
        assert!(!is_settled(&prepared, &[Some(accepted), None, None], 2), "that stands elsewhere");
    }

    #[tokio::test]
    async fn development_tokens_are_taken_from_this_machine_only() {
        static DEV: Access = Access::Any(&[&[Need { scheme: "dev", scopes: &[] }]]);
        let bench = Bench::new();
        let prepared = bench.prepare(&DEV);
        let clock = crate::clock::Clock::fixed(NOW).now().unwrap();
        let parts = testing::parts(&[bench.bearer("alice", "")]);
        assert!(authenticate(&prepared, &parts, true, clock, testing::attempts()).await.is_ok());
        let denied = authenticate(&prepared, &parts, false, clock, testing::attempts()).await.err().unwrap();
        assert_eq!(denied.reason(), Reason::NotLoopback);
    }

    #[tokio::test]
    async fn each_scheme_is_challenged_and_only_a_refused_token_is_called_invalid() {
        let bench = Bench::new();
        let prepared = bench.prepare(&EITHER);
        let (plain, key) =
            (r#"Bearer realm="Test Bank""#, r#"ApiKey realm="Test Bank", in="header", name="X-API-Key""#);
        let denied = bench.authenticate(&prepared, &[]).await.err().unwrap();
        assert_eq!(prepared.challenges(&denied), [plain, key]);
        let bad = [header("authorization", "Bearer a.b.c")];
        let denied = bench.authenticate(&prepared, &bad).await.err().unwrap();
        assert_eq!(prepared.challenges(&denied), [r#"Bearer realm="Test Bank", error="invalid_token""#, key]);
        let bad_key = [header("x-api-key", "nonsense")];
        let denied = bench.authenticate(&prepared, &bad_key).await.err().unwrap();
        assert_eq!(prepared.challenges(&denied), [plain, key]);
    }

    #[test]
    fn what_is_missing_is_named_all_at_once() {
        let verifiers = Verifiers::new(&testing::DOCUMENT);
        let errors = verifiers.finish(&crate::Settings::new()).unwrap().prepare("x", &BOTH).err().unwrap();
        let named: Vec<_> = errors.iter().map(|error| (error.scheme(), error.fault())).collect();
        assert_eq!(named, [("oauth", Fault::NoVerifier), ("partner", Fault::NoVerifier)]);
    }

    #[test]
    fn a_verifier_must_be_of_its_scheme_and_complete() {
        let bench = Bench::new();
        let faults = |fill: &dyn Fn(&mut Verifiers)| {
            let mut verifiers = Verifiers::new(&testing::DOCUMENT);
            fill(&mut verifiers);
            let errors = verifiers.finish(&crate::Settings::new()).err().unwrap_or_default();
            errors.iter().map(SetupError::fault).collect::<Vec<_>>()
        };
        let jwt = || Jwt::new(bench.keys());
        assert_eq!(faults(&|v| v.bearer("oauth", jwt())), []);
        assert_eq!(faults(&|v| v.bearer("nope", jwt())), [Fault::NoSuchScheme]);
        assert_eq!(faults(&|v| v.bearer("partner", jwt())), [Fault::OtherKind]);
        assert_eq!(
            faults(&|v| v.bearer("oauth", jwt().issuer("https://x").audience("y"))),
            [Fault::OtherIssuer, Fault::OtherAudience]
        );
        assert_eq!(faults(&|v| v.bearer("open", jwt())), [Fault::NoIssuer, Fault::NoAudience]);
        assert_eq!(
            faults(&|v| v.bearer("open", jwt().issuer("urn:palisade:scheme:partner").audience("y"))),
            [Fault::ReservedIssuer]
        );
        let secret = Jwks::from(JwkSet::from_secret(&crate::Secret::new(vec![1; 32])).unwrap());
        assert_eq!(faults(&|v| v.bearer("dev", Jwt::new(secret.clone()))), [Fault::NoKeyFits]);
    }
}
