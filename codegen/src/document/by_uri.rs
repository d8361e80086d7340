//! Security schemes that a requirement names by a URI (OpenAPI 3.2 section 4.27).
//!
//! 1. A name that is that of a component means the component, whatever it is as a URI.
//! 2. Any other is a reference from where the requirement stands. Where it leads to a component, it means that one, also when
//!    that refers to another: each component is verified by itself.
//! 3. Where it leads to what one component is, it means that component. Where several are that, nobody knows which is meant.
//! 4. What it leads to otherwise is a scheme as well, called by the last step of the way.

use super::{Reader, Scheme, Spanned};
use crate::finding::{Code, Finding};
use crate::source::pointer::Pointer;
use crate::source::tree::{Member, Node, Value};

/// A scheme that is no component of the document.
#[derive(Debug)]
pub(super) struct Elsewhere<'d> {
    node: &'d Node,
    name: String,
    /// `None` after a finding.
    scheme: Option<Scheme>,
}

/// Whether names of components have this form (OpenAPI 3.1 section 4.8.7.1).
pub(super) fn is_component_name(name: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !name.is_empty() && name.bytes().all(sound)
}

impl<'d> Reader<'d> {
    /// What the scheme of a requirement is called. `None` after a finding.
    pub(super) fn scheme_name(&mut self, member: &'d Member) -> Option<Spanned<String>> {
        let said = Spanned::new(member.key.to_string(), member.key_place);
        let is_component = self.scheme_components().any(|known| known.key == member.key);
        if !self.since_3_2 || is_component {
            return Some(said);
        }
        let reference = Node { value: Value::String(member.key.clone()), place: member.key_place };
        let target = match self.library.follow(&reference, Some("securitySchemes")) {
            Ok(target) => target,
            // a misspelt name is told by who compares it with the others
            Err(_) if is_component_name(&member.key) => return Some(said),
            Err(finding) => {
                self.push(*finding);
                return None;
            }
        };
        if let Some(named) =
            self.scheme_components().find(|known| std::ptr::eq(&raw const known.node, target))
        {
            return Some(Spanned::new(named.key.to_string(), member.key_place));
        }
        let target = self.follow(target, "securitySchemes")?.0;
        let components: Vec<_> =
            self.scheme_components().filter(|known| std::ptr::eq(self.end_of(known), target)).collect();
        let name = match components.as_slice() {
            [] => self.elsewhere(target, said)?,
            [component] => component.key.to_string(),
            [one, other, ..] => {
                let message = format!("`{}` leads to what `{}` is, and `{}`", said.value, one.key, other.key);
                let finding = Finding::error(Code::UnknownScheme, message, said.place);
                self.push(finding.help("name one of them"));
                return None;
            }
        };
        Some(Spanned::new(name, member.key_place))
    }

    fn scheme_components(&self) -> impl Iterator<Item = &'d Member> + use<'d> {
        let schemes = self.library.root().and_then(|root| root.get("components")?.get("securitySchemes"));
        schemes.and_then(Node::as_object).into_iter().flat_map(|object| object.members())
    }

    /// Where the references of a component lead. What is wrong with them is told where the component is read.
    fn end_of(&self, component: &'d Member) -> &'d Node {
        const MOST: usize = 16;
        let mut at = &component.node;
        for _ in 0..MOST {
            let next = at.get("$ref").map(|reference| self.library.follow(reference, None));
            let Some(Ok(next)) = next else { break };
            at = next;
        }
        at
    }

    /// A scheme that no component is. Its name is one in code, so that it is no other's.
    fn elsewhere(&mut self, node: &'d Node, said: Spanned<String>) -> Option<String> {
        if let Some(known) = self.schemes_elsewhere.iter().find(|known| std::ptr::eq(known.node, node)) {
            return Some(known.name.clone());
        }
        let name = last_step(&said.value);
        let is_taken = self.scheme_components().any(|known| *known.key == *name)
            || self.schemes_elsewhere.iter().any(|known| known.name == name);
        if is_taken || !is_component_name(&name) {
            let message = match is_taken {
                true => {
                    format!("`{}` leads to another scheme than the one that is called `{name}`", said.value)
                }
                false => format!("`{}` leads to a scheme that has no name", said.value),
            };
            let finding = Finding::error(Code::UnknownScheme, message, said.place);
            let help = format!(
                "give it a name in `components.securitySchemes`, `name: {{ $ref: \"{}\" }}`, and name it so",
                said.value
            );
            self.push(finding.help(help));
            return None;
        }
        let scheme = self.scheme(Spanned::new(name.clone(), said.place), node);
        self.schemes_elsewhere.push(Elsewhere { node, name: name.clone(), scheme });
        Some(name)
    }

    /// Those that were named by a URI and are no components.
    pub(super) fn take_schemes_elsewhere(&mut self) -> impl Iterator<Item = Scheme> + use<> {
        let all: Vec<Scheme> =
            std::mem::take(&mut self.schemes_elsewhere).into_iter().filter_map(|one| one.scheme).collect();
        all.into_iter()
    }
}

/// The last step of the pointer, or the name of the file without its ending.
fn last_step(uri: &str) -> String {
    let (file, fragment) = uri.split_once('#').unwrap_or((uri, ""));
    let pointer = Pointer::parse_fragment(fragment).unwrap_or_default();
    match pointer.steps().last() {
        Some(step) => step.to_string(),
        None => {
            let name = file.rsplit('/').next().unwrap_or_default();
            name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code;
    use crate::front::understand;
    use crate::model::Access;
    use crate::source::Source;

    const SCHEME: &str = "{ type: http, scheme: bearer, x-palisade: { issuer: 'https://id.example.com', audience: a, algorithms: [ES256] } }";

    /// How the scheme is called that `name` means: in a document with the scheme `a`, that `b` refers to, and `file`, beside a
    /// file with `c` and `a`.
    fn called(version: &str, name: &str) -> Result<String, (Code, String)> {
        let folder = tempfile::tempdir().unwrap();
        let more = format!("schemes: {{ c: {SCHEME}, a: {SCHEME}, d: {SCHEME}, e: {SCHEME} }}\n");
        std::fs::write(folder.path().join("more.yaml"), more).unwrap();
        for file in ["key.yaml", "other.yaml", "plain"] {
            std::fs::write(folder.path().join(file), "type: apiKey\nin: header\nname: X-Key\n").unwrap();
        }
        let schemes = format!(
            "a: {SCHEME}, b: {{ $ref: '#/components/securitySchemes/a' }}, d: {{ $ref: 'more.yaml#/schemes/d' }}, e: {{ $ref: 'more.yaml#/schemes/e' }}, f: {{ $ref: 'more.yaml#/schemes/e' }}, key.yaml: {SCHEME}"
        );
        let text = format!(
            "openapi: {version}\ninfo: {{ title: T, version: '1' }}\npaths:\n  /x:\n    get: {{ operationId: x, security: [{{ '{name}': [] }}], responses: {{ '204': {{ description: d }} }} }}\ncomponents: {{ securitySchemes: {{ {schemes} }} }}\n"
        );
        std::fs::write(folder.path().join("openapi.yaml"), text).unwrap();
        match understand(&Source::file(folder.path().join("openapi.yaml"))) {
            Ok(understood) => {
                let api = understood.api.api();
                let Access::Any(alternatives) = &api.operations.first().unwrap().access else { panic!() };
                let scheme = alternatives.first().unwrap().first().unwrap().scheme;
                Ok(api.scheme(scheme).name.clone())
            }
            Err(findings) => {
                let finding = findings.iter().next().unwrap();
                Err((finding.code(), finding.message().to_owned()))
            }
        }
    }

    #[test]
    fn schemes_are_named_by_uris() {
        for (name, scheme) in [
            ("#/components/securitySchemes/a", "a"),
            ("openapi.yaml#/components/securitySchemes/a", "a"),
            // each is verified by itself, also one that refers to another
            ("#/components/securitySchemes/b", "b"),
            ("b", "b"),
            ("more.yaml#/schemes/c", "c"),
            ("more.yaml#/schemes/d", "d"),
            // a component of that name, and a file of that name
            ("key.yaml", "key.yaml"),
            ("./key.yaml", "key"),
            // that nothing else names
            ("other.yaml", "other"),
            ("plain", "plain"),
        ] {
            assert_eq!(called("3.2.0", name), Ok(scheme.to_owned()), "{name}");
        }
    }

    #[test]
    fn a_uri_that_means_no_scheme_is_a_mistake() {
        for (name, code) in [
            ("#/components/securitySchemes/c", Code::UnresolvedReference),
            ("#/components/schemas/a", Code::UnresolvedReference),
            ("none.yaml#/a", Code::UnresolvedReference),
            ("https://example.com/a.yaml", Code::ForeignReference),
            ("c", Code::UnknownScheme),
            // what two components are
            ("more.yaml#/schemes/e", Code::UnknownScheme),
            // another than the component that has the name
            ("more.yaml#/schemes/a", Code::UnknownScheme),
            ("#/info", Code::MissingMember),
        ] {
            assert_eq!(called("3.2.0", name).unwrap_err().0, code, "{name}");
        }
        for older in ["3.0.4", "3.1.1"] {
            for name in ["#/components/securitySchemes/a", "other.yaml"] {
                assert_eq!(called(older, name).unwrap_err().0, Code::UnknownScheme);
            }
        }
    }
}
