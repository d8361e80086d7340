palisade::api!("../../tokens.yaml");

#[path = "../../support/tokens.rs"]
mod desk;

fn server(opaque: palisade::Introspection) -> Result<palisade::Server, palisade::ConfigError> {
    api::server(desk::Desk).opaque(opaque).denylist(palisade::Denylist::in_memory()).build()
}

fn main() {}
