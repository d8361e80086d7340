palisade::api!(desk, "../../openapi.yaml");

fn main() {}
