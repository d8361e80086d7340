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

/// How a document of `folder` is generated: one in a folder of its own may refer to everything in that folder.
pub fn options(folder: &Path, name: &str) -> palisade_codegen::Options {
    let options = palisade_codegen::Options::default();
    match name.split_once('/') {
        Some((family, _)) => options.root(folder.join(family)),
        None => options,
    }
}
