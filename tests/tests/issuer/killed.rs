//! An issuer that is killed while it exchanges a refresh token, which is used up or not, and whose answer nobody has.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use palisade_tests::client::Reply;
use palisade_tests::instance::Instance;

use crate::bench::{KEYS, refused};

struct Killed {
    folder: tempfile::TempDir,
    grace: &'static str,
    instance: Instance,
}

impl Killed {
    /// An issuer whose token was being exchanged when it died: `before` the change of its record or `after`, and the token.
    async fn while_it_exchanges(when: &str, grace: &'static str) -> (Self, String) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("keys"), KEYS).unwrap();
        let mut killed = Self { instance: start(folder.path(), grace), folder, grace };
        let first = std::fs::read_to_string(killed.folder.path().join("token")).unwrap();
        let token = killed.renewed(&first).await;
        std::fs::write(killed.folder.path().join("hold"), when).unwrap();
        let asking = killed.call(&token);
        let asking = tokio::spawn(asking);
        let held = killed.folder.path().join("held");
        for _ in 0..1000 {
            if held.exists() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(std::fs::read_to_string(held).unwrap(), when);
        killed.instance.kill();
        assert!(asking.await.unwrap().is_err(), "no answer");
        std::fs::remove_file(killed.folder.path().join("hold")).unwrap();
        killed.instance = start(killed.folder.path(), killed.grace);
        (killed, token)
    }

    fn call(
        &self,
        token: &str,
    ) -> impl Future<Output = Result<Reply, Box<dyn std::error::Error + Send + Sync>>> + use<> {
        let form = format!("grant_type=refresh_token&client_id=app&refresh_token={token}");
        let call = self.instance.client.call("POST", "/token");
        call.header("content-type", "application/x-www-form-urlencoded").body(form).try_send()
    }

    async fn shows(&self, token: &str) -> Reply {
        self.call(token).await.unwrap()
    }

    async fn renewed(&self, token: &str) -> String {
        self.shows(token).await.allowed(200).json()["refresh_token"].as_str().unwrap().to_owned()
    }
}

fn start(folder: &Path, grace: &str) -> Instance {
    let arguments: [&OsStr; 2] = [folder.as_ref(), grace.as_ref()];
    Instance::start(env!("CARGO_BIN_EXE_issuer-server"), &arguments)
}

#[tokio::test]
async fn a_token_that_was_not_used_up_is_good_for_one_successor() {
    let (killed, token) = Killed::while_it_exchanges("before", "0").await;
    let next = killed.renewed(&token).await;
    let next = killed.renewed(&next).await;
    refused(&killed.shows(&token).await, 400, "invalid_grant");
    refused(&killed.shows(&next).await, 400, "invalid_grant");
}

#[tokio::test]
async fn a_token_that_was_used_up_ends_its_family_when_it_is_shown_again() {
    let (killed, token) = Killed::while_it_exchanges("after", "0").await;
    for _ in 0..2 {
        refused(&killed.shows(&token).await, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn within_the_grace_its_one_successor_is_told_again() {
    let (killed, token) = Killed::while_it_exchanges("after", "10").await;
    let next = killed.renewed(&token).await;
    assert_eq!(killed.renewed(&token).await, next, "never a second one");
    let after = killed.renewed(&next).await;
    refused(&killed.shows(&token).await, 400, "invalid_grant");
    for dead in [&next, &after] {
        refused(&killed.shows(dead).await, 400, "invalid_grant");
    }
}
