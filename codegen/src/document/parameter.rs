//! Parameters of a path or an operation.

use super::follow::overlay;
use super::{Fields, Media, Reader, SchemaId, Spanned};
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
    /// `content`; its schema is the parameter's.
    pub(crate) content: Option<Media>,
    pub(crate) style: Style,
    pub(crate) explode: bool,
    /// Whether names of its members stand in the request, and its own nowhere.
    pub(crate) spread: bool,
    /// `allowEmptyValue`
    pub(crate) empty: bool,
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
        if location == Some(Location::QueryString) {
            self.described_by_content(&fields)?;
        }
        let docs = overlay(said, self.docs(&mut fields, &["description", "deprecated"]));
        let required = self.boolean(&mut fields, "required");
        let empty = self.boolean(&mut fields, "allowEmptyValue").is_some_and(|flag| flag.value);
        let (style, explode) = self.style(&mut fields, location.unwrap_or(Location::Query));
        self.of_queries(&mut fields, location, style);
        let (schema, content) = self.parameter_schema(&mut fields);
        let example = self.examples(&mut fields).into_iter().next();
        self.finish(fields);
        let (name, location) = (name?, location?);
        if name.value.is_empty() {
            self.push(Finding::error(Code::InvalidValue, "a parameter without a name", name.place));
            return None;
        }
        if location == Location::Path && name.value.contains(['{', '}']) {
            let message = format!("`{}` is no name in a path", name.value);
            let help = "a name stands between braces there, and has none itself";
            self.push(Finding::error(Code::InvalidValue, message, name.place).help(help));
            return None;
        }
        if location == Location::Path && !required.as_ref().is_some_and(|required| required.value) {
            let place = required.as_ref().map_or(name.place, |required| required.place);
            let message = format!("the path parameter `{}` is not required", name.value);
            self.push(Finding::error(Code::ParameterOptional, message, place).help("write `required: true`"));
        }
        if location == Location::Header && !is_token(&name.value) {
            let message = format!("`{}` is no header name", name.value);
            let help = "header names are letters, digits and `!#$%&'*+-.^_`|~` (RFC 9110 section 5.6.2)";
            self.push(Finding::error(Code::InvalidValue, message, name.place).help(help));
        }
        // RFC 6265 section 4.1.1
        if location == Location::Cookie && !is_token(&name.value) {
            let message = format!("`{}` is no name of a cookie", name.value);
            let help = "names of cookies are letters, digits and `!#$%&'*+-.^_`|~`";
            self.push(Finding::error(Code::InvalidValue, message, name.place).help(help));
        }
        let empty = empty && location == Location::Query;
        let place = listed.place;
        Some(Parameter {
            place,
            name,
            location,
            required,
            schema,
            content,
            style,
            explode,
            spread: false, // until the schemas have been read
            empty,
            docs,
            example,
        })
    }

    /// Remarks on what is about queries where it has no effect (OpenAPI 3.1 section 4.8.12.2, 3.2 section 4.12.2). Which
    /// characters a client may leave unescaped says nothing to a server: it reads them either way.
    fn of_queries(&mut self, fields: &mut Fields<'d>, location: Option<Location>, style: Style) {
        let reserved = self.boolean(fields, "allowReserved").is_some_and(|flag| flag.value);
        let Some(location) = location.filter(|location| *location != Location::QueryString) else { return };
        let is_escaped = match location {
            Location::Query => true,
            Location::Path => self.since_3_2,
            Location::Cookie => self.since_3_2 && style == Style::Form,
            Location::Header | Location::QueryString => false,
        };
        if reserved && !is_escaped {
            self.without_effect_in(fields, "allowReserved", location.as_str());
        }
        let empty = fields.peek("allowEmptyValue").and_then(Node::as_bool) == Some(true);
        if empty && location != Location::Query {
            self.without_effect_in(fields, "allowEmptyValue", location.as_str());
        }
    }

    pub(super) fn without_effect_in(&mut self, fields: &Fields<'d>, key: &'static str, place: &str) {
        let Some(node) = fields.peek(key) else { return };
        let message = format!("`{key}` has no effect in a {place}");
        self.push(Finding::warning(Code::PassedOver, message, node.place).help("remove it"));
    }

    fn location(&mut self, fields: &mut Fields<'d>) -> Option<Location> {
        let word = self.required_string(fields, "in")?;
        Some(match &*word.value {
            "path" => Location::Path,
            "query" => Location::Query,
            "header" => Location::Header,
            "cookie" => Location::Cookie,
            "querystring" if self.since_3_2 => Location::QueryString,
            other => {
                let finding = Finding::error(
                    Code::InvalidValue,
                    format!("`{other}` is no place for a parameter"),
                    word.place,
                );
                let help = match other {
                    "body" | "formData" => "OpenAPI 3 describes bodies under `requestBody`",
                    "querystring" => {
                        "it is one since OpenAPI 3.2: write `openapi: 3.2.0`, or use `in: query`"
                    }
                    _ if self.since_3_2 => {
                        "the places are `path`, `query`, `querystring`, `header` and `cookie`"
                    }
                    _ => "the places are `path`, `query`, `header` and `cookie`",
                };
                let places = ["path", "query", "header", "cookie", "querystring"];
                let known = places.into_iter().filter(|place| self.since_3_2 || *place != "querystring");
                self.push(finding.help(help).nearest(other, known));
                return None;
            }
        })
    }

    /// OpenAPI 3.2 section 4.12.2: what is all of the query is described by `content` alone. `None` after a finding.
    fn described_by_content(&mut self, fields: &Fields<'d>) -> Option<()> {
        let help = "describe it with `content`, as `application/x-www-form-urlencoded` or `application/json`";
        let others = ["schema", "style", "explode", "allowReserved", "allowEmptyValue"];
        let said = others.iter().find_map(|key| Some((*key, fields.peek(key)?.place)));
        let finding = if let Some((key, place)) = said {
            let message = format!("`{key}` of a parameter that is all of the query");
            Finding::error(Code::InvalidValue, message, place)
        } else if fields.peek("content").is_none() {
            let message = "a parameter that is all of the query has no `content`";
            Finding::error(Code::MissingMember, message, fields.place)
        } else {
            return Some(());
        };
        self.push(finding.help(help));
        None
    }

    /// How values are written; the defaults are those of OpenAPI 3.1 section 4.8.12.2.
    fn style(&mut self, fields: &mut Fields<'d>, location: Location) -> (Style, bool) {
        let written = self.string(fields, "style");
        let explode = self.boolean(fields, "explode");
        let default = Style::default_of(location);
        let style = match written {
            None => default,
            Some(word) => self.style_word(&word, Some(location)).unwrap_or(default),
        };
        (style, explode.map_or(style.explodes(), |explode| explode.value))
    }

    /// A style, of a place if there is one.
    pub(super) fn style_word(&mut self, word: &Spanned<String>, location: Option<Location>) -> Option<Style> {
        let style = Style::WORDS.iter().find(|(known, _)| *known == word.value).map(|(_, style)| *style);
        if !self.since_3_2 && location == Some(Location::Cookie) && style == Some(Style::Cookie) {
            let message = "`cookie` is a style since OpenAPI 3.2";
            let finding = Finding::error(Code::InvalidValue, message, word.place);
            self.push(finding.help("write `openapi: 3.2.0`, or `style: form`"));
            return None;
        }
        let allowed = location.map_or(Style::of(Location::Query), Style::of);
        let known = allowed.iter().filter(|style| self.since_3_2 || **style != Style::Cookie);
        let words: Vec<&str> = known.map(|style| style.as_str()).collect();
        let place = location.map_or("query", Location::as_str);
        let message = match style {
            Some(style) if allowed.contains(&style) => return Some(style),
            Some(_) => format!("`{}` is no style of a {place} parameter", word.value),
            None => format!("`{}` is no style", word.value),
        };
        let finding = Finding::error(Code::InvalidValue, message, word.place);
        let help = format!("the styles there are `{}`", words.join("`, `"));
        self.push(finding.help(help).nearest(&word.value, words));
        None
    }

    fn parameter_schema(&mut self, fields: &mut Fields<'d>) -> (Option<SchemaId>, Option<Media>) {
        let schema = fields.get("schema").map(|schema| self.schema(&schema.node));
        let place = fields.peek("content").map(|content| content.place);
        let content = self.content(fields);
        let mut of_a_style = ["style", "explode", "allowReserved"].iter();
        let of_a_style = of_a_style.find_map(|key| Some((key, fields.peek(key)?.place)));
        match (schema, place) {
            (None, Some(_)) if let Some((key, place)) = of_a_style => {
                let message = format!("`{key}` beside `content`");
                let finding = Finding::error(Code::InvalidValue, message, place);
                self.push(finding.help("the media type says how it is written: remove it"));
                (None, None)
            }
            (Some(_), Some(place)) => {
                let message = "a parameter has `schema` or `content`, not both";
                self.push(Finding::error(Code::InvalidValue, message, place).help("keep `schema`"));
                (None, None)
            }
            (Some(schema), None) => (Some(schema), None),
            (None, Some(place)) => match content.as_slice() {
                [one] if one.item_schema.is_none() => (Some(self.schema_of_content(one)), Some(one.clone())),
                _ => {
                    let message = "the `content` of a parameter is one media type with its `schema`";
                    let finding = Finding::error(Code::InvalidValue, message, place);
                    self.push(finding.help("write `content: { application/json: { schema: .. } }`"));
                    (None, None)
                }
            },
            (None, None) => {
                self.missing(fields, "schema");
                (None, None)
            }
        }
    }
}

/// RFC 9110 section 5.6.2.
pub(super) fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
