palisade::api!("../../openapi.yaml");

use palisade::{Caller, Problem};

struct Desk;

impl api::Tasks for Desk {
    async fn get_task(
        &self,
        _: Caller<api::GetTask>,
        _: api::GetTaskInput,
    ) -> Result<api::GetTaskOutput, Problem> {
        Err(Problem::not_implemented())
    }
}

fn main() {}
