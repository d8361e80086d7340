//! The server of `specs/gate.yaml`, started on a port of the system's choice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use palisade::cursor::CursorKeys;
use palisade::operation::Paginated;
use palisade::{
    ApiKeys, Caller, Clock, Forward, Jwt, KeyRecord, NewKey, Page, PageFrom, PasswordRecord, Passwords,
    Problem, Secret, Settings,
};

use crate::client::Client;
use crate::tokens::Signer;

/// The generated module.
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/gate.rs"));
}

use api::*;

/// Alice's note; Bob has none.
pub const NOTE: &str = "0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";

/// The service: enough behaviour to see who got through.
#[derive(Debug, Default)]
pub struct Service {
    /// How often a handler with effects ran to its end.
    effects: Arc<AtomicUsize>,
}

/// A running server and what it trusts.
pub struct Gate {
    pub client: Client,
    pub signer: Signer,
    /// An API key of `partner` with `notes:read`.
    pub reader_key: String,
    /// An API key of `partner` with `notes:write`.
    pub writer_key: String,
    /// All API keys, to take some away.
    pub keys: ApiKeys,
    /// The records of the two keys.
    pub records: [KeyRecord; 2],
    /// How often a handler with effects ran to its end.
    pub effects: Arc<AtomicUsize>,
    /// Tells the server to stop, as dropping it does.
    pub stop: tokio::sync::oneshot::Sender<()>,
    /// Ends when the server has stopped.
    pub stopped: tokio::task::JoinHandle<()>,
}

impl Gate {
    pub async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    pub async fn with(settings: Settings) -> Self {
        Self::sealing(settings, CursorKeys::generate().expect("randomness")).await
    }

    /// With these keys of cursors.
    pub async fn sealing(settings: Settings, cursors: CursorKeys) -> Self {
        let signer = Signer::new("k1");
        let ([reader_key, writer_key], records) = keys();
        let keys = ApiKeys::new(records.clone()).expect("good records");
        let service = Service::default();
        let effects = Arc::clone(&service.effects);
        let server = complete(service, &signer, &keys, settings, cursors);
        let (stop, told) = tokio::sync::oneshot::channel();
        let (address, stopped) = start(server, told).await;
        let client = Client(address);
        Self { client, signer, reader_key, writer_key, keys, records, effects, stop, stopped }
    }

    /// A token of Alice with both scopes.
    pub fn alice(&self) -> String {
        self.signer.token("alice", "notes:read notes:write")
    }

    pub fn bob(&self) -> String {
        self.signer.token("bob", "notes:read notes:write")
    }
}

/// The server, for who calls it without a socket.
pub fn complete(
    service: Service,
    signer: &Signer,
    keys: &ApiKeys,
    settings: Settings,
    cursors: CursorKeys,
) -> palisade::Server {
    let jwt = || Jwt::new(palisade::JwkSet::from_json(signer.jwks()).expect("a key set"));
    server(service)
        .token(jwt())
        .flow(jwt())
        .sso(jwt().accept_from_loopback_only())
        .key(keys.clone())
        .feed(keys.clone())
        .bot(keys.clone())
        .password(passwords())
        .cursor_keys(cursors)
        .settings(settings)
        .build()
        .expect("a complete server")
}

async fn start(
    server: palisade::Server,
    told: tokio::sync::oneshot::Receiver<()>,
) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = palisade::serve(server).listener(listener).shutdown(async { _ = told.await });
    (address, tokio::spawn(async move { serving.await.expect("it serves") }))
}

fn keys() -> ([String; 2], [KeyRecord; 2]) {
    let now = Clock::system().now().unwrap();
    let made = ["notes:read", "notes:write"]
        .map(|scope| NewKey::generate("gate_test", "partner", &[scope], now, None).unwrap());
    (made.each_ref().map(|new| new.key.expose().clone()), made.map(|new| new.record))
}

fn passwords() -> Passwords {
    let password = Secret::new("correct horse battery staple".to_owned());
    Passwords::new([PasswordRecord::new("carol", &password, &[]).unwrap()]).unwrap()
}

fn who<Op: palisade::operation::Operation>(caller: &Caller<Op>) -> Who {
    Who { subject: caller.identity().map_or("nobody", |principal| principal.subject()).to_owned() }
}

impl Doors for Service {
    async fn get_open(&self, _: Caller<GetOpen>, _: GetOpenInput) -> Result<GetOpenOutput, Problem> {
        Ok(GetOpenOutput::NoContent)
    }

    async fn get_token(&self, caller: Caller<GetToken>, _: GetTokenInput) -> Result<GetTokenOutput, Problem> {
        assert_eq!(caller.principal().subject(), caller.identity().expect("a principal").subject());
        Ok(GetTokenOutput::Ok(who(&caller)))
    }

    async fn post_form(&self, _: Caller<PostForm>, _: PostFormInput) -> Result<PostFormOutput, Problem> {
        Ok(PostFormOutput::NoContent)
    }

    async fn put_form(&self, _: Caller<PutForm>, _: PutFormInput) -> Result<PutFormOutput, Problem> {
        Ok(PutFormOutput::NoContent)
    }

    async fn get_key(&self, caller: Caller<GetKey>, _: GetKeyInput) -> Result<GetKeyOutput, Problem> {
        Ok(GetKeyOutput::Ok(who(&caller)))
    }

    async fn get_feed(&self, caller: Caller<GetFeed>, input: GetFeedInput) -> Result<GetFeedOutput, Problem> {
        let subject = format!("{} {:?}", who(&caller).subject, input.since);
        Ok(GetFeedOutput::Ok(Who { subject }))
    }

    async fn purge_feed(
        &self,
        caller: Caller<PurgeFeed>,
        _: PurgeFeedInput,
    ) -> Result<PurgeFeedOutput, Problem> {
        Ok(PurgeFeedOutput::Ok(who(&caller)))
    }

    async fn get_password(
        &self,
        caller: Caller<GetPassword>,
        _: GetPasswordInput,
    ) -> Result<GetPasswordOutput, Problem> {
        Ok(GetPasswordOutput::Ok(who(&caller)))
    }

    async fn get_sso(&self, caller: Caller<GetSso>, _: GetSsoInput) -> Result<GetSsoOutput, Problem> {
        Ok(GetSsoOutput::Ok(who(&caller)))
    }

    async fn get_either(
        &self,
        caller: Caller<GetEither>,
        _: GetEitherInput,
    ) -> Result<GetEitherOutput, Problem> {
        Ok(GetEitherOutput::Ok(who(&caller)))
    }

    async fn get_bot(&self, caller: Caller<GetBot>, _: GetBotInput) -> Result<GetBotOutput, Problem> {
        Ok(GetBotOutput::Ok(who(&caller)))
    }

    async fn get_by_any_key(
        &self,
        caller: Caller<GetByAnyKey>,
        _: GetByAnyKeyInput,
    ) -> Result<GetByAnyKeyOutput, Problem> {
        Ok(GetByAnyKeyOutput::Ok(who(&caller)))
    }

    async fn put_by_both_keys(
        &self,
        caller: Caller<PutByBothKeys>,
        _: PutByBothKeysInput,
    ) -> Result<PutByBothKeysOutput, Problem> {
        Ok(PutByBothKeysOutput::Ok(who(&caller)))
    }

    async fn post_both(&self, caller: Caller<PostBoth>, _: PostBothInput) -> Result<PostBothOutput, Problem> {
        Ok(PostBothOutput::Ok(who(&caller)))
    }

    async fn post_flows(
        &self,
        caller: Caller<PostFlows>,
        _: PostFlowsInput,
    ) -> Result<PostFlowsOutput, Problem> {
        Ok(PostFlowsOutput::Ok(who(&caller)))
    }

    async fn get_optional(
        &self,
        caller: Caller<GetOptional>,
        _: GetOptionalInput,
    ) -> Result<GetOptionalOutput, Problem> {
        Ok(GetOptionalOutput::Ok(who(&caller)))
    }

    async fn get_few(&self, _: Caller<GetFew>, _: GetFewInput) -> Result<GetFewOutput, Problem> {
        Ok(GetFewOutput::NoContent)
    }

    async fn get_once(&self, _: Caller<GetOnce>, _: GetOnceInput) -> Result<GetOnceOutput, Problem> {
        Ok(GetOnceOutput::NoContent)
    }

    async fn get_door(&self, _: Caller<GetDoor>, _: GetDoorInput) -> Result<GetDoorOutput, Problem> {
        Ok(GetDoorOutput::NoContent)
    }

    async fn get_shared(&self, _: Caller<GetShared>, _: GetSharedInput) -> Result<GetSharedOutput, Problem> {
        Ok(GetSharedOutput::NoContent)
    }
}

/// Where a page ends: the number of the last row.
#[derive(Debug, palisade::Position)]
struct Row {
    number: i64,
}

/// Rows of the walked list.
const ROWS: i64 = 5;

/// Rows of the list that takes long to walk.
const COPIES: i64 = 150;

impl Notes for Service {
    async fn list_notes(
        &self,
        caller: Caller<ListNotes>,
        input: ListNotesInput,
    ) -> Result<ListNotesOutput, Problem> {
        Ok(ListNotesOutput::Ok(page(&caller, input.limit, ROWS)?))
    }

    async fn list_copies(
        &self,
        caller: Caller<ListCopies>,
        input: ListCopiesInput,
    ) -> Result<ListCopiesOutput, Problem> {
        Ok(ListCopiesOutput::Ok(page(&caller, input.limit, COPIES)?))
    }

    async fn update_note(
        &self,
        _: Caller<UpdateNote>,
        _: UpdateNoteInput,
    ) -> Result<UpdateNoteOutput, Problem> {
        Ok(UpdateNoteOutput::NoContent)
    }

    async fn create_note(
        &self,
        _: Caller<CreateNote>,
        input: CreateNoteInput,
    ) -> Result<CreateNoteOutput, Problem> {
        if input.body.title == "taken" {
            return Ok(CreateNoteOutput::Conflict);
        }
        Ok(CreateNoteOutput::Created(Note { id: palisade_uuid(1), title: input.body.title }))
    }

    async fn list_shelf(
        &self,
        caller: Caller<ListShelf>,
        input: ListShelfInput,
    ) -> Result<ListShelfOutput, Problem> {
        let rows: Vec<i64> = match caller.position::<Row>()? {
            PageFrom::Start => (1..=ROWS).collect(),
            PageFrom::After(row) => (row.number + 1..=ROWS).collect(),
            PageFrom::Before(row) => (1..row.number).rev().collect(),
        };
        let Page { items, next, previous, .. } =
            caller.page(rows, input.limit, |number| Row { number: *number })?;
        let data = items.into_iter().map(note).collect();
        Ok(ListShelfOutput::Ok(ShelfPage { data, next_cursor: next, previous_cursor: previous }))
    }

    async fn get_note(&self, _: Caller<GetNote>, input: GetNoteInput) -> Result<GetNoteOutput, Problem> {
        Ok(GetNoteOutput::Ok(Note { id: input.note_id, title: "mine".to_owned() }))
    }
}

fn page<Op: Paginated<Direction = Forward>>(
    caller: &Caller<Op>,
    limit: i32,
    rows: i64,
) -> Result<NotePage, Problem> {
    let first = caller.position::<Row>()?.map_or(1, |row| row.number + 1);
    let page = caller.page(first..=rows, limit, |number| Row { number: *number })?;
    Ok(NotePage { data: page.items.into_iter().map(note).collect(), next_cursor: page.next })
}

fn note(number: i64) -> Note {
    Note { id: palisade_uuid(number), title: format!("note {number}") }
}

fn palisade_uuid(number: i64) -> palisade::types::Uuid {
    palisade::types::Uuid::from_u128(number.unsigned_abs().into())
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
        match id {
            NOTE => Ok(Some(NoteRow { owner: "alice".to_owned() })),
            "00000000-0000-0000-0000-00000000dead" => {
                Err(Problem::internal("the store is away: secret-path"))
            }
            "00000000-0000-0000-0000-00000000aced" => std::future::pending().await,
            _ => Ok(None),
        }
    }
}

impl Faults for Service {
    async fn get_panic(&self, _: Caller<GetPanic>, _: GetPanicInput) -> Result<GetPanicOutput, Problem> {
        panic!("secret-panic")
    }

    async fn post_panic(&self, _: Caller<PostPanic>, _: PostPanicInput) -> Result<PostPanicOutput, Problem> {
        panic!("secret-panic")
    }

    async fn get_slow(&self, _: Caller<GetSlow>, _: GetSlowInput) -> Result<GetSlowOutput, Problem> {
        tokio::time::sleep(Duration::from_secs(30)).await;
        Ok(GetSlowOutput::NoContent)
    }

    async fn post_slow(&self, _: Caller<PostSlow>, input: PostSlowInput) -> Result<PostSlowOutput, Problem> {
        tokio::time::sleep(Duration::from_millis(400)).await;
        if input.fail == Some(true) {
            return Err(Problem::internal("it failed when nobody was waiting"));
        }
        self.effects.fetch_add(1, Ordering::SeqCst);
        Ok(PostSlowOutput::NoContent)
    }

    async fn get_unfit(&self, _: Caller<GetUnfit>, _: GetUnfitInput) -> Result<GetUnfitOutput, Problem> {
        Ok(GetUnfitOutput::Ok(Note {
            id: palisade_uuid(1),
            title: "longer than twenty characters".to_owned(),
        }))
    }

    async fn get_undeclared(
        &self,
        _: Caller<GetUndeclared>,
        _: GetUndeclaredInput,
    ) -> Result<GetUndeclaredOutput, Problem> {
        Err(Problem::new(418, "teapot", "the document does not declare this"))
    }
}
