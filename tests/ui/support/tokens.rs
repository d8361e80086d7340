pub struct Desk;

impl crate::api::Tasks for Desk {
    async fn list_tasks(
        &self,
        _: palisade::Caller<crate::api::ListTasks>,
        _: crate::api::ListTasksInput,
    ) -> Result<crate::api::ListTasksOutput, palisade::Problem> {
        Ok(crate::api::ListTasksOutput::NoContent)
    }
}
