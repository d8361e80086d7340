//! The walk: a value against a schema, and the keywords that apply other schemas to the same value.
//!
//! 1. Every keyword is looked at, in the order in which it is stated; all violations are told together.
//! 2. An alternative that is tried tells nothing: the client hears of the choice that failed.
//! 3. Work is bounded by the size of the value, its texts by their length, and depth by a constant. A schema that would
//!    take more is not half checked: the value is refused.

use super::super::{At, Json, Violations};
use super::seen::Seen;
use super::told::Told;
use super::{Keyword, Shape, Tagged};

/// Schemas inside each other, in place or one level down: far beyond what a value of the allowed depth needs.
const DEEPEST: usize = 256;
/// Schemas that a value of no size may be held against.
const LEAST_WORK: usize = 20_000;
/// And for each value inside it.
const WORK_EACH: usize = 100;
/// So many bytes of a text are as much work as a value.
const BYTES_A_VALUE: usize = 64;

/// Checks a value against a schema of the document.
pub fn shape(value: &Json, shape: &'static Shape, at: &At<'_>, out: &mut Violations) {
    if shape.0.is_empty() {
        return;
    }
    let mut walk = Walk::over(size(value));
    let mut told = Told::to(out);
    walk.check(shape, value, at, &mut told, None);
    if walk.exhausted {
        // Also where a `not` or an alternative turned the failure into success.
        out.push(at, "complexity", "takes too much work to be checked");
    }
}

/// How many values there are, itself among them; a long text or name is several.
pub(super) fn size(value: &Json) -> usize {
    let member = |(name, value): (&String, &Json)| weight(name).saturating_add(size(value));
    match value {
        Json::Array(items) => items.iter().map(size).sum::<usize>().saturating_add(1),
        Json::Object(members) => members.iter().map(member).sum::<usize>().saturating_add(1),
        Json::String(text) => weight(text).saturating_add(1),
        _ => 1,
    }
}

/// What a text counts beyond the value that it is.
pub(super) const fn weight(text: &str) -> usize {
    text.len() / BYTES_A_VALUE
}

/// The bounds of one evaluation.
pub(super) struct Walk {
    left: usize,
    deep: usize,
    exhausted: bool,
}

impl Walk {
    /// What so many values may take.
    pub(super) const fn over(values: usize) -> Self {
        let left = LEAST_WORK.saturating_add(WORK_EACH.saturating_mul(values));
        Self { left, deep: 0, exhausted: false }
    }

    /// Accounts for work beyond looking at one value.
    pub(super) const fn spend(&mut self, work: usize) {
        match self.left.checked_sub(work) {
            Some(left) => self.left = left,
            None => self.exhausted = true,
        }
    }

    /// Whether something was left unchecked.
    pub(super) const fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// Holds a value against a schema. `seen` is what the schema around it wants to know.
    pub(super) fn check<'v>(
        &mut self,
        shape: &'static Shape,
        value: &'v Json,
        at: &At<'_>,
        told: &mut Told<'_>,
        seen: Option<&mut Seen<'v>>,
    ) {
        if self.left == 0 || self.deep >= DEEPEST {
            self.exhausted = true;
            told.note(true);
            return;
        }
        self.left -= 1;
        self.deep += 1;
        let mut own = (seen.is_some() || shape.looks_back()).then(Seen::default);
        let mut part = told.part();
        for keyword in shape.0 {
            // What looks back has nothing to look at where the others failed, and would blame the wrong members.
            if part.failed() && keyword.looks_back() {
                break;
            }
            self.keyword(keyword, value, at, &mut part, own.as_mut());
            if part.is_settled() || self.exhausted {
                break;
            }
        }
        self.deep -= 1;
        let failed = part.failed();
        told.note(failed);
        if let (false, Some(seen), Some(own)) = (failed, seen, own) {
            seen.take(own);
        }
    }

    /// Whether a value fits a schema, without a word to the client.
    pub(super) fn fits<'v>(
        &mut self,
        shape: &'static Shape,
        value: &'v Json,
        at: &At<'_>,
        seen: Option<&mut Seen<'v>>,
    ) -> bool {
        let mut told = Told::nobody();
        self.check(shape, value, at, &mut told, seen);
        !told.failed()
    }

    fn keyword<'v>(
        &mut self,
        keyword: &'static Keyword,
        value: &'v Json,
        at: &At<'_>,
        told: &mut Told<'_>,
        mut seen: Option<&mut Seen<'v>>,
    ) {
        match keyword {
            Keyword::Never => told.broken(at, "false", "must not be there"),
            Keyword::Ref(shape) => self.check(shape, value, at, told, seen),
            Keyword::AllOf(shapes) => {
                for shape in *shapes {
                    self.check(shape, value, at, told, seen.as_deref_mut());
                    if told.is_settled() {
                        return;
                    }
                }
            }
            Keyword::AnyOf(shapes) => self.any_of(shapes, value, at, told, seen),
            Keyword::OneOf(shapes) => self.one_of(shapes, value, at, told, seen),
            Keyword::Tagged(tagged) => self.tagged(tagged, value, at, told, seen),
            Keyword::Not(shape) => {
                if self.fits(shape, value, at, None) {
                    told.broken(at, "not", "must not be what `not` describes");
                }
            }
            Keyword::If(condition, then, otherwise) => {
                let holds = self.fits(condition, value, at, seen.as_deref_mut());
                if let Some(shape) = if holds { then } else { otherwise } {
                    self.check(shape, value, at, told, seen);
                }
            }
            other => match value {
                Json::Array(items) => self.array(other, items, value, at, told, seen),
                Json::Object(members) => self.object(other, members, value, at, told, seen),
                Json::String(text) => {
                    self.spend(weight(text));
                    super::scalar::check(other, value, at, told);
                }
                _ => super::scalar::check(other, value, at, told),
            },
        }
    }

    fn any_of<'v>(
        &mut self,
        shapes: &'static [&'static Shape],
        value: &'v Json,
        at: &At<'_>,
        told: &mut Told<'_>,
        mut seen: Option<&mut Seen<'v>>,
    ) {
        if let [only] = shapes {
            return self.check(only, value, at, told, seen);
        }
        let mut found = false;
        for shape in shapes {
            found |= self.fits(shape, value, at, seen.as_deref_mut());
            // Each one that holds may have seen members that the others have not.
            if found && seen.is_none() {
                return;
            }
        }
        if !found {
            told.broken(at, "anyOf", "must be one of the declared alternatives");
        }
    }

    fn one_of<'v>(
        &mut self,
        shapes: &'static [&'static Shape],
        value: &'v Json,
        at: &At<'_>,
        told: &mut Told<'_>,
        mut seen: Option<&mut Seen<'v>>,
    ) {
        if let [only] = shapes {
            return self.check(only, value, at, told, seen);
        }
        let mut found = 0;
        for shape in shapes {
            found += usize::from(self.fits(shape, value, at, seen.as_deref_mut()));
            if found > 1 {
                return told.broken(at, "oneOf", "must be only one of the declared alternatives");
            }
        }
        if found == 0 {
            told.broken(at, "oneOf", "must be one of the declared alternatives");
        }
    }

    /// OpenAPI 3.2 section 4.25: the member's word says which alternative is meant, so its violations can be told.
    fn tagged<'v>(
        &mut self,
        tagged: &'static Tagged,
        value: &'v Json,
        at: &At<'_>,
        told: &mut Told<'_>,
        seen: Option<&mut Seen<'v>>,
    ) {
        let Json::Object(members) = value else {
            return told.broken(at, "discriminator", "must be an object");
        };
        let (word, here) = (members.get(tagged.member), at.member(tagged.member));
        match (tagged.meant(word.and_then(Json::as_str)), word) {
            (Some(shape), _) => self.check(shape, value, at, told, seen),
            (None, None) => told.broken(&here, "required", "is missing"),
            (None, Some(_)) => told.broken_with(&here, "discriminator", || words(tagged.words)),
        }
    }
}

fn words(shapes: &[(&'static str, &'static Shape)]) -> String {
    /// More are not listed: the document has them.
    const LISTED: usize = 16;
    let listed: Vec<String> = shapes.iter().take(LISTED).map(|(word, _)| format!("`{word}`")).collect();
    let more = if shapes.len() > LISTED { ", .." } else { "" };
    format!("must be one of {}{more}", listed.join(", "))
}

impl Shape {
    /// Whether a keyword asks what the others have evaluated.
    fn looks_back(&self) -> bool {
        self.0.last().is_some_and(Keyword::looks_back)
    }
}

impl Keyword {
    const fn looks_back(&self) -> bool {
        matches!(self, Self::UnevaluatedItems(_) | Self::UnevaluatedProperties(_))
    }
}
