palisade::api!("../../idempotent.yaml");

struct Desk;

impl api::Tasks for Desk {
    async fn add_task(
        &self,
        _: palisade::Caller<api::AddTask>,
        _: api::AddTaskInput,
    ) -> Result<api::AddTaskOutput, palisade::Problem> {
        Ok(api::AddTaskOutput::NoContent)
    }
}

fn server(opaque: palisade::Introspection) -> Result<palisade::Server, palisade::ConfigError> {
    api::server(Desk).opaque(opaque).build()
}

fn main() {}
