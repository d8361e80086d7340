//! Schemas that have no type in Rust, in parameters and forms: text is read as they take it, and refused where they do
//! not.
#![deny(warnings)]

use palisade::{Caller, Problem};
use palisade_tests::client::{Client, Reply};

/// The generated module.
#[allow(clippy::all, missing_docs, reason = "linted where it is a golden")]
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/untyped.rs"));
}

use api::*;

struct Service;

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap()
}

impl Api for Service {
    async fn search(&self, _: Caller<Search>, input: SearchInput) -> Result<SearchOutput, Problem> {
        let SearchInput { created, cancel_at, size, by, window } = input;
        let all = [json(&created), json(&cancel_at), json(&size), json(&by), json(&window)];
        Ok(SearchOutput::Ok(all.join(" ")))
    }

    async fn post(&self, _: Caller<Post>, input: PostInput) -> Result<PostOutput, Problem> {
        let change = match input.body {
            PostBody::Form(change) | PostBody::Multipart(change) => change,
        };
        Ok(PostOutput::Ok(json(&change)))
    }

    async fn put(&self, _: Caller<Put>, input: PutInput) -> Result<PutOutput, Problem> {
        let challenge = match input.body {
            PutBody::Form(challenge) | PutBody::Multipart(challenge) => challenge,
        };
        Ok(PutOutput::Ok(json(&challenge)))
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

#[tokio::test]
async fn parameters_are_what_their_schema_takes() {
    let client = start().await;
    let get = async |query: &str| client.get(&format!("/untyped?{query}")).send().await;
    for (query, read) in [
        ("created=12", "12 null null null null"),
        ("created[gt]=12&created[in][]=1&created[in][]=2", r#"{"gt":12,"in":[1,2]} null null null null"#),
        ("created%5Bin%5D%5B0%5D=1", r#"{"in":[1]} null null null null"#),
        ("cancelAt=now", r#"null "now" null null null"#),
        ("cancelAt=5", "null 5 null null null"),
        ("size=all", r#"null null "all" null null"#),
        ("size=100", "null null 100 null null"),
        ("size=1&size=2", "null null [1,2] null null"),
        ("by=1,2", "null null null [1,2] null"),
        ("by=a", r#"null null null ["a"] null"#),
        ("from=3", r#"null null null null {"from":3}"#),
        ("last=3", r#"null null null null {"last":"3"}"#),
    ] {
        assert_eq!(text(&get(query).await), read, "{query}");
    }
    for (query, place) in [
        ("created=x", "query /created anyOf"),
        ("created=12&created[gt]=1", "query /created duplicate"),
        ("created[gt]=x", "query /created anyOf"),
        ("created[other]=1", "query /created unevaluatedProperties"),
        ("created[gt]=1&created[gt]=2", "query /created duplicate"),
        ("created=1&created=2", "query /created anyOf"),
        ("created", "query /created value"),
        ("created[gt=1", "query /created type"),
        ("cancelAt=later", "query /cancelAt anyOf"),
        ("cancelAt[a]=5", "query /cancelAt anyOf"),
        ("size=101", "query /size anyOf"),
        ("size=1&size=x", "query /size anyOf"),
        ("size[a]=1", "query  undeclared"),
        ("size=18446744073709551617", "query /size anyOf"),
        ("by=1,a", "query /by oneOf"),
        ("by=1&by=2", "query /by duplicate"),
        ("from=3&last=4", "query /window oneOf"),
        ("from=x", "query /window oneOf"),
    ] {
        let reply = get(query).await;
        reply.refused(400, "invalid_parameters");
        assert_eq!(reply.violations(), [place], "{query}");
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=XX";

async fn send(client: &Client, method: &str, content_type: &str, body: &str) -> Reply {
    client.call(method, "/untyped").header("content-type", content_type).body(body).send().await
}

#[tokio::test]
async fn members_of_a_form_are_what_their_schema_takes() {
    let client = start().await;
    let post = async |body: &str| send(&client, "POST", FORM, body).await;
    for (body, read) in [
        ("amount=5", r#"{"amount":5}"#),
        ("amount=", r#"{"amount":""}"#),
        ("metadata=", r#"{"metadata":""}"#),
        ("metadata[a]=1&metadata[b+c]=x", r#"{"metadata":{"a":"1","b c":"x"}}"#),
        (
            "items[0][price]=p_1&items[1][price][cents]=5&items[1][tags][]=7",
            r#"{"items":[{"price":"p_1"},{"price":{"cents":5},"tags":["7"]}]}"#,
        ),
        ("items[0][tags][0]=a&items[0][tags][1]=b", r#"{"items":[{"tags":["a","b"]}]}"#),
        ("items[0][tags]=", r#"{"items":[{"tags":null}]}"#),
        ("items[0][tags]=true", r#"{"items":[{"tags":true}]}"#),
        ("items[0][tags]=a", r#"{"items":[{"tags":["a"]}]}"#),
    ] {
        assert_eq!(text(&post(body).await), read, "{body}");
    }
    for (body, place) in [
        ("amount=101", "body /amount anyOf"),
        ("amount=5.0.1", "body /amount anyOf"),
        ("amount[a]=5", "body  additionalProperties"),
        ("metadata=x", "body /metadata anyOf"),
        ("metadata=&metadata[a]=1", "body /metadata duplicate"),
        ("metadata[a]=toolong", "body /metadata anyOf"),
        ("metadata[a][b]=x", "body /metadata anyOf"),
        ("metadata[]=a&metadata[]=b", "body /metadata duplicate"),
        ("items[0][price][cents]=x", "body /items/0/price oneOf"),
        ("items[0][price]=q_1", "body /items/0/price oneOf"),
        ("items[1][price]=p_1", "body /items type"),
    ] {
        let reply = post(body).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.violations(), [place], "{body}");
    }
}

const PART: &str = "--XX\r\nContent-Disposition: form-data; name=";

#[tokio::test]
async fn a_part_says_whether_it_is_json() {
    let client = start().await;
    let post = async |parts: &str| send(&client, "POST", MULTIPART, &format!("{parts}--XX--")).await;
    let json = "\r\nContent-Type: application/json\r\n\r\n";
    for (parts, read) in [
        (format!("{PART}amount\r\n\r\n5\r\n"), r#"{"amount":5}"#),
        (format!("{PART}metadata{json}{{\"a\":\"1\"}}\r\n"), r#"{"metadata":{"a":"1"}}"#),
        (format!("{PART}metadata\r\n\r\n\r\n"), r#"{"metadata":""}"#),
    ] {
        assert_eq!(text(&post(&parts).await), read, "{parts}");
    }
    for (parts, place) in [
        (format!("{PART}amount\r\n\r\n101\r\n"), "body /amount anyOf"),
        (format!("{PART}metadata{json}{{\"a\":1}}\r\n"), "body /metadata anyOf"),
        (format!("{PART}metadata{json}{{\"a\":\r\n"), "body /metadata type"),
        (format!("{PART}metadata\r\n\r\n{{\"a\":\"1\"}}\r\n"), "body /metadata anyOf"),
    ] {
        let reply = post(&parts).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.violations(), [place], "{parts}");
    }
}

#[tokio::test]
async fn a_whole_form_is_what_its_schema_takes() {
    let client = start().await;
    let put = async |body: &str| send(&client, "PUT", FORM, body).await;
    for (body, read) in [
        (
            "clock.limit=300&clock.increment=0&rated=true",
            r#"{"rated":true,"clock.limit":300,"clock.increment":0}"#,
        ),
        ("days=2&rules=noAbort", r#"{"days":2,"rules":["noAbort"]}"#),
        ("days=2&rules=noAbort&rules=noClaim", r#"{"days":2,"rules":["noAbort","noClaim"]}"#),
        ("days=2&rules[]=noAbort", r#"{"days":2,"rules":["noAbort"]}"#),
        ("days=2&extra=%7B%22level%22:1%7D", r#"{"days":2,"extra":{"level":1}}"#),
        ("days=2&ids%5B%5D=1&ids[]=2", r#"{"days":2,"ids[]":[1,2]}"#),
    ] {
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(parsed(&text(&put(body).await)), parsed(read), "{body}");
    }
    for (body, places) in [
        ("rated=true", ["body  oneOf"]),
        ("days=2&clock.limit=1", ["body  oneOf"]),
        ("days=4", ["body  oneOf"]),
        ("days=2&rated=yes", ["body /rated type"]),
        ("days=2&rules=other", ["body /rules/0 enum"]),
        ("days=2&rules=noAbort&rules[]=noClaim", ["body /rules duplicate"]),
        ("days=2&extra=%7B", ["body /extra type"]),
        ("days=2&other=1", ["body  unevaluatedProperties"]),
        ("days=2&rated=%zz", ["body /rated encoding"]),
        ("days=2&rated[=true", ["body  unevaluatedProperties"]),
    ] {
        let reply = put(body).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.violations(), places, "{body}");
    }
    let parts = format!(
        "{PART}days\r\n\r\n3\r\n{PART}rules\r\n\r\nnoAbort\r\n{PART}rules\r\n\r\nnoClaim\r\n\
         {PART}extra\r\nContent-Type: application/json\r\n\r\n{{\"note\":\"5\"}}\r\n--XX--"
    );
    let reply = send(&client, "PUT", MULTIPART, &parts).await;
    assert_eq!(text(&reply), r#"{"rules":["noAbort","noClaim"],"extra":{"note":"5"},"days":3}"#);
    let reply = send(&client, "PUT", MULTIPART, &parts.replace("\n3", "\n4")).await;
    assert_eq!(reply.refused(422, "invalid_body").violations(), ["body  oneOf"]);
}
