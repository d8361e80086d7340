//! Extensions: members of anybody, among which those are that ask for a protection in other words than ours.

use super::Reader;
use crate::finding::{Code, Finding};
use crate::source::tree::Member;

/// Extensions of others that ask for a protection: marks of sensitive data (OpenAPI's registry), roles, rate limits.
const PROTECTIONS: [&str; 6] = [
    "x-sensitive-data",
    "x-data-classification",
    "x-exegesis-roles",
    "x-kuadrant",
    "x-tyk-api-gateway",
    "x-rate-limit",
];

/// Extensions of others for which we have, or shall have, an annotation that does more.
const CONVENIENCES: [&str; 5] =
    ["x-ms-pageable", "x-speakeasy-pagination", "x-fern-pagination", "x-fern-idempotent", "x-idempotency"];

/// Members that begin with `x-` are anybody's (OpenAPI 3.1 section 4.9).
pub(crate) fn is_extension(key: &str) -> bool {
    key.starts_with("x-")
}

impl Reader<'_> {
    /// An extension that nobody asked for. Extensions are free, but not ours in a wrong place or misspelt, nor one that
    /// asks for a protection in other words: what a document says about security is not passed over.
    pub(crate) fn extension(&mut self, member: &Member, what: &str) {
        let key = member.key.to_ascii_lowercase();
        let finding = if *member.key == *"x-palisade" {
            let message = format!("`x-palisade` has no meaning on {what}");
            let help = "it stands on the document, a path, an operation, a security scheme or a schema";
            Finding::error(Code::Misplaced, message, member.key_place).help(help)
        } else if key.starts_with("x-palisade") || strsim::damerau_levenshtein(&key, "x-palisade") <= 2 {
            let message = format!("`{}` is no annotation", member.key);
            let finding = Finding::error(Code::UnknownMember, message, member.key_place);
            finding.nearest(&member.key, ["x-palisade"]).help("annotations stand under `x-palisade`")
        } else if PROTECTIONS.contains(&&*key) {
            let message = format!("palisade 0.1 cannot enforce `{}` yet", member.key);
            let help = "say it under `x-palisade` as far as it has words for it, or remove it";
            Finding::error(Code::NotEnforced, message, member.key_place).help(help)
        } else if CONVENIENCES.contains(&&*key) {
            let message = format!("palisade 0.1 does not act on `{}`", member.key);
            let help = "under `x-palisade`, `pagination` seals cursors and `idempotency` keeps answers";
            Finding::warning(Code::NotEnforced, message, member.key_place).help(help)
        } else {
            return;
        };
        self.push(finding);
    }
}
