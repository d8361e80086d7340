//! Step 13: cursors are sealed, bound and short-lived.

use std::time::Duration;

use palisade::cursor::CursorKeys;
use palisade::{Clock, Settings};
use palisade_tests::client::Reply;
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

/// An answer without what is of one request: its head, and its body.
fn shown(reply: &Reply) -> (Vec<String>, String) {
    let error = &reply.json()["error"];
    let own = [&error["request_id"], &error["timestamp"]].map(|value| value.as_str().unwrap().to_owned());
    let strip = |text: String| own.iter().fold(text, |text, one| text.replace(one, ""));
    // the time is written with as many digits as it needs
    let of_now = |name: &str| ["date", "content-length"].contains(&name) || name.contains("ratelimit");
    let head = reply.headers.iter().filter(|(name, _)| !of_now(name.as_str()));
    let head = head.map(|(name, value)| strip(format!("{name}: {}", value.to_str().unwrap())));
    (head.collect(), strip(String::from_utf8(reply.body.to_vec()).unwrap()))
}

#[tokio::test]
async fn a_cursor_that_does_not_open_is_refused_alike_whatever_is_wrong_with_it() {
    let clock = Clock::fixed(now());
    let gate = Gate::with(Settings::new().clock(clock.clone())).await;
    let (token, other_gate) = (gate.alice(), Gate::start().await);
    let expired = first_cursor(&gate, &token, "").await;
    clock.advance(Duration::from_secs(599));
    let fresh = |name: &str| {
        let mut claims = palisade_tests::tokens::claims(name, "notes:read");
        (claims["iat"], claims["exp"]) = ((now() + 590).into(), (now() + 1500).into());
        gate.signer.sign(&palisade_tests::tokens::header("k1"), &claims)
    };
    let token = fresh("alice");
    let cursor = first_cursor(&gate, &token, "").await;
    clock.advance(Duration::from_secs(302));
    gate.client.get(&format!("/notes?after={cursor}")).token(&token).send().await.allowed(200);
    let altered: String = cursor.chars().rev().collect();
    let foreign = first_cursor(&other_gate, &other_gate.alice(), "").await;
    let of_bob = first_cursor(&gate, &fresh("bob"), "").await;
    let of_red = first_cursor(&gate, &token, "colour=red").await;
    let mut answers = Vec::new();
    for (bad, why) in [
        ("AAAA", "short"),
        ("!!!", "no base64"),
        (&cursor[..cursor.len() - 1], "cut"),
        (&format!("{cursor}A"), "longer"),
        (&altered, "altered"),
        (&foreign, "of an unknown key"),
        (&expired, "expired"),
        (&of_bob, "of another principal"),
        (&of_red, "of other filters"),
    ] {
        let reply = gate.client.get(&format!("/notes?after={bad}")).token(&token).send().await;
        reply.refused(400, "invalid_cursor");
        answers.push((why, shown(&reply)));
    }
    for (why, answer) in &answers {
        assert_eq!(*answer, answers[0].1, "{why}");
    }
    assert!(!cursor.contains("note") && cursor.len() > 40);
}

/// As docs/lists.md has it: from its time on, a key opens for as long as cursors live, which is fifteen minutes.
#[tokio::test]
async fn a_retired_key_opens_what_was_sealed_in_time_and_then_nothing() {
    const ROTATED: &str = "
        2026-12:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=
        2026-11:3q2+7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg=:2026-12-01T12:00:00Z
    ";
    const NOON: u64 = 1_796_126_400; // 2026-12-01T12:00:00Z
    let (_, old) = ROTATED.trim().split_once("2026-11").unwrap();
    let old = format!("2026-11{}", old.strip_suffix(":2026-12-01T12:00:00Z").unwrap());
    let clock = Clock::fixed(NOON - 1);
    let gate = |list: &str| {
        let keys = CursorKeys::from_list(list).unwrap();
        Gate::sealing(Settings::new().clock(clock.clone()), keys)
    };
    let (before, after) = (gate(&old).await, gate(ROTATED).await);
    let ask = async |gate: &Gate, query: &str| {
        let mut claims = palisade_tests::tokens::claims("alice", "notes:read");
        let now = clock.now().unwrap().unix();
        (claims["iat"], claims["exp"]) = (now.into(), (now + 60).into());
        let token = gate.signer.sign(&palisade_tests::tokens::header("k1"), &claims);
        gate.client.get(&format!("/notes{query}")).token(&token).send().await
    };
    let sealed = async |gate: &Gate| {
        let page = ask(gate, "").await.allowed(200).json();
        format!("?after={}", page["next_cursor"].as_str().unwrap())
    };
    let in_time = sealed(&before).await;
    ask(&after, &in_time).await.allowed(200);
    ask(&before, &sealed(&after).await).await.refused(400, "invalid_cursor");
    clock.advance(Duration::from_secs(600));
    let late = sealed(&before).await; // by who still has the old key
    ask(&after, &in_time).await.allowed(200);
    ask(&after, &late).await.allowed(200);
    clock.advance(Duration::from_secs(301));
    ask(&before, &late).await.allowed(200);
    ask(&after, &late).await.refused(400, "invalid_cursor");
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
        let links: Vec<&str> =
            reply.headers.get_all("link").iter().map(|link| link.to_str().unwrap()).collect();
        let first = "<?limit=2&colour=red>; rel=\"first\"";
        assert_eq!(links.contains(&first), page > 1, "page {page}: {links:?}");
        let next = links.iter().find_map(|link| link.strip_prefix('<')?.strip_suffix(">; rel=\"next\""));
        assert_eq!(next.is_none(), last, "page {page}: {links:?}");
        if let Some(target) = next {
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

/// A list is taken whole by short walks, too, and by the first pages of none.
#[tokio::test]
async fn many_short_walks_are_an_event_and_first_pages_are_none() {
    events::collect();
    let gate = Gate::start().await;
    let (token, mut told) = (gate.alice(), Vec::new());
    for walk in 1..=60 {
        let colour = ["red", "blue"][walk % 2];
        let path = format!("/notes?limit=2&colour={colour}");
        let mut after = String::new();
        for page in 1..=3 {
            let reply = gate.client.get(&format!("{path}{after}")).token(&token).send().await;
            let cursor = reply.allowed(200).json()["next_cursor"].as_str().map(str::to_owned);
            after = format!("&after={}", cursor.unwrap_or_default());
            let events = events::with("request_id", reply.header("x-request-id"));
            told.extend(events.into_iter().map(|event| (walk, page, event)));
        }
    }
    let [(50, 2, event)] = &told[..] else { panic!("{told:?}") };
    let field = |name: &str| event[name].as_str();
    assert_eq!(
        (field("event_type"), field("failure_reason")),
        ("excess_pages_walked", "100_pages_in_an_hour")
    );
    for _ in 0..120 {
        let reply = gate.client.get("/notes?limit=2").token(&gate.bob()).send().await;
        reply.allowed(200);
        assert_eq!(events::with("request_id", reply.header("x-request-id")), []);
    }
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
    let previous = format!("{}; rel=\"prev\"", target("previous_cursor"));
    assert_eq!(links, [&next, &previous, "<?limit=1>; rel=\"first\""]);
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

/// Whoever has such a key opens what was sealed years ago.
#[tokio::test]
async fn an_old_key_without_an_end_is_told_of_when_the_server_is_built() {
    const ENDLESS: &str = "
        2026-12:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=
        2026-11:3q2+7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg=
    ";
    events::collect();
    const NOON: u64 = 1_796_126_400; // 2026-12-01T12:00:00Z
    const TOLD: &str =
        "old keys of cursors open for ever, or for long: write behind each when it was retired";
    let ended = ENDLESS.trim_end().to_owned() + ":2026-12-01T11:00:00Z";
    let settings = || Settings::new().clock(Clock::fixed(NOON));
    let gate = |list: &str| Gate::sealing(settings(), CursorKeys::from_list(list).unwrap());
    gate(&ended).await;
    assert_eq!(events::with("message", TOLD), []);
    gate(ENDLESS).await;
    let told = events::with("message", TOLD);
    let [told] = &told[..] else { panic!("{told:?}") };
    assert_eq!((&*told["target"], &*told["count"]), ("palisade::keys", "1"));
}
