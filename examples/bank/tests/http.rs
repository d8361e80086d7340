//! The bank over a real socket: what each operation allows, and beside it what it refuses.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../../http_client.rs"]
mod http_client;
mod running;

use serde_json::{Value, json};

use http_client::Answer;
use running::Running;

const ALICE: &str = "a11ce000-0000-4000-8000-000000000001";
const ALICE_USD: &str = "a11ce000-0000-4000-8000-000000000002";
const BOB: &str = "b0b00000-0000-4000-8000-000000000001";
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.refusal(), (status, code.to_owned()), "{answer:?}");
    // What the document declares of a refusal, and nothing else.
    let declared = ["code", "message", "timestamp", "request_id", "policy", "details"];
    let body = answer.json();
    for member in body["error"].as_object().unwrap().keys() {
        assert!(declared.contains(&member.as_str()), "{member}: {answer:?}");
    }
}

#[tokio::test]
async fn the_status_is_public_and_nothing_else_is() {
    let bank = Running::start().await;
    let answer = bank.call("GET /status").send().await;
    assert_eq!((answer.status, &answer.json()["open"]), (200, &json!(true)));

    refused(&bank.call("GET /accounts").send().await, 401, "unauthenticated");
    refused(&bank.call("GET /statuses").send().await, 404, "not_found");
    let answer = bank.call("POST /status").send().await;
    refused(&answer, 405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("GET"));
    assert_eq!(bank.call("GET /status?verbose=1").send().await.status, 400);
}

#[tokio::test]
async fn every_answer_says_how_it_is_to_be_treated() {
    let bank = Running::start().await;
    for line in ["GET /status", "GET /accounts", "GET /nowhere", "DELETE /status"] {
        let answer = bank.call(line).send().await;
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{line}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{line}");
        let id = answer.header("x-request-id").unwrap_or_else(|| panic!("{line}: {answer:?}"));
        if answer.status >= 400 {
            assert_eq!(answer.json().pointer("/error/request_id"), Some(&json!(id)), "{line}");
        }
    }
}

#[tokio::test]
async fn customers_list_their_own_accounts_and_no_others() {
    let bank = Running::start().await;
    let alice = bank.token("alice", "accounts:read");
    let answer = bank.call("GET /accounts").token(&alice).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let ids: Vec<Value> =
        answer.json()["data"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(ids, [json!(ALICE), json!(ALICE_USD)]);
    let answer = bank.call("GET /accounts?currency=USD").token(&alice).send().await;
    assert_eq!(answer.json()["data"].as_array().map(Vec::len), Some(1));
    assert!(answer.header("ratelimit").is_some(), "{answer:?}");

    let answer = bank.call("GET /accounts").token(&bank.token("mallory", "accounts:read")).send().await;
    assert_eq!((answer.status, answer.json()), (200, json!({"data": []})));
    refused(
        &bank.call("GET /accounts").token(&bank.token("alice", "transfers:write")).send().await,
        403,
        "forbidden",
    );
    assert_eq!(bank.call("GET /accounts?currency=DEM").token(&alice).send().await.status, 400);
    assert_eq!(bank.call("GET /accounts?currency=EUR&currency=USD").token(&alice).send().await.status, 400);
}

#[tokio::test]
async fn a_token_is_taken_only_as_it_was_signed() {
    let bank = Running::start().await;
    let stranger = Running::start().await;
    let good = bank.token("alice", "accounts:read");
    assert_eq!(bank.call("GET /accounts").token(&good).send().await.status, 200);

    let (head, signature) = good.rsplit_once('.').unwrap();
    let unsigned = format!("{head}.");
    let turned = format!("{head}.{}", signature.chars().rev().collect::<String>());
    let foreign = stranger.token("alice", "accounts:read");
    for bad in [unsigned.as_str(), &turned, &foreign, "x", "a.b.c"] {
        let answer = bank.call("GET /accounts").token(bad).send().await;
        refused(&answer, 401, "unauthenticated");
        assert!(answer.header("www-authenticate").unwrap().contains("invalid_token"), "{answer:?}");
    }
    let answer = bank.call("GET /accounts").send().await;
    assert!(!answer.header("www-authenticate").unwrap().contains("error="), "{answer:?}");
}

#[tokio::test]
async fn another_ones_account_looks_like_no_account() {
    let bank = Running::start().await;
    let alice = bank.token("alice", "accounts:read");
    let answer = bank.call(&format!("GET /accounts/{ALICE}")).token(&alice).send().await;
    assert_eq!((answer.status, &answer.json()["owner"]), (200, &json!("alice")));
    let admin = bank.token("root", "accounts:read accounts:admin");
    assert_eq!(bank.call(&format!("GET /accounts/{BOB}")).token(&admin).send().await.status, 200);

    let others = bank.call(&format!("GET /accounts/{BOB}")).token(&alice).send().await;
    let nobodys = bank.call(&format!("GET /accounts/{NOBODY}")).token(&alice).send().await;
    refused(&others, 404, "not_found");
    refused(&nobodys, 404, "not_found");
    assert_eq!(others.json()["error"]["message"], nobodys.json()["error"]["message"]);
    assert_eq!(bank.call("GET /accounts/42").token(&alice).send().await.status, 400);
}

#[tokio::test]
async fn the_owner_moves_money_and_nobody_else_does() {
    let bank = Running::start().await;
    let alice = bank.token("alice", "transfers:write");
    let order = json!({"to": BOB, "amount": 1250, "note": "lunch"});
    let line = format!("POST /accounts/{ALICE}/transfers");
    let before = (bank.balance(ALICE).await, bank.balance(BOB).await);
    let answer = bank.call(&line).token(&alice).json(order.clone()).send().await;
    assert_eq!((answer.status, &answer.json()["amount"]), (201, &json!(1250)), "{answer:?}");
    let after = (before.0 - 1250, before.1 + 1250);
    assert_eq!((bank.balance(ALICE).await, bank.balance(BOB).await), after);

    let bob = bank.token("bob", "transfers:write");
    refused(&bank.call(&line).token(&bob).json(order.clone()).send().await, 404, "not_found");
    let reader = bank.token("alice", "accounts:read");
    refused(&bank.call(&line).token(&reader).json(order.clone()).send().await, 403, "forbidden");
    refused(&bank.call(&line).json(order).send().await, 401, "unauthenticated");
    let admin = bank.token("root", "transfers:write accounts:admin");
    let order = json!({"to": BOB, "amount": 1});
    refused(&bank.call(&line).token(&admin).json(order).send().await, 404, "not_found");
    assert_eq!((bank.balance(ALICE).await, bank.balance(BOB).await), after);
}

#[tokio::test]
async fn a_transfer_that_is_sent_again_moves_money_once() {
    let bank = Running::start().await;
    let alice = bank.token("alice", "transfers:write");
    let (line, before) = (format!("POST /accounts/{ALICE}/transfers"), bank.balance(ALICE).await);
    let send = |amount| {
        let call = bank.call(&line).token(&alice).header("Idempotency-Key", "5f0c7e1a-rent-of-june-9b2d");
        call.json(json!({"to": BOB, "amount": amount})).send()
    };
    let first = send(700).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (201, None), "{first:?}");
    let again = send(700).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")), "{again:?}");
    assert_eq!(again.body, first.body);
    refused(&send(701).await, 422, "idempotency_key_reused");
    assert_eq!(bank.balance(ALICE).await, before - 700);
}

#[tokio::test]
async fn what_the_books_cannot_do_is_a_conflict() {
    let bank = Running::start().await;
    let alice = bank.token("alice", "transfers:write");
    let line = format!("POST /accounts/{ALICE}/transfers");
    for (to, amount, code) in [
        (BOB, 99_999_999, "insufficient_funds"),
        (ALICE, 1, "same_account"),
        (ALICE_USD, 1, "currency_mismatch"),
        (NOBODY, 1, "unknown_receiver"),
    ] {
        let answer = bank.call(&line).token(&alice).json(json!({"to": to, "amount": amount})).send().await;
        refused(&answer, 409, code);
    }
}

#[tokio::test]
async fn every_fault_of_a_body_is_named_at_once_and_echoed_never() {
    let bank = Running::start().await;
    let alice = bank.token("alice", "transfers:write");
    let line = format!("POST /accounts/{ALICE}/transfers");
    let faulty = json!({"to": "canary-1", "amount": 0, "note": "canary\u{7}2", "canary_3": true});
    let answer = bank.call(&line).token(&alice).json(faulty).send().await;
    assert_eq!(answer.status, 422, "{answer:?}");
    assert!(!answer.body.contains("canary-1") && !answer.body.contains("canary\\u"), "{answer:?}");
    let body = answer.json();
    let pointers: Vec<&str> = body["error"]["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["pointer"].as_str().unwrap())
        .collect();
    for pointer in ["/to", "/amount", "/note"] {
        assert!(pointers.contains(&pointer), "{pointers:?}");
    }
    assert_eq!(pointers.len(), 4, "{pointers:?}");

    let cases = [("text/plain", "{}", 415), ("application/json", "{", 400), ("application/json", "[]", 422)];
    for (content_type, body, status) in cases {
        let answer =
            bank.call(&line).token(&alice).header("Content-Type", content_type).text(body).send().await;
        assert_eq!(answer.status, status, "{content_type} {body}: {answer:?}");
    }
    let huge = format!("{{\"note\":\"{}\"}}", "x".repeat(20_000));
    let answer =
        bank.call(&line).token(&alice).header("Content-Type", "application/json").text(&huge).send().await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn the_eleventh_transfer_of_a_minute_waits_and_others_do_not() {
    let bank = Running::start().await;
    let alice = bank.token("alice", "transfers:write accounts:read");
    let line = format!("POST /accounts/{ALICE}/transfers");
    let begun = std::time::Instant::now();
    let (mut moved, mut answer) = (0, bank.call("GET /status").send().await);
    while answer.status != 429 && moved < 100 {
        answer = bank.call(&line).token(&alice).json(json!({"to": BOB, "amount": 1})).send().await;
        moved += u64::from(answer.status == 201);
    }
    refused(&answer, 429, "rate_limited");
    let more = begun.elapsed().as_secs() / 6; // one comes back every six seconds, should this machine be slow
    assert!((10..=10 + more).contains(&moved), "{moved}");
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);

    assert_eq!(bank.call("GET /accounts").token(&alice).send().await.status, 200);
    let bob = bank.token("bob", "transfers:write");
    let line = format!("POST /accounts/{BOB}/transfers");
    let answer = bank.call(&line).token(&bob).json(json!({"to": ALICE, "amount": 1})).send().await;
    assert_eq!(answer.status, 201);
}

#[tokio::test]
async fn pages_show_each_transfer_once() {
    let bank = Running::start().await;
    let alice = bank.token("alice", "accounts:read");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let line = format!("GET /accounts/{ALICE}/transfers?limit=10{cursor}");
        let answer = bank.call(&line).token(&alice).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let page = answer.json();
        seen.extend(page["data"].as_array().unwrap().iter().map(|one| one["id"].to_string()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&after={next}");
    }
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((all, seen.len()), (25, 25));
}

#[tokio::test]
async fn a_cursor_is_good_only_for_whom_and_what_it_was_made() {
    let bank = Running::start().await;
    let alice = bank.token("alice", "accounts:read");
    let first =
        bank.call(&format!("GET /accounts/{ALICE}/transfers?limit=5")).token(&alice).send().await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let line = |rest: &str| format!("GET /accounts/{ALICE}/transfers?after={cursor}{rest}");
    assert_eq!(bank.call(&line("&limit=7")).token(&alice).send().await.status, 200);

    let admin = bank.token("root", "accounts:read accounts:admin");
    refused(&bank.call(&line("")).token(&admin).send().await, 400, "invalid_cursor");
    refused(&bank.call(&line("&direction=in")).token(&alice).send().await, 400, "invalid_cursor");
    refused(&bank.call(&line("AAAA")).token(&alice).send().await, 400, "invalid_cursor");
    for limit in ["0", "101", "ten", "1.5", ""] {
        let line = format!("GET /accounts/{ALICE}/transfers?limit={limit}");
        assert_eq!(bank.call(&line).token(&alice).send().await.status, 400, "{limit}");
    }
    let bob = bank.token("bob", "accounts:read");
    refused(&bank.call(&line("")).token(&bob).send().await, 404, "not_found");
}

#[tokio::test]
async fn either_credential_opens_a_rate() {
    let bank = Running::start().await;
    let token = bank.token("alice", "");
    let answer = bank.call("GET /rates/USD").token(&token).send().await;
    assert_eq!((answer.status, &answer.json()["quote"]), (200, &json!("EUR")), "{answer:?}");
    let answer = bank.call("GET /rates/USD?quote=GBP").key(&bank.key("acme", "rates:read")).send().await;
    assert_eq!((answer.status, &answer.json()["quote"]), (200, &json!("GBP")), "{answer:?}");

    let answer = bank.call("GET /rates/USD").send().await;
    refused(&answer, 401, "unauthenticated");
    refused(
        &bank.call("GET /rates/USD").key(&bank.key("acme", "payouts:write")).send().await,
        403,
        "forbidden",
    );
    refused(&bank.call("GET /rates/USD").key("bank_live_x").send().await, 401, "unauthenticated");
    // Of two that would each have been enough nobody knows which says who calls, be they good or bad.
    for token in [token.as_str(), "a.b.c"] {
        let both = bank.call("GET /rates/USD").token(token).key(&bank.key("acme", "rates:read"));
        refused(&both.send().await, 400, "invalid_request");
    }
}

#[tokio::test]
async fn partners_list_rates_by_key_alone() {
    let bank = Running::start().await;
    let answer = bank.call("GET /partner/rates").key(&bank.key("acme", "rates:read")).send().await;
    assert_eq!((answer.status, answer.json()["data"].as_array().map(Vec::len)), (200, Some(6)), "{answer:?}");

    refused(
        &bank.call("GET /partner/rates").token(&bank.token("alice", "accounts:read")).send().await,
        401,
        "unauthenticated",
    );
    refused(
        &bank.call("GET /partner/rates").key(&bank.key("acme", "payouts:write")).send().await,
        403,
        "forbidden",
    );
    let unknown = Running::start().await.key("acme", "rates:read");
    refused(&bank.call("GET /partner/rates").key(&unknown).send().await, 401, "unauthenticated");
}

#[tokio::test]
async fn a_payout_needs_the_partner_and_the_customer() {
    let bank = Running::start().await;
    let (alice, key) = (bank.token("alice", "payouts:write"), bank.key("acme", "payouts:write"));
    let order = json!({"iban": "DE02120300000000202051", "amount": 700, "purposes": ["rent", "june"]});
    let line = format!("POST /partner/accounts/{ALICE}/payouts");
    let before = bank.balance(ALICE).await;
    let answer = bank.call(&line).token(&alice).key(&key).json(order.clone()).send().await;
    assert_eq!((answer.status, &answer.json()["partner"]), (201, &json!("acme")), "{answer:?}");
    assert_eq!(bank.balance(ALICE).await, before - 700);

    refused(&bank.call(&line).token(&alice).json(order.clone()).send().await, 401, "unauthenticated");
    refused(&bank.call(&line).key(&key).json(order.clone()).send().await, 401, "unauthenticated");
    let bob = bank.token("bob", "payouts:write");
    refused(&bank.call(&line).token(&bob).key(&key).json(order.clone()).send().await, 404, "not_found");
    // Scopes are not added up: each credential must grant its own.
    let narrow = bank.key("acme", "rates:read");
    refused(&bank.call(&line).token(&alice).key(&narrow).json(order.clone()).send().await, 403, "forbidden");
    let narrow = bank.token("alice", "accounts:read");
    refused(&bank.call(&line).token(&narrow).key(&key).json(order).send().await, 403, "forbidden");
    let twice = json!({"iban": "DE02120300000000202051", "amount": 700, "purposes": ["rent", "rent"]});
    assert_eq!(bank.call(&line).token(&alice).key(&key).json(twice).send().await.status, 422);
    assert_eq!(bank.balance(ALICE).await, before - 700);
}

#[tokio::test]
async fn an_administrator_freezes_and_a_customer_does_not() {
    let bank = Running::start().await;
    let admin = bank.token("root", "accounts:admin");
    let line = format!("PUT /admin/accounts/{ALICE}/freeze");
    let freeze = json!({"frozen": true, "reason": "lost card"});
    let alice = bank.token("alice", "accounts:read transfers:write");
    refused(&bank.call(&line).token(&alice).json(freeze.clone()).send().await, 403, "forbidden");
    let pay = async || {
        let line = format!("POST /accounts/{ALICE}/transfers");
        bank.call(&line).token(&alice).json(json!({"to": BOB, "amount": 1})).send().await
    };
    assert_eq!(pay().await.status, 201);

    let answer = bank.call(&line).token(&admin).json(freeze.clone()).send().await;
    assert_eq!((answer.status, &answer.json()["frozen"]), (200, &json!(true)), "{answer:?}");
    refused(&pay().await, 409, "account_frozen");
    let line = format!("PUT /admin/accounts/{NOBODY}/freeze");
    refused(&bank.call(&line).token(&admin).json(freeze).send().await, 404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_transfers_at_once_neither_make_nor_lose_money() {
    let bank = Running::start().await;
    let customers = bank.open_accounts(5, 3_000).await;
    let before = bank.total().await;
    let mut running = Vec::new();
    for turn in 0..50 {
        let ((owner, from), (_, to)) = (&customers[turn % 5], &customers[(turn + 1 + turn / 5 % 4) % 5]);
        let call = bank
            .call(&format!("POST /accounts/{from}/transfers"))
            .token(&bank.token(owner, "transfers:write"))
            .json(json!({"to": to, "amount": 1_000}));
        running.push(tokio::spawn(call.send()));
    }
    let (mut moved, mut refused) = (0, 0);
    for one in running {
        match one.await.unwrap().status {
            201 => moved += 1,
            409 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!(moved >= 15, "{moved} moved, {refused} refused");
    assert_eq!(bank.total().await, before);
    for (_, account) in &customers {
        assert!(bank.balance(account).await >= 0);
    }
}
