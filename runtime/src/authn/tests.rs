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
    for beside in ["/x?a=1&access_token=x", "/x?access%5Ftoken=x", "/x?%61ccess_toke%6e=x", "/x?access_token"]
    {
        let denied = authenticate(&prepared, &at(beside), false, clock, &testing::attempts()).await;
        assert_eq!(denied.err().map(|denied| denied.class()), Some(Class::InvalidRequest), "{beside}");
    }
    for other in ["/x?access=1", "/x?access_tokens=1", "/x?a=access_token", "/x?access%255Ftoken=x"] {
        let let_in = authenticate(&prepared, &at(other), false, clock, &testing::attempts()).await;
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
    static ANY: Access =
        Access::Any(&[&[Need { scheme: "oauth", scopes: &[] }], &[Need { scheme: "staff", scopes: &[] }]]);
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
    static ISSUERS: Access =
        Access::Any(&[&[Need { scheme: "oauth", scopes: &[] }], &[Need { scheme: "other", scopes: &[] }]]);
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
    assert!(authenticate(&prepared, &parts, true, clock, &testing::attempts()).await.is_ok());
    let denied = authenticate(&prepared, &parts, false, clock, &testing::attempts()).await.err().unwrap();
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
