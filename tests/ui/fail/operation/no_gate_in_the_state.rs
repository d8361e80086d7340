#[derive(palisade::Operation)]
#[operation(spec = "../../openapi.yaml", id = "getStatus")]
struct GetStatus {
    caller: palisade::Caller<Self>,
}

async fn get_status(_: GetStatus) {}

fn main() {
    let _: axum::Router = axum::Router::new().route(GetStatus::PATH, axum::routing::get(get_status));
}
