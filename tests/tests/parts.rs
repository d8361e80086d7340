//! Forms and parts both ways, sequences and events of requests, cookies of the style `cookie`: allowed and refused side by
//! side.
#![deny(warnings)]

use std::collections::BTreeMap;

use palisade::{Caller, Problem, Upload};
use palisade_tests::client::{Client, Reply};

/// The generated module.
#[allow(clippy::all, missing_docs, reason = "linted where it is a golden")]
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/parts.rs"));
}

use api::*;

struct Service;

fn note(title: String) -> Note {
    Note {
        title,
        tags: Some(vec!["a,b".to_owned(), "&=".to_owned()]),
        labels: Some(BTreeMap::from([("x".to_owned(), 1), ("y z".to_owned(), -2)])),
        point: Some(Point { x: 1, y: None }),
    }
}

impl Api for Service {
    async fn get_note(&self, caller: Caller<GetNote>, input: GetNoteInput) -> Result<GetNoteOutput, Problem> {
        let note = note(input.title);
        Ok(GetNoteOutput::Ok(match caller.preferred() {
            Some("application/x-www-form-urlencoded") => GetNoteOkContent::Form(note),
            _ => GetNoteOkContent::Json(note),
        }))
    }

    async fn post_note(&self, _: Caller<PostNote>, input: PostNoteInput) -> Result<PostNoteOutput, Problem> {
        let NoteRequest { title, secret, tags, labels, point } = input.body;
        let point = point.map(|point| (point.x, point.y));
        Ok(PostNoteOutput::Ok(format!("{title} {secret:?} {tags:?} {labels:?} {point:?}")))
    }

    async fn get_album(
        &self,
        caller: Caller<GetAlbum>,
        input: GetAlbumInput,
    ) -> Result<GetAlbumOutput, Problem> {
        let said = match input.r#as.as_str() {
            "text" => Some("text/html"),
            "none" => None,
            _ => Some("image/jpeg"),
        };
        let picture = Upload::new("\r\n--\0".as_bytes().to_vec()).said(Some("a \"b\".png"), said);
        let points = vec![Point { x: 1, y: None }, Point { x: 2, y: Some(3) }];
        let title = "two\nlines".to_owned();
        let album = Album { title, points: Some(points), pictures: Some(vec![picture.clone(), picture]) };
        Ok(GetAlbumOutput::Ok(match caller.preferred() {
            Some("multipart/form-data") => GetAlbumOkContent::FormData(album),
            Some("multipart/mixed") => GetAlbumOkContent::Mixed(album),
            _ => GetAlbumOkContent::Text(album.title),
        }))
    }

    async fn post_album(
        &self,
        _: Caller<PostAlbum>,
        input: PostAlbumInput,
    ) -> Result<PostAlbumOutput, Problem> {
        Ok(PostAlbumOutput::Ok(input.body))
    }

    async fn post_pages(
        &self,
        _: Caller<PostPages>,
        input: PostPagesInput,
    ) -> Result<PostPagesOutput, Problem> {
        Ok(PostPagesOutput::Ok(match input.body {
            PostPagesBody::Mixed(points) => PostPagesOkContent::Mixed(points),
            PostPagesBody::Related(pages) => PostPagesOkContent::Related(pages),
        }))
    }

    async fn get_cookies(
        &self,
        _: Caller<GetCookies>,
        input: GetCookiesInput,
    ) -> Result<GetCookiesOutput, Problem> {
        let GetCookiesInput { sid, old, words, sizes, point, flat } = input;
        let [point, flat] = [point, flat].map(|point| point.map(|point| (point.x, point.y)));
        Ok(GetCookiesOutput::Ok(format!("{sid:?} {old:?} {words:?} {sizes:?} {point:?} {flat:?}")))
    }

    async fn post_items(
        &self,
        _: Caller<PostItems>,
        input: PostItemsInput,
    ) -> Result<PostItemsOutput, Problem> {
        Ok(PostItemsOutput::Ok(match input.body {
            PostItemsBody::Lines(points) => {
                format!("{:?}", points.iter().map(|point| (point.x, point.y)).collect::<Vec<_>>())
            }
            PostItemsBody::Events(moved) => {
                format!("{:?}", moved.iter().map(|it| (it.data.x, &it.id, it.retry)).collect::<Vec<_>>())
            }
        }))
    }

    async fn put_items(&self, _: Caller<PutItems>, input: PutItemsInput) -> Result<PutItemsOutput, Problem> {
        Ok(PutItemsOutput::Ok(format!("{:?}", input.body)))
    }
}

async fn start() -> Client {
    let server = server(Service).build().expect("a complete server");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { palisade::serve(server).listener(listener).await });
    Client(address)
}

fn text(reply: &Reply) -> String {
    assert_eq!(reply.status.as_u16(), 200, "{:?}", reply.body);
    String::from_utf8(reply.body.to_vec()).unwrap()
}

async fn post(client: &Client, path: &str, content_type: &str, body: &str) -> Reply {
    client.call("POST", path).header("content-type", content_type).body(body).send().await
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn an_answer_as_a_form_is_read_as_the_same_value() {
    let client = start().await;
    let get = async |title: &str, accept: &str| {
        client.get(&format!("/notes?title={title}")).header("accept", accept).send().await
    };
    let form = get("a%20b%26", FORM).await;
    assert_eq!(form.header("content-type"), FORM);
    assert_eq!(
        text(&form),
        "title=a+b%26&tags=a%2Cb,%26%3D&labels%5Bx%5D=1&labels%5By+z%5D=-2&point=%7B%22x%22%3A1%7D"
    );
    let read = post(&client, "/notes", FORM, &text(&form)).await;
    assert_eq!(text(&read), r#"a b& None Some(["a,b", "&="]) Some({"x": 1, "y z": -2}) Some((1, None))"#);
    for (accept, content_type) in [
        ("*/*", "application/json"),
        ("application/*;q=0.5, application/x-www-form-urlencoded", FORM),
        ("application/x-www-form-urlencoded;q=0.1, application/json;q=0.2", "application/json"),
    ] {
        assert_eq!(get("a", accept).await.allowed(200).header("content-type"), content_type, "{accept}");
    }
    get("a", "text/html").await.refused(406, "not_acceptable");
    get("longer%20than%20twenty%20characters", FORM).await.refused(500, "internal");
    get("two%0Alines", FORM).await.refused(400, "invalid_parameters");
    post(&client, "/notes", FORM, "title=a&secret=b").await.allowed(200);
    post(&client, "/notes", FORM, "title=a&labels%5Bx%5D=y").await.refused(422, "invalid_body");
}

#[test]
fn a_webhook_is_sent_as_a_form() {
    let notice = Webhooks::taken(&note("a b".to_owned())).unwrap();
    assert_eq!((notice.method, notice.content_type.as_deref()), ("POST", Some(FORM)));
    assert_eq!(
        &notice.body[..],
        b"title=a+b&tags=a%2Cb&tags=%26%3D&labels%5Bx%5D=1&labels%5By+z%5D=-2&point=%7B%22x%22%3A1%7D"
    );
    let refused = Webhooks::taken(&note("a bell\u{7}".to_owned())).unwrap_err();
    assert_eq!(refused.to_string(), "answer_member_unwritable: title");
    let refused = Webhooks::taken(&note("a".repeat(21))).unwrap_err();
    assert_eq!(refused.to_string(), "answer_violates_schema /title:maxLength");
}

#[tokio::test]
async fn an_answer_in_parts_is_read_as_the_same_value() {
    let client = start().await;
    let get = async |like: &str, accept: &str| {
        client.get(&format!("/albums?as={like}")).header("accept", accept).send().await
    };
    for media_type in ["multipart/form-data", "multipart/mixed"] {
        let parts = get("jpeg", media_type).await;
        let content_type = parts.header("content-type").to_owned();
        let boundary = content_type.strip_prefix(&format!("{media_type}; boundary=")).unwrap();
        assert_eq!(boundary.len(), 32);
        let content = text(&parts);
        let head = "Content-Disposition: form-data; name=\"pictures\"; filename=\"a %22b%22.png\"\r\nContent-Type: image/jpeg";
        let expected = format!("--{boundary}\r\n{head}\r\n\r\n\r\n--\0\r\n--{boundary}\r\n");
        assert!(content.contains(&expected), "{content:?}");
        let again = post(&client, "/albums", &content_type, &content).await;
        let other =
            again.header("content-type").strip_prefix("multipart/related; boundary=").unwrap().to_owned();
        assert_ne!(other, boundary, "another one for each answer");
        assert_eq!(text(&again).replace(&other, boundary), content);
    }
    assert_eq!(get("jpeg", "text/*").await.allowed(200).header("content-type"), "text/plain");
    assert!(get("jpeg", "*/*").await.header("content-type").starts_with("multipart/form-data; "));
    get("jpeg", "image/png").await.refused(406, "not_acceptable");
    get("text", "multipart/mixed").await.refused(500, "internal");
    let first = get("none", "multipart/mixed").await;
    assert!(text(&first).contains("Content-Type: image/png"), "the first type that is declared");
}

#[tokio::test]
async fn a_file_on_disk_leaves_as_it_came() {
    let client = start().await;
    let head =
        |name: &str, more: &str| format!("--XX\r\nContent-Disposition: form-data; name={name}{more}\r\n\r\n");
    let large = "x".repeat(150_000);
    let picture = "; filename=p\r\nContent-Type: image/png";
    let body = format!("{}a\r\n{}{large}\r\n--XX--", head("title", ""), head("pictures", picture));
    let reply = post(&client, "/albums", "multipart/mixed; boundary=XX", &body).await;
    let content = text(&reply);
    assert!(content.contains(&format!("\r\n\r\n{large}\r\n--")), "{} bytes", content.len());
}

#[tokio::test]
async fn parts_of_every_type_have_names() {
    let client = start().await;
    let part = |head: &str, content: &str| format!("--XX\r\n{head}\r\n\r\n{content}\r\n");
    let title = part("Content-Disposition: form-data; name=title", "a");
    let mixed = "multipart/mixed; boundary=XX";
    post(&client, "/albums", mixed, &format!("{title}--XX--")).await.allowed(200);
    for (more, place) in [
        (part("Content-Disposition: form-data; name=title", "b"), "body /title duplicate"),
        (part("Content-Disposition: form-data; name=secret", "b"), "body  additionalProperties"),
        (part("Content-Disposition: form-data; name=points", "{\"x\":-1}"), "body /points/0/x minimum"),
        (
            part("Content-Disposition: form-data; name=pictures\r\nContent-Type: text/html", ""),
            "body /pictures/0 contentType",
        ),
    ] {
        let reply = post(&client, "/albums", mixed, &format!("{title}{more}--XX--")).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.violations(), [place]);
    }
    for nameless in [
        "Content-Type: text/plain",
        "Content-Disposition: attachment; filename=a",
        "Content-Disposition: inline",
    ] {
        let body = format!("{title}{}--XX--", part(nameless, "b"));
        post(&client, "/albums", mixed, &body).await.refused(400, "invalid_body");
    }
    post(&client, "/albums", "multipart/related; boundary=XX", &title)
        .await
        .refused(415, "unsupported_media_type");
}

#[tokio::test]
async fn parts_without_names_are_a_list() {
    let client = start().await;
    let body = |parts: &[&str]| {
        let parts: String = parts.iter().map(|part| format!("--XX\r\n{part}\r\n")).collect();
        format!("{parts}--XX--\r\n")
    };
    let send = async |kind: &str, parts: &[&str]| {
        post(&client, "/pages", &format!("multipart/{kind}; boundary=XX"), &body(parts)).await
    };
    let again = |reply: &Reply| {
        let boundary = reply.header("content-type").split_once("boundary=").unwrap().1;
        text(reply).replace(boundary, "XX")
    };
    let json = "Content-Type: application/json\r\n\r\n";
    let (one, two) = (format!("{json}{{\"x\":1}}"), format!("{json}{{\"x\":2,\"y\":3}}"));
    assert_eq!(again(&send("mixed", &[&one, &two]).await), body(&[&one, &two]));
    let named = format!("Content-Disposition: form-data; name=a\r\n{one}");
    let bare = "\r\n{\"x\":4}";
    assert_eq!(again(&send("mixed", &[&named, bare]).await), body(&[&one, &format!("{json}{{\"x\":4}}")]));
    assert_eq!(again(&send("mixed", &[]).await), body(&[]));
    let page =
        "Content-Disposition: attachment; filename=\"p.png\"\r\nContent-Type: image/png\r\n\r\n\0\r\n--";
    assert_eq!(again(&send("related", &[page, page]).await), body(&[page, page]));
    for (kind, parts, places) in [
        ("mixed", vec![one.as_str(), "\r\n{\"x\":-1}"], vec!["body /1/x minimum"]),
        (
            "mixed",
            vec!["Content-Type: text/html\r\n\r\n{}", "\r\n{"],
            vec!["body /0 contentType", "body /1 type"],
        ),
        ("related", vec![page; 4], vec!["body  maxItems"]),
        ("related", vec![page, "Content-Type: text/html\r\n\r\n<p>"], vec!["body /1 contentType"]),
        ("related", vec!["\r\n"], vec!["body /0 contentType"]),
    ] {
        let reply = send(kind, &parts).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.violations(), places, "{parts:?}");
    }
    for part in ["Content-Disposition: a b\r\n\r\n1", "Content-Transfer-Encoding: base64\r\n\r\n1", "no head"]
    {
        send("mixed", &[part]).await.refused(400, "invalid_body");
    }
    send("mixed", &vec![one.as_str(); 257]).await.refused(400, "invalid_body");
    send("digest", &[&one]).await.refused(415, "unsupported_media_type");
}

#[tokio::test]
async fn cookies_are_not_decoded_in_their_own_style() {
    let client = start().await;
    let get = async |cookies: &str| client.get("/cookies").header("cookie", cookies).send().await;
    assert_eq!(
        text(&get("sid=a%20b; old=a%20b; words=a; words=b%2C,c; sizes=1,2; x=1; y=2; flat=x,3,y,4").await),
        r#"Some("a%20b") Some("a b") Some(["a", "b%2C,c"]) Some([1, 2]) Some((1, Some(2))) Some((3, Some(4)))"#
    );
    assert_eq!(text(&get("sid=; other=1").await), r#"Some("") None None None None None"#);
    assert_eq!(text(&get("sid=%").await), r#"Some("%") None None None None None"#);
    for (cookies, place) in [
        ("sid=a; sid=b", "cookie /sid duplicate"),
        ("sid=a%20b%20c%20d", "cookie /sid maxLength"),
        ("old=%", "cookie /old encoding"),
        ("words=a; words=b; words=c; words=d", "cookie /words maxItems"),
        ("sizes=1,x", "cookie /sizes/1 type"),
        ("sizes=1%2C2", "cookie /sizes/0 type"),
        ("y=1", "cookie /point/x required"),
        ("x=-1", "cookie /point/x minimum"),
        ("x=1; x=2", "cookie /point duplicate"),
        ("flat=x", "cookie /flat type"),
        ("flat=x,1,z,2", "cookie /flat additionalProperties"),
    ] {
        let reply = get(cookies).await;
        reply.refused(400, "invalid_parameters");
        assert_eq!(reply.violations(), [place], "{cookies}");
    }
}

#[tokio::test]
async fn sequences_and_events_of_a_request_are_lists() {
    let client = start().await;
    let send = async |method: &str, kind: &str, body: &str| {
        client.call(method, "/items").header("content-type", kind).body(body).send().await
    };
    let (sequence, events) = ("application/json-seq", "text/event-stream");
    assert_eq!(
        text(&send("POST", sequence, "\u{1e}{\"x\":1}\n\u{1e}{\"x\":2,\"y\":3}\n").await),
        "[(1, None), (2, Some(3))]"
    );
    assert_eq!(
        text(&send("POST", events, ": hello\n\nevent: moved\nid: 7\nretry: 3000\ndata: {\"x\":\r\ndata: 1}\n\ndata: {\"x\":2}\n\n").await),
        r#"[(1, Some("7"), Some(3000)), (2, None, None)]"#
    );
    assert_eq!(text(&send("PUT", sequence, "\u{1e}1\n\u{1e}2\n").await), "Lines([1, 2])");
    assert_eq!(
        text(&send("PUT", events, "data: a\ndata: b\n\ndata: 1\n\n").await),
        r#"Events(["a\nb", "1"])"#
    );
    assert_eq!(text(&send("PUT", events, "").await), "Events([])");
    let ignored = "\u{feff}data: {\"x\":1}\runknown: 5\rid: 6\rid: \0\rretry: soon\revent: stood\revent: moved\r\rid: 8\r\r";
    assert_eq!(text(&send("POST", events, ignored).await), r#"[(1, Some("6"), None)]"#);
    for (method, kind, body, places) in [
        ("POST", sequence, "\u{1e}{\"x\":1}\n\u{1e}{\"x\":-1}\n", vec!["body /1/x minimum"]),
        ("POST", sequence, "\u{1e}{}\n\u{1e}5\n", vec!["body /0/x required", "body /1 type"]),
        ("POST", events, "event: stood\ndata: {\"x\":1}\n\n", vec!["body /0/event enum"]),
        (
            "POST",
            events,
            "id: 1234\ndata: {\"x\":-1}\n\n",
            vec!["body /0/id maxLength", "body /0/data/x minimum"],
        ),
        ("POST", events, "data: {\n\n", vec!["body /0/data type"]),
        ("PUT", sequence, "\u{1e}1\n\u{1e}2\n\u{1e}3\n", vec!["body  maxItems"]),
        ("PUT", events, "data: abcdef\n\n", vec!["body /0 maxLength"]),
        ("PUT", events, "id: 1\ndata: a\n\n", vec!["body /0 type"]),
    ] {
        let reply = send(method, kind, body).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.violations(), places, "{body:?}");
    }
    for (kind, body) in [
        (sequence, "{\"x\":1}\n"),
        (sequence, "\u{1e}{\"x\":1}"),
        (sequence, "\u{1e}{\"x\":1"),
        (events, "data: {\"x\":1}\n"),
    ] {
        send("POST", kind, body).await.refused(400, "invalid_body");
    }
    send("POST", "application/jsonl", "{\"x\":1}").await.refused(415, "unsupported_media_type");
}
