//! What a proof must be, beside a token that is bound to its key (RFC 9449 section 4.3).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use palisade::{ApiKeys, JwkSet, Jwt, Settings};
use palisade_tests::events;
use palisade_tests::tokens::{ClientKey, ISSUER, Signer, now, sha256};
use serde_json::{Value, json};

use crate::api::server;
use crate::bench::{ALGORITHMS, Bench, ORIGIN, Proves, Service, challenge, challenges, proof_claims};

#[tokio::test]
async fn a_bound_token_with_its_proof_is_let_in_and_without_one_is_not() {
    let bench = Bench::start().await;
    let token = bench.bound();
    let good = bench.key.proof("GET", "/proven/a", &token);
    let reply = bench.get("/proven/a", &token, &[&good]).await;
    assert_eq!(reply.allowed(200).json(), "alice");
    assert_eq!(reply.header("dpop-nonce"), "", "nonces are given where they are asked for");

    let reply = bench.get("/proven/a", &token, &[]).await;
    assert_eq!(challenges(reply.refused(401, "unauthenticated")), [challenge("invalid_dpop_proof")]);
    let proofs = [bench.key.proof("GET", "/proven/a", &token), bench.key.proof("GET", "/proven/a", &token)];
    let reply = bench.get("/proven/a", &token, &[&proofs[0], &proofs[1]]).await;
    assert_eq!(challenges(reply.refused(401, "unauthenticated")), [challenge("invalid_dpop_proof")]);

    let reply = bench.client.get("/proven/a").send().await;
    assert_eq!(
        challenges(reply.refused(401, "unauthenticated")),
        [format!(r#"DPoP realm="Proven doors", {ALGORITHMS}"#)]
    );
    // RFC 9110 section 11.1: a scheme's name has no case
    let lower = bench.client.get("/proven/a").header("authorization", &format!("dpop {token}"));
    let proof = bench.key.proof("GET", "/proven/a", &token);
    lower.header("dpop", &proof).send().await.allowed(200);
}

#[tokio::test]
async fn a_bound_token_is_no_bearers_and_a_bearers_is_not_bound() {
    let bench = Bench::start().await;
    let (bound, free) = (bench.bound(), bench.token(&[]));
    // RFC 9449 section 7.2: under `Bearer` it is refused everywhere, proof or not
    for path in ["/proven/a", "/plain", "/either"] {
        let proof = bench.key.proof("GET", path, &bound);
        bench
            .client
            .get(path)
            .token(&bound)
            .header("DPoP", &proof)
            .send()
            .await
            .refused(401, "unauthenticated");
        bench.client.get(path).token(&bound).send().await.refused(401, "unauthenticated");
    }
    let reply = bench.client.get("/plain").token(&bound).send().await;
    assert_eq!(challenges(&reply), [r#"Bearer realm="Proven doors", error="invalid_token""#]);
    bench.client.get("/plain").token(&free).send().await.allowed(200);
    // `DPoP` is taken where proofs are asked for, and nowhere else
    let reply = bench.get("/plain", &free, &[&bench.key.proof("GET", "/plain", &free)]).await;
    reply.refused(401, "unauthenticated");
    let reply = bench.get("/proven/a", &free, &[&bench.key.proof("GET", "/proven/a", &free)]).await;
    assert_eq!(challenges(reply.refused(401, "unauthenticated")), [challenge("invalid_token")]);
    // each of two schemes takes its own word
    bench.client.get("/either").token(&free).send().await.allowed(200);
    let proof = bench.key.proof("GET", "/either", &bound);
    bench.get("/either", &bound, &[&proof]).await.allowed(200);
    bench
        .get("/either", &free, &[&bench.key.proof("GET", "/either", &free)])
        .await
        .refused(401, "unauthenticated");
}

/// RFC 9449 section 4.3, one rule at a time.
#[tokio::test]
async fn a_proof_that_breaks_one_rule_is_refused() {
    events::collect();
    let bench = Bench::start().await;
    let (token, path) = (bench.bound(), "/proven/a");
    let whole = || proof_claims("GET", path, &token);
    let key = &bench.key;
    let changed = |name: &str, value: Value| key.proof_with(whole(), name, value);
    let other = ClientKey::default();
    let good = key.proof("GET", path, &token);
    let mut broken = good.clone();
    broken.replace_range(good.len() - 4.., "AAAA");
    for (proof, error, reason) in [
        ("nonsense".to_owned(), "invalid_dpop_proof", "proof_malformed"),
        (format!("{good}, {good}"), "invalid_dpop_proof", "proof_malformed"),
        (changed("htm", Value::Null), "invalid_dpop_proof", "proof_malformed"),
        (key.sign("JWT", &key.jwk, &whole()), "invalid_dpop_proof", "proof_type"),
        (unsigned(&key.jwk, &whole()), "invalid_dpop_proof", "proof_algorithm"),
        (key.sign("dpop+jwt", &other.jwk, &whole()), "invalid_token", "binding_mismatch"),
        (other.proof("GET", path, &token), "invalid_token", "binding_mismatch"),
        (other.sign("dpop+jwt", &key.jwk, &whole()), "invalid_dpop_proof", "proof_signature"),
        (broken, "invalid_dpop_proof", "proof_signature"),
        (changed("htm", json!("POST")), "invalid_dpop_proof", "proof_method"),
        (changed("htu", json!(format!("{ORIGIN}/proven/b"))), "invalid_dpop_proof", "proof_target"),
        (changed("htu", json!("http://test/proven/a")), "invalid_dpop_proof", "proof_target"),
        (changed("iat", json!(now() - 65)), "invalid_dpop_proof", "proof_time"),
        (changed("iat", json!(now() + 60)), "invalid_dpop_proof", "proof_time"),
        (changed("ath", json!(sha256("another token"))), "invalid_dpop_proof", "proof_of_other_token"),
        (changed("ath", Value::Null), "invalid_dpop_proof", "proof_malformed"),
        (changed("jti", json!("")), "invalid_dpop_proof", "proof_malformed"),
        (changed("jti", json!("x".repeat(257))), "invalid_dpop_proof", "proof_malformed"),
    ] {
        let reply = bench.get(path, &token, &[&proof]).await;
        assert_eq!(challenges(reply.refused(401, "unauthenticated")), [challenge(error)], "{reason}");
        let event = events::of(reply.header("x-request-id"));
        assert!(event["failure_reason"].contains(reason), "{reason}: {event:?}");
        // neither whole nor in part
        let log = events::everything();
        assert!(proof.split('.').all(|part| part.len() < 16 || !log.contains(part)), "{reason}");
    }
    bench.get(path, &token, &[&good]).await.allowed(200);
    let log = events::everything();
    assert!([&good, &token].into_iter().all(|shown| !log.contains(shown.as_str())));
    // RFC 3986 section 6.2.2 and 6.2.3: the same URI, written otherwise; the query is not compared
    let same = changed("htu", json!("HTTPS://API.example.com:443/x/../proven/%61?page=2"));
    bench.get("/proven/a?", &token, &[&same]).await.allowed(200);
}

/// Signed by nobody.
fn unsigned(jwk: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({ "typ": "dpop+jwt", "alg": "none", "jwk": jwk });
    format!("{}.{}.AAAA", part(&header), part(claims))
}

#[test]
fn without_its_public_origin_the_server_is_not_built() {
    let issuer = Signer::new("k1");
    let jwt = || Jwt::new(JwkSet::from_json(issuer.jwks()).unwrap()).issuer(ISSUER).audience("gate");
    let built = |settings: Settings| {
        let machine = ApiKeys::new([]).unwrap();
        let server = server(Service).oauth(jwt()).again(jwt()).fresh(jwt()).plain(jwt()).machine(machine);
        server.settings(settings).build()
    };
    let error = built(Settings::new()).err().unwrap().to_string();
    assert!(error.contains("scheme `oauth`") && error.contains("public_origin"), "{error}");
    assert!(built(Settings::new().public_origin(ORIGIN).unwrap()).is_ok());
}
