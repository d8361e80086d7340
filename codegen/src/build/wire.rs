//! How a value is written as text, by its style and by what it is.

use super::Builder;
use super::direction::Direction;
use super::family::{Family, family, is_json, is_xml};
use super::free::Free;
use crate::document::{Media, Spanned};
use crate::finding::{Code, Finding};
use crate::model::{
    ContentForm, Grammar, Schema, Shape, Style, Text, TextFormat, Type, Wire, WireKind, WordValue,
};
use crate::source::span::Place;

/// What the document says about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    pub(super) style: Style,
    pub(super) explode: bool,
    pub(super) place: Place,
    /// `parameter`, `cookie`, `header`, `member of a form`
    pub(super) what: &'static str,
}

impl How {
    /// What to do about a value inside a value: only a query has the style `deepObject` (OpenAPI 3.1 section 4.8.12.2).
    fn nested(&self) -> &'static str {
        match self.style {
            Style::Simple | Style::Label | Style::Matrix => "use `content` with `application/json`",
            _ if self.what == "cookie" => "use `content` with `application/json`",
            _ => "use the style `deepObject`, or `content` with `application/json`",
        }
    }
}

/// How a type could be written as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flat {
    /// One text of one type.
    Scalar,
    /// One text that is bytes in base64, or in what `contentEncoding` says.
    Encoded,
    /// A file, of at most so many bytes.
    File(Option<usize>),
    /// A list; whether of scalars of one type.
    List(Box<Self>),
    /// An object: its members, and whether others are let through.
    Object(Vec<(String, Self)>, bool),
    /// A map of these.
    Map(Box<Self>),
    /// Of any type.
    Any,
    /// Of several types, or of none that Rust has: not of scalars alone.
    Free(Free),
    /// Deeper than is looked at.
    Deep,
}

/// Members of members: styles write one level, `deepObject` and JSON any.
const DEEPEST: usize = 3;

impl Builder<'_> {
    /// Whether `content` is there, and JSON; what is one text in its media type is written as without `content`. `None`
    /// after a finding: what else is in one text is not decoded.
    pub(super) fn is_json_content(
        &mut self,
        content: Option<&Spanned<String>>,
        schema: &Schema,
        what: &str,
    ) -> Option<bool> {
        let Some(media_type) = content else { return Some(false) };
        if is_json(&media_type.value) {
            return Some(true);
        }
        if self.is_one_text(&media_type.value, schema) {
            return Some(false);
        }
        self.undecodable(media_type, what, "write it as JSON, or describe it with `schema`")
    }

    /// Whether a value of this media type is a text as it stands: a scalar where the type is one of text, and a string where
    /// nothing is known of the type (OpenAPI 3.2 section 4.12.8, the example of `application/jsonpath`).
    fn is_one_text(&mut self, media_type: &str, schema: &Schema) -> bool {
        self.finish_shapes();
        match family(media_type, Direction::Request) {
            Family::Text => matches!(self.flat(schema, 0), Flat::Scalar | Flat::Encoded),
            Family::Bytes => !is_xml(media_type) && self.is_string(schema),
            _ => false,
        }
    }

    fn is_string(&self, schema: &Schema) -> bool {
        match &schema.ty {
            Type::Text(text) => text.format != TextFormat::Binary,
            Type::Named(id) => match self.types.get(*id).map(|definition| &definition.shape) {
                Some(Shape::Alias(alias)) => self.is_string(alias),
                Some(Shape::Words(words)) => {
                    words.words.iter().all(|word| matches!(word.value, WordValue::Text(_)))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// A text, where the `content` of a parameter or a header is one of which nothing is said.
    pub(super) fn text_of_content(&self, content: Option<&Spanned<String>>, schema: Schema) -> Schema {
        let is_text = |name: &Spanned<String>| family(&name.value, Direction::Request) == Family::Text;
        match content.is_some_and(is_text) && self.flat(&schema, 0) == Flat::Any {
            true => Schema::of(Type::Text(Text::default())),
            false => schema,
        }
    }

    fn undecodable<T>(&mut self, media_type: &Spanned<String>, what: &str, help: &str) -> Option<T> {
        let message = format!("a {what} of the media type `{}` cannot be decoded", media_type.value);
        let or_text =
            if is_xml(&media_type.value) { "" } else { ", or say that it is one text: `type: string`" };
        let help = format!("{help}{or_text}");
        self.findings.push(Finding::error(Code::MediaType, message, media_type.place).help(help));
        None
    }

    /// How a parameter is written that is all of the query (OpenAPI 3.2 section 4.12.1). `None` after a finding.
    pub(super) fn whole_query(&mut self, one: &Media, schema: &Schema) -> Option<Wire> {
        let kind = match family(&one.name.value, Direction::Request) {
            Family::Json if is_json(&one.name.value) => WireKind::Json,
            Family::Form => match self.form(one, Family::Form, schema.clone(), &[])? {
                Ok((ContentForm::Form(fields), _)) => WireKind::Form(fields),
                Ok((ContentForm::FreeForm(fields), _)) => WireKind::FreeForm(fields),
                _ => {
                    let help = "describe it with `type: object`, or write it as JSON";
                    let message = "a form is an object, and this schema is none";
                    self.findings.push(Finding::error(Code::MediaType, message, one.name.place).help(help));
                    return None;
                }
            },
            _ if self.is_one_text(&one.name.value, schema) => {
                return Some(Wire { typed: true, ..wire(Style::Form, false, WireKind::Scalar) });
            }
            _ => {
                let help = "write it as `application/x-www-form-urlencoded` or as JSON, or declare each parameter with `in: query`";
                return self.undecodable(&one.name, "parameter", help);
            }
        };
        Some(wire(Style::Form, false, kind))
    }

    pub(super) const fn json_wire(style: Style) -> Wire {
        wire(style, false, WireKind::Json)
    }

    /// How a value of `schema` is written. `None` after a finding: no style says how.
    pub(super) fn wire(&mut self, schema: &Schema, how: &How) -> Option<Wire> {
        let How { style, explode, .. } = *how;
        self.finish_shapes();
        let flat = self.flat(schema, 0);
        let kind = match (&flat, style) {
            (Flat::Free(free), _) if free.nests(style) => {
                return self.inexpressible("an object of more than scalars", how, how.nested());
            }
            (Flat::Free(free), Style::SpaceDelimited | Style::PipeDelimited)
                if explode && free.is_object() =>
            {
                return self.inexpressible("an exploded object", how, "remove `explode`");
            }
            (Flat::Free(free), _) => free.kind(style, explode),
            // its text as it stands, like that of the scalars of a schema that allows objects as well
            (Flat::Scalar, Style::DeepObject) if self.is_free(schema) => WireKind::Either,
            (Flat::Scalar | Flat::Encoded | Flat::File(_), Style::DeepObject) => {
                return self.inexpressible("a scalar", how, "write it in the style `form`");
            }
            (_, Style::DeepObject) => WireKind::Scalar,
            (Flat::Scalar | Flat::Encoded, Style::SpaceDelimited | Style::PipeDelimited)
                if !self.is_free(schema) =>
            {
                return self.inexpressible("a scalar", how, "write it in the style `form`");
            }
            (Flat::Object(..) | Flat::Map(_), Style::SpaceDelimited | Style::PipeDelimited) if explode => {
                return self.inexpressible("an exploded object", how, "remove `explode`");
            }
            (Flat::Scalar | Flat::Encoded | Flat::File(_) | Flat::Any, _) => WireKind::Scalar,
            (Flat::List(items), _) if items.is_text() => WireKind::List,
            (Flat::Object(members, open), _) => {
                let repeats = style == Style::Form && explode;
                let fits = |member: &Flat| {
                    member.is_text() || matches!(member, Flat::List(items) if repeats && items.is_text())
                };
                if !members.iter().all(|(_, member)| fits(member)) {
                    return self.inexpressible("an object of more than scalars", how, how.nested());
                }
                WireKind::Object(members.iter().map(|(name, _)| name.clone()).collect(), *open)
            }
            (Flat::Map(values), _) if values.is_text() => WireKind::Object(Vec::new(), true),
            (Flat::List(_) | Flat::Map(_) | Flat::Deep, _) => {
                return self.inexpressible("an array or object of more than scalars", how, how.nested());
            }
        };
        let typed = match &flat {
            Flat::Scalar | Flat::Encoded => true,
            Flat::List(items) => {
                matches!(**items, Flat::Scalar | Flat::Encoded) && !self.nullable_items(schema)
            }
            _ => false,
        };
        Some(Wire { typed: typed && style != Style::DeepObject, ..wire(style, explode, kind) })
    }

    pub(super) fn inexpressible(&mut self, value: &str, how: &How, help: &str) -> Option<Wire> {
        let message = format!(
            "the style `{}` does not say how {value} is written in a {}",
            how.style.as_str(),
            how.what
        );
        self.findings.push(Finding::error(Code::Style, message, how.place).help(help));
        None
    }

    /// Whether its schema has no type in Rust.
    fn is_free(&self, schema: &Schema) -> bool {
        let Type::Named(id) = &schema.ty else { return false };
        match self.types.get(*id).map(|definition| &definition.shape) {
            Some(Shape::Alias(alias)) => self.is_free(alias),
            shape => matches!(shape, Some(Shape::Checked(_) | Shape::Union(_))),
        }
    }

    fn nullable_items(&self, schema: &Schema) -> bool {
        match &schema.ty {
            Type::Array(array) => array.items.nullable,
            Type::Named(id) => match self.types.get(*id).map(|definition| &definition.shape) {
                Some(Shape::Alias(alias)) => self.nullable_items(alias),
                _ => false,
            },
            _ => false,
        }
    }

    /// What a type is made of, seen from its text. The shapes have been read.
    pub(super) fn flat(&self, schema: &Schema, depth: usize) -> Flat {
        if depth > DEEPEST {
            return Flat::Deep;
        }
        match &schema.ty {
            Type::Any => Flat::Any,
            Type::Map(map) => Flat::Map(Box::new(self.flat(&map.values, depth + 1))),
            Type::Text(text) if text.format == TextFormat::Binary => Flat::File(text.length.max),
            Type::Text(
                Text { format: TextFormat::Checked(Grammar::Byte | Grammar::Base64Url), .. }
                | Text { encoded: true, .. },
            ) => Flat::Encoded,
            Type::Boolean | Type::Integer(_) | Type::Number(_) | Type::Text(_) => Flat::Scalar,
            Type::Array(array) => Flat::List(Box::new(self.flat(&array.items, depth + 1))),
            Type::Named(id) => match self.types.get(*id).map(|definition| &definition.shape) {
                Some(Shape::Words(_)) => Flat::Scalar,
                Some(Shape::Checked(shape) | Shape::Union(crate::model::Union { shape, .. })) => {
                    let free = self.free(*shape);
                    if free.is_scalar() { Flat::Scalar } else { Flat::Free(free) }
                }
                Some(Shape::Alias(alias)) => self.flat(alias, depth + 1),
                Some(Shape::Object(object)) => {
                    let member = |member: &crate::model::Member| {
                        (member.name.clone(), self.flat(&member.schema, depth + 1))
                    };
                    Flat::Object(object.members.iter().map(member).collect(), object.others.is_some())
                }
                None => Flat::Any,
            },
        }
    }
}

impl Flat {
    /// Whether it is bytes in an encoding, or a list of such.
    pub(super) fn is_encoded(&self) -> bool {
        match self {
            Self::List(items) => items.is_encoded(),
            flat => *flat == Self::Encoded,
        }
    }

    /// Whether one text is enough for it.
    pub(super) const fn is_text(&self) -> bool {
        match self {
            Self::Scalar | Self::Encoded | Self::File(_) | Self::Any => true,
            Self::Free(free) => free.may_be_scalar(),
            Self::List(_) | Self::Object(..) | Self::Map(_) | Self::Deep => false,
        }
    }
}

pub(super) const fn wire(style: Style, explode: bool, kind: WireKind) -> Wire {
    Wire {
        style,
        explode,
        kind,
        typed: false,
        empty: false,
        types: Vec::new(),
        most: None,
        headers: Vec::new(),
        required: false,
    }
}
