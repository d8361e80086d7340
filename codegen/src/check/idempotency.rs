//! `idempotency`: an answer that is kept must be one that can be.

use foldhash::HashMap;

use super::access::requirements;
use crate::document::{self, Document, PathItem};
use crate::finding::{Code, Finding, Findings};
use crate::model::{
    Api, ContentForm, Grammar, Method, NumberFormat, Operation, Per, Schema, Shape, StatusKey, Text,
    TextFormat, Type, TypeId, WordValue,
};

/// The longest answer that is kept, in bytes: what the state takes, without what stands beside it.
const MOST: u64 = 768 << 10;

/// Rejects the rule on a method that is repeated anyway, and where a caller may come without a name: a key is known by
/// whose it is.
pub(super) fn keys_have_an_owner(document: &Document, findings: &mut Findings) {
    for (item, operation) in document.operations() {
        let Some(rule) = &operation.rules.idempotency else { continue };
        let what = what(item, operation);
        if is_safe(&operation.method) {
            let message = format!("{what} changes nothing, so there is nothing to do only once");
            let finding = Finding::error(Code::Idempotency, message, rule.place);
            findings.push(finding.help("remove `idempotency`: calls of a safe method may be repeated"));
        }
        let Some(requirements) = requirements(document, operation) else { continue };
        let anonymous = requirements.alternatives.iter().find(|alternative| alternative.needs.is_empty());
        let (place, label) = match (requirements.alternatives.is_empty(), anonymous) {
            (true, _) => (requirements.place, "everybody may call"),
            (false, Some(alternative)) => (alternative.place, "this asks for no credential"),
            (false, None) => continue,
        };
        let message = format!("{what} is called by nobody in particular, so its keys would be everybody's");
        let finding = Finding::error(Code::Idempotency, message, rule.place).related(place, label);
        findings.push(finding.help("require a scheme in every alternative, or remove `idempotency`"));
    }
}

/// Rejects `replays: counted` where nothing would be charged for them.
pub(super) fn replays_are_charged(document: &Document, api: &Api, findings: &mut Findings) {
    for ((item, written), operation) in document.operations().zip(&api.operations) {
        let Some(rule) = written.rules.idempotency.as_ref().filter(|rule| rule.counts_replays) else {
            continue;
        };
        let of_caller = |per: &Per| matches!(per, Per::Principal | Per::Tenant);
        if operation.limits.iter().any(|limit| api.limit(*limit).per.iter().any(of_caller)) {
            continue;
        }
        let message = format!(
            "`replays: counted`, and no limit of {} counts by `principal` or `tenant`",
            what(item, written)
        );
        let finding = Finding::error(Code::Idempotency, message, rule.place);
        findings.push(finding.help("name such a limit in `rate-limit`, or leave `replays` out"));
    }
}

/// Rejects answers that cannot be kept, being no JSON or without a bound, and bodies of which there is no fingerprint.
pub(super) fn answers_can_be_kept(document: &Document, api: &Api, findings: &mut Findings) {
    let mut sizes = Sizes { api, known: HashMap::default() };
    for ((item, written), operation) in document.operations().zip(&api.operations) {
        let Some(rule) = &written.rules.idempotency else { continue };
        let mut report = |message: String, help: &str| {
            findings.push(Finding::error(Code::Idempotency, message, rule.place).help(help));
        };
        let what = what(item, written);
        if let Some(form) = streamed(operation) {
            let message =
                format!("{what} takes a body ({form}) that is not held, so calls cannot be told apart");
            report(message, "take JSON, a form or text, or remove `idempotency`");
        }
        for response in &operation.responses {
            let status = status(response.status);
            for content in &response.contents {
                if content.form != ContentForm::Json {
                    let message = format!("the answer `{status}` of {what} is no JSON, so it cannot be kept");
                    report(message, "answer in JSON, or remove `idempotency`");
                    continue;
                }
                match sizes.of(&content.schema, "its body") {
                    Ok(size) if size <= MOST => {}
                    Ok(size) => {
                        let message = format!(
                            "the answer `{status}` of {what} may have {size} bytes, and {MOST} are kept"
                        );
                        report(message, "lower `maxLength` and `maxItems`");
                    }
                    Err(place) => {
                        let message =
                            format!("the answer `{status}` of {what} is kept, and {place} has no bound");
                        report(message, "give it a `maxLength` or `maxItems`, and maps and free JSON a type");
                    }
                }
            }
        }
    }
}

/// How long the body of an answer is at most, in bytes: of an operation that keeps its answers.
pub(crate) fn longest(api: &Api, operation: &Operation) -> usize {
    let mut sizes = Sizes { api, known: HashMap::default() };
    let contents = operation.responses.iter().flat_map(|response| &response.contents);
    let each = contents.map(|content| sizes.of(&content.schema, "its body").unwrap_or(MOST).min(MOST));
    each.max().and_then(|most| most.try_into().ok()).unwrap_or_default()
}

fn what(item: &PathItem, operation: &document::Operation) -> String {
    format!("`{} {}`", operation.method.as_str(), item.template.value)
}

/// RFC 9110 section 9.2.1, and the method of OpenAPI 3.2 that is a GET with a body.
fn is_safe(method: &Method) -> bool {
    matches!(method, Method::Get | Method::Head | Method::Options | Method::Trace | Method::Query)
}

fn streamed(operation: &Operation) -> Option<&'static str> {
    let mut forms = operation.body.iter().flat_map(|body| &body.contents).map(|content| &content.form);
    let form = forms.find(|form| {
        matches!(
            form,
            ContentForm::Bytes
                | ContentForm::Multipart(_)
                | ContentForm::Parts(_)
                | ContentForm::Places { .. }
        )
    })?;
    Some(form.word())
}

fn status(key: StatusKey) -> String {
    match key {
        StatusKey::Exactly(code) => code.to_string(),
        StatusKey::Range(hundred) => format!("{hundred}XX"),
        StatusKey::Default => "default".to_owned(),
    }
}

/// How long a value is at most, as JSON; or what of it has no bound.
struct Sizes<'a> {
    api: &'a Api,
    /// `None` while it is being found out: a type that holds itself has no bound.
    known: HashMap<TypeId, Option<Result<u64, String>>>,
}

impl Sizes<'_> {
    fn of(&mut self, schema: &Schema, place: &str) -> Result<u64, String> {
        let unbounded = || Err(place.to_owned());
        let size = match &schema.ty {
            Type::Any | Type::Map(_) => return unbounded(),
            Type::Boolean => 5,
            Type::Integer(_) => 21,
            Type::Number(number) if number.format == NumberFormat::Decimal => return unbounded(),
            Type::Number(_) => 26,
            Type::Text(text) => match characters(text) {
                Some(characters) => escaped(characters),
                None => return unbounded(),
            },
            Type::Array(array) => match array.counts.max {
                Some(most) => self.of(&array.items, place)?.saturating_add(1).saturating_mul(wide(most)),
                None => return unbounded(),
            },
            Type::Named(id) => self.named(*id, place)?,
        };
        Ok(size.saturating_add(4))
    }

    fn named(&mut self, id: TypeId, place: &str) -> Result<u64, String> {
        match self.known.get(&id) {
            Some(Some(known)) => return known.clone(),
            Some(None) => return Err(place.to_owned()),
            None => {}
        }
        self.known.insert(id, None);
        let size = self.shape(id, place);
        self.known.insert(id, Some(size.clone()));
        size
    }

    fn shape(&mut self, id: TypeId, place: &str) -> Result<u64, String> {
        let api = self.api;
        match &api.types.get(id).shape {
            Shape::Object(object) => {
                if object.others.is_some() {
                    return Err(format!("what {place} may have beside its members"));
                }
                let mut size = 2_u64;
                for member in &object.members {
                    let value = self.of(&member.schema, &format!("its member `{}`", member.name))?;
                    let name = escaped(wide(member.name.chars().count()));
                    size = size.saturating_add(name).saturating_add(value).saturating_add(2);
                }
                Ok(size)
            }
            Shape::Words(words) => {
                let lengths = words.words.iter().map(|word| match &word.value {
                    WordValue::Text(text) => escaped(wide(text.chars().count())),
                    WordValue::Integer(_) | WordValue::Boolean(_) => 21,
                });
                Ok(lengths.max().unwrap_or(0))
            }
            Shape::Union(union) => {
                let mut longest = 0;
                for variant in &union.variants {
                    longest = self.of(&variant.schema, place)?.max(longest);
                }
                Ok(longest)
            }
            Shape::Checked(_) => Err(place.to_owned()),
            Shape::Alias(schema) => self.of(schema, place),
        }
    }
}

/// The most characters of a text.
fn characters(text: &Text) -> Option<u64> {
    let by_format = match text.format {
        TextFormat::Uuid => Some(36),
        TextFormat::DateTime => Some(40),
        TextFormat::Date => Some(12),
        TextFormat::Ipv4 => Some(15),
        TextFormat::Ipv6 => Some(45),
        // RFC 1034 section 3.1
        TextFormat::Checked(Grammar::Hostname) => Some(253),
        _ => None,
    };
    let stated = text.length.max.map(wide);
    stated.into_iter().chain(by_format).min()
}

/// With its quotes, each character as `\u0000`.
const fn escaped(characters: u64) -> u64 {
    characters.saturating_mul(6).saturating_add(2)
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
