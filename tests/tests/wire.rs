//! Parameters in every style, bodies and answers in every form, paths that overlap: allowed and refused side by side.
#![deny(warnings, missing_docs)]

use palisade_tests::client::Reply;
use palisade_tests::wire::start;

/// Whatever meets whatever: it compiles without a warning.
pub mod combinations {
    include!(concat!(env!("OUT_DIR"), "/combinations.rs"));
}

fn text(reply: &Reply) -> String {
    assert_eq!(reply.status.as_u16(), 200, "{:?}", reply.body);
    String::from_utf8(reply.body.to_vec()).unwrap()
}

#[tokio::test]
async fn styles_of_a_path() {
    let client = start().await;
    let get = async |path: &str| client.get(path).send().await;
    assert_eq!(text(&get("/shapes/;colour=red/.1.2/x,3,y,4").await), "red [1, 2] 3 Some(4)");
    assert_eq!(text(&get("/shapes/;colour/./x,0").await), " [] 0 None");
    assert_eq!(text(&get("/shapes/;colour=%3Ba%2F/.5/y,-1,x,2").await), ";a/ [5] 2 Some(-1)");
    for (path, place) in [
        ("/shapes/red/.1/x,3", "path /colour type"),
        ("/shapes/;color=red/.1/x,3", "path /colour type"),
        ("/shapes/;colour=scarlet/.1/x,3", "path /colour maxLength"),
        ("/shapes/;colour=red/1.2/x,3", "path /sizes type"),
        ("/shapes/;colour=red/.1.x/x,3", "path /sizes/1 type"),
        ("/shapes/;colour=red/.1.2.3.4/x,3", "path /sizes maxItems"),
        ("/shapes/;colour=red/.1/x", "path /point type"),
        ("/shapes/;colour=red/.1/y,3", "path /point/x required"),
        ("/shapes/;colour=red/.1/x,-3", "path /point/x minimum"),
        ("/shapes/;colour=red/.1/x,3,x,4", "path /point/x duplicate"),
        ("/shapes/;colour=red/.1/x,3,z,4", "path /point additionalProperties"),
        ("/shapes/;colour=red/.1/x=3", "path /point type"),
    ] {
        let reply = get(path).await;
        reply.refused(400, "invalid_parameters");
        assert_eq!(reply.violations(), [place], "{path}");
    }
}

#[tokio::test]
async fn styles_of_a_query_a_header_and_a_cookie() {
    let client = start().await;
    let get = |query: &str| client.get(&format!("/search{query}"));
    assert_eq!(text(&get("").send().await), "None None None [7] None None None None None");
    let all = "?filter[name]=a&offset=1&sort=b&sort=c&at[x]=1&at%5By%5D=2&ids=1%7C2|3&words=a%20b&where=%7B%22x%22:5%7D&verbose";
    let reply = get(all).header("x-pair", "x=1, y=2").header("cookie", "prefs=a,b%2C").send().await;
    assert_eq!(
        text(&reply),
        r#"Some("a") Some((Some(1), Some(["b", "c"]))) Some((1, Some(2))) [1, 2, 3] Some(["a", "b"]) Some((5, None)) Some("") Some((1, Some(2))) Some(["a", "b,"])"#
    );
    assert_eq!(
        text(&get("?sort=b").send().await),
        r#"None Some((None, Some(["b"]))) None [7] None None None None None"#
    );
    assert_eq!(
        text(&get("?note=%22a+b").send().await),
        r#"None None None [7] None None None None None "a+b"#,
        "text/plain, as it is"
    );
    for (query, place) in [
        ("?note=a%20long", "query /note maxLength"),
        ("?filter[name]=toolong", "query /filter[name] maxLength"),
        ("?filter[other]=a", "query  undeclared"),
        ("?filter=a", "query  undeclared"),
        ("?offset=-1", "query /page/offset minimum"),
        ("?offset=1&offset=2", "query /page/offset type"),
        ("?at[y]=2", "query /at/x required"),
        ("?at[x]=1&at[x]=2", "query /at duplicate"),
        ("?at[x]=1&at[z]=2", "query /at additionalProperties"),
        ("?at[x][]=1&at[x][]=2", "query /at/x type"),
        ("?at[x=1", "query /at type"),
        ("?at=1", "query  undeclared"),
        ("?ids=1|x", "query /ids/1 type"),
        ("?ids=1&ids=2", "query /ids duplicate"),
        ("?where=%7B%22x%22:5", "query /where type"),
        ("?where=%7B%22x%22:-5%7D", "query /where/x minimum"),
        ("?where=%7B%22x%22:1,%22x%22:2%7D", "query /where/x duplicate"),
        ("?where=", "query /where type"),
        ("?ids", "query /ids value"),
    ] {
        let reply = get(query).send().await;
        reply.refused(400, "invalid_parameters");
        assert_eq!(reply.violations(), [place], "{query}");
    }
    let reply = get("?offset=-1&at[y]=1&ids=x&where=1").header("x-pair", "x=1,y").send().await;
    let expected = [
        "query /page/offset minimum",
        "query /at/x required",
        "query /ids/0 type",
        "query /where type",
        "header /X-Pair type",
    ];
    assert_eq!(reply.violations(), expected, "all together");
}

#[tokio::test]
async fn all_of_a_query_is_a_form() {
    let client = start().await;
    let get = |query: &str| client.get(&format!("/find{query}"));
    for (query, understood) in [
        ("", "None"),
        ("?", "Some((None, None, None))"),
        ("?word=a+b%2B", r#"Some((Some("a b+"), None, None))"#),
        (
            "?tags=a,b%2C&near=%7B%22x%22:1%7D&%77ord=",
            r#"Some((Some(""), Some(["a", "b,"]), Some((1, None))))"#,
        ),
    ] {
        assert_eq!(text(&get(query).send().await), understood, "{query}");
    }
    for (query, places) in [
        ("?word=toolong", vec!["query /word maxLength"]),
        ("?word=a&word=b", vec!["query /word duplicate"]),
        ("?word", vec!["query /word value"]),
        ("?word=%zz", vec!["query /word encoding"]),
        ("?wrod=a", vec!["query  additionalProperties"]),
        ("?%ff=a", vec!["query  encoding"]),
        ("?filter=a", vec!["query  additionalProperties"]),
        ("?tags=a,b,c,d&near=%7B%22x%22:-1%7D", vec!["query /tags maxItems", "query /near/x minimum"]),
        ("?near=%7B%22x%22:1,%22x%22:2%7D", vec!["query /near/x duplicate"]),
    ] {
        let reply = get(query).send().await;
        reply.refused(400, "invalid_parameters");
        assert_eq!(reply.violations(), places, "{query}");
    }
    let pairs = |count: usize| format!("?word=a{}", "&a=1".repeat(count - 1));
    let refused = async |query: String| get(&query).send().await.violations().join(",");
    assert_eq!(refused(pairs(100)).await, "query  additionalProperties");
    assert_eq!(refused(pairs(101)).await, "query  count");
}

#[tokio::test]
async fn all_of_a_query_is_a_form_that_its_schema_alone_describes() {
    let client = start().await;
    let head = async |query: &str| client.call("HEAD", &format!("/find{query}")).send().await.status;
    for query in ["?x=1&y=2", "?title=a&tags=b&tags=c"] {
        assert_eq!(head(query).await, 204, "{query}");
    }
    for query in ["", "?", "?x=1&title=a", "?x=-1", "?x=1&x=2"] {
        assert_eq!(head(query).await, 400, "{query}");
    }
}

#[tokio::test]
async fn all_of_a_query_is_a_json_text() {
    let client = start().await;
    let delete = |query: &str| client.call("DELETE", &format!("/find{query}"));
    assert_eq!(text(&delete("?%7B%22x%22:1,%22y%22:%202%7D").send().await), "1 Some(2)");
    assert_eq!(text(&delete("?%7b%22x%22%3a1%7d").send().await), "1 None");
    for (query, place) in [
        ("", "query  required"),
        ("?", "query  type"),
        ("?x=1", "query  type"),
        ("?where=%7B%22x%22:1%7D", "query  type"),
        ("?%7B%22x%22:1%7D&%7B%22x%22:1%7D", "query  type"),
        ("?%7B%22x%22:-1%7D", "query /x minimum"),
        ("?%7B%22x%22:1,%22z%22:1%7D", "query  additionalProperties"),
        ("?%7B%22x%22:1,%22x%22:1%7D", "query /x duplicate"),
        ("?%7B%22x%22:%2B1%7D", "query  type"),
        ("?%7B%22x%22:1%7", "query  encoding"),
        ("?%5B1%5D", "query  type"),
    ] {
        let reply = delete(query).send().await;
        reply.refused(400, "invalid_parameters");
        assert_eq!(reply.violations(), [place], "{query}");
    }
}

#[tokio::test]
async fn a_part_in_base64_is_text_of_that_encoding() {
    let client = start().await;
    let post = async |head: &str, seal: &str| {
        let parts = format!("{PART}\"title\"\r\n\r\na\r\n{PART}\"seal\"{head}\r\n\r\n{seal}\r\n--XX--\r\n");
        let call = client.call("POST", "/forms").header("content-type", "multipart/form-data; boundary=XX");
        call.body(&parts).send().await
    };
    for head in ["", "\r\nContent-Type: text/plain", "\r\nContent-Type: application/octet-stream"] {
        text(&post(head, "-_8").await);
        assert_eq!(post(head, "+/8=").await.refused(422, "invalid_body").violations(), ["body /seal format"]);
    }
    let image = post("\r\nContent-Type: image/png", "-_8").await;
    assert_eq!(image.refused(422, "invalid_body").violations(), ["body /seal contentType"]);
    post("\r\nContent-Transfer-Encoding: base64", "-_8").await.refused(400, "invalid_body");
}

const PART: &str = "--XX\r\nContent-Disposition: form-data; name=";

#[tokio::test]
async fn forms_of_both_kinds_become_one_type() {
    let client = start().await;
    let post = async |content_type: &str, body: &str| {
        client.call("POST", "/forms").header("content-type", content_type).body(body).send().await
    };
    let form = "application/x-www-form-urlencoded";
    let full = post(form, "title=a+b&tags=x,y&point=%7B%22x%22%3A1%7D&file=abc").await;
    assert_eq!(text(&full), r#"form "a b" Some(["x", "y"]) Some((1, None)) Some((b"abc", None))"#);
    let lines = post(form, "title=a%0D%0Ab%09c").await;
    assert_eq!(text(&lines), r#"form "a\r\nb\tc" None None None"#, "what people write in an area of text");
    let multipart = "multipart/form-data; boundary=XX";
    let parts = format!(
        "{PART}\"title\"\r\n\r\na\r\n{PART}\"tags\"\r\n\r\nx\r\n{PART}\"tags\"\r\n\r\ny,z\r\n\
         {PART}\"point\"\r\nContent-Type: application/json\r\n\r\n{{\"x\":1}}\r\n\
         {PART}\"file\"; filename=\"p.png\"\r\nContent-Type: image/png\r\n\r\n\u{1}\r\n\r\n--XX--\r\n"
    );
    assert_eq!(
        text(&post(multipart, &parts).await),
        r#"multipart "a" Some(["x", "y,z"]) Some((1, None)) Some((b"\x01\r\n", Some("p.png")))"#
    );
    for (body, places) in [
        ("tags=a,b,c,d", vec!["body /title required", "body /tags maxItems"]),
        ("title=a&title=b", vec!["body /title duplicate"]),
        ("title=a&point=%7B%22x%22%3A-1%7D", vec!["body /point/x minimum"]),
        ("title=a&point=1,2", vec!["body /point type"]),
        ("title=a&secret=1", vec!["body  additionalProperties"]),
        ("title=a&file=12345678901234567", vec!["body /file maxLength"]),
        ("title=%zz", vec!["body /title encoding"]),
        ("title=a%07b", vec!["body /title control"]),
    ] {
        let reply = post(form, body).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.violations(), places, "{body}");
    }
    let one = |rest: &str| format!("{PART}\"title\"\r\n\r\na\r\n{PART}{rest}\r\n--XX--");
    for (body, place) in [
        (one("\"file\"; filename=\"a\"\r\nContent-Type: image/gif\r\n\r\n"), "body /file contentType"),
        (one("\"file\"\r\n\r\nx"), "body /file contentType"),
        (one("\"title\"\r\n\r\nb"), "body /title duplicate"),
        (one("\"point\"\r\n\r\n{"), "body /point type"),
        (one("\"secret\"\r\n\r\n1"), "body  additionalProperties"),
    ] {
        let reply = post(multipart, &body).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.violations(), [place], "{body}");
    }
    for (content_type, body) in [
        (multipart, "--XX"),
        (multipart, "preamble\r\n--XX--"),
        ("multipart/form-data", "--XX--"),
        ("multipart/form-data; boundary=YY", "--XX--"),
        (form, "%ff=1"),
    ] {
        post(content_type, body).await.refused(400, "invalid_body");
    }
    post("application/json", "{}").await.refused(415, "unsupported_media_type");
    post(form, "").await.refused(422, "invalid_body");
    post(form, &"a=1&".repeat(2000)).await.refused(413, "body_too_large");
}

#[tokio::test]
async fn several_media_types_both_ways() {
    let client = start().await;
    let put = |content_type: &str, body: &str| {
        client.call("PUT", "/media").header("content-type", content_type).body(body)
    };
    let reply = put("application/json", r#"["a"]"#).send().await;
    assert_eq!(text(&reply), r#"["a"]"#);
    assert_eq!((reply.header("content-type"), reply.header("x-count")), ("application/json", "1"));
    assert_eq!(reply.header("x-kinds"), "a,b");
    let reply = put("text/plain", "abc").send().await;
    assert_eq!((text(&reply).as_str(), reply.header("content-type")), ("abc", "text/csv"));
    assert!(reply.headers.get("x-kinds").is_none());
    assert_eq!(text(&put("image/png", "\u{1}\u{2}").send().await), "2 bytes");
    assert_eq!(text(&client.call("PUT", "/media").send().await), "[]", "the body may be absent");
    assert_eq!(text(&put("text/plain; charset=utf-8", "").send().await), "", "the empty text is a text");

    assert_eq!(
        text(&put("application/atom+xml", "\u{1f4a9}<a/>").send().await),
        "\u{1f4a9}<a/>",
        "five characters"
    );

    put("application/atom+xml", "<b></b>").send().await.refused(422, "invalid_body");
    put("application/json", r#"["a","b","c","d"]"#).send().await.refused(422, "invalid_body");
    put("text/plain", "abcdef").send().await.refused(422, "invalid_body");
    put("image/png", "123456789").send().await.refused(422, "invalid_body");
    for content_type in ["application/xml", "application/hal+json", "text/html", "text/plain; charset=latin1"]
    {
        put(content_type, "[]").send().await.refused(415, "unsupported_media_type");
    }
    put("text/plain", "four").send().await.refused(500, "internal");

    for (accept, content_type) in [
        ("*/*", "application/json"),
        ("application/hal+json", "application/hal+json"),
        ("application/json;q=0.1, application/hal+json", "application/hal+json"),
        ("text/csv", "application/json"),
    ] {
        let reply = put("application/json", "[]").header("accept", accept).send().await;
        assert_eq!(reply.allowed(200).header("content-type"), content_type, "{accept}");
    }
    for accept in ["text/html", "application/xml, image/*", "*/*;q=0"] {
        put("application/json", "[]").header("accept", accept).send().await.refused(406, "not_acceptable");
    }
}

#[tokio::test]
async fn texts_and_bytes_of_several_media_types() {
    let client = start().await;
    for (kind, content_type, body) in [
        ("csv", "text/csv", b"a,b".as_slice()),
        ("png", "image/png", &[0x89]),
        ("jpeg", "image/jpeg", &[0xff]),
    ] {
        let reply = client.get(&format!("/reports?as={kind}")).header("accept", content_type).send().await;
        assert_eq!((reply.header("content-type"), &reply.body[..]), (content_type, body), "{kind}");
    }
    client.get("/reports?as=png").header("accept", "image/gif").send().await.refused(406, "not_acceptable");

    let post = async |content_type: &str| {
        client.call("POST", "/reports").header("content-type", content_type).body("a").send().await
    };
    assert_eq!(text(&post("text/markdown").await), "markdown a");
    assert_eq!(text(&post("text/html").await), "html a");
    post("text/plain").await.refused(415, "unsupported_media_type");
}

#[tokio::test]
async fn bytes_of_a_range_say_what_they_are() {
    let client = start().await;
    let get = async |kind: &str| {
        client.get(&format!("/pictures?as={kind}")).header("accept", "image/gif").send().await
    };
    for kind in ["image/b", "audio/mpeg"] {
        let reply = get(kind).await;
        assert_eq!((reply.allowed(200).header("content-type"), text(&reply)), (kind, kind.to_owned()));
    }
    // another kind, a range, and nine bytes of the eight that are declared
    for kind in ["video/b", "image/*", "text/html", "image/abc"] {
        get(kind).await.refused(500, "internal");
    }
}

#[tokio::test]
async fn cookies_of_an_answer_are_a_line_each() {
    let client = start().await;
    let reply = client.get("/reports?as=csv").send().await;
    let cookies: Vec<_> = reply.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT", "b=2"]);
    assert!(client.get("/reports?as=png").send().await.headers.get("set-cookie").is_none());
    client.get("/reports?as=html").send().await.refused(500, "internal");
    let cookies_as = async |kind: &str| {
        let reply = client.get(&format!("/cookies?as={kind}")).send().await;
        let lines = reply.headers.get_all("set-cookie").iter();
        (reply.status.as_u16(), lines.map(|line| line.to_str().unwrap().to_owned()).collect::<Vec<_>>())
    };
    let expires = "Expires=Wed, 09 Jun 2027 10:18:14 GMT";
    let [lang, text] = [format!("lang=en; {expires}"), format!("a=1; {expires}")];
    assert_eq!(cookies_as("object").await, (200, vec![lang, "visits=7".to_owned(), "more=x,y".to_owned()]));
    assert_eq!(cookies_as("text").await, (202, vec![text, "b=2".to_owned()]));
    // the name of another member that is none of a cookie, and a second cookie where one is declared
    for kind in ["name", "lines"] {
        client.get(&format!("/cookies?as={kind}")).send().await.refused(500, "internal");
    }
}

#[tokio::test]
async fn lines_under_a_rule_of_their_whole() {
    let client = start().await;
    let put = async |body: &str| {
        client.call("PUT", "/lines").header("content-type", "application/jsonl").body(body).send().await
    };
    assert!(text(&put("1\n4\n").await).contains('4'));
    for refused in ["1\n2\n", "4\n4\n4\n4\n", "4\n\"a\"\n", "[4]\n"] {
        put(refused).await.refused(422, "invalid_body");
    }
}

#[tokio::test]
async fn streams_of_checked_items() {
    let client = start().await;
    let reply = client.get("/lines").send().await;
    assert_eq!(text(&reply), "{\"x\":0}\n{\"x\":1}\n");
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    let reply = client.get("/lines?from=5").header("accept", "text/event-stream").send().await;
    assert_eq!(text(&reply), "data: {\"x\":5}\n\ndata: {\"x\":6}\n\n");
    assert_eq!(reply.header("content-type"), "text/event-stream");
    // `x` is at least 0: an item that is not never leaves, and the answer does not look whole.
    let raw = client.raw(b"GET /lines?from=-1 HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n").await;
    assert!(!raw.contains("-1") && !raw.ends_with("0\r\n\r\n"), "{raw}");
}

#[tokio::test]
async fn streams_of_events_with_their_fields() {
    let client = start().await;
    let events = client.get("/events?word=7").header("accept", "text/event-stream").send().await;
    let (one, two) = ("event: moved\ndata: {\"x\":1}\n\n", "event: moved\nid: 7\ndata: {\"x\":2}\n\n");
    assert_eq!(text(&events), format!("{one}{two}"));
    // an `id` of two lines would forge a field
    let forged = b"GET /events?word=7_data:x HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n";
    let raw = client.raw(forged).await;
    assert!(!raw.contains("id: 7") && !raw.ends_with("0\r\n\r\n"), "{raw}");
    let sequence = client.get("/events?word=sequence").header("accept", "application/json-seq").send().await;
    assert_eq!(sequence.header("content-type"), "application/json-seq");
    let all = text(&sequence);
    assert!(all.starts_with("\x1e{") && all.ends_with("}\n") && all.matches('\x1e').count() == 2, "{all}");
}

#[tokio::test]
async fn lines_of_a_request_are_a_list() {
    let client = start().await;
    let post = async |content_type: &str, body: &str| {
        client.call("POST", "/lines").header("content-type", content_type).body(body).send().await
    };
    let (three, any) = ("application/x-ndjson", "application/jsonl");
    assert_eq!(text(&post(three, "{\"x\":1}\n{\"x\":2,\"y\":3}\n").await), "[(1, None), (2, Some(3))]");
    assert_eq!(text(&post(any, "{\"x\":1}\r\n{\"x\":2}").await), "[(1, None), (2, None)]");
    assert_eq!(text(&post(any, "").await), "[]", "no line is a list of nothing");
    assert_eq!(text(&post(any, &"{\"x\":1}\n".repeat(4)).await).matches('1').count(), 4);
    for (body, places) in [
        ("{\"x\":1}\n{\"x\":-1}\n{}", vec!["body /1/x minimum", "body /2/x required"]),
        ("[]", vec!["body /0 type"]),
        (&"{\"x\":1}\n".repeat(4), vec!["body  maxItems"]),
    ] {
        let reply = post(three, body).await;
        assert_eq!(reply.refused(422, "invalid_body").violations(), places, "{body}");
    }
    for body in ["\n", "{\"x\":1}\n\n", "{\"x\":1} {\"x\":2}", "{\"x\":\n1}", "{\"x\":[[[[[[1]]]]]]}"] {
        post(three, body).await.refused(400, "invalid_body");
    }
    post("application/json", "[]").await.refused(415, "unsupported_media_type");
}

#[tokio::test]
async fn overlapping_paths_go_to_the_more_concrete_one() {
    let client = start().await;
    for (method, path, answer) in [
        ("GET", "/files/a.b.json", "json a.b"),
        ("GET", "/files/a%2Fb.json", "json a/b"),
        ("GET", "/files/a.xml", "file a.xml"),
        ("GET", "/files/.json", "file .json"),
        ("GET", "/files/caf%C3%A9%20a", "coffee"),
        ("GET", "/files/caf%C3%A9%20b", "file café b"),
        ("DELETE", "/files/a.xml", "gone a.xml"),
        ("GET", "/files/a/meta", "meta a"),
        ("GET", "/files/new/a", "new a"),
        ("GET", "/files/new/meta", "new meta"),
    ] {
        assert_eq!(text(&client.call(method, path).send().await), answer, "{method} {path}");
    }
    for path in ["/files/", "/files/a/b", "/files/a/meta/", "/files"] {
        client.get(path).send().await.refused(404, "not_found");
    }
    client.call("DELETE", "/files/a.json").send().await.refused(405, "method_not_allowed");
}

#[tokio::test]
async fn all_of_a_query_is_a_text() {
    let client = start().await;
    let select = |query: &str| client.call("OPTIONS", &format!("/find{query}"));
    for (query, understood) in [
        ("", "None"),
        ("?", r#"Some("")"#),
        ("?%24.a.b%5B1%3A1%5D", r#"Some("$.a.b[1:1]")"#),
        ("?a=1&b=%26+", r#"Some("a=1&b=&+")"#),
    ] {
        assert_eq!(text(&select(query).send().await), understood, "{query}");
    }
    for (query, place) in [
        ("?123456789012", "query  maxLength"),
        ("?%zz", "query  encoding"),
        ("?%ff", "query  encoding"),
        ("?%00", "query  encoding"),
    ] {
        let reply = select(query).send().await;
        reply.refused(400, "invalid_parameters");
        assert_eq!(reply.violations(), [place], "{query}");
    }
}

#[tokio::test]
async fn events_of_a_whole_that_is_an_array() {
    let client = start().await;
    let post = async |body: &str| {
        client.call("POST", "/events").header("content-type", "text/event-stream").body(body).send().await
    };
    let one = "id: a\ndata: {\"x\":1}\n\n";
    let other = "data: {\"x\":\ndata: 2}\n\n";
    assert_eq!(text(&post(&format!("{one}{other}")).await), r#"Some("a") 1; None 2"#);
    for (body, place) in
        [(one.repeat(3), "body  maxItems"), ("data: {\"x\":-1}\n\n".to_owned(), "body /0/data/x minimum")]
    {
        assert_eq!(post(&body).await.refused(422, "invalid_body").violations(), [place]);
    }
    post("data: {}").await.refused(400, "invalid_body");
}
