//! `limits` and `rate-limit`.

use super::units;
use crate::document::{Fields, Reader, Spanned};
use crate::finding::{Code, Finding};
use crate::model::{Counting, Limit, Per};
use crate::source::span::Place;
use crate::source::tree::{Member, Node};

/// An entry of `limits`.
#[derive(Debug)]
pub(crate) struct NamedLimit {
    pub(crate) place: Place,
    pub(crate) limit: Limit,
}

/// `rate-limit`: names that add to those of outer levels, or `none`.
#[derive(Debug)]
pub(crate) enum RateLimit {
    Names(Vec<Spanned<String>>),
    None,
}

impl<'d> Reader<'d> {
    pub(super) fn limits(&mut self, fields: &mut Fields<'d>) -> Vec<NamedLimit> {
        let members = self.map(fields, "limits");
        members.into_iter().filter_map(|member| self.limit(member)).collect()
    }

    fn limit(&mut self, member: &'d Member) -> Option<NamedLimit> {
        let name = member.key.to_string();
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if name == "none" || name.is_empty() || name.len() > 64 || !name.bytes().all(sound) {
            let message = format!("`{name}` is no name for a limit");
            let help = "names consist of letters, digits, `-` and `_`; `none` stands for no limit";
            self.push(Finding::error(Code::InvalidValue, message, member.key_place).help(help));
        }
        let mut fields = self.our_fields(&member.node, "a limit")?;
        if fields.peek("rate").is_none() {
            self.missing(&fields, "rate");
        }
        let rate = self.unit(&mut fields, "rate", units::rate, "a number and a time, such as `100/1m`");
        let burst = self.whole(&mut fields, "burst", 1..=u32::MAX);
        let per = self.per(&mut fields);
        let scope = self.counting(&mut fields);
        self.algorithm(&mut fields);
        for later in ["on", "cost", "headers"] {
            if let Some(member) = fields.get(later) {
                self.not_enforced(later, member.key_place);
            }
        }
        self.finish(fields);
        let (rate, per, scope) = (rate?, per?, scope?);
        let (quota, window) = rate.value;
        let burst = burst.and_then(|burst| u32::try_from(burst.value).ok()).unwrap_or(quota);
        let limit = Limit { name, quota, window, burst, per, scope };
        Some(NamedLimit { place: member.key_place, limit })
    }

    fn per(&mut self, fields: &mut Fields<'d>) -> Option<Per> {
        let Some(member) = fields.get("per") else {
            self.missing(fields, "per");
            return None;
        };
        if member.node.as_array().is_some() {
            let message = "palisade 0.1 cannot count per several things at once yet";
            let help = "name one of `address`, `principal` and `global`";
            self.push(Finding::error(Code::NotEnforced, message, member.node.place).help(help));
            return None;
        }
        let word = self.text("per", &member.node)?;
        Some(match &*word.value {
            "address" => Per::Address,
            "principal" => Per::Principal,
            "global" => Per::Global,
            other
                if other
                    .split_once('.')
                    .is_some_and(|(part, _)| ["body", "path", "query", "header"].contains(&part)) =>
            {
                let message = format!("palisade 0.1 cannot count per `{other}` yet");
                let help = "name one of `address`, `principal` and `global`";
                self.push(Finding::error(Code::NotEnforced, message, word.place).help(help));
                return None;
            }
            other => {
                let message = format!("a limit does not count per `{other}`");
                let finding = Finding::error(Code::InvalidValue, message, word.place);
                let known = ["address", "principal", "global"];
                self.push(
                    finding.help("limits count per `address`, `principal` or `global`").nearest(other, known),
                );
                return None;
            }
        })
    }

    fn counting(&mut self, fields: &mut Fields<'d>) -> Option<Counting> {
        let Some(word) = self.string(fields, "scope") else { return Some(Counting::Document) };
        match &*word.value {
            "operation" => Some(Counting::Operation),
            "document" => Some(Counting::Document),
            other => {
                let message = format!("`{other}` is no scope of a limit");
                let finding = Finding::error(Code::InvalidValue, message, word.place);
                let help =
                    "`operation` counts each operation alone; by default all that name the limit share it";
                self.push(finding.help(help).nearest(other, ["operation", "document"]));
                None
            }
        }
    }

    fn algorithm(&mut self, fields: &mut Fields<'d>) {
        const LATER: [&str; 4] = ["sliding-window", "fixed-window", "leaky-bucket", "concurrency"];
        let Some(word) = self.string(fields, "algorithm") else { return };
        if word.value == "token-bucket" {
            return;
        }
        let finding = if LATER.contains(&&*word.value) {
            let message = format!("palisade 0.1 cannot enforce the algorithm `{}` yet", word.value);
            Finding::error(Code::NotEnforced, message, word.place)
        } else {
            let message = format!("`{}` is no algorithm of a limit", word.value);
            Finding::error(Code::InvalidValue, message, word.place).nearest(&word.value, ["token-bucket"])
        };
        self.push(finding.help("leave it out, or write `token-bucket`"));
    }

    pub(super) fn rate_limit(&mut self, fields: &mut Fields<'d>) -> Option<RateLimit> {
        let node: &Node = &fields.get("rate-limit")?.node;
        if let Some(names) = node.as_array() {
            return Some(RateLimit::Names(
                names.iter().filter_map(|name| self.text("a limit", name)).collect(),
            ));
        }
        match node.as_str() {
            Some("none") => Some(RateLimit::None),
            _ => {
                let message = "`rate-limit` is a list of limits, or `none`";
                let finding = Finding::error(Code::WrongType, message, node.place);
                let help = match node.as_str() {
                    Some(name) => format!("write `[{name}]`"),
                    None => "such as `rate-limit: [money]`".into(),
                };
                self.push(finding.help(help));
                None
            }
        }
    }
}
