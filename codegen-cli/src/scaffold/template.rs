//! The files of a new project, as askama templates under `templates/`, and what they are filled with.

use askama::Template;
use palisade_codegen::model::Binding;

/// `Cargo.toml`.
#[derive(Template)]
#[template(path = "Cargo.toml.txt", escape = "none")]
pub(crate) struct Manifest<'a> {
    pub(crate) package: &'a str,
    pub(crate) document: &'a str,
    /// The reason of `--assume-public`, as a string of TOML.
    pub(crate) assumed: Option<&'a str>,
    /// The inside of the dependency on `palisade`: a version or a path.
    pub(crate) runtime: String,
    /// The same of `palisade-codegen`.
    pub(crate) codegen: String,
}

/// `build.rs`.
#[derive(Template)]
#[template(path = "build.rs.txt", escape = "none")]
pub(crate) struct BuildScript<'a> {
    pub(crate) document: &'a str,
    /// The reason of `--assume-public`, as a literal of Rust.
    pub(crate) assumed: Option<&'a str>,
}

/// `src/main.rs`.
#[derive(Template)]
#[template(path = "main.rs.txt", escape = "none")]
pub(crate) struct Main<'a> {
    pub(crate) document: &'a str,
    pub(crate) schemes: &'a [Scheme],
    pub(crate) denylist: bool,
    pub(crate) cursor_keys: bool,
    pub(crate) idempotency: bool,
    pub(crate) has_resources: bool,
}

/// `src/handlers.rs`.
#[derive(Template)]
#[template(path = "handlers.rs.txt", escape = "none")]
pub(crate) struct Handlers<'a> {
    pub(crate) title: &'a str,
    pub(crate) services: &'a [Service],
    pub(crate) resources: &'a [Resource],
}

/// `palisade.toml`.
#[derive(Template)]
#[template(path = "palisade.toml.txt", escape = "none")]
pub(crate) struct Config<'a> {
    pub(crate) package: &'a str,
    pub(crate) listen: &'a str,
    pub(crate) tls: bool,
    /// Where clients find the server, for a document that asks for proofs.
    pub(crate) public_origin: Option<&'a str>,
    pub(crate) developer: &'a str,
    pub(crate) cursor_keys_file: &'a str,
    pub(crate) answer_keys_file: &'a str,
    pub(crate) api_key_pepper_file: &'a str,
    pub(crate) schemes: &'a [Scheme],
    pub(crate) api_keys: bool,
    pub(crate) denylist: bool,
    pub(crate) idempotency: bool,
    pub(crate) cursor_keys: bool,
    pub(crate) has_resources: bool,
}

/// `README.md`.
#[derive(Template)]
#[template(path = "README.md.txt", escape = "none")]
pub(crate) struct Readme<'a> {
    pub(crate) title: &'a str,
    pub(crate) package: &'a str,
    pub(crate) document: &'a str,
    pub(crate) repository: &'a str,
    pub(crate) listen: &'a str,
    pub(crate) tls: bool,
    pub(crate) mock: bool,
    pub(crate) has_resources: bool,
    pub(crate) calls: &'a [Call],
    pub(crate) schemes: &'a [Scheme],
}

/// The document of a project that is made without one.
#[derive(Template)]
#[template(path = "openapi.yaml", escape = "none")]
pub(crate) struct Starter<'a> {
    /// As a JSON string, which YAML reads as well: a folder may be called anything.
    pub(crate) title: &'a str,
}

/// A security scheme, as configuration and `main.rs` name it.
#[derive(Clone, Debug)]
pub(crate) struct Scheme {
    /// Its name in the document.
    pub(crate) name: String,
    /// Its word in the document, e.g. `oauth2`.
    pub(crate) word: String,
    /// The same as a literal of Rust and TOML.
    pub(crate) literal: String,
    /// The same as a word of a shell.
    pub(crate) for_shell: String,
    /// What its environment variables begin with.
    pub(crate) variable: String,
    /// The file of its keys or credentials.
    pub(crate) file: String,
    /// The step of the generated builder.
    pub(crate) step: String,
    pub(crate) kind: SchemeKind,
}

/// What the runtime verifies of a scheme.
#[derive(Clone, Debug)]
pub(crate) enum SchemeKind {
    Bearer {
        issuer: String,
        audience: String,
        /// Whether the document names them itself; configuration can then only repeat them.
        issuer_in_document: bool,
        audience_in_document: bool,
        /// What its tokens are bound to.
        binding: Binding,
        /// Whether each names a tenant.
        names_tenants: bool,
    },
    /// Tokens about which their issuer is asked.
    Introspected {
        /// Whom the document names, as values of TOML.
        issuer: Option<String>,
        audience: Option<String>,
    },
    ApiKey,
    Basic,
    MutualTls,
}

/// A trait with one method an operation.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) methods: Vec<Method>,
}

/// A method of a trait.
#[derive(Debug)]
pub(crate) struct Method {
    /// `POST /notes`: what the document says of it.
    pub(crate) route: String,
    pub(crate) name: String,
    pub(crate) operation: String,
    pub(crate) input: String,
    pub(crate) output: String,
    pub(crate) body: String,
}

/// A resource that object-level rules are about.
#[derive(Debug)]
pub(crate) struct Resource {
    /// Its trait in `api::resource`, and the associated type of the resolver.
    pub(crate) name: String,
    /// The stand-in for a row. It does not collide with what handlers.rs imports.
    pub(crate) row: String,
    pub(crate) resolve: String,
    pub(crate) method: String,
    pub(crate) attributes: Vec<Attribute>,
}

/// An attribute of a resource.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) field: String,
    /// The type of the field.
    pub(crate) owned: &'static str,
    /// The type of the trait's method.
    pub(crate) borrowed: &'static str,
    /// The body of the method.
    pub(crate) borrow: String,
    /// The value of the stand-in.
    pub(crate) stand_in: &'static str,
}

/// A ready command line of the README.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) about: String,
    pub(crate) lines: Vec<String>,
}
