//! The server of `specs/idempotency.yaml`: a handler that does what its order says, and counts what it did.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use palisade::{AnswerKeys, Caller, Clock, Jwt, KeptAnswers, Problem, Settings, State};
use palisade_tests::client::{Call, Client, Reply};
use palisade_tests::redis_server::Server;
use palisade_tests::tokens::{Signer, claims, header, now};
use tempfile::TempDir;
use tokio::task::JoinHandle;

#[allow(missing_docs, dead_code, reason = "as it is generated")]
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/idempotency.rs"));
}

use api::*;

/// What was done, in order.
#[derive(Clone, Default)]
pub struct Effects(Arc<Mutex<Vec<i64>>>);

impl Effects {
    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn add(&self, amount: i64) -> i64 {
        let mut done = self.0.lock().unwrap();
        done.push(amount);
        done.len().try_into().unwrap()
    }
}

/// Accounts that are not of whom their name says: another's, or nobody's any more.
#[derive(Clone, Default)]
pub struct Accounts(Arc<Mutex<HashMap<String, Option<String>>>>);

impl Accounts {
    pub fn give(&self, account: &str, to: &str) {
        self.0.lock().unwrap().insert(account.to_owned(), Some(to.to_owned()));
    }

    pub fn close(&self, account: &str) {
        self.0.lock().unwrap().insert(account.to_owned(), None);
    }

    fn owner(&self, account: &str) -> Option<String> {
        let named = || account.split_once('-').map(|(owner, _)| owner.to_owned());
        self.0.lock().unwrap().get(account).cloned().unwrap_or_else(named)
    }
}

pub struct Service {
    effects: Effects,
    accounts: Accounts,
}

impl Service {
    async fn act(&self, order: &Order) -> Result<Receipt, Problem> {
        let number = self.effects.add(order.amount);
        match order.act {
            OrderAct::Pay => {}
            OrderAct::Refuse => return Err(Problem::new(409, "too_poor", "there is not enough")),
            OrderAct::Doubt => return Err(Problem::new(401, "who_are_you", "log in once more")),
            OrderAct::Forbid => return Err(Problem::new(403, "closed", "not on a Sunday")),
            OrderAct::Throttle => return Err(Problem::new(429, "busy", "not so fast")),
            OrderAct::Fail => return Err(Problem::internal("the books burn")),
            OrderAct::Undeclared => return Err(Problem::new(418, "teapot", "not declared")),
            OrderAct::Panic => panic!("secret-panic"),
            OrderAct::Slow => tokio::time::sleep(Duration::from_millis(400)).await,
            OrderAct::SlowerAtFirst if number == 1 => tokio::time::sleep(Duration::from_millis(800)).await,
            OrderAct::SlowerAtFirst => {}
            OrderAct::Hang => tokio::time::sleep(Duration::from_secs(60)).await,
        }
        Ok(Receipt { number, amount: order.amount })
    }
}

impl Transfers for Service {
    async fn create_transfer(
        &self,
        _: Caller<CreateTransfer>,
        input: CreateTransferInput,
    ) -> Result<CreateTransferOutput, Problem> {
        let receipt = self.act(&input.body).await?;
        let headers = CreateTransferCreatedHeaders { location: format!("/transfers/{}", receipt.number) };
        Ok(CreateTransferOutput::Created(receipt, headers))
    }

    async fn put_note(&self, _: Caller<PutNote>, input: PutNoteInput) -> Result<PutNoteOutput, Problem> {
        self.act(&input.body).await?;
        Ok(PutNoteOutput::NoContent)
    }

    async fn repeat(&self, _: Caller<Repeat>, input: RepeatInput) -> Result<RepeatOutput, Problem> {
        Ok(RepeatOutput::Ok(self.act(&input.body).await?))
    }

    async fn brief(&self, _: Caller<Brief>, input: BriefInput) -> Result<BriefOutput, Problem> {
        Ok(BriefOutput::Ok(self.act(&input.body).await?))
    }

    async fn rare(&self, _: Caller<Rare>, _: RareInput) -> Result<RareOutput, Problem> {
        self.effects.add(1);
        Ok(RareOutput::NoContent)
    }

    async fn counted(&self, _: Caller<Counted>, _: CountedInput) -> Result<CountedOutput, Problem> {
        self.effects.add(1);
        Ok(CountedOutput::NoContent)
    }

    async fn wordy(&self, _: Caller<Wordy>, _: WordyInput) -> Result<WordyOutput, Problem> {
        self.effects.add(1);
        let headers = WordyNoContentHeaders { x_words: "a".repeat(1 << 20) };
        Ok(WordyOutput::NoContent(headers))
    }

    async fn plain_get(&self, _: Caller<PlainGet>, _: PlainGetInput) -> Result<PlainGetOutput, Problem> {
        self.effects.add(1);
        Ok(PlainGetOutput::NoContent)
    }

    async fn plain_put(&self, _: Caller<PlainPut>, input: PlainPutInput) -> Result<PlainPutOutput, Problem> {
        self.act(&input.body).await?;
        Ok(PlainPutOutput::NoContent)
    }

    async fn plain_delete(
        &self,
        _: Caller<PlainDelete>,
        _: PlainDeleteInput,
    ) -> Result<PlainDeleteOutput, Problem> {
        self.effects.add(1);
        Ok(PlainDeleteOutput::NoContent)
    }

    async fn plain(&self, _: Caller<Plain>, input: PlainInput) -> Result<PlainOutput, Problem> {
        self.act(&input.body).await?;
        Ok(PlainOutput::NoContent)
    }
}

#[derive(palisade::Resource)]
#[resource(api::resource::Account)]
pub struct AccountRow {
    #[attribute]
    owner: String,
}

impl ResolveAccount for Service {
    type Account = AccountRow;

    /// An account has its owner in its name: `alice-1`.
    async fn resolve_account(&self, id: &str) -> Result<Option<AccountRow>, Problem> {
        Ok(self.accounts.owner(id).map(|owner| AccountRow { owner }))
    }
}

pub const ALICE: &str = "/accounts/alice-1/transfers";
pub const BOB: &str = "/accounts/bob-1/transfers";
pub const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";
pub const OTHER_KEY: &str = "0b3e1c52-9c1d-4a7e-8f6a-77d2c9b5e0a1";

/// Where answers are kept, of one engine.
pub struct Store {
    engine: &'static str,
    pub clock: Clock,
    pub state: State,
    _place: Place,
}

/// What is there as long as the state is.
enum Place {
    Memory,
    Folder(#[expect(dead_code, reason = "it goes when this is dropped")] TempDir),
    Redis(#[expect(dead_code, reason = "it ends when this is dropped")] Server),
}

impl Store {
    fn of(engine: &'static str, make: impl FnOnce(&Clock) -> (State, Place)) -> Self {
        let clock = Clock::fixed(now());
        let (state, place) = make(&clock);
        Self { engine, clock, state, _place: place }
    }

    /// Those whose time is that of their clock: in memory, and in a file.
    pub fn of_its_clock() -> [Self; 2] {
        let in_file = |clock: &Clock| {
            let folder = tempfile::tempdir().unwrap();
            (State::open_of(folder.path().join("state"), 1000, clock.clone()).unwrap(), Place::Folder(folder))
        };
        let in_memory = |clock: &Clock| (State::memory_of(1000, clock.clone()), Place::Memory);
        [Self::of("in memory", in_memory), Self::of("in a file", in_file)]
    }

    async fn in_redis() -> Self {
        let redis = Server::durable().await;
        let state = State::redis(&redis.url()).await.unwrap();
        Self::of("in Redis", |_| (state, Place::Redis(redis)))
    }

    pub fn answers(&self) -> KeptAnswers {
        KeptAnswers::new(self.state.clone(), AnswerKeys::generate().unwrap())
    }

    pub async fn desk(&self) -> Desk {
        self.keeping(self.answers()).await
    }

    pub async fn keeping(&self, answers: KeptAnswers) -> Desk {
        Desk::of(self.clock.clone(), answers).await
    }
}

/// The same for the state in memory, in a file and in Redis.
pub async fn on_each_engine(test: impl AsyncFn(Store)) {
    let [memory, file] = Store::of_its_clock();
    each([memory, file, Store::in_redis().await], test).await;
}

/// The same for those whose time the test moves.
pub async fn on_each_clock(test: impl AsyncFn(Store)) {
    each(Store::of_its_clock(), test).await;
}

async fn each<const N: usize>(stores: [Store; N], test: impl AsyncFn(Store)) {
    let tests = stores.map(async |store| {
        let engine = store.engine;
        test(store).await;
        println!("passed: {engine}");
    });
    futures_util::future::join_all(tests).await;
}

/// A running server.
pub struct Desk {
    pub client: Client,
    pub signer: Signer,
    pub effects: Effects,
    pub accounts: Accounts,
    pub clock: Clock,
}

impl Desk {
    pub async fn of(clock: Clock, answers: KeptAnswers) -> Self {
        Self::with(Signer::new("k1"), Effects::default(), clock, answers).await
    }

    pub async fn with(signer: Signer, effects: Effects, clock: Clock, answers: KeptAnswers) -> Self {
        let settings = Settings::default().clock(clock.clone());
        Self::counting(signer, effects, clock, answers, settings).await
    }

    pub async fn counting(
        signer: Signer,
        effects: Effects,
        clock: Clock,
        answers: KeptAnswers,
        settings: Settings,
    ) -> Self {
        let jwt = Jwt::new(palisade::JwkSet::from_json(signer.jwks()).unwrap());
        let accounts = Accounts::default();
        let server = server(Service { effects: effects.clone(), accounts: accounts.clone() })
            .token(jwt)
            .idempotency(answers)
            .settings(settings)
            .build()
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        tokio::spawn(async move { palisade::serve(server).listener(listener).await });
        Self { client, signer, effects, accounts, clock }
    }

    pub fn alice(&self) -> String {
        self.signer.token("alice", "notes:write")
    }

    /// Alice by a token that is good by its clock.
    pub fn alice_now(&self) -> String {
        let mut claims = claims("alice", "notes:write");
        let now = self.clock.now().unwrap().unix();
        claims["iat"] = now.into();
        claims["exp"] = (now + 60).into();
        self.signer.sign(&header("k1"), &claims)
    }

    pub fn bob(&self) -> String {
        self.signer.token("bob", "notes:write")
    }

    /// A transfer of Alice.
    pub fn transfer(&self, key: &str, act: &str) -> Call {
        self.post(ALICE, key, act).token(&self.alice())
    }

    pub fn post(&self, path: &str, key: &str, act: &str) -> Call {
        self.client.post(path, &order(act, 5)).header("idempotency-key", key)
    }
}

/// Why there is no server that keeps answers so.
pub fn refused(answers: KeptAnswers) -> String {
    let jwt = Jwt::new(palisade::JwkSet::from_json(Signer::new("k1").jwks()).unwrap());
    let service = Service { effects: Effects::default(), accounts: Accounts::default() };
    let server = server(service).token(jwt).idempotency(answers);
    server.settings(Settings::default()).build().unwrap_err().to_string()
}

pub fn order(act: &str, amount: i64) -> String {
    format!(r#"{{"act":"{act}","amount":{amount}}}"#)
}

pub fn in_memory(clock: &Clock) -> KeptAnswers {
    KeptAnswers::new(State::memory_of(1000, clock.clone()), palisade::AnswerKeys::generate().unwrap())
}

/// What came of one call that was sent several times at once: the answers that differ, and how often it was in progress.
pub async fn answers(calls: Vec<JoinHandle<Reply>>) -> (Vec<Bytes>, usize) {
    let (mut bodies, mut in_progress) = (Vec::new(), 0);
    for call in calls {
        let reply = call.await.unwrap();
        if reply.status == 201 {
            bodies.push(reply.body);
        } else {
            reply.refused(409, "idempotency_in_progress");
            assert_eq!(reply.header("retry-after"), "1");
            in_progress += 1;
        }
    }
    bodies.dedup();
    (bodies, in_progress)
}
