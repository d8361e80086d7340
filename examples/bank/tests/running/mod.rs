//! A bank that runs: a folder, keys and a port of its own.

use std::net::SocketAddr;
use std::sync::Mutex;

use bank::Bank;
use bank::keys::Keys;
use bank::store::{Currency, Store};
use palisade::{ApiKeys, Clock, KeyRecord, NewKey};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::http_client::Request;

pub(crate) struct Running {
    address: SocketAddr,
    signer: Keys,
    partners: ApiKeys,
    store: Store,
    records: Mutex<Vec<KeyRecord>>,
    _folder: tempfile::TempDir,
}

impl Running {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bank = Bank::open(folder.path()).await.unwrap();
        let store = bank.books().clone();
        let keys = Keys::open(folder.path()).unwrap();
        let (tokens, _, cursors, answers) = keys.into_parts().unwrap();
        // kept here, so that a key of a test is known at once
        let partners = ApiKeys::new([]).unwrap();
        let server = bank::server(bank, tokens, partners.clone(), cursors, answers).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { palisade::serve(server).listener(listener).await.unwrap() });
        let signer = Keys::open(folder.path()).unwrap();
        Self { address, signer, partners, store, records: Mutex::default(), _folder: folder }
    }

    /// `line` is the method and the target, as in `GET /accounts`.
    pub(crate) fn call(&self, line: &str) -> Request {
        Request::new(self.address, line)
    }

    /// A token with these scopes, separated by spaces.
    pub(crate) fn token(&self, subject: &str, scopes: &str) -> String {
        self.signer.token(subject, &scopes.split_whitespace().collect::<Vec<_>>()).unwrap()
    }

    /// A new API key of `partner`, which the server knows at once.
    pub(crate) fn key(&self, partner: &str, scopes: &str) -> String {
        let scopes: Vec<&str> = scopes.split_whitespace().collect();
        let new =
            NewKey::generate("bank_live", partner, &scopes, Clock::system().now().unwrap(), None).unwrap();
        let mut records = self.records.lock().unwrap();
        records.push(new.record);
        self.partners.replace(records.clone()).unwrap();
        new.key.expose().clone()
    }

    pub(crate) async fn balance(&self, account: &str) -> i64 {
        self.store.account(account.parse().unwrap()).await.unwrap().unwrap().balance
    }

    /// What all customers have together, in euros.
    pub(crate) async fn total(&self) -> i64 {
        self.store.total(Currency::Eur).await.unwrap()
    }

    /// Accounts of customers who are not there yet: owner and id.
    pub(crate) async fn open_accounts(&self, count: usize, balance: i64) -> Vec<(String, String)> {
        let mut opened = Vec::new();
        for number in 0..count {
            let (id, owner) = (Uuid::new_v4(), format!("customer-{number}"));
            self.store.open_account(id, &owner, "Everyday", Currency::Eur, balance).await.unwrap();
            opened.push((owner, id.to_string()));
        }
        opened
    }
}
