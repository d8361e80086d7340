//! The same login by a provider that others wrote: `oidc-provider` of npm, which is certified by the OpenID Foundation.
//!
//! `OIDC_PROVIDER` names the folder of the package (`npm install --prefix FOLDER oidc-provider`, then `FOLDER/node_modules`). Without
//! it, this says that it was not run.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use palisade::{Clock, Login, Secret, State, login::LoginKeys};
use palisade_tests::client::{Client, Reply};
use palisade_tests::provider::{CLIENT, SECRET};
use serde_json::Value;

use crate::bench::{KEYS, OURS, site};

/// The provider, until it is dropped.
struct Theirs {
    child: Child,
    issuer: String,
}

impl Theirs {
    fn start(modules: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/others/provider.mjs");
        let mut command = Command::new("node");
        command.args([script, modules]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("node is there where its package is");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let issuer = lines.map(Result::unwrap).find(|line| line.starts_with("http://")).expect("it listens");
        Self { child, issuer }
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A browser at their provider, and its user: logs in, and consents.
struct User {
    provider: Client,
    issuer: String,
    jar: BTreeMap<String, String>,
}

impl User {
    /// Goes where it is sent until that is our site, and fills the forms on the way.
    async fn go(&mut self, to: &str) -> String {
        let mut reply = self.call("GET", to, "").await;
        let mut at = to.to_owned();
        for _ in 0..12 {
            let next = reply.header("location").to_owned();
            match reply.status.as_u16() {
                302 | 303 if next.starts_with(OURS) => return next.strip_prefix(OURS).unwrap().to_owned(),
                302 | 303 => {
                    at = next;
                    reply = self.call("GET", &at, "").await;
                }
                200 => {
                    let page = String::from_utf8_lossy(&reply.body).into_owned();
                    let prompt = if page.contains("value=\"login\"") { "login" } else { "consent" };
                    let form = format!("prompt={prompt}&login=alice&password=any");
                    reply = self.call("POST", &at, &form).await;
                }
                _ => panic!("{at}: {reply:?}"),
            }
        }
        panic!("it leads nowhere")
    }

    async fn call(&mut self, method: &str, to: &str, form: &str) -> Reply {
        let path = to.strip_prefix(&self.issuer).unwrap_or(to);
        let host = self.issuer.strip_prefix("http://").unwrap();
        let cookies: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut call = self.provider.bare(method, path).header("host", host);
        if method == "POST" {
            call = call.header("content-type", "application/x-www-form-urlencoded").body(form);
        }
        let reply = call.header("cookie", &cookies.join("; ")).send().await;
        for cookie in reply.headers.get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            self.jar.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
        }
        reply
    }
}

#[tokio::test]
async fn a_certified_provider_logs_a_user_in_renews_and_logs_out() {
    let Ok(modules) = std::env::var("OIDC_PROVIDER") else {
        println!("NOT RUN: `OIDC_PROVIDER` names no folder with the package `oidc-provider`");
        return;
    };
    let theirs = Theirs::start(&modules);
    let clock = Clock::fixed(palisade_tests::tokens::now());
    let redirect = format!("{OURS}/callback");
    let keys = LoginKeys::from_list(KEYS).unwrap();
    let login = Login::builder(&theirs.issuer, CLIENT, &redirect, State::memory_of(100, clock.clone()), keys)
        .secret(Secret::new(SECRET.to_owned()))
        .scopes(&["notes:read", "offline_access"])
        .clock(clock.clone())
        .open()
        .await
        .unwrap();
    let (site, _) = site(&login, &clock).await;
    let provider = Client(theirs.issuer.strip_prefix("http://").unwrap().parse().unwrap());
    let mut user = User { provider, issuer: theirs.issuer.clone(), jar: BTreeMap::new() };

    let begun = site.get("/login?return_to=/notes").send().await;
    let pending = begun.allowed(303).header("set-cookie").split(';').next().unwrap().to_owned();
    let back = user.go(begun.header("location")).await;
    let reply = site.get(&back).header("cookie", &pending).send().await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("location")),
        (303, "/notes"),
        "{back}: {:?}",
        reply.body
    );
    let session = reply.headers.get_all("set-cookie").iter().map(|it| it.to_str().unwrap());
    let session =
        session.filter_map(|it| it.split(';').next()).find(|it| it.starts_with("__Host-session=")).unwrap();
    let ask = |path: &str| site.get(path).header("cookie", session).send();
    let me = ask("/me").await.allowed(200).json();
    assert!(
        me.as_str().unwrap().starts_with(&format!("alice of {} by notes-web: openid", theirs.issuer)),
        "{me}"
    );
    assert_eq!(ask("/notes").await.allowed(200).json(), "alice");

    let token = |reply: Reply| match reply.allowed(200).json() {
        Value::String(token) if token != "none" => token,
        other => panic!("{other}"),
    };
    let first = token(ask("/elsewhere").await);
    assert_eq!(token(ask("/elsewhere").await), first);
    clock.advance(std::time::Duration::from_secs(15)); // its tokens last 40 s, and one is used for 10 of them at most
    assert_ne!(token(ask("/elsewhere").await), first);

    // the code was used
    let again = site.get(&back).header("cookie", &pending).send().await;
    assert_eq!(again.status, 400);

    let leave =
        site.call("POST", "/logout").header("cookie", session).header("sec-fetch-site", "same-origin");
    let reply = leave.send().await;
    let there = reply.allowed(303).header("location").to_owned();
    assert!(there.starts_with(&format!("{}/session/end?client_id=notes-web&", theirs.issuer)), "{there}");
    user.call("GET", &there, "").await.allowed(200);
    ask("/me").await.refused(401, "unauthenticated");
}
