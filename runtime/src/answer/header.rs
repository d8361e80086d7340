//! Values of header fields: the style `simple` (OpenAPI 3.1 section 4.8.12.3), or JSON.

use http::HeaderName;
use http::header::SET_COOKIE;

use super::members::scalar;
use crate::input::{Entry, Tree, is_token, parse_tree};

/// How a header is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderForm {
    /// `a,b`; an object as `name,value`.
    Simple,
    /// `a,b`; an object as `name=value`.
    Exploded,
    /// A text whose lines are fields of their own: cookies that are described by `content` (OpenAPI 3.2 section 4.21.3).
    Lines,
    /// One JSON text.
    Json,
}

/// The lines of a header whose value is given as JSON: one, but of `Set-Cookie` one for each item of a list and each member of an
/// object, as it cannot be folded (RFC 9110 section 5.3, OpenAPI 3.2 section 4.21.3). Whatever stands behind the name of a cookie
/// is passed on unchanged. `None`: it has none in this form.
pub(super) fn lines(name: &HeaderName, json: &str, form: HeaderForm) -> Option<Vec<String>> {
    match parse_tree(json, usize::MAX) {
        Some(Tree::List(items)) if name == SET_COOKIE && form != HeaderForm::Json => {
            items.iter().map(scalar).collect()
        }
        Some(Tree::Text(text)) if form == HeaderForm::Lines => {
            Some(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
        }
        Some(Tree::Object(members)) if name == SET_COOKIE && form == HeaderForm::Exploded => {
            members.iter().map(cookie).collect()
        }
        // `name,value` is no cookie
        Some(Tree::Object(_)) if name == SET_COOKIE && form == HeaderForm::Simple => None,
        _ => Some(vec![written(json, form)?]),
    }
}

/// A line of `Set-Cookie`, of the member that has the name of the cookie: a token (RFC 6265 section 4.1.1).
fn cookie(member: &Entry<'_>) -> Option<String> {
    let name = Some(&member.name).filter(|name| is_token(name))?;
    Some(format!("{name}={}", scalar(&member.value)?))
}

/// The text of a value that is given as JSON. `None`: it has none in this form.
pub(super) fn written(json: &str, form: HeaderForm) -> Option<String> {
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
        let members = json!({ "lang": "en-US; Expires=Wed, 09 Jun 2027 10:18:14 GMT", "n": 7 }).to_string();
        let cookies = lines(&SET_COOKIE, &members, HeaderForm::Exploded).unwrap();
        assert_eq!(cookies, ["lang=en-US; Expires=Wed, 09 Jun 2027 10:18:14 GMT", "n=7"]);
        assert_eq!(lines(&SET_COOKIE, &members, HeaderForm::Simple), None);
        for no_name in ["a b", "a=b", "", "a;b", "a\r\nb"] {
            let member = json!({ no_name: "x" }).to_string();
            assert_eq!(lines(&SET_COOKIE, &member, HeaderForm::Exploded), None, "{no_name:?}");
        }
        let text = json!("a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT\nb=2\r\n\n").to_string();
        let cookies = lines(&SET_COOKIE, &text, HeaderForm::Lines).unwrap();
        assert_eq!(cookies, ["a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT", "b=2"]);
        // not where the document does not say so: whatever stands in one cookie makes no second one
        assert_eq!(
            lines(&SET_COOKIE, &json!("a=1\nb=2").to_string(), HeaderForm::Simple).unwrap(),
            ["a=1\nb=2"]
        );
        assert_eq!(lines(&SET_COOKIE, "[]", HeaderForm::Simple).unwrap(), [""; 0]);
        assert_eq!(lines(&SET_COOKIE, r#"[["a=1"]]"#, HeaderForm::Simple), None);
        assert_eq!(lines(&http::header::VARY, r#"["a","b"]"#, HeaderForm::Simple).unwrap(), ["a,b"]);
        assert_eq!(lines(&http::header::VARY, r#"["a,b"]"#, HeaderForm::Simple), None);
    }
}
