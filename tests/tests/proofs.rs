//! Tokens that are bound to keys (DPoP, RFC 9449), and logins that an operation asks for (RFC 9470).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use palisade::operation::Operation;
use palisade::{Caller, JwkSet, Jwt, Problem, Settings, State};
use palisade_tests::client::{Call, Client, Reply};
use palisade_tests::events;
use palisade_tests::tokens::{ClientKey, ISSUER, Signer, claims, header, now, sha256};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[allow(dead_code, reason = "the generated module has more than this file asks for")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/proofs.rs"));
}

use api::*;

/// What the page on authentication shows.
#[allow(dead_code, reason = "it is read")]
mod page {
    use palisade::{Settings, SettingsError};

    fn settings() -> Result<Settings, SettingsError> {
        Settings::new().public_origin("https://api.example.com")
    }
}

const ORIGIN: &str = "https://api.example.com";

struct Service;

fn who<Op: Operation>(caller: &Caller<Op>) -> String {
    caller.identity().expect("somebody").subject().to_owned()
}

macro_rules! doors {
    ($($method:ident $op:ident $input:ident $output:ident;)*) => {
        impl Doors for Service {
            $(async fn $method(&self, caller: Caller<$op>, _: $input) -> Result<$output, Problem> {
                Ok($output::Ok(who(&caller)))
            })*
        }
    };
}

doors! {
    get_proven GetProven GetProvenInput GetProvenOutput;
    post_proven PostProven PostProvenInput PostProvenOutput;
    get_fresh GetFresh GetFreshInput GetFreshOutput;
    get_plain GetPlain GetPlainInput GetPlainOutput;
    get_either GetEither GetEitherInput GetEitherOutput;
    get_strong GetStrong GetStrongInput GetStrongOutput;
    post_strong PostStrong PostStrongInput PostStrongOutput;
    delete_strong DeleteStrong DeleteStrongInput DeleteStrongOutput;
}

/// A running server, its issuer, and a client with a key.
struct Bench {
    client: Client,
    issuer: Signer,
    key: ClientKey,
}

/// What a client proves to this bench.
trait Proves {
    fn proof(&self, method: &str, path: &str, token: &str) -> String;
    fn proof_with(&self, claims: Value, name: &str, value: Value) -> String;
}

impl Proves for ClientKey {
    /// A good proof for this request.
    fn proof(&self, method: &str, path: &str, token: &str) -> String {
        self.sign("dpop+jwt", &self.jwk, &proof_claims(method, path, token))
    }

    fn proof_with(&self, claims: Value, name: &str, value: Value) -> String {
        self.sign("dpop+jwt", &self.jwk, &with(claims, name, value))
    }
}

fn proof_claims(method: &str, path: &str, token: &str) -> Value {
    let id = URL_SAFE_NO_PAD.encode(random_bytes());
    json!({ "htm": method, "htu": format!("{ORIGIN}{path}"), "iat": now(), "jti": id, "ath": sha256(token) })
}

fn random_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    bytes
}

/// With a member replaced, or taken out by `null`.
fn with(mut object: Value, name: &str, value: Value) -> Value {
    match value {
        Value::Null => _ = object.as_object_mut().unwrap().remove(name),
        value => object[name] = value,
    }
    object
}

impl Bench {
    async fn start() -> Self {
        Self::with(Settings::new()).await
    }

    async fn with(settings: Settings) -> Self {
        let issuer = Signer::new("k1");
        let client = instance(&issuer, settings).await;
        Self { client, issuer, key: ClientKey::default() }
    }

    fn token(&self, changes: &[(&str, Value)]) -> String {
        let mut all = claims("alice", "doors:open");
        for (name, value) in changes {
            all = with(all, name, value.clone());
        }
        self.issuer.sign(&header("k1"), &all)
    }

    /// A token of Alice that is bound to the client's key.
    fn bound(&self) -> String {
        self.token(&[("cnf", json!({ "jkt": self.key.thumbprint() }))])
    }

    /// GET with this token under `DPoP`, and these proofs.
    async fn get(&self, path: &str, token: &str, proofs: &[&str]) -> Reply {
        shown(self.client.get(path), token, proofs).send().await
    }
}

/// A server that believes the tokens of `issuer`.
async fn instance(issuer: &Signer, settings: Settings) -> Client {
    let jwt = || Jwt::new(JwkSet::from_json(issuer.jwks()).unwrap()).issuer(ISSUER).audience("gate");
    let server = server(Service)
        .oauth(jwt())
        .again(jwt())
        .fresh(jwt())
        .plain(jwt())
        .settings(settings.public_origin(ORIGIN).unwrap())
        .build()
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    tokio::spawn(palisade::serve(server).listener(listener).into_future());
    client
}

fn shown(call: Call, token: &str, proofs: &[&str]) -> Call {
    let call = call.header("authorization", &format!("DPoP {token}"));
    proofs.iter().fold(call, |call, proof| call.header("DPoP", proof))
}

/// The challenges of a 401, in order.
fn challenges(reply: &Reply) -> Vec<&str> {
    reply.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect()
}

const ALGORITHMS: &str = r#"algs="ES256 ES384 EdDSA RS256 PS256""#;

fn challenge(error: &str) -> String {
    format!(r#"DPoP realm="Proven doors", error="{error}", {ALGORITHMS}"#)
}

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

#[tokio::test]
async fn a_proof_is_good_once_for_one_uri() {
    events::collect();
    let bench = Bench::start().await;
    let token = bench.bound();
    let proof = bench.key.proof("GET", "/proven/a", &token);
    bench.get("/proven/a", &token, &[&proof]).await.allowed(200);
    let reply = bench.get("/proven/a", &token, &[&proof]).await;
    assert_eq!(challenges(reply.refused(401, "unauthenticated")), [challenge("invalid_dpop_proof")]);
    let event = events::of(reply.header("x-request-id"));
    assert_eq!((&*event["event_type"], &*event["severity"]), ("authn_token_reuse", "High"), "{event:?}");

    let id = |path: &str| bench.key.proof_with(proof_claims("GET", path, &token), "jti", json!("chosen"));
    bench.get("/proven/a", &token, &[&id("/proven/a")]).await.allowed(200);
    bench.get("/proven/a", &token, &[&id("/proven/a")]).await.refused(401, "unauthenticated");
    bench.get("/proven/b", &token, &[&id("/proven/b")]).await.allowed(200);

    // it counts as used although the request was refused for something else
    let poor = bench.token(&[("cnf", json!({ "jkt": bench.key.thumbprint() })), ("scope", json!(""))]);
    let proof = bench.key.proof("GET", "/proven/a", &poor);
    let reply = bench.get("/proven/a", &poor, &[&proof]).await;
    let scope =
        format!(r#"DPoP realm="Proven doors", error="insufficient_scope", scope="doors:open", {ALGORITHMS}"#);
    assert_eq!(challenges(reply.refused(403, "forbidden")), [scope]);
    bench.get("/proven/a", &poor, &[&proof]).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn of_equal_proofs_at_once_one_wins() {
    let bench = Bench::start().await;
    let token = bench.bound();
    let proof = bench.key.proof("POST", "/proven/a", &token);
    let calls =
        (0..8).map(|_| tokio::spawn(shown(bench.client.call("POST", "/proven/a"), &token, &[&proof]).send()));
    let mut statuses = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        statuses.push(call.await.unwrap().status.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401, 401, 401, 401, 401, 401]);
}

#[tokio::test]
async fn a_full_store_refuses_and_one_client_cannot_fill_it() {
    let bench = Bench::with(Settings::new().proof_capacity(64)).await;
    let token = bench.bound();
    for _ in 0..2 {
        bench.get("/proven/a", &token, &[&bench.key.proof("GET", "/proven/a", &token)]).await.allowed(200);
    }
    let reply = bench.get("/proven/a", &token, &[&bench.key.proof("GET", "/proven/a", &token)]).await;
    assert_eq!(reply.refused(429, "rate_limited").header("retry-after"), "1");
    let other = ClientKey::default();
    let others = bench.token(&[("cnf", json!({ "jkt": other.thumbprint() }))]);
    bench.get("/proven/a", &others, &[&other.proof("GET", "/proven/a", &others)]).await.allowed(200);

    let none = Bench::with(Settings::new().proof_capacity(0)).await;
    let token = none.bound();
    let reply = none.get("/proven/a", &token, &[&none.key.proof("GET", "/proven/a", &token)]).await;
    assert_eq!(reply.refused(503, "unavailable").header("retry-after"), "1");
}

#[tokio::test]
async fn a_proof_is_good_once_at_all_instances_that_share_a_state() {
    let state = State::memory_of(2, palisade::Clock::system());
    let settings = || Settings::new().proofs_in(state.clone());
    let bench = Bench::with(settings()).await;
    let other = instance(&bench.issuer, settings()).await;
    let alone = instance(&bench.issuer, Settings::new()).await;
    let token = bench.bound();
    let proof = bench.key.proof("GET", "/proven/a", &token);
    let at = |client: &Client, proof: &str| shown(client.get("/proven/a"), &token, &[proof]).send();
    at(&bench.client, &proof).await.allowed(200);
    for client in [&bench.client, &other] {
        at(client, &proof).await.refused(401, "unauthenticated");
    }
    at(&alone, &proof).await.allowed(200);
    at(&other, &bench.key.proof("GET", "/proven/a", &token)).await.allowed(200);
    // two records are there, and no room for a third
    at(&other, &bench.key.proof("GET", "/proven/a", &token)).await.refused(503, "unavailable");
}

#[tokio::test]
async fn where_a_nonce_is_required_the_server_gives_it() {
    let bench = Bench::start().await;
    let token = bench.bound();
    let proof = |nonce: Value| bench.key.proof_with(proof_claims("GET", "/fresh", &token), "nonce", nonce);
    let reply = bench.get("/fresh", &token, &[&proof(Value::Null)]).await;
    assert_eq!(challenges(reply.refused(401, "unauthenticated")), [challenge("use_dpop_nonce")]);
    let nonce = reply.header("dpop-nonce").to_owned();
    let reply = bench.get("/fresh", &token, &[&proof(json!(nonce))]).await;
    assert!(!reply.allowed(200).header("dpop-nonce").is_empty(), "for the next request");
    let reply = bench.get("/fresh", &token, &[&proof(json!("of my own"))]).await;
    assert_eq!(challenges(reply.refused(401, "unauthenticated")), [challenge("use_dpop_nonce")]);
    // a nonce makes nothing else good, and a replayed proof is one
    let replayed = proof(json!(nonce));
    bench.get("/fresh", &token, &[&replayed]).await.allowed(200);
    let reply = bench.get("/fresh", &token, &[&replayed]).await;
    assert_eq!(challenges(reply.refused(401, "unauthenticated")), [challenge("invalid_dpop_proof")]);
    let elsewhere = Bench::start().await;
    let token = elsewhere.bound();
    let stranger = elsewhere.key.proof_with(proof_claims("GET", "/fresh", &token), "nonce", json!(nonce));
    elsewhere.get("/fresh", &token, &[&stranger]).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_nonce_is_good_at_all_instances_that_share_a_state() {
    let state = State::memory_of(100, palisade::Clock::system());
    let bench = Bench::with(Settings::new().proofs_in(state.clone())).await;
    let other = instance(&bench.issuer, Settings::new().proofs_in(state)).await;
    let alone = instance(&bench.issuer, Settings::new()).await;
    let token = bench.bound();
    let asked = bench.get("/fresh", &token, &[&bench.key.proof("GET", "/fresh", &token)]).await;
    let nonce = json!(asked.refused(401, "unauthenticated").header("dpop-nonce"));
    let proof = || bench.key.proof_with(proof_claims("GET", "/fresh", &token), "nonce", nonce.clone());
    for client in [&bench.client, &other] {
        shown(client.get("/fresh"), &token, &[&proof()]).send().await.allowed(200);
    }
    let reply = shown(alone.get("/fresh"), &token, &[&proof()]).send().await;
    assert_eq!(challenges(reply.refused(401, "unauthenticated")), [challenge("use_dpop_nonce")]);

    // where the state fails, nobody knows which are good
    let full = State::memory_of(0, palisade::Clock::system());
    let away = instance(&bench.issuer, Settings::new().proofs_in(full)).await;
    shown(away.get("/fresh"), &token, &[&proof()]).send().await.refused(503, "unavailable");
}

#[test]
fn without_its_public_origin_the_server_is_not_built() {
    let issuer = Signer::new("k1");
    let jwt = || Jwt::new(JwkSet::from_json(issuer.jwks()).unwrap()).issuer(ISSUER).audience("gate");
    let built = |settings: Settings| {
        server(Service).oauth(jwt()).again(jwt()).fresh(jwt()).plain(jwt()).settings(settings).build()
    };
    let error = built(Settings::new()).err().unwrap().to_string();
    assert!(error.contains("scheme `oauth`") && error.contains("public_origin"), "{error}");
    assert!(built(Settings::new().public_origin(ORIGIN).unwrap()).is_ok());
}

const NEEDED: &str = r#"error="insufficient_user_authentication", acr_values="urn:bank:strong urn:bank:stronger", max_age="300""#;

#[tokio::test]
async fn a_login_of_the_asked_class_and_age_is_let_in_and_another_is_told_what_is_needed() {
    events::collect();
    let bench = Bench::start().await;
    let call = |acr: Value, time: Value| {
        let token = bench.token(&[("acr", acr), ("auth_time", time)]);
        bench.client.get("/strong").token(&token).send()
    };
    for class in ["urn:bank:strong", "urn:bank:stronger"] {
        call(json!(class), json!(now() - 250)).await.allowed(200);
    }
    call(json!("urn:bank:strong"), json!(now() as f64 - 0.5)).await.allowed(200);
    for (acr, time, reason) in [
        (Value::Null, json!(now()), "step_up_acr"),
        (json!("urn:bank:weak"), json!(now()), "step_up_acr"),
        (json!("URN:bank:strong"), json!(now()), "step_up_acr"),
        (json!("urn:bank:strong"), Value::Null, "step_up_auth_time"),
        (json!("urn:bank:strong"), json!(now() - 310), "step_up_auth_time"),
    ] {
        let reply = call(acr, time).await;
        reply.refused(401, "insufficient_user_authentication");
        assert_eq!(challenges(&reply), [format!(r#"Bearer realm="Proven doors", {NEEDED}"#)], "{reason}");
        let event = events::of(reply.header("x-request-id"));
        assert_eq!((&*event["failure_reason"], &*event["severity"]), (reason, "Low"), "{event:?}");
    }
    // of other types, or from the future: no token at all
    for (acr, time) in [
        (json!(["urn:bank:strong"]), json!(now())),
        (json!("urn:bank:strong"), json!(now().to_string())),
        (json!("urn:bank:strong"), json!(now() + 600)),
    ] {
        let reply = call(acr, time).await;
        reply.refused(401, "unauthenticated");
        assert_eq!(challenges(&reply), [r#"Bearer realm="Proven doors", error="invalid_token""#]);
    }
}

#[tokio::test]
async fn a_login_is_asked_for_after_the_token_and_before_its_scopes() {
    let bench = Bench::start().await;
    bench.client.get("/strong").send().await.refused(401, "unauthenticated");
    let poor = bench.token(&[("scope", json!(""))]);
    bench.client.get("/strong").token(&poor).send().await.refused(401, "insufficient_user_authentication");
    let strong = [("acr", json!("urn:bank:strong")), ("auth_time", json!(now())), ("scope", json!(""))];
    bench.client.get("/strong").token(&bench.token(&strong)).send().await.refused(403, "forbidden");
}

#[tokio::test]
async fn the_nearer_rule_wins_and_none_is_one() {
    let bench = Bench::start().await;
    bench.client.call("DELETE", "/strong").token(&bench.token(&[])).send().await.allowed(200);
    let call = |time: u64| {
        let cnf = json!({ "jkt": bench.key.thumbprint() });
        let token = bench.token(&[("cnf", cnf), ("auth_time", json!(time))]);
        let proof = bench.key.proof("POST", "/strong", &token);
        shown(bench.client.call("POST", "/strong"), &token, &[&proof]).send()
    };
    call(now() - 30).await.allowed(200);
    let reply = call(now() - 90).await;
    reply.refused(401, "insufficient_user_authentication");
    let needed = r#"DPoP realm="Proven doors", error="insufficient_user_authentication", max_age="60""#;
    assert_eq!(challenges(&reply), [format!("{needed}, {ALGORITHMS}")]);
}
