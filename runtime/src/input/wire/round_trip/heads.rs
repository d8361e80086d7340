//! The same of the header fields of parts: what leaves is read as the same value, or does not leave.

use super::*;
use crate::input::wire::{multipart_with_headers, with_headers_in_order};

#[derive(Clone, Debug, Default, PartialEq)]
struct Form {
    one: Option<String>,
    many: Option<Vec<String>>,
}

crate::__object!(Form: Closed {
    0 one: String = optional "one",
    1 many: Vec<String> = optional "many",
});

#[derive(Clone, Debug, Default, PartialEq)]
struct Head {
    text: Option<String>,
    count: Option<i64>,
    list: Option<Vec<String>>,
    object: Option<BTreeMap<String, String>>,
    turns: Option<BTreeMap<String, String>>,
    json: Option<Json>,
}

crate::__object!(Head: Closed {
    0 text: String = optional "X-Text",
    1 count: i64 = optional "X-Count",
    2 list: Vec<String> = optional "X-List",
    3 object: BTreeMap<String, String> = optional "X-Object",
    4 turns: BTreeMap<String, String> = optional "X-Turns",
    5 json: Json = optional "X-Json",
});

#[derive(Clone, Debug, Default, PartialEq)]
struct Heads {
    one: Option<Head>,
    many: Option<Vec<Head>>,
}

crate::__object!(Heads: Closed {
    0 one: Head = optional "one",
    1 many: Vec<Head> = optional "many",
});

const HEADERS: &[Wire] = &[
    Wire::text("X-Text").style(Style::Simple),
    Wire::text("X-Count").style(Style::Simple),
    Wire::text("X-List").style(Style::Simple).kind(Kind::List),
    Wire::text("X-Object").style(Style::Simple).explode(true).kind(Kind::Object(&[], true)),
    Wire::text("X-Turns").style(Style::Simple).kind(Kind::Object(&[], true)),
    Wire::text("X-Json").style(Style::Simple).kind(Kind::Json),
];
const FIELDS: &[Wire] =
    &[Wire::text("one").headers(HEADERS), Wire::text("many").kind(Kind::List).headers(HEADERS)];
const ITEM: Wire = Wire::text("").headers(HEADERS);

/// With all that separates, ends or hides something in a head, and what is fine.
const ANY: &[&str] = &["a", "b", " ", "\t", ",", "=", ";", ":", "\"", "\r\n", "\n", "\r", "\u{0}", "é", "0"];
const FINE: &[&str] = &["a", "b", "-", ";", ":", "\"", "0"];

impl Dice {
    fn head(&mut self, of: &[&str]) -> Head {
        Head {
            text: self.maybe(|dice| dice.text(of)),
            count: self.maybe(|dice| dice.roll(9) as i64 - 4),
            list: self.maybe(|dice| dice.list(|dice| dice.text(of))),
            object: self.maybe(|dice| BTreeMap::from([(dice.text(of), dice.text(of))])),
            turns: self.maybe(|dice| BTreeMap::from([(dice.text(of), dice.text(of))])),
            json: self.maybe(|dice| Json::from(dice.text(of))),
        }
    }
}

async fn cut(answer: Answer, declared: Declared) -> Vec<crate::input::wire::Part> {
    let (media_type, bytes) = sent(answer).await;
    let arrival = Arrival::new(Body::from(bytes), arriving::tests::sender(), PARTS_IN_MEMORY);
    parts(arrival, &media_type, declared, usize::MAX, &Spool::new(&Settings::new())).await.unwrap().unwrap()
}

async fn by_name(value: &Parts<Form, Heads>) -> Option<Parts<Form, Heads>> {
    let answer = Answer::multipart_with_headers(200, "multipart/form-data", value, FIELDS, no_rule).ok()?;
    let parts = cut(answer, Declared::Named(FIELDS)).await;
    Some(multipart_with_headers(&parts, FIELDS, 8, no_rule).unwrap())
}

async fn in_order(value: &Parts<Vec<String>, Vec<Head>>) -> Option<Parts<Vec<String>, Vec<Head>>> {
    let answer = Answer::items_with_headers(200, "multipart/mixed", value, &ITEM, no_rule).ok()?;
    let parts = cut(answer, Declared::InOrder(&ITEM)).await;
    Some(with_headers_in_order(&parts, &ITEM, 8, no_rule).unwrap())
}

#[tokio::test]
async fn what_leaves_is_read_back() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let (mut left, mut kept) = (0, 0);
    for round in 0..4000 {
        let of = if round % 2 == 0 { ANY } else { FINE };
        let many = dice.maybe(|dice| dice.list(|dice| dice.text(&["a", "b"])));
        let heads = many.as_ref().map(|many| many.iter().map(|_| dice.head(of)).collect::<Vec<_>>());
        let listed =
            Parts { form: many.clone().unwrap_or_default(), headers: heads.clone().unwrap_or_default() };
        let one = dice.maybe(|dice| (dice.text(&["a"]), dice.head(of)));
        let (one, head) = one.unzip();
        let named = Parts { form: Form { one, many }, headers: Heads { one: head, many: heads } };
        for same in [
            by_name(&named).await.map(|read| read == named),
            in_order(&listed).await.map(|read| read == listed),
        ] {
            assert_ne!(same, Some(false), "{named:?}");
            if same.is_some() { left += 1 } else { kept += 1 }
        }
    }
    assert!(left > 3000 && kept > 1000, "{left} left, {kept} did not");
}

#[tokio::test]
async fn heads_belong_to_parts() {
    let form = Form { one: Some("a".to_owned()), many: None };
    let of = |form: &Form, one, many| Parts { form: form.clone(), headers: Heads { one, many } };
    let head = || Some(Head::default());
    let heads = |count| Some(vec![Head::default(); count]);
    assert!(by_name(&of(&form, None, None)).await.is_some());
    assert!(by_name(&of(&form, head(), heads(0))).await.is_some());
    let many = Form { one: None, many: Some(vec!["a".to_owned(); 2]) };
    assert!(by_name(&of(&many, None, heads(2))).await.is_some());
    let some = Some(Head { count: Some(1), ..Head::default() });
    for unfit in [of(&many, some.clone(), None), of(&many, None, heads(1)), of(&many, None, heads(3))] {
        assert!(by_name(&unfit).await.is_none(), "{unfit:?}");
    }
    let listed = |heads| Parts { form: vec!["a".to_owned(); 2], headers: vec![Head::default(); heads] };
    assert!(in_order(&listed(2)).await.is_some());
    for unfit in [0, 1, 3] {
        assert!(in_order(&listed(unfit)).await.is_none(), "{unfit}");
    }
}
