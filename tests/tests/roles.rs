//! Roles that requirements name of schemes that have no scopes (OpenAPI 3.1, Security Requirement Object): each is granted by
//! the credential of its own scheme, or the request is refused.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use palisade::{ApiKeys, Caller, Clock, JwkSet, Jwt, NewKey, PasswordRecord, Passwords, Problem, Secret};
use palisade_tests::client::{Client, Reply};
use palisade_tests::events;
use palisade_tests::tokens::{Signer, claims_with, header};
use serde_json::json;

#[allow(dead_code, reason = "the generated module has more than this file asks for")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/roles.rs"));
}

use api::*;

struct Service;

impl Roles for Service {
    async fn get_by_key(&self, _: Caller<GetByKey>, _: GetByKeyInput) -> Result<GetByKeyOutput, Problem> {
        Ok(GetByKeyOutput::NoContent)
    }

    async fn get_by_password(
        &self,
        _: Caller<GetByPassword>,
        _: GetByPasswordInput,
    ) -> Result<GetByPasswordOutput, Problem> {
        Ok(GetByPasswordOutput::NoContent)
    }

    async fn get_by_token(
        &self,
        _: Caller<GetByToken>,
        _: GetByTokenInput,
    ) -> Result<GetByTokenOutput, Problem> {
        Ok(GetByTokenOutput::NoContent)
    }

    async fn get_by_either(
        &self,
        _: Caller<GetByEither>,
        _: GetByEitherInput,
    ) -> Result<GetByEitherOutput, Problem> {
        Ok(GetByEitherOutput::NoContent)
    }
}

struct Bench {
    client: Client,
    signer: Signer,
    /// Of a clerk, a manager and somebody without a role.
    keys: [String; 3],
}

impl Bench {
    async fn start() -> Self {
        Self::with(Passwords::new([user("clerk", &["clerk"]), user("guest", &["guest"])]).unwrap()).await
    }

    async fn with(passwords: Passwords) -> Self {
        let (signer, now) = (Signer::new("k1"), Clock::system().now().unwrap());
        let made = [&["clerk"][..], &["manager"], &[]]
            .map(|roles| NewKey::generate("test", "partner", roles, now, None).unwrap());
        let keys = made.each_ref().map(|made| made.key.expose().clone());
        let server = server(Service)
            .key(ApiKeys::new(made.map(|made| made.record)).unwrap())
            .password(passwords)
            .token(Jwt::new(JwkSet::from_json(signer.jwks()).unwrap()))
            .build()
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        tokio::spawn(async move { palisade::serve(server).listener(listener).await });
        Self { client, signer, keys }
    }

    async fn by_password(&self, user: &str) -> Reply {
        let basic = format!("Basic {}", STANDARD.encode(format!("{user}:a password")));
        self.client.get("/by-password").header("authorization", &basic).send().await
    }

    fn token(&self, roles: &[&str]) -> String {
        self.signer.sign(&header("k1"), &claims_with("realm_access", json!({ "roles": roles })))
    }
}

fn user(name: &str, roles: &[&str]) -> PasswordRecord {
    PasswordRecord::new(name, &Secret::new("a password".to_owned()), roles).unwrap()
}

#[tokio::test]
async fn a_key_has_the_roles_of_its_record() {
    let bench = Bench::start().await;
    let [clerk, manager, nobody] = &bench.keys;
    let call = |key: &str| bench.client.get("/by-key").key(key).send();
    call(clerk).await.allowed(204);
    call(manager).await.refused(403, "forbidden");
    call(nobody).await.refused(403, "forbidden");
    bench.client.get("/by-key").send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_user_has_the_roles_of_its_record() {
    let bench = Bench::start().await;
    bench.by_password("clerk").await.allowed(204);
    bench.by_password("guest").await.refused(403, "forbidden");
}

#[tokio::test]
async fn a_role_that_is_taken_out_of_the_file_is_gone_a_second_later() {
    events::collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("staff.users");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write(&user("clerk", &["clerk"]).to_line());
    let bench = Bench::with(Passwords::from_file(&file).unwrap()).await;
    let later = async || {
        tokio::time::sleep(Duration::from_millis(1020)).await;
        bench.by_password("clerk").await
    };
    bench.by_password("clerk").await.allowed(204);
    write(&user("clerk", &[]).to_line());
    later().await.refused(403, "forbidden");
    write("{}");
    for _ in 0..2 {
        later().await.refused(403, "forbidden");
    }
    let events = events::with("event_type", "sys_password_file_unusable");
    let [event] = &events[..] else { panic!("once, and not with every look: {events:?}") };
    assert_eq!((&*event["severity"], &*event["target"]), ("High", "palisade::security"));
    assert_eq!(event["file"], file.display().to_string());
    write(&user("clerk", &["clerk"]).to_line());
    later().await.allowed(204);
}

#[tokio::test]
async fn a_token_has_the_roles_of_its_claim_and_needs_each() {
    let bench = Bench::start().await;
    let call = |token: &str| bench.client.get("/by-token").token(token).send();
    call(&bench.token(&["night-shift", "clerk"])).await.allowed(204);
    let reply = call(&bench.token(&["clerk"])).await;
    assert!(reply.refused(403, "forbidden").header("www-authenticate").contains("insufficient_scope"));
    // the claim of the scopes is not the one that this scheme reads its roles from
    let elsewhere = bench.signer.token("alice", "clerk night-shift");
    call(&elsewhere).await.refused(403, "forbidden");
}

#[tokio::test]
async fn a_role_counts_for_the_scheme_that_names_it() {
    let bench = Bench::start().await;
    let [clerk, manager, nobody] = &bench.keys;
    let call =
        |key: &str, roles: &[&str]| bench.client.get("/by-either").key(key).token(&bench.token(roles)).send();
    call(manager, &[]).await.allowed(204);
    call(clerk, &["clerk"]).await.allowed(204);
    call(clerk, &["manager"]).await.refused(403, "forbidden");
    call(nobody, &["manager", "clerk"]).await.refused(403, "forbidden");
}
