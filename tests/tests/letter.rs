//! Schemas mean what JSON Schema says: what decides about something else is read to the letter, `null` among the types
//! widens nothing, defaults stand in for what is absent, and a discriminator chooses among those that extend its schema.
#![deny(warnings)]

use std::net::SocketAddr;

use palisade::__private::{Check, Decode, from_json};
use palisade::{Caller, Problem};
use palisade_tests::client::Client;
use serde_json::{Value, json};

#[allow(missing_docs, dead_code, reason = "as it is generated")]
mod letter {
    include!(concat!(env!("OUT_DIR"), "/letter.rs"));
}

use letter::*;

fn fits<T: Decode + Check>(value: &Value) -> bool {
    from_json::<T>(value.to_string().as_bytes(), 64).is_ok()
}

#[track_caller]
fn holds(member: &str, fitting: &[Value], others: &[Value]) {
    for value in fitting {
        assert!(fits::<Values>(&json!({ member: value })), "{member}: {value} is refused");
    }
    for value in others {
        assert!(!fits::<Values>(&json!({ member: value })), "{member}: {value} is let through");
    }
}

#[test]
fn what_is_merged_inside_of_not_implies_no_type() {
    holds("not_object", &[json!({ "a": "x" })], &[json!(1), json!("x"), json!({}), json!({ "a": 1 })]);
}

#[test]
fn what_nothing_satisfies_is_legal_where_nothing_has_to() {
    holds("not_nothing", &[json!(1)], &[json!("x")]);
    holds("not_a_range", &[json!(1)], &[json!("x")]);
    holds("one_branch", &[json!(true), json!(1.5)], &[json!("x")]);
}

#[test]
fn an_integer_beyond_the_signed_ones_is_an_integer() {
    holds("beyond_signed", &[json!(u64::MAX), json!(1_u64 << 63)], &[json!(i64::MAX), json!(-1), json!("x")]);
}

#[test]
fn null_among_the_types_is_one_that_the_rest_may_refuse() {
    holds("only_null", &[json!(null)], &[json!("x"), json!(1)]);
    holds("null_and_object", &[json!({ "name": "x" })], &[json!(null), json!(1)]);
    holds("null_and_choice", &[json!(null)], &[json!("x"), json!(1)]);
    holds("null_and_reference", &[json!(null)], &[json!("x")]);
    holds("maybe", &[json!(null), json!({ "name": "x" })], &[json!(1), json!({})]);
}

#[test]
fn what_is_required_is_a_member_of_a_closed_object_beside_a_choice() {
    let fitting = [json!({ "b": 1 }), json!({ "a": "x", "b": null })];
    holds("required_alone", &fitting, &[json!({}), json!({ "a": "x" }), json!({ "b": 1, "c": 1 })]);
}

#[test]
fn an_open_object_opens_itself_alone() {
    let fitting = [json!({ "inner": { "a": "x" }, "more": 1 }), json!({})];
    holds("opened", &fitting, &[json!({ "inner": { "b": 1 } }), json!({ "x": 1 })]);
}

#[test]
fn lists_and_maps_hold_themselves() {
    holds("nested", &[json!([]), json!([[], [[]]])], &[json!([1]), json!([{}]), json!([[], [[], [], []]])]);
    holds(
        "folders",
        &[json!({}), json!({ "a": { "b": {}, "c": { "d": {} } } })],
        &[json!({ "a": 1 }), json!({ "a": [] }), json!({ "a": { "long": {} } })],
    );
    holds("pairs", &[json!([]), json!([[{ "a": [{}] }]])], &[json!([{}]), json!([[{ "a": {} }]])]);
}

#[test]
fn an_open_object_is_held_by_what_it_says_of_the_others() {
    holds("held", &[json!({ "a": "x", "b": 1 }), json!({})], &[json!({ "b": "x" }), json!({ "a": 1 })]);
}

#[test]
fn members_of_other_names_choices_and_lists_go_one_way_as_well() {
    for (member, comes, leaves) in [
        (json!({ "one": { "name": "x" } }), true, true),
        (json!({ "one": { "secret": "x" } }), true, false),
        (json!({ "one": { "id": "xyz" } }), false, true),
        (json!({ "one": { "s_a": "x" } }), true, false),
        (json!({ "one": { "i_a": "x" } }), false, true),
        (json!({ "all": { "x": "y" } }), true, false),
        (json!({ "all": {} }), true, true),
        (json!({ "keys": ["k"] }), true, false),
        (json!({ "rows": [["r"]] }), false, true),
        (json!({ "pair": ["a"] }), true, true),
        (json!({ "pair": ["a", "b"] }), true, false),
        (json!({ "rest": { "x": "y" } }), true, true),
        (json!({ "rest": { "x": "y", "z": "s" } }), true, false),
        (json!({ "linked": { "user": "u" } }), false, true),
        (json!({ "linked": { "user": "u", "token": "t" } }), true, false),
    ] {
        assert_eq!(fits::<AccessesRequest>(&member), comes, "{member} in a request");
        assert_eq!(fits::<Accesses>(&member), leaves, "{member} in an answer");
    }
}

struct Service;

fn given(filled: &FilledPatch) -> Vec<String> {
    let all = [
        ("level", filled.level.is_some()),
        ("lower", filled.lower.is_some()),
        ("count", filled.count.is_some()),
        ("note", filled.note.is_some()),
        ("none", filled.none.is_some()),
        ("tags", filled.tags.is_some()),
        ("inner", filled.inner.is_some()),
        ("deep", filled.inner.as_ref().is_some_and(|inner| inner.deep.is_some())),
        ("any", filled.any.is_some()),
        ("choice", filled.choice.is_some()),
    ];
    all.iter().filter(|(_, given)| *given).map(|(name, _)| (*name).to_owned()).collect()
}

impl letter::Api for Service {
    async fn fill(&self, _: Caller<Fill>, input: FillInput) -> Result<FillOutput, Problem> {
        Ok(FillOutput::Ok(input.body))
    }

    async fn change(&self, _: Caller<Change>, input: ChangeInput) -> Result<ChangeOutput, Problem> {
        Ok(ChangeOutput::Ok(given(&input.body)))
    }

    async fn mend(&self, _: Caller<Mend>, input: MendInput) -> Result<MendOutput, Problem> {
        Ok(MendOutput::Ok(given(&input.body)))
    }

    async fn take_form(&self, _: Caller<TakeForm>, input: TakeFormInput) -> Result<TakeFormOutput, Problem> {
        let form = match input.body {
            TakeFormBody::Form(form) | TakeFormBody::Multipart(form) => form,
        };
        let level = if form.name == "level" { input.level } else { form.level };
        Ok(TakeFormOutput::Ok(Form { level, ..form }))
    }

    async fn open(&self, _: Caller<Open>, _: OpenInput) -> Result<OpenOutput, Problem> {
        Ok(OpenOutput::NoContent)
    }

    async fn adopt(&self, _: Caller<Adopt>, input: AdoptInput) -> Result<AdoptOutput, Problem> {
        Ok(AdoptOutput::Ok(input.body))
    }
}

async fn start() -> Client {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = letter::server(Service).build().unwrap();
    tokio::spawn(async move { palisade::serve(server).listener(listener).await });
    Client(address)
}

#[tokio::test]
async fn what_is_absent_is_its_default() {
    let client = start().await;
    let filled = |more: Value| {
        let mut all = json!({
            "level": "high", "lower": "low", "count": 3, "ratio": 0.5, "note": "hi", "none": null, "tags": ["a", null],
            "day": "2020-01-02", "labels": {}, "inner": { "deep": 2, "size": 7 }, "any": { "x": 1 }, "choice": 7
        });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let post = async |body: Value| client.post("/filled", &body.to_string()).send().await;
    assert_eq!(post(json!({ "name": "x" })).await.allowed(200).json(), filled(json!({ "name": "x" })));
    let said =
        json!({ "name": "x", "count": 4, "note": null, "inner": { "deep": 3 }, "choice": "c", "tags": [] });
    let expected = filled(json!({
        "name": "x", "count": 4, "note": null, "inner": { "deep": 3, "size": 10 }, "choice": "c", "tags": []
    }));
    assert_eq!(post(said).await.allowed(200).json(), expected);
    let nested = post(json!({ "name": "x", "next": { "name": "y", "level": "low" } })).await.json();
    assert_eq!(nested["next"], filled(json!({ "name": "y", "level": "low" })));
    assert_eq!(post(json!({})).await.refused(422, "invalid_body").violations(), ["body /name required"]);
    let reply = post(json!({ "name": "x", "count": null })).await;
    assert_eq!(reply.refused(422, "invalid_body").violations(), ["body /count type"]);
}

#[tokio::test]
async fn a_default_that_one_alternative_excludes_is_that_of_the_others() {
    let client = start().await;
    let post = async |check: Value| {
        client.post("/filled", &json!({ "name": "x", "check": check }).to_string()).send().await
    };
    let check = async |check: Value| post(check).await.allowed(200).json()["check"].clone();
    assert_eq!(check(json!({ "name": "c" })).await, json!({ "name": "c", "status": "queued" }));
    let completed = json!({ "name": "c", "status": "completed", "conclusion": "good" });
    assert_eq!(check(completed.clone()).await, completed);
    post(json!({ "name": "c", "status": "completed" })).await.refused(422, "invalid_body");
    post(json!({ "name": "c", "status": "other" })).await.refused(422, "invalid_body");
}

#[tokio::test]
async fn what_a_patch_does_not_speak_of_stays_as_it_is() {
    let client = start().await;
    for (method, media_type) in [("PATCH", "application/json"), ("PUT", "application/merge-patch+json")] {
        let call = async |body: Value| {
            let call = client.call(method, "/filled").header("content-type", media_type);
            call.body(body.to_string()).send().await.allowed(200).json()
        };
        assert_eq!(call(json!({ "name": "x" })).await, json!([]), "{method}");
        let said = json!({ "name": "x", "count": 3, "inner": { "size": 1 } });
        assert_eq!(call(said).await, json!(["count", "inner"]), "{method}");
    }
}

#[tokio::test]
async fn forms_and_parameters_are_filled() {
    let client = start().await;
    let form = "application/x-www-form-urlencoded";
    let parts = "--XX\r\ncontent-disposition: form-data; name=name\r\n\r\n";
    let multipart = |name: &str| format!("{parts}{name}\r\n--XX--\r\n");
    for (media_type, body) in
        [(form, "name=n".to_owned()), ("multipart/form-data; boundary=XX", multipart("n"))]
    {
        let reply = client.call("POST", "/forms").header("content-type", media_type).body(body).send().await;
        assert_eq!(reply.allowed(200).json(), json!({ "name": "n", "count": 3, "level": "high" }));
    }
    let call = async |path: &str| {
        let call = client.call("POST", path).header("content-type", form).body("name=level");
        call.send().await.allowed(200).json()["level"].clone()
    };
    assert_eq!(call("/forms").await, "low", "the default beside the reference");
    assert_eq!(call("/forms?level=high").await, "high");
}

#[tokio::test]
async fn a_discriminator_chooses_among_those_that_extend_its_schema() {
    let client = start().await;
    let post = async |body: &Value| client.post("/pets", &body.to_string()).send().await;
    for body in [
        json!({ "kind": "Cat", "lives": 9 }),
        json!({ "kind": "Lion", "lives": 1, "roar": "r" }),
        json!({ "kind": "dog", "bark": true, "name": "d" }),
    ] {
        assert_eq!(post(&body).await.allowed(200).json(), body);
    }
    for body in [
        json!({ "kind": "Cat" }),
        json!({ "kind": "Cat", "lives": 9, "bark": true }),
        json!({ "kind": "Cat", "lives": 9, "roar": "r" }),
        json!({ "kind": "Dog", "bark": true }),
        json!({ "kind": "Pet", "name": "p" }),
        json!({ "kind": "bird" }),
        json!({ "lives": 9 }),
    ] {
        post(&body).await.refused(422, "invalid_body");
    }
    let kind = |pet: Pet| matches!(pet, Pet::Dog(Dog { bark: Some(true), .. }));
    let dog = from_json::<Pet>(br#"{"kind":"dog","bark":true}"#, 8).unwrap();
    assert!(kind(dog));
}
