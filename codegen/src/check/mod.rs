//! The rules of a document. Every rule runs, all findings come together, and only what passes them all becomes a
//! [`CheckedApi`]. Each rule opens with the input that it rejects.

mod access;
mod callbacks;
mod composed;
mod defaults;
mod discriminators;
pub(crate) mod endless;
pub(crate) mod idempotency;
mod impossible;
mod limit_keys;
mod limits;
mod logins;
mod lost;
mod operations;
mod outgoing;
mod ownership;
mod pagination;
mod parameters;
mod passwords;
mod paths;
mod responses;
mod schemas;
mod schemes;
mod size;
mod step_up;
pub(crate) mod value;
mod wires;

use crate::document::Document;
use crate::finding::Findings;
use crate::model::{Api, CheckedApi};
use crate::twins;

/// Runs every rule.
pub(crate) fn check(document: &Document, api: Option<Api>, findings: &mut Findings) -> Option<CheckedApi> {
    schemes::enforceable(document, findings);
    schemes::settings_fit(document, findings);
    schemes::names_are_apart(document, findings);
    schemes::access_tokens_are_typed(document, findings);
    schemes::issuers_are_where_they_say(document, findings);
    access::decided(document, findings);
    access::schemes_are_declared(document, findings);
    access::scopes_are_declared(document, findings);
    access::roles_are_of_3_1(document, findings);
    access::combinations_can_be_shown(document, findings);
    access::one_login_says_who_calls(document, findings);
    operations::ids_are_unique(document, findings);
    operations::ids_are_stated(document, findings);
    paths::servable(document, findings);
    paths::distinct(document, findings);
    parameters::once(document, findings);
    parameters::of_the_path(document, findings);
    parameters::all_of_the_query(document, findings);
    parameters::ignored_headers(document, findings);
    parameters::tokens_in_forms(document, findings);
    parameters::defaults(document, findings);
    responses::keys_are_statuses(document, findings);
    responses::are_final(document, findings);
    outgoing::is_not_guarded(document, findings);
    callbacks::lead_somewhere(document, findings);
    limits::declared(document, findings);
    limits::principals_exist(document, findings);
    step_up::logins_are_told(document, findings);
    ownership::holds(document, findings);
    ownership::owners_are_of_one_issuer(document, findings);
    pagination::fits(document, findings);
    idempotency::keys_have_an_owner(document, findings);
    schemas::keywords_have_effect(document, findings);
    impossible::satisfiable(document, findings);
    schemas::required_is_declared(document, findings);
    schemas::openness_is_clear(document, findings);
    schemas::values_fit(document, findings);
    schemas::defaults_fit(document, findings);
    discriminators::choose(document, findings);
    size::references_end_soon(document, findings);
    let api = api?;
    endless::aliases(document, &api, findings);
    endless::structs(document, &api, findings);
    defaults::end(document, &api, findings);
    passwords::stay_inside(document, &api, findings);
    // each operation beside what it was built from, so none must be missing
    if api.operations.len() == document.operations().count() {
        limits::costs_fit(document, &api, findings);
        limit_keys::are_there(document, &api, findings);
        logins::can_be_counted(document, &api, findings);
        wires::names_are_apart(document, &api, findings);
        wires::cookies_are_named(document, &api, findings);
        wires::credentials_are_no_members(document, &api, findings);
        wires::identifiers_are_plain(document, &api, findings);
        idempotency::answers_can_be_kept(document, &api, findings);
        idempotency::replays_are_charged(document, &api, findings);
    }
    if findings.has_errors() {
        return None;
    }
    lost::nothing(document, &api, findings);
    (!findings.has_errors()).then(|| CheckedApi::after_every_rule(twins::joined(api)))
}
