//! Schemas that say more than the common keywords: `$dynamicRef`, and the words of older drafts of JSON Schema.

use palisade_tests::json::start;

#[tokio::test]
async fn items_of_a_dynamic_reference() {
    let client = start().await;
    client.post("/pages", r#"{"items":[1,2]}"#).send().await.allowed(204);
    for (body, violation) in
        [(r#"{"items":[1,0]}"#, "body /items/1 minimum"), (r#"{"items":["a"]}"#, "body /items/0 type")]
    {
        let reply = client.post("/pages", body).send().await;
        assert_eq!(reply.refused(422, "invalid_body").violations(), [violation]);
    }
}

#[tokio::test]
async fn older_drafts() {
    let client = start().await;
    for body in [
        "{}",
        r#"{"pair":["a",1]}"#,
        r#"{"pair":["a",0.5],"older":0.1}"#,
        r#"{"other":1,"another":2,"third":3}"#,
        "[]",
    ] {
        // to the letter: `type` alone decides what an object is, and undeclared members are let through
        let status = if body == "[]" { 422 } else { 204 };
        client.post("/pairs", body).send().await.allowed(status);
    }
    for (body, violation) in [
        (r#"{"pair":[1,1]}"#, "body /pair/0 type"),
        (r#"{"pair":["a",0]}"#, "body /pair/1 exclusiveMinimum"),
        (r#"{"pair":["a",1,1]}"#, "body /pair/2 false"),
        (r#"{"older":0.5}"#, "body /pair required"),
        (r#"{"pair":["a",1],"older":0}"#, "body /older exclusiveMinimum"),
        (r#"{"pair":["a",1],"older":1,"other":1}"#, "body  maxProperties"),
    ] {
        let reply = client.post("/pairs", body).send().await;
        assert_eq!(reply.refused(422, "invalid_body").violations(), [violation], "{body}");
    }
}
