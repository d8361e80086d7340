//! `public`, `authorize`, `step-up` and `pagination`.

use std::time::Duration;

use super::units;
use crate::document::{Fields, Reader, Spanned};
use crate::finding::{Code, Finding};
use crate::source::span::Place;

/// `authorize`
#[derive(Clone, Debug)]
pub(crate) struct Authorize {
    pub(crate) place: Place,
    pub(crate) resource: Spanned<String>,
    /// Without `path.`.
    pub(crate) id: Spanned<String>,
    pub(crate) owner: Spanned<String>,
    pub(crate) or_scope: Option<Spanned<String>>,
}

/// `step-up`
#[derive(Debug)]
pub(crate) enum StepUpRule {
    /// `none`: what the path asks does not count here.
    None,
    /// What is asked of a login.
    Asked(StepUp),
}

/// What `step-up` asks of a login (RFC 9470).
#[derive(Debug)]
pub(crate) struct StepUp {
    pub(crate) place: Place,
    pub(crate) acr: Vec<Spanned<String>>,
    pub(crate) max_age: Option<Spanned<Duration>>,
}

/// `pagination`
#[derive(Debug)]
pub(crate) struct Pagination {
    pub(crate) place: Place,
    pub(crate) cursor: Spanned<String>,
    pub(crate) limit: Spanned<String>,
    pub(crate) items: Spanned<String>,
    pub(crate) next: Spanned<String>,
    pub(crate) previous: Option<Spanned<String>>,
    pub(crate) ttl: Option<Spanned<Duration>>,
}

impl<'d> Reader<'d> {
    /// The reason for what the document waives. It is read by reviewers, so it has to say something.
    pub(super) fn reason(
        &mut self,
        fields: &mut Fields<'d>,
        key: &'static str,
        example: &str,
    ) -> Option<Spanned<String>> {
        let member = fields.get(key)?;
        let help = format!("such as `{key}: \"{example}\"`");
        if member.node.as_bool().is_some() {
            let message = format!("`{key}` is the reason why, not a boolean");
            self.push(Finding::error(Code::WrongType, message, member.node.place).help(help));
            return None;
        }
        let reason = self.text(key, &member.node)?;
        if reason.value.chars().filter(|one| one.is_alphanumeric()).count() < 3 {
            let message = format!("`{key}` gives no reason");
            self.push(Finding::error(Code::InvalidValue, message, reason.place).help(help));
        }
        Some(reason)
    }

    pub(super) fn authorize(&mut self, fields: &mut Fields<'d>) -> Option<Authorize> {
        let member = fields.get("authorize")?;
        let mut fields = self.our_fields(&member.node, "`authorize`")?;
        let resource = self.required_string(&mut fields, "resource");
        let id = self.required_string(&mut fields, "id");
        let owner = self.required_string(&mut fields, "owner");
        let or_scope = self.string(&mut fields, "or-scope");
        self.finish(fields);
        let (resource, mut id, owner) = (resource?, id?, owner?);
        match id.value.strip_prefix("path.") {
            Some(name) => id.value = name.to_owned(),
            None => {
                let message = format!("`{}` does not name a path parameter", id.value);
                let finding = Finding::error(Code::Authorize, message, id.place);
                let later = ["query.", "header.", "body."].iter().any(|part| id.value.starts_with(part));
                let help = if later {
                    "palisade 0.1 identifies objects by path parameters only".into()
                } else {
                    format!("write `path.{}`", id.value)
                };
                self.push(finding.help(help));
                return None;
            }
        }
        Some(Authorize { place: member.key_place, resource, id, owner, or_scope })
    }

    pub(super) fn step_up(&mut self, fields: &mut Fields<'d>) -> Option<StepUpRule> {
        let member = fields.get("step-up")?;
        if member.node.as_str().is_some_and(|word| word == "none") {
            return Some(StepUpRule::None);
        }
        let mut fields = self.our_fields(&member.node, "`step-up`")?;
        let acr = self.acr(&mut fields);
        let max_age = self.unit(&mut fields, "max-age", units::duration, units::DURATION_HELP);
        if let Some(age) = max_age.as_ref().filter(|age| age.value.subsec_nanos() != 0) {
            // it is told to clients in seconds (RFC 9470 section 3)
            let finding =
                Finding::error(Code::InvalidValue, "`max-age` is no whole number of seconds", age.place);
            self.push(finding.help("write a duration such as `30s` or `5m`"));
        }
        let nothing = fields.members().is_empty();
        self.finish(fields);
        if nothing {
            let finding = Finding::error(Code::StepUp, "`step-up` asks nothing of a login", member.key_place);
            self.push(
                finding.help("name classes by `acr`, the longest time since the login by `max-age`, or both"),
            );
            return None;
        }
        Some(StepUpRule::Asked(StepUp { place: member.key_place, acr, max_age }))
    }

    /// Classes of logins, each once.
    fn acr(&mut self, fields: &mut Fields<'d>) -> Vec<Spanned<String>> {
        let Some((words, place)) = self.array(fields, "acr") else { return Vec::new() };
        if words.is_empty() {
            let finding = Finding::error(Code::StepUp, "an empty list of classes takes no login", place);
            self.push(finding.help("name the classes that suffice, or leave `acr` out to take any"));
        }
        let mut classes: Vec<Spanned<String>> = Vec::new();
        for word in words {
            let Some(class) = self.text("a class of logins", word) else { continue };
            // they are told to clients in one quoted string, with spaces between them (RFC 9470 section 3)
            let sound = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
            if class.value.is_empty() || !class.value.bytes().all(sound) {
                let message = format!("`{}` is no class of logins", class.value);
                let finding = Finding::error(Code::InvalidValue, message, class.place);
                self.push(finding.help("a class is one word of printable ASCII without `\"` and `\\`"));
            } else if !classes.iter().any(|known| known.value == class.value) {
                classes.push(class);
            }
        }
        classes
    }

    pub(super) fn pagination(&mut self, fields: &mut Fields<'d>) -> Option<Pagination> {
        let member = fields.get("pagination")?;
        let mut fields = self.our_fields(&member.node, "`pagination`")?;
        let cursor = self.required_string(&mut fields, "cursor");
        let limit = self.required_string(&mut fields, "limit");
        let items = self.required_string(&mut fields, "items");
        let next = self.required_string(&mut fields, "next");
        let previous = self.string(&mut fields, "previous");
        let ttl = self.unit(&mut fields, "ttl", units::duration, units::DURATION_HELP);
        self.finish(fields);
        let place = member.key_place;
        Some(Pagination { place, cursor: cursor?, limit: limit?, items: items?, next: next?, previous, ttl })
    }
}
