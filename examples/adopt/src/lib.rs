//! An axum application with routes and a state of its own, in which two routes are guarded by palisade.
//!
//! What had to change for them: a [`Gate`] in the state, a layer around the router, and the argument of the two handlers.

use std::sync::{Arc, RwLock};

use axum::Json;
use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use palisade::{ApiKeys, Attributes, Caller, ConfigError, Gate, Guarded, Jwt, Problem};
use serde::Serialize;

/// Something to do.
#[derive(Clone, Debug, Serialize)]
pub struct Task {
    id: i64,
    title: String,
    assignee: String,
    done: bool,
}

/// The state that the application had before, and the gate.
#[derive(Clone, FromRef)]
struct App {
    tasks: Tasks,
    gate: Gate,
}

type Tasks = Arc<RwLock<Vec<Task>>>;

/// `GET /tasks/{taskId}`: a path parameter and a token, for whom the task is assigned to.
#[derive(palisade::Operation)]
#[operation(spec = "openapi.yaml", id = "getTask")]
struct GetTask {
    task_id: i64,
    #[expect(dead_code, reason = "the gate has compared the assignee already; the proof stays all the same")]
    caller: Caller<Self>,
}

/// `GET /search`: query parameters and an API key.
#[derive(palisade::Operation)]
#[operation(spec = "openapi.yaml", id = "searchTasks")]
struct SearchTasks {
    words: String,
    limit: i32,
    done: Option<bool>,
    caller: Caller<Self>,
}

async fn get_task(State(tasks): State<Tasks>, operation: GetTask) -> Result<Json<Task>, Problem> {
    find(&tasks, operation.task_id).map(Json).ok_or_else(Problem::not_found)
}

async fn search_tasks(State(tasks): State<Tasks>, operation: SearchTasks) -> Json<Vec<Task>> {
    let SearchTasks { words, limit, done, caller } = operation;
    tracing::info!(job = caller.principal().subject(), "search");
    let wanted = |task: &&Task| task.title.contains(&words) && done.is_none_or(|done| task.done == done);
    let limit = usize::try_from(limit).unwrap_or(0);
    Json(read(&tasks, |tasks| tasks.iter().filter(wanted).take(limit).cloned().collect()))
}

/// A route of the application that stays as it was.
async fn count(State(tasks): State<Tasks>) -> String {
    read(&tasks, |tasks| format!("{} tasks\n", tasks.len()))
}

/// Another one.
async fn ping() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// The application.
///
/// # Errors
/// When the verifiers do not fit the document.
pub fn app(tokens: Jwt, keys: ApiKeys) -> Result<Guarded, ConfigError> {
    let tasks: Tasks = Arc::new(RwLock::new(first_tasks()));
    let book = Arc::clone(&tasks);
    let gate = Gate::builder()
        .bearer("staff", tokens)
        .api_key("report", keys)
        .resolver("Task", move |id| {
            let found = id.parse().ok().and_then(|id| find(&book, id));
            async move { Ok(found.map(|task| Attributes::new().with("assignee", task.assignee.as_str()))) }
        })
        .operation::<GetTask>()
        .operation::<SearchTasks>()
        .build()?;
    let app = Router::new()
        .route("/", get(count))
        .route("/ping", post(ping))
        .route(GetTask::PATH, get(get_task))
        .route(SearchTasks::PATH, get(search_tasks))
        .layer(gate.layer())
        .with_state(App { tasks, gate: gate.clone() });
    Ok(gate.guards(app))
}

fn find(tasks: &Tasks, id: i64) -> Option<Task> {
    read(tasks, |tasks| tasks.iter().find(|task| task.id == id).cloned())
}

/// A list that a panicking writer left behind is still a list.
fn read<T>(tasks: &Tasks, look: impl FnOnce(&[Task]) -> T) -> T {
    look(&tasks.read().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn first_tasks() -> Vec<Task> {
    let task = |(id, title, assignee, done): (i64, &str, &str, bool)| Task {
        id,
        title: title.to_owned(),
        assignee: assignee.to_owned(),
        done,
    };
    [
        (1, "water the plants", "alice", false),
        (2, "water the lawn", "bob", true),
        (3, "call the bank", "alice", true),
    ]
    .map(task)
    .to_vec()
}
