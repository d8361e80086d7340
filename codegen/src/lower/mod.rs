//! From meaning to Rust words: every name, every type and every check of the generated file is settled here, so that
//! `emit` only writes them down and cannot fail.

mod boxes;
mod check;
mod cursors;
pub(crate) mod ident;
mod input;
mod literal;
mod names;
mod operation;
mod outgoing;
mod output;
mod plan;
mod server;
mod shapes;
mod table;
mod types;

pub(crate) use check::{Bound, Check};
pub(crate) use cursors::cursors;
pub(crate) use input::{BodyPlan, ContentPlan, Field, Given, InputPlan};
pub(crate) use literal::Value;
pub(crate) use operation::{OperationPlan, TraitPlan};
pub(crate) use outgoing::{NoticePlan, OutgoingPlan};
pub(crate) use output::{HeaderPlan, HeadersPlan, VariantPlan};
pub(crate) use plan::{PatternPlan, Plan, ResourcePlan, ScopePlan};
pub(crate) use server::{PartOf, PartPlan, verifier};
pub(crate) use shapes::Format;
pub(crate) use types::{
    MemberPlan, OthersPlan, RustType, StructPlan, TypeKind, TypePlan, UnionPlan, WordPlan,
};

use crate::model::CheckedApi;

/// What `emit` needs to write `api` down.
pub(crate) fn lower(api: &CheckedApi) -> Plan<'_> {
    Plan::of(api.api())
}
