//! `idempotency`: `required`, `optional`, or an object that says more.

use std::time::Duration;

use super::units;
use crate::document::{Fields, Reader, Spanned};
use crate::finding::{Code, Finding};
use crate::source::span::Place;
use crate::source::tree::Node;

/// `idempotency`
#[derive(Debug)]
pub(crate) struct Idempotency {
    pub(crate) place: Place,
    /// Whether a call without a key is refused.
    pub(crate) required: bool,
    /// How long an answer is kept.
    pub(crate) ttl: Option<Duration>,
    /// Whether the handler may run again where nobody knows what became of it.
    pub(crate) rerun: bool,
    /// Whether an answer of before stays charged to limits of its principal.
    pub(crate) counts_replays: bool,
}

impl<'d> Reader<'d> {
    pub(super) fn idempotency(&mut self, fields: &mut Fields<'d>) -> Option<Idempotency> {
        let member = fields.get("idempotency")?;
        let place = member.key_place;
        if member.node.as_str().is_some() {
            let required = self.key_rule("idempotency", &member.node)?;
            return Some(Idempotency { place, required, ttl: None, rerun: false, counts_replays: false });
        }
        let mut fields = self.our_fields(&member.node, "`idempotency`")?;
        let required = match fields.get("key") {
            Some(key) => self.key_rule("key", &key.node),
            None => {
                self.missing(&fields, "key");
                None
            }
        };
        let ttl = self.unit(&mut fields, "ttl", units::duration, units::DURATION_HELP);
        let rerun = self.either(&mut fields, "rerun", ["never", "safe"]);
        let counts_replays = self.either(&mut fields, "replays", ["free", "counted"]);
        self.finish(fields);
        let ttl = ttl.map(|ttl| ttl.value);
        Some(Idempotency { place, required: required?, ttl, rerun, counts_replays })
    }

    fn key_rule(&mut self, name: &str, node: &'d Node) -> Option<bool> {
        let word = self.text(name, node)?;
        match &*word.value {
            "required" => Some(true),
            "optional" => Some(false),
            _ => {
                self.one_of(name, &word, &["required", "optional"]);
                None
            }
        }
    }

    /// Whether it is the second of two words; the first is the default.
    fn either(&mut self, fields: &mut Fields<'d>, name: &'static str, words: [&'static str; 2]) -> bool {
        let Some(word) = self.string(fields, name) else { return false };
        let [default, other] = words;
        if word.value != default && word.value != other {
            self.one_of(name, &word, &words);
        }
        word.value == other
    }

    fn one_of(&mut self, name: &str, word: &Spanned<String>, words: &[&'static str]) {
        let message = format!("`{name}` cannot be `{}`", word.value);
        let finding = Finding::error(Code::InvalidValue, message, word.place);
        let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
        let help = format!("write {}", quoted.join(" or "));
        self.push(finding.help(help).nearest(&word.value, words.iter().copied()));
    }
}
