//! A token that comes while a fetch ends.

use tokio::sync::oneshot;
use tracing::instrument::WithSubscriber as _;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::*;

/// Does something when the log is told for the first time that a key is left out: between an answer and its end.
struct WhenLeftOut(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Subscriber for WhenLeftOut {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "palisade::keys"
    }

    fn event(&self, _: &Event<'_>) {
        let act = self.0.lock().unwrap().take();
        act.unwrap()();
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// It begins a fetch of its own, and the end of the other is none of that one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_while_a_fetch_ends_is_not_judged_by_its_answer() {
    let (old, new) = (Signer::new(), Signer::new());
    let mut useless = Signer::new().jwk("useless");
    useless["use"] = "enc".into();
    let issuer = Issuer::start(ok(&json!({ "keys": [old.jwk("old"), useless] }).to_string())).await;
    let jwks = Jwks::at(&issuer.address, QUICK).unwrap();
    jwks.load().await.unwrap();
    let (verifier, token, (tell, told)) = (verifier(&jwks), token("new", &new), oneshot::channel());
    let (published, runtime) = (set(&[("old", &old), ("new", &new)]), tokio::runtime::Handle::current());
    let asks = issuer.clone();
    let come = move || {
        asks.say(published);
        runtime.spawn(async move { tell.send(judged(&verifier, &token).await) });
        std::thread::sleep(Duration::from_millis(100)); // until it waits for what the end of the fetch holds
    };
    let fetch = jwks.claim_background(jwks.remote().unwrap()).unwrap();
    fetch.finish().with_subscriber(WhenLeftOut(Mutex::new(Some(Box::new(come))))).await;
    assert_eq!(told.await.unwrap(), Ok(()));
    assert_eq!(issuer.asked(), 3);
}
