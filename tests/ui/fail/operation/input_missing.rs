#[derive(palisade::Operation)]
#[operation(spec = "../../openapi.yaml", id = "getTask")]
struct GetTask {
    task_id: palisade::types::Uuid,
    lang: String,
    caller: palisade::Caller<Self>,
}

fn main() {}
