//! API keys from their making to their end, over a socket: the desk that makes them, the door that they open, and the
//! file that both share with the commands and with other servers.
#![deny(warnings)]

#[path = "keys/many.rs"]
mod many;
#[path = "keys/outages.rs"]
mod outages;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use palisade::{
    ApiKeys, Caller, Change, Clock, KeyAdmin, KeyFile, KeyQuery, KeyRecord, KeyRequest, KeyStore,
    KeyStoreError, KeyUse, NewKey, Problem, StoreFuture,
};
use palisade_tests::client::{Client, Reply};
use palisade_tests::events;
use serde_json::{Value, json};

#[allow(missing_docs, dead_code, reason = "as it is generated")]
mod desk {
    include!(concat!(env!("OUT_DIR"), "/keys.rs"));
}

use desk::*;

struct Desk {
    partners: KeyAdmin,
}

/// What this desk gives away; `keys:admin` itself is not among it.
const GRANTED_HERE: [&str; 1] = ["doors:open"];

impl Keys for Desk {
    async fn create_key(
        &self,
        _: Caller<CreateKey>,
        input: CreateKeyInput,
    ) -> Result<CreateKeyOutput, Problem> {
        let asked = input.body;
        let request = KeyRequest {
            owner: asked.owner,
            scopes: asked.scopes,
            name: asked.name,
            lifetime: asked.days.and_then(|days| u64::try_from(days).ok()).map(days),
            ..KeyRequest::default()
        };
        let made = self.partners.create(&request, |scope| GRANTED_HERE.contains(&scope)).await?;
        // looked at to be shown to whoever asked for it, once
        let key = made.key.expose().clone();
        Ok(CreateKeyOutput::Created(IssuedKey { id: made.info.id, key }))
    }

    async fn list_keys(&self, _: Caller<ListKeys>, input: ListKeysInput) -> Result<ListKeysOutput, Problem> {
        let limit = usize::try_from(input.limit).unwrap_or(1);
        let page = self.partners.list(input.owner.as_deref(), input.after.as_deref(), limit).await?;
        let keys = page.keys.into_iter().map(|key| Key {
            id: key.id,
            owner: key.owner,
            name: key.name,
            scopes: key.scopes,
            state: key.state.word().to_owned(),
            used: key.last_used.is_some(),
        });
        Ok(ListKeysOutput::Ok(KeyList { keys: keys.collect(), next: page.next }))
    }

    async fn revoke_key(
        &self,
        _: Caller<RevokeKey>,
        input: RevokeKeyInput,
    ) -> Result<RevokeKeyOutput, Problem> {
        self.partners.revoke(&input.key_id).await?;
        Ok(RevokeKeyOutput::NoContent)
    }

    async fn rotate_key(
        &self,
        _: Caller<RotateKey>,
        input: RotateKeyInput,
    ) -> Result<RotateKeyOutput, Problem> {
        let may_grant = |scope: &str| GRANTED_HERE.contains(&scope);
        let made = self.partners.rotate(&input.key_id, days(1), may_grant).await?;
        // looked at to be shown to whoever asked for it, once
        let key = made.key.expose().clone();
        Ok(RotateKeyOutput::Created(IssuedKey { id: made.info.id, key }))
    }
}

impl Doors for Desk {
    async fn open_door(&self, _: Caller<OpenDoor>, _: OpenDoorInput) -> Result<OpenDoorOutput, Problem> {
        Ok(OpenDoorOutput::NoContent)
    }

    async fn open_hatch(&self, _: Caller<OpenHatch>, _: OpenHatchInput) -> Result<OpenHatchOutput, Problem> {
        Ok(OpenHatchOutput::NoContent)
    }
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

fn now() -> u64 {
    Clock::system().now().unwrap().unix()
}

/// A key of a scheme, made `age` seconds ago.
fn key(prefix: &str, scope: &str, age: u64) -> NewKey {
    let made = Clock::fixed(now() - age).now().unwrap();
    NewKey::generate(prefix, "acme", &[scope], made, None).unwrap()
}

/// A running server, and a staff key with `keys:admin`.
struct Server {
    client: Client,
    staff: String,
}

impl Server {
    async fn start(partners: ApiKeys) -> Self {
        let staff = key("desk_staff", "keys:admin", 0);
        let admin = KeyAdmin::new(&partners, &desk::DOCUMENT, "partner").unwrap();
        let server = desk::server(Desk { partners: admin })
            .partner(partners)
            .staff(ApiKeys::new([staff.record]).unwrap())
            .build()
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        tokio::spawn(async move { palisade::serve(server).listener(listener).await });
        Self { client: Client(address), staff: staff.key.expose().clone() }
    }

    async fn sharing(file: &Path) -> Self {
        Self::start(ApiKeys::from_file(file).unwrap()).await
    }

    async fn door(&self, key: &str) -> Reply {
        self.client.get("/door").key(key).send().await
    }

    async fn staff(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let call = self.client.call(method, path).header("x-staff-key", &self.staff);
        match body {
            None => call.send().await,
            Some(body) => call.header("content-type", "application/json").body(body.to_string()).send().await,
        }
    }

    /// Makes a key of `acme` and answers its id and its text.
    async fn create(&self) -> (String, String) {
        let reply =
            self.staff("POST", "/keys", Some(json!({ "owner": "acme", "scopes": ["doors:open"] }))).await;
        issued(&reply)
    }

    async fn states(&self, query: &str) -> Vec<(String, String)> {
        let page = self.staff("GET", &format!("/keys{query}"), None).await.allowed(200).json();
        let text = |key: &Value, member: &str| key[member].as_str().unwrap().to_owned();
        page["keys"].as_array().unwrap().iter().map(|key| (text(key, "id"), text(key, "state"))).collect()
    }
}

fn issued(reply: &Reply) -> (String, String) {
    let made = reply.allowed(201).json();
    (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
}

/// As long as a server may go on by what it knows of the file.
async fn a_second() {
    tokio::time::sleep(Duration::from_millis(1_050)).await;
}

fn empty_file() -> (tempfile::TempDir, KeyFile) {
    let folder = tempfile::tempdir().unwrap();
    let file = KeyFile::new(folder.path().join("partner.keys"));
    std::fs::write(file.path(), "# partners\n").unwrap();
    (folder, file)
}

#[tokio::test]
async fn a_key_is_made_opens_is_listed_without_secrets_and_ends_at_once() {
    let server = Server::start(ApiKeys::new([]).unwrap()).await;
    let (id, text) = server.create().await;
    assert!(text.starts_with(&format!("desk_test_{id}_")), "{text}");
    server.door(&text).await.allowed(204);

    let page = server.staff("GET", "/keys?owner=acme", None).await;
    let listed = page.allowed(200).json();
    assert_eq!(listed["keys"][0]["id"], json!(id));
    assert_eq!(listed["keys"][0]["used"], json!(true));
    let secret = &text[text.len() - 49..text.len() - 6];
    assert!(!String::from_utf8_lossy(&page.body).contains(secret));
    assert!(server.states("?owner=nobody").await.is_empty());

    server.staff("DELETE", &format!("/keys/{id}"), None).await.allowed(204);
    server.door(&text).await.refused(401, "unauthenticated");
    assert_eq!(server.states("").await, [(id, "revoked".to_owned())]);
    server.staff("DELETE", "/keys/AAAAAAAAAAAA", None).await.refused(404, "not_found");
}

/// In memory, in a file and in a state.
#[tokio::test]
async fn a_bounded_key_opens_from_where_and_for_what_it_says() {
    events::collect();
    let (_folder, file) = empty_file();
    let in_file = ApiKeys::from_file(file.path()).unwrap();
    let in_state = ApiKeys::kept_in(palisade::State::memory(), "partner");
    for partners in [ApiKeys::new([]).unwrap(), in_file, in_state] {
        let admin = KeyAdmin::new(&partners, &desk::DOCUMENT, "partner").unwrap();
        let server = Server::start(partners).await;
        for (from, operation, refused) in [
            ("127.0.0.0/8", "openDoor", None),
            ("192.0.2.0/24", "openDoor", Some("key_from_elsewhere")),
            ("127.0.0.1", "closeDoor", Some("key_of_other_operations")),
        ] {
            let request = KeyRequest {
                owner: "acme".to_owned(),
                scopes: vec!["doors:open".to_owned()],
                addresses: vec![from.to_owned()],
                operations: vec![operation.to_owned()],
                ..KeyRequest::default()
            };
            let made = admin.create(&request, |_| true).await.unwrap();
            let listed = admin.find(&made.info.id).await.unwrap();
            assert_eq!((listed.addresses, listed.operations), (request.addresses, request.operations));
            let reply = server.door(made.key.expose()).await;
            let Some(reason) = refused else {
                reply.allowed(204);
                continue;
            };
            reply.refused(401, "unauthenticated");
            let event = events::of(reply.header("x-request-id"));
            assert!(event["failure_reason"].contains(reason), "{event:?}");
        }
    }
}

#[tokio::test]
async fn the_desk_is_behind_its_own_scope_and_gives_away_what_it_may() {
    let server = Server::start(ApiKeys::new([]).unwrap()).await;
    let (_, partner) = server.create().await;
    server.client.get("/keys").send().await.refused(401, "unauthenticated");
    server.client.get("/keys").header("x-staff-key", &partner).send().await.refused(401, "unauthenticated");
    server.client.get("/keys").header("x-staff-key", &server.staff).send().await.allowed(200);

    let ask = |scopes: Value, days: u64| json!({ "owner": "acme", "scopes": scopes, "days": days });
    let make = async |body: Value| server.staff("POST", "/keys", Some(body)).await;
    make(ask(json!(["doors:open"]), 90)).await.allowed(201);
    make(ask(json!([]), 1)).await.allowed(201);
    make(ask(json!(["doors:open", "keys:admin"]), 1)).await.refused(403, "scope_not_granted");
    make(ask(json!(["doors:open"]), 91)).await.refused(422, "key_lifetime");
}

#[tokio::test]
async fn a_rotated_key_is_good_for_its_overlap_and_rotating_twice_retires_the_first() {
    let server = Server::start(ApiKeys::new([]).unwrap()).await;
    let rotate = async |id: &str| server.staff("POST", &format!("/keys/{id}/rotation"), None).await;
    let (first_id, first) = server.create().await;
    let (second_id, second) = issued(&rotate(&first_id).await);
    server.door(&first).await.allowed(204);
    server.door(&second).await.allowed(204);
    rotate(&first_id).await.refused(409, "key_not_rotated");
    let (_, third) = issued(&rotate(&second_id).await);
    server.door(&first).await.refused(401, "unauthenticated");
    server.door(&second).await.allowed(204);
    server.door(&third).await.allowed(204);
    rotate(&first_id).await.refused(409, "key_not_rotated");
    rotate("AAAAAAAAAAAA").await.refused(404, "not_found");
}

#[tokio::test]
async fn who_may_not_grant_what_a_key_grants_does_not_get_its_successor() {
    let powerful = key("desk_test", "keys:admin", 0);
    let server = Server::start(ApiKeys::new([powerful.record.clone()]).unwrap()).await;
    let reply = server.staff("POST", &format!("/keys/{}/rotation", powerful.record.id), None).await;
    reply.refused(403, "scope_not_granted");
}

#[tokio::test]
async fn what_one_server_or_a_command_does_holds_in_the_others() {
    let (_folder, file) = empty_file();
    let (one, other) = (Server::sharing(file.path()).await, Server::sharing(file.path()).await);
    let (id, text) = one.create().await;
    one.door(&text).await.allowed(204);
    a_second().await;
    other.door(&text).await.allowed(204);
    other.staff("DELETE", &format!("/keys/{id}"), None).await.allowed(204);
    other.door(&text).await.refused(401, "unauthenticated");
    a_second().await;
    one.door(&text).await.refused(401, "unauthenticated");

    let made = key("desk_test", "doors:open", 0);
    file.change(&Change::Create(made.record.clone())).unwrap();
    a_second().await;
    one.door(made.key.expose()).await.allowed(204);
    file.change(&Change::RevokeOwner { owner: "acme".to_owned(), at: now() }).unwrap();
    a_second().await;
    one.door(made.key.expose()).await.refused(401, "unauthenticated");
    assert!(std::fs::read_to_string(file.path()).unwrap().starts_with("# partners\n"));
}

/// Three servers on one Redis, where the one that makes a key is not the one that it opens, nor the one that ends it.
#[tokio::test]
async fn keys_in_a_shared_state_hold_and_end_at_once_in_every_instance() {
    let redis = palisade_tests::redis_server::Server::durable().await;
    let start = || async {
        Server::start(ApiKeys::kept_in(palisade::State::redis(&redis.url()).await.unwrap(), "partner")).await
    };
    let (one, two, three) = (start().await, start().await, start().await);
    for _ in 0..20 {
        let (id, text) = one.create().await;
        two.door(&text).await.allowed(204);
        let (_, next) = issued(&three.staff("POST", &format!("/keys/{id}/rotation"), None).await);
        one.door(&next).await.allowed(204);
        three.staff("DELETE", &format!("/keys/{id}"), None).await.allowed(204);
        for server in [&one, &two, &three] {
            server.door(&text).await.refused(401, "unauthenticated");
            server.door(&next).await.allowed(204);
        }
    }
    let states = two.states("?limit=100").await;
    assert_eq!(states.len(), 40);
    assert_eq!(states.iter().filter(|(_, state)| state == "revoked").count(), 20);
    assert_eq!(two.states("?owner=acme&limit=3").await, states[..3]);
}

#[tokio::test]
async fn a_key_older_than_rotate_within_is_refused_for_its_own_reason() {
    events::collect();
    let (young, old) =
        (key("desk_test", "doors:open", 89 * 86_400), key("desk_test", "doors:open", 90 * 86_400));
    let server = Server::start(ApiKeys::new([young.record, old.record]).unwrap()).await;
    server.door(young.key.expose()).await.allowed(204);
    let reply = server.door(old.key.expose()).await;
    reply.refused(401, "unauthenticated");
    let event = events::of(reply.header("x-request-id"));
    assert!(event["failure_reason"].contains("rotation_overdue"), "{event:?}");
    assert!(server.states("").await.iter().any(|(_, state)| state == "overdue"));
}

#[tokio::test]
async fn a_rotated_key_in_the_last_tenth_of_its_overlap_makes_an_event() {
    events::collect();
    let (mut early, mut late) = (key("desk_test", "doors:open", 9), key("desk_test", "doors:open", 9));
    for (record, start, end) in [(&mut early.record, 5, 95), (&mut late.record, 950, 50)] {
        record.rotated_at = Some(now() - start);
        record.not_after = Some(now() + end);
        record.successor = Some("a".repeat(12));
    }
    let server = Server::start(ApiKeys::new([early.record.clone(), late.record.clone()]).unwrap()).await;
    server.door(early.key.expose()).await.allowed(204);
    server.door(late.key.expose()).await.allowed(204);
    server.door(late.key.expose()).await.allowed(204);
    let events = events::everything();
    let of = |id: &str| events.matches(&format!("\"key\": \"{id}\"")).count();
    assert_eq!((of(&early.record.id), of(&late.record.id)), (0, 1), "one a minute");
}

#[tokio::test]
async fn pages_of_keys_follow_each_other() {
    let records = (0..5).map(|_| key("desk_test", "doors:open", 0).record);
    let server = Server::start(ApiKeys::new(records).unwrap()).await;
    let (mut seen, mut after) = (Vec::new(), String::new());
    for expected in [2, 2, 1] {
        let page = server.staff("GET", &format!("/keys?limit=2{after}"), None).await.allowed(200).json();
        let ids: Vec<_> = page["keys"].as_array().unwrap().iter().map(|key| key["id"].to_string()).collect();
        assert_eq!(ids.len(), expected);
        seen.extend(ids);
        after = page["next"].as_str().map_or_else(String::new, |next| format!("&after={next}"));
    }
    assert!(after.is_empty() && seen.len() == 5 && seen.windows(2).all(|two| two[0] < two[1]));
}
