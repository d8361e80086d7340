//! Inputs: a field for each parameter (the cursor apart, which the gate opens itself) and for the body.

use proc_macro2::Ident;

use super::check::{Check, of_type};
use super::ident::{Case, constant};
use super::literal::Value;
use super::names::Names;
use super::plan::Patterns;
use super::table::Table;
use super::types::RustType;
use crate::model::{Api, Docs, Location, Operation, Parameter, Schema, Style, Type};

/// The input of an operation.
#[derive(Debug)]
pub(crate) struct InputPlan<'a> {
    pub(crate) fields: Vec<Field<'a>>,
    pub(crate) body: Option<BodyPlan>,
    /// What `parameters` calls the request, so that no field has that name.
    pub(crate) source: Ident,
}

/// A body: its type, and whether a request may come without.
#[derive(Debug)]
pub(crate) struct BodyPlan {
    pub(crate) ty: RustType,
    pub(crate) required: bool,
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
    /// Whether it is an array.
    pub(crate) list: bool,
    /// Whether an array stands in one value, between commas, where repeating the name is the rule.
    pub(crate) commas: bool,
    pub(crate) checks: Vec<Check>,
}

/// Whether a value must be given.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    Required,
    /// This one stands in.
    Or(Value),
    Optional,
}

/// The input of `operation`.
pub(super) fn input<'a>(
    api: &'a Api,
    table: &Table<'a>,
    operation: &'a Operation,
    patterns: &mut Patterns,
) -> InputPlan<'a> {
    let mut names = Names::default();
    let body = operation.body.as_ref().map(|body| {
        names.take("body", Case::Snake);
        BodyPlan { ty: table.rust(&body.content.schema), required: body.required }
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
    let schema = look_through(api, &parameter.schema);
    let list = matches!(schema.ty, Type::Array(_));
    let repeats = matches!(parameter.location, Location::Query | Location::Cookie);
    Field {
        name: &parameter.name,
        location: parameter.location,
        constant: constant(&field),
        field,
        docs: &parameter.docs,
        // Text has no `null`: a parameter that may be null is one that may be absent, or nothing.
        ty: RustType::of(&parameter.schema.ty, table),
        given: given(table, parameter),
        list,
        commas: list && repeats && parameter.style == Style::Commas,
        checks: of_type(api, patterns, &parameter.schema.ty),
    }
}

fn given(table: &Table<'_>, parameter: &Parameter) -> Given {
    if parameter.required {
        return Given::Required;
    }
    let default = parameter.default.as_ref().and_then(|default| Value::of(table, &parameter.schema, default));
    default.map_or(Given::Optional, Given::Or)
}

/// The schema behind names that are only other names.
fn look_through<'a>(api: &'a Api, schema: &'a Schema) -> &'a Schema {
    match &schema.ty {
        Type::Named(id) => match &api.types.get(*id).shape {
            crate::model::Shape::Alias(behind) => look_through(api, behind),
            crate::model::Shape::Object(_)
            | crate::model::Shape::Words(_)
            | crate::model::Shape::Checked(_) => schema,
        },
        _ => schema,
    }
}
