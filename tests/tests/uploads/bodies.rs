//! Bodies that are one file, of the media types that the document says or leaves open.

use crate::bench::{MIB, PNG, Spooling, file, plain, text};

#[tokio::test]
async fn a_body_as_it_is_is_an_upload() {
    let server = Spooling::start(2 * MIB).await;
    let kind = "None Some(\"application/octet-stream\")";
    assert_eq!(text(&server.put("ab").await), format!("2 memory 195 {kind}"));
    for _ in 0..3 {
        let reply = server.put(&"a".repeat(MIB)).await;
        assert_eq!(text(&reply), format!("1048576 disk {} {kind}", MIB * 97), "its place is free again");
    }
    assert_eq!(server.put("a").await.refused(422, "invalid_body").violations(), ["body  minLength"]);
    server.put("").await.refused(422, "invalid_body");
    server.put(&"a".repeat(2 * MIB + 1)).await.refused(413, "body_too_large");
    assert_eq!(text(&server.client.call("PUT", "/raw").send().await), "none");
    let json = server.client.call("PUT", "/raw").header("content-type", "application/json").body("5");
    assert_eq!(text(&json.send().await), "5");
}

/// `*/*` without a schema takes every media type that no other key describes; one whose own schema cannot be enforced is
/// refused, and so are all of such a range.
#[tokio::test]
async fn a_range_of_any_type_takes_what_no_other_key_describes() {
    let server = Spooling::start(MIB).await;
    let post = async |said: &str, body: &str| {
        server.client.call("POST", "/anything").header("content-type", said).body(body).send().await
    };
    for (said, body, echo) in [
        ("application/json", "5", "json 5"),
        ("text/plain", "a", "text a"),
        ("image/png", "\0a", "2 memory 97 None Some(\"image/png\")"),
        ("application/vnd.thing+json", "{", "1 memory 123 None Some(\"application/vnd.thing+json\")"),
        ("image/png", "", "0 memory 0 None Some(\"image/png\")"),
        ("image/png; a=b", "\0a", "2 memory 97 None Some(\"image/png; a=b\")"),
        ("audio/x; charset=latin1", "a", "1 memory 97 None Some(\"audio/x; charset=latin1\")"),
    ] {
        assert_eq!(text(&post(said, body).await), echo, "{said}");
    }
    post("application/json", "a").await.refused(400, "invalid_body");
    for said in [
        "application/xml",
        "Application/XML; charset=utf-8",
        "application/xml; a=b",
        "text/csv",
        "text/html",
        "text/html; charset=latin1",
        // a type that is declared is not another by a parameter
        "application/json; v=1",
        "text/plain; charset=latin1",
        "nothing",
    ] {
        post(said, "5").await.refused(415, "unsupported_media_type");
    }
    post("text/csv", "").await.refused(400, "invalid_body");
    post("image/png", &"a".repeat(1025)).await.refused(413, "body_too_large");
}

/// RFC 9110 section 12.5.1: a range takes whatever parameters. What is read as text is in UTF-8 all the same.
#[tokio::test]
async fn ranges_take_any_parameters_and_texts_are_in_utf_8() {
    let server = Spooling::start(MIB).await;
    let put = async |said: &str, body: &str| {
        server.client.call("PUT", "/anything").header("content-type", said).body(body).send().await
    };
    for (said, body, echo) in [
        ("text/csv; header=present", "\u{fc}", "text \u{fc}"),
        ("text/csv; header=present; charset=utf-8", "a", "text a"),
        ("application/vnd.thing+json; v=2", "5", "json 5"),
    ] {
        assert_eq!(text(&put(said, body).await), echo, "{said}");
    }
    for said in
        ["text/csv; charset=latin1", "application/a+json; charset=utf-16", "text/csv; header", "a/b; c=d"]
    {
        put(said, "5").await.refused(415, "unsupported_media_type");
    }
    let form = async |said: &str| {
        let note = format!(
            "--XX\r\nContent-Disposition: form-data; name=note\r\nContent-Type: {said}\r\n\r\na\r\n--XX--"
        );
        put("multipart/form-data; boundary=XX", &note).await
    };
    assert_eq!(text(&form("text/html; a=b").await), "note a");
    for said in ["text/html; charset=latin1", "image/png; a=b"] {
        let reply = form(said).await;
        assert_eq!(reply.refused(422, "invalid_body").violations(), ["body /note contentType"], "{said}");
    }
}

#[tokio::test]
async fn a_schema_without_a_type_is_bytes_where_the_content_is() {
    let server = Spooling::start(MIB).await;
    let put = async |body: &str| {
        server.client.call("PUT", "/bare").header("content-type", "image/png").body(body).send().await
    };
    let reply = put("\u{fc}a").await;
    assert_eq!((reply.status.as_u16(), &reply.body[..]), (200, "\u{fc}a".as_bytes()), "three bytes");
    assert_eq!(reply.header("content-type"), "image/png");
    // two characters of two bytes are four, which the answer may not have
    assert_eq!(put("\u{fc}\u{fc}").await.status.as_u16(), 500);
    assert_eq!(put("\u{fc}\u{fc}a").await.refused(422, "invalid_body").violations(), ["body  maxLength"]);

    let octets = "a=b\r\nContent-Type: application/octet-stream";
    let parts = [file("picture", PNG, "\u{fc}\0"), file("seal", octets, "YQ==")];
    let png = "Some(\"a.png\") Some(\"image/png\")";
    let sum = 0xc3 + 0xbc;
    let echo = text(&server.post_to("/bare", &parts).await);
    assert_eq!(echo, format!("3 memory {sum} {png}; Some(\"YQ==\")"));
    assert_eq!(text(&server.post_to("/bare", &[plain("seal", "YQ==")]).await), "none; Some(\"YQ==\")");
    for (part, place) in [
        (file("picture", PNG, "\u{fc}\u{fc}a"), "body /picture maxLength"),
        (file("picture", "filename=a\r\nContent-Type: image/gif", "a"), "body /picture contentType"),
        (file("seal", PNG, "YQ=="), "body /seal contentType"),
    ] {
        let reply = server.post_to("/bare", &[part]).await;
        assert_eq!(reply.refused(422, "invalid_body").violations(), [place]);
    }
}
