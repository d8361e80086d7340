use super::*;

fn fault(text: &str) -> String {
    read(FileId(0), text).unwrap_err().remove(0).message
}

#[test]
fn the_core_schema() {
    for (yaml, json) in [
        ("yes", "\"yes\""),
        ("on", "\"on\""),
        ("True", "true"),
        ("~", "null"),
        ("0o17", "15"),
        ("0xfF", "255"),
        ("+5", "5"),
        ("007", "7"),
        ("-.5", "-0.5"),
        ("5.", "5"),
        ("1e3", "1e3"),
        ("1.5E-3", "1.5E-3"),
        ("1_000", "\"1_000\""),
        ("12:30", "\"12:30\""),
        ("2024-02-30", "\"2024-02-30\""),
        ("=", "\"=\""),
        ("-", "[null]"),
        ("1.2.3", "\"1.2.3\""),
        ("1e", "\"1e\""),
        ("1e++3", "\"1e++3\""),
        ("!!str 5", "\"5\""),
        ("'5'", "\"5\""),
        ("18446744073709551616", "18446744073709551616"),
    ] {
        assert_eq!(read(FileId(0), yaml).unwrap().to_string(), json, "{yaml}");
    }
    assert_eq!(fault("a: .inf"), "a number that JSON cannot say");
}

#[test]
fn keys_are_strings_and_places_are_bytes() {
    let text = "ä: ü\n200: {x: 'é'}\nlist:\n  - 1\n  - 2\nlast: 3\n";
    let node = read(FileId(0), text).unwrap();
    assert_eq!(node.to_string(), r#"{"ä":"ü","200":{"x":"é"},"list":[1,2],"last":3}"#);
    let at = |key: &str| text.get(node.get(key).unwrap().place.span.range()).unwrap();
    assert_eq!(at("ä"), "ü");
    assert_eq!(at("200"), "{x: 'é'}");
    assert_eq!(at("list"), "- 1\n  - 2");
    assert_eq!(at("last"), "3");
}

#[test]
fn anchors_and_aliases() {
    let node = read(FileId(0), "a: &x {b: 1}\nc: *x\n").unwrap();
    assert_eq!(node.to_string(), r#"{"a":{"b":1},"c":{"b":1}}"#);
    assert_eq!(fault("a: &x [*x]"), "an alias inside its own anchor");
    assert!(fault("a: *nowhere").starts_with("this is not YAML"));
}

#[test]
fn alias_bombs_stop_early() {
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for n in 1..12 {
        let before = n - 1;
        bomb.push_str(&format!("a{n}: &a{n} [*a{before},*a{before},*a{before},*a{before},*a{before},*a{before},*a{before},*a{before}]\n"));
    }
    assert_eq!(fault(&bomb), "too many nodes, counted through aliases");
}

#[test]
fn faults() {
    assert_eq!(fault("a: 1\na: 2"), "a member twice: `a`");
    assert_eq!(fault("a:\n\t- b"), "a tab in the indentation");
    assert_eq!(fault("-\t- b"), "a tab before a value");
    assert_eq!(fault("? a\n:\tb: c"), "a tab before a value");
    assert_eq!(fault("a: \"\u{1}\""), "the control character U+0001, which no YAML has");
    assert_eq!(fault("a: \"\0\""), "the control character U+0000, which no YAML has");
    assert_eq!(fault("a: 1\n---\nb: 2"), "a second document in one file");
    assert_eq!(fault("? [a]\n: b"), "a collection as a key");
    assert_eq!(fault("a: !thing b"), "a tag that is not of the YAML core schema");
    assert_eq!(fault("a:\n  <<: 1"), "a merge key");
    assert_eq!(fault(&"[".repeat(100_000)), "nested too deeply");
    assert_eq!(fault(""), "the file is empty");
    assert_eq!(fault("# nothing"), "the file is empty");
}
