//! `docs/diagnostics.md` lists every code with its examples, and the examples are true: each bad one is refused, or
//! remarked, with its code, each good one is taken. `BLESS=1` writes the page.

use std::path::{Path, PathBuf};

use palisade_codegen::finding::{Code, Findings};
use palisade_codegen::{Options, Source, understand_with};

/// Where the fragment of a code stands in a document.
#[derive(Clone, Copy, Debug)]
enum Slot {
    /// No fragment of a document.
    Elsewhere,
    /// The whole file, as JSON.
    Json,
    /// The first lines of the document, which state everything but the paths.
    Root,
    /// Beside the members of the document.
    Member,
    /// Instead of `info`.
    Info,
    /// Under `paths`.
    Paths,
    /// Under the path `/things`.
    Path,
    /// Beside the members of an operation that says nothing of security itself.
    Operation,
    /// Among the parameters of an operation of `/things`.
    Parameters,
    /// Instead of the `in` of one.
    ParameterMember,
    /// The first parameter of `/things/{id}`.
    PathParameter,
    /// Under `x-palisade` of an operation on an account.
    Annotation,
    /// Under `x-palisade` of an operation that lists.
    List,
    /// Under `x-palisade` of an operation that takes a name and a password.
    Login,
    /// Under `components.parameters`.
    ComponentParameters,
    /// Under `components.schemas`.
    Schemas,
    /// A schema.
    Schema,
    /// In a schema, beside its type.
    SchemaMember,
    /// Under `securitySchemes`.
    Schemes,
    /// Under `x-palisade` of a security scheme.
    Token,
    /// In a response.
    Response,
}

fn slot(code: Code) -> Slot {
    use Code::*;
    match code {
        Unreadable => Slot::Elsewhere,
        Syntax => Slot::Json,
        Version => Slot::Root,
        Ungenerated | Misplaced => Slot::Member,
        TakenAs => Slot::Info,
        Undecided | AssumedPublic | OperationIdTwice | OperationIdMissing | BodyWithoutMeaning | StepUp
        | Idempotency => Slot::Path,
        PathTwice | PathTemplate | ParameterUndeclared | ParameterNotInPath => Slot::Paths,
        MemberTwice
        | UnknownMember
        | NotEnforced
        | PublicContradiction
        | UnknownScheme
        | UnknownScope
        | LimitWithoutPrincipal
        | TwoLogins
        | HeaderIgnored
        | StatusKey => Slot::Operation,
        MissingMember | ParameterTwice | Style => Slot::Parameters,
        InvalidValue | WrongType => Slot::ParameterMember,
        ParameterOptional => Slot::PathParameter,
        UnknownLimit | LimitMisfit | Authorize => Slot::Annotation,
        Pagination => Slot::List,
        Login => Slot::Login,
        ReferenceCycle => Slot::ComponentParameters,
        Endless => Slot::Schemas,
        UnresolvedReference | ForeignReference => Slot::SchemaMember,
        UnsupportedScheme => Slot::Schemes,
        TokenRules => Slot::Token,
        MediaType => Slot::Response,
        _ => Slot::Schema,
    }
}

/// The document that has `fragment` in its place.
fn document(slot: Slot, fragment: &str) -> String {
    let fragment = &fragment
        .replace("responses: { ... }", &format!("responses: {DONE}"))
        .replace("schema: { ... }", "schema: { type: string }")
        .replace("in: path, ... }", "in: path, required: true, schema: { type: string } }")
        .replace("in: query, ... }", "in: query, schema: { type: string } }")
        .replace("in: header, ... }", "in: header, schema: { type: string } }");
    let mut parts = Parts::default();
    match slot {
        Slot::Elsewhere | Slot::Json => return fragment.clone(),
        Slot::Root => parts.version = fragment.clone(),
        Slot::Member => parts.more = fragment.clone(),
        Slot::Info => parts.info = fragment.clone(),
        Slot::Paths => {
            parts.paths = fragment.lines().map(|line| format!("{}\n", written_out(line))).collect()
        }
        Slot::Path => parts.paths = format!("/things:\n{}", indented(fragment, 2)),
        Slot::Operation => parts.operation = fragment.clone(),
        Slot::Parameters => parts.operation = format!("parameters:\n{}", indented(fragment, 2)),
        Slot::ParameterMember => {
            let place = if fragment.starts_with("in:") { "" } else { "in: query, " };
            parts.operation =
                format!("parameters: [{{ name: q, {place}{fragment}, schema: {{ type: string }} }}]");
        }
        Slot::PathParameter => {
            parts.paths = format!(
                "/things/{{id}}:\n  get: {{ operationId: getThing, parameters: [{fragment}], responses: {DONE} }}"
            );
        }
        Slot::Annotation => {
            parts.paths = format!(
                "/accounts/{{accountId}}:\n  get:\n    operationId: getAccount\n    parameters: [{{ name: accountId, in: path, required: true, schema: {{ type: string }} }}]\n    responses: {DONE}\n    x-palisade:\n{}",
                indented(fragment, 6)
            );
        }
        Slot::List => {
            parts.operation = format!(
                "parameters: [{{ name: after, in: query, schema: {{ type: string }} }}, {{ name: limit, in: query, schema: {{ type: integer, minimum: 1, maximum: 100 }} }}]\nx-palisade:\n{}",
                indented(fragment, 2)
            );
            parts.answer = "{ \"200\": { description: done, content: { application/json: { schema: { $ref: '#/components/schemas/Page' } } } } }";
        }
        Slot::Login => {
            parts.paths = format!(
                "/login:\n  post:\n    operationId: logIn\n    requestBody: {{ required: true, content: {{ application/json: {{ schema: {{ $ref: '#/components/schemas/Login' }} }} }} }}\n    responses: {{ \"401\": {{ description: wrong }} }}\n    x-palisade:\n{}",
                indented(fragment, 6)
            );
            parts.schemas = "Login: { type: object, required: [username], properties: { username: { type: string }, password: { type: string } } }".into();
        }
        Slot::ComponentParameters => parts.parameters = format!("  parameters:\n{}", indented(fragment, 4)),
        Slot::Schemas => parts.schemas = fragment.clone(),
        Slot::Schema => parts.schemas = format!("T: {fragment}"),
        Slot::SchemaMember => parts.schemas = format!("T:\n{}", indented(fragment, 2)),
        Slot::Schemes => parts.schemes = fragment.clone(),
        Slot::Token => parts.token = fragment.clone(),
        Slot::Response => {
            parts.operation = format!("responses: {{ \"200\": {{ description: done, {fragment} }} }}");
        }
    }
    parts.write()
}

/// `/accounts/{id}: { ... }` with what a path needs.
fn written_out(line: &str) -> String {
    let Some(template) = line.strip_suffix(": { ... }") else { return line.to_owned() };
    let name = template.split(['{', '}']).nth(1).unwrap_or_default();
    format!(
        "{template}: {{ parameters: [{{ name: {name}, in: path, required: true, schema: {{ type: string }} }}], get: {{ responses: {DONE} }} }}"
    )
}

const DONE: &str = "{ \"204\": { description: done } }";

struct Parts {
    version: String,
    info: String,
    more: String,
    paths: String,
    operation: String,
    answer: &'static str,
    parameters: String,
    schemas: String,
    schemes: String,
    token: String,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            version: "openapi: 3.1.0".into(),
            info: "info: { title: Bank, version: \"1\" }".into(),
            more: String::new(),
            paths: String::new(),
            operation: String::new(),
            answer: DONE,
            parameters: String::new(),
            schemas: String::new(),
            schemes: String::new(),
            token: String::new(),
        }
    }
}

impl Parts {
    fn write(&self) -> String {
        let Self { version, info, more, answer, parameters, .. } = self;
        // what a fragment states itself is not stated again
        let own = |key: &str, text: &str, default: &str| {
            if text.contains(key) { String::new() } else { format!("{default}\n") }
        };
        let security = own("operationId: getStatus", &self.paths, "security: [{ oauth: [transfers:write] }]");
        let ours = own(
            "x-palisade",
            more,
            "x-palisade: { limits: { money: { rate: 10/1m, per: principal }, per-principal: { rate: 1/1s, per: principal }, per-address: { rate: 1/1s, per: address } }, resources: { Account: { attributes: { owner: string } } } }",
        );
        let responses = own("responses:", &self.operation, &format!("responses: {answer}"));
        let operation = format!("operationId: listThings\n{responses}{}", self.operation);
        let mut paths = String::new();
        if !more.contains("paths:") {
            paths = format!("paths:\n{}", indented(&self.paths, 2));
            if self.paths.is_empty() {
                paths.push_str(&format!("  /things:\n    get:\n{}", indented(&operation, 6)));
            }
        }
        let token = if self.token.is_empty() {
            String::new()
        } else {
            format!("      x-palisade:\n{}", indented(&self.token, 8))
        };
        let schemes = indented(&self.schemes, 4);
        let page = "Page: { type: object, required: [data], properties: { data: { type: array, items: { type: string } }, next_cursor: { type: string } } }\nAccount: { type: string }";
        let schemas = format!("{}\n{page}", self.schemas);
        format!(
            "{version}\n{info}\n{security}{ours}{more}\n{paths}\ncomponents:\n  securitySchemes:\n    session: {{ type: apiKey, in: cookie, name: __Host-session }}\n    oauth:\n      type: oauth2\n      flows: {{ clientCredentials: {{ tokenUrl: https://id.example.com/token, scopes: {{ \"transfers:write\": move money }} }} }}\n{token}{schemes}{parameters}  schemas:\n{}",
            indented(&schemas, 4)
        )
    }
}

fn indented(text: &str, by: usize) -> String {
    text.lines().filter(|line| !line.is_empty()).map(|line| format!("{:by$}{line}\n", "")).collect()
}

/// What is said of a document that has the fragment.
fn findings(code: Code, fragment: &str) -> (bool, Findings) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("schemas.yaml"), "Account: { type: string }\n").unwrap();
    let slot = slot(code);
    let name = if matches!(slot, Slot::Json) { "openapi.json" } else { "openapi.yaml" };
    let path = folder.path().join(name);
    std::fs::write(&path, document(slot, fragment)).unwrap();
    let mut options = Options::default();
    if code == Code::AssumedPublic {
        options = options.assume_public("a trial");
    }
    match understand_with(&Source::file(&path).named(name), &options) {
        Ok(understood) => (true, understood.warnings),
        Err(findings) => (false, findings),
    }
}

#[test]
fn every_bad_example_is_refused_and_every_good_one_is_taken() {
    let mut wrong = Vec::new();
    for &code in Code::ALL.iter().filter(|code| !matches!(slot(**code), Slot::Elsewhere)) {
        let (_, bad) = findings(code, code.bad());
        if !bad.iter().any(|finding| finding.code() == code) {
            wrong.push(format!(
                "{code}: the bad example has another fault, or none\n{}\n{bad}",
                document(slot(code), code.bad())
            ));
        }
        let (taken, good) = findings(code, code.good());
        // `{ "openapi": "3.1.0" }` is JSON, if not a whole document
        let sound = taken || matches!(slot(code), Slot::Json);
        if !sound || good.iter().any(|finding| finding.code() == code) {
            wrong.push(format!(
                "{code}: the good example is refused\n{}\n{good}",
                document(slot(code), code.good())
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_page_of_diagnostics_is_current() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/diagnostics.md");
    let text = page_of_all();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&page, &text).unwrap();
    }
    let found = std::fs::read_to_string(PathBuf::from(&page)).unwrap_or_default();
    assert!(
        found == text,
        "docs/diagnostics.md is stale: `BLESS=1 cargo test -p palisade-tests --test explanations`"
    );
}

fn page_of_all() -> String {
    let mut text = String::from(
        "# Diagnostics\n\nEvery finding has a code that keeps its number for ever. `cargo palisade explain CODE` prints what stands here.\n\
         This page is written from `codegen/src/finding/code.rs`; a test refuses every example that is not true.\n\n| code | |\n|---|---|\n",
    );
    for code in Code::ALL {
        text.push_str(&format!("| [{code}](#{}) | {} |\n", code.as_str().to_lowercase(), code.title()));
    }
    for code in Code::ALL {
        let (title, why) = (code.title(), code.why());
        text.push_str(&format!(
            "\n## {code}\n\n**{title}.** {why}\n\nWith the fault:\n\n{}\nWithout:\n\n{}",
            block(code.bad()),
            block(code.good())
        ));
    }
    text
}

fn block(example: &str) -> String {
    format!("```text\n{example}\n```\n")
}
