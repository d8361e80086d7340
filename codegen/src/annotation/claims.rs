//! `claims`: where tokens say what they grant, and for whom.

use crate::document::{Fields, Reader};
use crate::finding::{Code, Finding};
use crate::source::span::Place;

/// As written; `build` fills in the defaults.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) tenant: Option<Vec<String>>,
}

/// A path, and where it is written.
struct Path {
    steps: Vec<String>,
    place: Place,
}

/// What says something else of a token (RFC 7519 section 4.1, RFC 7662 section 2.2, RFC 7800 section 3, RFC 9068 section 2.2, OpenID
/// Connect Core section 2), and is read for that: nothing else is found there.
const TAKEN: [&str; 15] = [
    "iss",
    "aud",
    "exp",
    "nbf",
    "iat",
    "acr",
    "auth_time",
    "sub",
    "jti",
    "cnf",
    "client_id",
    "active",
    "token_type",
    "nonce",
    "at_hash",
];

impl<'d> Reader<'d> {
    pub(super) fn claims(&mut self, fields: &mut Fields<'d>) -> Claims {
        let Some(member) = fields.get("claims") else { return Claims::default() };
        let Some(mut claims) = self.our_fields(&member.node, "`claims`") else { return Claims::default() };
        let scopes = self.path(&mut claims, "scopes", "`scope` or `realm_access.scopes`");
        let tenant = self.path(&mut claims, "tenant", "`org_id` or `organization.id`");
        let tenant = tenant.filter(|tenant| self.is_of_tenants(tenant, scopes.as_ref()));
        for later in ["roles", "attributes"] {
            if let Some(member) = claims.get(later) {
                self.not_enforced(later, member.key_place);
            }
        }
        self.finish(claims);
        Claims { scopes: scopes.map(|path| path.steps), tenant: tenant.map(|path| path.steps) }
    }

    fn path(&mut self, claims: &mut Fields<'d>, key: &'static str, such_as: &str) -> Option<Path> {
        let path = self.not_empty(claims, key)?;
        let steps: Vec<String> = path.value.split('.').map(str::to_owned).collect();
        if steps.iter().any(String::is_empty) {
            let message = format!("`{}` is no path of a claim", path.value);
            let help = format!("names joined by dots, such as {such_as}");
            self.push(Finding::error(Code::InvalidValue, message, path.place).help(help));
            return None;
        }
        Some(Path { steps, place: path.place })
    }

    /// A tenant that no token can name would let nobody in.
    fn is_of_tenants(&mut self, tenant: &Path, scopes: Option<&Path>) -> bool {
        let first = tenant.steps.first().map_or("", String::as_str);
        if TAKEN.contains(&first) {
            let message = format!("the claim `{first}` says something else than for which tenant a token is");
            let finding = Finding::error(Code::TokenRules, message, tenant.place);
            self.push(finding.help("name a claim that the issuer has for it, such as `org_id`"));
            return false;
        }
        let default = ["scope".to_owned()];
        let granted = scopes.map_or(&default[..], |path| &path.steps);
        if tenant.steps.starts_with(granted) || granted.starts_with(&tenant.steps) {
            let message = "one claim cannot be both what a token grants and the tenant for which it is";
            let finding = Finding::error(Code::TokenRules, message, tenant.place);
            let finding = match scopes {
                Some(scopes) => finding.related(scopes.place, "what it grants"),
                None => finding,
            };
            self.push(finding.help("name a claim that has the tenant alone, such as `org_id`"));
            return false;
        }
        true
    }
}
