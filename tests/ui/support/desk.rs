//! A complete service of `openapi.yaml`, for the cases that are about something else. Stands beside `mod api`.

use palisade::{Caller, Problem};

use crate::api;

pub struct Desk;

pub struct TaskRow;

impl api::resource::Task for TaskRow {
    fn assignee(&self) -> &str {
        "mia"
    }
    fn urgent(&self) -> bool {
        false
    }
}

impl api::Tasks for Desk {
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

impl api::Lists for Desk {
    async fn list_tasks(
        &self,
        _: Caller<api::ListTasks>,
        _: api::ListTasksInput,
    ) -> Result<api::ListTasksOutput, Problem> {
        Err(Problem::not_implemented())
    }
}

impl api::ResolveTask for Desk {
    type Task = TaskRow;
    async fn resolve_task(&self, _: &str) -> Result<Option<TaskRow>, Problem> {
        Ok(None)
    }
}

impl api::Status for Desk {
    async fn get_status(
        &self,
        _: Caller<api::GetStatus>,
        _: api::GetStatusInput,
    ) -> Result<api::GetStatusOutput, Problem> {
        Ok(api::GetStatusOutput::NoContent)
    }
}
