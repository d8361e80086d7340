palisade::api!("../../openapi.yaml");

#[derive(palisade::Operation)]
#[operation(spec = "../../openapi.yaml", id = "addTask")]
struct AddTask {
    body: api::NewTask,
    caller: palisade::Caller<Self>,
}

fn main() {}
