//! Handler structs serve one document together, each some of its traits.
palisade::api!("../../openapi.yaml");

#[path = "../../support/desk.rs"]
mod desk;

use desk::Desk;

#[derive(palisade::Service)]
struct Services {
    #[serves(api::Tasks, api::Lists, api::ResolveTask)]
    tasks: Desk,
    #[serves(api::Status)]
    status: Desk,
}

fn main() {
    let _ = api::server(Services { tasks: Desk, status: Desk });
}
