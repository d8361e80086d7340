//! The server of `specs/attacks.yaml`: what the lists of hostile tokens and requests are run against.

pub mod frames;
pub mod keys;
pub mod proof;
pub mod raw;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use palisade::cursor::CursorKeys;
use palisade::types::Uuid;
use palisade::{ApiKeys, Caller, Clock, JwkSet, Jwt, KeptAnswers, KeyRecord, NewKey, Problem, Settings};
use serde_json::{Value, json};

use self::keys::{ALGORITHMS, Signing};
use crate::tokens::{ISSUER, now};

/// The generated module.
#[allow(clippy::all, reason = "what matters here is what it answers")]
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/attacks.rs"));
}

use api::*;

/// The audience of every scheme.
pub const AUDIENCE: &str = "attacks";
/// Where clients see the server.
pub const ORIGIN: &str = "https://api.example.com";
/// Alice's note; Bob has none.
pub const NOTE: &str = "0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";

/// How many notes were created in this process.
pub static CREATED: AtomicI64 = AtomicI64::new(0);

/// A running server and the keys that it trusts, one for each of [`ALGORITHMS`].
#[derive(Debug)]
pub struct Fortress {
    pub address: SocketAddr,
    pub keys: Arc<[Signing]>,
    /// An API key with `notes:read`, for the cookie `sid`.
    pub session: String,
}

/// A list of attacks that lies beside the checkout, or `None` with a line that says so.
pub fn list(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/suites").join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("the list is not at {}: nothing of it is tested", path.display());
    }
    text
}

/// The name of an algorithm's key.
pub fn kid(algorithm: &str) -> String {
    format!("key-{}", algorithm.to_lowercase())
}

/// The server, unless it lacks something: only of `es256` the document says neither who issues its tokens nor for whom.
pub fn build(
    keys: &[Signing],
    es256: Jwt,
    session: KeyRecord,
    settings: Settings,
) -> Result<palisade::Server, palisade::ConfigError> {
    server(Service)
        .es256(es256)
        .es384(jwt(keys, "ES384"))
        .eddsa(jwt(keys, "EdDSA"))
        .rs256(jwt(keys, "RS256"))
        .ps256(jwt(keys, "PS256"))
        .hs256(jwt(keys, "HS256"))
        .es256_at(jwt(keys, "ES256"))
        .es384_at(jwt(keys, "ES384"))
        .eddsa_at(jwt(keys, "EdDSA"))
        .rs256_at(jwt(keys, "RS256"))
        .ps256_at(jwt(keys, "PS256"))
        .hs256_at(jwt(keys, "HS256"))
        .proven(jwt(keys, "ES256"))
        .session(ApiKeys::new([session]).expect("a good record"))
        .cursor_keys(CursorKeys::generate().expect("randomness"))
        .idempotency(KeptAnswers::in_memory().expect("randomness"))
        // each attack is to be refused for what it is
        .settings(settings.public_origin(ORIGIN).expect("an origin").failed_attempts(u32::MAX, u32::MAX))
        .build()
}

/// A key for the cookie.
pub fn session() -> NewKey {
    let now = Clock::system().now().expect("the time");
    NewKey::generate("attacks_test", "partner", &["notes:read"], now, None).expect("a key")
}

/// What verifies the tokens of one of the keys.
pub fn jwt(keys: &[Signing], algorithm: &str) -> Jwt {
    let key = keys.iter().find(|key| key.algorithm == algorithm).expect("one of the algorithms");
    let set = json!({ "keys": [key.jwk(&kid(algorithm))] }).to_string();
    Jwt::new(JwkSet::from_json(&set).expect("a key set"))
}

impl Fortress {
    pub async fn start(settings: Settings) -> Self {
        Self::with(ALGORITHMS.into_iter().map(Signing::new).collect(), settings).await
    }

    /// Another server that trusts the same keys.
    pub async fn with(keys: Arc<[Signing]>, settings: Settings) -> Self {
        let (server, session) = Self::build(&keys, settings);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { palisade::serve(server).listener(listener).await });
        Self { address, keys, session }
    }

    /// The server alone, and the key for its cookie.
    pub fn build(keys: &[Signing], settings: Settings) -> (palisade::Server, String) {
        let es256 = jwt(keys, "ES256").issuer(ISSUER).audience(AUDIENCE);
        let NewKey { key, record } = session();
        (build(keys, es256, record, settings).expect("a complete server"), key.expose().clone())
    }

    pub fn key(&self, algorithm: &str) -> &Signing {
        self.keys.iter().find(|key| key.algorithm == algorithm).expect("one of the algorithms")
    }

    /// A good token by ES256.
    pub fn token(&self, subject: &str, scope: &str) -> String {
        self.sign("ES256", "JWT", &claims(subject, scope, now()))
    }

    /// A token of this type with these claims.
    pub fn sign(&self, algorithm: &str, typ: &str, claims: &Value) -> String {
        let header = json!({ "alg": algorithm, "typ": typ, "kid": kid(algorithm) });
        self.key(algorithm).token(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }
}

/// Claims that are good for every door, from now on for ten minutes.
pub fn claims(subject: &str, scope: &str, now: u64) -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "scope": scope, "client_id": "app", "jti": "good",
        "iat": now, "nbf": now - 1, "exp": now + 600,
    })
}

/// The service.
#[derive(Debug)]
pub struct Service;

fn who<Op: palisade::operation::Operation>(caller: &Caller<Op>) -> Who {
    Who { subject: caller.identity().map_or("nobody", |principal| principal.subject()).to_owned() }
}

/// The handlers of the doors: each says who came in.
macro_rules! doors {
    ($($method:ident $operation:ident $input:ident $output:ident;)*) => {
        impl Doors for Service {
            $(async fn $method(&self, caller: Caller<$operation>, _: $input) -> Result<$output, Problem> {
                Ok($output::Ok(who(&caller)))
            })*
        }
    };
}

doors! {
    any_es256 AnyEs256 AnyEs256Input AnyEs256Output;
    any_es384 AnyEs384 AnyEs384Input AnyEs384Output;
    any_eddsa AnyEddsa AnyEddsaInput AnyEddsaOutput;
    any_rs256 AnyRs256 AnyRs256Input AnyRs256Output;
    any_ps256 AnyPs256 AnyPs256Input AnyPs256Output;
    any_hs256 AnyHs256 AnyHs256Input AnyHs256Output;
    at_es256 AtEs256 AtEs256Input AtEs256Output;
    at_es384 AtEs384 AtEs384Input AtEs384Output;
    at_eddsa AtEddsa AtEddsaInput AtEddsaOutput;
    at_rs256 AtRs256 AtRs256Input AtRs256Output;
    at_ps256 AtPs256 AtPs256Input AtPs256Output;
    at_hs256 AtHs256 AtHs256Input AtHs256Output;
}

/// Where a page ends: the number of the last row.
#[derive(Debug, palisade::Position)]
struct Row {
    number: i64,
}

/// Rows of the walked list.
const ROWS: i64 = 5;

fn note(number: i64) -> Note {
    Note { id: Uuid::from_u128(number.unsigned_abs().into()), title: format!("note {number}") }
}

impl Notes for Service {
    async fn get_status(&self, _: Caller<GetStatus>, _: GetStatusInput) -> Result<GetStatusOutput, Problem> {
        Ok(GetStatusOutput::NoContent)
    }

    async fn get_session(
        &self,
        _: Caller<GetSession>,
        _: GetSessionInput,
    ) -> Result<GetSessionOutput, Problem> {
        Ok(GetSessionOutput::NoContent)
    }

    async fn get_proven(&self, _: Caller<GetProven>, _: GetProvenInput) -> Result<GetProvenOutput, Problem> {
        Ok(GetProvenOutput::NoContent)
    }

    async fn get_door(&self, _: Caller<GetDoor>, _: GetDoorInput) -> Result<GetDoorOutput, Problem> {
        Ok(GetDoorOutput::NoContent)
    }

    async fn create_note(
        &self,
        _: Caller<CreateNote>,
        input: CreateNoteInput,
    ) -> Result<CreateNoteOutput, Problem> {
        let number = CREATED.fetch_add(1, Ordering::SeqCst);
        Ok(CreateNoteOutput::Created(Note { title: input.body.title, ..note(number) }))
    }

    async fn create_payment(
        &self,
        _: Caller<CreatePayment>,
        input: CreatePaymentInput,
    ) -> Result<CreatePaymentOutput, Problem> {
        let number = CREATED.fetch_add(1, Ordering::SeqCst);
        Ok(CreatePaymentOutput::Created(Note { title: input.body.title, ..note(number) }))
    }

    async fn list_notes(
        &self,
        caller: Caller<ListNotes>,
        input: ListNotesInput,
    ) -> Result<ListNotesOutput, Problem> {
        let first = caller.position::<Row>()?.map_or(1, |row| row.number + 1);
        let last = ROWS.min(first + i64::from(input.limit) - 1);
        let next_cursor = (last < ROWS).then(|| caller.seal(&Row { number: last })).transpose()?;
        Ok(ListNotesOutput::Ok(NotePage { data: (first..=last).map(note).collect(), next_cursor }))
    }

    async fn get_note(&self, _: Caller<GetNote>, input: GetNoteInput) -> Result<GetNoteOutput, Problem> {
        Ok(GetNoteOutput::Ok(Note { id: input.note_id, title: "mine".to_owned() }))
    }

    async fn count_note(&self, _: Caller<CountNote>, _: CountNoteInput) -> Result<CountNoteOutput, Problem> {
        Ok(CountNoteOutput::NoContent)
    }
}

/// The row of a note.
#[derive(Debug, palisade::Resource)]
#[resource(api::resource::Note)]
pub struct NoteRow {
    #[attribute]
    owner: String,
}

impl ResolveNote for Service {
    type Note = NoteRow;

    async fn resolve_note(&self, id: &str) -> Result<Option<NoteRow>, Problem> {
        Ok((id == NOTE).then(|| NoteRow { owner: "alice".to_owned() }))
    }
}
