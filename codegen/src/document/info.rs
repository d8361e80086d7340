//! What a document says about itself: `info`, `servers`, `tags`, `externalDocs`.

use foldhash::{HashMap, HashSet};
use iri_string::types::UriReferenceStr;

use super::{Fields, Reader, Spanned};
use crate::circles::leads_back;
use crate::finding::{Code, Finding};
use crate::model::Docs;
use crate::normalise::Version;
use crate::source::tree::Node;

impl<'d> Reader<'d> {
    /// Title, version and prose.
    pub(super) fn info(&mut self, document: &mut Fields<'d>) -> (String, String, Docs) {
        let nothing = (String::new(), String::new(), Docs::default());
        let Some(member) = document.get("info") else {
            self.missing(document, "info");
            return nothing;
        };
        let Some(mut info) = self.fields(&member.node, "`info`") else { return nothing };
        let title = self.required_string(&mut info, "title").map(|text| text.value);
        let version = self.required_string(&mut info, "version").map(|text| text.value);
        let keys: &[&'static str] =
            if self.version == Version::V31 { &["summary", "description"] } else { &["description"] };
        let docs = self.docs(&mut info, keys);
        let terms = self.string(&mut info, "termsOfService");
        self.is_an_address(terms.as_ref());
        if let Some(contact) = info.get("contact")
            && let Some(mut contact) = self.fields(&contact.node, "`contact`")
        {
            self.string(&mut contact, "name");
            let url = self.string(&mut contact, "url");
            self.is_an_address(url.as_ref());
            self.is_a_mailbox(&mut contact);
            self.finish(contact);
        }
        self.license(&mut info);
        self.finish(info);
        (title.unwrap_or_default(), version.unwrap_or_default(), docs)
    }

    /// Remarks on what is no URI (RFC 3986 section 4.1): people follow it.
    fn is_an_address(&mut self, text: Option<&Spanned<String>>) {
        let Some(text) = text.filter(|text| UriReferenceStr::new(&text.value).is_err()) else { return };
        let message = format!("`{}` is no URI", text.value);
        let finding = Finding::warning(Code::InvalidValue, message, text.place);
        self.push(finding.help("such as `https://example.com/terms`"));
    }

    fn is_a_mailbox(&mut self, contact: &mut Fields<'d>) {
        let Some(email) = self.string(contact, "email") else { return };
        let sound = |(local, host): (&str, &str)| !local.is_empty() && !host.is_empty();
        let one_word = !email.value.contains(char::is_whitespace);
        if !one_word || !email.value.rsplit_once('@').is_some_and(sound) {
            let message = format!("`{}` is no e-mail address", email.value);
            let finding = Finding::warning(Code::InvalidValue, message, email.place);
            self.push(finding.help("such as `api@example.com`"));
        }
    }

    fn license(&mut self, info: &mut Fields<'d>) {
        let Some(member) = info.get("license") else { return };
        let Some(mut license) = self.fields(&member.node, "`license`") else { return };
        self.required_string(&mut license, "name");
        let url = self.string(&mut license, "url");
        self.is_an_address(url.as_ref());
        if self.version == Version::V31
            && let Some(identifier) = self.string(&mut license, "identifier")
            && url.is_some()
        {
            let message = "a license has `identifier` or `url`, not both";
            self.push(
                Finding::error(Code::InvalidValue, message, identifier.place).help("keep one of the two"),
            );
        }
        self.finish(license);
    }

    /// Servers describe where the API is reached; they are read for their form only.
    pub(super) fn servers(&mut self, fields: &mut Fields<'d>) {
        let Some((servers, _)) = self.array(fields, "servers") else { return };
        let mut known: Vec<Spanned<String>> = Vec::new();
        for node in servers {
            let Some(name) = self.server(node) else { continue };
            if let Some(first) = known.iter().find(|first| first.value == name.value) {
                let message = format!("two servers are called `{}`", name.value);
                let finding = Finding::warning(Code::InvalidValue, message, name.place);
                self.push(finding.related(first.place, "the other").help("names of servers are unique"));
            }
            known.push(name);
        }
    }

    /// A server; its name, if it has one.
    pub(super) fn server(&mut self, node: &'d Node) -> Option<Spanned<String>> {
        let mut server = self.fields(node, "a server")?;
        let url = self.required_string(&mut server, "url");
        self.docs(&mut server, &["description"]);
        let name = if self.since_3_2 { self.string(&mut server, "name") } else { None };
        let variables = self.map(&mut server, "variables");
        let mut names = Vec::new();
        for variable in variables {
            names.push(&*variable.key);
            self.server_variable(&variable.node);
        }
        if let Some(url) = url {
            if url.value.is_empty() {
                let finding = Finding::error(Code::InvalidValue, "an empty server URL", url.place);
                self.push(finding.help("write `/` for the host that serves the document"));
            }
            if url.value.matches('{').count() != url.value.matches('}').count() {
                let message = "a brace of the server URL has no other";
                let finding = Finding::error(Code::InvalidValue, message, url.place);
                self.push(finding.help("a variable is written `{name}`"));
            }
            self.told_once(&url);
            for name in braced(&url.value).filter(|name| !names.contains(name)) {
                let message = format!("the server URL uses the variable `{name}`, which is not declared");
                let finding = Finding::error(Code::MissingMember, message, url.place);
                self.push(finding.help("declare it under `variables`").nearest(name, names.iter().copied()));
            }
        }
        self.finish(server);
        name
    }

    /// Remarks on a variable that stands twice, and on what begins a query or a fragment (OpenAPI 3.2 sections 4.5.1 and 4.6):
    /// it is about the addresses that clients make.
    fn told_once(&mut self, url: &Spanned<String>) {
        let mut known = HashSet::default();
        if let Some(name) = braced(&url.value).find(|name| !known.insert(*name)) {
            let message = format!("the variable `{name}` stands twice in the server URL");
            let finding = Finding::warning(Code::InvalidValue, message, url.place);
            self.push(finding.help("give the second one a name of its own"));
        }
        let mut literals = url.value.split('{').map(|part| part.rsplit('}').next().unwrap_or(part));
        if let Some(end) = literals.find_map(|part| part.chars().find(|char| matches!(char, '?' | '#'))) {
            let message = format!("`{end}` in a server URL: paths are appended to it");
            let finding = Finding::warning(Code::InvalidValue, message, url.place);
            self.push(finding.help("end it before the query"));
        }
    }

    fn server_variable(&mut self, node: &'d Node) {
        let Some(mut variable) = self.fields(node, "a server variable") else { return };
        let default = self.required_string(&mut variable, "default");
        self.docs(&mut variable, &["description"]);
        if let Some((words, place)) = self.array(&mut variable, "enum") {
            let words: Vec<String> = words
                .iter()
                .filter_map(|word| self.loose_text("enum", word))
                .map(|word| word.value)
                .collect();
            if words.is_empty() {
                self.push(
                    Finding::error(Code::InvalidValue, "an empty `enum`", place)
                        .help("leave it out, or name the values"),
                );
            } else if let Some(default) = default
                && !words.contains(&default.value)
            {
                let message = format!("the default `{}` is not one of the enumerated values", default.value);
                let finding = Finding::error(Code::DefaultMismatch, message, default.place);
                self.push(finding.nearest(&default.value, words.iter().map(String::as_str)));
            }
        }
        self.finish(variable);
    }

    pub(super) fn tags(&mut self, document: &mut Fields<'d>) -> Vec<(String, Docs)> {
        let Some((nodes, _)) = self.array(document, "tags") else { return Vec::new() };
        let mut tags: Vec<(String, Docs)> = Vec::new();
        let mut known = HashSet::default();
        let mut parents: Vec<(String, Spanned<String>)> = Vec::new();
        for node in nodes {
            let Some(mut tag) = self.fields(node, "a tag") else { continue };
            let name = self.required_string(&mut tag, "name");
            let mut docs = self.docs(&mut tag, &["description"]);
            if self.since_3_2 {
                docs.summary = self.docs(&mut tag, &["summary"]).summary;
                self.string(&mut tag, "kind");
                let parent = self.string(&mut tag, "parent");
                parents.extend(name.iter().map(|name| name.value.clone()).zip(parent));
            }
            _ = self.external_docs(&mut tag);
            self.finish(tag);
            let Some(name) = name else { continue };
            if !known.insert(name.value.clone()) {
                let message =
                    format!("the tag `{}` is described twice: the first description is taken", name.value);
                self.push(Finding::warning(Code::TakenAs, message, name.place).help("keep one description"));
            } else {
                tags.push((name.value, docs));
            }
        }
        self.parents_end(&parents);
        for (_, parent) in parents {
            if !known.contains(&parent.value) {
                let message = format!("the tag `{}` is not described, so it is no parent", parent.value);
                let finding = Finding::warning(Code::UnresolvedReference, message, parent.place);
                self.push(finding.nearest(&parent.value, tags.iter().map(|(name, _)| name.as_str())));
            }
        }
        tags
    }

    /// Rejects tags that are each other's parents (OpenAPI 3.2 section 4.22.1).
    fn parents_end(&mut self, parents: &[(String, Spanned<String>)]) {
        let positions: HashMap<&str, usize> =
            parents.iter().enumerate().map(|(at, (name, _))| (&**name, at)).collect();
        let above = |(_, parent): &(_, Spanned<String>)| positions.get(&*parent.value).copied();
        let above = parents.iter().map(|one| above(one).into_iter().collect()).collect();
        if let Some(((name, parent), _)) = parents.iter().zip(leads_back(above)).find(|(_, back)| *back) {
            let message = format!("the tag `{name}` is above itself");
            let finding = Finding::error(Code::InvalidValue, message, parent.place);
            self.push(finding.help("give one of them another parent, or none"));
        }
    }

    /// The address of what is said elsewhere.
    pub(crate) fn external_docs(&mut self, fields: &mut Fields<'d>) -> Option<String> {
        let member = fields.get("externalDocs")?;
        let mut docs = self.fields(&member.node, "`externalDocs`")?;
        self.docs(&mut docs, &["description"]);
        let url = self.required_string(&mut docs, "url");
        self.finish(docs);
        url.map(|url| url.value)
    }
}

/// The names in braces.
fn braced(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}
