//! An issuer in a folder, until it is killed: `issuer-server FOLDER GRACE`, the grace in seconds. Its first start signs somebody in
//! and leaves the refresh token in `token`. As long as there is `hold`, the next change of a record waits for ever, `before` it is
//! made or `after`, whatever stands there, and `held` says that it does.

use std::{fs, path::PathBuf, time::Duration};

use palisade::issuer::{Client, Clients, IssuerKeys, SignIn};
use palisade::state::{Engine, Expected, Key, Next, Record, StateError, Swapped};
use palisade::{Issuer, State, StoreFuture};
use tokio::net::TcpListener;

struct Held {
    inner: State,
    folder: PathBuf,
}

impl Held {
    async fn hold(&self, when: &str) {
        let wanted = fs::read_to_string(self.folder.join("hold"));
        if wanted.is_ok_and(|wanted| wanted == when) {
            fs::write(self.folder.join("held"), when).unwrap();
            std::future::pending::<()>().await;
        }
    }
}

impl Engine for Held {
    fn get(&self, key: Key) -> StoreFuture<'_, Option<Record>, StateError> {
        Box::pin(async move { self.inner.get(key).await })
    }

    fn swap(&self, key: Key, expected: Expected, next: Next) -> StoreFuture<'_, Swapped, StateError> {
        Box::pin(async move {
            self.hold("before").await;
            let swapped = self.inner.swap(key, expected, next).await;
            self.hold("after").await;
            swapped
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("a folder")?);
    let grace = Duration::from_secs(arguments.next().ok_or("seconds")?.parse()?);
    let inner = State::open(folder.join("state"))?;
    let state = State::new(Held { inner, folder: folder.clone() });
    let keys = IssuerKeys::from_list(&fs::read_to_string(folder.join("keys"))?)?;
    let issuer = Issuer::builder("http://127.0.0.1", "doors", state, keys).grace(grace).open().await?;
    if !folder.join("token").exists() {
        let tokens = issuer.sign_in(&SignIn::new("alice", "app").scopes(["notes:read"])).await?;
        // looked at to be shown by the test
        fs::write(folder.join("token"), tokens.refresh.ok_or("a refresh token")?.expose())?;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let router = issuer.router(Clients::new([Client::public("app")])?);
    palisade::serve(router).listener(listener).await?;
    Ok(())
}
