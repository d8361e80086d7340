//! What the server sends of its own accord: webhooks, and the callbacks of an operation.

use super::extension::is_extension;
use super::{Fields, PathItem, Reader, Spanned};

/// An entry of `callbacks`.
#[derive(Debug)]
pub(crate) struct Callback {
    pub(crate) name: Spanned<String>,
    /// A template is the expression that says where to send it (OpenAPI 3.1 section 4.8.18).
    pub(crate) items: Vec<PathItem>,
}

impl<'d> Reader<'d> {
    pub(super) fn webhooks(&mut self, document: &mut Fields<'d>) -> Vec<PathItem> {
        let members = self.map(document, "webhooks");
        self.sends = true;
        let mut items = Vec::new();
        for member in members {
            match is_extension(&member.key) {
                true => self.extension(member, "the webhooks"),
                false => items.extend(self.path_item(member)),
            }
        }
        self.sends = false;
        items
    }

    /// Those of what is sent itself are not read: references could lead round in a circle.
    pub(super) fn callbacks(&mut self, operation: &mut Fields<'d>) -> Vec<Callback> {
        let Some(member) = operation.get("callbacks") else { return Vec::new() };
        if self.sends {
            self.ungenerated(member, "it answers what the server sends itself");
            return Vec::new();
        }
        let members = self.map(operation, "callbacks");
        self.sends = true;
        let callbacks = members.into_iter().filter_map(|member| self.callback(member)).collect();
        self.sends = false;
        callbacks
    }

    pub(super) fn callback(&mut self, member: &'d crate::source::tree::Member) -> Option<Callback> {
        if is_extension(&member.key) {
            self.extension(member, "the callbacks");
            return None;
        }
        let (node, _) = self.follow(&member.node, "callbacks")?;
        let Some(object) = node.as_object() else {
            self.wrong_type(&member.key, "an object", node);
            return None;
        };
        let mut items = Vec::new();
        for entry in object.members() {
            match is_extension(&entry.key) {
                true => self.extension(entry, "a callback"),
                false => items.extend(self.path_item(entry)),
            }
        }
        Some(Callback { name: Spanned::new(member.key.to_string(), member.key_place), items })
    }
}
