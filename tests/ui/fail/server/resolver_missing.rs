palisade::api!("../../openapi.yaml");

use palisade::{Caller, Problem};

struct Desk;

impl api::Tasks for Desk {
    async fn get_task(&self, _: Caller<api::GetTask>, _: api::GetTaskInput) -> Result<api::GetTaskOutput, Problem> {
        Err(Problem::not_implemented())
    }
    async fn add_task(&self, _: Caller<api::AddTask>, _: api::AddTaskInput) -> Result<api::AddTaskOutput, Problem> {
        Err(Problem::not_implemented())
    }
}

impl api::Lists for Desk {
    async fn list_tasks(
        &self,
        _: Caller<api::ListTasks>,
        _: api::ListTasksInput,
    ) -> Result<api::ListTasksOutput, Problem> {
        Err(Problem::not_implemented())
    }
}

impl api::Status for Desk {
    async fn get_status(
        &self,
        _: Caller<api::GetStatus>,
        _: api::GetStatusInput,
    ) -> Result<api::GetStatusOutput, Problem> {
        Err(Problem::not_implemented())
    }
}

fn main() {
    let _ = api::server(Desk);
}
