palisade::api!("../../openapi.yaml");

use palisade::{Caller, Problem};

#[derive(palisade::Position)]
struct Row {
    number: i64,
}

fn position(caller: &Caller<api::GetTask>) -> Result<Option<Row>, Problem> {
    caller.position()
}

fn main() {}
