//! Values that a schema lists: constants as alternatives, values that do not fit, and 3.0's word for `null` as an
//! alternative.

use foldhash::HashSet;

use crate::check::value::fits_type;
use crate::document::{Document, Schema, SchemaId, Spanned};
use crate::finding::{Code, Finding, Findings};
use crate::source::tree::Node;

/// `anyOf: [X, { nullable: true }]` of OpenAPI 3.0 lets every value through; who writes it means `null`, which 3.0 has no
/// other word for.
pub(super) fn null_alternatives(document: &mut Document, id: SchemaId, findings: &mut Findings) {
    let beyond = &document.schema(id).beyond;
    let lists = [&beyond.one_of, &beyond.any_of].into_iter().filter(|list| list.len() > 1);
    let bare = |id: &SchemaId| {
        let schema = document.schema(*id);
        schema.only_nullable && !schema.says_something() && schema.beyond.first.is_none()
    };
    let found: Vec<SchemaId> = lists.flatten().copied().filter(bare).collect();
    for id in found {
        let schema = document.schema(id);
        let message = "`nullable` alone lets every value through: as an alternative it is taken for `null`";
        let finding = Finding::warning(Code::TakenAs, message, schema.place);
        findings.push(finding.help("put `nullable: true` beside the choice"));
        document.replace(id, Schema { nullable: true, only_nullable: false, ..schema.clone() });
    }
}

/// `oneOf: [{ const: 1, title: low }, { const: 2, title: high }]`: an enumeration whose values have names.
pub(super) fn constants(document: &mut Document, id: SchemaId) {
    let schema = document.schema(id);
    let beyond = &schema.beyond;
    let (list, exactly_one) = match (&*beyond.one_of, &*beyond.any_of) {
        (list, []) => (list, true),
        ([], list) => (list, false),
        _ => return,
    };
    let only = !list.is_empty() && beyond.all().count() == list.len() && beyond.discriminator.is_none();
    if !only || schema.literal || schema.enumeration.is_some() || schema.constant.is_some() {
        return;
    }
    let mut titles: Vec<(Node, crate::model::Docs)> = Vec::new();
    let mut known = HashSet::default();
    for one in list.iter().map(|id| document.schema(*id)) {
        let Some(constant) = one.constant.as_ref().filter(|_| one.is_only_constant()) else { return };
        if !known.insert(constant.canonical()) && exactly_one {
            return; // two that both hold: of `oneOf` that is none
        }
        titles.push((constant.clone(), one.docs.clone()));
    }
    let values = titles.iter().map(|(value, _)| value.clone()).collect();
    let place = beyond.first.map_or(schema.place, |(_, place)| place);
    let enumeration = Some(Spanned::new(values, place));
    let schema = Schema { enumeration, titles, beyond: Default::default(), ..schema.clone() };
    document.replace(id, schema);
}

/// An enumerated value that the same schema refuses is one that no value can have: it is left out, with a remark. Where
/// nothing would be left, `check` has an error for each.
pub(super) fn fitting(document: &mut Document, id: SchemaId, findings: &mut Findings) {
    let schema = document.schema(id);
    let Some(values) = schema.enumeration.as_ref().filter(|_| !schema.literal) else { return };
    let fits = |value: &Node| fits_type(document, schema, value);
    let (fitting, others): (Vec<&Node>, Vec<&Node>) =
        values.value.iter().partition(|value| fits(value).is_ok());
    if fitting.is_empty() || others.is_empty() {
        return;
    }
    for (value, reason) in others.iter().filter_map(|value| Some((value, fits(value).err()?))) {
        let message = format!("an enumerated value does not fit its schema: {reason}");
        let finding = Finding::warning(Code::EnumMismatch, message, value.place);
        findings.push(finding.help("no value can be this one: correct it, or the type"));
    }
    let values = Spanned::new(fitting.into_iter().cloned().collect(), values.place);
    let schema = Schema { enumeration: Some(values), ..schema.clone() };
    document.replace(id, schema);
}
