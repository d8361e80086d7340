palisade::api!("../../openapi.yaml");

#[path = "../../support/desk.rs"]
mod desk;

fn server(oauth: palisade::Jwt) -> Result<palisade::Server, palisade::ConfigError> {
    api::server(desk::Desk).oauth(oauth).build()
}

fn main() {}
