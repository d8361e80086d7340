palisade::api!("../../opnapi.yaml");

fn main() {}
