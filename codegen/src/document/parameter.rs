//! Parameters of a path or an operation.

use super::read::overlay;
use super::{Fields, Reader, SchemaId, Spanned};
use crate::finding::{Code, Finding};
use crate::model::{Docs, Location, Style};
use crate::source::span::Place;
use crate::source::tree::Node;

/// A parameter.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    /// Where it is listed (which may be a reference to it).
    pub(crate) place: Place,
    pub(crate) name: Spanned<String>,
    pub(crate) location: Location,
    pub(crate) required: Option<Spanned<bool>>,
    /// `None` after a finding.
    pub(crate) schema: Option<SchemaId>,
    pub(crate) style: Style,
    pub(crate) docs: Docs,
    pub(crate) example: Option<Node>,
}

impl<'d> Reader<'d> {
    pub(super) fn parameters(&mut self, fields: &mut Fields<'d>) -> Vec<Parameter> {
        let Some((nodes, _)) = self.array(fields, "parameters") else { return Vec::new() };
        nodes.iter().filter_map(|node| self.parameter(node)).collect()
    }

    pub(super) fn parameter(&mut self, listed: &'d Node) -> Option<Parameter> {
        let (node, said) = self.follow(listed, "parameters")?;
        let mut fields = self.fields(node, "a parameter")?;
        let name = self.required_string(&mut fields, "name");
        let location = self.location(&mut fields);
        let docs = overlay(said, self.docs(&mut fields, &["description", "deprecated"]));
        let required = self.boolean(&mut fields, "required");
        self.refuse_if_true(&mut fields, "allowEmptyValue");
        self.refuse_if_true(&mut fields, "allowReserved");
        let style = self.style(&mut fields, location.unwrap_or(Location::Query));
        let schema = self.parameter_schema(&mut fields);
        let example = self.examples(&mut fields).into_iter().next();
        self.finish(fields);
        let (name, location) = (name?, location?);
        if name.value.is_empty() {
            self.push(Finding::error(Code::InvalidValue, "a parameter without a name", name.place));
            return None;
        }
        if location == Location::Header && !is_token(&name.value) {
            let message = format!("`{}` is no header name", name.value);
            let help = "header names are letters, digits and `!#$%&'*+-.^_`|~` (RFC 9110 section 5.6.2)";
            self.push(Finding::error(Code::InvalidValue, message, name.place).help(help));
        }
        Some(Parameter { place: listed.place, name, location, required, schema, style, docs, example })
    }

    fn location(&mut self, fields: &mut Fields<'d>) -> Option<Location> {
        let word = self.required_string(fields, "in")?;
        Some(match &*word.value {
            "path" => Location::Path,
            "query" => Location::Query,
            "header" => Location::Header,
            "cookie" => Location::Cookie,
            other => {
                let finding = Finding::error(
                    Code::InvalidValue,
                    format!("`{other}` is no place for a parameter"),
                    word.place,
                );
                let help = if other == "body" || other == "formData" {
                    "OpenAPI 3 describes bodies under `requestBody`"
                } else {
                    "the places are `path`, `query`, `header` and `cookie`"
                };
                self.push(finding.help(help).nearest(other, ["path", "query", "header", "cookie"]));
                return None;
            }
        })
    }

    fn refuse_if_true(&mut self, fields: &mut Fields<'d>, key: &'static str) {
        if let Some(flag) = self.boolean(fields, key)
            && flag.value
        {
            self.push(Finding::error(
                Code::NotSupported,
                format!("`{key}: true` is not supported yet"),
                flag.place,
            ));
        }
    }

    /// How arrays are written; the defaults are those of OpenAPI 3.1 section 4.8.12.2.
    fn style(&mut self, fields: &mut Fields<'d>, location: Location) -> Style {
        let default = match location {
            Location::Path | Location::Header => "simple",
            Location::Query | Location::Cookie => "form",
        };
        let style = self.string(fields, "style");
        let explode = self.boolean(fields, "explode");
        if let Some(style) = &style
            && style.value != default
        {
            const KNOWN: [&str; 7] =
                ["simple", "form", "matrix", "label", "spaceDelimited", "pipeDelimited", "deepObject"];
            let finding = if KNOWN.contains(&&*style.value) {
                let message = format!(
                    "the style `{}` of a {} parameter is not supported yet",
                    style.value,
                    location.as_str()
                );
                Finding::error(Code::NotSupported, message, style.place)
                    .help(format!("`{default}` is supported there"))
            } else {
                let message = format!("`{}` is no style of a parameter", style.value);
                Finding::error(Code::InvalidValue, message, style.place).nearest(&style.value, KNOWN)
            };
            self.push(finding);
        }
        let explode = explode.map_or(default == "form", |explode| explode.value);
        if explode && location == Location::Query { Style::Repeated } else { Style::Commas }
    }

    fn parameter_schema(&mut self, fields: &mut Fields<'d>) -> Option<SchemaId> {
        let schema = fields.get("schema");
        let content = fields.get("content");
        match (schema, content) {
            (Some(_), Some(content)) => {
                let finding = Finding::error(
                    Code::InvalidValue,
                    "a parameter has `schema` or `content`, not both",
                    content.key_place,
                );
                self.push(finding.help("keep `schema`"));
                None
            }
            (Some(schema), None) => Some(self.schema(&schema.node)),
            (None, Some(content)) => {
                let finding = Finding::error(
                    Code::NotSupported,
                    "`content` of a parameter is not supported yet",
                    content.key_place,
                );
                self.push(finding.help("describe it with `schema`"));
                None
            }
            (None, None) => {
                self.missing(fields, "schema");
                None
            }
        }
    }

    /// `example` and `examples`, as values.
    pub(super) fn examples(&mut self, fields: &mut Fields<'d>) -> Vec<Node> {
        let mut values: Vec<Node> =
            fields.get("example").map(|member| member.node.clone()).into_iter().collect();
        for member in self.map(fields, "examples") {
            let Some((node, _)) = self.follow(&member.node, "examples") else { continue };
            let Some(mut example) = self.fields(node, "an example") else { continue };
            self.docs(&mut example, &["summary", "description"]);
            self.string(&mut example, "externalValue");
            values.extend(example.get("value").map(|member| member.node.clone()));
            self.finish(example);
        }
        values
    }
}

/// RFC 9110 section 5.6.2.
pub(super) fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
