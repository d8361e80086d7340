//! The keywords of objects. A place inside is told by the document's names; other names are the client's, and a
//! violation there stands at the object.

use serde_json::Map;

use super::super::{At, Json, Pattern};
use super::evaluate::{Walk, weight};
use super::seen::Seen;
use super::told::Told;
use super::{Keyword, Shape};

type Members = Map<String, Json>;

impl Walk {
    /// A keyword over an object.
    pub(super) fn object<'v>(
        &mut self,
        keyword: &'static Keyword,
        members: &'v Members,
        value: &'v Json,
        at: &At<'_>,
        told: &mut Told<'_>,
        mut seen: Option<&mut Seen<'v>>,
    ) {
        match keyword {
            Keyword::Properties { declared, patterns, others } => {
                self.declared(declared, members, at, told, seen.as_deref_mut());
                if !patterns.is_empty() || others.is_some() {
                    self.others(declared, patterns, *others, members, at, told, seen);
                }
            }
            Keyword::PropertyNames(shape) => {
                for name in members.keys() {
                    if !self.fits(shape, &Json::from(name.as_str()), at, None) {
                        return told.broken(at, "propertyNames", "must not have a member of this name");
                    }
                }
            }
            Keyword::Required(names) => required(names, members, at, told),
            Keyword::DependentRequired(all) => {
                for (_, names) in all.iter().filter(|(name, _)| members.contains_key(*name)) {
                    required(names, members, at, told);
                }
            }
            Keyword::DependentSchemas(all) => {
                for (_, shape) in all.iter().filter(|(name, _)| members.contains_key(*name)) {
                    self.check(shape, value, at, told, seen.as_deref_mut());
                }
            }
            Keyword::MemberCount(min, max) => count(members.len(), *min, *max, at, told),
            Keyword::UnevaluatedProperties(shape) => self.unevaluated(shape, members, at, told, seen),
            other => super::scalar::check(other, value, at, told),
        }
    }

    fn declared<'v>(
        &mut self,
        declared: &'static [(&'static str, &'static Shape)],
        members: &'v Members,
        at: &At<'_>,
        told: &mut Told<'_>,
        mut seen: Option<&mut Seen<'v>>,
    ) {
        for (name, shape) in declared {
            let Some((key, value)) = members.get_key_value(*name) else { continue };
            self.check(shape, value, &at.member(name), told, None);
            if told.is_settled() {
                return;
            }
            if let Some(seen) = &mut seen {
                seen.member(key);
            }
        }
    }

    /// `patternProperties` for each name that matches, `additionalProperties` for those that nothing declares.
    #[expect(clippy::too_many_arguments, reason = "the three keywords are one")]
    fn others<'v>(
        &mut self,
        declared: &'static [(&'static str, &'static Shape)],
        patterns: &'static [(&'static Pattern, &'static Shape)],
        others: Option<&'static Shape>,
        members: &'v Members,
        at: &At<'_>,
        told: &mut Told<'_>,
        mut seen: Option<&mut Seen<'v>>,
    ) {
        let mut patterned = told.part();
        for (name, value) in members {
            self.spend(weight(name).saturating_add(1).saturating_mul(patterns.len()));
            for (_, shape) in patterns.iter().filter(|(pattern, _)| pattern.matches(name)) {
                self.check(shape, value, &at.entry(), &mut patterned, None);
                if let Some(seen) = &mut seen {
                    seen.member(name);
                }
            }
        }
        let failed = patterned.failed();
        told.note(failed);
        let Some(shape) = others else { return };
        let known = |name: &str| {
            declared.iter().any(|(declared, _)| *declared == name)
                || patterns.iter().any(|(pattern, _)| pattern.matches(name))
        };
        let mut undeclared = told.part();
        for (name, value) in members.iter().filter(|(name, _)| !known(name)) {
            self.undeclared(shape, value, "additionalProperties", at, &mut undeclared);
            if let Some(seen) = &mut seen {
                seen.member(name);
            }
            if undeclared.is_settled() {
                break;
            }
        }
        let failed = undeclared.failed();
        told.note(failed);
    }

    fn unevaluated<'v>(
        &mut self,
        shape: &'static Shape,
        members: &'v Members,
        at: &At<'_>,
        told: &mut Told<'_>,
        seen: Option<&mut Seen<'v>>,
    ) {
        let Some(seen) = seen else { return };
        let mut part = told.part();
        for (_, value) in members.iter().filter(|(name, _)| !seen.has_member(name)) {
            self.undeclared(shape, value, "unevaluatedProperties", at, &mut part);
            if part.is_settled() {
                break;
            }
        }
        let failed = part.failed();
        told.note(failed);
        seen.all_members();
    }

    fn undeclared(
        &mut self,
        shape: &'static Shape,
        value: &Json,
        rule: &'static str,
        at: &At<'_>,
        told: &mut Told<'_>,
    ) {
        match shape.0 {
            [] => {}
            // Told as a closed struct tells it: once, because all of them stand at the object.
            [Keyword::Never] if told.failed() => {}
            [Keyword::Never] => told.broken(at, rule, "must not have a member that is not declared"),
            _ => self.check(shape, value, &at.entry(), told, None),
        }
    }
}

fn required(names: &'static [&'static str], members: &Members, at: &At<'_>, told: &mut Told<'_>) {
    for name in names.iter().filter(|name| !members.contains_key(**name)) {
        told.broken(&at.member(name), "required", "is missing");
    }
}

fn count(found: usize, min: usize, max: usize, at: &At<'_>, told: &mut Told<'_>) {
    if found < min {
        told.broken_with(at, "minProperties", || format!("must have at least {min} members"));
    } else if found > max {
        told.broken_with(at, "maxProperties", || format!("must have at most {max} members"));
    }
}
