#[derive(palisade::Operation)]
#[operation(spec = "../../openapi.yaml", id = "getTask")]
struct GetTask {
    tusk_id: palisade::types::Uuid,
    depth: Option<i32>,
    lang: String,
    extra: String,
    caller: palisade::Caller<Self>,
}

fn main() {}
