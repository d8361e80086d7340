//! A provider, a login, the doors that its sessions open, and browsers.

use std::collections::BTreeMap;
use std::time::Duration;

use palisade::login::{LoginBuilder, LoginKeys};
use palisade::{ApiKeys, Caller, Clock, Login, NewKey, Problem, Secret, Settings, State};
use palisade_tests::client::{Client, Reply};
use palisade_tests::events;
use palisade_tests::provider::{CLIENT, Provider, SECRET};
use tokio::net::TcpListener;

use crate::api::*;

pub const OURS: &str = "https://notes.example.com";
pub const KEYS: &str = "a:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";

pub struct Service {
    login: Login,
}

fn who<Op: palisade::operation::Operation>(caller: &Caller<Op>) -> String {
    caller.identity().map(|principal| principal.subject().to_owned()).unwrap()
}

impl Doors for Service {
    async fn get_me(&self, caller: Caller<GetMe>, _: GetMeInput) -> Result<GetMeOutput, Problem> {
        let principal = caller.principal();
        let scopes = principal.scopes().collect::<Vec<_>>().join(" ");
        let (issuer, client) = (principal.issuer(), principal.client_id().unwrap());
        Ok(GetMeOutput::Ok(format!("{} of {issuer} by {client}: {scopes}", principal.subject())))
    }

    async fn post_me(&self, caller: Caller<PostMe>, _: PostMeInput) -> Result<PostMeOutput, Problem> {
        Ok(PostMeOutput::Ok(who(&caller)))
    }

    async fn get_notes(&self, caller: Caller<GetNotes>, _: GetNotesInput) -> Result<GetNotesOutput, Problem> {
        let tenant = caller.tenant().map(|tenant| format!(" in {tenant}")).unwrap_or_default();
        Ok(GetNotesOutput::Ok(who(&caller) + &tenant))
    }

    async fn post_notes(
        &self,
        caller: Caller<PostNotes>,
        _: PostNotesInput,
    ) -> Result<PostNotesOutput, Problem> {
        Ok(PostNotesOutput::Ok(who(&caller)))
    }

    async fn get_strong(
        &self,
        caller: Caller<GetStrong>,
        _: GetStrongInput,
    ) -> Result<GetStrongOutput, Problem> {
        Ok(GetStrongOutput::Ok(who(&caller)))
    }

    /// What a call to another server would show.
    async fn get_elsewhere(
        &self,
        caller: Caller<GetElsewhere>,
        _: GetElsewhereInput,
    ) -> Result<GetElsewhereOutput, Problem> {
        let token = self.login.access_token(caller.principal()).await;
        let token = token.map_err(|error| Problem::internal(error.to_string()))?;
        Ok(GetElsewhereOutput::Ok(token.map_or("none".to_owned(), |token| token.expose().clone())))
    }

    async fn leave(&self, caller: Caller<Leave>, _: LeaveInput) -> Result<LeaveOutput, Problem> {
        self.login.end(caller.principal()).await.map_err(|error| Problem::internal(error.to_string()))?;
        Ok(LeaveOutput::NoContent)
    }
}

impl Service {
    pub fn new(login: &Login) -> Self {
        Self { login: login.clone() }
    }
}

pub struct Bench {
    pub provider: Provider,
    pub site: Client,
    pub clock: Clock,
    pub state: State,
    /// A key of the scheme `key`.
    pub key: String,
}

pub fn builder(provider: &Provider, state: &State, clock: &Clock) -> LoginBuilder {
    let keys = LoginKeys::from_list(KEYS).unwrap();
    Login::builder(&provider.base, CLIENT, &format!("{OURS}/callback"), state.clone(), keys)
        .secret(Secret::new(SECRET.to_owned()))
        .scopes(&["notes:read"])
        .clock(clock.clone())
}

impl Bench {
    pub async fn start() -> Self {
        Self::with(|builder| builder).await
    }

    pub async fn with(change: impl FnOnce(LoginBuilder) -> LoginBuilder) -> Self {
        let clock = Clock::fixed(palisade_tests::tokens::now());
        Self::on(State::memory_of(1000, clock.clone()), clock, change).await
    }

    pub async fn on(state: State, clock: Clock, change: impl FnOnce(LoginBuilder) -> LoginBuilder) -> Self {
        Self::by(Provider::start().await, state, clock, change).await
    }

    pub async fn by(
        provider: Provider,
        state: State,
        clock: Clock,
        change: impl FnOnce(LoginBuilder) -> LoginBuilder,
    ) -> Self {
        events::collect();
        let login = change(builder(&provider, &state, &clock)).open().await.unwrap();
        let (site, key) = site(&login, &clock).await;
        Self { provider, site, clock, state, key }
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub fn browser(&self) -> Browser {
        Browser { site: self.site, provider: self.provider.clone(), jar: BTreeMap::new() }
    }

    /// A browser whose user is logged in.
    pub async fn logged_in(&self) -> Browser {
        let mut browser = self.browser();
        let reply = browser.log_in("/login").await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/"), "{:?}", reply.body);
        browser
    }
}

/// The login's endpoints and the server, behind one address.
pub async fn site(login: &Login, clock: &Clock) -> (Client, String) {
    let (keys, key) = keys();
    let server = server(Service::new(login))
        .session(login.clone())
        .key(keys)
        .settings(Settings::new().clock(clock.clone()).public_origin(OURS).unwrap())
        .build()
        .unwrap();
    let site = server.behind(|site| login.router().merge(site));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    tokio::spawn(async move { palisade::serve(site).listener(listener).await.unwrap() });
    (client, key)
}

/// The keys of the scheme `key`, and one of them.
pub fn keys() -> (ApiKeys, String) {
    let made = NewKey::generate("pal", "robot", &[], Clock::system().now().unwrap(), None).unwrap();
    (ApiKeys::new([made.record]).unwrap(), made.key.expose().clone())
}

/// Keeps cookies and goes where it is sent, as browsers do.
#[derive(Clone)]
pub struct Browser {
    pub site: Client,
    provider: Provider,
    pub jar: BTreeMap<String, String>,
}

impl Browser {
    pub async fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, &[]).await
    }

    /// A post by a script or a form of our own pages.
    pub async fn post(&mut self, path: &str) -> Reply {
        self.send("POST", path, &[("origin", OURS), ("sec-fetch-site", "same-origin")]).await
    }

    pub async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut call = self.site.call(method, path);
        for (name, value) in headers {
            call = call.header(name, value);
        }
        if !self.jar.is_empty() {
            let cookies: Vec<String> =
                self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            call = call.header("cookie", &cookies.join("; "));
        }
        let reply = call.send().await;
        for cookie in reply.headers.get_all("set-cookie") {
            self.take(cookie.to_str().unwrap());
        }
        reply
    }

    /// RFC 6265bis: a `__Host-` cookie is taken with these attributes and in no other way.
    fn take(&mut self, cookie: &str) {
        let mut parts = cookie.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let attributes: Vec<&str> = parts.collect();
        for needed in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(attributes.contains(&needed), "{cookie}");
        }
        assert!(name.starts_with("__Host-") && !cookie.contains("Domain"), "{cookie}");
        match attributes.contains(&"Max-Age=0") {
            true => _ = self.jar.remove(name),
            false => _ = self.jar.insert(name.to_owned(), value.to_owned()),
        }
    }

    /// Begins a login and lets the provider do its part: with what it sends the browser back.
    pub async fn begin(&mut self, path: &str) -> String {
        let reply = self.get(path).await;
        let to = reply.allowed(303).header("location").to_owned();
        self.at_provider(&to).await
    }

    pub async fn at_provider(&self, to: &str) -> String {
        let path = to.strip_prefix(&self.provider.base).unwrap();
        let address = self.provider.base.strip_prefix("http://").unwrap().parse().unwrap();
        let reply = Client(address).get(path).send().await;
        let back = reply.allowed(303).header("location").to_owned();
        back.strip_prefix(OURS).unwrap().to_owned()
    }

    pub async fn log_in(&mut self, path: &str) -> Reply {
        let back = self.begin(path).await;
        self.get(&back).await
    }

    pub fn session(&self) -> Option<&str> {
        self.jar.get("__Host-session").map(String::as_str)
    }
}
