//! Step 13: cursors are sealed, bound and short-lived.

use std::time::Duration;

use palisade::{Clock, Settings};
use palisade_tests::events;
use palisade_tests::gate::{Gate, NOTE};
use palisade_tests::tokens::now;

async fn first_cursor(gate: &Gate, token: &str, query: &str) -> String {
    let reply = gate.client.get(&format!("/notes?{query}")).token(token).send().await;
    reply.allowed(200).json()["next_cursor"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_walk_sees_every_row_once() {
    let gate = Gate::start().await;
    let token = gate.alice();
    let mut path = "/notes?limit=2".to_owned();
    let mut titles = Vec::new();
    loop {
        let page = gate.client.get(&path).token(&token).send().await.allowed(200).json();
        titles.extend(
            page["data"].as_array().unwrap().iter().map(|note| note["title"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/notes?limit=2&after={cursor}"),
            None => break,
        }
    }
    assert_eq!(titles, ["note 1", "note 2", "note 3", "note 4", "note 5"]);
}

#[tokio::test]
async fn a_cursor_is_good_for_its_principal_operation_and_filters_alone() {
    let gate = Gate::start().await;
    let (alice, bob) = (gate.alice(), gate.bob());
    let cursor = first_cursor(&gate, &alice, "colour=red").await;
    let ask = |query: &str, token: &str| {
        gate.client.get(&format!("/notes?{query}after={cursor}")).token(token).send()
    };
    ask("colour=red&", &alice).await.allowed(200);
    ask("colour=red&limit=1&", &alice).await.allowed(200); // the page size may change
    ask("colour=red&", &bob).await.refused(400, "invalid_cursor");
    ask("colour=blue&", &alice).await.refused(400, "invalid_cursor");
    ask("", &alice).await.refused(400, "invalid_cursor");

    // the same rows and no filters, but another operation
    let plain = first_cursor(&gate, &alice, "limit=2").await;
    let at = |path: &str| gate.client.get(&format!("{path}?after={plain}")).token(&alice).send();
    at("/notes").await.allowed(200);
    at(&format!("/notes/{NOTE}/copies")).await.refused(400, "invalid_cursor");
}

#[tokio::test]
async fn a_cursor_is_good_for_its_time() {
    let clock = Clock::fixed(now());
    let gate = Gate::with(Settings::new().clock(clock.clone())).await;
    let token = gate.alice(); // for ten minutes
    let cursor = first_cursor(&gate, &token, "").await;
    let ask = || gate.client.get(&format!("/notes?after={cursor}")).token(&token).send();
    clock.advance(Duration::from_secs(599));
    ask().await.allowed(200);
    clock.advance(Duration::from_secs(302)); // the cursor's fifteen minutes are over; the token's time as well
    ask().await.refused(401, "unauthenticated");
    let fresh = gate.signer.sign(&palisade_tests::tokens::header("k1"), &{
        let mut claims = palisade_tests::tokens::claims("alice", "notes:read");
        claims["iat"] = (now() + 900).into();
        claims["exp"] = (now() + 1500).into();
        claims
    });
    let late = gate.client.get(&format!("/notes?after={cursor}")).token(&fresh).send().await;
    late.refused(400, "invalid_cursor");
    gate.client.get("/notes").token(&fresh).send().await.allowed(200);
}

#[tokio::test]
async fn a_forged_cursor_is_refused_without_a_reason() {
    let gate = Gate::start().await;
    let token = gate.alice();
    let cursor = first_cursor(&gate, &token, "").await;
    let mut bodies = Vec::new();
    let flipped: String = cursor.chars().rev().collect();
    let other_gate = Gate::start().await;
    let foreign = first_cursor(&other_gate, &other_gate.alice(), "").await;
    for bad in ["AAAA", "!!!", &cursor[..cursor.len() - 1], &format!("{cursor}A"), &flipped, &foreign, ""] {
        let reply = gate.client.get(&format!("/notes?after={bad}")).token(&token).send().await;
        assert_eq!(reply.status, 400, "{bad}");
        if reply.json()["error"]["code"] == "invalid_cursor" {
            bodies.push(reply.json()["error"]["message"].clone());
        }
    }
    assert!(bodies.len() >= 5 && bodies.windows(2).all(|two| two[0] == two[1]));
    assert!(!cursor.contains("note") && cursor.len() > 40);
}

/// RFC 8288: what knows no document finds the next page, whichever filters it asked for.
#[tokio::test]
async fn the_next_page_is_linked_and_after_the_last_there_is_none() {
    let gate = Gate::start().await;
    let token = gate.alice();
    let (mut path, mut titles) = ("/notes?limit=2&colour=red".to_owned(), Vec::new());
    for (page, last) in [(1, false), (2, false), (3, true)] {
        let reply = gate.client.get(&path).token(&token).send().await;
        let body = reply.allowed(200).json();
        titles.extend(body["data"].as_array().unwrap().iter().map(|note| note["title"].to_string()));
        let link = reply.header("link");
        assert_eq!(link.is_empty(), last, "page {page}: {link}");
        if let Some(target) = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\"")) {
            let cursor = body["next_cursor"].as_str().unwrap();
            assert_eq!(target, format!("?limit=2&colour=red&after={cursor}"));
            path = format!("/notes{target}");
        }
    }
    assert_eq!(titles.len(), 5);
    gate.client.get("/notes?after=AAAA").token(&token).send().await.refused(400, "invalid_cursor");
}

/// The page is in the cursor, so whoever walks a list to its end is seen whichever instance they ask.
#[tokio::test]
async fn a_long_walk_is_an_event_and_a_short_one_is_none() {
    events::collect();
    let gate = Gate::start().await;
    let token = gate.alice();
    let (mut after, mut told) = (String::new(), Vec::new());
    for page in 1..=120 {
        let path = format!("/notes/{NOTE}/copies?limit=1{after}");
        let reply = gate.client.get(&path).token(&token).send().await;
        let cursor = reply.allowed(200).json()["next_cursor"].as_str().unwrap().to_owned();
        after = format!("&after={cursor}");
        let id = reply.header("x-request-id");
        told.extend(events::with("request_id", id).into_iter().map(|event| (page, event)));
    }
    let [(100, event)] = &told[..] else { panic!("{told:?}") };
    let field = |name: &str| event[name].as_str();
    assert_eq!((field("event_type"), field("failure_reason")), ("excess_pages_walked", "page_100_of_a_walk"));
    assert_eq!((field("operation_id"), field("status")), ("listCopies", "200"));
    assert!(field("principal").starts_with("https://id.example.com#"));
}

/// A walk of large steps forward and small ones back sees all and seems to stay where it is.
#[tokio::test]
async fn who_goes_back_and_forth_is_on_a_long_walk_as_well() {
    events::collect();
    let gate = Gate::start().await;
    let token = gate.alice();
    let (mut query, mut told) = (String::new(), Vec::new());
    for page in 1..=120 {
        let reply = gate.client.get(&format!("/shelf{query}")).token(&token).send().await;
        let way = if page % 2 == 1 { "next_cursor" } else { "previous_cursor" };
        query = format!("?at={}", reply.allowed(200).json()[way].as_str().unwrap());
        told.extend(events::with("request_id", reply.header("x-request-id")));
    }
    let reasons: Vec<_> = told.iter().map(|event| event["failure_reason"].as_str()).collect();
    assert_eq!(reasons, ["page_100_of_a_walk"]);
}

/// A page of the shelf: the numbers of its notes, and its whole body.
async fn shelf(gate: &Gate, token: &str, query: &str) -> (Vec<u8>, serde_json::Value) {
    let page = gate.client.get(&format!("/shelf{query}")).token(token).send().await.allowed(200).json();
    let titles = page["data"].as_array().unwrap().iter().map(|note| note["title"].as_str().unwrap());
    (titles.map(|title| title.strip_prefix("note ").unwrap().parse().unwrap()).collect(), page)
}

#[tokio::test]
async fn a_list_that_names_previous_is_walked_both_ways() {
    let gate = Gate::start().await;
    let token = gate.alice();
    let (mut query, mut seen) = (String::new(), Vec::new());
    // there and back again
    for way in ["next", "next", "previous", "previous", "next"] {
        let (numbers, page) = shelf(&gate, &token, &query).await;
        seen.push((numbers, page["next_cursor"].is_string(), page["previous_cursor"].is_string()));
        query = format!("?at={}", page[format!("{way}_cursor")].as_str().unwrap());
    }
    let [first, middle, last, middle_again, first_again] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(first, &(vec![1, 2], true, false));
    assert_eq!(middle, &(vec![3, 4], true, true));
    assert_eq!(last, &(vec![5], false, true));
    assert_eq!((middle_again, first_again), (middle, first));
}

/// RFC 8288, with the relations that its registry has for the pages beside one.
#[tokio::test]
async fn the_pages_on_both_sides_are_linked() {
    let gate = Gate::start().await;
    let token = gate.alice();
    let (_, first) = shelf(&gate, &token, "").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let reply = gate.client.get(&format!("/shelf?at={cursor}&limit=1")).token(&token).send().await;
    let page = reply.allowed(200).json();
    let links: Vec<_> = reply.headers.get_all("link").iter().map(|link| link.to_str().unwrap()).collect();
    let target = |member: &str| format!("<?limit=1&at={}>", page[member].as_str().unwrap());
    let next = format!("{}; rel=\"next\"", target("next_cursor"));
    assert_eq!(links, [next, format!("{}; rel=\"prev\"", target("previous_cursor"))]);
}

#[tokio::test]
async fn a_cursor_that_leads_back_is_as_good_as_others_and_no_better() {
    let gate = Gate::start().await;
    let (alice, bob) = (gate.alice(), gate.bob());
    let (_, first) = shelf(&gate, &alice, "").await;
    let (_, middle) = shelf(&gate, &alice, &format!("?at={}", first["next_cursor"].as_str().unwrap())).await;
    let back = middle["previous_cursor"].as_str().unwrap();
    let ask = |path: &str, token: &str| gate.client.get(&format!("{path}={back}")).token(token).send();
    ask("/shelf?at", &alice).await.allowed(200);
    ask("/shelf?at", &bob).await.refused(400, "invalid_cursor");
    ask("/notes?after", &alice).await.refused(400, "invalid_cursor");
    assert_eq!(back.len(), first["next_cursor"].as_str().unwrap().len(), "nobody sees which way it leads");
}
