use super::*;

static WHOLE: Shape = Shape(&[Keyword::Types(&[JsonType::Integer]), Keyword::Maximum("100")]);
static WORD: Shape = Shape(&[Keyword::Types(&[JsonType::String])]);
static LIST: Shape = Shape(&[Keyword::Types(&[JsonType::Array]), Keyword::Items(&[], Some(&WHOLE))]);
static EITHER: Shape = Shape(&[Keyword::AnyOf(&[&WHOLE, &LIST])]);

fn read(text: &str, of: &'static Shape) -> Result<String, Vec<&'static str>> {
    let mut out = Violations::new();
    let value = shaped_from_tree(&Tree::Plain(text.into()), of, &At::root(), &mut out);
    let rules: Vec<&'static str> = out.iter().map(|violation| violation.rule).collect();
    if rules.is_empty() { Ok(value.unwrap().to_string()) } else { Err(rules) }
}

#[test]
fn a_text_is_of_the_type_that_is_named() {
    assert_eq!(read("12", &WHOLE).as_deref(), Ok("12"));
    assert_eq!(read("12", &WORD).as_deref(), Ok("\"12\""));
    assert_eq!(read("12", &Shape::ANY).as_deref(), Ok("\"12\""), "nothing is named");
    assert_eq!(read("12", &LIST).as_deref(), Ok("[12]"));
    assert_eq!(read("12", &EITHER).as_deref(), Ok("12"), "a list of one is the last that is tried");
    for text in ["101", "012", "x", "", "1e400", "18446744073709551617"] {
        assert!(read(text, &WHOLE).is_err(), "{text}: never rounded");
    }
    assert_eq!(read("101", &WHOLE), Err(vec!["maximum"]), "what is wrong is told of the number");
}

static KINDS: Shape = Shape(&[Keyword::OneOf(&[
    &Shape(&[Keyword::Enum(&[Fact::Text("1"), Fact::Number("2"), Fact::Bool(true), Fact::Null])]),
    &Shape(&[Keyword::Const(Fact::Text(""))]),
])]);

#[test]
fn the_string_comes_first_where_it_fits() {
    for (text, value) in [("1", "\"1\""), ("2", "2"), ("true", "true"), ("null", "null"), ("", "\"\"")] {
        assert_eq!(read(text, &KINDS).as_deref(), Ok(value), "{text}");
    }
    assert_eq!(read("3", &KINDS), Err(vec!["oneOf"]));
}

static FREE: Shape = Shape(&[Keyword::OneOf(&[
    &NUMBERED,
    &Shape(&[Keyword::Properties {
        declared: &[("is", &Shape(&[Keyword::Const(Fact::Text("word"))])), ("of", &WORD)],
        patterns: &[],
        others: Some(&Shape::NEVER),
    }]),
])]);
static NUMBERED: Shape = Shape(&[Keyword::Properties {
    declared: &[("is", &Shape(&[Keyword::Const(Fact::Text("number"))])), ("of", &WHOLE)],
    patterns: &[],
    others: Some(&Shape::NEVER),
}]);

fn object(members: &[(&'static str, &'static str)]) -> Tree<'static> {
    let entry = |(name, text): &(&'static str, &'static str)| Entry {
        name: (*name).into(),
        value: Tree::Plain((*text).into()),
        repeated: false,
    };
    Tree::Object(members.iter().map(entry).collect())
}

#[test]
fn what_does_not_fit_as_a_whole_is_read_once_more() {
    let read = |kind: &'static str, of: &'static str| {
        let mut out = Violations::new();
        let tree = object(&[("is", kind), ("of", of)]);
        shaped_from_tree(&tree, &FREE, &At::root(), &mut out).map(|value| value.to_string())
    };
    assert_eq!(read("word", "5").as_deref(), Some(r#"{"is":"word","of":"5"}"#));
    assert_eq!(read("number", "5").as_deref(), Some(r#"{"is":"number","of":5}"#));
    assert_eq!(read("number", "x"), None);
}

static NESTED: Shape =
    Shape(&[Keyword::Types(&[JsonType::Array, JsonType::Integer]), Keyword::Items(&[], Some(&NESTED))]);

#[test]
fn a_schema_that_holds_itself_ends() {
    assert_eq!(read("5", &NESTED).as_deref(), Ok("5"));
    assert_eq!(read("x", &NESTED), Err(vec!["type"]));
    static ENDLESS: Shape = Shape(&[Keyword::AllOf(&[&ENDLESS]), Keyword::Types(&[JsonType::Integer])]);
    assert!(read("5", &ENDLESS).is_err());
}
