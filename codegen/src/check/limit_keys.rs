//! What limits count by: parameters of the path, members of the body, and tenants.

use super::limits::names;
use crate::annotation::NamedLimit;
use crate::document::{self, Document};
use crate::finding::{Code, Finding, Findings};
use crate::model::{
    Access, Api, Content, ContentForm, Location, Member, Operation, Per, Schema, SchemeKind, Shape, Style,
    TextFormat, Type, WireKind,
};

/// Rejects a limit that counts by a parameter or member which an operation under it does not have, or of which one value
/// has several spellings: who counts by those has as many counters as there are. Rejects one that counts by tenants where no
/// credential names one: it would count principals.
pub(super) fn are_there(document: &Document, api: &Api, findings: &mut Findings) {
    for ((_, written), operation) in document.operations().zip(&api.operations) {
        let named = operation.limits.iter().filter_map(|id| document.rules.limits.get(id.position()));
        for named in named {
            for part in &named.limit.per {
                let Some(fault) = fault(api, operation, part) else { continue };
                findings.push(misfit(written, operation, named, &fault).help(way_out(part)));
            }
        }
    }
}

fn misfit(written: &document::Operation, operation: &Operation, named: &NamedLimit, fault: &str) -> Finding {
    let message = format!("the limit `{}` does not fit `{}`: {fault}", named.limit.name, operation.id);
    let here = names(&written.rules.shared).iter().find(|name| name.value == named.limit.name);
    match here {
        Some(name) => {
            Finding::error(Code::LimitMisfit, message, name.place).related(named.place, "declared here")
        }
        None => Finding::error(Code::LimitMisfit, message, named.place),
    }
}

fn way_out(part: &Per) -> &'static str {
    match part {
        Per::Tenant => {
            "name the claim of its tokens by `claims: { tenant: org_id }` on the scheme, or count by `principal`"
        }
        _ => {
            "count by a string: a parameter of the path, or a required member of a required body that is JSON or a form"
        }
    }
}

/// Whether some credential of it can name a tenant: a token by a claim, an API key or a session by what is kept of it. A public
/// operation has no credentials; limits that it inherits count its callers by address.
fn has_tenants(api: &Api, operation: &Operation) -> bool {
    let Access::Any(alternatives) = &operation.access else { return true };
    let mut needs = alternatives.iter().flatten();
    needs.any(|need| match &api.scheme(need.scheme).kind {
        SchemeKind::Bearer(rules) => !rules.tenant_claim.is_empty(),
        SchemeKind::ApiKey(_) => true,
        SchemeKind::Basic | SchemeKind::MutualTls(_) => false,
    })
}

/// Why this operation cannot be counted by `part`.
fn fault(api: &Api, operation: &Operation, part: &Per) -> Option<String> {
    match part {
        Per::Address | Per::Network | Per::Principal | Per::Global => None,
        Per::Tenant => {
            (!has_tenants(api, operation)).then(|| "none of its credentials names a tenant".to_owned())
        }
        Per::Path(name) => {
            let mut all = operation.parameters.iter();
            let found = all.find(|it| it.location == Location::Path && it.name == *name);
            let Some(found) = found else { return Some(format!("its path has no parameter `{name}`")) };
            let plain = found.wire.kind == WireKind::Scalar && found.wire.style == Style::Simple;
            (!plain || !is_word(api, &found.schema)).then(|| format!("its parameter `{name}` is no string"))
        }
        Per::Body(name) => {
            let Some(body) = operation.body.as_ref().filter(|body| body.required) else {
                return Some("it requires no body".into());
            };
            let fits = |content: &Content| {
                let mut members = members_of(api, content).into_iter().flatten();
                is_plain(content, name)
                    && members.any(|it| it.name == *name && it.required && is_word(api, &it.schema))
            };
            let fault = || format!("its body is no JSON object or form with a required string `{name}`");
            (!body.contents.iter().all(fits)).then(fault)
        }
    }
}

/// The members of the object that a body is, of which the gate reads some beside its decoding: JSON, and forms.
pub(super) fn members_of<'a>(api: &'a Api, content: &'a Content) -> Option<&'a [Member]> {
    match content.form {
        ContentForm::Json | ContentForm::Form(_) => members(api, &content.schema),
        _ => None,
    }
}

/// Whether this member is written as the text that it is.
pub(super) fn is_plain(content: &Content, name: &str) -> bool {
    match &content.form {
        ContentForm::Form(wires) => wires.iter().all(|(member, wire)| {
            member != name || (wire.kind == WireKind::Scalar && wire.style == Style::Form)
        }),
        _ => true,
    }
}

/// The members of the object that it is.
fn members<'a>(api: &'a Api, schema: &Schema) -> Option<&'a [Member]> {
    match &schema.ty {
        Type::Named(id) if !schema.nullable => match &api.types.get(*id).shape {
            Shape::Object(object) => Some(&object.members),
            Shape::Alias(schema) => members(api, schema),
            Shape::Words(_) | Shape::Union(_) | Shape::Checked(_) => None,
        },
        _ => None,
    }
}

/// Whether it is a string, and two that differ in more than case are two values. Of the formats with types of their own,
/// that is true of a UUID alone.
pub(super) fn is_word(api: &Api, schema: &Schema) -> bool {
    match &schema.ty {
        Type::Text(text) => {
            let one_spelling =
                matches!(text.format, TextFormat::Plain | TextFormat::Uuid | TextFormat::Checked(_));
            one_spelling && !schema.nullable
        }
        Type::Named(id) if !schema.nullable => match &api.types.get(*id).shape {
            Shape::Alias(schema) => is_word(api, schema),
            Shape::Words(_) => true,
            Shape::Object(_) | Shape::Union(_) | Shape::Checked(_) => false,
        },
        _ => false,
    }
}
