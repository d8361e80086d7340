//! What the server sends of its own accord, as functions of two types: `Webhooks` and `Callbacks`.

use proc_macro2::Ident;

use super::ident::Case;
use super::input::{ContentPlan, contents};
use super::names::Names;
use super::plan::Patterns;
use super::table::Table;
use crate::model::{Api, Cause, Outgoing};

/// A type, and a function for each of its kind.
#[derive(Debug)]
pub(crate) struct OutgoingPlan<'a> {
    pub(crate) ident: Ident,
    pub(crate) docs: &'static str,
    pub(crate) notices: Vec<NoticePlan<'a>>,
}

/// A function that makes what is sent.
#[derive(Debug)]
pub(crate) struct NoticePlan<'a> {
    pub(crate) ident: Ident,
    pub(crate) outgoing: &'a Outgoing,
    pub(crate) content: Option<ContentPlan<'a>>,
}

/// The types of those kinds that the document has.
pub(super) fn outgoing<'a>(
    api: &'a Api,
    table: &Table<'a>,
    module: &mut Names,
    patterns: &mut Patterns,
) -> Vec<OutgoingPlan<'a>> {
    let is_webhook = |one: &&Outgoing| matches!(one.cause, Cause::Webhook(_));
    let (webhooks, callbacks): (Vec<_>, Vec<_>) = api.outgoing.iter().partition(is_webhook);
    let kinds = [
        ("webhooks", "What this server sends of its own accord.", webhooks),
        ("callbacks", "What this server sends to addresses that its callers name.", callbacks),
    ];
    let made = kinds.into_iter().filter(|(_, _, outgoing)| !outgoing.is_empty());
    made.map(|(name, docs, outgoing)| {
        let mut names = Names::default();
        let notices = outgoing.into_iter().map(|outgoing| NoticePlan {
            ident: names.take(&outgoing.name, Case::Snake),
            outgoing,
            content: contents(api, table, outgoing.body.as_slice(), patterns).pop(),
        });
        OutgoingPlan { notices: notices.collect(), ident: module.take_or(name, Case::Upper, "Sent"), docs }
    })
    .collect()
}
