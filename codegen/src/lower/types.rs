//! Structs, enumerations and aliases.

use proc_macro2::Ident;

use super::boxes::Circles;
use super::check::{Check, checks};
use super::ident::Case;
use super::input::Given;
use super::literal::{Medium, Value};
use super::names::Names;
use super::plan::Patterns;
use super::table::Table;
use crate::model::{
    Api, Docs, IntegerFormat, Keywords, Member, NumberFormat, Object, Origin, Schema, Shape, ShapeId, Text,
    TextFormat, Type, TypeId, Union, Word,
};

/// A Rust type.
#[derive(Clone, Debug)]
pub(crate) enum RustType {
    Json,
    Bool,
    Integer(IntegerFormat),
    Number(NumberFormat),
    String,
    Uuid,
    Timestamp,
    Date,
    Ipv4,
    Ipv6,
    /// A file of a form.
    File,
    /// A whole body, as it comes.
    Bytes,
    /// The same, and what it is.
    TypedBytes,
    /// A multipart form, with the header fields of its parts.
    Parts(Box<Self>, Box<Self>),
    /// A stream of these.
    Items(Box<Self>),
    /// Text that is shown by nothing.
    Password,
    /// A cursor that only `caller.seal(..)` makes.
    SealedCursor,
    List(Box<Self>),
    Map(Box<Self>),
    Nullable(Box<Self>),
    Boxed(Box<Self>),
    /// A type of the generated module.
    Named(Ident),
}

impl RustType {
    /// The type of the generated module that it is made of, if it is made of one.
    pub(crate) fn named(&self) -> Option<&Ident> {
        match self {
            Self::Named(ident) => Some(ident),
            Self::List(inner)
            | Self::Map(inner)
            | Self::Nullable(inner)
            | Self::Items(inner)
            | Self::Boxed(inner) => inner.named(),
            _ => None,
        }
    }

    /// Whether it holds a sealed cursor, or nothing.
    pub(crate) fn is_cursor(&self) -> bool {
        match self {
            Self::SealedCursor => true,
            Self::Nullable(inner) => matches!(**inner, Self::SealedCursor),
            _ => false,
        }
    }

    /// The type of a string with a format.
    pub(super) const fn of_text(text: &Text) -> Self {
        match text.format {
            TextFormat::Uuid => Self::Uuid,
            TextFormat::DateTime => Self::Timestamp,
            TextFormat::Date => Self::Date,
            TextFormat::Ipv4 => Self::Ipv4,
            TextFormat::Ipv6 => Self::Ipv6,
            TextFormat::Password => Self::Password,
            TextFormat::Binary => Self::File,
            TextFormat::Plain | TextFormat::Checked(_) => Self::String,
        }
    }

    pub(super) fn of(ty: &Type, table: &Table<'_>) -> Self {
        match ty {
            Type::Any => Self::Json,
            Type::Boolean => Self::Bool,
            Type::Integer(integer) => Self::Integer(integer.format),
            Type::Number(number) => Self::Number(number.format),
            Type::Text(text) => Self::of_text(text),
            Type::Array(array) => Self::List(Box::new(table.rust(&array.items))),
            Type::Map(map) => Self::Map(Box::new(table.rust(&map.values))),
            Type::Named(id) => Self::Named(table.name(*id)),
        }
    }
}

/// A named type.
#[derive(Debug)]
pub(crate) struct TypePlan<'a> {
    pub(crate) ident: Ident,
    /// What to call it where the document says nothing about it.
    pub(crate) called: String,
    pub(crate) docs: &'a Docs,
    pub(crate) kind: TypeKind<'a>,
}

/// What a named type is in Rust.
#[derive(Debug)]
pub(crate) enum TypeKind<'a> {
    Struct(StructPlan<'a>),
    Words(Vec<WordPlan<'a>>),
    Union(UnionPlan<'a>),
    /// JSON, checked by this shape.
    Checked(ShapeId),
    Alias(RustType),
}

/// An object, as a struct.
#[derive(Debug)]
pub(crate) struct StructPlan<'a> {
    pub(crate) members: Vec<MemberPlan<'a>>,
    pub(crate) others: Option<OthersPlan>,
    /// What must hold beside the members.
    pub(crate) shape: Option<ShapeId>,
}

/// The members that are not declared, as a map.
#[derive(Debug)]
pub(crate) struct OthersPlan {
    pub(crate) field: Ident,
    pub(crate) ty: RustType,
    pub(crate) checks: Vec<Check>,
}

/// A choice, as an enumeration of types.
#[derive(Debug)]
pub(crate) struct UnionPlan<'a> {
    pub(crate) variants: Vec<AlternativePlan<'a>>,
    pub(crate) shape: ShapeId,
}

/// An alternative, as a variant.
#[derive(Debug)]
pub(crate) struct AlternativePlan<'a> {
    pub(crate) variant: Ident,
    pub(crate) name: &'a str,
    pub(crate) ty: RustType,
    pub(crate) guard: &'a Keywords,
    pub(crate) docs: &'a Docs,
}

/// A member, as a field.
#[derive(Debug)]
pub(crate) struct MemberPlan<'a> {
    pub(crate) name: &'a str,
    pub(crate) field: Ident,
    pub(crate) docs: &'a Docs,
    pub(crate) given: Given,
    /// The type of the value; an optional field holds an `Option` of it.
    pub(crate) ty: RustType,
    pub(crate) checks: Vec<Check>,
}

/// A word of an enumeration, as a variant.
#[derive(Debug)]
pub(crate) struct WordPlan<'a> {
    pub(crate) variant: Ident,
    pub(crate) word: &'a Word,
}

/// Every named type, in the order of the table.
pub(super) fn types<'a>(api: &'a Api, table: &Table<'a>, patterns: &mut Patterns) -> Vec<TypePlan<'a>> {
    let circles = Circles::of(api);
    api.types
        .iter()
        .map(|(id, definition)| TypePlan {
            ident: table.name(id),
            called: called(&definition.origin),
            docs: &definition.docs,
            kind: match &definition.shape {
                Shape::Object(object) => {
                    TypeKind::Struct(structure(api, table, &circles, patterns, id, object))
                }
                Shape::Words(_) => TypeKind::Words(words(table, id)),
                Shape::Union(choice) => TypeKind::Union(union(table, choice)),
                Shape::Checked(shape) => TypeKind::Checked(*shape),
                Shape::Alias(schema) => TypeKind::Alias(table.rust(schema)),
            },
        })
        .collect()
}

fn called(origin: &Origin) -> String {
    match origin {
        Origin::Component(name) => name.clone(),
        Origin::Inline(words) => words.join("."),
    }
}

fn words<'a>(table: &Table<'a>, id: TypeId) -> Vec<WordPlan<'a>> {
    table.words(id).iter().map(|(variant, word)| WordPlan { variant: variant.clone(), word }).collect()
}

fn union<'a>(table: &Table<'a>, choice: &'a Union) -> UnionPlan<'a> {
    let mut names = Names::default();
    let variants = choice.variants.iter().map(|alternative| AlternativePlan {
        variant: names.take(&alternative.name, Case::Upper),
        name: &alternative.name,
        ty: table.rust(&alternative.schema),
        guard: &alternative.guard,
        docs: &alternative.docs,
    });
    UnionPlan { variants: variants.collect(), shape: choice.shape }
}

fn structure<'a>(
    api: &'a Api,
    table: &Table<'a>,
    circles: &Circles,
    patterns: &mut Patterns,
    id: TypeId,
    object: &'a Object,
) -> StructPlan<'a> {
    let mut names = Names::default();
    let member = |member: &'a Member| {
        let field = names.take(&member.name, Case::Snake);
        let is_cursor = table.cursors.contains(&(id, member.name.clone()));
        let ty = if is_cursor { cursor(member) } else { value(table, circles, id, &member.schema) };
        MemberPlan {
            name: &member.name,
            field,
            docs: &member.docs,
            given: if is_cursor && !member.required { Given::Optional } else { given(table, member, &ty) },
            checks: checks(api, patterns, &checked_as(member, is_cursor)),
            ty,
        }
    };
    let members = object.members.iter().map(member).collect();
    let others = object.others.as_ref().map(|others| OthersPlan {
        field: names.take("additional", Case::Snake),
        ty: table.rust(others),
        checks: checks(api, patterns, others),
    });
    StructPlan { members, others, shape: object.shape }
}

/// What an absent member is. Bytes come as they are, and stand in no document.
fn given(table: &Table<'_>, member: &Member, ty: &RustType) -> Given {
    let Some(default) = member.default.as_ref().filter(|_| !matches!(ty, RustType::File)) else {
        return if member.required { Given::Required } else { Given::Optional };
    };
    let boxed = |ty: &RustType| matches!(ty, RustType::Boxed(_));
    let boxed = boxed(ty) || matches!(ty, RustType::Nullable(inner) if boxed(inner) && !default.is_null());
    match Value::of(table, &member.schema, default, Medium::Json).filter(|_| !boxed) {
        Some(value) => Given::Or(value),
        None => Given::OrJson(default.to_string()),
    }
}

fn value(table: &Table<'_>, circles: &Circles, owner: TypeId, schema: &Schema) -> RustType {
    if !circles.needs_box(owner, schema) {
        return table.rust(schema);
    }
    let boxed = RustType::Boxed(Box::new(RustType::of(&schema.ty, table)));
    if schema.nullable { RustType::Nullable(Box::new(boxed)) } else { boxed }
}

/// A next cursor is there or not: where the member may be absent, nobody needs `null` to say so a second time, and where
/// it may not, `null` says it (`check` refuses a member that can say neither).
fn cursor(member: &Member) -> RustType {
    let sealed = RustType::SealedCursor;
    if member.required { RustType::Nullable(Box::new(sealed)) } else { sealed }
}

fn checked_as(member: &Member, is_cursor: bool) -> Schema {
    let nullable = if is_cursor { member.required } else { member.schema.nullable };
    Schema { ty: member.schema.ty.clone(), nullable }
}
