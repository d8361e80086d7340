//! Hostile requests of HTTP/2, frame by frame, each over a connection of its own (RFC 9113, RFC 7541).
//!
//! Whatever comes: nothing of it is done, no 5xx, and a good request right afterwards succeeds. Beside what is refused stands what
//! differs from it in one thing and passes.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use palisade::Settings;
use palisade_tests::attacks::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, RST_STREAM, SETTINGS, Said, WINDOW_UPDATE,
    exchange, fields, frame, text,
};
use palisade_tests::attacks::{CREATED, Fortress, NOTE};

type Field = (String, String);

const SCOPES: &str = "notes:read notes:write";
const BODY: &[u8] = br#"{"title":"tea","priority":2}"#;
const WHOLE: u8 = END_STREAM | END_HEADERS;

fn field(name: &str, value: impl Into<String>) -> Field {
    (name.to_owned(), value.into())
}

/// The good request that reads.
fn reading(fortress: &Fortress) -> Vec<Field> {
    vec![
        field(":method", "GET"),
        field(":scheme", "http"),
        field(":authority", "test"),
        field(":path", format!("/notes/{NOTE}")),
        field("authorization", format!("Bearer {}", fortress.token("alice", SCOPES))),
    ]
}

/// The good request that writes, without its body.
fn writing(fortress: &Fortress) -> Vec<Field> {
    let mut all = with(&reading(fortress), &[(":method", "POST"), (":path", "/notes")]);
    all.push(field("content-type", "application/json"));
    all
}

/// With other values for fields that are there.
fn with(all: &[Field], changed: &[(&str, &str)]) -> Vec<Field> {
    let value = |(name, value): &Field| {
        let other = changed.iter().find(|(known, _)| known == name).map(|(_, value)| (*value).to_owned());
        (name.clone(), other.unwrap_or_else(|| value.clone()))
    };
    all.iter().map(value).collect()
}

fn and(all: &[Field], more: &[(&str, &str)]) -> Vec<Field> {
    all.iter().cloned().chain(more.iter().map(|(name, value)| field(name, *value))).collect()
}

fn without(all: &[Field], names: &[&str]) -> Vec<Field> {
    all.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect()
}

/// A request without a body on the first stream.
fn request(all: &[Field]) -> Vec<u8> {
    frame(HEADERS, WHOLE, 1, &fields(all))
}

/// A request whose body is these pieces.
fn with_body(all: &[Field], pieces: &[&[u8]]) -> Vec<u8> {
    let last = pieces.len() - 1;
    let data = pieces.iter().enumerate().map(|(at, piece)| frame(DATA, u8::from(at == last), 1, piece));
    std::iter::once(frame(HEADERS, END_HEADERS, 1, &fields(all))).chain(data).flatten().collect()
}

async fn fortress() -> Fortress {
    Fortress::start(Settings::default().header_timeout(Duration::from_secs(2))).await
}

async fn ask(fortress: &Fortress, bytes: &[u8]) -> Said {
    exchange(fortress.address, bytes).await
}

/// Each is refused, and does not keep others from being served.
async fn all_refused(fortress: &Fortress, attacks: Vec<(String, Vec<u8>)>) {
    for (what, bytes) in attacks {
        let said = ask(fortress, &bytes).await;
        assert!(said.refused(), "{what}: {said:?}");
        let after = ask(fortress, &request(&reading(fortress))).await;
        assert_eq!(after.status(1), Some(200), "after {what}");
    }
}

#[tokio::test]
async fn what_is_good_passes_and_what_is_twice_does_not() {
    let fortress = fortress().await;
    let good = reading(&fortress);
    let status = async |all: &[Field]| ask(&fortress, &request(all)).await.status(1);
    assert_eq!(status(&good).await, Some(200));
    assert_eq!(status(&and(&good, &[("host", "test")])).await, Some(200), "the same host twice");
    assert_eq!(status(&and(&without(&good, &[":authority"]), &[("host", "test")])).await, Some(200));
    assert_eq!(status(&and(&good, &[("te", "trailers")])).await, Some(200), "RFC 9113 section 8.2.2");
    assert_eq!(status(&without(&good, &["authorization"])).await, Some(401));
    let twice = fortress.token("alice", SCOPES);
    assert_eq!(status(&and(&good, &[("authorization", &format!("Bearer {twice}"))])).await, Some(400));
    assert_eq!(status(&and(&good, &[("host", "other")])).await, Some(400), "RFC 9113 section 8.3.1");
    assert_eq!(status(&and(&good, &[("host", "test"), ("host", "test")])).await, Some(400));
    assert_eq!(status(&without(&good, &[":authority"])).await, Some(400), "for nobody");
    assert_eq!(status(&with(&good, &[(":authority", "alice@test")])).await, Some(400));
}

/// RFC 9113 section 8.2.3: a browser may send each cookie in a field of its own.
#[tokio::test]
async fn cookies_in_pieces_are_one_list() {
    let fortress = fortress().await;
    let session = format!("sid={}", fortress.session);
    let door = with(&without(&reading(&fortress), &["authorization"]), &[(":path", "/session")]);
    let status = async |more: &[(&str, &str)]| ask(&fortress, &request(&and(&door, more))).await.status(1);
    assert_eq!(status(&[("cookie", &session)]).await, Some(204));
    assert_eq!(status(&[("cookie", "mood=good"), ("cookie", &session), ("cookie", "a=1")]).await, Some(204));
    assert_eq!(status(&[("cookie", &session), ("cookie", &session)]).await, Some(400), "twice");
    assert_eq!(status(&[("cookie", &session), ("cookie", "mood=a"), ("cookie", "mood=b")]).await, Some(400));
    assert_eq!(status(&[("cookie", "a=1")]).await, Some(401));
}

/// RFC 9113 sections 8.1.1, 8.2 and 8.3: a malformed request is no request.
#[tokio::test]
async fn malformed_fields_are_refused() {
    let fortress = fortress().await;
    let good = reading(&fortress);
    let mut attacks: Vec<(String, Vec<Field>)> = Vec::new();
    let of_connections = [
        ("connection", "keep-alive"),
        ("keep-alive", "1"),
        ("proxy-connection", "close"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
    ];
    let spelled = [
        ("X-Upper", "a"),
        ("x y", "a"),
        ("x\r\nauthorization", "a"),
        ("x:y", "a"),
        ("", "a"),
        ("x\0", "a"),
        ("x-value", "a\r\nauthorization: b"),
        ("x-value", "a\nb"),
        ("x-value", "a\0b"),
    ];
    let pseudo = [
        (":status", "200"),
        (":unknown", "a"),
        (":path", "/notes"),
        (":method", "GET"),
        (":authority", "test"),
    ];
    for (name, value) in of_connections.into_iter().chain(spelled).chain(pseudo) {
        attacks.push((format!("{name:?}: {value:?}"), and(&good, &[(name, value)])));
    }
    for name in [":method", ":scheme", ":path"] {
        attacks.push((format!("without {name}"), without(&good, &[name])));
    }
    let own = format!("/notes/{NOTE}");
    let paths = [
        "",
        "*",
        "notes",
        "//",
        &own[1..],
        &format!("http://other{own}"),
        &format!("{own} HTTP/1.1\r\nx: y"),
        &format!("{own}\0"),
    ];
    for path in paths {
        attacks.push((format!("the path {path:?}"), with(&good, &[(":path", path)])));
    }
    for method in ["CONNECT", "", "get", "G ET", "TRACE", "PRI"] {
        attacks.push((format!("the method {method:?}"), with(&good, &[(":method", method)])));
    }
    attacks.push((
        "an extended CONNECT".into(),
        and(&with(&good, &[(":method", "CONNECT")]), &[(":protocol", "websocket")]),
    ));
    attacks.push(("a protocol".into(), [vec![field(":protocol", "websocket")], good.clone()].concat()));
    attacks.push((
        "the host after other fields".into(),
        and(&without(&good, &[":authority"]), &[(":authority", "test")]),
    ));
    let attacks = attacks.into_iter().map(|(what, all)| (what, request(&all))).collect();
    all_refused(&fortress, attacks).await;
}

/// RFC 9113 section 8.1.1: a length that is not that of the data; fields behind a body are no fields of the request.
#[tokio::test]
async fn bodies_are_as_long_as_they_say_and_trailers_are_no_credentials() {
    let fortress = fortress().await;
    let good = writing(&fortress);
    let length = |length: &str| and(&good, &[("content-length", length)]);
    let created = || CREATED.load(Ordering::SeqCst);
    let before = created();
    for (what, bytes) in [
        ("no length", with_body(&good, &[BODY])),
        ("its length", with_body(&length(&BODY.len().to_string()), &[BODY])),
        ("in pieces", with_body(&good, &[&BODY[..3], &[], &BODY[3..]])),
    ] {
        assert_eq!(ask(&fortress, &bytes).await.status(1), Some(201), "{what}");
    }
    assert_eq!(created(), before + 3);
    let anonymous = without(&good, &["authorization"]);
    let trailers = |head: &[Field], trailers: &[Field]| {
        let head = frame(HEADERS, END_HEADERS, 1, &fields(head));
        [head, frame(DATA, 0, 1, BODY), frame(HEADERS, WHOLE, 1, &fields(trailers))].concat()
    };
    let own = fortress.token("alice", SCOPES);
    let mut attacks: Vec<(String, Vec<u8>)> =
        ["0", "27", "29", "-1", "+28", "28, 28", "0x1c", "99999999999999999999999"]
            .map(|text| (format!("a length of {text}"), with_body(&length(text), &[BODY])))
            .into();
    attacks.extend([
        ("two lengths".into(), with_body(&and(&length("28"), &[("content-length", "27")]), &[BODY])),
        ("a length and no body".into(), request(&length("28"))),
        (
            "data behind its end".into(),
            [with_body(&good, &[&BODY[..3]]), frame(DATA, END_STREAM, 1, &BODY[3..])].concat(),
        ),
        (
            "credentials behind the body".into(),
            trailers(&anonymous, &[field("authorization", format!("Bearer {own}"))]),
        ),
        ("a pseudo-field of nobody behind the body".into(), trailers(&good, &[field(":foo", "x")])),
        ("white space around a value".into(), with_body(&and(&good, &[("x-note", " a")]), &[BODY])),
        ("white space behind a value".into(), with_body(&and(&good, &[("x-note", "a\t")]), &[BODY])),
        (
            "padding longer than the frame".into(),
            [frame(HEADERS, END_HEADERS, 1, &fields(&good)), frame(DATA, END_STREAM | 8, 1, &[200, 1, 2])]
                .concat(),
        ),
    ]);
    all_refused(&fortress, attacks).await;
    assert_eq!(created(), before + 3, "nothing of it was done");
    // RFC 9113 section 8.1 would have it refused; the library reads those that it knows, and drops them
    let another_method = trailers(&good, &[field(":method", "GET")]);
    assert_eq!(ask(&fortress, &another_method).await.status(1), Some(201), "it stays what its head says");
    assert_eq!(created(), before + 4);
}

/// RFC 9113 sections 4.2, 5.1 and 6; RFC 7541 sections 4.2, 5.1 and 6.1.
#[tokio::test]
async fn malformed_frames_end_the_connection_and_nothing_else() {
    let fortress = fortress().await;
    let good = fields(&reading(&fortress));
    let head = |stream| frame(HEADERS, WHOLE, stream, &good);
    let block = |bytes: &[u8]| frame(HEADERS, WHOLE, 1, bytes);
    // a field that is remembered (0x40), and then its number (62) again and again
    let bomb = |value: usize, times: usize| {
        let field = [&[0x40][..], &text(b"a"), &text(&vec![b'b'; value])].concat();
        block(&[&good, &field, &*vec![0xbe; times]].concat())
    };
    for (what, bytes) in [
        ("a table of the default size", block(&[&[0x3f, 0xe1, 0x1f][..], &good].concat())),
        ("one field many times", bomb(10, 50)),
        (
            "fields in two frames",
            [frame(HEADERS, END_STREAM, 1, &good[..20]), frame(CONTINUATION, END_HEADERS, 1, &good[20..])]
                .concat(),
        ),
        ("frames of a kind that nobody knows", [frame(200, 255, 0, &[1; 100]), head(1)].concat()),
    ] {
        assert_eq!(ask(&fortress, &bytes).await.status(1), Some(200), "{what}");
    }
    let attacks = [
        ("fields on the connection", head(0)),
        ("a stream of the server", head(2)),
        ("streams that go back", [head(5), frame(HEADERS, END_HEADERS, 3, &good)].concat()),
        ("data before fields", frame(DATA, END_STREAM, 1, BODY)),
        ("a window that grows by nothing", frame(WINDOW_UPDATE, 0, 0, &[0; 4])),
        ("a window that is too large", frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff])),
        ("settings in pieces", frame(SETTINGS, 0, 0, &[0; 5])),
        ("settings of a stream", frame(SETTINGS, 0, 1, &[0; 6])),
        ("a window of more than there is", frame(SETTINGS, 0, 0, &[0, 4, 0xff, 0xff, 0xff, 0xff])),
        ("a short ping", frame(PING, 0, 0, &[0; 7])),
        ("more fields of none", frame(CONTINUATION, END_HEADERS, 1, &good)),
        (
            "something between fields",
            [
                frame(HEADERS, END_STREAM, 1, &good[..20]),
                frame(PING, 0, 0, &[0; 8]),
                frame(CONTINUATION, END_HEADERS, 1, &good[20..]),
            ]
            .concat(),
        ),
        ("a frame that is too long", frame(HEADERS, WHOLE, 1, &[good.as_slice(), &[0; 20_000]].concat())),
        ("a field without a number", block(&[0x80])),
        ("a field that is not there", block(&[0xff, 0x80, 0x01])),
        ("a number without an end", block(&[&[0xff][..], &[0xff; 40]].concat())),
        ("a string that is not there", block(&[0, 100, b'a'])),
        ("a table that is too large", block(&[&[0x3f, 0xe1, 0xff, 0x03][..], &good].concat())),
        ("few bytes that become many", bomb(3_900, 8_000)),
    ];
    all_refused(&fortress, attacks.map(|(what, bytes)| (what.to_owned(), bytes)).into()).await;
}

/// What costs the client little and the server much, as often as it can.
#[tokio::test]
async fn floods_end_and_others_are_served_meanwhile() {
    let fortress = fortress().await;
    let good = fields(&reading(&fortress));
    let streams = || (0..20_000_u32).map(|number| number * 2 + 1);
    let resets = streams()
        .map(|id| [frame(HEADERS, WHOLE, id, &good), frame(RST_STREAM, 0, id, &[0, 0, 0, 8])].concat());
    let fields_without_end = std::iter::once(frame(HEADERS, END_STREAM, 1, &good))
        .chain((0..4_000).map(|_| frame(CONTINUATION, 0, 1, &fields(&[("x-more", "a".repeat(8_000))]))));
    let empty_fields = std::iter::once(frame(HEADERS, END_STREAM, 1, &good))
        .chain((0..200_000).map(|_| frame(CONTINUATION, 0, 1, &[])));
    let floods = [
        ("streams that are taken back (CVE-2023-44487)", resets.flatten().collect::<Vec<u8>>()),
        ("fields without an end", fields_without_end.flatten().collect()),
        ("fields in no bytes without an end", empty_fields.flatten().collect()),
        ("pings", (0..200_000).flat_map(|_| frame(PING, 0, 0, &[0; 8])).collect()),
        ("settings", (0..200_000).flat_map(|_| frame(SETTINGS, 0, 0, &[])).collect()),
    ];
    for (what, bytes) in floods {
        let begun = Instant::now();
        let flood = ask(&fortress, &bytes);
        let meanwhile = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            ask(&fortress, &request(&reading(&fortress))).await
        };
        let (said, meanwhile) = tokio::join!(flood, meanwhile);
        assert_eq!(meanwhile.status(1), Some(200), "beside {what}");
        assert!(said.statuses.iter().all(|(_, status)| *status < 500), "{what}: {said:?}");
        println!("{what}: {} answers, gone {}, {:?}", said.statuses.len(), said.gone, begun.elapsed());
        assert!(said.gone || said.statuses.is_empty(), "{what}: {said:?}");
    }
}
