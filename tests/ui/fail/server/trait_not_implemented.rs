palisade::api!("../../openapi.yaml");

struct Desk;

fn main() {
    let _ = api::server(Desk);
}
