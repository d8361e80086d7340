//! The server of `specs/disk.yaml` in a folder: `disk-server FOLDER`. All that it remembers lies in the file `state` there. Its first
//! start leaves keys beside it: `filed`, which lies in a file of its own, `kept` and `revoked`, which lie in the state. It says where
//! it listens; the file `beside` says where it tells of itself: `/readyz`, `/livez`, `/told` what was logged, and `/ran` how many
//! handlers ran.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::routing::get;
use palisade::{
    AnswerKeys, ApiKeys, Caller, KeptAnswers, KeptLimits, KeyAdmin, KeyRequest, Problem, Readiness, Settings,
    State,
};
use palisade_tests::events;
use tokio::net::TcpListener;

#[allow(missing_docs, dead_code, reason = "as it is generated")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/disk.rs"));
}

use api::*;

#[derive(Clone, Default)]
struct App(Arc<AtomicUsize>);

impl Disk for App {
    async fn add_note(&self, _: Caller<AddNote>, input: AddNoteInput) -> Result<AddNoteOutput, Problem> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(AddNoteOutput::Created(input.body))
    }

    async fn get_few(&self, _: Caller<GetFew>, _: GetFewInput) -> Result<GetFewOutput, Problem> {
        Ok(GetFewOutput::NoContent)
    }

    async fn get_kept(&self, _: Caller<GetKept>, _: GetKeptInput) -> Result<GetKeptOutput, Problem> {
        Ok(GetKeptOutput::NoContent)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    events::collect();
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "somebody panicked")));
    let folder = std::env::args_os().nth(1).ok_or("FOLDER")?;
    let folder = Path::new(&folder);
    let state = State::open(folder.join("state"))?;
    let kept = ApiKeys::kept_in(state.clone(), "partners");
    let of_file = folder.join("keys");
    if !of_file.exists() {
        std::fs::write(&of_file, "")?;
        make_keys(folder, &ApiKeys::from_file(&of_file)?, &kept).await?;
    }
    let app = App::default();
    tell(folder, &state, app.clone()).await?;
    let answers = AnswerKeys::from_list("k:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=")?;
    let server = server(app)
        .filed(ApiKeys::from_file(&of_file)?)
        .kept(kept)
        .idempotency(KeptAnswers::new(state.clone(), answers))
        .settings(Settings::new().limits_kept(KeptLimits::load(state).await?))
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    std::io::stdout().lock().write_all(format!("{}\n", listener.local_addr()?).as_bytes())?;
    palisade::serve(server).listener(listener).await?;
    Ok(())
}

async fn make_keys(folder: &Path, filed: &ApiKeys, kept: &ApiKeys) -> Result<(), Box<dyn Error>> {
    for (name, keys, scheme) in [("filed", filed, "filed"), ("kept", kept, "kept"), ("revoked", kept, "kept")]
    {
        let admin = KeyAdmin::new(keys, &DOCUMENT, scheme)?;
        let request = KeyRequest {
            owner: "acme".to_owned(),
            scopes: vec!["notes:write".to_owned()],
            ..KeyRequest::default()
        };
        let made = admin.create(&request, |_| true).await?;
        // looked at to be shown to the test
        std::fs::write(folder.join(name), made.key.expose())?;
        if name == "revoked" {
            admin.revoke(&made.info.id).await?;
        }
    }
    Ok(())
}

async fn tell(folder: &Path, state: &State, app: App) -> Result<(), Box<dyn Error>> {
    let ran = move || async move { app.0.load(Ordering::SeqCst).to_string() };
    let readiness = Readiness::new().state("state", state);
    readiness.start();
    let beside =
        readiness.routes().route("/told", get(|| async { events::everything() })).route("/ran", get(ran));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    std::fs::write(folder.join("beside"), listener.local_addr()?.to_string())?;
    tokio::spawn(async move { axum::serve(listener, beside).await });
    Ok(())
}
