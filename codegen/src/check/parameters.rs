//! Parameters.

use std::collections::BTreeSet;

use foldhash::{HashMap, HashSet};

use crate::build::path::template;
use crate::build::{
    credential_within, identity, is_credential, is_for_a_proxy, is_ignored, merged, properties,
    speaks_for_others,
};
use crate::document::{ACCESS_TOKEN, Document, Media, Operation, Parameter, PathItem};
use crate::finding::{Code, Finding, Findings};
use crate::model::{Location, Segment};

/// Rejects one parameter twice in one list. An operation may say one of its path anew; that is no repetition.
pub(super) fn once(document: &Document, findings: &mut Findings) {
    let lists = document.operations_anywhere().flat_map(|(item, own)| [&item.parameters, &own.parameters]);
    for list in lists.chain(document.paths.iter().map(|item| &item.parameters)) {
        let mut known: HashMap<_, &Parameter> = HashMap::default();
        for parameter in list {
            let first = *known.entry(identity(parameter)).or_insert(parameter);
            if !std::ptr::eq(first, parameter) {
                let message = format!(
                    "the {} parameter `{}` stands twice",
                    parameter.location.as_str(),
                    parameter.name.value
                );
                let finding = Finding::error(Code::ParameterTwice, message, parameter.place);
                findings.push(finding.related(first.place, "first here").help("keep one"));
            }
        }
    }
}

/// Rejects `/accounts/{accountId}` without a declared `accountId`, and a declared path parameter that the template does not
/// have.
pub(super) fn of_the_path(document: &Document, findings: &mut Findings) {
    for item in &document.paths {
        let Ok(path) = template(&item.template.value) else { continue };
        let names: BTreeSet<&str> = path.segments.iter().flat_map(Segment::names).collect();
        for operation in &item.operations {
            undeclared(item, operation, &names, findings);
        }
        let own = item.operations.iter().flat_map(|operation| &operation.parameters);
        for parameter in item.parameters.iter().chain(own).filter(|one| one.location == Location::Path) {
            declared(parameter, &names, findings);
        }
    }
}

fn undeclared(item: &PathItem, operation: &Operation, names: &BTreeSet<&str>, findings: &mut Findings) {
    let parameters = merged(item, operation);
    let of_path = parameters.iter().filter(|one| one.location == Location::Path);
    let declared: BTreeSet<&str> = of_path.map(|one| &*one.name.value).collect();
    for name in names.difference(&declared) {
        let message = format!(
            "`{} {}` does not declare its parameter `{name}`",
            operation.method.as_str(),
            item.template.value
        );
        let finding = Finding::error(Code::ParameterUndeclared, message, operation.place);
        let help =
            format!("add `{{ name: {name}, in: path, required: true, schema: .. }}` to its `parameters`");
        let unused = declared.difference(names).copied();
        findings.push(finding.related(item.template.place, "the path").help(help).nearest(name, unused));
    }
}

fn declared(parameter: &Parameter, names: &BTreeSet<&str>, findings: &mut Findings) {
    let name = &*parameter.name.value;
    if !names.contains(name) {
        let message = format!("the path has no parameter `{name}`");
        let finding = Finding::error(Code::ParameterNotInPath, message, parameter.place);
        findings.push(
            finding
                .help(format!("write `{{{name}}}` in the path, or remove the parameter"))
                .nearest(name, names.iter().copied()),
        );
    }
}

/// Rejects `in: querystring` twice, or beside `in: query`: what is all of the query leaves nothing of it (OpenAPI 3.2
/// section 4.12.1).
pub(super) fn all_of_the_query(document: &Document, findings: &mut Findings) {
    for (item, operation) in document.operations_anywhere() {
        let parameters = merged(item, operation);
        let Some(whole) = parameters.iter().find(|one| one.location == Location::QueryString) else {
            continue;
        };
        let in_query = |one: &&&Parameter| matches!(one.location, Location::Query | Location::QueryString);
        let other = parameters.iter().filter(in_query).find(|one| !std::ptr::eq(**one, *whole));
        let Some(other) = other else { continue };
        let name = &whole.name.value;
        let other_name = &other.name.value;
        let message = format!("`{name}` is all of the query, so that nothing is left for `{other_name}`");
        let finding = Finding::error(Code::ParameterTwice, message, other.place);
        let finding = finding.related(whole.place, "all of it");
        findings
            .push(finding.help("declare it as a member of the schema of the first, or remove one of them"));
    }
}

/// Remarks on `access_token` in a form, where callers show tokens: by RFC 6750 section 2.2 it is one, and a client shows its
/// token in one way a request (section 2).
pub(super) fn tokens_in_forms(document: &Document, findings: &mut Findings) {
    let mut seen = HashSet::default();
    for (_, operation) in document.operations() {
        let stands = |(place, name): &(String, String)| place == "query" && name == ACCESS_TOKEN;
        if !operation.credentials.iter().any(stands) {
            continue;
        }
        let bodies = operation.body.iter().flat_map(|body| &body.content);
        let forms = bodies.filter(|media| is_form(media));
        let members = forms.filter_map(|media| media.schema).flat_map(|id| properties(document, id));
        for (name, _) in members.filter(|(name, _)| name.value == ACCESS_TOKEN) {
            // those of a component are met by each operation that takes it
            if !seen.insert(name.place) {
                continue;
            }
            let message = "`access_token` in a form is a token, beside the one that the gate reads";
            let finding = Finding::warning(Code::HeaderIgnored, message, name.place);
            findings.push(
                finding.help("a request shows its token in one place: remove the member, or rename it"),
            );
        }
    }
}

fn is_form(media: &Media) -> bool {
    let name = media.name.value.split(';').next().unwrap_or_default();
    name.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

const DESCRIBED: &str = "it is described by responses, bodies and security: remove it";

/// Remarks on `Accept`, `Content-Type` and `Authorization`, which the standard ignores as parameters, on what a scheme reads as
/// its credential, and on what a proxy says of others.
pub(super) fn ignored_headers(document: &Document, findings: &mut Findings) {
    let mut seen = HashSet::default();
    for (item, operation) in document.operations() {
        let parameters = item.parameters.iter().chain(&operation.parameters);
        for parameter in parameters.filter(|parameter| is_ignored(operation, parameter)) {
            // those of the path are met by each of its operations
            if !seen.insert(std::ptr::from_ref(parameter)) {
                continue;
            }
            let name = &parameter.name.value;
            let (message, help) = if is_credential(operation, parameter) {
                (format!("`{name}` is a credential: it is the gate's, and no handler gets it"), DESCRIBED)
            } else if let Some(cookie) = credential_within(operation, parameter) {
                (
                    format!(
                        "`{name}` holds the credential `{cookie}`, which is the gate's: no handler gets it"
                    ),
                    "remove it, and declare other cookies as parameters of their own with `in: cookie`",
                )
            } else if is_for_a_proxy(parameter) {
                (
                    format!("`{name}` is a credential for a proxy on the way: no handler gets it"),
                    "remove it: what the server itself asks for is described by `security`",
                )
            } else if speaks_for_others(parameter) {
                (
                    format!("`{name}` speaks for others: the gate takes it away, and no handler gets it"),
                    "remove it: what a proxy says counts for where a request comes from, and for nothing else",
                )
            } else {
                (format!("the standard ignores `{name}` as a parameter"), DESCRIBED)
            };
            findings.push(Finding::warning(Code::HeaderIgnored, message, parameter.place).help(help));
        }
    }
}

/// Remarks `default: null` of a parameter that may be `null`: text has no way to say it. Other defaults are compared with
/// the schema that they stand in.
pub(super) fn defaults(document: &Document, findings: &mut Findings) {
    for (item, operation) in document.operations() {
        for parameter in merged(item, operation) {
            let Some(id) = parameter.schema else { continue };
            let schema = document.schema(document.target(id));
            let nullable = schema.nullable || document.schema(id).nullable;
            let Some(default) = document.default_of(id).filter(|_| nullable) else { continue };
            if matches!(default.value, crate::source::tree::Value::Null) {
                let message =
                    format!("`null` cannot be the default of the parameter `{}`", parameter.name.value);
                let finding = Finding::warning(Code::DefaultMismatch, message, default.place);
                findings.push(finding.help("it is not filled in: leave it out"));
            }
        }
    }
}
