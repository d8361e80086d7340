//! What is a key, and where one must be.

use crate::desk::{ALICE, KEY, on_each_engine, order};

#[tokio::test]
async fn a_call_without_a_key_is_refused_where_one_is_required() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        let bare = |path: &str| desk.client.call("POST", path).header("content-type", "application/json");
        let reply = bare(ALICE).body(order("pay", 5)).token(&desk.alice()).send().await;
        reply.refused(400, "idempotency_key_missing");
        assert_eq!(reply.header("link"), "<https://docs.example.com/idempotency>; rel=\"describedby\"");
        assert_eq!(desk.effects.count(), 0);
        desk.transfer(KEY, "pay").send().await.allowed(201);
        // where it is optional, a call without one is done as often as it comes; where nothing is said, none counts
        let put = || {
            let call = desk.client.call("PUT", "/notes/n").header("content-type", "application/json");
            call.body(order("pay", 5)).token(&desk.alice())
        };
        put().send().await.allowed(204);
        put().send().await.allowed(204);
        put().header("idempotency-key", KEY).send().await.allowed(204);
        put().header("idempotency-key", KEY).send().await.allowed(204);
        assert_eq!(desk.effects.count(), 4);
        for _ in 0..2 {
            desk.post("/plain", "x", "pay").token(&desk.alice()).send().await.allowed(204);
        }
        assert_eq!(desk.effects.count(), 6);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_key_is_refused() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        for (key, why) in [
            ("short", "fewer than 16"),
            (&format!("{KEY}-").repeat(7), "more than 255"),
            ("0000000000000001", "easy to guess"),
            ("abcdefghijklmnop", "easy to guess"),
            ("\"8e03978e-40d5-43dd-bc93-6894a57f9324", "text in quotes"),
            ("\"8e03978e-40d5-43dd-bc93-6894a57f9324\";a=1", "without parameters"),
            (":jgOXjkDVQ928k2iUpX+TJA==:", "text in quotes"),
            ("8e03978e-40d5-43dd-bc93, 6894a57f9324-0000", "text in quotes"),
        ] {
            let reply = desk.transfer(key, "pay").send().await;
            reply.refused(400, "invalid_idempotency_key");
            assert!(reply.header("link").contains("describedby"), "{why}");
            let text = String::from_utf8_lossy(&reply.body);
            assert!(text.contains(why) && !text.contains(key), "{why}: {text}");
        }
        let twice = desk.transfer(KEY, "pay").header("idempotency-key", KEY).send().await;
        twice.refused(400, "invalid_idempotency_key");
        assert_eq!(desk.effects.count(), 0);
        desk.transfer(KEY, "pay").send().await.allowed(201);
        assert_eq!(desk.effects.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn quoted_and_bare_it_is_one_key() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        desk.transfer(KEY, "pay").send().await.allowed(201);
        let again = desk.transfer(&format!("\"{KEY}\""), "pay").send().await;
        assert_eq!(again.allowed(201).header("idempotent-replayed"), "true");
        assert_eq!(desk.effects.count(), 1);
    })
    .await;
}

/// Its form is looked at with the parameters: after the credentials, before the body.
#[tokio::test]
async fn who_may_not_call_learns_nothing_about_keys() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        desk.post(ALICE, "short", "pay").send().await.refused(401, "unauthenticated");
        let poor = desk.signer.token("alice", "other:scope");
        desk.post(ALICE, "short", "pay").token(&poor).send().await.refused(403, "forbidden");
        let call = desk.client.post(ALICE, "{").header("idempotency-key", "short").token(&desk.alice());
        call.send().await.refused(400, "invalid_idempotency_key");
    })
    .await;
}

/// Also what would be no key elsewhere: nothing is asked of it.
#[tokio::test]
async fn where_the_document_names_no_key_one_means_nothing() {
    on_each_engine(async |store| {
        let desk = store.desk().await;
        let ask = |method: &str, key: &str, amount: i64| {
            let call = desk.client.call(method, "/plain").token(&desk.alice()).header("idempotency-key", key);
            let body = matches!(method, "PUT" | "POST").then(|| order("pay", amount));
            let call = body
                .into_iter()
                .fold(call, |call, body| call.header("content-type", "application/json").body(body));
            call.send()
        };
        let mut done = 0;
        for method in ["GET", "PUT", "DELETE", "POST"] {
            for (key, amount) in [(KEY, 5), (KEY, 5), (KEY, 6), ("no", 5), ("no", 5)] {
                let reply = ask(method, key, amount).await;
                assert!(!reply.allowed(204).headers.contains_key("idempotent-replayed"), "{method} {key}");
                done += 1;
                assert_eq!(desk.effects.count(), done, "{method} {key}");
            }
        }
        // where it does, it is not used yet, and counts
        let transfer = async || desk.transfer(KEY, "pay").send().await;
        assert!(!transfer().await.allowed(201).headers.contains_key("idempotent-replayed"));
        assert_eq!(transfer().await.allowed(201).header("idempotent-replayed"), "true");
        assert_eq!(desk.effects.count(), done + 1);
    })
    .await;
}
