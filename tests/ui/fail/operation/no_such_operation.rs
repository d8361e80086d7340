#[derive(palisade::Operation)]
#[operation(spec = "../../openapi.yaml", id = "getTusk")]
struct GetTask {
    task_id: palisade::types::Uuid,
    depth: Option<i32>,
    lang: String,
    caller: palisade::Caller<Self>,
}

fn main() {}
