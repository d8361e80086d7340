//! Texts of every format: taken and refused side by side.

use palisade_tests::json::start;
use serde_json::json;

/// A format, a text of it, and one that is not.
const FORMATS: [(&str, &str, &str); 22] = [
    ("uuid", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "f81d4fae7dec11d0a76500a0c91e6bf6"),
    ("date", "2024-02-29", "2023-02-29"),
    ("date-time", "2024-02-29T23:59:59.5+01:00", "2024-02-29T23:59:59"),
    ("time", "23:59:59.5+01:00", "23:59:59"),
    ("duration", "P1Y2M3DT4H5M6S", "P1Y1W"),
    ("email", "joe@example.com", "joe@exämple.com"),
    ("idn-email", "jö@exämple.com", "jö@-exämple.com"),
    ("hostname", "xn--exmple-cua.com", "xn--ex.com"),
    ("idn-hostname", "exämple.com", "exämple..com"),
    ("ipv4", "192.0.2.1", "192.0.2.01"),
    ("ipv6", "2001:db8::1", "2001:db8::1%eth0"),
    ("uri", "https://example.com/a?b#c", "/a?b#c"),
    ("uri-reference", "/a?b#c", "/ä"),
    ("iri", "https://example.com/ä", "/ä"),
    ("iri-reference", "/ä", "/ä ä"),
    ("uri-template", "/a/{b}{?c*}", "/a/{b"),
    ("json-pointer", "/a/~0b", "a"),
    ("relative-json-pointer", "1/a", "-1/a"),
    ("regex", "^(?<year>[0-9]{4})-(?!00)", "^(?P<year>x)"),
    ("byte", "Zm9v", "Zm9"),
    ("base64url", "-_8", "+/8"),
    ("decimal", "-12345678901234567890.50", "1e5"),
];

#[tokio::test]
async fn every_format() {
    let client = start().await;
    for (format, of_it, other) in FORMATS {
        let send = |text: &str| client.post("/texts", &json!({ format: text }).to_string()).send();
        send(of_it).await.allowed(204);
        let reply = send(other).await;
        assert_eq!(
            reply.refused(422, "invalid_body").violations(),
            [format!("body /{format} format")],
            "{other}"
        );
    }
    for (body, status) in [(r#"{"mixed":7}"#, 204), (r#"{"mixed":"PT7S"}"#, 204), (r#"{"mixed":"7s"}"#, 422)]
    {
        client.post("/texts", body).send().await.allowed(status);
    }
}
