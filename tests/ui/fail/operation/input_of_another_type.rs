#[derive(palisade::Operation)]
#[operation(spec = "../../openapi.yaml", id = "getTask")]
struct GetTask {
    task_id: String,
    depth: Option<i64>,
    lang: String,
    caller: palisade::Caller<Self>,
}

fn main() {}
