palisade::api!("../../open.yaml");

fn main() {}
