palisade::api!("../../tokens.yaml");

#[path = "../../support/tokens.rs"]
mod desk;

fn server(keys: palisade::Jwt) -> Result<palisade::Server, palisade::ConfigError> {
    api::server(desk::Desk).opaque(keys).denylist(palisade::Denylist::in_memory()).build()
}

fn main() {}
