//! Server-sent events (the HTML standard, section 9.2.6), written so that nothing that is in a field ends it.
//!
//! Rules:
//! 1. `data` that is a text is its lines, each of which has the name of the field; other data is JSON, which is one line;
//! 2. `event` and `id` are one line, and an `id` has no NULL character: a client would ignore it;
//! 3. `retry` is a number of milliseconds in digits;
//! 4. `null` is what a field is that is not set.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Unfit;

/// The fields of an event.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event<'e> {
    event: Option<String>,
    id: Option<String>,
    retry: Option<u64>,
    #[serde(borrow)]
    data: Option<&'e RawValue>,
}

/// An event that says this, which is given as JSON.
pub(super) fn of_data(json: &str) -> Result<Vec<u8>, Unfit> {
    let mut frame = String::new();
    write_data(json, &mut frame);
    frame.push('\n');
    Ok(frame.into_bytes())
}

/// The event that an object of its fields describes.
pub(super) fn of_fields(json: &str) -> Result<Vec<u8>, Unfit> {
    let event: Event<'_> = serde_json::from_str(json).map_err(Unfit::Unserializable)?;
    let mut frame = String::new();
    for (name, value) in [("event", event.event), ("id", event.id)] {
        let Some(value) = value else { continue };
        if value.contains(['\r', '\n']) || (name == "id" && value.contains('\0')) {
            return Err(Unfit::EventField(name));
        }
        _ = writeln!(frame, "{name}: {value}");
    }
    if let Some(retry) = event.retry {
        _ = writeln!(frame, "retry: {retry}");
    }
    if let Some(data) = event.data {
        write_data(data.get(), &mut frame);
    }
    frame.push('\n');
    Ok(frame.into_bytes())
}

fn write_data(json: &str, frame: &mut String) {
    let text = match serde_json::from_str::<String>(json) {
        Ok(text) => text.replace("\r\n", "\n").replace('\r', "\n"),
        Err(_) => json.to_owned(),
    };
    for line in text.split('\n') {
        _ = writeln!(frame, "data: {line}");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_cannot_leave_its_event() {
        let forged = json!("a\r\n\r\nevent: x\rb").to_string();
        assert_eq!(of_data(&forged).unwrap(), b"data: a\ndata: \ndata: event: x\ndata: b\n\n");
        assert_eq!(of_data(r#"{"a":"b\n"}"#).unwrap(), b"data: {\"a\":\"b\\n\"}\n\n");
    }

    #[test]
    fn an_event_has_its_fields() {
        let written = |event: serde_json::Value| {
            of_fields(&event.to_string()).map(|frame| String::from_utf8(frame).unwrap()).ok()
        };
        let all = json!({ "data": "a\nb", "event": "add", "id": "7", "retry": 3000 });
        assert_eq!(written(all).as_deref(), Some("event: add\nid: 7\nretry: 3000\ndata: a\ndata: b\n\n"));
        assert_eq!(written(json!({ "data": { "a": "\n" } })).as_deref(), Some("data: {\"a\":\"\\n\"}\n\n"));
        assert_eq!(written(json!({ "data": "", "id": null })).as_deref(), Some("data: \n\n"));
        for refused in [
            json!({ "data": "", "event": "add\ndata: forged" }),
            json!({ "data": "", "event": "add\rdata: forged" }),
            json!({ "data": "", "id": "7\n" }),
            json!({ "data": "", "id": "7\0" }),
            json!({ "data": "", "retry": -1 }),
            json!({ "data": "", "more": 1 }),
        ] {
            assert_eq!(written(refused.clone()), None, "{refused}");
        }
    }
}
