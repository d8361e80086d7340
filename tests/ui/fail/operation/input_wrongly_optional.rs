#[derive(palisade::Operation)]
#[operation(spec = "../../openapi.yaml", id = "getTask")]
struct GetTask {
    task_id: Option<palisade::types::Uuid>,
    depth: i32,
    lang: Option<String>,
    caller: palisade::Caller<Self>,
}

fn main() {}
