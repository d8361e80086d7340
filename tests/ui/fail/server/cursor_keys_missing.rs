palisade::api!("../../openapi.yaml");

#[path = "../../support/desk.rs"]
mod desk;

fn server(oauth: palisade::Jwt, partner: palisade::ApiKeys) -> Result<palisade::Server, palisade::ConfigError> {
    api::server(desk::Desk).oauth(oauth).partner(partner).build()
}

fn main() {}
