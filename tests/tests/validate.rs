//! The generated types are valid wherever the ecosystem asks for `validator::Validate`: every violation at once, each with
//! its JSON pointer, and nothing allocated when all is well.

use palisade::__private::validator::Validate;
use palisade_tests::gate::api::{Colour, Line, NewNote};

fn note() -> NewNote {
    NewNote {
        title: "milk".to_owned(),
        priority: 3,
        colour: Some(Colour::Red),
        remind: Some(None),
        lines: Some(vec![Line { text: "two litres".to_owned(), done: None }; 4]),
        labels: Some([("shop".to_owned(), "dairy".to_owned())].into()),
    }
}

#[test]
fn what_the_document_allows_is_valid() {
    assert!(note().validate().is_ok());
    assert!(NewNote { colour: None, remind: None, lines: None, labels: None, ..note() }.validate().is_ok());
}

#[test]
fn every_violation_comes_with_its_pointer() {
    let bad = NewNote {
        title: "far too long a title, and 1 digit".to_owned(),
        priority: 9,
        lines: Some(vec![Line { text: "x".repeat(31), done: None }; 5]),
        ..note()
    };
    let errors = bad.validate().unwrap_err();
    let mut found: Vec<(String, Vec<String>)> = errors
        .field_errors()
        .into_iter()
        .map(|(field, errors)| {
            (field.to_string(), errors.iter().map(|error| error.code.to_string()).collect())
        })
        .collect();
    found.sort();
    let of = |field: &str, codes: &[&str]| {
        (field.to_owned(), codes.iter().map(|code| (*code).to_owned()).collect())
    };
    assert_eq!(
        found,
        [
            of("/lines", &["maxItems"]),
            of("/lines/0/text", &["maxLength"]),
            of("/lines/1/text", &["maxLength"]),
            of("/lines/2/text", &["maxLength"]),
            of("/lines/3/text", &["maxLength"]),
            of("/lines/4/text", &["maxLength"]),
            of("/priority", &["maximum"]),
            of("/title", &["maxLength", "pattern"]),
        ]
    );
}

#[test]
fn nothing_is_allocated_when_all_is_well() {
    let note = note();
    assert!(note.validate().is_ok(), "patterns are compiled once, at their first use");
    let counted = allocation_counter::measure(|| assert!(note.validate().is_ok()));
    assert_eq!(counted.count_total, 0);
    let bad = NewNote { priority: 9, ..note };
    let counted = allocation_counter::measure(|| assert!(bad.validate().is_err()));
    assert!(counted.count_total > 0, "the counter counts");
}
