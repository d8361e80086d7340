//! Operations: parameters merged and typed, bodies and answers.

use std::borrow::Cow;

use foldhash::HashSet;

use super::direction::Direction;
use super::field_name;
use super::literal::literal;
use super::range::refused;
use super::types::with;
use super::wire::How;
use super::{Builder, path, policy};
use crate::check::value::fits;
use crate::document::{self, Document, PathItem, SchemaId};
use crate::finding::{Code, Finding};
use crate::model::{
    Body, Header, Location, Method, Operation, Parameter, Response, Schema, StatusKey, Style, Text, Type,
    Wire, WireKind,
};
use crate::source::span::Place;
use crate::source::tree::{Node, Value};

/// Described by responses, bodies and security; as parameters the standard ignores them (OpenAPI 3.1 section 4.8.12.1).
const IGNORED_HEADERS: [&str; 3] = ["accept", "content-type", "authorization"];

/// Whether this parameter does not reach the handler: the standard ignores it, the gate reads it as a credential, or takes it
/// away.
pub(crate) fn is_ignored(operation: &document::Operation, parameter: &document::Parameter) -> bool {
    let name = parameter.name.value.to_ascii_lowercase();
    let by_standard = parameter.location == Location::Header && IGNORED_HEADERS.contains(&&*name);
    by_standard
        || speaks_for_others(parameter)
        || is_for_a_proxy(parameter)
        || is_credential(operation, parameter)
        || credential_within(operation, parameter).is_some()
}

/// Whether it says for whom a proxy speaks.
pub(crate) fn speaks_for_others(parameter: &document::Parameter) -> bool {
    parameter.location == Location::Header && field_name::speaks_for_others(&parameter.name.value)
}

/// Whether it is what a client shows to a proxy (RFC 9110 section 11.7.2).
pub(crate) fn is_for_a_proxy(parameter: &document::Parameter) -> bool {
    parameter.location == Location::Header && parameter.name.value.eq_ignore_ascii_case("proxy-authorization")
}

/// The cookie with a credential that the header `Cookie` holds among all others, for this operation or another.
pub(crate) fn credential_within<'d>(
    operation: &'d document::Operation,
    parameter: &document::Parameter,
) -> Option<&'d str> {
    let is_all_cookies =
        parameter.location == Location::Header && parameter.name.value.eq_ignore_ascii_case("cookie");
    operation.cookie.as_deref().filter(|_| is_all_cookies)
}

/// Whether it is a credential of a scheme that the operation names.
pub(crate) fn is_credential(operation: &document::Operation, parameter: &document::Parameter) -> bool {
    operation.credentials.iter().any(|(location, name)| {
        !parameter.spread
            && location == parameter.location.as_str()
            && match parameter.location {
                // RFC 9110 section 5.1: names of fields have no case
                Location::Header => name.eq_ignore_ascii_case(&parameter.name.value),
                _ => *name == parameter.name.value,
            }
    })
}

/// What two parameters share that are one: header names have no case (RFC 9110 section 5.1).
pub(crate) fn identity(parameter: &document::Parameter) -> (Location, Cow<'_, str>) {
    let name = &parameter.name.value;
    let name = match parameter.location {
        Location::Header => Cow::Owned(name.to_ascii_lowercase()),
        _ => Cow::Borrowed(name.as_str()),
    };
    (parameter.location, name)
}

/// Those of the path that the operation does not say anew, then its own.
pub(crate) fn merged<'d>(
    item: &'d PathItem,
    operation: &'d document::Operation,
) -> Vec<&'d document::Parameter> {
    let own: HashSet<_> = match item.parameters.as_slice() {
        [] => HashSet::default(),
        _ => operation.parameters.iter().map(identity).collect(),
    };
    let anew = |parameter: &&document::Parameter| !own.contains(&identity(parameter));
    item.parameters
        .iter()
        .filter(anew)
        .chain(&operation.parameters)
        .filter(|parameter| !is_ignored(operation, parameter))
        .collect()
}

impl Builder<'_> {
    /// `None` after a finding, of `build` or of `check`.
    pub(super) fn operation(
        &mut self,
        id: String,
        item: &PathItem,
        written: &document::Operation,
    ) -> Option<Operation> {
        let root = [id.clone()];
        self.direction = Direction::Request;
        let parameters: Vec<Option<Parameter>> =
            merged(item, written).into_iter().map(|parameter| self.parameter(parameter, &root)).collect();
        let body = written.body.as_ref().map(|body| self.body(body, item, written, &root));
        self.direction = Direction::Answer;
        let responses: Vec<Option<Response>> =
            answers(written).map(|response| self.response(response, &root)).collect();
        self.finish_inline();
        let path = path::template(&item.template.value).ok()?;
        let access = self.access(written)?;
        let limits = self.limits(item, written)?;
        let ownership = self.ownership(item, written).ok()?;
        Some(Operation {
            id,
            method: written.method.clone(),
            path,
            tags: written.tags.clone(),
            docs: written.docs.clone(),
            parameters: parameters.into_iter().collect::<Option<_>>()?,
            body: match body {
                Some(body) => Some(body?),
                None => None,
            },
            responses: responses.into_iter().collect::<Option<_>>()?,
            access,
            step_up: policy::asked_login(item, written),
            limits,
            cost: policy::cost(written),
            timeout: self.timeout(item, written),
            priority: self.priority(item, written),
            audit: self.audit(item, written),
            ownership,
            pagination: policy::pagination(written),
            idempotency: self.idempotency(written),
            login: policy::login(written),
        })
    }

    fn parameter(&mut self, written: &document::Parameter, root: &[String]) -> Option<Parameter> {
        let name = &written.name.value;
        let id = written.schema?;
        self.comes_anyway(id);
        let mut schema = self.schema(id, &with(root, name), 0)?;
        self.finish_inline();
        let content = written.content.as_ref().map(|content| &content.name);
        schema = self.text_of_content(content, schema);
        let wire = self.parameter_wire(written, &schema, self.document.schema(id).place)?;
        if wire.kind != WireKind::Json {
            // text has no way to say `null`, so allowing it allows nothing more
            schema.nullable = false;
        }
        let required = written.required.as_ref().is_some_and(|required| required.value);
        // text has no way to say `null`
        let says = |default: &&Node| {
            !matches!(default.value, Value::Null) && fits(self.document, id, default).is_ok()
        };
        let default = self.document.default_of(id).filter(|_| !required).filter(says);
        let stated = [id, self.document.target(id)].map(|id| self.document.schema(id).examples.first());
        let example = written.example.as_ref().or(stated.into_iter().flatten().next());
        Some(Parameter {
            name: name.clone(),
            location: written.location,
            schema,
            required,
            default: default.map(literal),
            wire,
            example: example.map(literal),
            docs: written.docs.clone(),
        })
    }

    /// `None` after a finding.
    fn parameter_wire(
        &mut self,
        written: &document::Parameter,
        schema: &Schema,
        place: Place,
    ) -> Option<Wire> {
        if let (Location::QueryString, Some(content)) = (written.location, &written.content) {
            return self.whole_query(content, schema);
        }
        let content = written.content.as_ref().map(|content| &content.name);
        if self.is_json_content(content, schema, "parameter")? {
            return Some(Self::json_wire(written.style));
        }
        let what = if written.location == Location::Cookie { "cookie" } else { "parameter" };
        let style = How { style: written.style, explode: written.explode, place, what };
        Some(Wire { empty: written.empty, ..self.wire(schema, &style)? })
    }

    fn body(
        &mut self,
        written: &document::RequestBody,
        item: &PathItem,
        operation: &document::Operation,
        root: &[String],
    ) -> Option<Body> {
        if operation.method == Method::Trace {
            // RFC 9110 section 9.3.8
            let finding = Finding::error(Code::InvalidValue, "a TRACE request has no body", written.place);
            self.findings.push(finding.help("remove `requestBody`"));
            return None;
        }
        if matches!(operation.method, Method::Get | Method::Head) {
            let message = format!("a body of a {} request has no defined meaning", operation.method.as_str());
            let finding = Finding::warning(Code::BodyWithoutMeaning, message, written.place);
            self.findings.push(finding.help("intermediaries may drop it: use parameters, or `post`"));
        }
        if written.content.is_empty() {
            let message = "a request body without a media type";
            let finding = Finding::error(Code::MissingMember, message, written.place);
            self.findings.push(finding.help("describe it under `content`, as `application/json`"));
            return None;
        }
        // what a change does not speak of stays as it is (RFC 5789 section 2)
        self.direction =
            if operation.method == Method::Patch { Direction::Patch } else { Direction::Request };
        let contents = self.contents(&written.content, &with(root, "body"), Direction::Request)?;
        let (max, depth) = self.body_bounds(item, operation);
        let refused = refused(&written.content, &contents);
        Some(Body { contents, refused, required: written.required, max, depth, docs: written.docs.clone() })
    }

    fn response(&mut self, written: &document::Response, root: &[String]) -> Option<Response> {
        let status = status(&written.status.value)?;
        let path = with(root, &written.status.value);
        let contents = self.contents(&written.content, &path, Direction::Answer)?;
        let headers: Vec<Option<Header>> =
            written.headers.iter().map(|header| self.header(header, &path)).collect();
        let headers = headers.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Response { status, contents, headers, docs: written.docs.clone() })
    }

    pub(super) fn header(&mut self, written: &document::Header, path: &[String]) -> Option<Header> {
        let name = &written.name.value;
        written.schema.map_or(Some(()), |id| self.goes_this_way(id))?;
        let mut schema = match written.schema {
            Some(id) => self.schema(id, &with(path, name), 0)?,
            None => Schema::of(Type::Text(Text::default())),
        };
        self.finish_inline();
        schema = self.text_of_content(written.content.as_ref(), schema);
        let json = self.is_json_content(written.content.as_ref(), &schema, "header")?;
        if !json {
            schema.nullable = false;
        }
        let place = written.schema.map_or(written.name.place, |id| self.document.schema(id).place);
        let how = How { style: Style::Simple, explode: written.explode, place, what: "header" };
        let wire = if json { Self::json_wire(Style::Simple) } else { self.wire(&schema, &how)? };
        let sets_cookies = name.eq_ignore_ascii_case("set-cookie");
        if sets_cookies {
            self.cookies_are_told_apart(&wire, place)?;
        }
        Some(Header {
            name: name.clone(),
            schema,
            required: written.required,
            wire,
            lines: sets_cookies && written.content.is_some() && !json,
            docs: written.docs.clone(),
        })
    }

    /// An object as `Set-Cookie` has a cookie in each member, and a line for each (OpenAPI 3.2 section 4.21.3); written as
    /// `name,value` it is none.
    fn cookies_are_told_apart(&mut self, wire: &Wire, place: Place) -> Option<()> {
        let is_object = matches!(wire.kind, WireKind::Object(..));
        if !is_object || wire.explode {
            return Some(());
        }
        let message = "an object as `Set-Cookie` is written as `name,value`, which is no cookie";
        let help = "write `explode: true` beside it: each member is a cookie then, on a line of its own";
        self.findings.push(Finding::error(Code::Style, message, place).help(help));
        None
    }
}

/// `200`, `4XX` or `default` (OpenAPI 3.1 section 4.8.16).
pub(crate) fn status(key: &str) -> Option<StatusKey> {
    match key.as_bytes() {
        b"default" => Some(StatusKey::Default),
        [hundred @ b'1'..=b'5', b'X', b'X'] => Some(StatusKey::Range(u16::from(hundred - b'0'))),
        [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9'] => key.parse().ok().map(StatusKey::Exactly),
        _ => None,
    }
}

/// Whether it is the status of an interim answer (RFC 9110 section 15.2), which goes before the one that a handler gives.
pub(crate) const fn is_interim(status: StatusKey) -> bool {
    matches!(status, StatusKey::Exactly(100..=199) | StatusKey::Range(1))
}

/// The responses that a handler can give.
pub(crate) fn answers(operation: &document::Operation) -> impl Iterator<Item = &document::Response> {
    operation.responses.iter().filter(|response| !status(&response.status.value).is_some_and(is_interim))
}

/// The parameter of the merged list.
pub(crate) fn find<'d>(
    item: &'d PathItem,
    operation: &'d document::Operation,
    location: Location,
    name: &str,
) -> Option<&'d document::Parameter> {
    merged(item, operation)
        .into_iter()
        .find(|parameter| parameter.location == location && parameter.name.value == name)
}

/// The properties of the object that a schema refers to.
pub(crate) fn properties(document: &Document, id: SchemaId) -> &[(document::Spanned<String>, SchemaId)] {
    document.schema(document.target(id)).properties.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses() {
        assert_eq!(status("200"), Some(StatusKey::Exactly(200)));
        assert_eq!(status("4XX"), Some(StatusKey::Range(4)));
        assert_eq!(status("default"), Some(StatusKey::Default));
        for wrong in ["OK", "4xx", "600", "20", "2000", "099", "0XX", "Default", "2X0", ""] {
            assert_eq!(status(wrong), None, "{wrong}");
        }
    }
}
