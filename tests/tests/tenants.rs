//! Tenants over sockets: the same issuer and subject is somebody else in each, and what is kept for one is not for another.
#![deny(warnings)]

#[path = "tenants/untenanted.rs"]
mod untenanted;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use palisade::cursor::CursorKeys;
use palisade::idempotency::Recovered;
use palisade::{
    AnswerKeys, ApiKeys, Caller, Clock, Jwt, KeptAnswers, KeyAdmin, KeyAdminError, KeyRequest, KeyState,
    NewKey, Problem, Settings, SharedLimits, State,
};
use palisade_tests::client::{Call, Client, Reply};
use palisade_tests::events;
use palisade_tests::redis_server::Server as Redis;
use palisade_tests::tokens::{Signer, claims, header};
use serde_json::{Value, json};

#[allow(missing_docs, dead_code, reason = "as it is generated")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/tenants.rs"));
}

use api::*;

#[derive(palisade::Position)]
struct Row {
    number: i64,
}

#[derive(Default)]
struct Service {
    orders: AtomicI64,
}

fn tenant<Op: palisade::operation::Operation>(caller: &Caller<Op>) -> String {
    caller.tenant().unwrap_or("-").to_owned()
}

impl Tenants for Service {
    async fn get_me(&self, caller: Caller<GetMe>, _: GetMeInput) -> Result<GetMeOutput, Problem> {
        assert_eq!(caller.principal().tenant(), caller.tenant(), "of one credential they are one");
        Ok(GetMeOutput::Ok(tenant(&caller)))
    }

    async fn get_both(&self, caller: Caller<GetBoth>, _: GetBothInput) -> Result<GetBothOutput, Problem> {
        Ok(GetBothOutput::Ok(tenant(&caller)))
    }

    async fn get_fair(&self, _: Caller<GetFair>, _: GetFairInput) -> Result<GetFairOutput, Problem> {
        Ok(GetFairOutput::NoContent)
    }

    async fn get_own(&self, _: Caller<GetOwn>, _: GetOwnInput) -> Result<GetOwnOutput, Problem> {
        Ok(GetOwnOutput::NoContent)
    }

    async fn list_orders(
        &self,
        caller: Caller<ListOrders>,
        input: ListOrdersInput,
    ) -> Result<ListOrdersOutput, Problem> {
        let first = caller.position::<Row>()?.map_or(1, |row| row.number + 1);
        let page = caller.page(first..=9, input.limit, |number| Row { number: *number })?;
        Ok(ListOrdersOutput::Ok(Orders { data: page.items, next_cursor: page.next }))
    }

    async fn order(&self, caller: Caller<Order>, _: OrderInput) -> Result<OrderOutput, Problem> {
        assert_ne!(caller.principal().subject(), "broken", "and nobody knows what came of it");
        Ok(OrderOutput::Ok(self.orders.fetch_add(1, Ordering::SeqCst) + 1))
    }
}

/// A running server, and who signs the tokens that it takes.
struct Bench {
    client: Client,
    signer: Signer,
    /// Tokens of it name no tenant.
    plain: Signer,
    partners: ApiKeys,
    /// Keys of one partner: in north, in south, in none.
    keys: [String; 3],
}

impl Bench {
    async fn start() -> Self {
        Self::with(State::memory(), Settings::new()).await
    }

    async fn with(state: State, settings: Settings) -> Self {
        Self::keeping(KeptAnswers::new(state, AnswerKeys::generate().unwrap()), settings).await
    }

    async fn keeping(answers: KeptAnswers, settings: Settings) -> Self {
        let (signer, plain) = (Signer::new("k1"), Signer::new("k2"));
        let trusted = |signer: &Signer| Jwt::new(palisade::JwkSet::from_json(signer.jwks()).unwrap());
        let now = Clock::system().now().unwrap();
        let new = |tenant: Option<&str>| {
            let new = NewKey::generate("tenant", "alice", &[], now, None).unwrap();
            match tenant {
                Some(tenant) => new.of_tenant(tenant).unwrap(),
                None => new,
            }
        };
        let keys = [Some("north"), Some("south"), None].map(new);
        let partners = ApiKeys::new(keys.iter().map(|key| key.record.clone())).unwrap();
        let server = server(Service::default())
            .oauth(trusted(&signer))
            .plain(trusted(&plain))
            .partner(partners.clone())
            .cursor_keys(CursorKeys::generate().unwrap())
            .idempotency(answers)
            .settings(settings)
            .build()
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        tokio::spawn(async move { palisade::serve(server).listener(listener).await.unwrap() });
        Self { client, signer, plain, partners, keys: keys.map(|key| key.key.expose().clone()) }
    }

    fn token_with(&self, subject: &str, org: Value) -> String {
        let mut claims = claims(subject, "");
        claims["org"] = org;
        self.signer.sign(&header("k1"), &claims)
    }

    fn token(&self, subject: &str, tenant: &str) -> String {
        self.token_with(subject, json!({ "id": tenant }))
    }

    fn plain_token(&self, subject: &str) -> String {
        let mut claims = claims(subject, "");
        claims["iss"] = "https://plain.example.com".into();
        self.plain.sign(&header("k2"), &claims)
    }

    async fn get(&self, path: &str, subject: &str, tenant: &str) -> Reply {
        self.client.get(path).token(&self.token(subject, tenant)).send().await
    }
}

async fn redis() -> Redis {
    Redis::start("--maxmemory-policy noeviction --maxmemory 1gb").await
}

#[tokio::test]
async fn who_calls_has_the_tenant_that_its_credential_names() {
    let bench = Bench::start().await;
    let me = async |call: Call| call.send().await.allowed(200).json();
    let get = || bench.client.get("/me");
    assert_eq!(me(get().token(&bench.token("alice", "north"))).await, "north");
    assert_eq!(me(get().token(&bench.plain_token("alice"))).await, "-");
    for (key, tenant) in bench.keys.iter().zip(["north", "south", "-"]) {
        assert_eq!(me(get().header("x-key", key)).await, tenant);
    }
}

#[tokio::test]
async fn a_key_that_a_server_makes_for_a_tenant_is_of_it_and_so_is_its_successor() {
    let bench = Bench::start().await;
    let admin = KeyAdmin::new(&bench.partners, &DOCUMENT, "partner").unwrap();
    let request = |tenant: &str| KeyRequest {
        owner: "acme".to_owned(),
        tenant: Some(tenant.to_owned()),
        ..KeyRequest::default()
    };
    let made = admin.create(&request("east"), |_| true).await.unwrap();
    let next = admin.rotate(&made.info.id, Duration::from_secs(60), |_| true).await.unwrap();
    for issued in [made, next] {
        let reply = bench.client.get("/me").header("x-key", issued.key.expose()).send().await;
        assert_eq!(reply.allowed(200).json(), "east");
        assert_eq!(admin.find(&issued.info.id).await.unwrap().tenant.as_deref(), Some("east"));
    }
    for bad in ["", "a\nb", &"n".repeat(257)] {
        assert!(admin.create(&request(bad), |_| true).await.is_err(), "{bad}");
    }
}

#[tokio::test]
async fn who_manages_the_keys_of_one_tenant_finds_no_others() {
    let bench = Bench::start().await;
    let redis = Redis::durable().await;
    let shared = ApiKeys::kept_in(State::redis(&redis.url()).await.unwrap(), "partner");
    for keys in [bench.partners.clone(), shared] {
        let admin = KeyAdmin::new(&keys, &DOCUMENT, "partner").unwrap();
        let request = |tenant: Option<&str>| KeyRequest {
            owner: "acme".to_owned(),
            tenant: tenant.map(str::to_owned),
            ..KeyRequest::default()
        };
        let mut made = Vec::new();
        for tenant in [Some("east"), Some("west"), Some("west"), None] {
            made.push(admin.create(&request(tenant), |_| true).await.unwrap().info.id);
        }
        let list = async |admin: &KeyAdmin, after: Option<&str>, limit| {
            let page = admin.list(Some("acme"), after, limit).await.unwrap();
            (page.keys.into_iter().map(|key| key.id).collect::<Vec<_>>(), page.next)
        };
        let (mut west_keys, mut all) = (made[1..3].to_vec(), made.clone());
        west_keys.sort();
        all.sort();
        assert_eq!(list(&admin, None, 9).await, (all, None), "one that is not bounded has all");
        let west = admin.of_tenant("west").unwrap();
        assert_eq!(list(&west, None, 9).await, (west_keys.clone(), None));
        assert_eq!(list(&west, None, 1).await, (vec![west_keys[0].clone()], Some(west_keys[0].clone())));
        assert_eq!(list(&west, Some(&west_keys[0]), 1).await, (vec![west_keys[1].clone()], None));
        assert_eq!(list(&admin.of_tenant("north-east").unwrap(), None, 9).await, (vec![], None));

        let status = |error: KeyAdminError| Problem::from(error).status();
        assert_eq!(
            west.of_tenant("east").map(|_| ()).map_err(status),
            Err(403),
            "nobody gets out of a tenant"
        );
        assert_eq!(list(&west.of_tenant("west").unwrap(), None, 9).await, (west_keys.clone(), None));
        for others in [&made[0], &made[3]] {
            assert_eq!(west.find(others).await.map(|_| ()).map_err(status), Err(404));
            let rotated = west.rotate(others, Duration::ZERO, |_| true).await;
            assert_eq!(rotated.map(|_| ()).map_err(status), Err(404));
            assert_eq!(west.revoke(others).await.map_err(status), Err(404));
            assert_eq!(admin.find(others).await.unwrap().state, KeyState::Active);
        }
        assert_eq!(west.revoke_owner("acme").await.map_err(status), Err(403));
        assert_eq!(west.create(&request(Some("east")), |_| true).await.map(|_| ()).map_err(status), Err(403));
        let new = west.create(&request(None), |_| true).await.unwrap();
        assert_eq!(new.info.tenant.as_deref(), Some("west"));
        let next = west.rotate(&made[1], Duration::from_secs(60), |_| true).await.unwrap();
        assert_eq!(next.info.tenant.as_deref(), Some("west"));
        west.revoke(&made[2]).await.unwrap();
        assert_eq!(admin.find(&made[2]).await.unwrap().state, KeyState::Revoked);
    }
}

#[tokio::test]
async fn a_token_without_a_tenant_is_refused_where_tokens_have_one() {
    events::collect();
    let bench = Bench::start().await;
    bench.get("/own", "alice", "north").await.allowed(204);
    bench.get("/own", "alice", &"n".repeat(256)).await.allowed(204);
    let bad = [
        Value::Null,
        json!({}),
        json!("north"),
        json!(["north"]),
        json!({ "id": "" }),
        json!({ "id": null }),
        json!({ "id": 7 }),
        json!({ "id": ["north"] }),
        json!({ "id": { "id": "north" } }),
        json!({ "id": "n".repeat(257) }),
    ];
    for org in bad {
        let reply = bench.client.get("/own").token(&bench.token_with("alice", org.clone())).send().await;
        reply.refused(401, "unauthenticated");
        assert!(reply.header("www-authenticate").contains(r#"error="invalid_token""#), "{org}");
        let event = events::of(reply.header("x-request-id"));
        assert_eq!((&*event["event_type"], &*event["tenant"]), ("authn_login_fail", "-"));
        assert!(event["failure_reason"].contains("no_tenant"), "{org}: {event:?}");
    }
}

#[tokio::test]
async fn credentials_that_are_shown_together_are_of_one_tenant() {
    events::collect();
    let bench = Bench::start().await;
    let [north, south, none] = &bench.keys;
    let both = |token: &str, key: &str| bench.client.get("/both").token(token).header("x-key", key).send();
    let token = bench.token("alice", "north");
    assert_eq!(both(&token, north).await.allowed(200).json(), "north");
    assert_eq!(both(&token, none).await.allowed(200).json(), "north");
    assert_eq!(both(&bench.plain_token("alice"), south).await.allowed(200).json(), "south", "the key's");
    let reply = both(&token, south).await;
    reply.refused(401, "unauthenticated");
    let event = events::of(reply.header("x-request-id"));
    assert!(event["failure_reason"].contains("two_tenants"), "{event:?}");
}

#[tokio::test]
async fn a_key_of_a_call_is_another_one_in_each_tenant() {
    let redis = Redis::durable().await;
    for state in [State::memory(), State::redis(&redis.url()).await.unwrap()] {
        let bench = Bench::with(state, Settings::new()).await;
        let order = async |subject, tenant| {
            let call = bench.client.post("/orders", "").token(&bench.token(subject, tenant));
            let reply = call.header("idempotency-key", "8e03978e-40d5-43dd-bc93-6894a57f9324").send().await;
            reply.allowed(200);
            (reply.json(), !reply.header("idempotent-replayed").is_empty())
        };
        assert_eq!(order("alice", "north").await, (json!(1), false));
        assert_eq!(order("alice", "north").await, (json!(1), true), "sent again");
        assert_eq!(order("alice", "south").await, (json!(2), false), "of another tenant");
        assert_eq!(order("alice", "south").await, (json!(2), true));
        assert_eq!(order("bob", "north").await, (json!(3), false));
        // what is moved from one part to the next is another call as well
        assert_eq!(order("halice", "nort").await, (json!(4), false));
    }
}

/// Also where it is the second credential that names it.
#[tokio::test]
async fn who_is_asked_about_a_call_is_told_its_tenant_as_the_handler_was() {
    let asked: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    let told = Arc::clone(&asked);
    let answers = KeptAnswers::in_memory().unwrap().recover(move |call| {
        told.lock().unwrap().push(call.tenant);
        async { Ok(Recovered::Unknown) }
    });
    let bench = Bench::keeping(answers, Settings::new()).await;
    let [north, south, none] = &bench.keys;
    let (named, plain) = (bench.token("broken", "east"), bench.plain_token("broken"));
    for (token, key) in [(&plain, Some(north)), (&plain, Some(south)), (&plain, Some(none)), (&named, None)] {
        for (status, code) in [(500, "internal"), (409, "outcome_unknown")] {
            let call = bench.client.post("/orders", "").token(token);
            let call = key.into_iter().fold(call, |call, key| call.header("x-key", key));
            let reply = call.header("idempotency-key", "8e03978e-40d5-43dd-bc93-6894a57f9324").send().await;
            reply.refused(status, code);
        }
    }
    let tenants = [Some("north"), Some("south"), None, Some("east")];
    assert_eq!(*asked.lock().unwrap(), tenants.map(|tenant| tenant.map(str::to_owned)));
}

#[tokio::test]
async fn a_cursor_of_one_tenant_does_not_open_in_another() {
    let bench = Bench::start().await;
    let page = bench.get("/orders", "alice", "north").await.allowed(200).json();
    let next = format!("/orders?after={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(bench.get(&next, "alice", "north").await.allowed(200).json()["data"], json!([3, 4]));
    bench.get(&next, "alice", "south").await.refused(400, "invalid_cursor");
    bench.get(&next, "bob", "north").await.refused(400, "invalid_cursor");
    bench.get("/orders", "alice", "south").await.allowed(200);
}

/// A limit of three by tenants.
async fn tenants_are_counted(bench: &Bench) {
    let reply = bench.get("/fair", "alice", "north").await;
    assert_eq!(reply.allowed(204).header("ratelimit-policy"), "", "what is left tells what others do");
    bench.get("/fair", "bob", "north").await.allowed(204);
    let by_key = |key: &str| bench.client.get("/fair").header("x-key", key).send();
    by_key(&bench.keys[0]).await.allowed(204); // of the same tenant, whatever is shown
    for subject in ["alice", "bob", "carol"] {
        bench.get("/fair", subject, "north").await.refused(429, "rate_limited");
    }
    by_key(&bench.keys[0]).await.refused(429, "rate_limited");
    bench.get("/fair", "alice", "south").await.allowed(204);
    // of a key and a token, whichever names it
    let both =
        |key: &str| bench.client.get("/fair").token(&bench.plain_token("alice")).header("x-key", key).send();
    both(&bench.keys[0]).await.refused(429, "rate_limited");
    both(&bench.keys[1]).await.allowed(204);
    // who names none is counted alone
    for subject in ["alice", "bob"] {
        let token = bench.plain_token(subject);
        for _ in 0..3 {
            bench.client.get("/fair").token(&token).send().await.allowed(204);
        }
        bench.client.get("/fair").token(&token).send().await.refused(429, "rate_limited");
    }
}

#[tokio::test]
async fn a_limit_by_tenants_is_shared_by_all_of_one_and_by_no_two() {
    tenants_are_counted(&Bench::start().await).await;
}

#[tokio::test]
async fn and_so_it_is_where_redis_counts() {
    let redis = redis().await;
    let shared = SharedLimits::redis(&redis.url(), 1).await.unwrap().patience(Duration::from_secs(1));
    tenants_are_counted(&Bench::with(State::memory(), Settings::new().limits_in(shared)).await).await;
}

/// A limit of two by principals.
async fn principals_are_counted(bench: &Bench) {
    for tenant in ["north", "south"] {
        for _ in 0..2 {
            bench.get("/own", "alice", tenant).await.allowed(204);
        }
        bench.get("/own", "alice", tenant).await.refused(429, "rate_limited");
    }
}

#[tokio::test]
async fn a_limit_by_principals_counts_one_anew_in_each_tenant() {
    principals_are_counted(&Bench::start().await).await;
}

#[tokio::test]
async fn and_that_where_redis_counts() {
    let redis = redis().await;
    let shared = SharedLimits::redis(&redis.url(), 1).await.unwrap().patience(Duration::from_secs(1));
    principals_are_counted(&Bench::with(State::memory(), Settings::new().limits_in(shared)).await).await;
}

#[tokio::test]
async fn an_event_tells_the_tenant_by_a_digest() {
    events::collect();
    let bench = Bench::start().await;
    let mut told = Vec::new();
    for (subject, tenant) in [("alice", "canary-north"), ("bob", "canary-north"), ("alice", "canary-south")] {
        let reply = bench.get("/orders?limit=0", subject, tenant).await;
        reply.refused(400, "invalid_parameters");
        told.push(events::of(reply.header("x-request-id"))["tenant"].clone());
    }
    assert_eq!(told[0], told[1]);
    assert_ne!(told[0], told[2]);
    assert!(told.iter().all(|text| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())));
    let reply = bench.client.get("/fair?x=1").token(&bench.plain_token("alice")).send().await;
    reply.refused(400, "invalid_parameters");
    assert_eq!(events::of(reply.header("x-request-id"))["tenant"], "-");
    assert!(!events::everything().contains("canary-"), "the name itself is nowhere");
}
