//! Values as text: how a parameter, a member of a form or a part of a multipart body is written, and back.
//!
//! The styles are those of OpenAPI 3.1 section 4.8.12.3 (RFC 6570 without `{+x}`). Whatever the style, what comes out is
//! a [`Tree`](super::Tree) whose leaves are text without a type; the type that it is for reads it, and tells every
//! violation at its place.
//!
//! | file | what |
//! |---|---|
//! | `cut` | one text into the pieces of its style |
//! | `pairs` | names and values of a query or a form into the values of declared names |
//! | `brackets` | `deepObject`: `filter[name]=x`, deeper ones and lists by the convention that servers share |
//! | `form`, `multipart` | bodies that are made of named values |

mod brackets;
mod cut;
mod form;
mod multipart;
mod pairs;
#[cfg(test)]
mod round_trip;

pub(super) use self::cut::{Cut, elements, leaf};
pub(crate) use self::form::Others;
pub(super) use self::form::{form, form_texts, form_tree, has_field};
pub(super) use self::multipart::{
    Declared, PARTS_IN_MEMORY, Part, by_place, by_place_with_headers, in_order, multipart,
    multipart_with_headers, parts, with_headers_in_order,
};
pub use self::multipart::{Declared as DeclaredParts, Parts, Places};
pub(crate) use self::multipart::{delimiter, read_part_header};
pub(super) use self::pairs::{BadPairs, Pairs};

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of OpenAPI")]
pub enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    SpaceDelimited,
    PipeDelimited,
    DeepObject,
    Cookie,
}

/// What a written value is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One text.
    Scalar,
    /// Texts.
    List,
    /// Texts by name: those of the declared members, and others too where they are let through.
    Object(&'static [&'static str], bool),
    /// A JSON text.
    Json,
    /// JSON texts.
    JsonList,
    /// A file.
    File,
    /// Files.
    Files,
    /// One text, texts when its name is repeated, or names in brackets where the style is `deepObject`: the schema says
    /// which. In a multipart body, what each part says of itself.
    Either,
    /// Parts, in a part.
    Parts(DeclaredParts),
    /// A text of `application/x-www-form-urlencoded` with these fields.
    Form(&'static [Wire]),
    /// The same where the schema alone says what is in it: the fields are those that are written in a way of their own.
    FreeForm(&'static [Wire]),
}

/// How the value of this name is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    pub(crate) name: &'static str,
    pub(crate) style: Style,
    pub(crate) explode: bool,
    pub(crate) kind: Kind,
    /// `allowEmptyValue`: a name without `=` is the empty text.
    pub(super) empty: bool,
    /// The media types that a part of a multipart body may have; none are said: whatever fits its kind.
    pub(crate) types: &'static [&'static str],
    /// The most bytes that a file may have.
    pub(super) most: u64,
    /// The header fields that the head of a part may have, and how each is written.
    pub(crate) headers: &'static [Self],
    /// Whether a part that leaves has this header field.
    pub(crate) required: bool,
}

impl Wire {
    /// A text, in the style `form` with `explode`.
    #[must_use]
    pub const fn text(name: &'static str) -> Self {
        Self {
            name,
            style: Style::Form,
            explode: true,
            kind: Kind::Scalar,
            empty: false,
            types: &[],
            most: u64::MAX,
            headers: &[],
            required: false,
        }
    }

    /// The same in another style. `explode` is false until it is said.
    #[must_use]
    pub const fn style(mut self, style: Style) -> Self {
        self.style = style;
        self.explode = false;
        self
    }

    /// Whether each value has its name.
    #[must_use]
    pub const fn explode(mut self, explode: bool) -> Self {
        self.explode = explode;
        self
    }

    /// A value of another kind.
    #[must_use]
    pub const fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// The most bytes that it may have, as a file.
    #[must_use]
    pub const fn most(mut self, most: u64) -> Self {
        self.most = most;
        self
    }

    /// Whether a name is one under which this value is written: its own, or its own with brackets.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        name.strip_prefix(self.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
    }

    /// Whether a form declares this name by it: its own, or that of a member of an exploded object.
    pub(super) fn takes(&self, name: &str) -> bool {
        let of_member = matches!(self.kind, Kind::Object(members, _) if members.contains(&name));
        self.name == name || (of_member && self.explode && self.style != Style::DeepObject)
    }

    /// Whether parts of this name may be several.
    pub(crate) const fn has_many(&self) -> bool {
        match self.kind {
            // its items stand in one text otherwise
            Kind::List => self.explode,
            Kind::JsonList | Kind::Files | Kind::Either => true,
            _ => false,
        }
    }

    /// A header field that each part of its name has.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The header fields that its part may have.
    #[must_use]
    pub const fn headers(mut self, headers: &'static [Self]) -> Self {
        self.headers = headers;
        self
    }

    /// The media types that its part may have.
    #[must_use]
    pub const fn types(mut self, types: &'static [&'static str]) -> Self {
        self.types = types;
        self
    }
}
