//! Counts, `uniqueItems`, and rules over each item.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::Serialize;

use super::super::canonical;
use super::super::{At, Violations};
use super::Check;

/// `minItems` and `maxItems`
#[inline]
pub fn items<T>(list: &[T], allowed: RangeInclusive<usize>, at: &At<'_>, out: &mut Violations) {
    count(list.len(), &allowed, ["minItems", "maxItems"], "items", at, out);
}

/// `minProperties` and `maxProperties` of a map
#[inline]
pub fn members<T>(
    map: &BTreeMap<String, T>,
    allowed: RangeInclusive<usize>,
    at: &At<'_>,
    out: &mut Violations,
) {
    count(map.len(), &allowed, ["minProperties", "maxProperties"], "members", at, out);
}

/// `uniqueItems`: equal as JSON Schema compares, where `1` and `1.0` are one number.
pub fn unique_items<T: Check + PartialEq + Serialize>(list: &[T], at: &At<'_>, out: &mut Violations) {
    /// Up to this many, looking at every pair is faster than hashing.
    const FEW: usize = 12;
    let unique = match T::PLAIN && list.len() <= FEW {
        true => every_pair_differs(list),
        false => list.len() < 2 || canonical::all_differ(list),
    };
    if !unique {
        out.push(at, "uniqueItems", "must not hold the same item twice");
    }
}

fn every_pair_differs<T: PartialEq>(mut list: &[T]) -> bool {
    while let [first, rest @ ..] = list {
        if rest.contains(first) {
            return false;
        }
        list = rest;
    }
    true
}

/// A rule over each item.
#[inline]
pub fn each<T>(list: &[T], at: &At<'_>, out: &mut Violations, rule: impl Fn(&T, &At<'_>, &mut Violations)) {
    for (index, item) in list.iter().enumerate() {
        rule(item, &at.index(index), out);
        if out.is_full() {
            return;
        }
    }
}

/// A rule over each value of a map.
#[inline]
pub fn each_value<T>(
    map: &BTreeMap<String, T>,
    at: &At<'_>,
    out: &mut Violations,
    rule: impl Fn(&T, &At<'_>, &mut Violations),
) {
    for value in map.values() {
        rule(value, &at.entry(), out);
        if out.is_full() {
            return;
        }
    }
}

/// The two count rules, with what is counted in words.
#[inline]
pub(super) fn count(
    found: usize,
    allowed: &RangeInclusive<usize>,
    [fewest, most]: [&'static str; 2],
    what: &str,
    at: &At<'_>,
    out: &mut Violations,
) {
    if found < *allowed.start() {
        out.push(at, fewest, format!("must have at least {} {what}", allowed.start()));
    }
    if found > *allowed.end() {
        out.push(at, most, format!("must have at most {} {what}", allowed.end()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Json;
    use super::*;

    fn rules(run: impl FnOnce(&At<'_>, &mut Violations)) -> Vec<(String, &'static str)> {
        let mut out = Violations::new();
        run(&At::root(), &mut out);
        out.iter().map(|violation| (violation.pointer.clone(), violation.rule)).collect()
    }

    #[test]
    fn counts() {
        assert!(rules(|at, out| items(&[1, 2], 1..=2, at, out)).is_empty());
        assert_eq!(rules(|at, out| items::<u8>(&[], 1..=2, at, out)), [(String::new(), "minItems")]);
        assert_eq!(rules(|at, out| items(&[1, 2, 3], 1..=2, at, out)), [(String::new(), "maxItems")]);
        let map = BTreeMap::from([("a".to_owned(), 1)]);
        assert!(rules(|at, out| members(&map, 1..=1, at, out)).is_empty());
        assert_eq!(rules(|at, out| members(&map, 2..=3, at, out)), [(String::new(), "minProperties")]);
        assert_eq!(rules(|at, out| members(&map, 0..=0, at, out)), [(String::new(), "maxProperties")]);
    }

    #[test]
    fn unique_is_by_value() {
        let unique = |text: &str| {
            let list: Vec<Json> = serde_json::from_str(text).unwrap();
            rules(|at, out| unique_items(&list, at, out)).is_empty()
        };
        assert!(unique("[]") && unique("[1]") && unique("[1, 2, \"1\", true, null, [1], {\"a\": 1}]"));
        assert!(!unique("[1, 2, 1]") && !unique("[1, 1.0]") && !unique("[0, -0.0]") && !unique("[100, 1e2]"));
        assert!(!unique("[{\"a\": 1, \"b\": [2]}, {\"b\": [2.0], \"a\": 1}]"));
        assert!(
            unique("[[\"a\", \"b\"], [\"ab\"], [[\"a\"], \"b\"]]") && unique("[{\"a\": {}}, {\"a\": []}]")
        );
        assert!(unique("[false, 0, \"\", null]"));
        let words = |text: &str| {
            let list: Vec<String> = text.split(' ').map(str::to_owned).collect();
            rules(|at, out| unique_items(&list, at, out)).is_empty()
        };
        assert!(words("a") && words("a b c") && !words("a b c a") && !words("a a"));
        assert!(words("a b c d e f g h i j k l m n") && !words("a b c d e f g h i j k l m a"));
    }

    #[test]
    fn rules_over_items_stop_when_enough_is_known() {
        let list = vec![0_i64; 100];
        let seen =
            rules(|at, out| each(&list, at, out, |item, at, out| super::super::minimum(item, 1, at, out)));
        assert_eq!(seen.len(), 32);
        assert_eq!(seen[31].0, "/31");
        let map = BTreeMap::from([("secret".to_owned(), 0)]);
        let seen = rules(|at, out| {
            each_value(&map, at, out, |value, at, out| super::super::minimum(value, 1, at, out))
        });
        assert_eq!(seen, [(String::new(), "minimum")]);
    }
}
