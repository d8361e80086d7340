use std::time::Duration;

use palisade_codegen::model::{Binding, Revocation};

use super::*;

const ALL: [Algorithm; 6] = [
    Algorithm::HS256,
    Algorithm::RS256,
    Algorithm::PS256,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// RFC 7638 section 3.1, and RFC 8037 appendix A.3.
#[test]
fn the_thumbprints_of_the_standards() {
    let modulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let rsa = json!({ "n": modulus, "kty": "RSA", "e": "AQAB" });
    assert_eq!(thumbprint(&rsa), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    let ed = json!({ "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kty": "OKP", "crv": "Ed25519" });
    assert_eq!(thumbprint(&ed), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

fn rules(algorithms: &[Algorithm]) -> TokenRules {
    TokenRules {
        token: Token::Jwt { algorithms: algorithms.to_vec(), typ: Some("at+jwt".to_owned()) },
        issuer: None,
        audience: None,
        leeway: Duration::ZERO,
        max_lifetime: None,
        scopes_claim: vec!["realm".to_owned(), "scopes".to_owned()],
        tenant_claim: vec!["realm".to_owned(), "org".to_owned()],
        binding: Binding::None,
        revocation: Revocation::None,
    }
}

const GRANT: Grant<'_> = Grant {
    issuer: "https://i",
    audience: "a",
    subject: "alice",
    tenant: None,
    scopes: &[],
    certificate: None,
    key: None,
    issued: 1_800_000_000,
    expires: 1_800_000_060,
};

#[test]
fn every_algorithm_gives_a_key_that_the_runtime_takes_and_that_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    for algorithm in ALL {
        let path = key_file(folder.path(), algorithm.as_str(), algorithm);
        let made = Signer::create(algorithm, &path).unwrap();
        let again = Signer::open(algorithm, &path).unwrap();
        assert_eq!(made.key_set(), again.key_set());
        assert!(palisade::JwkSet::from_json(&made.key_set()).is_ok(), "{}", algorithm.as_str());
        let token = again.token(&rules(&[algorithm]), &GRANT).unwrap();
        assert_eq!(token.split('.').count(), 3);
    }
    // A key of another kind is not taken for one.
    let ec = key_file(folder.path(), "ES256", Algorithm::ES256);
    assert!(Signer::open(Algorithm::EdDSA, &ec).is_err());
    assert!(Signer::open(Algorithm::ES384, &ec).is_err());
}

#[test]
fn tokens_have_the_type_and_the_scopes_where_the_document_wants_them() {
    let folder = tempfile::tempdir().unwrap();
    let signer = Signer::create(Algorithm::EdDSA, &folder.path().join("k")).unwrap();
    let part = |token: &str, index: usize| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap())
            .unwrap()
    };
    let scopes = ["a".to_owned(), "b".to_owned()];
    let token = signer.token(&rules(&ALL), &Grant { scopes: &scopes, ..GRANT }).unwrap();
    assert_eq!(part(&token, 0)["typ"], "at+jwt");
    assert_eq!(part(&token, 1)["realm"]["scopes"], "a b");
    let token = signer.token(&rules(&ALL), &Grant { tenant: Some("north"), ..GRANT }).unwrap();
    assert_eq!(part(&token, 1)["realm"], json!({ "scopes": "", "org": "north" }));
    let bound = signer.token(&rules(&ALL), &Grant { certificate: Some("abc"), ..GRANT }).unwrap();
    assert_eq!(part(&bound, 1)["cnf"]["x5t#S256"], "abc");
    let bound = signer.token(&rules(&ALL), &Grant { key: Some("abc"), ..GRANT }).unwrap();
    assert_eq!(part(&bound, 1)["cnf"]["jkt"], "abc");
    let opted_out = TokenRules { token: Token::Jwt { algorithms: ALL.to_vec(), typ: None }, ..rules(&ALL) };
    assert_eq!(part(&signer.token(&opted_out, &GRANT).unwrap(), 0)["typ"], "JWT");
}

#[test]
fn a_proof_speaks_of_its_request_and_shows_the_public_half_of_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("client.pem");
    let key = Signer::of_client(&file).unwrap();
    assert_eq!(key.thumbprint(), Signer::of_client(&file).unwrap().thumbprint(), "made once");
    let request = Request {
        method: "GET",
        url: "https://api.example.com/notes?page=2#top",
        token: "abc",
        nonce: Some("n"),
        issued: 1_800_000_000,
    };
    let proof = key.proof(&request).unwrap();
    let part = |index: usize| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(proof.split('.').nth(index).unwrap()).unwrap())
            .unwrap()
    };
    assert_eq!((&part(0)["typ"], &part(0)["alg"]), (&json!("dpop+jwt"), &json!("ES256")));
    assert!(part(0)["jwk"]["x"].is_string() && part(0)["jwk"].get("d").is_none());
    let claims = part(1);
    assert_eq!((&claims["htu"], &claims["nonce"]), (&json!("https://api.example.com/notes"), &json!("n")));
    // SHA-256 of `abc` (FIPS 180-2 appendix B.1)
    assert_eq!(claims["ath"], "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
}

#[test]
fn the_document_chooses_the_algorithm() {
    assert_eq!(algorithm(&rules(&[Algorithm::RS256, Algorithm::ES256])), Some(Algorithm::ES256));
    assert_eq!(algorithm(&rules(&[Algorithm::HS256])), Some(Algorithm::HS256));
    assert_eq!(algorithm(&rules(&[])), None);
}
