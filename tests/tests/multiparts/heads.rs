//! What parts say in their heads.

use palisade::{Parts, Upload};

use super::api::*;
use super::*;

type Letter = Parts<GetLetter200, GetLetter200PartHeaders>;

fn letter() -> Letter {
    let page = Upload::new("a").said(Some("p"), Some("image/png"));
    let of_title = GetLetter200TitleHeaders {
        x_lang: GetLetter200TitleXLang::De,
        x_tags: Some(vec!["a".to_owned(), "b c".to_owned()]),
    };
    let of_page = |x_number| GetLetter200PagesHeaders {
        x_number,
        x_size: Some(GetLetter200PagesXSize { w: Some(x_number), h: None }),
    };
    let of_note = GetLetter200NoteHeaders {
        x_note: Some("a, b".to_owned()),
        x_more: Some([("x".to_owned(), 1)].into()),
    };
    Parts {
        form: GetLetter200 {
            title: "t".to_owned(),
            pages: Some(vec![page.clone(), page]),
            note: Some("n".to_owned()),
        },
        headers: GetLetter200PartHeaders {
            title: Some(of_title),
            pages: Some(vec![of_page(1), of_page(2)]),
            note: Some(of_note),
        },
    }
}

/// The letter, with something wrong in it.
pub fn spoilt(how: &str) -> Letter {
    let mut letter = letter();
    let Parts { form, headers } = &mut letter;
    let (title, note) = (headers.title.as_mut().unwrap(), headers.note.as_mut().unwrap());
    let pages = headers.pages.as_mut().unwrap();
    match how {
        "untitled" => headers.title = None,
        "unnumbered" => headers.pages = None,
        "few" => pages.truncate(1),
        "many" => pages.push(pages[0].clone()),
        "unpaged" => form.pages = None,
        "unwritten" => form.note = None,
        "zero" => pages[1].x_number = 0,
        "long" => note.x_note = Some("longer than nine".to_owned()),
        "lines" => note.x_note = Some("a\r\nX: b".to_owned()),
        "line" => note.x_note = Some("a\nX: b".to_owned()),
        "end" => note.x_note = Some("a\r\n\r\nb".to_owned()),
        "null" => note.x_note = Some("a\0".to_owned()),
        "letters" => note.x_note = Some("\u{e9}".to_owned()),
        "space" => note.x_note = Some(" a".to_owned()),
        "more" => note.x_more = Some([("\u{e9}".to_owned(), 1)].into()),
        "comma" => title.x_tags = Some(vec!["a,b".to_owned()]),
        "none" => title.x_tags = Some(vec!["a".to_owned(), String::new()]),
        "item" => title.x_tags = Some(vec!["a ".to_owned(), "b".to_owned()]),
        "bare" => {
            (form.pages, form.note) = (None, None);
            (headers.pages, headers.note) = (None, None);
            title.x_tags = None;
        }
        "headless" => (headers.note, title.x_tags) = (None, Some(Vec::new())),
        _ => {}
    }
    letter
}

const TITLE: &str = "Content-Disposition: form-data; name=\"title\"\r\nContent-Type: text/plain; charset=utf-8\r\nX-Lang: de\r\n";
const PAGE: &str =
    "Content-Disposition: form-data; name=\"pages\"; filename=\"p\"\r\nContent-Type: image/png\r\n";
const NOTE: &str =
    "Content-Disposition: form-data; name=\"note\"\r\nContent-Type: text/plain; charset=utf-8\r\n";

#[tokio::test]
async fn the_heads_of_parts_say_what_is_declared() {
    let client = start().await;
    let get = async |how: &str| client.get(&format!("/letters?as={how}")).send().await;
    let whole = body(&[
        &format!("{TITLE}X-Tags: a,b c\r\n\r\nt"),
        &format!("{PAGE}X-Number: 1\r\nX-Size: w=1\r\n\r\na"),
        &format!("{PAGE}X-Number: 2\r\nX-Size: w=2\r\n\r\na"),
        &format!("{NOTE}X-Note: a, b\r\nX-More: {{\"x\":1}}\r\n\r\nn"),
    ]);
    assert_eq!(parts(&get("whole").await), whole);
    assert_eq!(parts(&post(&client, "/letters", "form-data", &whole).await), whole, "and read again");
    assert_eq!(parts(&get("bare").await), body(&[&format!("{TITLE}\r\nt")]));
    assert!(parts(&get("headless").await).ends_with(&format!("{NOTE}\r\nn\r\n--XX--\r\n")));
    for how in [
        "untitled",
        "unnumbered",
        "few",
        "many",
        "unpaged",
        "unwritten",
        "zero",
        "long",
        "lines",
        "line",
        "end",
        "null",
        "letters",
        "space",
        "more",
        "comma",
        "none",
        "item",
    ] {
        let reply = get(how).await;
        assert_eq!(reply.status.as_u16(), 500, "{how}");
        reply.refused(500, "internal");
    }
}

#[tokio::test]
async fn parts_in_order_have_heads_as_well() {
    let client = start().await;
    let send = async |parts: &[&str]| post(&client, "/leaves", "mixed", &body(parts)).await;
    let text = "Content-Type: text/plain; charset=utf-8\r\n";
    let two =
        [format!("{text}X-Number: 1\r\nX-Word: a b\r\n\r\none"), format!("{text}X-Number: 2\r\n\r\ntwo")];
    let two = [two[0].as_str(), &two[1]];
    assert_eq!(parts(&send(&two).await), body(&two));
    assert_eq!(parts(&send(&[]).await), body(&[]));
    let many = vec![two[0]; 256];
    assert_eq!(parts(&send(&many).await), body(&many));
    for (part, places) in [
        ("X-Word: a\r\n\r\none", vec!["body /1/X-Number required"]),
        ("X-Number: 0\r\n\r\nlonger than nine", vec!["body /1 maxLength", "body /1/X-Number minimum"]),
        ("X-Number: 1\r\nX-Number: 1\r\n\r\none", vec!["body /1/X-Number duplicate"]),
        ("X-Number: one\r\n\r\none", vec!["body /1/X-Number type"]),
        ("X-Number: 1\r\nX-Word: \u{e9}\r\n\r\none", vec!["body /1/X-Word encoding"]),
    ] {
        let reply = send(&[two[0], part]).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.violations(), places, "{part:?}");
    }
    for head in ["X-Number", "X-Number : 1", "X-Number: 1\nX: a", "X-Number: 1\r\n\r\n--XX", ": 1"] {
        let reply = send(&[two[0], &format!("{head}\r\n\r\none")]).await;
        assert!(reply.status.is_client_error(), "{head:?}");
    }
    let reply = post(&client, "/leaves?drop=true", "mixed", &body(&two)).await;
    reply.refused(500, "internal");
}
