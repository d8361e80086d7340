#[derive(palisade::Operation)]
#[operation(spec = "../../openapi.yaml", id = "getStatus")]
struct GetStatus {}

fn main() {}
