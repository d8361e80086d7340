#[derive(palisade::Operation)]
#[operation(spec = "../../idempotent.yaml", id = "addTask")]
struct AddTask {
    caller: palisade::Caller<Self>,
}

fn main() {}
