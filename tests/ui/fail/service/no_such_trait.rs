palisade::api!("../../openapi.yaml");

struct Handlers;

#[derive(palisade::Service)]
struct Desk {
    #[serves(api::Stats)]
    status: Handlers,
}

fn main() {}
