//! Where a handler struct disagrees with the document.
//!
//! 1. Each input of the operation is a field, under the name that the generated input would have.
//! 2. Each field is an input, but one: the `Caller`.
//! 3. A field is optional exactly when the input may be absent and nothing stands in for it.
//! 4. A type of the document's schemas needs to be told where it was generated.
//! 5. An operation whose answers are kept is not adopted: the gate does not see what its handler answers.
//!
//! That the types are the same is for the compiler to say: see [`emit`](super::emit).

use palisade_codegen::operation_facts::InputFacts;
use quote::{ToTokens, quote};
use syn::{DeriveInput, LitStr, Path, Type};

use super::facts::Facts;
use crate::attribute::{Mistakes, NamedField, nearest};

/// What each field stands for.
pub(super) struct Agreed<'a> {
    pub(super) caller: &'a NamedField<'a>,
    pub(super) inputs: Vec<(&'a NamedField<'a>, &'a InputFacts)>,
}

pub(super) fn agree<'a>(
    item: &DeriveInput,
    fields: &'a [NamedField<'a>],
    facts: &'a Facts,
    types: Option<&Path>,
    mistakes: &mut Mistakes,
) -> Option<Agreed<'a>> {
    let (callers, others): (Vec<&NamedField<'_>>, Vec<_>) =
        fields.iter().partition(|field| last_segment(&field.field.ty).is_some_and(|name| name == "Caller"));
    let caller = one_caller(item, &callers, mistakes);
    let (known, strangers): (Vec<&NamedField<'_>>, Vec<_>) =
        others.into_iter().partition(|field| facts.input(field.name).is_some());
    let inputs: Vec<_> =
        known.into_iter().filter_map(|field| Some((field, facts.input(field.name)?))).collect();
    let is_there = |input: &InputFacts| inputs.iter().any(|(_, there)| there.field == input.field);
    let mut missing: Vec<&InputFacts> =
        facts.operation.inputs.iter().filter(|input| !is_there(input)).collect();
    for stranger in strangers {
        refuse_stranger(stranger, &mut missing, facts, mistakes);
    }
    for input in missing {
        let (field, ty, place) = (&input.field, shown(&input.ty), facts.place(input));
        mistakes.at(&item.ident, format_args!("`{field}: {ty}` is missing: {place}"));
    }
    for (field, input) in &inputs {
        compare(field, input, types, facts, mistakes);
    }
    Some(Agreed { caller: caller?, inputs })
}

/// Rule 5.
pub(super) fn can_be_adopted(id: &LitStr, facts: &Facts, mistakes: &mut Mistakes) {
    if facts.operation.idempotent {
        let message = format!(
            "`{}` is idempotent in `{}`, and its answers are axum's: only a generated server keeps them",
            facts.operation.id, facts.document
        );
        mistakes.at(id, message);
    }
}

/// Rule 2. The caller is the proof that the gate let the request through.
fn one_caller<'a>(
    item: &DeriveInput,
    callers: &[&'a NamedField<'a>],
    mistakes: &mut Mistakes,
) -> Option<&'a NamedField<'a>> {
    match callers {
        [caller] => Some(caller),
        [] => {
            mistakes.at(&item.ident, "a handler holds proof: add the field `caller: palisade::Caller<Self>`");
            None
        }
        [_, again, ..] => {
            mistakes.at(again.name, "the caller is there already");
            None
        }
    }
}

/// Rule 2. A field that looks like a missing input is taken for a slip of it, so that one mistake is shown once.
fn refuse_stranger(
    stranger: &NamedField<'_>,
    missing: &mut Vec<&InputFacts>,
    facts: &Facts,
    mistakes: &mut Mistakes,
) {
    let name = stranger.name.to_string();
    let names: Vec<String> = missing.iter().map(|input| input.field.to_string()).collect();
    let near = nearest(&name, names.iter().map(String::as_str));
    if let Some(position) = near.and_then(|near| names.iter().position(|name| name == near)) {
        let meant = missing.remove(position);
        let (field, place) = (&meant.field, facts.place(meant));
        mistakes.at(stranger.name, format_args!("`{name}` is no input; did you mean `{field}`, {place}?"));
        return;
    }
    let id = &facts.operation.id;
    let hint = match facts.operation.direction.is_some() {
        true => "; the gate opens the cursor itself: ask `caller.position()`",
        false => "",
    };
    mistakes.at(stranger.name, format_args!("`{name}` is no input of `{id}` in `{}`{hint}", facts.document));
}

/// Rules 3 and 4.
fn compare(
    field: &NamedField<'_>,
    input: &InputFacts,
    types: Option<&Path>,
    facts: &Facts,
    mistakes: &mut Mistakes,
) {
    let NamedField { name, field } = field;
    let wanted = shown(&input.ty);
    let given_optional = last_segment(&field.ty).is_some_and(|last| last == "Option");
    let agreed = match (wanted.starts_with("Option<"), given_optional) {
        (true, false) => Err("may be absent"),
        (false, true) => Err("is always there"),
        (true, true) | (false, false) => Ok(()),
    };
    if let Err(fact) = agreed {
        let place = facts.place(input);
        mistakes.at(&field.ty, format_args!("`{name}` {fact}: make it `{wanted}`; it is {place}"));
    }
    if let (Some(schema), None) = (&input.schema, types) {
        let message =
            format!("`{schema}` is a schema of the document: say where its type is, `types = crate::api`");
        mistakes.at(&field.ty, message);
    }
}

fn last_segment(ty: &Type) -> Option<&syn::Ident> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|last| &last.ident),
        _ => None,
    }
}

/// A type as a person would write it.
pub(super) fn shown(ty: &impl ToTokens) -> String {
    quote!(#ty).to_string().replace("p :: ", "").replace(' ', "")
}

#[cfg(test)]
mod tests {
    use palisade_codegen::operation_facts::OperationFacts;
    use quote::format_ident;

    use super::*;
    use crate::attribute::named_fields;

    fn input(field: &str, ty: Type, schema: Option<&str>) -> InputFacts {
        InputFacts {
            field: format_ident!("{field}"),
            location: Some("query"),
            name: field.to_owned(),
            optional: last_segment(&ty).is_some_and(|last| last == "Option"),
            ty: ty.to_token_stream(),
            schema: schema.map(str::to_owned),
        }
    }

    fn facts() -> Facts {
        let operation = OperationFacts {
            id: "getTask".to_owned(),
            method: "GET".to_owned(),
            path: "/tasks".to_owned(),
            document: quote!(),
            policy: quote!(),
            secured: true,
            direction: None,
            idempotent: false,
            grants: Vec::new(),
            inputs: vec![
                input("task_id", syn::parse_quote!(p::Uuid), None),
                input("depth", syn::parse_quote!(Option<i32>), None),
                input("order", syn::parse_quote!(Order), Some("Order")),
            ],
            input: quote!(),
            input_type: format_ident!("GetTaskInput"),
        };
        Facts { operation, document: "a.yaml".to_owned(), read: Vec::new() }
    }

    fn mistakes(item: &DeriveInput, types: Option<&Path>) -> Vec<String> {
        let facts = facts();
        let fields = named_fields(item, "Operation").unwrap();
        let mut mistakes = Mistakes::default();
        let agreed = agree(item, &fields, &facts, types, &mut mistakes);
        match mistakes.finish() {
            Ok(()) => {
                let agreed = agreed.unwrap();
                assert_eq!(agreed.inputs.len(), facts.operation.inputs.len());
                assert_eq!(agreed.caller.name, "caller");
                Vec::new()
            }
            Err(mistakes) => mistakes.into_iter().map(|mistake| mistake.to_string()).collect(),
        }
    }

    #[test]
    fn a_struct_that_says_what_the_document_says() {
        let item = syn::parse_quote!(
            struct GetTask {
                order: api::Order,
                task_id: uuid::Uuid,
                depth: Option<i32>,
                caller: palisade::Caller<Self>,
            }
        );
        assert_eq!(mistakes(&item, Some(&syn::parse_quote!(crate::api))), [""; 0]);
        let shown = mistakes(&item, None);
        assert!(shown.len() == 1 && shown[0].contains("types = crate::api"), "{shown:?}");
    }

    #[test]
    fn an_operation_whose_answers_are_kept() {
        let adopted = |idempotent| {
            let mut facts = facts();
            facts.operation.idempotent = idempotent;
            let mut mistakes = Mistakes::default();
            can_be_adopted(&syn::parse_quote!("getTask"), &facts, &mut mistakes);
            mistakes.finish().map_err(|mistakes| mistakes.to_string())
        };
        assert_eq!(adopted(false), Ok(()));
        assert!(adopted(true).unwrap_err().contains("only a generated server keeps them"));
    }

    #[test]
    fn names_that_disagree() {
        let shown = mistakes(
            &syn::parse_quote!(
                struct GetTask {
                    tusk_id: Uuid,
                    flavour: String,
                    depth: Option<i32>,
                }
            ),
            Some(&syn::parse_quote!(api)),
        );
        let expected = [
            "add the field `caller: palisade::Caller<Self>`",
            "did you mean `task_id`, the query parameter `task_id` of GET /tasks in `a.yaml`?",
            "`flavour` is no input of `getTask` in `a.yaml`",
            "`order: Order` is missing: the query parameter `order` of GET /tasks",
        ];
        assert_eq!(shown.len(), expected.len(), "{shown:?}");
        for (shown, expected) in shown.iter().zip(expected) {
            assert!(shown.contains(expected), "{shown} / {expected}");
        }
    }

    #[test]
    fn optionality_that_disagrees() {
        let shown = mistakes(
            &syn::parse_quote!(
                struct GetTask {
                    task_id: Option<Uuid>,
                    depth: i32,
                    order: Order,
                    caller: Caller<Self>,
                    again: Caller<Self>,
                }
            ),
            Some(&syn::parse_quote!(api)),
        );
        let expected = [
            "the caller is there already",
            "is always there: make it `Uuid`",
            "may be absent: make it `Option<i32>`",
        ];
        assert_eq!(shown.len(), expected.len(), "{shown:?}");
        for (shown, expected) in shown.iter().zip(expected) {
            assert!(shown.contains(expected), "{shown} / {expected}");
        }
    }
}
