//! What an answer writes, the reader of the same document reads as the same value.

mod heads;
mod places;

use std::collections::BTreeMap;

use axum::body::Body;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;

use super::super::upload::Spool;
use super::super::{Boxed, Json, Upload, Violations, arriving, no_rule, sample::Part};
use super::*;
use crate::answer::{Accept, Answer, Notice, Unfit};
use crate::input::arriving::Arrival;
use crate::settings::Settings;

#[derive(Clone, Debug, Default, PartialEq)]
struct All {
    title: String,
    count: Option<i64>,
    ratio: Option<f64>,
    tags: Option<Vec<String>>,
    piped: Option<Vec<String>>,
    commas: Option<Vec<String>>,
    spaces: Option<Vec<i64>>,
    deep: Option<BTreeMap<String, i64>>,
    paired: Option<BTreeMap<String, String>>,
    part: Option<Boxed<Part>>,
    parts: Option<Vec<Part>>,
    file: Option<Upload>,
    files: Option<Vec<Upload>>,
    more: BTreeMap<String, String>,
}

crate::__object!(All: Open {
    0 title: String = required "title",
    1 count: i64 = optional "count",
    2 ratio: f64 = optional "ratio",
    3 tags: Vec<String> = optional "tags",
    4 piped: Vec<String> = optional "piped",
    5 commas: Vec<String> = optional "commas",
    6 spaces: Vec<i64> = optional "spaces",
    7 deep: BTreeMap<String, i64> = optional "deep",
    8 paired: BTreeMap<String, String> = optional "paired",
    9 part: Boxed<Part> = optional "part",
    10 parts: Vec<Part> = optional "parts",
    11 file: Upload = optional "file",
    12 files: Vec<Upload> = optional "files",
} others(13 more: String, no_rule));

const FORM: &[Wire] = &[
    Wire::text("title"),
    Wire::text("count"),
    Wire::text("ratio"),
    Wire::text("tags").kind(Kind::List),
    Wire::text("piped").style(Style::PipeDelimited).kind(Kind::List),
    Wire::text("commas").explode(false).kind(Kind::List),
    Wire::text("spaces").style(Style::SpaceDelimited).kind(Kind::List),
    Wire::text("deep").style(Style::DeepObject),
    Wire::text("paired").explode(false).kind(Kind::Object(&[], true)),
    Wire::text("part").kind(Kind::Json),
    Wire::text("parts").kind(Kind::JsonList),
    Wire::text("file"),
];

const PARTS: &[Wire] = &[
    Wire::text("title"),
    Wire::text("count"),
    Wire::text("ratio"),
    Wire::text("tags").kind(Kind::List),
    Wire::text("piped").kind(Kind::List).types(&["text/*"]),
    Wire::text("commas").kind(Kind::List).types(&["text/markdown", "text/html"]),
    Wire::text("spaces").kind(Kind::List),
    Wire::text("deep").kind(Kind::Json),
    Wire::text("paired").kind(Kind::Json).types(&["application/vnd.a+json"]),
    Wire::text("part").kind(Kind::Json),
    Wire::text("parts").kind(Kind::JsonList),
    Wire::text("file").kind(Kind::File).types(&["image/*"]),
    Wire::text("files").kind(Kind::Files),
];

async fn sent(answer: Answer) -> (String, axum::body::Bytes) {
    let response = answer.into_response(Accept::of(&HeaderMap::new()));
    let media_type = response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
    (media_type, response.into_body().collect().await.unwrap().to_bytes())
}

async fn as_form(value: &All) -> Result<All, Unfit> {
    let (_, bytes) =
        sent(Answer::form(200, "application/x-www-form-urlencoded", value, FORM, no_rule)?).await;
    Ok(form(&bytes, FORM, Others::Plain, 32, no_rule)
        .unwrap_or_else(|refused| panic!("{refused:?} {bytes:?}")))
}

async fn as_parts(value: &All) -> Result<All, Unfit> {
    let (media_type, bytes) = sent(Answer::multipart(200, "multipart/mixed", value, PARTS, no_rule)?).await;
    let arrival = Arrival::new(Body::from(bytes.clone()), arriving::tests::sender(), PARTS_IN_MEMORY);
    let spool = Spool::new(&Settings::new());
    let parts =
        parts(arrival, &media_type, Declared::Named(PARTS), usize::MAX, &spool).await.unwrap().unwrap();
    Ok(multipart(&parts, PARTS, 32, no_rule).unwrap_or_else(|refused| panic!("{refused:?} {bytes:?}")))
}

/// xorshift: the same values in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn text(&mut self, of: &[&str]) -> String {
        (0..self.roll(5)).map(|_| of[self.roll(of.len())]).collect()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.roll(3) > 0).then(|| make(self))
    }

    /// Of items that are there.
    fn list<T>(&mut self, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..=self.roll(3)).map(|_| make(self)).collect()
    }

    fn map<T>(&mut self, mut make: impl FnMut(&mut Self) -> T) -> BTreeMap<String, T> {
        (0..=self.roll(3)).map(|at| (format!("{at}{}", self.text(LETTERS)), make(self))).collect()
    }

    fn part(&mut self) -> Part {
        let inner = self.roll(2) > 0;
        let inner = inner.then(|| Boxed::new(Part { share: 1, inner: None, extra: None }));
        Part { share: self.roll(9) as i64, inner, extra: self.maybe(|dice| Json::from(dice.text(ANY))) }
    }

    fn upload(&mut self, of: &[&str]) -> Upload {
        Upload::new(self.text(of)).said(Some("a b\"c.png"), Some("image/png"))
    }

    fn all(&mut self) -> All {
        All {
            title: self.text(ANY),
            count: self.maybe(|dice| dice.roll(1000) as i64 - 500),
            ratio: self.maybe(|dice| dice.roll(1000) as f64 / 7.0),
            tags: self.maybe(|dice| dice.list(|dice| dice.text(ANY))),
            piped: self.maybe(|dice| dice.list(|dice| format!("a{}", dice.text(LETTERS)))),
            commas: self.maybe(|dice| dice.list(|dice| format!("{}a", dice.text(ANY)))),
            spaces: self.maybe(|dice| dice.list(|dice| dice.roll(9) as i64)),
            deep: self.maybe(|dice| dice.map(|dice| dice.roll(9) as i64)),
            paired: self.maybe(|dice| dice.map(|dice| dice.text(ANY))),
            part: self.maybe(|dice| Boxed::new(dice.part())),
            parts: self.maybe(|dice| dice.list(Self::part)),
            file: self.maybe(|dice| dice.upload(ANY)),
            files: None,
            more: self.map(|dice| dice.text(ANY)),
        }
    }
}

const LETTERS: &[&str] = &["x", "é", "&", "=", "+", "%", ",", ";", "#", "/", "?", "0", "💩", "~", "%41", "<"];
/// With what separates, encloses or escapes in one form or another.
const ANY: &[&str] =
    &["x", "é", "&", "=", "+", " ", "%", ",", ";", "|", "[", "]", "\"", "\\", "'", "%2C", "--", "null", "0"];

#[tokio::test]
async fn what_is_written_is_read_back() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..2000 {
        let value = dice.all();
        let plain = |upload: &Upload| Upload::new(upload.in_memory().unwrap().clone());
        let value = All { title: format!("{}\r\n\t", value.title), ..value };
        let of_form = All { file: value.file.as_ref().map(plain), ..value.clone() };
        assert_eq!(as_form(&value).await.unwrap(), of_form);
        let bytes = |dice: &mut Dice| dice.list(|dice| dice.upload(&["\r\n", "--", "\u{0}", "\r\n--0", "a"]));
        let value = All { files: Some(bytes(&mut dice)), ..value };
        assert_eq!(as_parts(&value).await.unwrap(), value);
    }
}

#[tokio::test]
async fn what_would_be_read_as_something_else_does_not_leave() {
    let list = |items: &[&str]| Some(items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>());
    let map = |name: &str| BTreeMap::from([(name.to_owned(), String::new())]);
    let deep = |name: &str| Some(BTreeMap::from([(name.to_owned(), 1)]));
    let all = All::default;
    for (value, member) in [
        (All { title: "a\u{1}b".to_owned(), ..all() }, "title"),
        (All { piped: list(&["a|b"]), ..all() }, "piped"),
        (All { commas: list(&[""]), ..all() }, "commas"),
        (All { deep: deep("a]"), ..all() }, "deep"),
        (All { deep: deep(""), ..all() }, "deep"),
        (All { more: map("deep[a]"), ..all() }, "of no declared name"),
        (All { more: map("tags[]"), ..all() }, "of no declared name"),
    ] {
        let Err(Unfit::Member(found)) = as_form(&value).await else { panic!("{value:?}") };
        assert_eq!(found, member);
    }
    let typed = |said| Some(Upload::new("a").said(None, said));
    for (value, member) in [
        (All { file: typed(None), ..all() }, "file"),
        (All { file: typed(Some("text/html")), ..all() }, "file"),
        (All { file: typed(Some("image/png\r\nX: a")), ..all() }, "file"),
        (All { files: typed(Some("a")).map(|file| vec![file]), ..all() }, "files"),
        (All { more: map("a\\"), ..all() }, "of no declared name"),
        (All { more: map("a\r\nb"), ..all() }, "of no declared name"),
        (All { more: map("%22"), ..all() }, "of no declared name"),
    ] {
        let Err(Unfit::Member(found)) = as_parts(&value).await else { panic!("{value:?}") };
        assert_eq!(found, member);
    }
    let quoted = All { more: map("a\"; name=\"title"), ..all() };
    assert_eq!(as_parts(&quoted).await.unwrap(), quoted);
}

#[tokio::test]
async fn what_text_cannot_say_is_absent() {
    let none = All { tags: Some(Vec::new()), deep: Some(BTreeMap::new()), ..All::default() };
    assert_eq!(as_form(&none).await.unwrap(), All::default());
    let none = All { tags: Some(Vec::new()), files: Some(Vec::new()), ..All::default() };
    assert_eq!(as_parts(&none).await.unwrap(), All::default());
    let empty = All { commas: Some(Vec::new()), paired: Some(BTreeMap::new()), ..All::default() };
    assert_eq!(as_form(&empty).await.unwrap(), empty, "one text that is empty is a list or an object");
}

#[tokio::test]
async fn the_schema_alone_says_what_a_free_form_is() {
    let written = async |json: Json| {
        let answer = Answer::free_form(200, "application/x-www-form-urlencoded", &json, &[], no_rule);
        match answer {
            Ok(answer) => Ok(String::from_utf8(sent(answer).await.1.to_vec()).unwrap()),
            Err(unfit) => Err(unfit.to_string()),
        }
    };
    let json = serde_json::json!({ "a": 1, "b": ["x", "y z"], "c": { "d": true, "e": [1, { "f": "" }] }, "n": null });
    assert_eq!(
        written(json).await.as_deref(),
        Ok("a=1&b=x&b=y+z&c%5Bd%5D=true&c%5Be%5D%5B0%5D=1&c%5Be%5D%5B1%5D%5Bf%5D=")
    );
    for unclear in [serde_json::json!({ "a[b]": 1 }), serde_json::json!({ "a": { "0": 1 } })] {
        assert_eq!(written(unclear).await, Err("answer_member_unwritable: of no declared name".to_owned()));
    }
    assert_eq!(written(Json::from(1)).await, Err("answer_form_of_no_object".to_owned()));
}

#[tokio::test]
async fn a_rule_is_asked_before_anything_is_written() {
    let rule = |_: &All, at: &crate::input::At<'_>, out: &mut Violations| out.push(at, "test", "never");
    for answer in [
        Answer::form(200, "application/x-www-form-urlencoded", &All::default(), FORM, rule),
        Answer::multipart(200, "multipart/form-data", &All::default(), PARTS, rule),
    ] {
        assert!(matches!(answer, Err(Unfit::Violates(_))));
    }
}

/// What is sent from memory does not read a file into it.
#[tokio::test]
async fn a_file_on_disk_is_no_part_of_a_notice() {
    let notice = |value: &All| Notice::multipart("POST", "multipart/form-data", value, PARTS, no_rule);
    let files = |length: usize| Some(vec![Upload::new("x".repeat(length))]);
    let held = All { files: files(100_000), ..All::default() };
    assert!(notice(&held).is_ok());
    let spooled = as_parts(&held).await.unwrap_or_else(|unfit| panic!("{unfit}"));
    assert!(spooled.files.as_ref().unwrap()[0].in_memory().is_none());
    assert!(matches!(notice(&spooled), Err(Unfit::OnDisk)));
}

/// Nothing in a part is escaped: what would be read as other pieces does not leave, and all else is read back.
#[tokio::test]
async fn a_part_with_a_style_is_read_back() {
    const STYLED: &[Wire] = &[
        Wire::text("title"),
        Wire::text("tags").explode(false).kind(Kind::List),
        Wire::text("piped").style(Style::PipeDelimited).kind(Kind::List),
        Wire::text("commas").style(Style::SpaceDelimited).kind(Kind::List),
        Wire::text("paired").explode(false).kind(Kind::Object(&[], true)),
    ];
    let mut dice = Dice(0x0dd0_1234_5678_9abc);
    let (mut left, mut kept) = (0, 0);
    for _ in 0..2000 {
        let mut list = |of| dice.maybe(|dice| dice.list(|dice| dice.text(of)));
        let [tags, piped, commas] = [list(ANY), list(ANY), list(LETTERS)];
        let paired = dice.maybe(|dice| BTreeMap::from([(dice.text(LETTERS), dice.text(LETTERS))]));
        let value = All { tags, piped, commas, paired, ..All::default() };
        let Ok(answer) = Answer::multipart(200, "multipart/form-data", &value, STYLED, no_rule) else {
            kept += 1;
            continue;
        };
        let (media_type, bytes) = sent(answer).await;
        let arrival = Arrival::new(Body::from(bytes), arriving::tests::sender(), PARTS_IN_MEMORY);
        let spool = Spool::new(&Settings::new());
        let came = parts(arrival, &media_type, Declared::Named(STYLED), usize::MAX, &spool).await;
        assert_eq!(multipart(&came.unwrap().unwrap(), STYLED, 32, no_rule), Ok(value));
        left += 1;
    }
    assert!(left > 300 && kept > 300, "{left} left, {kept} did not");
}
