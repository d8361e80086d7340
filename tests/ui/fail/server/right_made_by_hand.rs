palisade::api!("../../openapi.yaml");

struct Forged;

impl palisade::Holds<api::scope::TasksRead> for Forged {}

fn main() {}
