//! Files in parts of a form: what the document says of each, and of all together.

use std::path::PathBuf;

use crate::bench::{MIB, PNG, Spooling, file, plain, text};

#[tokio::test]
async fn what_is_not_declared_of_a_file_is_refused() {
    let server = Spooling::start(100 * MIB).await;
    let one = |said: &str, content: &str| format!("{}--XX--", file("file", said, content));
    let html = "filename=a\r\nContent-Type: text/html";
    for (body, place) in [
        (one(html, "x"), "body /file contentType"),
        (one("filename=a", "x"), "body /file contentType"),
        (one(PNG, &"a".repeat(50 * MIB + 1)), "body /file maxLength"),
        (one(PNG, "a") + "x", ""),
        (file("file", PNG, "a") + &one(PNG, "b"), "body /file duplicate"),
        (file("more", PNG, &"a".repeat(200_001)) + &one(PNG, "b"), "body /more/0 maxLength"),
        ((0..4).map(|_| file("more", PNG, "")).collect::<String>() + &one(PNG, "b"), "body /more maxItems"),
        ("--XX--".to_owned(), "body /file required"),
    ] {
        let reply = server.post(&body).await;
        match place {
            "" => _ = reply.refused(400, "invalid_body"),
            place => assert_eq!(reply.refused(422, "invalid_body").violations(), [place]),
        }
    }
    let over = one(PNG, &"a".repeat(64 * MIB));
    server.post(&over).await.refused(413, "body_too_large");
    assert_eq!(server.files(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn the_name_of_a_file_is_no_path() {
    let server = Spooling::start(MIB).await;
    for (said, name) in [
        ("filename=\"../../etc/passwd\"", "Some(\"passwd\")"),
        ("filename=\"C:\\Windows\\win.ini\"", "Some(\"win.ini\")"),
        ("filename=\"..\"", "None"),
        ("filename=\".. .\"", "None"),
        ("filename=\"a.png\"; filename*=UTF-8''..%2Fb", "Some(\"a.png\")"),
    ] {
        let said = format!("{said}\r\nContent-Type: image/png\r\nX-Other: ignored");
        let reply = server.post(&format!("{}--XX--", file("file", &said, "x"))).await;
        assert_eq!(text(&reply), format!("None; 1 memory 120 {name} Some(\"image/png\")"), "{said}");
    }
}

#[tokio::test]
async fn declared_headers_of_a_part_reach_the_handler() {
    let server = Spooling::start(MIB).await;
    let signed = |headers: &str| file("file", &format!("filename=a{headers}"), "abc");
    let more = |headers: &str| file("more", &format!("filename=b{headers}"), "b");
    let note = |headers: &str| {
        file("note", &format!("a=b\r\nContent-Type: application/json{headers}"), r#"{"text":"t"}"#)
    };
    let reply = server
        .post_to(
            "/signed",
            &[
                signed("\r\nx-length: 3\r\nX-Tags: a, b\r\nX-Other: c"),
                more("\r\nX-Place: left"),
                more(""),
                note("\r\nX-Origin: [1, 2]"),
            ],
        )
        .await;
    assert_eq!(text(&reply), r#"3 3 Some(["a", "b"]) [Some(Left), None] Some([1, 2]) Some("t")"#);
    let reply = server.post_to("/signed", &[signed("\r\nX-Length: 3\r\nX-Tags: a\r\nX-Tags: b")]).await;
    assert_eq!(text(&reply), r#"3 3 Some(["a", "b"]) [] None None"#);
    for (part, places) in [
        (signed(""), &["body /file/X-Length required"][..]),
        (signed("\r\nX-Length: 101"), &["body /file/X-Length maximum"]),
        (signed("\r\nX-Length: 3.0"), &["body /file/X-Length type"]),
        (signed("\r\nX-Length: 3\r\nX-Length: 3"), &["body /file/X-Length duplicate"]),
        (signed("\r\nX-Length: 3\r\nX-Tags: \u{fc}"), &["body /file/X-Tags encoding"]),
        (
            signed("\r\nX-Length: x\r\nX-Tags: abcd,b,c"),
            &["body /file/X-Length type", "body /file/X-Tags maxItems", "body /file/X-Tags/0 maxLength"],
        ),
        (signed("\r\nX-Length: 3") + &more("\r\nX-Place: up"), &["body /more/0/X-Place enum"]),
        (signed("\r\nX-Length: 3") + &note("\r\nX-Origin: ["), &["body /note/X-Origin type"]),
        (more("\r\nX-Place: up"), &["body /file required", "body /more/0/X-Place enum"]),
    ] {
        let reply = server.post_to("/signed", &[part]).await;
        assert_eq!(reply.refused(422, "invalid_body").violations(), places);
    }
}

#[tokio::test]
async fn a_part_without_a_type_is_a_file_and_json_elsewhere() {
    let server = Spooling::start(10 * MIB).await;
    let large = "\0".repeat(2 * MIB);
    let said = "filename=a\r\nContent-Type: application/json";
    let parts = [
        file("picture", PNG, &large),
        file("pages", "filename=b", "\u{fc}"),
        file("meta", said, "{\"a\":1}"),
    ];
    let png = "Some(\"a.png\") Some(\"image/png\")";
    assert_eq!(
        text(&server.post_to("/untyped", &parts).await),
        format!("{{\"a\":1}}; 2097152 disk 0 {png}; 2 memory 383 Some(\"b\") None")
    );
    let pages = [file("pages", PNG, "a"), file("pages", PNG, "b"), file("pages", PNG, "c")];
    let html = "filename=a\r\nContent-Type: text/html";
    for (parts, place) in [
        (&[file("picture", html, "a")][..], "body /picture contentType"),
        (&[file("meta", PNG, "a")], "body /meta contentType"),
        (&pages, "body /pages maxItems"),
    ] {
        let reply = server.post_to("/untyped", parts).await;
        assert_eq!(reply.refused(422, "invalid_body").violations(), [place]);
    }

    let put = async |body: &str| {
        let call = server.client.call("PUT", "/untyped").header("content-type", "application/json");
        call.body(body).send().await
    };
    assert_eq!(text(&put(r#"{"picture":1,"pages":["a"]}"#).await), r#"[1,["a"],null]"#);
}

#[tokio::test]
async fn files_stand_beside_a_schema_that_says_more() {
    let server = Spooling::start(10 * MIB).await;
    let (small, large) = (file("file", PNG, "\u{fc}"), file("file", PNG, &"\0".repeat(100_000)));
    let sum = 0xc3 + 0xbc;
    let png = "Some(\"a.png\") Some(\"image/png\")";
    for (parts, echo) in [
        (vec![plain("title", "t"), small.clone()], format!("Some(\"t\") None; 2 memory {sum} {png}")),
        (vec![plain("count", "5"), large.clone()], format!("None Some(5); 100000 disk 0 {png}")),
        (
            vec![large.clone(), file("thumbnail", PNG, "t")],
            format!("None None; 100000 disk 0 {png}; 1 memory 116 {png}"),
        ),
        (vec![plain("large", "true"), large.clone()], format!("None None; 100000 disk 0 {png}")),
    ] {
        assert_eq!(text(&server.post_to("/conditional", &parts).await), echo);
    }
    for (parts, places) in [
        (vec![large.clone()], &["body  minProperties"][..]),
        (vec![plain("title", "t"), file("thumbnail", PNG, "t")], &["body /file required"]),
        (vec![plain("link", "t"), file("thumbnail", PNG, "t"), small.clone()], &["body  not"]),
        (vec![plain("title", "t"), file("file", PNG, "\u{1}")], &["body /file minLength"]),
        (vec![plain("title", "t"), file("file", PNG, &"\0".repeat(300_001))], &["body /file maxLength"]),
        // a condition over the length of a file counts its bytes
        (vec![plain("large", "true"), small.clone()], &["body  not"]),
        (vec![plain("count", "x"), small.clone()], &["body /count type"]),
    ] {
        let reply = server.post_to("/conditional", &parts).await;
        assert_eq!(reply.refused(422, "invalid_body").violations(), places);
    }
    assert_eq!(server.files(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_choice_of_forms_may_hold_a_file() {
    let server = Spooling::start(10 * MIB).await;
    let large = file("file", PNG, &"\0".repeat(100_000));
    let reply = server.post_to("/chosen", &[large.clone(), plain("count", "5")]).await;
    assert_eq!(text(&reply), "100000 disk 0 Some(\"a.png\") Some(\"image/png\") Some(5)");
    assert_eq!(text(&server.post_to("/chosen", &[plain("link", "here")]).await), "here");
    for parts in [
        vec![large.clone(), plain("link", "here")],
        vec![file("file", PNG, &"\0".repeat(300_001))],
        vec![large, plain("count", "x")],
        vec![file("link", PNG, "\0")],
    ] {
        server.post_to("/chosen", &parts).await.refused(422, "invalid_body");
    }
}
