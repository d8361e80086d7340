//! The server of `credentials.yaml`, asked without a socket, and its keys.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{HeaderValue, Request, StatusCode};
use palisade::{
    ApiKeys, Caller, Clock, JwkSet, Jwt, NewKey, PasswordRecord, Passwords, Problem, Secret, Settings,
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower_service::Service as _;

use crate::api::*;
use crate::keys::{ALGORITHMS, Signing};

/// When the server thinks it is, until it is told otherwise.
pub const NOW: u64 = 1_800_000_000;
/// By how many seconds its clock may differ from an issuer's: the default of `leeway`.
pub const LEEWAY: u64 = 30;
pub const ISSUER: &str = "https://id.example.com";
pub const AUDIENCE: &str = "doors";
/// Where clients see the server.
pub const ORIGIN: &str = "https://api.example.com";
pub const USER: &str = "carol";
pub const PASSWORD: &str = "correct horse";

/// Who asks: somebody on this machine, as without TLS nobody else may.
const CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 40_000);

/// The server of this process.
pub static DOORS: LazyLock<Mutex<Doors>> = LazyLock::new(|| Mutex::new(Doors::new()));

pub struct Doors {
    runtime: Runtime,
    server: palisade::Server,
    clock: Clock,
    /// One for each of [`ALGORITHMS`], in their order.
    pub keys: Vec<Signing>,
    /// A key for the cookie `sid`.
    pub session: String,
}

/// A request by its parts.
#[derive(Clone, Copy)]
pub struct Knock<'a> {
    pub method: &'a str,
    pub at: &'a str,
    pub fields: &'a [(&'a str, &'a [u8])],
}

impl Doors {
    fn new() -> Self {
        let keys: Vec<_> = ALGORITHMS.into_iter().map(Signing::new).collect();
        let clock = Clock::fixed(NOW);
        let now = clock.now().expect("the time");
        let NewKey { key, record } = NewKey::generate("doors", "browser", &[], now, None).expect("a key");
        let carol = PasswordRecord::new(USER, &Secret::new(PASSWORD.to_owned()), &[]).expect("a password");
        // so that each input is refused for what it is, and not for those before it
        let settings = Settings::new().clock(clock.clone()).failed_attempts(u32::MAX, u32::MAX);
        let server = server(Open)
            .es256(jwt(&keys, "ES256"))
            .es384(jwt(&keys, "ES384"))
            .eddsa(jwt(&keys, "EdDSA"))
            .rs256(jwt(&keys, "RS256"))
            .ps256(jwt(&keys, "PS256"))
            .hs256(jwt(&keys, "HS256"))
            .access(jwt(&keys, "ES256"))
            .proven(jwt(&keys, "ES256"))
            .session(ApiKeys::new([record]).expect("a good record"))
            .password(Passwords::new([carol]).expect("a good record"))
            .settings(settings.public_origin(ORIGIN).expect("an origin"))
            .build()
            .expect("a complete server");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { runtime, server, clock, keys, session: key.expose().clone() }
    }

    /// Whether the door opens; `None` where the HTTP library refuses a field. What refuses does so for its credential.
    pub fn opens(&mut self, knock: Knock<'_>) -> Option<bool> {
        let mut request = Request::builder().method(knock.method).uri(knock.at).header("host", "doors");
        for (name, value) in knock.fields {
            request = request.header(*name, HeaderValue::from_bytes(value).ok()?);
        }
        let request = request.extension(ConnectInfo(CLIENT)).body(Body::empty()).expect("a request");
        let asked = self.runtime.block_on(self.server.call(request));
        match asked.expect("an answer").status() {
            StatusCode::NO_CONTENT => Some(true),
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Some(false),
            other => panic!("answered with {other}"),
        }
    }

    /// When the server thinks it is, in seconds since 1970.
    pub fn now(&self) -> u64 {
        self.clock.now().expect("the time").unix()
    }

    /// Time passes.
    pub fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub fn key(&self, algorithm: &str) -> &Signing {
        self.keys.iter().find(|key| key.algorithm == algorithm).expect("one of the algorithms")
    }

    /// A good token by ES256, with another claim where one is named.
    pub fn token(&self, more: Option<(&str, Value)>) -> String {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": "ES256" });
        let mut claims =
            json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": 9_000_000_000_000_u64 });
        if let Some((name, value)) = more {
            claims[name] = value;
        }
        self.key("ES256").token(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }
}

fn jwt(keys: &[Signing], algorithm: &str) -> Jwt {
    let key = keys.iter().find(|key| key.algorithm == algorithm).expect("one of the algorithms");
    let set = json!({ "keys": [key.jwk(algorithm)] }).to_string();
    Jwt::new(JwkSet::from_json(&set).expect("a key set"))
}

/// The handlers: whoever comes so far is in.
struct Open;

macro_rules! handlers {
    ($($method:ident $operation:ident $input:ident $output:ident;)*) => {
        impl crate::api::Doors for Open {
            $(async fn $method(&self, _: Caller<$operation>, _: $input) -> Result<$output, Problem> {
                Ok($output::NoContent)
            })*
        }
    };
}

handlers! {
    open_by_token OpenByToken OpenByTokenInput OpenByTokenOutput;
    open_by_access_token OpenByAccessToken OpenByAccessTokenInput OpenByAccessTokenOutput;
    open_to_anyone OpenToAnyone OpenToAnyoneInput OpenToAnyoneOutput;
    open_by_token_or_password OpenByTokenOrPassword OpenByTokenOrPasswordInput OpenByTokenOrPasswordOutput;
    open_by_session OpenBySession OpenBySessionInput OpenBySessionOutput;
    close_by_session CloseBySession CloseBySessionInput CloseBySessionOutput;
    open_by_proof OpenByProof OpenByProofInput OpenByProofOutput;
}
