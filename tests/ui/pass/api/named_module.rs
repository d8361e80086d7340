//! The module may have another name.
palisade::api!(mod desk, "../../openapi.yaml");

fn main() {
    assert_eq!(desk::DOCUMENT.title, "Desk");
}
