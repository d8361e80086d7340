use http::HeaderValue;

use super::super::sample::{Currency, POLICY};
use super::super::{length, maximum, minimum};
use super::*;
use crate::types::Uuid;

const BANK: Param<String> = Param::path("bank");
const ACCOUNT: Param<Uuid> = Param::path("accountId");
const CURRENCY: Param<Currency> = Param::query("currency");
const TAGS: Param<Vec<String>> =
    Param::query("tags").check(|tags, at, out| super::super::items(tags, 1..=3, at, out));
const IDS: Param<Vec<u32>> = Param::query("ids").explode(false);
const LIMIT: Param<i32> = Param::query("limit").check(|limit, at, out| {
    minimum(limit, 1, at, out);
    maximum(limit, 100, at, out);
});
const TRACE: Param<String> = Param::header("X-Trace").check(|trace, at, out| length(trace, 1..=8, at, out));
const DAYS: Param<Vec<u32>> = Param::header("X-Days");
const SID: Param<String> = Param::cookie("sid");

const ID: &str = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

#[derive(Debug, PartialEq)]
struct All {
    bank: String,
    currency: Option<Currency>,
    tags: Option<Vec<String>>,
    ids: Option<Vec<u32>>,
    limit: i32,
    trace: Option<String>,
    days: Option<Vec<u32>>,
    sid: Option<String>,
}

type Fault = (Section, String, &'static str);

fn read(captures: &[&str], query: &str, headers: &[(&'static str, &str)]) -> Result<All, Vec<Fault>> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let mut from = Parameters::new(&POLICY, captures, Some(query), &map);
    let bank = from.required(&BANK);
    let account = from.required(&ACCOUNT);
    let currency = from.optional(&CURRENCY);
    let tags = from.optional_list(&TAGS);
    let ids = from.optional_list(&IDS);
    let limit = from.or(&LIMIT, 20);
    let trace = from.optional(&TRACE);
    let days = from.optional_list(&DAYS);
    let sid = from.optional(&SID);
    let _ = from.cursor();
    let all = || {
        account?;
        Some(All {
            bank: bank?,
            currency: currency?,
            tags: tags?,
            ids: ids?,
            limit: limit?,
            trace: trace?,
            days: days?,
            sid: sid?,
        })
    };
    from.finish(all()).map_err(|error| match error {
        InputError::Parameters(found) => {
            found.iter().map(|v| (v.section, v.pointer.clone(), v.rule)).collect()
        }
        other => panic!("{other:?}"),
    })
}

fn query(query: &str) -> Result<All, Vec<Fault>> {
    read(&["b", ID], query, &[])
}

fn fault(query_text: &str, pointer: &str, rule: &'static str) {
    assert_eq!(query(query_text), Err(vec![(Section::Query, pointer.to_owned(), rule)]), "{query_text}");
}

#[test]
fn each_from_its_place() {
    let headers =
        [("x-trace", "t 1"), ("X-Days", "1, 2,"), ("x-days", "3"), ("cookie", "other=\u{e9}; sid=a%20b")];
    let all = read(&["a%2Fb+c", ID], "currency=EUR&tags=x&limit=5&tags=&ids=1,2&after=x", &headers).unwrap();
    assert_eq!(all.bank, "a/b+c");
    assert_eq!((all.currency, all.limit), (Some(Currency::Eur), 5));
    assert_eq!(all.tags, Some(vec!["x".to_owned(), String::new()]));
    assert_eq!((all.ids, all.days), (Some(vec![1, 2]), Some(vec![1, 2, 3])));
    assert_eq!((all.trace.as_deref(), all.sid.as_deref()), (Some("t 1"), Some("a b")));
}

#[test]
fn absent_and_empty_are_two_things() {
    let none = query("").unwrap();
    assert_eq!((none.limit, none.tags, none.ids, none.sid), (20, None, None, None));
    assert_eq!(query("ids=").unwrap().ids, Some(vec![]));
    assert_eq!(query("tags=").unwrap().tags, Some(vec![String::new()]));
    fault("limit=", "/limit", "type");
    fault("limit", "/limit", "value");
    fault("tags", "/tags/0", "value");
}

#[test]
fn scalars_are_strict() {
    for text in ["1.5", "1e1", "%2B1", "+1", "true", "1,5", "%D9%A1", "01", "0x1", "1%20", "NaN", "1;limit=2"]
    {
        fault(&format!("limit={text}"), "/limit", "type");
    }
    fault("limit=0", "/limit", "minimum");
    fault("limit=101", "/limit", "maximum");
    fault("currency=eur", "/currency", "enum");
    assert_eq!(query("%6Cimit=%37").unwrap().limit, 7, "decoded once, names as well");
}

#[test]
fn what_cannot_be_decoded_is_refused() {
    for text in ["%zz", "%", "%ff", "%00", "a%00"] {
        fault(&format!("tags={text}"), "/tags/0", "encoding");
    }
    fault("%ff=1", "", "encoding");
    fault(&["limit=1"; 101].join("&"), "", "count");
    fault("tags=a%0Ab", "/tags/0", "control");
    assert_eq!(read(&["b%00", ID], "", &[]), Err(vec![(Section::Path, "/bank".to_owned(), "encoding")]));
    assert_eq!(read(&["b", "{}"], "", &[]), Err(vec![(Section::Path, "/accountId".to_owned(), "format")]));
}

#[test]
fn undeclared_and_repeated_are_refused() {
    fault("secret=1&other=2", "", "undeclared");
    fault("Limit=1", "", "undeclared");
    fault("=1", "", "undeclared");
    fault("limit=1&", "", "undeclared");
    fault("limit=1&limit=1", "/limit", "duplicate");
    fault("limit=1&%6cimit=2", "/limit", "duplicate");
    fault("ids=1&ids=2", "/ids", "duplicate");
    fault("after=a&after=b", "/after", "duplicate");
    let twice = |name, value| read(&["b", ID], "", &[(name, value), (name, value)]);
    assert_eq!(twice("x-trace", "a"), Err(vec![(Section::Header, "/X-Trace".to_owned(), "duplicate")]));
    assert_eq!(twice("cookie", "sid=a"), Err(vec![(Section::Cookie, "/sid".to_owned(), "duplicate")]));
    assert!(twice("x-other", "a").is_ok() && twice("cookie", "other=a").is_ok());
}

#[test]
fn headers_and_cookies_are_visible_ascii() {
    let one = |name, value: &str| read(&["b", ID], "", &[(name, value)]);
    assert_eq!(one("x-trace", "\u{e9}"), Err(vec![(Section::Header, "/X-Trace".to_owned(), "encoding")]));
    assert_eq!(one("cookie", "sid=\u{e9}"), Err(vec![(Section::Cookie, "/sid".to_owned(), "encoding")]));
    assert_eq!(
        one("x-trace", "a%zz").unwrap().trace.as_deref(),
        Some("a%zz"),
        "headers are not percent-encoded"
    );
}

#[test]
fn every_violation_is_told_at_once() {
    let Err(found) = read(&["b", "x"], "currency=&limit=0&tags=%zz&more=1", &[("x-trace", "123456789")])
    else {
        panic!()
    };
    let rules: Vec<_> =
        found.iter().map(|(section, pointer, rule)| (*section, pointer.as_str(), *rule)).collect();
    assert_eq!(
        rules,
        [
            (Section::Path, "/accountId", "format"),
            (Section::Query, "/currency", "enum"),
            (Section::Query, "/tags/0", "encoding"),
            (Section::Query, "/limit", "minimum"),
            (Section::Header, "/X-Trace", "maxLength"),
            (Section::Query, "", "undeclared"),
        ]
    );
}

#[test]
fn required_ones_are_missed() {
    let headers = HeaderMap::new();
    let mut from = Parameters::new(&POLICY, &[], None, &headers);
    assert_eq!(from.required(&BANK), None);
    assert_eq!(from.list(&TAGS), None);
    let Err(InputError::Parameters(found)) = from.finish(Some(())) else { panic!() };
    let missing: Vec<_> = found.iter().map(|v| (v.section, v.pointer.as_str(), v.rule)).collect();
    assert_eq!(missing, [(Section::Path, "/bank", "required"), (Section::Query, "/tags", "required")]);
}
