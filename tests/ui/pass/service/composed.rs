//! Two handler structs serve one document together.
palisade::api!("../../openapi.yaml");

use palisade::{Caller, Problem};

struct TaskHandlers;
struct StatusHandlers;

struct TaskRow;

impl api::resource::Task for TaskRow {
    fn assignee(&self) -> &str {
        "mia"
    }
    fn urgent(&self) -> bool {
        false
    }
}

impl api::Tasks for TaskHandlers {
    async fn get_task(
        &self,
        _: Caller<api::GetTask>,
        _: api::GetTaskInput,
    ) -> Result<api::GetTaskOutput, Problem> {
        Err(Problem::not_implemented())
    }
    async fn add_task(
        &self,
        _: Caller<api::AddTask>,
        _: api::AddTaskInput,
    ) -> Result<api::AddTaskOutput, Problem> {
        Err(Problem::not_implemented())
    }
}

impl api::ResolveTask for TaskHandlers {
    type Task = TaskRow;
    async fn resolve_task(&self, _: &str) -> Result<Option<TaskRow>, Problem> {
        Ok(None)
    }
}

impl api::Status for StatusHandlers {
    async fn get_status(
        &self,
        _: Caller<api::GetStatus>,
        _: api::GetStatusInput,
    ) -> Result<api::GetStatusOutput, Problem> {
        Ok(api::GetStatusOutput::NoContent)
    }
}

#[derive(palisade::Service)]
struct Desk<T: api::Tasks + api::ResolveTask> {
    #[serves(api::Tasks, api::ResolveTask)]
    tasks: T,
    #[serves(api::Status)]
    status: StatusHandlers,
}

fn main() {
    let _ = api::server(Desk { tasks: TaskHandlers, status: StatusHandlers });
}
