use super::super::sample::{Currency, Part, Transfer};
use super::super::{Refused, from_json};
use super::*;

const TO: &str = r#""to":"f81d4fae-7dec-11d0-a765-00a0c91e6bf6""#;

fn read<T: Decode + Check>(text: &str) -> Result<T, Vec<(String, &'static str)>> {
    from_json(text.as_bytes(), 32).map_err(|refused| match refused {
        Refused::Invalid(found) => found.iter().map(|v| (v.pointer.clone(), v.rule)).collect(),
        other => panic!("{other:?}"),
    })
}

fn faults<T: Decode + Check + fmt::Debug>(text: &str) -> Vec<(String, &'static str)> {
    read::<T>(text).unwrap_err()
}

fn at(pointer: &str, rule: &'static str) -> (String, &'static str) {
    (pointer.to_owned(), rule)
}

#[test]
fn reads_members_in_any_order_and_spelling() {
    let straight = read::<Transfer>(&format!(r#"{{{TO},"amount":5,"currency":"USD"}}"#)).unwrap();
    let turned = read::<Transfer>(&format!(r#" {{"currency":"USD", "\u0061mount":5 ,{TO}}} "#)).unwrap();
    assert_eq!(straight, turned);
    assert_eq!((straight.amount, straight.currency), (5, Some(Currency::Usd)));
    assert_eq!(read::<Transfer>(&format!(r#"{{{TO},"amount":5.0,"currency":"USD"}}"#)).unwrap(), straight);
}

#[test]
fn absent_and_null_are_two_things() {
    let note =
        |text: &str| read::<Transfer>(&format!(r#"{{{TO},"amount":5{text}}}"#)).map(|transfer| transfer.note);
    assert_eq!(note(""), Ok(None));
    assert_eq!(note(r#","note":null"#), Ok(Some(None)));
    assert_eq!(note(r#","note":"x""#), Ok(Some(Some("x".to_owned()))));
    assert_eq!(note(r#","tags":null"#), Err(vec![at("/tags", "type")]), "not declared nullable");
}

#[test]
fn a_member_never_comes_twice() {
    for twice in [r#""amount":5,"amount":5"#, r#""amount":5,"\u0061mount":null"#, r#""amount":5,"amount":"#] {
        let text = format!(r#"{{{TO},{twice}"#);
        match twice.ends_with(':') {
            true => assert_eq!(from_json::<Transfer>(text.as_bytes(), 32), Err(Refused::Syntax)),
            false => assert_eq!(faults::<Transfer>(&format!("{text}}}")), [at("/amount", "duplicate")]),
        }
    }
    assert_eq!(
        faults::<Transfer>(&format!(r#"{{{TO},"amount":5,"note":null,"note":"x"}}"#)),
        [at("/note", "duplicate")]
    );
}

#[test]
fn a_closed_object_takes_nothing_undeclared_and_does_not_repeat_it() {
    let text = format!(r#"{{{TO},"amount":5,"secret":1,"other":2}}"#);
    assert_eq!(faults::<Transfer>(&text), [at("", "additionalProperties")]);
    assert_eq!(faults::<Transfer>(&format!(r#"{{{TO},"amount":5,"":1}}"#)), [at("", "additionalProperties")]);
}

#[test]
fn an_open_object_drops_what_is_undeclared_but_reads_it_strictly() {
    assert_eq!(read::<Part>(r#"{"x":[{"y":1}],"share":1,"z":null}"#).map(|part| part.share), Ok(1));
    for text in [
        r#"{"share":1,"x":1,"x":1}"#,
        r#"{"share":1,"x":{"y":1,"\u0079":2}}"#,
        r#"{"share":1,"x":123456789012345678901234567890}"#,
    ] {
        assert_eq!(faults::<Part>(text), [at("", "additionalProperties")], "{text}");
    }
    assert_eq!(from_json::<Part>(br#"{"share":1,"x":"\ud800"}"#, 32), Err(Refused::Syntax));
}

#[test]
fn an_array_is_no_object() {
    for text in [r#"["f81d4fae-7dec-11d0-a765-00a0c91e6bf6",5]"#, "null", "\"\"", "1", "[]"] {
        assert_eq!(faults::<Transfer>(text), [at("", "type")], "{text}");
    }
}

#[test]
fn every_violation_is_told_in_the_order_of_the_document() {
    let text = r#"{"extra":1,"parts":[{"share":-1},{"inner":{"share":true}},{"share":1}],"tags":["DE","x","DE","FR"],
        "labels":{"secret":"a"},"note":"too long","currency":"GBP","amount":0}"#;
    assert_eq!(
        faults::<Transfer>(text),
        [
            at("/to", "required"),
            at("/amount", "minimum"),
            at("/currency", "enum"),
            at("/note", "maxLength"),
            at("/tags", "maxItems"),
            at("/tags", "uniqueItems"),
            at("/tags/1", "pattern"),
            at("/parts/0/share", "minimum"),
            at("/parts/1/share", "required"),
            at("/parts/1/inner/share", "type"),
            at("/labels", "type"),
            at("", "additionalProperties"),
        ]
    );
}

#[test]
fn rules_alone_are_told_the_same_way() {
    let text = format!(r#"{{{TO},"amount":1001,"tags":[],"parts":[{{"share":0}},{{"share":-2}}]}}"#);
    let rules = [at("/amount", "maximum"), at("/tags", "minItems"), at("/parts/1/share", "minimum")];
    assert_eq!(faults::<Transfer>(&text), rules);
    // The same through the careful pass, which an integer in another spelling takes.
    assert_eq!(faults::<Transfer>(&text.replace("1001", "1001.0")), rules);
}
