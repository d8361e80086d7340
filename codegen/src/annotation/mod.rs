//! `x-palisade`: the one key that annotations stand under, typed for each level.

mod claims;
mod idempotency;
mod limits;
mod login;
mod operation;
mod resources;
mod token;
pub(crate) mod units;

use std::time::Duration;

use crate::document::{Fields, Reader, Spanned};
use crate::finding::{Code, Finding};
use crate::model::{ErrorForm, Priority, SubjectName};
use crate::source::span::Place;

pub(crate) use idempotency::Idempotency;
pub(crate) use limits::{NamedLimit, RateLimit};
pub(crate) use login::Login;
pub(crate) use operation::{Authorize, Pagination, StepUp, StepUpRule};
pub(crate) use resources::Resource;
pub(crate) use token::{TokenKind, TokenSettings, Typ};

/// On the document.
#[derive(Debug, Default)]
pub(crate) struct DocumentRules {
    pub(crate) limits: Vec<NamedLimit>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) errors: ErrorForm,
    pub(crate) shared: SharedRules,
}

/// On a path.
#[derive(Debug, Default)]
pub(crate) struct PathRules {
    pub(crate) authorize: Option<Authorize>,
    pub(crate) step_up: Option<StepUpRule>,
    pub(crate) shared: SharedRules,
}

/// On an operation.
#[derive(Debug, Default)]
pub(crate) struct OperationRules {
    pub(crate) public: Option<Spanned<String>>,
    pub(crate) authorize: Option<Authorize>,
    pub(crate) step_up: Option<StepUpRule>,
    pub(crate) pagination: Option<Pagination>,
    pub(crate) idempotency: Option<Idempotency>,
    pub(crate) login: Option<Login>,
    /// How many a request counts as under its limits.
    pub(crate) cost: Option<Spanned<u32>>,
    pub(crate) shared: SharedRules,
}

/// On document, path and operation; the nearer one wins, lists of limits add up.
#[derive(Debug, Default)]
pub(crate) struct SharedRules {
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) body_max: Option<Spanned<usize>>,
    pub(crate) body_depth: Option<Spanned<usize>>,
    pub(crate) timeout: Option<Spanned<Duration>>,
    pub(crate) priority: Option<Priority>,
    /// Whether calls that are done are told of as well.
    pub(crate) audit: Option<Spanned<bool>>,
}

/// On a security scheme.
#[derive(Debug, Default)]
pub(crate) struct SchemeRules {
    pub(crate) token: TokenSettings,
    pub(crate) prefix: Option<Spanned<String>>,
    /// How old a key may become.
    pub(crate) rotate_within: Option<Spanned<Duration>>,
    /// Why its key may stand in the query.
    pub(crate) in_query: Option<Spanned<String>>,
    /// The name in a certificate that says whose it is.
    pub(crate) subject: Option<Spanned<SubjectName>>,
}

/// On a schema.
#[derive(Clone, Debug, Default)]
pub(crate) struct SchemaRules {
    /// `open: true`: members that are not declared are let through.
    pub(crate) open: Option<Spanned<bool>>,
}

/// A level that `x-palisade` stands at, with the members it may have there.
struct Level {
    what: &'static str,
    /// Of the vocabulary, but not enforced by this release.
    later: &'static [&'static str],
    /// Of the vocabulary, at another level.
    elsewhere: &'static [(&'static str, &'static str)],
}

const DOCUMENT: Level = Level {
    what: "`x-palisade` of a document",
    later: &["roles", "policies", "headers", "cors", "events"],
    elsewhere: &[
        ("public", "an operation"),
        ("authorize", "an operation or a path"),
        ("pagination", "an operation"),
        ("idempotency", "an operation"),
        ("login", "an operation"),
        ("cost", "an operation"),
        ("step-up", "an operation or a path"),
        ("policy", "an operation"),
        ("token", "a security scheme"),
        ("concurrency", "a limit, as its `algorithm`"),
    ],
};

const PATH: Level = Level {
    what: "`x-palisade` of a path",
    later: &["roles", "policy", "cors", "headers"],
    elsewhere: &[
        ("public", "an operation"),
        ("pagination", "an operation"),
        ("idempotency", "an operation"),
        ("login", "an operation"),
        ("cost", "an operation"),
        ("limits", "the document"),
        ("resources", "the document"),
        ("policies", "the document"),
        ("events", "the document"),
        ("errors", "the document"),
        ("concurrency", "a limit, as its `algorithm`"),
    ],
};

const OPERATION: Level = Level {
    what: "`x-palisade` of an operation",
    later: &["roles", "policy", "cors", "headers"],
    elsewhere: &[
        ("limits", "the document"),
        ("resources", "the document"),
        ("policies", "the document"),
        ("events", "the document"),
        ("errors", "the document"),
        ("token", "a security scheme"),
        ("concurrency", "a limit, as its `algorithm`"),
    ],
};

const SCHEME: Level = Level {
    what: "`x-palisade` of a security scheme",
    later: &[],
    elsewhere: &[
        ("public", "an operation"),
        ("rate-limit", "an operation, a path or the document"),
        ("jwks", "the configuration of the server, where it is `jwks_url` or `jwks_file`"),
    ],
};

const SCHEMA: Level = Level {
    what: "`x-palisade` of a schema",
    later: &["sensitive", "readable-with", "writable-with", "sanitize"],
    elsewhere: &[("public", "an operation"), ("pagination", "an operation")],
};

impl<'d> Reader<'d> {
    pub(crate) fn document_rules(&mut self, fields: &mut Fields<'d>) -> DocumentRules {
        let Some(mut fields) = self.annotation(fields, &DOCUMENT) else { return DocumentRules::default() };
        let errors = self.errors(&mut fields);
        let limits = self.limits(&mut fields);
        let resources = self.resources(&mut fields);
        let shared = self.shared(&mut fields);
        self.finish_level(fields, &DOCUMENT);
        DocumentRules { limits, resources, errors, shared }
    }

    pub(crate) fn path_rules(&mut self, fields: &mut Fields<'d>) -> PathRules {
        let Some(mut fields) = self.annotation(fields, &PATH) else { return PathRules::default() };
        let authorize = self.authorize(&mut fields);
        let step_up = self.step_up(&mut fields);
        let shared = self.shared(&mut fields);
        self.finish_level(fields, &PATH);
        PathRules { authorize, step_up, shared }
    }

    pub(crate) fn operation_rules(&mut self, fields: &mut Fields<'d>) -> OperationRules {
        let Some(mut fields) = self.annotation(fields, &OPERATION) else { return OperationRules::default() };
        let public = self.reason(&mut fields, "public", "load balancers probe it");
        let authorize = self.authorize(&mut fields);
        let step_up = self.step_up(&mut fields);
        let pagination = self.pagination(&mut fields);
        let idempotency = self.idempotency(&mut fields);
        let login = self.login(&mut fields);
        let cost = self.number(&mut fields, "cost", 1..=u32::MAX);
        let shared = self.shared(&mut fields);
        self.finish_level(fields, &OPERATION);
        OperationRules { public, authorize, step_up, pagination, idempotency, login, cost, shared }
    }

    pub(crate) fn scheme_rules(&mut self, fields: &mut Fields<'d>) -> SchemeRules {
        let Some(mut fields) = self.annotation(fields, &SCHEME) else { return SchemeRules::default() };
        let token = self.token_settings(&mut fields);
        let prefix = self.prefix(&mut fields);
        let rotate_within = self.rotate_within(&mut fields);
        let in_query =
            self.reason(&mut fields, "in-query", "the calendar clients of our users send no headers");
        let subject = self.subject(&mut fields);
        self.finish_level(fields, &SCHEME);
        SchemeRules { token, prefix, rotate_within, in_query, subject }
    }

    pub(crate) fn schema_rules(&mut self, fields: &mut Fields<'d>) -> SchemaRules {
        let Some(mut fields) = self.annotation(fields, &SCHEMA) else { return SchemaRules::default() };
        let open = self.boolean(&mut fields, "open");
        self.finish_level(fields, &SCHEMA);
        SchemaRules { open }
    }

    fn annotation(&mut self, fields: &mut Fields<'d>, level: &Level) -> Option<Fields<'d>> {
        let member = fields.get("x-palisade")?;
        self.our_fields(&member.node, level.what)
    }

    fn shared(&mut self, fields: &mut Fields<'d>) -> SharedRules {
        let mut shared = SharedRules { rate_limit: self.rate_limit(fields), ..SharedRules::default() };
        if let Some(member) = fields.get("body")
            && let Some(mut body) = self.our_fields(&member.node, "`body`")
        {
            shared.body_max = self.unit(&mut body, "max", units::size, "a size such as `64KiB` or `2MiB`");
            shared.body_depth = self.whole(&mut body, "depth", 1..=128);
            self.finish(body);
        }
        shared.timeout = self.unit(fields, "timeout", units::duration, units::DURATION_HELP);
        shared.priority = self.priority(fields);
        shared.audit = self.boolean(fields, "audit");
        shared
    }

    fn priority(&mut self, fields: &mut Fields<'d>) -> Option<Priority> {
        let class = self.string(fields, "priority")?;
        let known =
            [("critical", Priority::Critical), ("normal", Priority::Normal), ("batch", Priority::Batch)];
        let found = known.iter().find(|(name, _)| *name == class.value);
        if found.is_none() {
            let message = format!("`{}` is no priority", class.value);
            let finding = Finding::error(Code::InvalidValue, message, class.place);
            let finding = finding.help("write `critical`, `normal` or `batch`");
            self.push(finding.nearest(&class.value, known.map(|(name, _)| name)));
        }
        found.map(|(_, priority)| *priority)
    }

    /// What refusals look like.
    fn errors(&mut self, fields: &mut Fields<'d>) -> ErrorForm {
        let Some(form) = self.string(fields, "errors") else { return ErrorForm::default() };
        match &*form.value {
            "envelope" => ErrorForm::Envelope,
            "problem-json" => ErrorForm::ProblemJson,
            other => {
                let message = format!("`{other}` is no form of errors");
                let finding = Finding::error(Code::InvalidValue, message, form.place)
                    .help("write `envelope`, or `problem-json` for problem details (RFC 9457)");
                self.push(finding.nearest(other, ["envelope", "problem-json"]));
                ErrorForm::default()
            }
        }
    }

    fn finish_level(&mut self, mut fields: Fields<'d>, level: &Level) {
        for later in level.later {
            if let Some(member) = fields.get(later) {
                self.not_enforced(later, member.key_place);
            }
        }
        for (name, place) in level.elsewhere {
            if let Some(member) = fields.get(name) {
                let message = format!(
                    "`{name}` does not stand on {}",
                    level.what.trim_start_matches("`x-palisade` of ")
                );
                let finding = Finding::error(Code::Misplaced, message, member.key_place);
                self.push(finding.help(format!("it belongs to {place}")));
            }
        }
        self.finish(fields);
    }

    pub(crate) fn not_enforced(&mut self, name: &str, place: Place) {
        let message = format!("palisade 0.1 cannot enforce `{name}` yet");
        let finding = Finding::error(Code::NotEnforced, message, place);
        self.push(finding.help("remove it, and enforce it in the handler until it can"));
    }

    /// A text in one of our units.
    fn unit<T>(
        &mut self,
        fields: &mut Fields<'d>,
        key: &'static str,
        read: fn(&str) -> Option<T>,
        help: &str,
    ) -> Option<Spanned<T>> {
        let text = self.string(fields, key)?;
        match read(&text.value) {
            Some(value) => Some(Spanned::new(value, text.place)),
            None => {
                let message = format!("`{key}` cannot be `{}`", text.value);
                self.push(
                    Finding::error(Code::InvalidValue, message, text.place).help(format!("write {help}")),
                );
                None
            }
        }
    }

    fn whole(
        &mut self,
        fields: &mut Fields<'d>,
        key: &'static str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Option<Spanned<usize>> {
        let number = self.number(fields, key, range)?;
        Some(Spanned::new(usize::try_from(number.value).ok()?, number.place))
    }

    fn number(
        &mut self,
        fields: &mut Fields<'d>,
        key: &'static str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Option<Spanned<u32>> {
        let node = &fields.get(key)?.node;
        let number = match &node.value {
            crate::source::tree::Value::Number(text) => text.parse::<u32>().ok(),
            _ => None,
        };
        match number.filter(|number| range.contains(number)) {
            Some(number) => Some(Spanned::new(number, node.place)),
            None => {
                let message = format!("`{key}` is a whole number from {} to {}", range.start(), range.end());
                let finding = Finding::error(Code::InvalidValue, message, node.place);
                self.push(finding.help(format!("write `{key}: {}`", range.start())));
                None
            }
        }
    }
}
