//! Parts that are told by their places.

use palisade::{Parts, Upload};

use super::api::*;
use super::*;

type Album = Parts<GetAlbum200, GetAlbum200PartHeaders>;

fn album() -> Album {
    Parts {
        form: GetAlbum200 {
            part1: GetAlbum200Part1 { author: "a".to_owned() },
            part2: Some(Upload::new("\r\n--XX\0").said(Some("p"), Some("image/png"))),
            rest: vec![7, 8],
        },
        headers: GetAlbum200PartHeaders {
            part1: Some(GetAlbum200Part1Headers { x_lang: "de".to_owned() }),
            rest: Some([1, 2].map(|x_number| GetAlbum200RestHeaders { x_number }).into()),
        },
    }
}

/// The album, with something wrong in it.
pub fn spoilt(how: &str) -> Album {
    let mut album = album();
    let Parts { form, headers } = &mut album;
    match how {
        "gap" => form.part2 = None,
        "short" => (form.rest, headers.rest) = (Vec::new(), None),
        "shorter" => {
            form.part2 = None;
            (form.rest, headers.rest) = (Vec::new(), None);
        }
        "many" => form.rest = vec![7; 4],
        "zero" => form.rest[1] = 0,
        "headless" => headers.part1 = None,
        "few" => headers.rest.as_mut().unwrap().truncate(1),
        "typed" => form.part2 = Some(Upload::new("a").said(None, Some("text/html"))),
        _ => {}
    }
    album
}

const FIRST: &str = "Content-Type: application/json\r\nX-Lang: de\r\n\r\n{\"author\":\"a\"}";
const PICTURE: &str =
    "Content-Disposition: attachment; filename=\"p\"\r\nContent-Type: image/png\r\n\r\n\r\n-\0";

fn other(number: i64, value: &str) -> String {
    format!("Content-Type: text/plain; charset=utf-8\r\nX-Number: {number}\r\n\r\n{value}")
}

#[tokio::test]
async fn an_answer_has_its_parts_in_their_places() {
    let client = start().await;
    let get = async |how: &str| client.get(&format!("/albums?as={how}")).send().await;
    let picture = PICTURE.replace("\r\n-\0", "\r\n--XX\0");
    let reply = get("whole").await;
    let boundary = reply.header("content-type").strip_prefix("multipart/mixed; boundary=").unwrap();
    let whole = body(&[FIRST, &picture, &other(1, "7"), &other(2, "8")]);
    assert_eq!(parts(&reply), whole);
    // under its own boundary, as its content has the line of another
    let content = String::from_utf8(reply.body.to_vec()).unwrap();
    let kind = format!("mixed; boundary={boundary}");
    let again = client.call("POST", "/albums").header("content-type", &format!("multipart/{kind}"));
    assert_eq!(parts(&again.body(&content).send().await), whole, "and read again");
    assert_eq!(parts(&get("short").await), body(&[FIRST, &picture]));
    assert_eq!(parts(&get("shorter").await), body(&[FIRST]));
    for how in ["gap", "many", "zero", "headless", "few", "typed"] {
        let reply = get(how).await;
        assert_eq!(reply.status.as_u16(), 500, "{how}");
        reply.refused(500, "internal");
    }
}

#[tokio::test]
async fn a_request_is_read_by_the_places_of_its_parts() {
    let client = start().await;
    let send = async |parts: &[&str]| post(&client, "/albums", "mixed", &body(parts)).await;
    let [one, two, none] = [other(1, "1"), other(2, "2"), other(3, "0")];
    for sent in [
        vec![FIRST],
        vec![FIRST, PICTURE],
        vec![FIRST, PICTURE, &one],
        vec![FIRST, PICTURE, &one, &two, &one],
    ] {
        assert_eq!(parts(&send(&sent).await), body(&sent));
    }
    let named = format!("Content-Disposition: form-data; name=\"part2\"\r\n{FIRST}");
    assert_eq!(parts(&send(&[&named, PICTURE]).await), body(&[FIRST, PICTURE]), "a name says nothing");
    let untyped = "X-Lang: de\r\n\r\n{\"author\":\"longer than nine\"}";
    for (sent, places) in [
        (vec![], vec!["body /0 required"]),
        (vec![PICTURE, FIRST], vec!["body /0 contentType", "body /1 contentType", "body /0/X-Lang required"]),
        (vec![untyped], vec!["body /0/author maxLength"]),
        (vec!["X-Lang: de\r\n\r\n{}"], vec!["body /0/author required"]),
        (vec!["\r\n{\"author\":\"a\"}"], vec!["body /0/X-Lang required"]),
        (vec![FIRST, PICTURE, &one, &none], vec!["body /3 minimum"]),
        (vec![FIRST, PICTURE, "\r\nx", &none], vec!["body /2 type", "body /2/X-Number required"]),
        (vec![FIRST, PICTURE, &one, &one, &one, &one], vec!["body  maxItems"]),
    ] {
        let reply = send(&sent).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.violations(), places, "{sent:?}");
    }
    send(&vec![FIRST; 257]).await.refused(400, "invalid_body");
}

#[tokio::test]
async fn where_there_are_no_others_each_part_has_its_place() {
    let client = start().await;
    let send = async |parts: &[&str]| post(&client, "/pairs", "related", &body(parts)).await;
    let list = "Content-Type: application/json\r\n\r\n[1,2]";
    let style = "Content-Type: text/css\r\n\r\na{}";
    for sent in [vec![], vec![list], vec![list, style]] {
        assert_eq!(parts(&send(&sent).await), body(&sent));
    }
    for (sent, places) in [
        (vec![list, style, style], vec!["body  maxItems"]),
        (vec![style], vec!["body /0 contentType"]),
        (vec![list, list], vec!["body /1 contentType"]),
        (
            vec!["\r\n[\"a\"]", "Content-Type: text/css\r\n\r\nlonger"],
            vec!["body /0/0 type", "body /1 maxLength"],
        ),
    ] {
        let reply = send(&sent).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.violations(), places, "{sent:?}");
    }
}
