//! Limits by network: of IPv6 a /48, of IPv4 an address.

use palisade::Settings;
use palisade_tests::client::Reply;

use super::Bench;

/// Behind a proxy that says for whom it asks.
async fn bench() -> Bench {
    Bench::with(Settings::new().trusted_proxies(["127.0.0.1"]).expect("an address")).await
}

async fn get(bench: &Bench, from: &str) -> Reply {
    let call = bench.client.get("/site").header("x-forwarded-for", from);
    call.header("x-forwarded-proto", "https").send().await
}

#[tokio::test]
async fn who_has_a_48_has_one_counter_for_all_of_its_networks() {
    let bench = bench().await;
    for network in ["2001:db8:1:1::1", "2001:db8:1:2::2", "2001:db8:1:ffff::3"] {
        get(&bench, network).await.allowed(204);
    }
    let reply = get(&bench, "2001:db8:1:4::4").await;
    reply.refused(429, "rate_limited");
    assert_eq!(reply.json()["error"]["policy"], "site");
    get(&bench, "2001:db8:2:1::1").await.allowed(204);
}

#[tokio::test]
async fn of_ipv4_each_address_is_counted_alone_however_it_is_written() {
    let bench = bench().await;
    for from in ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"] {
        get(&bench, from).await.allowed(204);
    }
    get(&bench, "::ffff:192.0.2.1").await.refused(429, "rate_limited");
    get(&bench, "192.0.2.2").await.allowed(204);
}

#[tokio::test]
async fn a_network_is_counted_beside_what_it_says() {
    let bench = bench().await;
    let post = async |from: &str, name: &str| {
        let call = bench.client.post("/guessed", &format!(r#"{{"username":"{name}"}}"#));
        call.header("x-forwarded-for", from).header("x-forwarded-proto", "https").send().await
    };
    for from in ["2001:db8:1:1::1", "2001:db8:1:2::1"] {
        post(from, "alice").await.allowed(204);
    }
    post("2001:db8:1:3::1", "alice").await.refused(429, "rate_limited");
    post("2001:db8:1:3::1", "bob").await.allowed(204);
    post("2001:db8:2:3::1", "alice").await.allowed(204);
}
