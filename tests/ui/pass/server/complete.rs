//! With every part given, the server builds.
palisade::api!("../../openapi.yaml");

#[path = "../../support/desk.rs"]
mod desk;

fn server(
    oauth: palisade::Jwt,
    partner: palisade::ApiKeys,
    cursors: palisade::CursorKeys,
) -> Result<palisade::Server, palisade::ConfigError> {
    api::server(desk::Desk).oauth(oauth).partner(partner).cursor_keys(cursors).build()
}

fn main() {
    let _ = server;
}
