palisade::api!("../../openapi.yaml");

struct Handlers;

#[derive(palisade::Service)]
struct Desk {
    #[serves(api::Status)]
    status: Handlers,
}

fn main() {}
