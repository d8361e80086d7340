//! Types behind a schema that says more than they do: choices, structs with conditions, members of other names. What is
//! let through becomes the type and leaves as it came; what is not is refused, coming and going.
#![deny(warnings)]

use std::collections::BTreeMap;
use std::net::SocketAddr;

use palisade::{Caller, Problem};
use palisade_tests::client::Client;
use serde_json::{Value, json};

#[allow(missing_docs, reason = "as it is generated")]
mod types {
    include!(concat!(env!("OUT_DIR"), "/types.rs"));
}

use types::{
    Answer, AnswerInput, AnswerOutput, Discard, DiscardInput, DiscardOutput, Echo, EchoInput, EchoOutput,
};
use types::{Open, OpenInput, OpenOutput, Types};

struct Service;

impl types::Api for Service {
    async fn echo(&self, _: Caller<Echo>, input: EchoInput) -> Result<EchoOutput, Problem> {
        Ok(EchoOutput::Ok(input.body))
    }

    async fn discard(&self, _: Caller<Discard>, _: DiscardInput) -> Result<DiscardOutput, Problem> {
        Ok(DiscardOutput::NoContent)
    }

    async fn open(&self, _: Caller<Open>, input: OpenInput) -> Result<OpenOutput, Problem> {
        let mut additional = input.body.additional;
        if input.body.name == "leak" {
            additional.extend(input.body.secret.map(|secret| ("secret".to_owned(), secret)));
        }
        let role = Some("guest".to_owned());
        Ok(OpenOutput::Ok(types::Account { name: input.body.name, role, additional }))
    }

    async fn answer(&self, _: Caller<Answer>, input: AnswerInput) -> Result<AnswerOutput, Problem> {
        let mut answer = nothing();
        match input.what.as_str() {
            "cat" => answer.pet = Some(types::Pet::Cat(cat("Cat", 9))),
            "cat of ten lives" => answer.pet = Some(types::Pet::Cat(cat("Cat", 10))),
            "cat that is a hound" => answer.pet = Some(types::Pet::Cat(cat("hound", 9))),
            "even" => answer.same = Some(types::Same::Integer(4)),
            "twice" => answer.same = Some(types::Same::Integer2(6)),
            "paid once" => answer.order = Some(order(None)),
            "paid twice" => answer.order = Some(order(Some("DE".to_owned()))),
            "labels" => answer.labels = Some(labels("size", 1)),
            "label that is declared" => answer.labels = Some(labels("kind", 1)),
            "label below zero" => answer.labels = Some(labels("size", -1)),
            "minute" => answer.timeout = Some(types::Timeout::OneMinute),
            "car" => answer.transport = Some(types::Transport::Car(car(None))),
            "car that goes by rail" => {
                answer.transport = Some(types::Transport::Car(car(Some("rail".to_owned()))));
            }
            "level" => answer.level = Some(input.level),
            "small" => answer.small = Some(-100),
            "none" => answer.small = input.none.is_none().then_some(-1),
            "too small" => answer.small = Some(-101),
            "size" => answer.sizes = input.size.map(|size| vec![size]),
            _ => {}
        }
        Ok(AnswerOutput::Ok(answer))
    }
}

const fn nothing() -> Types {
    Types {
        pet: None,
        payment: None,
        filter: None,
        contact: None,
        value: None,
        sizes: None,
        open: None,
        same: None,
        order: None,
        labels: None,
        headers: None,
        counted: None,
        shape: None,
        untyped: None,
        all_but_text: None,
        transport: None,
        ticket: None,
        level: None,
        timeout: None,
        on: None,
        large: None,
        whole: None,
        small: None,
        port: None,
        count: None,
        exact: None,
    }
}

fn cat(kind: &str, lives: i64) -> types::Cat {
    types::Cat { kind: kind.to_owned(), lives: Some(lives) }
}

const fn car(by: Option<String>) -> types::Car {
    types::Car { by, seats: Some(4) }
}

fn order(iban: Option<String>) -> types::Order {
    types::Order { id: "1".to_owned(), card: Some("4111".to_owned()), iban }
}

fn labels(name: &str, value: i64) -> types::Labels {
    types::Labels { kind: Some("x".to_owned()), additional: BTreeMap::from([(name.to_owned(), value)]) }
}

async fn start() -> Client {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = types::server(Service).build().unwrap();
    tokio::spawn(async move { palisade::serve(server).listener(listener).await });
    Client(address)
}

/// What comes back is what was sent.
async fn passes(client: &Client, body: Value) {
    let call = client.call("PUT", "/types").header("content-type", "application/json");
    let reply = call.body(body.to_string()).send().await;
    assert_eq!(reply.status, 200, "{body} {:?}", reply.body);
    assert_eq!(reply.json(), body);
}

async fn fails(client: &Client, body: Value, violations: &[&str]) {
    let call = client.call("PUT", "/types").header("content-type", "application/json");
    let reply = call.body(body.to_string()).send().await;
    reply.refused(422, "invalid_body");
    assert_eq!(reply.violations(), violations, "{body}");
}

#[tokio::test]
async fn a_discriminator_chooses() {
    let client = start().await;
    passes(&client, json!({ "pet": { "kind": "Cat", "lives": 9 } })).await;
    passes(&client, json!({ "pet": { "kind": "hound", "tricks": ["sit"] } })).await;
    fails(&client, json!({ "pet": { "kind": "Cat", "lives": 10 } }), &["body /pet/lives maximum"]).await;
    fails(&client, json!({ "pet": { "kind": "Dog" } }), &["body /pet/kind discriminator"]).await;
    fails(&client, json!({ "pet": { "lives": 1 } }), &["body /pet/kind required"]).await;
    let of_another = json!({ "pet": { "kind": "hound", "lives": 1 } });
    fails(&client, of_another, &["body /pet unevaluatedProperties"]).await;
    passes(&client, json!({ "shape": { "type": "circle", "radius": 1.5 } })).await;
    fails(&client, json!({ "shape": { "type": "circle", "side": 1 } }), &["body /shape/radius required"])
        .await;
    fails(&client, json!({ "shape": { "type": "oval", "side": 1 } }), &["body /shape/type discriminator"])
        .await;
}

#[tokio::test]
async fn where_a_discriminator_says_nothing_its_default_is_meant() {
    let client = start().await;
    for transport in [
        json!({ "seats": 4 }),
        json!({ "by": "Car", "seats": 4 }),
        json!({ "by": "boat" }),
        json!({ "by": "rail", "line": "U1", "seats": 900 }),
    ] {
        passes(&client, json!({ "transport": transport })).await;
    }
    for (transport, violation) in [
        (json!({ "seats": 10 }), "body /transport/seats maximum"),
        (json!({ "by": "boat", "seats": 10 }), "body /transport/seats maximum"),
        (json!({ "by": "boat", "line": "U1" }), "body /transport unevaluatedProperties"),
        (json!({ "by": 5 }), "body /transport/by type"),
        (json!({ "by": "rail" }), "body /transport/line required"),
        (json!("rail"), "body /transport discriminator"),
    ] {
        fails(&client, json!({ "transport": transport }), &[violation]).await;
    }
    for ticket in
        [json!({ "price": 1, "trips": 1 }), json!({ "of": "Weekly", "week": 7 }), json!({ "of": "x" })]
    {
        passes(&client, json!({ "ticket": ticket })).await;
    }
    fails(&client, json!({ "ticket": { "trips": 2 } }), &["body /ticket/trips const"]).await;
    fails(&client, json!({ "ticket": { "of": "Weekly" } }), &["body /ticket/week required"]).await;
    fails(&client, json!({ "ticket": { "week": 7 } }), &["body /ticket unevaluatedProperties"]).await;
}

#[tokio::test]
async fn one_alternative_holds_also_where_none_has_a_type() {
    let client = start().await;
    for body in [json!({ "untyped": "ab" }), json!({ "untyped": "abcde" }), json!({ "all_but_text": [1] })] {
        passes(&client, body).await;
    }
    for both in ["abc", "abcd"].map(Value::from).into_iter().chain([json!(5), json!({ "a": 1 })]) {
        fails(&client, json!({ "untyped": both }), &["body /untyped oneOf"]).await;
    }
    fails(&client, json!({ "all_but_text": "a" }), &["body /all_but_text oneOf"]).await;
}

/// As text: a client that reads floats would round what it compares.
#[tokio::test]
async fn decimals_are_never_rounded() {
    let client = start().await;
    let put = async |body: &str| {
        client.call("PUT", "/types").header("content-type", "application/json").body(body).send().await
    };
    for (sent, kept) in [
        ("1234567890123456789012345.67", "1234567890123456789012345.67"),
        ("-99999999999999999999", "-99999999999999999999"),
        ("9007199254740993", "9007199254740993"),
        ("0.10", "0.1"),
        ("1e2", "100"),
    ] {
        let reply = put(&format!(r#"{{"exact":{sent}}}"#)).await;
        assert_eq!(reply.status, 200, "{sent}");
        assert_eq!(String::from_utf8_lossy(&reply.body), format!(r#"{{"exact":{kept}}}"#));
    }
    for (sent, rule) in [
        ("10000000000000000000000000.01", "body /exact maximum"),
        ("1234567890123456789012345.671", "body /exact multipleOf"),
        ("1000000000000000000000000000000000000.001", "body /exact type"),
        (r#""1""#, "body /exact type"),
    ] {
        let reply = put(&format!(r#"{{"exact":{sent}}}"#)).await;
        assert_eq!(reply.refused(422, "invalid_body").violations(), [rule], "{sent}");
    }
}

#[tokio::test]
async fn a_number_with_the_format_of_an_integer_is_one() {
    let client = start().await;
    passes(&client, json!({ "count": -2_147_483_648 })).await;
    fails(&client, json!({ "count": 1.5 }), &["body /count type"]).await;
    fails(&client, json!({ "count": 2_147_483_648_u32 }), &["body /count type"]).await;
}

#[tokio::test]
async fn types_choose() {
    let client = start().await;
    for value in [json!("abcde"), json!(9), json!(true), Value::Null] {
        passes(&client, json!({ "value": value })).await;
    }
    for (value, rule) in [
        (json!("abcdef"), "body /value maxLength"),
        (json!(10), "body /value maximum"),
        (json!(1.5), "body /value type"),
        (json!([]), "body /value type"),
    ] {
        fails(&client, json!({ "value": value }), &[rule]).await;
    }
    passes(&client, json!({ "sizes": [1, "small", 2] })).await;
    fails(&client, json!({ "sizes": [1, 1] }), &["body /sizes uniqueItems"]).await;
    // what an open object lets through is a part of it
    passes(&client, json!({ "open": [{ "id": 1, "x": 1 }, { "id": 1, "x": 2 }] })).await;
    fails(
        &client,
        json!({ "open": [{ "id": 1, "x": 1 }, { "x": 1, "id": 1 }] }),
        &["body /open uniqueItems"],
    )
    .await;
    fails(&client, json!({ "sizes": [0, "medium"] }), &["body /sizes/0 oneOf", "body /sizes/1 oneOf"]).await;
}

#[tokio::test]
async fn exactly_one_is_exactly_one_where_nothing_tells_them_apart() {
    let client = start().await;
    passes(&client, json!({ "same": 4 })).await;
    passes(&client, json!({ "same": 9 })).await;
    fails(&client, json!({ "same": 6 }), &["body /same oneOf"]).await;
    fails(&client, json!({ "same": 5 }), &["body /same oneOf"]).await;
}

#[tokio::test]
async fn members_beside_a_choice_belong_to_each() {
    let client = start().await;
    passes(&client, json!({ "payment": { "amount": 1, "iban": "DE1" } })).await;
    passes(&client, json!({ "payment": { "amount": 1, "card": "4111" } })).await;
    fails(&client, json!({ "payment": { "amount": 0, "iban": "DE1" } }), &["body /payment/amount minimum"])
        .await;
    let both = json!({ "payment": { "amount": 1, "iban": "DE1", "card": "1" } });
    fails(&client, both, &["body /payment oneOf"]).await;
    let more = json!({ "payment": { "amount": 1, "iban": "DE1", "more": 1 } });
    fails(&client, more, &["body /payment unevaluatedProperties"]).await;
}

#[tokio::test]
async fn a_choice_may_hold_itself() {
    let client = start().await;
    passes(&client, json!({ "filter": { "not": { "any": ["a", { "not": "b" }, { "any": [] }] } } })).await;
    fails(&client, json!({ "filter": { "not": { "any": [""] } } }), &["body /filter oneOf"]).await;
    fails(&client, json!({ "filter": { "not": "a", "any": [] } }), &["body /filter oneOf"]).await;
}

#[tokio::test]
async fn any_of_takes_members_of_several() {
    let client = start().await;
    passes(&client, json!({ "contact": { "mail": "a@example.com" } })).await;
    passes(&client, json!({ "contact": { "phone": "1" } })).await;
    passes(&client, json!({ "contact": { "mail": "a@example.com", "phone": "1" } })).await;
    passes(&client, json!({ "contact": null })).await;
    // it is a phone then, and has a member that no alternative which holds declares
    let wrong = json!({ "contact": { "mail": "a", "phone": "1" } });
    fails(&client, wrong, &["body /contact unevaluatedProperties"]).await;
    fails(&client, json!({ "contact": {} }), &["body /contact anyOf"]).await;
}

#[tokio::test]
async fn a_struct_and_the_rest_of_its_schema() {
    let client = start().await;
    passes(&client, json!({ "order": { "id": "1", "card": "4111" } })).await;
    passes(&client, json!({ "order": { "id": "1", "iban": "DE1" } })).await;
    fails(&client, json!({ "order": { "id": "1", "card": "1", "iban": "DE1" } }), &["body /order not"]).await;
    fails(&client, json!({ "order": { "id": 1 } }), &["body /order/id type"]).await;
    passes(&client, json!({ "counted": { "a": 1, "c": 2 } })).await;
    fails(&client, json!({ "counted": {} }), &["body /counted minProperties"]).await;
    fails(&client, json!({ "counted": { "a": 1, "b": 2, "c": 3 } }), &["body /counted maxProperties"]).await;
}

#[tokio::test]
async fn members_of_other_names_are_kept() {
    let client = start().await;
    passes(&client, json!({ "labels": { "kind": "x", "size": 1, "age": 0 } })).await;
    fails(&client, json!({ "labels": { "size": -1 } }), &["body /labels minimum"]).await;
    fails(&client, json!({ "labels": { "size": "1" } }), &["body /labels type"]).await;
    passes(&client, json!({ "headers": { "host": "a", "x-b": "c" } })).await;
    fails(&client, json!({ "headers": { "x-b": "long" } }), &["body /headers maxLength"]).await;
    fails(&client, json!({ "headers": { "y": "c" } }), &["body /headers additionalProperties"]).await;
    // spelled twice: once with an escape
    let call = client.call("PUT", "/types").header("content-type", "application/json");
    let reply = call.body(r#"{"labels":{"size":1,"\u0073ize":1}}"#).send().await;
    reply.refused(422, "invalid_body");
}

#[tokio::test]
async fn an_answer_is_held_against_the_same_schema() {
    let client = start().await;
    for (what, sent) in [
        ("cat", json!({ "pet": { "kind": "Cat", "lives": 9 } })),
        ("even", json!({ "same": 4 })),
        ("paid%20once", json!({ "order": { "id": "1", "card": "4111" } })),
        ("labels", json!({ "labels": { "kind": "x", "size": 1 } })),
        ("size&size=small", json!({ "sizes": ["small"] })),
        ("size&size=2", json!({ "sizes": [2] })),
        ("minute", json!({ "timeout": 60 })),
        ("level&level=-1", json!({ "level": -1 })),
        ("car", json!({ "transport": { "seats": 4 } })),
        ("small", json!({ "small": -100 })),
        ("none", json!({ "small": -1 })),
        ("none&none=x", json!({})),
    ] {
        let reply = client.call("POST", &format!("/types?what={what}")).send().await;
        assert_eq!((reply.status.as_u16(), reply.json()), (200, sent), "{what}");
    }
    for what in [
        "cat of ten lives",
        "cat that is a hound",
        "car that goes by rail",
        "twice",
        "paid twice",
        "label that is declared",
        "label below zero",
        "too small",
    ] {
        let what = what.replace(' ', "%20");
        let reply = client.call("POST", &format!("/types?what={what}")).send().await;
        assert_eq!(reply.status, 500, "{what}");
    }
    let reply = client.call("POST", "/types?what=size&size=medium").send().await;
    reply.refused(400, "invalid_parameters");
    let reply = client.call("POST", "/types?what=level&level=2").send().await;
    assert_eq!(reply.refused(400, "invalid_parameters").violations(), ["query /level enum"]);
}

#[tokio::test]
async fn a_status_without_a_body_has_none() {
    let reply = start().await.call("DELETE", "/nothing").send().await;
    assert!(reply.allowed(204).body.is_empty());
}

#[tokio::test]
async fn a_pattern_that_counts_is_a_length() {
    let client = start().await;
    let post =
        async |note: String| client.call("POST", &format!("/types?what=note&note={note}")).send().await;
    for good in ["ab".to_owned(), "a".repeat(2_000), "%C3%A9".repeat(1_000)] {
        post(good).await.allowed(200);
    }
    for (bad, rule) in
        [("a".to_owned(), "minLength"), ("a".repeat(2_001), "maxLength"), ("a%20b".to_owned(), "pattern")]
    {
        let reply = post(bad).await;
        assert_eq!(reply.refused(400, "invalid_parameters").violations(), [format!("query /note {rule}")]);
    }
}

#[tokio::test]
async fn values_of_every_type_are_enumerated() {
    let client = start().await;
    for body in [
        json!({ "level": 1 }),
        json!({ "level": -1 }),
        json!({ "level": null }),
        json!({ "timeout": 300 }),
        json!({ "on": true }),
        json!({ "large": u64::MAX }),
        json!({ "whole": 404 }),
        json!({ "small": -100, "port": 65535 }),
    ] {
        passes(&client, body).await;
    }
    for (body, rule) in [
        (json!({ "level": 0 }), "body /level enum"),
        (json!({ "level": "1" }), "body /level type"),
        (json!({ "timeout": 61 }), "body /timeout enum"),
        (json!({ "timeout": null }), "body /timeout type"),
        (json!({ "on": false }), "body /on enum"),
        (json!({ "large": 2 }), "body /large enum"),
        (json!({ "whole": 400.5 }), "body /whole type"),
        (json!({ "small": -128 }), "body /small minimum"),
        (json!({ "small": 128 }), "body /small type"),
        (json!({ "port": 65536 }), "body /port type"),
        (json!({ "port": -1 }), "body /port type"),
    ] {
        fails(&client, body, &[rule]).await;
    }
    let call = client.call("PUT", "/types").header("content-type", "application/json");
    let reply = call.body(r#"{"whole":4.04e2,"level":1.0}"#).send().await;
    assert_eq!((reply.status.as_u16(), reply.json()), (200, json!({ "whole": 404, "level": 1 })));
}

#[tokio::test]
async fn what_the_direction_hides_does_not_pass_among_the_others() {
    let client = start().await;
    let post = async |body: Value| client.post("/accounts", &body.to_string()).send().await;
    let reply = post(json!({ "name": "a", "secret": "s", "note": "n" })).await;
    assert_eq!(reply.allowed(200).json(), json!({ "name": "a", "role": "guest", "note": "n" }));
    let reply = post(json!({ "name": "a", "role": "admin" })).await;
    reply.refused(422, "invalid_body");
    assert_eq!(reply.violations(), ["body /role false"]);
    post(json!({ "name": "leak", "secret": "s" })).await.refused(500, "internal");
    post(json!({ "name": "leak" })).await.allowed(200);
}
