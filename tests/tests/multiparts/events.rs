//! Server-sent events of a request that are a choice.

use super::*;

async fn send(client: &Client, method: &str, events: &str) -> Reply {
    client.call(method, "/events").header("content-type", "text/event-stream").body(events).send().await
}

fn text(reply: &Reply) -> String {
    assert_eq!(reply.status.as_u16(), 200, "{:?}", reply.body);
    String::from_utf8(reply.body.to_vec()).unwrap()
}

#[tokio::test]
async fn each_event_is_read_as_its_own_alternative() {
    let client = start().await;
    let events = "event: said\ndata: hello\n\nevent: moved\nid: 7\ndata: {\"x\":\ndata: 1}\n\nevent: said\ndata: {\"x\":1}\n\nevent: said\ndata: 5\n\n";
    let read = text(&send(&client, "POST", events).await);
    let said = read.matches("Said(").count();
    assert_eq!((said, read.matches("Moved(").count()), (3, 1), "{read}");
    for words in ["\"hello\"", "Point { x: 1 }", r#""{\"x\":1}""#, "\"5\"", "Some(\"7\")"] {
        assert!(read.contains(words), "{words} of {read}");
    }
    for (events, place) in [
        ("event: said\ndata: longer than twenty letters\n\n", "/0"),
        ("event: said\ndata: a\n\nevent: moved\ndata: {\"x\":-1}\n\n", "/1"),
        ("event: moved\ndata: a\n\n", "/0"),
        ("event: moved\ndata: {\"x\":1\n\n", "/0"),
        ("event: other\ndata: a\n\n", "/0"),
        ("data: a\n\n", "/0"),
        ("event: said\nid: 1\ndata: a\n\n", "/0"),
    ] {
        let reply = send(&client, "POST", events).await;
        reply.refused(422, "invalid_body");
        assert!(
            reply.violations().iter().all(|one| one.contains(place)),
            "{events:?} {:?}",
            reply.violations()
        );
    }
    let deep = format!("event: moved\ndata: {}{}\n\n", "[".repeat(100_000), "]".repeat(100_000));
    send(&client, "POST", &deep).await.refused(422, "invalid_body");
}

#[tokio::test]
async fn data_alone_may_be_a_choice_as_well() {
    let client = start().await;
    let read = text(&send(&client, "PUT", "data: abc\n\ndata: {\"x\":1}\n\n").await);
    assert!(read.contains("\"abc\"") && read.contains("Point { x: 1 }"), "{read}");
    let read = text(&send(&client, "PUT", "data: \"ab\"\n\n").await);
    assert!(read.contains(r#""\"ab\"""#), "a text where a text fits, though it is JSON as well: {read}");
    for events in ["data: {\"x\":-1}\n\n", "data: abcdef\n\n", "data: [1,2,3]\n\n", "id: 1\ndata: a\n\n"] {
        send(&client, "PUT", events).await.refused(422, "invalid_body");
    }
    let reply = send(&client, "PUT", &"data: a\n\n".repeat(4)).await;
    reply.refused(422, "invalid_body");
    assert_eq!(reply.violations(), ["body  maxItems"]);
}
