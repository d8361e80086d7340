//! What a scaffold is written from: the names that the generated module will have.

use crate::lower::{PartOf, Plan, RustType};
use crate::mock::Mock;
use crate::model::{AttributeKind, Docs, Method, Scheme};

/// The names of a generated module.
#[derive(Clone, Debug)]
pub struct Outline {
    /// The traits that the service implements, in the order of the generated file.
    pub traits: Vec<TraitOutline>,
    /// The resources that the service resolves.
    pub resources: Vec<ResourceOutline>,
    /// The steps of the builder that give a verifier, in the order of the document.
    pub steps: Vec<StepOutline>,
    /// Whether the builder needs `.denylist(..)` as well.
    pub denylist: bool,
    /// Whether it needs `.cursor_keys(..)`.
    pub cursor_keys: bool,
    /// Whether it needs `.idempotency(..)`.
    pub idempotency: bool,
}

/// A trait.
#[derive(Clone, Debug)]
pub struct TraitOutline {
    /// Its name, e.g. `Transfers`.
    pub name: String,
    /// The tag it stands for; `None` for operations without one.
    pub tag: Option<String>,
    /// Its methods, in the order of the document.
    pub methods: Vec<MethodOutline>,
}

/// A method of a trait.
#[derive(Clone, Debug)]
pub struct MethodOutline {
    /// Its name, e.g. `create_transfer`.
    pub name: String,
    /// `operationId`.
    pub operation_id: String,
    /// The type of the operation, e.g. `CreateTransfer`.
    pub operation: String,
    /// The type of its input.
    pub input: String,
    /// The type of its output.
    pub output: String,
    /// The variants of the output, in the order of the document.
    pub variants: Vec<VariantOutline>,
    /// The HTTP method.
    pub method: Method,
    /// The path template.
    pub path: String,
    /// What the document says about it.
    pub docs: Docs,
    /// An answer that conforms to the document. `None` when none was found.
    pub mock: Option<Mock>,
}

/// A variant of an output.
#[derive(Clone, Debug)]
pub struct VariantOutline {
    /// Its name, e.g. `Created`.
    pub name: String,
    /// Whether its first part is the status (`palisade::StatusCode`), which the handler chooses.
    pub chooses_status: bool,
    /// What it carries, behind the status if there is one.
    pub body: Option<BodyOutline>,
    /// The struct of its headers, which is the last part.
    pub headers: Option<String>,
}

/// What a variant of an output carries.
#[derive(Clone, Debug)]
pub struct BodyOutline {
    /// The variant of an enumeration that it is wrapped in, e.g. `GetReportOkContent::Json`, where there are several.
    pub wrapped: Option<String>,
    /// Whether it is bytes or a stream, for which the default value stands.
    pub raw: bool,
}

/// A resource.
#[derive(Clone, Debug)]
pub struct ResourceOutline {
    /// Its name in the document.
    pub resource: String,
    /// The trait in `mod resource`, and the associated type of the resolver.
    pub name: String,
    /// The trait that finds one, e.g. `ResolveAccount`.
    pub resolver: String,
    /// Its method, e.g. `resolve_account`.
    pub method: String,
    /// The methods of the resource's trait: name in Rust, name in the document, type.
    pub attributes: Vec<AttributeOutline>,
}

/// An attribute of a resource.
#[derive(Clone, Debug)]
pub struct AttributeOutline {
    /// Its method.
    pub method: String,
    /// Its name in the document.
    pub attribute: String,
    /// Its type.
    pub kind: AttributeKind,
}

/// A step of the builder.
#[derive(Clone, Debug)]
pub struct StepOutline {
    /// Its method, e.g. `oauth`.
    pub name: String,
    /// The scheme that it verifies, with the document's rules.
    pub scheme: Scheme,
}

pub(crate) fn outline(plan: &Plan<'_>) -> Outline {
    let parts = &plan.server.parts;
    Outline {
        traits: traits(plan),
        resources: resources(plan),
        steps: parts
            .iter()
            .filter_map(|part| match part.of {
                PartOf::Scheme(scheme) => {
                    Some(StepOutline { name: part.step.to_string(), scheme: scheme.clone() })
                }
                PartOf::Denylist | PartOf::CursorKeys | PartOf::Idempotency => None,
            })
            .collect(),
        denylist: parts.iter().any(|part| matches!(part.of, PartOf::Denylist)),
        cursor_keys: parts.iter().any(|part| matches!(part.of, PartOf::CursorKeys)),
        idempotency: parts.iter().any(|part| matches!(part.of, PartOf::Idempotency)),
    }
}

fn traits(plan: &Plan<'_>) -> Vec<TraitOutline> {
    let of_tag = plan.traits.iter().map(|of_tag| TraitOutline {
        name: of_tag.ident.to_string(),
        tag: of_tag.tag.map(str::to_owned),
        methods: of_tag.operations.iter().filter_map(|position| method(plan, *position)).collect(),
    });
    of_tag.collect()
}

fn method(plan: &Plan<'_>, position: usize) -> Option<MethodOutline> {
    let operation = plan.operations.get(position)?;
    let variants = operation.output.variants.iter().map(|variant| VariantOutline {
        name: variant.ident.to_string(),
        chooses_status: variant.chooses(),
        body: variant.contents.first().map(|content| BodyOutline {
            wrapped: variant.choice.as_ref().map(|choice| format!("{choice}::{}", content.variant)),
            raw: matches!(content.ty, RustType::Bytes | RustType::Items(_)),
        }),
        headers: variant.headers.as_ref().map(|headers| headers.ident.to_string()),
    });
    Some(MethodOutline {
        name: operation.method.to_string(),
        operation_id: operation.operation.id.clone(),
        operation: operation.ident.to_string(),
        input: operation.input_ident.to_string(),
        output: operation.output_ident.to_string(),
        variants: variants.collect(),
        method: operation.operation.method.clone(),
        path: operation.operation.path.text.clone(),
        docs: operation.operation.docs.clone(),
        mock: crate::mock::mock(plan.api, operation.operation),
    })
}

fn resources(plan: &Plan<'_>) -> Vec<ResourceOutline> {
    let outline = plan.resources.iter().map(|resource| ResourceOutline {
        resource: resource.resource.name.clone(),
        name: resource.ident.to_string(),
        resolver: resource.resolve_trait.to_string(),
        method: resource.resolve_method.to_string(),
        attributes: resource
            .attributes
            .iter()
            .map(|(method, attribute)| AttributeOutline {
                method: method.to_string(),
                attribute: attribute.name.clone(),
                kind: attribute.kind,
            })
            .collect(),
    });
    outline.collect()
}
