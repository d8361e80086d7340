//! Who shows a certificate: whose it is, what it grants, and when it is good no more.

use http::StatusCode;
use palisade::ClientCertificates;
use palisade_tests::authority::{Authority, Identity};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
    SerialNumber, date_time_ymd,
};
use serde_json::{Value, json};

use crate::bench::{ALICE, Sealed};

#[tokio::test]
async fn a_certificate_of_the_authority_is_a_caller_and_no_other_is() {
    let server = Sealed::start().await;
    let alice = server.authority.client(ALICE);
    let reply = server.get("/certificate", Some(&alice), &[]).await;
    assert_eq!(reply.allowed(200).json(), ALICE);
    assert!(reply.header("strict-transport-security").starts_with("max-age="), "TLS is ours");

    let none = server.get("/certificate", None, &[]).await;
    none.refused(401, "unauthenticated");
    assert_eq!(none.header("www-authenticate"), "MutualTLS realm=\"Sealed doors\"");
    let strangers = [
        ("another authority's", Authority::default().client(ALICE)),
        (
            "for servers",
            server.authority.sign(|params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
                params.subject_alt_names = vec![SanType::URI(ALICE.try_into().unwrap())];
            }),
        ),
        (
            "over its time",
            server.authority.sign(|params| {
                params.not_after = date_time_ymd(2025, 1, 1);
                params.subject_alt_names = vec![SanType::URI(ALICE.try_into().unwrap())];
            }),
        ),
        (
            "not good yet",
            server.authority.sign(|params| {
                params.not_before = date_time_ymd(2095, 1, 1);
                params.subject_alt_names = vec![SanType::URI(ALICE.try_into().unwrap())];
            }),
        ),
        ("without the name", server.authority.sign(|_| {})),
        (
            "with a name of another kind",
            server.authority.sign(|params| {
                params.subject_alt_names = vec![SanType::DnsName(ALICE.try_into().unwrap())];
            }),
        ),
        (
            "with two names",
            server.authority.sign(|params| {
                let uri = |uri: &str| SanType::URI(uri.try_into().unwrap());
                params.subject_alt_names = vec![uri(ALICE), uri("spiffe://bank.example/bob")];
            }),
        ),
    ];
    for (what, identity) in &strangers {
        let reply = server.get("/certificate", Some(identity), &[]).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{what}");
        assert_eq!(reply.json()["error"]["message"], none.json()["error"]["message"], "{what}");
        let either =
            server.get("/either", Some(identity), &[("authorization", &server.token(Value::Null))]).await;
        assert_eq!(
            either.status,
            StatusCode::UNAUTHORIZED,
            "{what}: a bad credential refuses beside a good one"
        );
    }
}

#[tokio::test]
async fn alternatives_and_combinations_count_certificates() {
    let server = Sealed::start().await;
    let alice = server.authority.client(ALICE);
    let token = server.token(Value::Null);
    let bearer = [("authorization", token.as_str())];
    server.get("/either", Some(&alice), &[]).await.allowed(200);
    server.get("/either", None, &bearer).await.allowed(200);
    server.get("/both", Some(&alice), &bearer).await.allowed(200);
    server.get("/both", Some(&alice), &[]).await.refused(401, "unauthenticated");
    server.get("/both", None, &bearer).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn grants_are_by_name() {
    let server = Sealed::with(|certificates| certificates.grant(ALICE, &["doors:open"]).unwrap()).await;
    let (alice, bob) = (server.authority.client(ALICE), server.authority.client("spiffe://bank.example/bob"));
    server.get("/granted", Some(&alice), &[]).await.allowed(200);
    server.get("/granted", Some(&bob), &[]).await.refused(403, "forbidden");
    server.get("/certificate", Some(&bob), &[]).await.allowed(200);

    let closed = |certificates: ClientCertificates| certificates.grant(ALICE, &[]).unwrap().only_granted();
    let server = Sealed::with(closed).await;
    let (alice, bob) = (server.authority.client(ALICE), server.authority.client("spiffe://bank.example/bob"));
    server.get("/certificate", Some(&alice), &[]).await.allowed(200);
    server.get("/certificate", Some(&bob), &[]).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_chain_ends_at_the_root() {
    let server = Sealed::start().await;
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let between = params.signed_by(&key, &server.authority.issuer).unwrap();
    let issuer = Authority { pem: between.pem(), issuer: Issuer::new(params, key) };
    let mut alice = issuer.client(ALICE);
    server.get("/certificate", Some(&alice), &[]).await.refused(401, "unauthenticated");
    alice.chain.push(between.der().clone());
    server.get("/certificate", Some(&alice), &[]).await.allowed(200);
}

#[tokio::test]
async fn what_was_revoked_is_refused_at_once_and_lists_out_of_date_refuse_all() {
    let server = Sealed::start().await;
    let of = |serial: u64| {
        server.authority.sign(|params| {
            params.serial_number = Some(SerialNumber::from(serial));
            params.subject_alt_names = vec![SanType::URI(ALICE.try_into().unwrap())];
        })
    };
    let (one, two) = (of(1), of(2));
    server.get("/certificate", Some(&one), &[]).await.allowed(200);
    server.certificates.replace_revocation_lists(&server.authority.revokes(&[1], 2095)).unwrap();
    server.get("/certificate", Some(&one), &[]).await.refused(401, "unauthenticated");
    server.get("/certificate", Some(&two), &[]).await.allowed(200);
    server.certificates.replace_revocation_lists(&server.authority.revokes(&[], 2025)).unwrap();
    server.get("/certificate", Some(&two), &[]).await.refused(401, "unauthenticated");
    let others = Authority::default().revokes(&[], 2095);
    server.certificates.replace_revocation_lists(&others).unwrap();
    server.get("/certificate", Some(&two), &[]).await.refused(401, "unauthenticated");
    assert!(server.certificates.replace_revocation_lists("").is_err());
}

#[tokio::test]
async fn a_bound_token_is_good_with_its_certificate_only() {
    let server = Sealed::start().await;
    let (alice, bob) = (server.authority.client(ALICE), server.authority.client("spiffe://bank.example/bob"));
    // RFC 8705 section 2.2: whom nobody vouches for can hold a token as well
    let own = Authority::default().client("urn:self");
    let bound = |identity: &Identity| server.token(json!({ "x5t#S256": identity.thumbprint() }));
    for path in ["/bound", "/either"] {
        let token = bound(&alice);
        let shown = [("authorization", token.as_str())];
        server.get(path, Some(&alice), &shown).await.allowed(200);
        server.get(path, Some(&bob), &shown).await.refused(401, "unauthenticated");
        let stolen = server.get(path, None, &shown).await;
        stolen.refused(401, "unauthenticated");
        let challenges = stolen.headers.get_all("www-authenticate").iter();
        let invalid = challenges.filter(|line| line.to_str().unwrap().contains("invalid_token")).count();
        assert_eq!(invalid, 1, "RFC 8705 section 3");
    }
    let token = bound(&own);
    server.get("/bound", Some(&own), &[("authorization", &token)]).await.allowed(200);
    let free = server.token(Value::Null);
    server.get("/bound", Some(&alice), &[("authorization", &free)]).await.refused(401, "unauthenticated");
    let unknown = server.token(json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }));
    server.get("/bound", Some(&alice), &[("authorization", &unknown)]).await.refused(401, "unauthenticated");
}
