//! `resources`: what object-level rules are about.

use crate::document::{Fields, Reader, Spanned};
use crate::finding::{Code, Finding};
use crate::model::AttributeKind;
use crate::source::tree::Member;

/// An entry of `resources`.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) name: Spanned<String>,
    pub(crate) attributes: Vec<(Spanned<String>, AttributeKind)>,
}

impl<'d> Reader<'d> {
    pub(super) fn resources(&mut self, fields: &mut Fields<'d>) -> Vec<Resource> {
        let members = self.map(fields, "resources");
        members.into_iter().filter_map(|member| self.resource(member)).collect()
    }

    fn resource(&mut self, member: &'d Member) -> Option<Resource> {
        let name = Spanned::new(member.key.to_string(), member.key_place);
        self.name_of(&name, "a resource");
        let mut fields = self.our_fields(&member.node, "a resource")?;
        if fields.peek("attributes").is_none() {
            self.missing(&fields, "attributes");
        }
        let members = self.map(&mut fields, "attributes");
        let attributes = members.into_iter().filter_map(|member| self.attribute(member)).collect();
        if let Some(parent) = fields.get("parent") {
            self.not_enforced("parent", parent.key_place);
        }
        self.finish(fields);
        Some(Resource { name, attributes })
    }

    fn attribute(&mut self, member: &'d Member) -> Option<(Spanned<String>, AttributeKind)> {
        let name = Spanned::new(member.key.to_string(), member.key_place);
        self.name_of(&name, "an attribute");
        let word = self.text(&member.key, &member.node)?;
        let kind = match &*word.value {
            "string" => AttributeKind::String,
            "boolean" => AttributeKind::Boolean,
            "integer" => AttributeKind::Integer,
            other => {
                let message = format!("`{other}` is no type of an attribute");
                let finding = Finding::error(Code::InvalidValue, message, word.place);
                let finding = finding.help("attributes are `string`, `boolean` or `integer`");
                self.push(finding.nearest(other, ["string", "boolean", "integer"]));
                return None;
            }
        };
        Some((name, kind))
    }

    /// Names become names in code.
    fn name_of(&mut self, name: &Spanned<String>, what: &str) {
        let mut bytes = name.value.bytes();
        let sound = bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !sound {
            let message = format!("`{}` is no name for {what}", name.value);
            let help = "names are letters, digits, `_` and `-`, and start with a letter";
            self.push(Finding::error(Code::InvalidValue, message, name.place).help(help));
        }
    }
}
