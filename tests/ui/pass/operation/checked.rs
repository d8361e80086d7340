//! A handler struct that says what the document says.
palisade::api!("../../openapi.yaml");

use palisade::{Caller, Operation as _};

#[derive(palisade::Operation)]
#[operation(spec = "../../openapi.yaml", id = "getTask")]
struct GetTask {
    task_id: palisade::types::Uuid,
    depth: Option<i32>,
    lang: String,
    caller: Caller<Self>,
}

#[derive(palisade::Operation)]
#[operation(spec = "../../openapi.yaml", id = "addTask", types = crate::api)]
struct AddTask {
    body: api::NewTask,
    caller: Caller<Self>,
}

async fn get_task(op: GetTask) -> String {
    format!("{} {:?} {} {}", op.task_id, op.depth, op.lang, op.caller.request_id())
}

async fn add_task(op: AddTask) -> String {
    format!("{} {}", op.body.title, op.caller.request_id())
}

#[derive(Clone)]
struct App {
    gate: palisade::Gate,
}

impl axum::extract::FromRef<App> for palisade::Gate {
    fn from_ref(app: &App) -> Self {
        app.gate.clone()
    }
}

fn app(app: App) -> axum::Router {
    axum::Router::new()
        .route(GetTask::PATH, axum::routing::get(get_task))
        .route(AddTask::PATH, axum::routing::post(add_task))
        .layer(app.gate.layer())
        .with_state(app)
}

fn main() {
    let _ = app;
    assert_eq!(GetTask::PATH, "/tasks/{taskId}");
    assert_eq!(GetTask::DOCUMENT.hash, api::DOCUMENT.hash);
    assert_eq!(AddTask::POLICY.id, api::AddTask::POLICY.id);
}
