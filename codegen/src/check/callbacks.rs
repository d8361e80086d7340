//! Where callbacks are sent: the runtime expressions in their names (OpenAPI 3.1 sections 4.8.18.1 and 4.8.20.4).
//!
//! 1. A name is one expression, or a text with expressions in braces. Each has the grammar of the standard.
//! 2. What it names is declared: a parameter of the operation, or a member of its body or of an answer. Header fields of an
//!    answer may come from anywhere.
//! 3. The application evaluates them, and no code comes of them: what is wrong is a remark.

use foldhash::HashSet;

use crate::document::{Additional, Document, Media, Operation, PathItem, SchemaId, Spanned};
use crate::finding::{Code, Finding, Findings};
use crate::model::Location;
use crate::source::pointer::Pointer;

/// What an expression names.
#[derive(Debug, PartialEq)]
enum Named<'e> {
    /// `$url`, `$method`, `$statusCode`, and a header field of an answer.
    Given,
    Parameter(Location, &'e str),
    /// Of the request, or of an answer.
    Body(Side, Pointer),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Request,
    Answer,
}

/// Remarks on `callbacks: { paid: { "{$request.body#/ulr}": .. } }`.
pub(super) fn lead_somewhere(document: &Document, findings: &mut Findings) {
    let mut seen = HashSet::default();
    for (item, operation) in document.operations() {
        let sent = operation.callbacks.iter().flat_map(|callback| &callback.items);
        for name in sent.map(|sent| &sent.template) {
            // a component is met by each operation that takes it
            let new = |finding: &Finding| seen.insert((finding.place(), finding.message().to_owned()));
            wrong(document, item, operation, name).filter(new).into_iter().for_each(|new| findings.push(new));
        }
    }
}

fn wrong(
    document: &Document,
    item: &PathItem,
    operation: &Operation,
    name: &Spanned<String>,
) -> Option<Finding> {
    let Some(expressions) = expressions(&name.value) else {
        return Some(no_expression(&name.value, name));
    };
    expressions.into_iter().find_map(|expression| match named(expression) {
        None => Some(no_expression(expression, name)),
        Some(Named::Given) => None,
        Some(Named::Parameter(location, wanted)) => {
            let declared = operation.parameters.iter().chain(&item.parameters);
            let declared = declared.filter(|one| one.location == location);
            let declared: Vec<&str> = declared.map(|one| &*one.name.value).collect();
            let is_it = |known: &&str| match location {
                Location::Header => known.eq_ignore_ascii_case(wanted), // RFC 9110 section 5.1
                _ => *known == wanted,
            };
            // what every request may have, and no parameter declares
            let is_usual = location == Location::Header
                && ["accept", "authorization", "content-type"].iter().any(&is_it);
            let found = is_usual || declared.iter().any(is_it);
            (!found).then(|| nowhere(expression, "a parameter", name).nearest(wanted, declared))
        }
        Some(Named::Body(side, pointer)) => {
            let body = operation.body.iter().flat_map(|body| &body.content);
            let answers = operation.responses.iter().flat_map(|answer| &answer.content);
            let mut content: Box<dyn Iterator<Item = &Media>> = match side {
                Side::Request => Box::new(body),
                Side::Answer => Box::new(answers),
            };
            let has_it = |media: &Media| media.schema.is_none_or(|id| may_have(document, id, &pointer));
            (!content.any(has_it)).then(|| nowhere(expression, "a body, or a member of it,", name))
        }
    })
}

fn no_expression(text: &str, name: &Spanned<String>) -> Finding {
    let message = format!("`{text}` is no runtime expression");
    let help = "such as `{$request.body#/url}`, `{$request.query.url}` or `{$request.header.X-Url}`";
    Finding::warning(Code::InvalidValue, message, name.place).help(help)
}

fn nowhere(expression: &str, what: &str, name: &Spanned<String>) -> Finding {
    let message = format!("`{expression}` names {what} that the operation does not declare");
    let finding = Finding::warning(Code::UnresolvedReference, message, name.place);
    finding.help("declare it, or correct the name: the application would find no address to send to")
}

/// The expressions of a name. `None`: its braces are not in pairs.
fn expressions(name: &str) -> Option<Vec<&str>> {
    if name.starts_with('$') {
        return Some(vec![name]);
    }
    let (mut all, mut rest) = (Vec::new(), name);
    while let Some((before, inner)) = rest.split_once('{') {
        let (expression, after) = inner.split_once('}')?;
        if before.contains('}') {
            return None;
        }
        all.push(expression);
        rest = after;
    }
    (!rest.contains('}')).then_some(all)
}

/// `expression` of the grammar. `None`: it is none.
fn named(expression: &str) -> Option<Named<'_>> {
    if ["$url", "$method", "$statusCode"].contains(&expression) {
        return Some(Named::Given);
    }
    let (side, source) = match (expression.strip_prefix("$request."), expression.strip_prefix("$response.")) {
        (Some(source), _) => (Side::Request, source),
        (_, source) => (Side::Answer, source?),
    };
    if let Some(rest) = source.strip_prefix("body") {
        return Some(Named::Body(side, if rest.is_empty() { Pointer::default() } else { pointer(rest)? }));
    }
    let (place, name) = source.split_once('.')?;
    let location = match place {
        "header" if is_token(name) => Location::Header,
        "query" => Location::Query,
        "path" => Location::Path,
        _ => return None,
    };
    Some(match side {
        Side::Request => Named::Parameter(location, name),
        Side::Answer => Named::Given,
    })
}

/// `"#" json-pointer` (RFC 6901 section 3).
fn pointer(fragment: &str) -> Option<Pointer> {
    Pointer::parse(fragment.strip_prefix('#')?)
}

/// `token` (RFC 9110 section 5.6.2).
fn is_token(name: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(sound)
}

/// Whether a value of this schema may have what the pointer leads to.
fn may_have(document: &Document, id: SchemaId, pointer: &Pointer) -> bool {
    let mut at = vec![id];
    for step in pointer.steps() {
        let (mut inside, mut declares) = (Vec::new(), false);
        for id in in_place(document, at) {
            let schema = document.schema(id);
            let beyond = &schema.beyond;
            let other = schema.additional.as_ref().map(|additional| additional.value);
            let is_open = matches!(other, Some(Additional::Allowed(true) | Additional::Each(_)))
                || schema.rules.open.as_ref().is_some_and(|open| open.value);
            if is_open || !beyond.pattern_properties.is_empty() {
                return true;
            }
            declares |= !schema.types.is_empty() || schema.properties.is_some();
            let members = schema.properties.iter().flatten().filter(|(name, _)| *name.value == **step);
            inside.extend(members.map(|(_, id)| *id));
            if step.bytes().all(|byte| byte.is_ascii_digit()) {
                inside.extend(schema.items.iter().chain(&beyond.prefix_items));
            }
        }
        if inside.is_empty() {
            return !declares;
        }
        at = inside;
    }
    true
}

/// With all that is applied to the same value.
fn in_place(document: &Document, mut waiting: Vec<SchemaId>) -> HashSet<SchemaId> {
    let mut seen = HashSet::default();
    while let Some(id) = waiting.pop() {
        if seen.insert(id) {
            let schema = document.schema(id);
            waiting.extend(schema.reference.into_iter().chain(schema.beyond.in_place()));
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front::understand;
    use crate::source::Source;

    /// What is remarked of the name of a callback.
    fn remark(name: &str) -> Option<(Code, String)> {
        let body = "{ type: object, properties: { url: { type: string }, list: { type: array, items: { $ref: '#/components/schemas/Place' } }, any: {}, map: { type: object, additionalProperties: { type: string } } } }";
        let text = format!(
            "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\npaths:\n  /a/{{id}}:\n    parameters: [{{ name: id, in: path, required: true, schema: {{ type: string }} }}]\n    post:\n      operationId: a\n      security: []\n      x-palisade: {{ public: for a test }}\n      parameters: [{{ name: to, in: query, schema: {{ type: string }} }}, {{ name: X-To, in: header, schema: {{ type: string }} }}]\n      requestBody: {{ content: {{ application/json: {{ schema: {body} }} }} }}\n      responses: {{ '200': {{ description: ok, content: {{ application/json: {{ schema: {{ $ref: '#/components/schemas/Place' }} }} }} }} }}\n      callbacks: {{ c: {{ '{name}': {{ post: {{ responses: {{ '204': {{ description: ok }} }} }} }} }} }}\ncomponents: {{ schemas: {{ Place: {{ type: object, properties: {{ url: {{ type: string }} }} }} }} }}\n"
        );
        let understood =
            understand(&Source::text("a.yaml", text)).unwrap_or_else(|all| panic!("{name}: {all}"));
        let mut all = understood.warnings.iter();
        let first = all.next().map(|found| (found.code(), found.message().to_owned()));
        assert!(all.next().is_none(), "{name}");
        first
    }

    #[test]
    fn what_is_declared_is_named() {
        for name in [
            "$request.body#/url",
            "{$request.body#/url}",
            "https://example.com/{$request.path.id}?to={$request.query.to}&x={$url}",
            "{$request.header.x-to}",
            "{$request.header.Authorization}",
            "{$request.body}",
            "{$request.body#/list/0/url}",
            "{$request.body#/any/deep/er}",
            "{$request.body#/map/x}",
            "{$response.body#/url}",
            "{$response.header.Location}",
            "{$method}{$statusCode}",
            "https://example.com/constant",
        ] {
            assert_eq!(remark(name), None, "{name}");
        }
    }

    #[test]
    fn what_is_not_is_a_remark() {
        for (name, code) in [
            ("{$request.body#/ulr}", Code::UnresolvedReference),
            ("{$request.body#/url/deeper}", Code::UnresolvedReference),
            ("{$request.body#/list/first}", Code::UnresolvedReference),
            ("{$request.body#/list/0/id}", Code::UnresolvedReference),
            ("{$response.body#/id}", Code::UnresolvedReference),
            ("{$request.query.id}", Code::UnresolvedReference),
            ("{$request.path.to}", Code::UnresolvedReference),
            ("{$request.query.TO}", Code::UnresolvedReference),
            ("{$request.header.X-From}", Code::UnresolvedReference),
            ("{$request.body.url}", Code::InvalidValue),
            ("{$request.body#url}", Code::InvalidValue),
            ("{$request.cookie.sid}", Code::InvalidValue),
            ("{$request.header.a b}", Code::InvalidValue),
            ("{request.body#/url}", Code::InvalidValue),
            ("https://example.com/{id}", Code::InvalidValue),
            ("{$request.query.to", Code::InvalidValue),
            ("$request.query", Code::InvalidValue),
            ("$urls", Code::InvalidValue),
        ] {
            assert_eq!(remark(name).map(|(code, _)| code), Some(code), "{name}");
        }
        assert!(remark("{$request.query.TO}").unwrap().1.contains("`$request.query.TO` names a parameter"));
    }
}
