//! A project that builds and runs as it is: its files, its document and its development credentials.

mod certificates;
mod credentials;
mod document;
mod facts;
mod folder;
mod name;
mod template;

use std::path::{Path, PathBuf};

use askama::Template;

use self::document::Documents;
use self::facts::Facts;
use self::folder::Folder;
use crate::exit::Failure;
use crate::project::DEVELOPER;
use crate::reporter::Reporter;

/// Where the project is reached while it is developed.
pub(crate) const LISTEN: &str = "127.0.0.1:8080";

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) folder: PathBuf,
    pub(crate) spec: Option<PathBuf>,
    /// Why what the document does not decide is public.
    pub(crate) assume_public: Option<String>,
    pub(crate) answers: Answers,
    pub(crate) palisade: Palisade,
}

/// What handlers answer until they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    /// 501.
    NotImplemented,
    /// An example that conforms to the declared response.
    Examples,
}

/// The palisade that the project depends on.
#[derive(Debug)]
pub(crate) enum Palisade {
    /// The published version that this program is of.
    Published,
    /// A checkout, by its absolute path.
    Checkout(PathBuf),
}

impl Palisade {
    /// The checkout at `path`, if one is named.
    pub(crate) fn at(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::Published) };
        for part in ["runtime/Cargo.toml", "codegen/Cargo.toml"] {
            if !path.join(part).is_file() {
                let message = format!("`{}` is no checkout of palisade: it has no `{part}`", path.display());
                return Err(
                    Failure::usage(message).help("name the folder that holds `runtime` and `codegen`")
                );
            }
        }
        // Absolute, so that the project can be anywhere and be moved.
        path.canonicalize().map(Self::Checkout).map_err(|cause| Failure::io("read", path, cause))
    }

    /// The inside of a dependency on the crate in `folder`.
    fn dependency(&self, folder: &str) -> String {
        match self {
            Self::Published => format!("version = \"{}\"", env!("CARGO_PKG_VERSION")),
            Self::Checkout(path) => {
                format!("path = {}", toml::Value::from(path.join(folder).to_string_lossy().into_owned()))
            }
        }
    }

    /// The versions that the checkout is tested with, so that the project builds with the same.
    fn lock_file(&self) -> Option<Vec<u8>> {
        match self {
            Self::Published => None,
            Self::Checkout(path) => std::fs::read(path.join("Cargo.lock")).ok(),
        }
    }
}

/// What was made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) package: String,
    pub(crate) document: String,
    calls: Vec<template::Call>,
}

/// Makes the project: all of it, or nothing.
pub(crate) fn make(plan: &Plan, reporter: &Reporter) -> Result<Made, Failure> {
    let package = package(&plan.folder);
    let documents = match &plan.spec {
        Some(spec) => Documents::copied(spec, plan.assume_public.as_deref(), reporter)?,
        None => Documents::starter(&package, reporter)?,
    };
    let output = documents.output();
    let facts = Facts::of(&package, &output.outline(), output.api(), plan.answers);
    for operation in &facts.without_example {
        reporter.progress("No example", &format!("conforms to the answers of `{operation}`: it answers 501"));
    }
    let made = Made { calls: facts.calls(), document: documents.root().to_owned(), package };
    let folder = Folder::begin(&plan.folder)?;
    for (path, content) in files(plan, &facts, &made)? {
        folder.write(Path::new(path), content)?;
    }
    for (path, text) in documents.files() {
        folder.write(path, text)?;
    }
    if let Some(lock) = plan.palisade.lock_file() {
        folder.write(Path::new("Cargo.lock"), lock)?;
    }
    let outline = output.outline();
    credentials::make(&folder, &outline)?;
    format_sources(folder.staged());
    folder.finish()?;
    Ok(made)
}

fn package(folder: &Path) -> String {
    // `.` and `..` have no name of their own until they are resolved.
    let resolved = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    name::package(&resolved.file_name().unwrap_or_default().to_string_lossy())
}

/// The files that come from templates.
fn files(plan: &Plan, facts: &Facts, made: &Made) -> Result<Vec<(&'static str, String)>, Failure> {
    let (package, document) = (made.package.as_str(), made.document.as_str());
    let title = facts.title.as_str();
    let has_resources = !facts.resources.is_empty();
    let mock = plan.answers == Answers::Examples;
    let (schemes, cursor_keys) = (facts.schemes.as_slice(), facts.cursor_keys);
    let literal = plan.assume_public.as_deref().map(|reason| format!("{reason:?}"));
    let value = plan.assume_public.as_deref().map(|reason| toml::Value::from(reason).to_string());
    let manifest = template::Manifest {
        package,
        document,
        assumed: value.as_deref(),
        runtime: plan.palisade.dependency("runtime"),
        codegen: plan.palisade.dependency("codegen"),
    };
    let public_origin = facts.proofs.then(|| facts.origin());
    let handlers = template::Handlers { title, services: &facts.services, resources: &facts.resources };
    let readme = template::Readme {
        title,
        package,
        document,
        repository: env!("CARGO_PKG_REPOSITORY"),
        listen: LISTEN,
        tls: facts.tls,
        mock,
        has_resources,
        calls: &made.calls,
        schemes,
    };
    Ok(vec![
        ("Cargo.toml", rendered(&manifest)?),
        ("build.rs", rendered(&template::BuildScript { document, assumed: literal.as_deref() })?),
        (
            "src/main.rs",
            rendered(&template::Main {
                document,
                schemes,
                denylist: facts.denylist,
                cursor_keys,
                idempotency: facts.idempotency,
                has_resources,
            })?,
        ),
        ("src/handlers.rs", rendered(&handlers)?),
        ("palisade.toml", rendered(&config(package, facts, public_origin.as_deref()))?),
        ("README.md", rendered(&readme)?),
        (".gitignore", include_str!("../../templates/gitignore.txt").to_owned()),
    ])
}

fn config<'a>(package: &'a str, facts: &'a Facts, public_origin: Option<&'a str>) -> template::Config<'a> {
    let schemes = facts.schemes.as_slice();
    template::Config {
        package,
        listen: LISTEN,
        tls: facts.tls,
        public_origin,
        developer: DEVELOPER,
        cursor_keys_file: credentials::CURSOR_KEYS,
        answer_keys_file: credentials::ANSWER_KEYS,
        api_key_pepper_file: credentials::API_KEY_PEPPERS,
        schemes,
        api_keys: schemes.iter().any(|scheme| matches!(scheme.kind, template::SchemeKind::ApiKey)),
        denylist: facts.denylist,
        idempotency: facts.idempotency,
        cursor_keys: facts.cursor_keys,
        has_resources: !facts.resources.is_empty(),
    }
}

fn rendered(template: &impl Template) -> Result<String, Failure> {
    let text = template.render().map_err(|cause| Failure::system(format!("a template failed: {cause}")))?;
    // Whether a template ends in a line end is a matter of its last block.
    Ok(format!("{}\n", text.trim_end()))
}

/// As `cargo new` does: names of a document make lines of any length. Without rustfmt they stay as they are.
fn format_sources(folder: &Path) {
    // It follows `mod handlers` by itself.
    let sources = ["build.rs", "src/main.rs"].map(|source| folder.join(source));
    let _ = std::process::Command::new("rustfmt").args(["--edition", "2024"]).args(sources).output();
}

impl Made {
    /// What a person does now.
    pub(crate) fn next_steps(&self, folder: &Path) -> String {
        let mut text = format!("\nNext:\n    cd {}\n    cargo run", folder.display());
        for call in &self.calls {
            text.push_str(&format!("\n\n{}\n", call.about));
            for line in &call.lines {
                text.push_str(&format!("    {line}\n"));
            }
            text.truncate(text.trim_end().len());
        }
        text
    }
}
