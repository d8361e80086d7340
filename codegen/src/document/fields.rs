//! [`Fields`]: an object that is being read, which knows in the end what nobody asked for.

use super::Reader;
use super::extension::is_extension;
use super::read::form;
use crate::finding::{Code, Finding};
use crate::source::span::Place;
use crate::source::tree::{Member, Node, Object, Value};

/// An object that is being read.
#[derive(Debug)]
pub(crate) struct Fields<'n> {
    what: &'static str,
    pub(crate) place: Place,
    object: &'n Object,
    asked: Vec<&'static str>,
    /// Inside `x-palisade`, where nothing is free.
    ours: bool,
    /// What stands here decides who may call: what is not understood stops generation.
    guards: bool,
}

impl<'n> Fields<'n> {
    /// Says that what stands here decides who may call.
    pub(crate) fn guarding(self) -> Self {
        Self { guards: true, ..self }
    }

    /// The member `key`, which from now on is known here.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<&'n Member> {
        self.asked.push(key);
        self.object.get(key)
    }

    /// Looks without making the member known.
    pub(crate) fn peek_member(&self, key: &str) -> Option<&'n Member> {
        self.object.get(key)
    }

    pub(crate) fn peek(&self, key: &str) -> Option<&'n Node> {
        self.object.get(key).map(|member| &member.node)
    }

    /// Members that say nothing to a generator.
    pub(crate) fn accept(&mut self, keys: &[&'static str]) {
        self.asked.extend_from_slice(keys);
    }

    /// What it is, in messages.
    pub(super) const fn what(&self) -> &'static str {
        self.what
    }

    /// Whether it decides who may call.
    pub(super) const fn guards(&self) -> bool {
        self.guards
    }

    /// Whether it stands inside `x-palisade`.
    pub(super) const fn is_ours(&self) -> bool {
        self.ours
    }

    /// The members that are known here.
    pub(super) fn asked(&self) -> impl Iterator<Item = &'static str> {
        self.asked.iter().copied()
    }

    pub(crate) fn members(&self) -> &'n [Member] {
        self.object.members()
    }
}

impl Reader<'_> {
    /// Opens an object. `what` names it in messages, e.g. "an operation".
    pub(crate) fn fields<'n>(&mut self, node: &'n Node, what: &'static str) -> Option<Fields<'n>> {
        match &node.value {
            Value::Object(object) => Some(Fields {
                what,
                place: node.place,
                object,
                asked: Vec::new(),
                ours: false,
                guards: false,
            }),
            _ => {
                let message = format!("{what} is an object, not {}", node.kind());
                self.push(Finding::error(Code::WrongType, message, node.place).help(form("an object", node)));
                None
            }
        }
    }

    /// Opens an object inside `x-palisade`.
    pub(crate) fn our_fields<'n>(&mut self, node: &'n Node, what: &'static str) -> Option<Fields<'n>> {
        self.fields(node, what).map(|fields| Fields { ours: true, ..fields })
    }

    /// Reports the members that nobody asked for. `x-` members are free, but not ours in a wrong place.
    pub(crate) fn finish(&mut self, fields: Fields<'_>) {
        for member in fields.object.members() {
            let key = &*member.key;
            if fields.asked.contains(&key) {
                continue;
            }
            let finding = if fields.ours {
                unknown(&fields, member)
            } else if is_extension(key) {
                self.extension(member, fields.what);
                continue;
            } else {
                match self.undefined(&fields, member) {
                    Some(finding) => finding,
                    None => continue,
                }
            };
            self.push(finding);
        }
    }
}

fn unknown(fields: &Fields<'_>, member: &Member) -> Finding {
    let message = format!("{} has no member `{}`", fields.what, member.key);
    let finding = Finding::error(Code::UnknownMember, message, member.key_place);
    finding
        .nearest(&member.key, fields.asked.iter().copied())
        .help("docs/annotations.md lists the members that stand here")
}
