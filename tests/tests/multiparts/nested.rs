//! Parts that are parts themselves.

use super::*;

fn text(reply: &Reply) -> String {
    assert_eq!(reply.status.as_u16(), 200, "{:?}", reply.body);
    String::from_utf8(reply.body.to_vec()).unwrap()
}

/// Parts under a boundary of their own, as the content of a part of this head.
fn within(head: &str, kind: &str, boundary: &str, parts: &[&str]) -> String {
    let parts: String = parts.iter().map(|part| format!("--{boundary}\r\n{part}\r\n")).collect();
    format!("{head}Content-Type: multipart/{kind}; boundary={boundary}\r\n\r\n{parts}--{boundary}--")
}

const LIST: &str = "Content-Type: application/json\r\n\r\n[1,2]";
const POINT: &str = "\r\n{\"x\":1}";
const WORD: &str = "Content-Type: text/plain\r\n\r\nabc";
const FILE: &str = "Content-Disposition: attachment; filename=p\r\nContent-Type: image/png\r\n\r\na\r\n-";

#[tokio::test]
async fn a_part_may_be_parts_that_have_places() {
    let client = start().await;
    let send = async |inner: &str| post(&client, "/nested", "mixed", &body(&[LIST, inner])).await;
    let mixed = |parts: &[&str]| within("", "mixed", "YY", parts);
    let file = r#"Some((Some("p"), Some("image/png"), Some(b"a\r\n-")))"#;
    assert_eq!(text(&send(&mixed(&[POINT, WORD, FILE])).await), format!("[1, 2] 1 Some(\"abc\") {file}"));
    assert_eq!(text(&send(&mixed(&[POINT])).await), "[1, 2] 1 None None");
    // one that the boundary of the whole begins with cuts nothing of it
    assert_eq!(text(&send(&within("", "mixed", "X", &[POINT, WORD])).await), "[1, 2] 1 Some(\"abc\") None");
    for (inner, places) in [
        (mixed(&[]), vec!["body /1/0 required"]),
        (mixed(&["\r\n{\"x\":-1}", "\r\nlonger"]), vec!["body /1/0/x minimum", "body /1/1 maxLength"]),
        (mixed(&[POINT, WORD, WORD]), vec!["body /1/2 contentType"]),
        (mixed(&[POINT, WORD, FILE, WORD]), vec!["body /1 maxItems"]),
        (within("", "related", "YY", &[POINT]), vec!["body /1 contentType"]),
        ("Content-Type: application/json\r\n\r\n[]".to_owned(), vec!["body /1 contentType"]),
    ] {
        let reply = send(&inner).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.violations(), places, "{inner:?}");
    }
}

#[tokio::test]
async fn what_is_inside_is_cut_by_the_same_rules() {
    let client = start().await;
    let send = async |inner: &str| post(&client, "/nested", "mixed", &body(&[LIST, inner])).await;
    let good = within("", "mixed", "YY", &[POINT, WORD]);
    for inner in [
        // the boundary of the whole, and one that begins with it
        within("", "mixed", "XX", &[POINT]),
        within("", "mixed", "XXY", &[POINT]),
        good.replace("; boundary=YY", ""),
        good.replace("boundary=YY", "boundary=\"\""),
        good.replace("boundary=YY", "boundary=YY; boundary=YY"),
        good.replace("boundary=YY", "boundary=ZZ"),
        good.replace("--YY--", ""),
        good.replace("--YY--", "--YY--x"),
        good.replacen("--YY", "x--YY", 1),
        good.replace("\r\n\r\n{", "\r\n{"),
        "Content-Type: multipart/mixed; boundary=YY\r\n\r\n".to_owned(),
        within("", "mixed", "YY", &["X\n: a\r\n\r\n1"]),
        within("", "mixed", "YY", &vec![POINT; 255]),
    ] {
        send(&inner).await.refused(400, "invalid_body");
    }
    let many = vec![POINT; 254];
    send(&within("", "mixed", "YY", &many)).await.refused(422, "invalid_body");
}

const INNER: &str = "Content-Disposition: form-data; name=inner\r\nX-Box: 7\r\n";

fn named(name: &str, more: &str, content: &str) -> String {
    format!("Content-Disposition: form-data; name={name}{more}\r\n\r\n{content}")
}

#[tokio::test]
async fn a_part_may_be_a_form_or_a_list_of_forms() {
    let client = start().await;
    let pair =
        within("Content-Disposition: form-data; name=pair\r\n", "related", "ZZ", &[&named("x", "", "4")]);
    let file = named("file", "; filename=p\r\nContent-Type: image/png", &"x".repeat(70_000));
    let word = named("word", "", "abc");
    let inner = within(INNER, "form-data", "YY", &[&word, &pair, &file]);
    let reply = post(&client, "/boxes", "form-data", &body(&[&named("name", "", "n"), &inner])).await;
    assert_eq!(text(&reply), "Some(\"n\") abc Some(4) Some(None) Some(7)", "two deep, and the file on disk");
    let bare = inner.replace("X-Box: 7\r\n", "");
    let wrong =
        within("Content-Disposition: form-data; name=pair\r\n", "related", "ZZ", &[&named("x", "", "-4")]);
    for (sent, places) in [
        (bare, vec!["body /inner/X-Box required"]),
        (within(INNER, "form-data", "YY", &[]), vec!["body /inner/word required"]),
        (within(INNER, "form-data", "YY", &[&word, &word]), vec!["body /inner/word duplicate"]),
        (within(INNER, "form-data", "YY", &[&word, &wrong]), vec!["body /inner/pair/x minimum"]),
        (
            within(INNER, "form-data", "YY", &[&word, &named("more", "", "")]),
            vec!["body /inner additionalProperties"],
        ),
    ] {
        let reply = post(&client, "/boxes", "form-data", &body(&[&sent])).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.violations(), places, "{sent:?}");
    }
    let nameless = within(INNER, "form-data", "YY", &[POINT]);
    post(&client, "/boxes", "form-data", &body(&[&nameless])).await.refused(400, "invalid_body");
    let item = |word: &str| within("", "form-data", "YY", &[&named("word", "", word)]);
    let reply = post(&client, "/boxes", "related", &body(&[&item("a"), &item("b")])).await;
    assert_eq!(text(&reply), "a None None; b None None");
    let reply = post(&client, "/boxes", "related", &body(&[&item("a"), &item("longer")])).await;
    reply.refused(422, "invalid_body");
    assert_eq!(reply.violations(), ["body /1/word maxLength"]);
}

#[tokio::test]
async fn each_of_the_others_has_a_head_where_they_are_parts() {
    let client = start().await;
    let send = async |rows: &[&str]| {
        let first = [WORD].into_iter().chain(rows.iter().copied());
        post(&client, "/rows", "mixed", &body(&first.collect::<Vec<_>>())).await
    };
    let row = |head: &str| within(head, "mixed", "YY", &[WORD]);
    let [one, two, none, wrong] = ["X-Row: 1\r\n", "X-Row: 2\r\n", "", "X-Row: x\r\n"].map(row);
    assert_eq!(text(&send(&[&one, &two]).await), r#"Some("abc") [["abc"], ["abc"]] [1, 2]"#);
    assert_eq!(text(&send(&[&one]).await), r#"Some("abc") [["abc"]] [1]"#);
    assert_eq!(text(&send(&[]).await), r#"Some("abc") [] []"#);
    for (rows, place) in [
        ([&one, &none], "body /2/X-Row required"),
        ([&one, &wrong], "body /2/X-Row type"),
        ([&none, &one], "body /1/X-Row required"),
    ] {
        let reply = send(&rows.map(String::as_str)).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.violations(), [place]);
    }
    // a list in one text is one part, and has one head
    let cells = |head: &str| format!("Content-Disposition: form-data; name=cells\r\n{head}\r\na,b");
    let reply = post(&client, "/rows", "form-data", &body(&[&cells("X-Row: 7\r\n")])).await;
    assert_eq!(text(&reply), r#"Some(["a", "b"]) Some(7)"#);
    let reply = post(&client, "/rows", "form-data", &body(&[&cells("")])).await;
    reply.refused(422, "invalid_body");
    assert_eq!(reply.violations(), ["body /cells/X-Row required"]);
}
