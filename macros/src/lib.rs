//! `palisade::api!` and the derives of palisade. Use them through the crate `palisade`.
//!
//! Everything here either becomes code that calls the runtime or a compile error at the spot that is wrong. A macro
//! never decides anything about security: it states facts, and the runtime acts on them.

#[cfg(feature = "api")]
mod api;
mod attribute;
#[cfg(feature = "api")]
mod document;
#[cfg(feature = "api")]
mod operation;
mod position;
mod problem;
mod resource;
mod service;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use syn::DeriveInput;

/// Generates from a document, in place: `pub mod api { .. }`, the same as `cargo palisade generate` would write.
///
/// ```ignore
/// palisade::api!("openapi.yaml");
/// palisade::api!(mod partners, "specs/partners.yaml");
/// palisade::api!("adopted.yaml", assume_public = "behind the company's gateway");
/// ```
///
/// With `assume_public`, operations that say nothing of security are public for that reason, and say so in their docs.
///
/// The path is relative to the package's `Cargo.toml`; one that begins with `./` or `../` is relative to the source file,
/// as with `include!`. Cargo builds again when a file changes that the document was read from. What is wrong with the
/// document is a compile error at the path, with the place in the document.
#[cfg(feature = "api")]
#[proc_macro]
pub fn api(input: TokenStream) -> TokenStream {
    let expanded = syn::parse(input).and_then(|asked| api::expand(&asked));
    expanded.unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Checks a handler struct against an operation of a document, and makes it an extractor that runs the gate.
///
/// ```ignore
/// #[derive(palisade::Operation)]
/// #[operation(spec = "openapi.yaml", id = "getAccount")]
/// struct GetAccount {
///     account_id: palisade::types::Uuid,
///     caller: palisade::Caller<Self>,
/// }
///
/// async fn get_account(op: GetAccount) -> Result<Json<Account>, palisade::Problem> { .. }
///
/// let gate = palisade::Gate::builder().bearer("oauth", jwt).operation::<GetAccount>().build()?;
/// let app = Router::new().route(GetAccount::PATH, get(get_account)).layer(gate.layer()).with_state(App { gate });
/// ```
///
/// - Each parameter is a field, `body` is the body, and one field is the [`Caller`]: the proof that every step of the gate
///   passed. A field that is missing, misnamed, of another type or wrongly optional is a compile error at that field.
/// - A pagination cursor is no field: the gate opens it, the handler asks `caller.position()`.
/// - An input that has a schema of the document for a type needs `types = crate::api`, the module that was generated.
///   With it, the caller also holds the operation's scopes as types of that module.
/// - The application's state gives the [`Gate`] (`FromRef`), and the route stands behind `gate.layer()`; without the layer
///   every request is refused.
/// - `spec` is found as [`api!`] finds it.
///
/// [`Caller`]: https://docs.rs/palisade/latest/palisade/struct.Caller.html
/// [`Gate`]: https://docs.rs/palisade/latest/palisade/struct.Gate.html
#[cfg(feature = "api")]
#[proc_macro_derive(Operation, attributes(operation))]
pub fn operation(item: TokenStream) -> TokenStream {
    derive(item, operation::expand)
}

/// Composes handler structs into one service: each field serves some traits of the document, and the derive delegates.
///
/// ```ignore
/// #[derive(palisade::Service)]
/// struct Bank {
///     #[serves(api::Transfers, api::ResolveAccount)]
///     transfers: TransferHandlers,
///     #[serves(api::Accounts)]
///     accounts: AccountHandlers,
/// }
/// ```
///
/// A trait is named with its module. A field that does not implement what it claims to serve is a compile error at
/// that field; a trait that no field serves is an error where the server is built.
#[proc_macro_derive(Service, attributes(serves))]
pub fn service(item: TokenStream) -> TokenStream {
    derive(item, service::expand)
}

/// Turns a domain error into an answer: status, stable code and public message of each variant.
///
/// ```ignore
/// #[derive(Debug, palisade::Problem)]
/// #[problem(operations(api::CreateTransfer))]
/// enum TransferError {
///     #[problem(status = 409, code = "insufficient_funds", message = "not enough money on the account")]
///     InsufficientFunds,
///     #[problem(status = 503, code = "storage", message = "try again later")]
///     Storage(#[from] sqlx::Error),
/// }
/// ```
///
/// Clients see status, code and message and nothing else: fields of a variant never reach an answer. A field marked
/// `#[source]` or `#[from]` is the cause that the log shows; `#[from]` also implements `From` of its type, unless the
/// container says `#[problem(without_from)]` because another derive (`thiserror`) does.
///
/// With `#[problem(operations(..))]` each status must be declared by each of these operations; one that is not is a
/// compile error at the status.
#[proc_macro_derive(Problem, attributes(problem, source, from))]
pub fn problem(item: TokenStream) -> TokenStream {
    derive(item, problem::expand)
}

/// Gives the attributes of a resource, which ownership rules read, from the fields of a row type.
///
/// ```ignore
/// #[derive(palisade::Resource)]
/// #[resource(api::resource::Account)]
/// struct AccountRow {
///     id: i64,
///     #[attribute]
///     owner: String,
///     #[attribute(rename = "frozen")]
///     is_frozen: bool,
/// }
/// ```
///
/// Text attributes come from `String`, `&str`, `Box<str>`, `Arc<str>` and `Cow<str>`, boolean ones from `bool`, integer
/// ones from integers of up to 64 bits that fit an `i64`. An attribute that is missing, unknown or of another type is a compile error.
#[proc_macro_derive(Resource, attributes(resource, attribute))]
pub fn resource(item: TokenStream) -> TokenStream {
    derive(item, resource::expand)
}

/// What a cursor carries: the fields of the struct, in their order.
///
/// ```ignore
/// #[derive(palisade::Position)]
/// struct AfterTransfer {
///     booked_at: i64,
///     id: palisade::types::Uuid,
/// }
/// ```
///
/// Each field's type implements `palisade::cursor::Position`. Adding, removing or reordering fields changes what
/// a cursor means: those that are out fail to open as this type, and the client begins again.
#[proc_macro_derive(Position)]
pub fn position(item: TokenStream) -> TokenStream {
    derive(item, position::expand)
}

fn derive(item: TokenStream, expand: fn(&DeriveInput) -> syn::Result<Tokens>) -> TokenStream {
    syn::parse(item).and_then(|item| expand(&item)).unwrap_or_else(|error| error.to_compile_error()).into()
}
