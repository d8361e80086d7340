//! `limits` and `rate-limit`.

use std::time::Duration;

use super::units;
use crate::document::{Fields, Reader, Spanned};
use crate::finding::{Code, Finding};
use crate::model::{Advertise, CountedOn, Counter, Counting, Limit, OnOutage, Per};
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

/// Requests that an exact log has room for. It keeps the time of each, for each caller, so it is for few.
const MOST_LOGGED: u32 = 64;

/// How many, in which time, and how many at once.
struct Amount {
    quota: u32,
    window: Duration,
    burst: u32,
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
        let counter = self.counter(&mut fields);
        let amount = match counter {
            Some(Counter::Concurrency) => self.at_once(&mut fields),
            _ => self.in_a_time(&mut fields, counter),
        };
        let per = self.per(&mut fields);
        let scope = self.counting(&mut fields);
        if let Some(member) = fields.get("cost") {
            let finding =
                Finding::error(Code::Misplaced, "`cost` does not stand on a limit", member.key_place);
            self.push(finding.help("it belongs to an operation"));
        }
        if let Some(member) = fields.get("headers") {
            self.not_enforced("headers", member.key_place);
        }
        let on = self.counts(&mut fields, per.as_ref());
        let on_outage = self.on_outage(&mut fields);
        let advertise = self.advertise(&mut fields, per.as_ref(), on);
        self.finish(fields);
        let (amount, (per, alone), scope, counter, on, on_outage, advertise) =
            (amount?, per?, scope?, counter?, on?, on_outage?, advertise?);
        let scope = if alone == Counting::Operation { alone } else { scope };
        let Amount { quota, window, burst } = amount;
        let limit = Limit { name, quota, window, burst, counter, per, scope, on, on_outage, advertise };
        Some(NamedLimit { place: member.key_place, limit })
    }

    /// `rate` and `burst`.
    fn in_a_time(&mut self, fields: &mut Fields<'d>, counter: Option<Counter>) -> Option<Amount> {
        if fields.peek("rate").is_none() {
            self.missing(fields, "rate");
        }
        let rate = self.unit(fields, "rate", units::rate, "a number and a time, such as `100/1m`");
        let burst = self.number(fields, "burst", 1..=u32::MAX);
        if let (Some(burst), Some(Counter::SlidingWindow | Counter::FixedWindow | Counter::ExactLog)) =
            (&burst, counter)
        {
            let finding = Finding::error(Code::InvalidValue, "a window has no `burst`", burst.place);
            self.push(finding.help("leave it out: the quota of `rate` may come at once"));
        }
        if let Some(member) = fields.get("max") {
            let message = "`max` is of `algorithm: concurrency`";
            let finding = Finding::error(Code::InvalidValue, message, member.key_place);
            self.push(finding.help("leave it out: `rate` says how many may come in a time"));
        }
        let rate = rate?;
        let (quota, window) = rate.value;
        if counter == Some(Counter::ExactLog) && quota > MOST_LOGGED {
            let message = format!("an exact log has room for {MOST_LOGGED} requests, and not for {quota}");
            let finding = Finding::error(Code::InvalidValue, message, rate.place);
            self.push(finding.help("write `sliding-window`: of so many two counts say as much, and take no more room than for few"));
        }
        Some(Amount { quota, window, burst: burst.map_or(quota, |burst| burst.value) })
    }

    /// `max`. What is under way is of no time, and has not failed yet.
    fn at_once(&mut self, fields: &mut Fields<'d>) -> Option<Amount> {
        for name in ["rate", "burst", "on"] {
            if let Some(member) = fields.get(name) {
                let message = format!("what is under way at once has no `{name}`");
                let finding = Finding::error(Code::InvalidValue, message, member.key_place);
                self.push(finding.help("leave it out: `max` says how many"));
            }
        }
        if fields.peek("max").is_none() {
            self.missing(fields, "max");
        }
        let max = self.number(fields, "max", 1..=u32::MAX)?.value;
        Some(Amount { quota: max, window: Duration::ZERO, burst: max })
    }

    /// One part or a list of them, and whether each operation is counted alone, which a list can say as well.
    fn per(&mut self, fields: &mut Fields<'d>) -> Option<(Vec<Per>, Counting)> {
        let Some(member) = fields.get("per") else {
            self.missing(fields, "per");
            return None;
        };
        let one = std::slice::from_ref(&member.node);
        let words = member.node.as_array().unwrap_or(one);
        let (mut per, mut scope, mut complete) = (Vec::new(), Counting::Document, true);
        for node in words {
            let word = self.text("per", node)?;
            if word.value == "operation" && words.len() > 1 {
                scope = Counting::Operation;
                continue;
            }
            match self.part(&word) {
                Some(part) if !per.contains(&part) => per.push(part),
                Some(_) => {
                    let message = format!("`{}` is listed twice", word.value);
                    self.push(Finding::error(Code::InvalidValue, message, word.place));
                }
                None => complete = false,
            }
        }
        if complete && (per.is_empty() || (per.len() > 1 && per.contains(&Per::Global))) {
            let message = "a limit counts by `global` alone, or by what requests have in common";
            let finding = Finding::error(Code::InvalidValue, message, member.node.place);
            self.push(finding.help("write `per: global`, or a list such as `[address, body.username]`"));
        }
        if per.contains(&Per::Address) && per.contains(&Per::Network) {
            let message = "who counts by `address` counts by `network` as well: an address is of one";
            let finding = Finding::error(Code::InvalidValue, message, member.node.place);
            self.push(finding.help("name two limits, one by each, or leave one of them out"));
        }
        (complete && !per.is_empty()).then_some((per, scope))
    }

    fn part(&mut self, word: &Spanned<String>) -> Option<Per> {
        const KNOWN: [&str; 5] = ["address", "network", "principal", "tenant", "global"];
        let finding = match (&*word.value, word.value.split_once('.')) {
            ("address", _) => return Some(Per::Address),
            ("network", _) => return Some(Per::Network),
            ("principal", _) => return Some(Per::Principal),
            ("tenant", _) => return Some(Per::Tenant),
            ("global", _) => return Some(Per::Global),
            (_, Some(("path", name))) if !name.is_empty() => return Some(Per::Path(name.to_owned())),
            (_, Some(("body", name))) if !name.is_empty() => return Some(Per::Body(name.to_owned())),
            (other, Some(("query" | "header", _))) => {
                let message = format!("palisade 0.1 cannot count per `{other}` yet");
                Finding::error(Code::NotEnforced, message, word.place)
            }
            (other, _) => {
                let message = format!("a limit does not count per `{other}`");
                Finding::error(Code::InvalidValue, message, word.place).nearest(other, KNOWN)
            }
        };
        let help = "limits count per `address`, `network`, `principal`, `tenant`, `global`, `path.<parameter>`, \
                    `body.<member>`, or a list of them";
        self.push(finding.help(help));
        None
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

    /// Who fails under another's name must not close the door to its owner, so failures count by whose they are.
    fn counts(&mut self, fields: &mut Fields<'d>, per: Option<&(Vec<Per>, Counting)>) -> Option<CountedOn> {
        let Some(word) = self.string(fields, "on") else { return Some(CountedOn::Request) };
        let finding = match &*word.value {
            "request" => return Some(CountedOn::Request),
            "failure" => {
                let (per, _) = per?;
                if per.iter().any(|part| part.is_of_origin() || matches!(part, Per::Principal | Per::Tenant))
                {
                    return Some(CountedOn::Failure);
                }
                let message = "a stranger who fails would use up this limit for everybody else";
                let help = "count failures by `address`, `network` or `principal`, alone or beside others: `[address, body.username]`";
                Finding::error(Code::InvalidValue, message, word.place).help(help)
            }
            other => {
                let message = format!("a limit does not count on `{other}`");
                let help = "`request` counts each, which is the default, `failure` those that are answered with an error";
                let finding = Finding::error(Code::InvalidValue, message, word.place).help(help);
                finding.nearest(other, ["request", "failure"])
            }
        };
        self.push(finding);
        None
    }

    fn on_outage(&mut self, fields: &mut Fields<'d>) -> Option<OnOutage> {
        let Some(word) = self.string(fields, "on-outage") else { return Some(OnOutage::Local) };
        match &*word.value {
            "local" => Some(OnOutage::Local),
            "deny" => Some(OnOutage::Deny),
            "allow" => Some(OnOutage::Allow),
            other => {
                let message = format!("`{other}` says nothing of an outage");
                let finding = Finding::error(Code::InvalidValue, message, word.place);
                let help = "`local` counts each instance's share, which is the default, `deny` refuses, `allow` lets through";
                self.push(finding.help(help).nearest(other, ["local", "deny", "allow"]));
                None
            }
        }
    }

    /// Only what is left to one client alone is told, so of no other limit there is a word about who is.
    fn advertise(
        &mut self,
        fields: &mut Fields<'d>,
        per: Option<&(Vec<Per>, Counting)>,
        on: Option<CountedOn>,
    ) -> Option<Advertise> {
        let Some(word) = self.string(fields, "advertise") else { return Some(Advertise::Admitted) };
        let advertise = match &*word.value {
            "admitted" => Advertise::Admitted,
            "always" => Advertise::Always,
            "authenticated" => Advertise::Authenticated,
            other => {
                let message = format!("`{other}` does not say who is told of a limit");
                let finding = Finding::error(Code::InvalidValue, message, word.place);
                let help = "`admitted`, the default, tells who was authenticated or needs not be, `always` \
                            everybody, `authenticated` nobody else";
                self.push(finding.help(help).nearest(other, ["admitted", "always", "authenticated"]));
                return None;
            }
        };
        let (per, _) = per?;
        let is_of_one = per.iter().any(|part| part.is_of_origin() || *part == Per::Principal);
        if !is_of_one || on? == CountedOn::Failure {
            let message = "nobody is told of this limit, so it has no `advertise`";
            let finding = Finding::error(Code::InvalidValue, message, word.place);
            let help = "leave it out: what all have together tells about the others, and failures are for no guesser to know";
            self.push(finding.help(help));
        }
        Some(advertise)
    }

    fn counter(&mut self, fields: &mut Fields<'d>) -> Option<Counter> {
        const KNOWN: [&str; 5] =
            ["token-bucket", "sliding-window", "fixed-window", "exact-log", "concurrency"];
        let Some(word) = self.string(fields, "algorithm") else { return Some(Counter::TokenBucket) };
        let finding = match &*word.value {
            "token-bucket" => return Some(Counter::TokenBucket),
            "sliding-window" => return Some(Counter::SlidingWindow),
            "fixed-window" => return Some(Counter::FixedWindow),
            "exact-log" => return Some(Counter::ExactLog),
            "concurrency" => return Some(Counter::Concurrency),
            later @ "leaky-bucket" => {
                let message = format!("palisade 0.1 cannot enforce the algorithm `{later}` yet");
                Finding::error(Code::NotEnforced, message, word.place)
            }
            other => {
                let message = format!("`{other}` is no algorithm of a limit");
                Finding::error(Code::InvalidValue, message, word.place).nearest(other, KNOWN)
            }
        };
        self.push(
            finding
                .help("write `token-bucket`, the default, `sliding-window`, `fixed-window`, `exact-log` or `concurrency`"),
        );
        None
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
