//! Inputs: a field for each parameter (the cursor apart, which the gate opens itself) and for the body.

use proc_macro2::Ident;

use super::check::{Check, checks};
use super::ident::{Case, constant};
use super::literal::{Medium, Value};
use super::names::Names;
use super::plan::Patterns;
use super::table::Table;
use super::types::RustType;
use crate::model::{Api, Content, ContentForm, Docs, Location, Operation, Parameter, Type, Wire};

/// The input of an operation.
#[derive(Debug)]
pub(crate) struct InputPlan<'a> {
    pub(crate) fields: Vec<Field<'a>>,
    pub(crate) body: Option<BodyPlan<'a>>,
    /// What `parameters` calls the request, so that no field has that name.
    pub(crate) source: Ident,
}

/// A body: its type, and whether a request may come without.
#[derive(Debug)]
pub(crate) struct BodyPlan<'a> {
    /// The type of what came; the enumeration of its kinds where there are several.
    pub(crate) ty: RustType,
    pub(crate) required: bool,
    pub(crate) contents: Vec<ContentPlan<'a>>,
    /// What is not accepted, after these.
    pub(crate) refused: &'a [String],
    /// The enumeration of its kinds, where there are several.
    pub(crate) choice: Option<Ident>,
}

/// A content, of a body or of an answer.
#[derive(Debug)]
pub(crate) struct ContentPlan<'a> {
    /// Its variant, where there are several.
    pub(crate) variant: Ident,
    pub(crate) content: &'a Content,
    pub(crate) ty: RustType,
    pub(crate) checks: Vec<Check>,
}

/// A parameter, as a field.
#[derive(Debug)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a str,
    pub(crate) location: Location,
    pub(crate) field: Ident,
    pub(crate) constant: Ident,
    pub(crate) docs: &'a Docs,
    /// The type of the value; an optional field holds an `Option` of it.
    pub(crate) ty: RustType,
    pub(crate) given: Given,
    pub(crate) wire: &'a Wire,
    pub(crate) checks: Vec<Check>,
}

/// Whether a value must be given.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    Required,
    /// This one stands in.
    Or(Value),
    /// The same, as JSON.
    OrJson(String),
    Optional,
}

/// The input of `operation`.
pub(super) fn input<'a>(
    api: &'a Api,
    table: &Table<'a>,
    operation: &'a Operation,
    module: &mut Names,
    patterns: &mut Patterns,
) -> InputPlan<'a> {
    let mut names = Names::default();
    let body = operation.body.as_ref().map(|body| {
        names.take("body", Case::Snake);
        let mut contents = contents(api, table, &body.contents, patterns);
        // what comes in may be too much to be held in memory
        let raw = contents.iter_mut().filter(|content| matches!(content.ty, RustType::Bytes));
        raw.for_each(|content| content.ty = RustType::File);
        let choice =
            (contents.len() > 1).then(|| module.take(&format!("{} body", operation.id), Case::Upper));
        let ty = one_type(&contents, choice.as_ref());
        BodyPlan { ty, required: body.required, contents, refused: &body.refused, choice }
    });
    let cursor = operation.pagination.as_ref().map(|pagination| pagination.cursor.as_str());
    let is_field = |parameter: &&Parameter| {
        parameter.location != Location::Query || Some(parameter.name.as_str()) != cursor
    };
    let parameters = operation.parameters.iter().filter(is_field);
    let fields = parameters.map(|parameter| field(api, table, parameter, &mut names, patterns)).collect();
    InputPlan { fields, body, source: names.take("from", Case::Snake) }
}

fn field<'a>(
    api: &'a Api,
    table: &Table<'a>,
    parameter: &'a Parameter,
    names: &mut Names,
    patterns: &mut Patterns,
) -> Field<'a> {
    let field = names.take_or(&parameter.name, Case::Snake, &format!("_{}", parameter.location.as_str()));
    let ty = RustType::of(&parameter.schema.ty, table);
    // In a JSON text there is a `null`; elsewhere text has none: a parameter that may be null is one that may be absent.
    let nullable = parameter.schema.nullable && !matches!(ty, RustType::Json);
    Field {
        name: &parameter.name,
        location: parameter.location,
        constant: constant(&field),
        field,
        docs: &parameter.docs,
        ty: if nullable { RustType::Nullable(Box::new(ty)) } else { ty },
        given: given(table, parameter),
        wire: &parameter.wire,
        checks: checks(api, patterns, &parameter.schema),
    }
}

/// What stands in for each content.
pub(super) fn contents<'a>(
    api: &'a Api,
    table: &Table<'a>,
    contents: &'a [Content],
    patterns: &mut Patterns,
) -> Vec<ContentPlan<'a>> {
    let mut variants = Names::default();
    let plan = |content: &'a Content| ContentPlan {
        variant: variants.take(called(content, contents), Case::Upper),
        content,
        ty: content_type(table, content),
        checks: checks(api, patterns, &content.schema),
    };
    contents.iter().map(plan).collect()
}

/// What a content is called: by its form, and by its media type where another one has the same form.
fn called<'a>(content: &'a Content, all: &[Content]) -> &'a str {
    let word = content.form.word();
    let alone = all.iter().filter(|other| other.form.word() == word).count() == 1;
    let first = content.media_types.first().filter(|_| !alone);
    let essence = first.and_then(|media_type| media_type.split(';').next());
    match essence.and_then(|essence| essence.trim().split_once('/')) {
        None | Some(("*", _)) => word,
        Some((kind, "*")) => kind,
        Some((_, subtype)) => subtype,
    }
}

fn content_type(table: &Table<'_>, content: &Content) -> RustType {
    if let Some(headers) = &content.part_headers {
        return RustType::Parts(Box::new(table.rust(&content.schema)), Box::new(table.rust(headers)));
    }
    match content.form {
        ContentForm::Bytes => RustType::Bytes,
        ContentForm::Stream(_) => RustType::Items(Box::new(table.rust(&content.schema))),
        ContentForm::Text if matches!(content.schema.ty, Type::Any) => RustType::String,
        ContentForm::Json
        | ContentForm::Records { .. }
        | ContentForm::Form(_)
        | ContentForm::FreeForm(_)
        | ContentForm::Multipart(_)
        | ContentForm::Parts(_)
        | ContentForm::Places { .. }
        | ContentForm::Text => table.rust(&content.schema),
    }
}

/// The type of the only content, or the one that chooses between them.
pub(super) fn one_type(contents: &[ContentPlan<'_>], choice: Option<&Ident>) -> RustType {
    match (choice, contents) {
        (None, [one]) => one.ty.clone(),
        (None, _) => RustType::Json,
        (Some(choice), _) => RustType::Named(choice.clone()),
    }
}

fn given(table: &Table<'_>, parameter: &Parameter) -> Given {
    if parameter.required {
        return Given::Required;
    }
    let Some(default) = &parameter.default else { return Given::Optional };
    match Value::of(table, &parameter.schema, default, Medium::Text).filter(|_| parameter.wire.typed) {
        Some(value) => Given::Or(value),
        None => Given::OrJson(default.to_string()),
    }
}
