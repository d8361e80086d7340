use super::super::{Json, Violations};
use super::*;

static ROOT: Shape = Shape(&[
    Keyword::Types(&[JsonType::Object]),
    Keyword::Properties {
        declared: &[("kids", &LIST), ("size", &SIZE), ("kind", &KIND)],
        patterns: &[],
        others: Some(&Shape::NEVER),
    },
]);
static LIST: Shape =
    Shape(&[Keyword::Items(&[], Some(&ROOT)), Keyword::ItemCount(0, 3), Keyword::UniqueItems]);
static SIZE: Shape = Shape(&[
    Keyword::Types(&[JsonType::Number]),
    Keyword::Minimum("0.1"),
    Keyword::ExclusiveMaximum("1e3"),
    Keyword::MultipleOf("0.1"),
]);
static KIND: Shape = Shape(&[Keyword::OneOf(&[
    &Shape(&[Keyword::Const(Fact::Number("1.0"))]),
    &Shape(&[Keyword::Types(&[JsonType::String, JsonType::Null])]),
    &Shape(&[Keyword::Enum(&[Fact::Null, Fact::List(&[Fact::Bool(true)])])]),
])]);

fn found(shape: &'static Shape, text: &str) -> Vec<(String, &'static str)> {
    let value: Json = serde_json::from_str(text).unwrap();
    let mut out = Violations::new();
    super::shape(&value, shape, &At::root(), &mut out);
    out.iter().map(|violation| (violation.pointer.clone(), violation.rule)).collect()
}

fn at(pointer: &str, rule: &'static str) -> (String, &'static str) {
    (pointer.to_owned(), rule)
}

#[test]
fn every_violation_is_told_at_its_place() {
    assert_eq!(found(&ROOT, r#"{"kids":[{},{"size":0.3}],"kind":1}"#), []);
    assert_eq!(
        found(&ROOT, r#"{"kids":[{"size":0.25},{"more":1},[]],"size":1000}"#),
        [
            at("/kids/0/size", "multipleOf"),
            at("/kids/1", "additionalProperties"),
            at("/kids/2", "type"),
            at("/size", "exclusiveMaximum")
        ]
    );
    assert_eq!(
        found(&ROOT, r#"{"kids":[{},{},{},{}]}"#),
        [at("/kids", "maxItems"), at("/kids", "uniqueItems")]
    );
}

#[test]
fn one_of_is_exactly_one() {
    for kind in ["1", "1.0", "\"a\"", "[true]"] {
        assert_eq!(found(&KIND, kind), [], "{kind}");
    }
    for kind in ["2", "null", "[]", "true"] {
        assert_eq!(found(&KIND, kind), [at("", "oneOf")], "{kind}");
    }
}

static TWICE: Shape = Shape(&[Keyword::AnyOf(&[
    &Shape(&[Keyword::Properties { declared: &[("a", &TWICE)], patterns: &[], others: Some(&Shape::NEVER) }]),
    &Shape(&[Keyword::Properties { declared: &[("a", &TWICE)], patterns: &[], others: Some(&Shape::NEVER) }]),
])]);
static ENDLESS: Shape = Shape(&[Keyword::AllOf(&[&ENDLESS])]);
static NOT_ENDLESS: Shape = Shape(&[Keyword::Not(&ENDLESS)]);

#[test]
fn work_is_bounded_and_what_is_not_checked_is_refused() {
    let deep = |levels: usize| format!("{}{}{}", "{\"a\":".repeat(levels), "{\"b\":1}", "}".repeat(levels));
    assert_eq!(found(&TWICE, &deep(3)), [at("", "anyOf")]);
    // 2^60 ways to fail
    assert!(found(&TWICE, &deep(60)).contains(&at("", "complexity")));
    assert_eq!(found(&ENDLESS, "1"), [at("", "complexity")]);
    assert_eq!(found(&NOT_ENDLESS, "1"), [at("", "complexity")], "a `not` turns nothing into success");
}

static LONG: Shape = Shape(&[Keyword::AnyOf(&[&LONG_AGAIN, &LONG_AGAIN])]);
static LONG_AGAIN: Shape = Shape(&[
    Keyword::Properties { declared: &[("a", &LONG), ("b", &TEXT)], patterns: &[], others: None },
    Keyword::Required(&["c"]),
]);
static TEXT: Shape = Shape(&[Keyword::Length(0, 1_000_000), Keyword::UniqueItems]);

#[test]
fn long_texts_and_lists_are_more_work_than_short_ones() {
    let leaf = |leaf: &str| format!("{}{{\"b\":{leaf}}}{}", "{\"a\":".repeat(10), "}".repeat(10));
    // 2^11 times the same leaf
    assert_eq!(found(&LONG, &leaf("\"short\"")), [at("", "anyOf")]);
    assert_eq!(found(&LONG, &leaf("[1,2]")), [at("", "anyOf")]);
    let text = format!("\"{}\"", "long".repeat(30_000));
    assert!(found(&LONG, &leaf(&text)).contains(&at("", "complexity")));
    let list = format!("[{}]", (0..10_000).map(|item| item.to_string()).collect::<Vec<_>>().join(","));
    assert!(found(&LONG, &leaf(&list)).contains(&at("", "complexity")));
    // and once is nothing
    assert_eq!(found(&TEXT, &text), []);
    assert_eq!(found(&TEXT, &list), []);
}

static TAGGED: Shape = Shape(&[Keyword::Tagged(Tagged {
    member: "is",
    words: &[("root", &OPEN_ROOT), ("any", &Shape::ANY)],
    default: None,
})]);
static TAGGED_OR_ROOT: Shape = Shape(&[Keyword::Tagged(Tagged {
    member: "is",
    words: &[("any", &Shape::ANY)],
    default: Some(&OPEN_ROOT),
})]);
static OPEN_ROOT: Shape =
    Shape(&[Keyword::Properties { declared: &[("size", &SIZE)], patterns: &[], others: None }]);

#[test]
fn a_discriminator_says_which_alternative_is_judged() {
    assert_eq!(found(&TAGGED, r#"{"is":"root","size":1}"#), []);
    assert_eq!(found(&TAGGED, r#"{"is":"root","size":-1}"#), [at("/size", "minimum")]);
    assert_eq!(found(&TAGGED, r#"{"is":"any","size":-1}"#), []);
    assert_eq!(found(&TAGGED, r#"{"is":"other"}"#), [at("/is", "discriminator")]);
    assert_eq!(found(&TAGGED, "{}"), [at("/is", "required")]);
    assert_eq!(found(&TAGGED, "[]"), [at("", "discriminator")]);
}

#[test]
fn where_a_discriminator_says_nothing_its_default_is_judged() {
    for good in [r#"{"size":1}"#, r#"{"is":"other","size":1}"#, r#"{"is":5}"#, r#"{"is":"any","size":-1}"#] {
        assert_eq!(found(&TAGGED_OR_ROOT, good), [], "{good}");
    }
    for bad in [r#"{"size":-1}"#, r#"{"is":"other","size":-1}"#, r#"{"is":null,"size":-1}"#] {
        assert_eq!(found(&TAGGED_OR_ROOT, bad), [at("/size", "minimum")], "{bad}");
    }
    assert_eq!(found(&TAGGED_OR_ROOT, "[]"), [at("", "discriminator")]);
}

static CLOSED: Shape =
    Shape(&[Keyword::AllOf(&[&OPEN_ROOT, &OTHER]), Keyword::UnevaluatedProperties(&Shape::NEVER)]);
static OTHER: Shape =
    Shape(&[Keyword::Properties { declared: &[("other", &Shape::ANY)], patterns: &[], others: None }]);

#[test]
fn a_composed_object_is_closed_over_all_of_its_parts() {
    assert_eq!(found(&CLOSED, r#"{"size":1,"other":2}"#), []);
    assert_eq!(found(&CLOSED, r#"{"size":1,"more":2,"most":3}"#), [at("", "unevaluatedProperties")]);
    assert_eq!(found(&ROOT, r#"{"more":2,"most":3}"#), [at("", "additionalProperties")], "told once");
}

#[test]
fn text_is_read_as_the_schema_takes_it() {
    static WHOLE: Shape = Shape(&[Keyword::Types(&[JsonType::Integer])]);
    assert_eq!(shaped_from_text("12", &WHOLE).unwrap(), Json::from(12));
    assert_eq!(shaped_from_text("12", &Shape::ANY).unwrap(), Json::from("12"));
    assert!(shaped_from_text("18446744073709551617", &WHOLE).is_err(), "never rounded");
    assert!(shaped_from_text("x", &WHOLE).is_err() && shaped_from_text("012", &WHOLE).is_err());
}
