//! [`Member`]: one declared member of an object, with the rule that its value must satisfy.

use super::{At, Check, Violations};

/// A rule of the document over a value: pushes what the value violates.
pub type Rule<T> = fn(&T, &At<'_>, &mut Violations);

/// A declared member of an object.
#[derive(Debug)]
pub struct Member<T> {
    name: &'static str,
    required: bool,
    rule: Rule<T>,
}

/// What an object's reader needs of a member before it knows its type.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    /// Its name on the wire.
    pub name: &'static str,
    /// Whether an object without it is refused.
    pub required: bool,
}

impl<T> Member<T> {
    /// A member without which the object is refused.
    #[must_use]
    pub const fn required(name: &'static str) -> Self {
        Self { name, required: true, rule: no_rule }
    }

    /// A member that may be absent.
    #[must_use]
    pub const fn optional(name: &'static str) -> Self {
        Self { name, required: false, rule: no_rule }
    }

    /// The rule of its value.
    #[must_use]
    pub const fn check(self, rule: Rule<T>) -> Self {
        Self { name: self.name, required: self.required, rule }
    }

    /// Its name and whether it must be there.
    #[must_use]
    pub const fn declared(&self) -> Declared {
        Declared { name: self.name, required: self.required }
    }

    /// Its name on the wire.
    #[must_use]
    #[inline]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its place in an object that stands at `object`.
    #[must_use]
    #[inline]
    pub const fn at<'a>(&self, object: &'a At<'a>) -> At<'a> {
        object.member(self.name)
    }

    /// This member's own rule, without those that the value's type has.
    #[inline]
    pub fn check_rule(&self, value: &T, at: &At<'_>, out: &mut Violations) {
        (self.rule)(value, at, out);
    }
}

impl<T: Check> Member<T> {
    /// Checks the value of a member that is there: this member's rule, then the value's own.
    #[inline]
    pub fn check_value(&self, value: &T, object: &At<'_>, out: &mut Violations) {
        let at = self.at(object);
        self.check_rule(value, &at, out);
        value.check(&at, out);
    }

    /// The same for a member that may be absent.
    #[inline]
    pub fn check_option(&self, value: Option<&T>, object: &At<'_>, out: &mut Violations) {
        if let Some(value) = value {
            self.check_value(value, object, out);
        }
    }
}

/// No rule.
pub fn no_rule<T>(_: &T, _: &At<'_>, _: &mut Violations) {}

#[cfg(test)]
mod tests {
    use super::super::{length, minimum};
    use super::*;

    const AMOUNT: Member<i64> =
        Member::required("amount").check(|amount, at, out| minimum(amount, 1, at, out));
    const NOTE: Member<String> = Member::optional("note").check(|note, at, out| length(note, 0..=3, at, out));

    #[test]
    fn runs_its_rule_at_its_place() {
        let mut out = Violations::new();
        AMOUNT.check_value(&1, &At::root(), &mut out);
        NOTE.check_option(None, &At::root(), &mut out);
        NOTE.check_option(Some(&"abc".to_owned()), &At::root(), &mut out);
        assert!(out.is_empty());
        AMOUNT.check_value(&0, &At::root(), &mut out);
        NOTE.check_option(Some(&"abcd".to_owned()), &At::root(), &mut out);
        let seen: Vec<_> = out.iter().map(|v| (v.pointer.as_str(), v.rule)).collect();
        assert_eq!(seen, [("/amount", "minimum"), ("/note", "maxLength")]);
    }

    #[test]
    fn declares_itself() {
        assert!(AMOUNT.declared().required && AMOUNT.declared().name == "amount");
        assert!(!NOTE.declared().required);
    }
}
