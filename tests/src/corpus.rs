//! Real documents that lie beside the checkout, as far as they do.

use std::path::{Path, PathBuf};

/// The folder of real documents beside the checkout; `None`, and a line that says so, when it is not there.
pub fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if folder.join("index.tsv").is_file() {
        return Some(folder);
    }
    println!("there is no `{}`: its documents are not tried", folder.display());
    None
}

/// The root documents that the index of `folder` names, in its order.
pub fn documents(folder: &Path) -> Vec<String> {
    rows(folder).into_iter().filter_map(|row| row.into_iter().next()).collect()
}

/// The rows of the index of `folder`, without its first line.
pub fn rows(folder: &Path) -> Vec<Vec<String>> {
    let index = std::fs::read_to_string(folder.join("index.tsv")).unwrap_or_default();
    index.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// Those whose keys stand in the query. An overlay says that it is known, as their owner would have to.
const KEYS_IN_QUERY: [&str; 6] = [
    "ballerina-platform--whohoststhis-openapi.yaml",
    "mermade--uber.yaml",
    "microscaler--doc-openapi.yaml",
    "ogen-go--security.json",
    "openapi-json-schema-tools--petstore-with-fake-endpoints-models-for-testing-with-http-signature.yaml",
    "readmeio--security.json",
];

/// How a document of `folder` is generated: one in a folder of its own may refer to everything in that folder.
pub fn options(folder: &Path, name: &str) -> palisade_codegen::Options {
    let mut options = palisade_codegen::Options::default();
    if KEYS_IN_QUERY.contains(&name) {
        let overlay = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/keys_in_query.yaml");
        options = options.overlay(palisade_codegen::Source::file(overlay));
    }
    match name.split_once('/') {
        Some((family, _)) => options.root(folder.join(family)),
        None => options,
    }
}
