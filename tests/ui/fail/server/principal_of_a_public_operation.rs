palisade::api!("../../openapi.yaml");

fn handler(caller: palisade::Caller<api::GetStatus>) {
    let _ = caller.principal();
}

fn main() {}
