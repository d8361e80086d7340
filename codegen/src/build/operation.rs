//! Operations: parameters merged and typed, bodies and answers.

use super::direction::Direction;
use super::literal::literal;
use super::types::with;
use super::{Builder, path, policy};
use crate::document::{self, Document, Media, PathItem, SchemaId};
use crate::finding::{Code, Finding};
use crate::model::{
    Body, Content, Location, Method, Operation, Parameter, Response, Schema, Shape, StatusKey, Type,
};

/// Described by responses, bodies and security; as parameters the standard ignores them (OpenAPI 3.1 section 4.8.12.1).
const IGNORED_HEADERS: [&str; 3] = ["accept", "content-type", "authorization"];

/// Whether the standard ignores this parameter.
pub(crate) fn is_ignored(parameter: &document::Parameter) -> bool {
    let name = parameter.name.value.to_ascii_lowercase();
    parameter.location == Location::Header && IGNORED_HEADERS.contains(&&*name)
}

/// Whether two parameters are one: header names have no case (RFC 9110 section 5.1).
pub(crate) fn is_same(one: &document::Parameter, other: &document::Parameter) -> bool {
    let same_name = match one.location {
        Location::Header => one.name.value.eq_ignore_ascii_case(&other.name.value),
        _ => one.name.value == other.name.value,
    };
    one.location == other.location && same_name
}

/// Those of the path that the operation does not say anew, then its own.
pub(crate) fn merged<'d>(
    item: &'d PathItem,
    operation: &'d document::Operation,
) -> Vec<&'d document::Parameter> {
    let anew = |parameter: &&document::Parameter| {
        operation.parameters.iter().find(|own| is_same(own, parameter)).is_none()
    };
    item.parameters
        .iter()
        .filter(anew)
        .chain(&operation.parameters)
        .filter(|parameter| !is_ignored(parameter))
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
            written.responses.iter().map(|response| self.response(response, &root)).collect();
        self.finish_inline();
        let path = path::template(&item.template.value).ok()?;
        let access = self.access(written)?;
        let limits = self.limits(item, written)?;
        let ownership = self.ownership(item, written).ok()?;
        Some(Operation {
            id,
            method: written.method,
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
            limits,
            timeout: self.timeout(item, written),
            ownership,
            pagination: policy::pagination(written),
        })
    }

    fn parameter(&mut self, written: &document::Parameter, root: &[String]) -> Option<Parameter> {
        let name = &written.name.value;
        let id = written.schema?;
        let mut schema = self.schema(id, &with(root, name), 0)?;
        // text has no way to say `null`, so allowing it allows nothing more
        schema.nullable = false;
        self.finish_inline();
        let shape = self.flat(&schema);
        if !matches!(shape, Flat::Scalar | Flat::List) {
            let place = written.schema.map_or(written.place, |id| self.document.schema(id).place);
            let message = format!(
                "a {} parameter that is {} is not supported yet",
                written.location.as_str(),
                shape.word()
            );
            let finding = Finding::error(Code::NotSupported, message, place);
            self.findings.push(finding.help("parameters are scalars, or arrays of scalars"));
            return None;
        }
        let stated = self.document.schema(self.document.target(id));
        let required = written.required.as_ref().is_some_and(|required| required.value);
        let default = stated.default.as_ref().filter(|_| !required);
        if let (Flat::List, Some(default)) = (&shape, default) {
            let message = "a default of an array parameter is not supported yet";
            self.findings.push(Finding::error(Code::NotSupported, message, default.place));
            return None;
        }
        let example = written.example.as_ref().or(stated.examples.first());
        Some(Parameter {
            name: name.clone(),
            location: written.location,
            schema,
            required,
            default: default.map(literal),
            style: written.style,
            example: example.map(literal),
            docs: written.docs.clone(),
        })
    }

    /// How a type could be written in a path, a query or a header.
    fn flat(&self, schema: &Schema) -> Flat {
        match &schema.ty {
            Type::Any => Flat::Any,
            Type::Map(_) => Flat::Object,
            Type::Boolean | Type::Integer(_) | Type::Number(_) | Type::Text(_) => Flat::Scalar,
            Type::Array(array) if array.items.nullable => Flat::Nested,
            Type::Array(array) => match self.flat(&array.items) {
                Flat::Scalar => Flat::List,
                _ => Flat::Nested,
            },
            Type::Named(id) => match self.types.get(*id).map(|definition| &definition.shape) {
                Some(Shape::Words(_) | Shape::Checked(_)) => Flat::Scalar,
                Some(Shape::Alias(Schema { ty: Type::Named(next), .. })) if next == id => Flat::Any,
                Some(Shape::Alias(alias)) => self.flat(alias),
                Some(Shape::Object(_)) | None => Flat::Object,
            },
        }
    }

    fn body(
        &mut self,
        written: &document::RequestBody,
        item: &PathItem,
        operation: &document::Operation,
        root: &[String],
    ) -> Option<Body> {
        if matches!(operation.method, Method::Get | Method::Head | Method::Trace) {
            let message = format!("a body of a {} request has no defined meaning", operation.method.as_str());
            let finding = Finding::error(Code::NotSupported, message, written.place);
            self.findings.push(finding.help("use parameters, or `post` (RFC 9110 section 9.3.1)"));
            return None;
        }
        if written.content.is_empty() {
            let message = "a request body without a media type";
            let finding = Finding::error(Code::MissingMember, message, written.place);
            self.findings.push(finding.help("describe it under `content`, as `application/json`"));
            return None;
        }
        let content = self.content(&written.content, &with(root, "body"))??;
        let (max, depth) = self.body_bounds(item, operation);
        Some(Body { content, required: written.required, max, depth, docs: written.docs.clone() })
    }

    fn response(&mut self, written: &document::Response, root: &[String]) -> Option<Response> {
        let status = status(&written.status.value)?;
        let word = if written.status.value == "default" { "default" } else { &written.status.value };
        let content = self.content(&written.content, &with(root, word))?;
        Some(Response { status, content, docs: written.docs.clone() })
    }

    /// `None` after a finding, `Some(None)` for no content.
    fn content(&mut self, media: &[Media], path: &[String]) -> Option<Option<Content>> {
        let mut sound = true;
        for one in media.iter().filter(|one| !is_json(&one.name.value)) {
            sound = false;
            let message = format!("the media type `{}` is not supported yet", one.name.value);
            let finding = Finding::error(Code::MediaType, message, one.name.place);
            self.findings
                .push(finding.help("palisade 0.1 decodes `application/json` and types that end in `+json`"));
        }
        if let [_, second, ..] = media
            && sound
        {
            let message = "several media types of one body are not supported yet";
            self.findings.push(Finding::error(Code::MediaType, message, second.name.place).help("keep one"));
            sound = false;
        }
        let Some(one) = media.first().filter(|_| sound) else { return sound.then_some(None) };
        let schema = match one.schema {
            Some(id) => self.schema(id, path, 0)?,
            None => {
                let message = "nothing is declared of this content, so everything is let through";
                let finding = Finding::warning(Code::Untyped, message, one.name.place);
                self.findings.push(finding.help("describe it with a `schema`"));
                Schema::of(Type::Any)
            }
        };
        let examples = one.examples.iter().map(literal).collect();
        Some(Some(Content { media_type: one.name.value.clone(), schema, examples }))
    }
}

enum Flat {
    Scalar,
    List,
    Nested,
    Object,
    Any,
}

impl Flat {
    fn word(&self) -> &'static str {
        match self {
            Self::Scalar => "a scalar",
            Self::List => "an array",
            Self::Nested => "an array of anything but scalars",
            Self::Object => "an object",
            Self::Any => "of any type",
        }
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

/// Parameters of the type, such as `charset`, are compared by the runtime.
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
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

    #[test]
    fn media_types_that_are_json() {
        for json in ["application/json", "application/problem+json", "Application/JSON; charset=utf-8"] {
            assert!(is_json(json), "{json}");
        }
        for other in ["text/json", "application/xml", "*/*", "application/json-seq", "application/jsonp"] {
            assert!(!is_json(other), "{other}");
        }
    }
}
