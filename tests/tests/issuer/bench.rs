//! An issuer, the doors that its tokens open, and a clock that the tests move.

use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use palisade::issuer::{Client as OurClient, Clients, IssuerBuilder, IssuerKeys, SignIn, Tokens};
use palisade::{Caller, Clock, Denylist, Issuer, Jwks, Jwt, Problem, Secret, Settings, State};
use palisade_tests::client::{Call, Client, Reply};
use palisade_tests::events;
pub use palisade_tests::faulty::*;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::api::*;

pub const ORIGIN: &str = "https://api.example.com";

pub const START: u64 = 1_800_000_000;

/// The doors, which know the issuer to sign people out.
pub struct Service {
    issuer: Issuer,
}

pub fn who<Op: palisade::operation::Operation>(caller: &Caller<Op>) -> String {
    caller.identity().map(|principal| principal.subject().to_owned()).unwrap()
}

impl Doors for Service {
    async fn get_me(&self, caller: Caller<GetMe>, _: GetMeInput) -> Result<GetMeOutput, Problem> {
        Ok(GetMeOutput::Ok(who(&caller)))
    }

    async fn put_me(&self, caller: Caller<PutMe>, _: PutMeInput) -> Result<PutMeOutput, Problem> {
        Ok(PutMeOutput::Ok(who(&caller)))
    }

    async fn log_out(&self, caller: Caller<LogOut>, input: LogOutInput) -> Result<LogOutOutput, Problem> {
        let principal = caller.principal();
        let ended = match (input.everywhere, self.issuer.family_of(principal)) {
            (true, _) => self.issuer.revoke_all(principal.subject()).await,
            (false, Some(family)) => self.issuer.sign_out(family).await,
            (false, None) => Ok(()),
        };
        ended.map_err(|error| Problem::internal(error.to_string()))?;
        Ok(LogOutOutput::NoContent)
    }

    async fn get_strong(
        &self,
        caller: Caller<GetStrong>,
        _: GetStrongInput,
    ) -> Result<GetStrongOutput, Problem> {
        Ok(GetStrongOutput::Ok(who(&caller)))
    }

    async fn get_proven(
        &self,
        caller: Caller<GetProven>,
        _: GetProvenInput,
    ) -> Result<GetProvenOutput, Problem> {
        Ok(GetProvenOutput::Ok(who(&caller)))
    }

    async fn get_elsewhere(
        &self,
        caller: Caller<GetElsewhere>,
        _: GetElsewhereInput,
    ) -> Result<GetElsewhereOutput, Problem> {
        Ok(GetElsewhereOutput::Ok(who(&caller)))
    }
}

pub const KEYS: &str = "a:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";

/// An issuer, its endpoints, and a server that takes its tokens.
pub struct Bench {
    pub doors: Client,
    pub desk: Client,
    pub issuer: Issuer,
    pub clock: Clock,
    pub state: State,
    pub fault: Arc<AtomicU8>,
    pub denylist: Denylist,
    pub base: String,
    pub secret: String,
    /// The keys of the scheme `discovered`.
    pub elsewhere: Jwks,
}

impl Bench {
    pub async fn start() -> Self {
        Self::with(|builder| builder).await
    }

    pub async fn with(change: impl FnOnce(IssuerBuilder) -> IssuerBuilder) -> Self {
        events::collect();
        let clock = Clock::fixed(START);
        let fault = Arc::new(AtomicU8::new(WELL));
        let inner = State::memory_of(10_000, clock.clone());
        let state = State::new(Faulty::new(inner, &fault));
        let denylist = Denylist::in_memory().clock(clock.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let desk = listener.local_addr().unwrap();
        let base = format!("http://{desk}");
        let builder = builder(&base, &state, &clock).denylist(denylist.clone());
        let issuer = change(builder).open().await.unwrap();
        let (secret, hash) = OurClient::new_secret().unwrap();
        let clients = Clients::new([
            OurClient::public("app"),
            OurClient::public("other"),
            OurClient::public("careful").with_proofs_only(),
            OurClient::confidential("back", hash).for_itself(["notes:read", "notes:write"]),
        ]);
        let router = issuer.router(clients.unwrap());
        tokio::spawn(async move { palisade::serve(router).listener(listener).await.unwrap() });
        let elsewhere = Jwks::discover_oauth(&base).unwrap();
        let doors = doors(&issuer, &base, &denylist, &clock, elsewhere.clone()).await;
        let secret = secret.expose().clone();
        Self { doors, desk: Client(desk), issuer, clock, state, fault, denylist, base, secret, elsewhere }
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub async fn sign_in(&self, subject: &str) -> Tokens {
        let sign_in = SignIn::new(subject, "app").scopes(["notes:read", "notes:write"]);
        self.issuer.sign_in(&sign_in).await.unwrap()
    }

    pub async fn me(&self, token: &str) -> u16 {
        self.doors.get("/me").token(token).send().await.status.as_u16()
    }

    pub async fn post(&self, path: &str, form: &str) -> Reply {
        self.posting(path, form).send().await
    }

    pub async fn refresh(&self, token: &str) -> Reply {
        self.refreshing(token).send().await
    }

    pub fn refreshing(&self, token: &str) -> Call {
        self.posting("/token", &format!("grant_type=refresh_token&client_id=app&refresh_token={token}"))
    }

    fn posting(&self, path: &str, form: &str) -> Call {
        let call = self.desk.call("POST", path).header("content-type", "application/x-www-form-urlencoded");
        call.body(form)
    }
}

pub fn builder(base: &str, state: &State, clock: &Clock) -> IssuerBuilder {
    let keys = IssuerKeys::from_list(KEYS).unwrap();
    Issuer::builder(base, "gate", state.clone(), keys).clock(clock.clone())
}

pub async fn doors(
    issuer: &Issuer,
    base: &str,
    denylist: &Denylist,
    clock: &Clock,
    elsewhere: Jwks,
) -> Client {
    let server = server(Service { issuer: issuer.clone() })
        .issued(Jwt::new(issuer.keys()).issuer(base))
        .discovered(Jwt::new(elsewhere).issuer(base))
        .bound(Jwt::new(issuer.keys()).issuer(base))
        .denylist(denylist.clone())
        .settings(Settings::new().clock(clock.clone()).public_origin(ORIGIN).unwrap())
        .build()
        .unwrap();
    server.ready().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    tokio::spawn(async move { palisade::serve(server).listener(listener).await.unwrap() });
    client
}

pub fn shown(token: &Secret<String>) -> &str {
    token.expose()
}

pub fn renewing(tokens: &Tokens) -> String {
    tokens.refresh.as_ref().map(|token| token.expose().clone()).unwrap()
}

/// The two tokens of an answer.
pub fn pair(reply: &Reply) -> (String, String) {
    let body = reply.allowed(200).json();
    let text = |member: &str| body[member].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

#[track_caller]
pub fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status.as_u16(), status, "{:?}", reply.body);
    assert_eq!(reply.json(), json!({ "error": code }));
    assert_eq!(reply.header("cache-control"), "no-store");
}

pub fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
