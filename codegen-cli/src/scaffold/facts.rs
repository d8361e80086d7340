//! What the templates are filled with, from what the generator says about the module it writes.

use palisade_codegen::model::{self, AttributeKind, Binding};
use palisade_codegen::outline::{MethodOutline, Outline, ResourceOutline, StepOutline};

use super::template::{Attribute, Call, Method, Resource, Scheme, SchemeKind, Service};
use super::{Answers, LISTEN, certificates, credentials};
use crate::project::{self, DEVELOPER};

/// What the templates are filled with.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) title: String,
    pub(crate) schemes: Vec<Scheme>,
    pub(crate) services: Vec<Service>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) denylist: bool,
    pub(crate) cursor_keys: bool,
    pub(crate) idempotency: bool,
    /// A scheme has use for client certificates, which only TLS can show.
    pub(crate) tls: bool,
    /// A scheme asks for proofs, which name the address of the server.
    pub(crate) proofs: bool,
    /// Operations that answer 501 although examples were asked for: none was found that conforms.
    pub(crate) without_example: Vec<String>,
    /// An operation to try first, if there is one that needs a token.
    first_guarded: Option<(String, Vec<String>)>,
}

impl Facts {
    pub(crate) fn of(package: &str, outline: &Outline, api: &model::Api, answers: Answers) -> Self {
        let mut without_example = Vec::new();
        let services = outline.traits.iter().map(|one| Service {
            name: one.name.clone(),
            methods: one.methods.iter().map(|one| method(one, answers, &mut without_example)).collect(),
        });
        Self {
            title: one_line(&api.title),
            services: services.collect(),
            schemes: outline.steps.iter().map(|step| scheme(step, package)).collect(),
            resources: outline.resources.iter().map(|one| resource(one, api)).collect(),
            denylist: outline.denylist,
            cursor_keys: outline.cursor_keys,
            idempotency: outline.idempotency,
            tls: outline.steps.iter().any(|step| credentials::subject(&step.scheme.kind).is_some()),
            proofs: outline.steps.iter().any(|step| asks_for_proofs(&step.scheme.kind)),
            first_guarded: first_guarded(api),
            without_example,
        }
    }

    /// Command lines that work in the project as it is.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let ours = self.schemes.iter().filter(|one| !matches!(one.kind, SchemeKind::Introspected { .. }));
        ours.map(|scheme| self.call(scheme)).collect()
    }

    /// Where the server is found while it is developed.
    pub(crate) fn origin(&self) -> String {
        format!("{}://{LISTEN}", if self.tls { "https" } else { "http" })
    }

    fn call(&self, scheme: &Scheme) -> Call {
        let name = &scheme.for_shell;
        let guarded =
            self.first_guarded.as_ref().filter(|_| matches!(scheme.kind, SchemeKind::Bearer { .. }));
        let scopes = guarded.map(|(_, scopes)| scopes.as_slice()).unwrap_or_default();
        let scopes: String =
            scopes.iter().map(|scope| format!(" --scope {}", project::shell_word(scope))).collect();
        let bound = match scheme.kind {
            SchemeKind::Bearer { binding: Binding::Certificate, .. } => {
                format!(" --certificate {}", certificates::CLIENT)
            }
            SchemeKind::Bearer { binding: Binding::Proof { .. }, .. } => format!(" --dpop-key {PROOF_KEY}"),
            _ => String::new(),
        };
        let tenant = match scheme.kind {
            SchemeKind::Bearer { names_tenants: true, .. } => format!(" --tenant {}", project::DEVELOPERS),
            _ => String::new(),
        };
        let (about, mut lines) = match scheme.kind {
            SchemeKind::Bearer { .. } | SchemeKind::Introspected { .. } => (
                "A token",
                vec![format!(
                    "TOKEN=$(cargo palisade token --scheme {name} --subject {DEVELOPER}{tenant}{scopes}{bound})"
                )],
            ),
            SchemeKind::ApiKey => (
                "An API key, printed once",
                vec![format!("KEY=$(cargo palisade key create --scheme {name} --owner {DEVELOPER})")],
            ),
            SchemeKind::MutualTls => {
                ("The development certificate", vec![format!("curl -i{} https://{LISTEN}/", curl_tls())])
            }
            SchemeKind::Basic => (
                "A password, printed once",
                vec![format!("PASSWORD=$(cargo palisade key password --scheme {name} --user {DEVELOPER})")],
            ),
        };
        if let Some((path, _)) = guarded {
            let options = if self.tls { curl_tls() } else { String::new() };
            let url = project::shell_word(&format!("{}{path}", self.origin()));
            let mut word = "Bearer";
            let mut proof = String::new();
            if let SchemeKind::Bearer { binding: Binding::Proof { nonce }, .. } = scheme.kind {
                let mut named = "";
                if nonce {
                    lines.push(format!(
                        "NONCE=$(curl -si{options} {url} | tr -d '\\r' | sed -n 's/^dpop-nonce: //p')"
                    ));
                    named = " --nonce $NONCE";
                }
                lines.push(format!(
                    "PROOF=$(cargo palisade proof --key {PROOF_KEY} --method GET --url {url} --token $TOKEN{named})"
                ));
                (word, proof) = ("DPoP", " -H \"$PROOF\"".to_owned());
            }
            lines.push(format!("curl -i{options} -H \"Authorization: {word} $TOKEN\"{proof} {url}"));
        }
        Call { about: format!("{about} of scheme `{}` ({}):", scheme.name, scheme.word), lines }
    }
}

/// The key of the development client, which the first token makes.
const PROOF_KEY: &str = "dev/client.dpop.pem";

fn asks_for_proofs(kind: &model::SchemeKind) -> bool {
    matches!(kind, model::SchemeKind::Bearer(rules) if matches!(rules.binding, Binding::Proof { .. }))
}

/// What curl is told to trust the development server and to show the development certificate.
fn curl_tls() -> String {
    format!(" --cacert {} --cert {}", certificates::AUTHORITY, certificates::CLIENT)
}

/// A GET without parameters in its path that a token opens: it works without further thought.
fn first_guarded(api: &model::Api) -> Option<(String, Vec<String>)> {
    api.operations.iter().find_map(|operation| {
        let plain = operation.method == model::Method::Get && !operation.path.text.contains('{');
        let model::Access::Any(alternatives) = &operation.access else { return None };
        let [need] = alternatives.first()?.as_slice() else { return None };
        let by_token = matches!(&api.scheme(need.scheme).kind, model::SchemeKind::Bearer(rules) if !is_introspected(rules));
        (plain && by_token).then(|| (operation.path.text.clone(), need.scopes.clone()))
    })
}

fn is_introspected(rules: &model::TokenRules) -> bool {
    matches!(rules.token, model::Token::Introspected { .. })
}

fn scheme(step: &StepOutline, package: &str) -> Scheme {
    let model::Scheme { name, word, kind, .. } = &step.scheme;
    let toml = |text: String| toml::Value::from(text).to_string();
    let (file, kind) = match kind {
        model::SchemeKind::Bearer(rules) if is_introspected(rules) => {
            let (issuer, audience) = (rules.issuer.clone().map(toml), rules.audience.clone().map(toml));
            (credentials::client_secret(name), SchemeKind::Introspected { issuer, audience })
        }
        model::SchemeKind::Bearer(rules) => {
            let kind = SchemeKind::Bearer {
                issuer: toml(project::issuer(rules)),
                audience: toml(project::audience(rules, package)),
                issuer_in_document: rules.issuer.is_some(),
                audience_in_document: rules.audience.is_some(),
                binding: rules.binding,
                names_tenants: !rules.tenant_claim.is_empty(),
            };
            (credentials::key_set(name), kind)
        }
        model::SchemeKind::ApiKey(_) => (credentials::credential_file(name, kind), SchemeKind::ApiKey),
        model::SchemeKind::Basic => (credentials::credential_file(name, kind), SchemeKind::Basic),
        model::SchemeKind::MutualTls(_) => (credentials::credential_file(name, kind), SchemeKind::MutualTls),
    };
    let variable = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' });
    Scheme {
        literal: format!("{name:?}"),
        variable: format!("PALISADE_SCHEMES_{}", variable.collect::<String>()),
        for_shell: project::shell_word(name),
        name: name.clone(),
        word: word.as_str().to_owned(),
        step: step.name.clone(),
        file,
        kind,
    }
}

fn method(outline: &MethodOutline, answers: Answers, without_example: &mut Vec<String>) -> Method {
    let route = format!("{} {}", outline.method.as_str(), outline.path);
    let body = match answers {
        Answers::NotImplemented => None,
        Answers::Examples => {
            let body = example(outline);
            if body.is_none() {
                without_example.push(outline.operation_id.clone());
            }
            body
        }
    };
    let summary = outline.docs.summary.as_deref().map(one_line).unwrap_or_default();
    Method {
        route: if summary.is_empty() { format!("`{route}`") } else { format!("`{route}`: {summary}") },
        name: outline.name.clone(),
        operation: outline.operation.clone(),
        input: outline.input.clone(),
        output: outline.output.clone(),
        body: body.unwrap_or_else(|| "Err(Problem::not_implemented())".to_owned()),
    }
}

/// The expression of a conforming answer.
fn example(outline: &MethodOutline) -> Option<String> {
    let mock = outline.mock.as_ref()?;
    let variant = outline.variants.get(mock.response)?;
    let mut parts = Vec::new();
    if variant.chooses_status {
        parts.push(format!("palisade::StatusCode::from_u16({}).map_err(Problem::internal)?", mock.status));
    }
    if let Some(body) = &variant.body {
        let value = match body.raw {
            true => "Default::default()".to_owned(),
            false => format!("palisade::dev::example({})?", raw_string(mock.body.as_deref()?)),
        };
        parts.push(match &body.wrapped {
            Some(wrapped) => format!("api::{wrapped}({value})"),
            None => value,
        });
    }
    if let Some(headers) = &variant.headers {
        parts.push(format!("api::{headers}::default()"));
    }
    let carried = if parts.is_empty() { String::new() } else { format!("({})", parts.join(", ")) };
    Some(format!("Ok(api::{}::{}{carried})", outline.output, variant.name))
}

/// A Rust literal of any text, as readable as can be.
fn raw_string(text: &str) -> String {
    // A bare carriage return may not stand in a raw string; JSON escapes it, but not everything here need be JSON.
    if text.contains('\r') {
        return format!("{text:?}");
    }
    let longest =
        text.split('"').skip(1).map(|rest| rest.bytes().take_while(|byte| *byte == b'#').count()).max();
    let fence = "#".repeat(longest.map_or(0, |hashes| hashes + 1));
    format!("r{fence}\"{text}\"{fence}")
}

/// Prose that stays within one line of a comment.
fn one_line(text: &str) -> String {
    let gap = |letter: char| letter.is_whitespace() || letter.is_control();
    text.split(gap).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn resource(outline: &ResourceOutline, api: &model::Api) -> Resource {
    let about = |ownership: &&model::Ownership| api.resource(ownership.resource).name == outline.resource;
    let owners: Vec<&str> = api
        .operations
        .iter()
        .filter_map(|operation| operation.ownership.as_ref())
        .filter(about)
        .map(|ownership| ownership.owner.as_str())
        .collect();
    let attributes = outline.attributes.iter().map(|one| {
        let field = one.method.clone();
        let (owned, borrowed, borrow, stand_in) = match one.kind {
            AttributeKind::String if owners.contains(&one.attribute.as_str()) => {
                ("String", "&str", format!("&self.{field}"), "owner.clone()")
            }
            AttributeKind::String => ("String", "&str", format!("&self.{field}"), "String::new()"),
            AttributeKind::Boolean => ("bool", "bool", format!("self.{field}"), "false"),
            AttributeKind::Integer => ("i64", "i64", format!("self.{field}"), "0"),
        };
        Attribute { field, owned, borrowed, borrow, stand_in }
    });
    Resource {
        row: format!("{}Row", outline.name),
        attributes: attributes.collect(),
        name: outline.name.clone(),
        resolve: outline.resolver.clone(),
        method: outline.method.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_a_literal_that_reads_back() {
        for text in ["", "{\"a\":\"b\"}", "\"# \"## end\"", "a\r\nb", "\\", "r#\"", "\u{1f600}"] {
            let literal = raw_string(text);
            let back: syn::LitStr = syn::parse_str(&literal).unwrap_or_else(|_| panic!("{literal}"));
            assert_eq!(back.value(), text);
        }
    }

    #[test]
    fn prose_cannot_leave_its_comment() {
        assert_eq!(one_line("a\nfn evil() {}\r\tb\u{2028}\u{7f}"), "a fn evil() {} b");
    }
}
