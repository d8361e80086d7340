//! Files: spooled as they arrive, within what the document and the server allow, and gone when nobody holds them.
#![deny(warnings)]

use std::path::PathBuf;
use std::time::Duration;

use palisade::{Caller, Problem, Settings, Upload};
use palisade_tests::client::{Client, Reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The generated module.
#[allow(clippy::all, missing_docs, reason = "linted where it is a golden")]
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/uploads.rs"));
}

use api::*;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

struct Service;

/// Its length, where it is, a sum over its bytes, and what the client says of it.
async fn seen(upload: &Upload) -> String {
    let (mut reader, mut chunk) = (upload.reader(), vec![0; 10_000]);
    let (mut length, mut sum) = (0, 0_u64);
    loop {
        let read = reader.read(&mut chunk).await.unwrap();
        if read == 0 {
            break;
        }
        length += read;
        sum += chunk[..read].iter().map(|byte| u64::from(*byte)).sum::<u64>();
    }
    assert_eq!(length as u64, upload.len());
    let place = if upload.in_memory().is_some() { "memory" } else { "disk" };
    format!("{length} {place} {sum} {:?} {:?}", upload.file_name(), upload.content_type())
}

impl Api for Service {
    async fn post_form(&self, _: Caller<PostForm>, input: PostFormInput) -> Result<PostFormOutput, Problem> {
        let mut all = vec![format!("{:?}", input.body.title), seen(&input.body.file).await];
        for upload in input.body.more.into_iter().flatten() {
            all.push(seen(&upload).await);
            assert_eq!(upload.bytes(200_000).await.unwrap().len() as u64, upload.len());
            assert!(upload.is_empty() || upload.bytes(0).await.is_err(), "no more than is asked for");
        }
        Ok(PostFormOutput::Ok(all.join("; ")))
    }

    async fn put_raw(&self, _: Caller<PutRaw>, input: PutRawInput) -> Result<PutRawOutput, Problem> {
        Ok(PutRawOutput::Ok(match input.body {
            None => "none".to_owned(),
            Some(PutRawBody::Json(number)) => number.to_string(),
            Some(PutRawBody::Bytes(upload)) => seen(&upload).await,
        }))
    }

    async fn post_signed(
        &self,
        _: Caller<PostSigned>,
        input: PostSignedInput,
    ) -> Result<PostSignedOutput, Problem> {
        let palisade::Parts { form, headers } = input.body;
        let file = headers.file.expect("the part is required");
        let places: Vec<_> = headers.more.into_iter().flatten().map(|more| more.x_place).collect();
        let origin = headers.note.and_then(|note| note.x_origin);
        Ok(PostSignedOutput::Ok(format!(
            "{} {} {:?} {places:?} {origin:?} {:?}",
            form.file.len(),
            file.x_length,
            file.x_tags,
            form.note.map(|note| note.text),
        )))
    }

    async fn post_untyped(
        &self,
        _: Caller<PostUntyped>,
        input: PostUntypedInput,
    ) -> Result<PostUntypedOutput, Problem> {
        let mut all = vec![input.body.meta.map(|meta| meta.to_string()).unwrap_or_default()];
        for upload in input.body.picture.into_iter().chain(input.body.pages.into_iter().flatten()) {
            all.push(seen(&upload).await);
        }
        Ok(PostUntypedOutput::Ok(all.join("; ")))
    }

    async fn put_untyped(
        &self,
        _: Caller<PutUntyped>,
        input: PutUntypedInput,
    ) -> Result<PutUntypedOutput, Problem> {
        let Untyped { picture, pages, meta } = input.body;
        Ok(PutUntypedOutput::Ok(serde_json::json!([picture, pages, meta]).to_string()))
    }

    async fn post_conditional(
        &self,
        _: Caller<PostConditional>,
        input: PostConditionalInput,
    ) -> Result<PostConditionalOutput, Problem> {
        let mut all = vec![format!("{:?} {:?}", input.body.title, input.body.count)];
        for upload in input.body.file.into_iter().chain(input.body.thumbnail) {
            all.push(seen(&upload).await);
        }
        Ok(PostConditionalOutput::Ok(all.join("; ")))
    }

    async fn post_chosen(
        &self,
        _: Caller<PostChosen>,
        input: PostChosenInput,
    ) -> Result<PostChosenOutput, Problem> {
        Ok(PostChosenOutput::Ok(match input.body {
            PostChosenBody::File(it) => format!("{} {:?}", seen(&it.file).await, it.count),
            PostChosenBody::Link(it) => it.link,
        }))
    }

    async fn post_anything(
        &self,
        _: Caller<PostAnything>,
        input: PostAnythingInput,
    ) -> Result<PostAnythingOutput, Problem> {
        Ok(PostAnythingOutput::Ok(match input.body {
            PostAnythingBody::Json(number) => format!("json {number}"),
            PostAnythingBody::Text(text) => format!("text {text}"),
            PostAnythingBody::Bytes(upload) => seen(&upload).await,
        }))
    }

    async fn put_anything(
        &self,
        _: Caller<PutAnything>,
        input: PutAnythingInput,
    ) -> Result<PutAnythingOutput, Problem> {
        Ok(PutAnythingOutput::Ok(match input.body {
            PutAnythingBody::Json(number) => format!("json {number}"),
            PutAnythingBody::Text(text) => format!("text {text}"),
            PutAnythingBody::Multipart(form) => format!("note {}", form.note),
        }))
    }

    async fn put_bare(&self, _: Caller<PutBare>, input: PutBareInput) -> Result<PutBareOutput, Problem> {
        Ok(PutBareOutput::Ok(input.body.bytes(4).await.unwrap()))
    }

    async fn post_bare(&self, _: Caller<PostBare>, input: PostBareInput) -> Result<PostBareOutput, Problem> {
        let picture = match &input.body.picture {
            Some(picture) => seen(picture).await,
            None => "none".to_owned(),
        };
        Ok(PostBareOutput::Ok(format!("{picture}; {:?}", input.body.seal)))
    }
}

/// A server whose files lie in a folder of its own.
struct Spooling {
    client: Client,
    folder: tempfile::TempDir,
}

impl Spooling {
    async fn start(most: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::new().spool_folder(folder.path()).max_spooled_bytes(most as u64);
        let server = server(Service).settings(settings).build().expect("a complete server");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { palisade::serve(server).listener(listener).await });
        Self { client: Client(address), folder }
    }

    async fn post(&self, body: &str) -> Reply {
        let call = self.client.call("POST", "/forms");
        call.header("content-type", "multipart/form-data; boundary=XX").body(body).send().await
    }

    async fn post_to(&self, path: &str, parts: &[String]) -> Reply {
        let call = self.client.call("POST", path);
        let body = format!("{}--XX--", parts.concat());
        call.header("content-type", "multipart/form-data; boundary=XX").body(body).send().await
    }

    async fn put(&self, body: &str) -> Reply {
        let call = self.client.call("PUT", "/raw");
        call.header("content-type", "application/octet-stream").body(body).send().await
    }

    fn files(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

fn text(reply: &Reply) -> String {
    assert_eq!(reply.status.as_u16(), 200, "{:?}", reply.body);
    String::from_utf8(reply.body.to_vec()).unwrap()
}

fn file(name: &str, said: &str, content: &str) -> String {
    format!("--XX\r\nContent-Disposition: form-data; name={name}; {said}\r\n\r\n{content}\r\n")
}

const PNG: &str = "filename=\"a.png\"\r\nContent-Type: image/png";

#[tokio::test]
async fn a_large_file_is_on_disk_and_a_small_one_in_memory() {
    let server = Spooling::start(100 * MIB).await;
    let large = "a".repeat(50 * MIB);
    let small = file("more", "filename=b", &"b".repeat(64 * KIB));
    let over = file("more", "filename=c", &"c".repeat(64 * KIB + 1));
    let title = "--XX\r\nContent-Disposition: form-data; name=title\r\n\r\nt\r\n";
    let body =
        format!("{title}{}{small}{over}{}--XX--", file("file", PNG, &large), file("more", "filename=d", ""));
    let reply = server.post(&body).await;
    let (large, b, c) = (50 * MIB * 97, 64 * KIB * 98, (64 * KIB + 1) * 99);
    assert_eq!(
        text(&reply),
        format!(
            "Some(\"t\"); 52428800 disk {large} Some(\"a.png\") Some(\"image/png\"); \
             65536 memory {b} Some(\"b\") None; 65537 disk {c} Some(\"c\") None; 0 memory 0 Some(\"d\") None"
        )
    );
    assert_eq!(server.files(), Vec::<PathBuf>::new());
}

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

fn plain(name: &str, content: &str) -> String {
    format!("--XX\r\nContent-Disposition: form-data; name={name}\r\n\r\n{content}\r\n")
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

#[tokio::test]
async fn without_room_on_disk_only_small_files_are_taken() {
    let server = Spooling::start(MIB).await;
    let reply = server.put(&"a".repeat(MIB + 1)).await;
    assert_eq!(reply.refused(503, "unavailable").header("retry-after"), "1");
    assert_eq!(server.put(&"a".repeat(MIB)).await.status, 200);
    let none = Spooling::start(0).await;
    assert_eq!(none.put(&"a".repeat(64 * KIB)).await.status, 200);
    none.put(&"a".repeat(64 * KIB + 1)).await.refused(503, "unavailable");
    let folder = none.folder.path().to_owned();
    drop(none.folder);
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_refuses() {
    let Spooling { client, folder } = Spooling::start(MIB).await;
    drop(folder);
    let call = client.call("PUT", "/raw").header("content-type", "application/octet-stream");
    call.body("a".repeat(MIB)).send().await.refused(503, "unavailable");
}

const HEAD: &str = "PUT /raw HTTP/1.1\r\nhost: t\r\ncontent-type: application/octet-stream\r\ncontent-length: 1048576\r\n\r\n";

#[tokio::test]
async fn what_breaks_off_leaves_nothing_behind() {
    let server = Spooling::start(MIB).await;
    for _ in 0..3 {
        let mut stream = TcpStream::connect(server.client.0).await.unwrap();
        stream.write_all(HEAD.as_bytes()).await.unwrap();
        stream.write_all("a".repeat(900 * KIB).as_bytes()).await.unwrap();
        drop(stream);
    }
    // the whole of the room is there again
    let mut tries = 0;
    while server.put(&"a".repeat(MIB)).await.status != 200 {
        tries += 1;
        assert!(tries < 50, "the room was not given back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.files(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn what_comes_too_slowly_is_given_up() {
    let server = Spooling::start(MIB).await;
    let mut stream = TcpStream::connect(server.client.0).await.unwrap();
    stream.write_all(HEAD.as_bytes()).await.unwrap();
    stream.write_all("a".repeat(900 * KIB).as_bytes()).await.unwrap();
    let mut answer = vec![0; 1000];
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut answer)).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&answer[..read]).starts_with("HTTP/1.1 408 "));
    assert_eq!(server.put(&"a".repeat(MIB)).await.status, 200, "its place is free again");
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
