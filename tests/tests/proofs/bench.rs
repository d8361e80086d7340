//! A server with proven doors, its issuer, and a client with a key.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use palisade::operation::Operation;
use palisade::{ApiKeys, Caller, Clock, JwkSet, Jwt, NewKey, Problem, Settings};
use palisade_tests::client::{Call, Client, Reply};
use palisade_tests::tokens::{ClientKey, ISSUER, Signer, claims, header, now, sha256};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::api::*;

pub const ORIGIN: &str = "https://api.example.com";

/// The key of the machine from which Alice calls.
pub static MACHINE: LazyLock<NewKey> = LazyLock::new(machine);

pub fn machine() -> NewKey {
    NewKey::generate("machine_test", "desk", &[], Clock::system().now().unwrap(), None).unwrap()
}

pub struct Service;

pub fn who<Op: Operation>(caller: &Caller<Op>) -> String {
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
    get_both GetBoth GetBothInput GetBothOutput;
    get_strong GetStrong GetStrongInput GetStrongOutput;
    post_strong PostStrong PostStrongInput PostStrongOutput;
    delete_strong DeleteStrong DeleteStrongInput DeleteStrongOutput;
}

/// A running server, its issuer, and a client with a key.
pub struct Bench {
    pub client: Client,
    pub issuer: Signer,
    pub key: ClientKey,
}

impl Bench {
    pub async fn start() -> Self {
        Self::with(Settings::new()).await
    }

    pub async fn with(settings: Settings) -> Self {
        let issuer = Signer::new("k1");
        let client = instance(&issuer, settings).await;
        Self { client, issuer, key: ClientKey::default() }
    }

    pub fn token(&self, changes: &[(&str, Value)]) -> String {
        let mut all = claims("alice", "doors:open");
        for (name, value) in changes {
            all = with(all, name, value.clone());
        }
        self.issuer.sign(&header("k1"), &all)
    }

    /// A token of Alice that is bound to the client's key.
    pub fn bound(&self) -> String {
        self.token(&[("cnf", json!({ "jkt": self.key.thumbprint() }))])
    }

    /// GET with this token under `DPoP`, and these proofs.
    pub async fn get(&self, path: &str, token: &str, proofs: &[&str]) -> Reply {
        shown(self.client.get(path), token, proofs).send().await
    }
}

/// A server that believes the tokens of `issuer`.
pub async fn instance(issuer: &Signer, settings: Settings) -> Client {
    let jwt = || Jwt::new(JwkSet::from_json(issuer.jwks()).unwrap()).issuer(ISSUER).audience("gate");
    let server = server(Service)
        .oauth(jwt())
        .again(jwt())
        .fresh(jwt())
        .plain(jwt())
        .machine(ApiKeys::new([MACHINE.record.clone()]).unwrap())
        .settings(settings.public_origin(ORIGIN).unwrap())
        .build()
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    tokio::spawn(palisade::serve(server).listener(listener).into_future());
    client
}

/// What a client proves to this bench.
pub trait Proves {
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

pub fn proof_claims(method: &str, path: &str, token: &str) -> Value {
    let id = URL_SAFE_NO_PAD.encode(random_bytes());
    json!({ "htm": method, "htu": format!("{ORIGIN}{path}"), "iat": now(), "jti": id, "ath": sha256(token) })
}

pub fn random_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    bytes
}

/// With a member replaced, or taken out by `null`.
pub fn with(mut object: Value, name: &str, value: Value) -> Value {
    match value {
        Value::Null => _ = object.as_object_mut().unwrap().remove(name),
        value => object[name] = value,
    }
    object
}

pub fn shown(call: Call, token: &str, proofs: &[&str]) -> Call {
    let call = call.header("authorization", &format!("DPoP {token}"));
    proofs.iter().fold(call, |call, proof| call.header("DPoP", proof))
}

/// The challenges of a 401, in order.
pub fn challenges(reply: &Reply) -> Vec<&str> {
    reply.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect()
}

pub const ALGORITHMS: &str = r#"algs="ES256 ES384 EdDSA RS256 PS256""#;

pub fn challenge(error: &str) -> String {
    format!(r#"DPoP realm="Proven doors", error="{error}", {ALGORITHMS}"#)
}
