//! Members that the standard does not define where they stand. Real documents have them; a misspelt one must not be
//! passed over, and with it what it protects.
//!
//! 1. One that is spelt like a defined member is a mistake.
//! 2. One that speaks of security is a mistake anywhere.
//! 3. Where it is decided who may call, every one is a mistake, except words that OpenAPI and Swagger define elsewhere
//!    and that say nothing of security.
//! 4. A word of another version of OpenAPI or JSON Schema that would change what is let through stops generation.
//! 5. Every other is passed over, with a remark.

use super::{Fields, Reader};
use crate::finding::{Code, Finding, nearest};
use crate::normalise::Version;
use crate::source::tree::Member;

/// Members that are read by people only, wherever they stand.
pub(super) const PROSE: [&str; 6] =
    ["summary", "description", "title", "version", "termsOfService", "bearerFormat"];

/// Members that decide nothing although they stand where it is decided: an empty one is as none.
pub(super) const UNDECISIVE: [&str; 12] = [
    "summary",
    "description",
    "deprecated",
    "operationId",
    "tags",
    "servers",
    "parameters",
    "externalDocs",
    "bearerFormat",
    "refreshUrl",
    "schemas",
    "examples",
];

/// Words of OpenAPI and Swagger for other places, which say nothing of security.
const ELSEWHERE: [&str; 17] = [
    "title",
    "links",
    "name",
    "in",
    "example",
    "examples",
    "default",
    "type",
    "format",
    "content",
    "schema",
    "schemes",
    "produces",
    "consumes",
    "mediaTypes",
    "host",
    "basePath",
];

/// Members of media types that change what is sent (OpenAPI 3.2 section 4.14).
const CHANGE_THE_CONTENT: [&str; 3] = ["itemSchema", "prefixEncoding", "itemEncoding"];

/// Keywords of some version of JSON Schema that let less through.
const CONSTRAIN: [&str; 28] = [
    "additionalItems",
    "const",
    "contains",
    "contentSchema",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "disallow",
    "divisibleBy",
    "else",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "extends",
    "if",
    "maxContains",
    "minContains",
    "not",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
    "$dynamicRef",
    "$recursiveRef",
    "$ref",
    "$schema",
    "$vocabulary",
];

/// Of those, the keywords that 2020-12 has no more.
const OF_OLD_DRAFTS: [&str; 7] =
    ["additionalItems", "dependencies", "disallow", "divisibleBy", "extends", "$recursiveRef", "$vocabulary"];

/// Parts of words that speak of who may call.
const SECURITY: [&str; 7] = ["secur", "auth", "scope", "palisade", "permission", "ratelimit", "sensitive"];

impl Reader<'_> {
    /// What is to be said of a member that nobody asked for. `None` when nothing is, or was already.
    pub(super) fn undefined(&mut self, fields: &Fields<'_>, member: &Member) -> Option<Finding> {
        let (what, key) = (fields.what(), &*member.key);
        let place = member.key_place;
        if CHANGE_THE_CONTENT.contains(&key) {
            if !self.since_3_2 {
                let message = format!("`{key}` is a member since OpenAPI 3.2");
                let finding = Finding::error(Code::NotSupported, message, place);
                return Some(finding.help("write `openapi: 3.2.0`, or leave it out"));
            }
            let finding = Finding::error(Code::NotSupported, format!("`{key}` is not supported yet"), place);
            let help = "describe every part by one schema under `items`, with `prefixEncoding` and `itemEncoding` of a `multipart/*`, or give the parts names: `multipart/form-data` of an object, with `encoding`";
            return Some(finding.help(help));
        }
        if what == "a schema" && CONSTRAIN.contains(&key) {
            let finding = |message, help| Some(Finding::error(Code::NotSupported, message, place).help(help));
            if self.version == Version::V30 && !OF_OLD_DRAFTS.contains(&key) {
                let message = format!("`{key}` is a keyword since OpenAPI 3.1");
                return finding(message, "write `openapi: 3.1.0`");
            }
            let message = format!("the schema keyword `{key}` is not supported here");
            return finding(message, "say it in the words of JSON Schema 2020-12, or leave it out");
        }
        if (what, key) == ("a discriminator", "defaultMapping") {
            let message = format!("`{key}` is a member since OpenAPI 3.2");
            let help = "write `openapi: 3.2.0`, or require the member that tells the alternatives apart";
            return Some(Finding::error(Code::NotSupported, message, place).help(help));
        }
        let plain: String = key.chars().filter(|char| !matches!(char, '-' | '_')).collect();
        let plain = plain.to_ascii_lowercase();
        let mistake = nearest(key, fields.asked()).is_some()
            || SECURITY.iter().any(|word| plain.contains(word))
            || (fields.guards() && !ELSEWHERE.contains(&key));
        let message = format!("{what} has no member `{key}`");
        if mistake {
            let finding = Finding::error(Code::UnknownMember, message, place);
            return Some(finding.nearest(key, fields.asked()).help("extensions start with `x-`"));
        }
        if !self.passed_over.insert((what, key.to_owned())) {
            return None;
        }
        let help = match (what, key) {
            ("a schema", "nullable") => {
                "since 3.1 `null` is a type: write `type: [.., \"null\"]`, or `anyOf: [{ $ref: .. }, { type: \"null\" }]`"
            }
            _ => "remove it; extensions start with `x-`",
        };
        let message = format!("{message}: it is passed over, here and elsewhere");
        Some(Finding::warning(Code::PassedOver, message, place).help(help))
    }
}
