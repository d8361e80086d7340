//! Values of header fields: the style `simple` (OpenAPI 3.1 section 4.8.12.3), or JSON.

use http::HeaderName;
use http::header::SET_COOKIE;

use super::members::scalar;
use crate::input::{Tree, parse_tree};

/// How a header is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderForm {
    /// `a,b`; an object as `name,value`.
    Simple,
    /// `a,b`; an object as `name=value`.
    Exploded,
    /// One JSON text.
    Json,
}

/// The lines of a header whose value is given as JSON: one, but of `Set-Cookie` one for each item of a list, as it cannot
/// be folded (RFC 9110 section 5.3). `None`: it has none in this form.
pub(super) fn lines(name: &HeaderName, json: &str, form: HeaderForm) -> Option<Vec<String>> {
    match parse_tree(json, usize::MAX) {
        Some(Tree::List(items)) if name == SET_COOKIE && form != HeaderForm::Json => {
            items.iter().map(scalar).collect()
        }
        _ => Some(vec![written(json, form)?]),
    }
}

/// The text of a value that is given as JSON. `None`: it has none in this form.
fn written(json: &str, form: HeaderForm) -> Option<String> {
    if form == HeaderForm::Json {
        return Some(json.to_owned());
    }
    match parse_tree(json, usize::MAX)? {
        Tree::List(items) => {
            let items: Option<Vec<String>> = items.iter().map(element).collect();
            Some(items?.join(","))
        }
        Tree::Object(members) => {
            let between = if form == HeaderForm::Exploded { "=" } else { "," };
            let members = members.iter().map(|member| {
                let name = Some(&member.name).filter(|name| !name.contains([',', '=']))?;
                Some(format!("{name}{between}{}", element(&member.value)?))
            });
            Some(members.collect::<Option<Vec<_>>>()?.join(","))
        }
        value => scalar(&value),
    }
}

/// The text of one of several: a comma in it would make it two, and nothing in a header is escaped.
fn element(value: &Tree<'_>) -> Option<String> {
    scalar(value).filter(|text| !text.contains(','))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_style_simple() {
        let object = json!({ "B": 150, "R": 100 });
        for (value, form, text) in [
            (json!("blue"), HeaderForm::Simple, Some("blue")),
            (json!(5), HeaderForm::Simple, Some("5")),
            (json!(["blue", "black"]), HeaderForm::Simple, Some("blue,black")),
            (object.clone(), HeaderForm::Simple, Some("B,150,R,100")),
            (object.clone(), HeaderForm::Exploded, Some("B=150,R=100")),
            (object, HeaderForm::Json, Some(r#"{"B":150,"R":100}"#)),
            (json!("a, b"), HeaderForm::Simple, Some("a, b")),
            (json!(["a,b"]), HeaderForm::Simple, None),
            (json!({ "R": "1,G=2" }), HeaderForm::Exploded, None),
            (json!({ "R,1,G": 2 }), HeaderForm::Simple, None),
            (json!(["a,b"]), HeaderForm::Json, Some(r#"["a,b"]"#)),
            (json!([["a"]]), HeaderForm::Simple, None),
            (json!(null), HeaderForm::Simple, None),
        ] {
            assert_eq!(written(&value.to_string(), form).as_deref(), text);
        }
    }

    #[test]
    fn cookies_are_not_folded() {
        let two = json!(["a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT", "b=2"]).to_string();
        let cookies = lines(&SET_COOKIE, &two, HeaderForm::Simple).unwrap();
        assert_eq!(cookies, ["a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT", "b=2"]);
        assert_eq!(lines(&SET_COOKIE, "[]", HeaderForm::Simple).unwrap(), [""; 0]);
        assert_eq!(lines(&SET_COOKIE, r#"[["a=1"]]"#, HeaderForm::Simple), None);
        assert_eq!(lines(&http::header::VARY, r#"["a","b"]"#, HeaderForm::Simple).unwrap(), ["a,b"]);
        assert_eq!(lines(&http::header::VARY, r#"["a,b"]"#, HeaderForm::Simple), None);
    }
}
