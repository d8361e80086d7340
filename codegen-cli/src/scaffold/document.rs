//! The document of a new project: a starter, or a copy with the files that it refers to.

use std::path::{Path, PathBuf};

use palisade_codegen::{Options, Output, Source};

use super::template::Starter;
use crate::document;
use crate::exit::Failure;
use crate::reporter::Reporter;

/// The document and its files.
#[derive(Debug)]
pub(crate) struct Documents {
    output: Output,
    root: String,
    files: Vec<(PathBuf, String)>,
}

impl Documents {
    /// The starter.
    pub(crate) fn starter(title: &str, reporter: &Reporter) -> Result<Self, Failure> {
        // JSON's strings are YAML's as well.
        let title = serde_json::Value::from(title).to_string();
        let text = super::rendered(&Starter { title: &title })?;
        let root = "openapi.yaml".to_owned();
        let output =
            document::read_source(&Source::text(&root, text.as_str()), &Options::default(), reporter)?;
        Ok(Self { output, files: vec![(PathBuf::from(&root), text)], root })
    }

    /// A copy of the document at `spec`.
    ///
    /// A single file becomes `openapi.yaml` (or `.json`). Several keep their names, since they name each other, under
    /// a folder of their own, where they meet no file of the project.
    pub(crate) fn copied(
        spec: &Path,
        assume_public: Option<&str>,
        reporter: &Reporter,
    ) -> Result<Self, Failure> {
        let output = document::read(spec, &document::options(assume_public), reporter)?;
        let read = output.files_read();
        if let [only] = read.as_slice() {
            let root = format!("openapi.{}", ending(only));
            let files = vec![(PathBuf::from(&root), text(only)?)];
            return Ok(Self { output, root, files });
        }
        let home = absolute(spec)?;
        let home = home.parent().unwrap_or(Path::new("/"));
        let mut files = Vec::with_capacity(read.len());
        for path in &read {
            files.push((Path::new("openapi").join(inside(&absolute(path)?, home)?), text(path)?));
        }
        let name = spec.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self { output, root: format!("openapi/{name}"), files })
    }

    /// The document, from the project's folder.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    pub(crate) fn output(&self) -> &Output {
        &self.output
    }

    /// The files, from the project's folder.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.files.iter().map(|(path, text)| (path.as_path(), text.as_str()))
    }
}

/// The generator tells YAML from JSON by the ending, and by the text where the ending says nothing.
fn ending(path: &Path) -> &'static str {
    let is_json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    if is_json { "json" } else { "yaml" }
}

/// References never leave the folder of the document, so every file has a place below it.
fn inside<'p>(path: &'p Path, home: &Path) -> Result<&'p Path, Failure> {
    path.strip_prefix(home).map_err(|_| {
        Failure::usage(format!(
            "`{}` is not below the folder of the document, so it cannot be copied",
            path.display()
        ))
    })
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    path.canonicalize().map_err(|cause| Failure::io("read", path, cause))
}

fn text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|cause| Failure::io("read", path, cause))
}
