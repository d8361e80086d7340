//! From a recipe to the bytes of a request.

use palisade_tests::attacks::raw::Request;
use palisade_tests::attacks::{Fortress, NOTE};
use serde_json::Value;

use crate::body::{body, good};
use crate::recipe::{Auth, Change, Recipe};

/// What the good requests show.
pub const SCOPES: &str = "notes:read notes:write";

/// The good request that reads: with a path parameter and an optional integer in the query.
pub fn reading(fortress: &Fortress) -> Request {
    Request::get(format!("/notes/{NOTE}")).token(&fortress.token("alice", SCOPES))
}

/// The bytes of a recipe that is one request.
pub fn bytes(fortress: &Fortress, recipe: &Recipe) -> Vec<u8> {
    let writes = recipe.needs.as_deref() == Some("body");
    match (&recipe.req, &recipe.raw) {
        (Some(change), None) => changed(fortress, change, writes).bytes(),
        (None, Some(raw)) => filled(fortress, raw, writes).into_bytes(),
        _ => panic!("{}: either a request or raw bytes", recipe.id),
    }
}

fn changed(fortress: &Fortress, change: &Change, writes: bool) -> Request {
    let (method, path) =
        if writes { ("POST", "/notes".to_owned()) } else { ("GET", format!("/notes/{NOTE}")) };
    let method = match change.method.as_deref() {
        Some("$undeclared") => "PATCH",
        Some(method) => method,
        None => method,
    };
    let mut request = Request::new(method, target(change, &path));
    let scope = if change.auth == Auth::NoScope { "other:scope" } else { SCOPES };
    let user = if change.auth == Auth::OtherUser { "bob" } else { "alice" };
    if change.auth != Auth::None {
        request = request.token(&fortress.token(user, scope));
    }
    request = headers(change)
        .into_iter()
        .fold(request, |request, (name, value)| request.header(&name, tokens(fortress, &value)));
    if let Some(recipe) = &change.body {
        request.body = Some(body(recipe));
        request = match &change.content_type {
            None => request.header("Content-Type", "application/json"),
            Some(None) => request,
            Some(Some(media_type)) => request.header("Content-Type", media_type),
        };
    }
    request
}

fn target(change: &Change, path: &str) -> String {
    let path = match &change.path_param {
        Some(value) => path.replace(NOTE, value),
        None => path.to_owned(),
    };
    let parts = [
        ("{path}", path.clone()),
        ("{path_tail}", path[1..].to_owned()),
        ("{path_upper}", path.to_uppercase()),
        ("{path_fullwidth}", full_width(&path)),
        ("{path_backslash}", path.replace('/', "\\")),
    ];
    let mut target = change.target.clone().unwrap_or_else(|| "{path}".to_owned());
    for (place, text) in parts {
        target = target.replace(place, &text);
    }
    let encoded: String = "revision".bytes().map(|byte| format!("%{byte:02x}")).collect();
    let query = change.query.as_ref().map(|query| {
        query.replace("{p}", "revision").replace("{P}", "REVISION").replace("{p_enc}", &encoded)
    });
    let query = match (query, &change.query_append) {
        (Some(query), Some(more)) => Some(format!("{query}&{more}")),
        (query, more) => query.or_else(|| more.clone()),
    };
    query.map_or(target.clone(), |query| format!("{target}?{query}"))
}

/// The letters as they stand in East Asian text (U+FF01 and on).
fn full_width(path: &str) -> String {
    let wide = |letter: char| match letter {
        '/' => '/',
        _ => char::from_u32(u32::from(letter) + 0xfee0).unwrap(),
    };
    path.chars().map(wide).collect()
}

/// The headers of a recipe: a list in its order, or very many.
fn headers(change: &Change) -> Vec<(String, String)> {
    match &change.headers {
        None => Vec::new(),
        Some(Value::Array(pairs)) => pairs.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        Some(Value::Object(many)) => {
            let count = many.get("$many").and_then(Value::as_u64).expect("how many");
            (0..count).map(|n| (format!("X-Many-{n}"), n.to_string())).collect()
        }
        Some(other) => panic!("what are the headers {other}?"),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(repeated) => {
            let repeat = &repeated["$repeat"];
            repeat[0].as_str().unwrap().repeat(usize::try_from(repeat[1].as_u64().unwrap()).unwrap())
        }
        other => panic!("what is the text {other}?"),
    }
}

/// The text with the tokens that it names.
fn tokens(fortress: &Fortress, text: &str) -> String {
    text.replace("{tok}", &fortress.token("alice", SCOPES))
        .replace("{tok2}", &fortress.token("bob", SCOPES))
        .replace("{bad}", "garbage")
}

fn filled(fortress: &Fortress, raw: &str, writes: bool) -> String {
    let (method, path) =
        if writes { ("POST", "/notes".to_owned()) } else { ("GET", format!("/notes/{NOTE}")) };
    let length = good().len();
    let filled = tokens(fortress, raw)
        .replace("{method}", method)
        .replace("{path}", &path)
        .replace("{host}", "test")
        .replace("{extra}", "") // our operations need no other header
        .replace("{bodylen}", &length.to_string())
        .replace("{bodylen_hex}", &format!("{length:x}"));
    let known = filled.replace("{body}", "");
    assert!(!known.contains('{'), "what is to be filled in? {known}");
    filled.replace("{body}", &good())
}
