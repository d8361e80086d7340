use super::*;
use crate::authn::StoreFuture;
use std::time::Duration;

use crate::{authn::principal::local_issuer, clock::Clock, operation::KeyLocation};

const NOW: u64 = 1_800_000_000;

fn make(not_after: Option<u64>) -> NewKey {
    let now = Clock::fixed(NOW).now().unwrap();
    NewKey::generate("bank_live", "acme", &["transfers:write", "a"], now, not_after).unwrap()
}

const RULES: KeyRules =
    KeyRules { location: KeyLocation::Header("X-API-Key"), prefix: Some("bank_live"), rotate_within: None };

async fn judge(keys: &ApiKeys, key: &str, at: u64) -> Result<Principal, Reason> {
    judge_by(&RULES, keys, key, at).await
}

async fn judge_by(rules: &KeyRules, keys: &ApiKeys, key: &str, at: u64) -> Result<Principal, Reason> {
    keys.judge("partner", &local_issuer("partner"), rules, key, &occasion(at, "192.0.2.1", "a")).await
}

fn occasion(at: u64, from: &str, operation: &'static str) -> Occasion<'static> {
    let now = Clock::fixed(at).now().unwrap();
    Occasion { local: false, from: from.parse().unwrap(), operation, now, request_id: "-" }
}

#[tokio::test]
async fn a_bounded_key_is_good_from_where_and_for_what_it_says() {
    let made = make(None).bounded(["192.0.2.0/24", "2001:db8::7"], ["listNotes"]).unwrap();
    let read = line::read_line(&made.record.to_line()).unwrap();
    let keys = ApiKeys::new([read]).unwrap();
    let key = made.key.expose();
    for (from, operation, expected) in [
        ("192.0.2.9", "listNotes", Ok(())),
        ("::ffff:192.0.2.9", "listNotes", Ok(())),
        ("2001:db8::7", "listNotes", Ok(())),
        ("192.0.3.1", "listNotes", Err(Reason::KeyFromElsewhere)),
        ("2001:db8::8", "listNotes", Err(Reason::KeyFromElsewhere)),
        ("192.0.2.9", "putNote", Err(Reason::KeyOfOtherOperations)),
    ] {
        let on = occasion(NOW, from, operation);
        let judged = keys.judge("partner", &local_issuer("partner"), &RULES, key, &on).await;
        assert_eq!(judged.map(|_| ()), expected, "{from} {operation}");
    }
    let now = Clock::fixed(NOW).now().unwrap();
    let successor = NewKey::succeeding(&made.record, "bank_live", now, None).unwrap().record;
    assert_eq!(successor.addresses, made.record.addresses);
    assert_eq!(successor.operations, made.record.operations);
    for bad in ["", "nonsense", "10.0.0.0/33"] {
        assert!(make(None).bounded([bad], [""; 0]).is_err(), "{bad}");
    }
    assert!(make(None).bounded([""; 0], [""]).is_err());
}

#[tokio::test]
async fn a_key_is_its_owner_with_its_scopes() {
    let made = make(None);
    let keys = ApiKeys::new([made.record.clone()]).unwrap();
    let caller = judge(&keys, made.key.expose(), NOW).await.unwrap();
    assert_eq!((caller.subject(), caller.issuer()), ("acme", "urn:palisade:scheme:partner"));
    assert!(caller.grants("transfers:write") && !caller.grants("accounts:admin"));
    assert_eq!(caller.credential_id(), Some(made.record.id.as_str()));
}

#[tokio::test]
async fn a_scope_that_an_owner_may_hold_no_more_is_gone_at_the_next_use() {
    let made = make(None).of_tenant("north").unwrap();
    let writes = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let ask = Arc::clone(&writes);
    let keys = ApiKeys::new([made.record.clone()]).unwrap().granting(move |owner, tenant, scope| {
        assert_eq!((owner, tenant), ("acme", Some("north")));
        scope != "transfers:write" || ask.load(std::sync::atomic::Ordering::Relaxed)
    });
    for may_write in [true, false] {
        writes.store(may_write, std::sync::atomic::Ordering::Relaxed);
        let caller = judge(&keys, made.key.expose(), NOW).await.unwrap();
        assert_eq!((caller.grants("transfers:write"), caller.grants("a")), (may_write, true));
    }
}

#[tokio::test]
async fn another_secret_an_unknown_id_and_a_typo_are_refused() {
    let (made, stranger) = (make(None), make(None));
    let mut impostor = stranger.record.clone();
    impostor.id.clone_from(&made.record.id);
    let keys = ApiKeys::new([made.record.clone()]).unwrap();
    assert_eq!(judge(&keys, stranger.key.expose(), NOW).await.unwrap_err(), Reason::UnknownIdentity);
    assert_eq!(
        judge(&keys, &made.key.expose().replace("bank_live", "bank_test"), NOW).await.unwrap_err(),
        Reason::Malformed
    );
    assert_eq!(judge(&keys, "", NOW).await.unwrap_err(), Reason::Malformed);
    // the id of one key with the digest of another: the first key's secret is wrong
    let swapped = ApiKeys::new([impostor]).unwrap();
    assert_eq!(judge(&swapped, made.key.expose(), NOW).await.unwrap_err(), Reason::WrongSecret);
    // the secret of the one record there is, under an id that nobody has
    assert_eq!(judge(&swapped, stranger.key.expose(), NOW).await.unwrap_err(), Reason::UnknownIdentity);
}

#[tokio::test]
async fn a_key_of_another_prefix_is_refused_even_when_it_is_registered() {
    let now = Clock::fixed(NOW).now().unwrap();
    let made = NewKey::generate("bank_test", "acme", &[], now, None).unwrap();
    let keys = ApiKeys::new([made.record]).unwrap();
    assert_eq!(judge(&keys, made.key.expose(), NOW).await.unwrap_err(), Reason::Malformed);
}

#[tokio::test]
async fn a_key_ends_at_not_after_and_at_its_revocation() {
    let made = make(Some(NOW + 10));
    let keys = ApiKeys::new([made.record.clone()]).unwrap();
    assert!(judge(&keys, made.key.expose(), NOW + 9).await.is_ok());
    assert_eq!(judge(&keys, made.key.expose(), NOW + 10).await.unwrap_err(), Reason::Expired);
    let revoked = KeyRecord { revoked_at: Some(NOW), ..made.record };
    keys.replace([revoked]).unwrap();
    assert_eq!(judge(&keys, made.key.expose(), NOW).await.unwrap_err(), Reason::Revoked);
}

#[test]
fn one_id_stands_for_one_key() {
    let made = make(None);
    assert!(matches!(ApiKeys::new([made.record.clone(), made.record]), Err(RecordError::Twice(_))));
}

#[tokio::test]
async fn a_file_of_keys_is_read() {
    let made = make(None);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("# keys\n{}\n", made.record.to_line())).unwrap();
    let keys = ApiKeys::from_file(file.path()).unwrap();
    assert!(judge(&keys, made.key.expose(), NOW).await.is_ok());
    assert!(matches!(ApiKeys::from_file(file.path().with_extension("none")), Err(RecordError::File(..))));
}

#[tokio::test]
async fn a_key_that_is_older_than_its_scheme_allows_is_overdue() {
    let rules = KeyRules { rotate_within: Some(Duration::from_secs(100)), ..RULES };
    let made = make(None);
    let keys = ApiKeys::new([made.record.clone()]).unwrap();
    assert!(judge_by(&rules, &keys, made.key.expose(), NOW + 99).await.is_ok());
    let late = judge_by(&rules, &keys, made.key.expose(), NOW + 100).await;
    assert_eq!(late.unwrap_err(), Reason::RotationOverdue);
    assert!(judge(&keys, made.key.expose(), NOW + 100).await.is_ok(), "another scheme does not ask for it");
    keys.replace([KeyRecord { created: None, ..made.record }]).unwrap();
    let ageless = judge_by(&rules, &keys, made.key.expose(), NOW).await;
    assert_eq!(ageless.unwrap_err(), Reason::RotationOverdue);
}

#[tokio::test]
async fn keyed_and_plain_hashes_are_good_side_by_side_and_a_lost_pepper_is_not_an_answer() {
    let first = || KeyPeppers::from_list("one:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=").unwrap();
    let both =
        "two:3q2+7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg=,one:QmUNWk7Z6mzmGsX2Fh1Hlpxw+m3IVvJ9yYwtJW7yPgI=";
    let (plain, keyed) = (make(None), make(None).peppered(&first()));
    let records = || [plain.record.clone(), keyed.record.clone()];
    let open = async |keys: &ApiKeys, key: &NewKey| judge(keys, key.key.expose(), NOW).await.map(|_| ());
    let peppered = ApiKeys::new(records()).unwrap().peppers(first());
    assert_eq!((open(&peppered, &plain).await, open(&peppered, &keyed).await), (Ok(()), Ok(())));
    let rotated = ApiKeys::new(records()).unwrap().peppers(KeyPeppers::from_list(both).unwrap());
    assert_eq!((open(&rotated, &plain).await, open(&rotated, &keyed).await), (Ok(()), Ok(())));
    let lost = ApiKeys::new(records()).unwrap();
    assert_eq!(
        (open(&lost, &plain).await, open(&lost, &keyed).await),
        (Ok(()), Err(Reason::KeysUnavailable))
    );
    let other = ApiKeys::new(records())
        .unwrap()
        .peppers(KeyPeppers::from_list("one:3q2+7wD1x6mXj0n1Qx7rF8u5t0eTqA2kHn6bVYcZsWg=").unwrap());
    assert_eq!(open(&other, &keyed).await, Err(Reason::WrongSecret));
}

/// Answers with this, or never.
struct Answers(Option<KeyRecord>);

impl KeyStore for Answers {
    fn find<'a>(&'a self, _: &'a str) -> StoreFuture<'a, Option<KeyRecord>, KeyStoreError> {
        Box::pin(async {
            match &self.0 {
                Some(record) => Ok(Some(record.clone())),
                None => std::future::pending().await,
            }
        })
    }

    fn list<'a>(&'a self, _: &'a KeyQuery) -> StoreFuture<'a, Vec<KeyRecord>, KeyStoreError> {
        Box::pin(async { Err(KeyStoreError::TimedOut) })
    }

    fn change<'a>(&'a self, _: &'a Change) -> StoreFuture<'a, usize, KeyStoreError> {
        Box::pin(async { Err(KeyStoreError::TimedOut) })
    }

    fn used<'a>(&'a self, _: &'a [KeyUse]) -> StoreFuture<'a, (), KeyStoreError> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_is_asked_and_one_that_does_not_answer_refuses() {
    let (made, other) = (make(None), make(None));
    let open = async |answer: Option<&NewKey>| {
        let keys = ApiKeys::from_store(Answers(answer.map(|key| key.record.clone())));
        judge(&keys, made.key.expose(), NOW).await.map(|_| ())
    };
    assert_eq!(open(Some(&made)).await, Ok(()));
    assert_eq!(open(Some(&other)).await, Err(Reason::KeysUnavailable), "a record of another id");
    let begun = tokio::time::Instant::now();
    assert_eq!(open(None).await, Err(Reason::KeysUnavailable));
    assert_eq!(begun.elapsed().as_secs(), 2);
}

#[tokio::test]
async fn the_last_use_stands_beside_the_file_after_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let file = KeyFile::new(folder.path().join("partner.keys"));
    let made = make(None);
    file.change(&Change::Create(made.record.clone())).unwrap();
    let keys = ApiKeys::from_file(file.path()).unwrap();
    judge(&keys, made.key.expose(), NOW + 7).await.unwrap();
    judge(&keys, made.key.expose(), NOW + 9).await.unwrap();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if file.read().unwrap()[0].last_used.is_some() {
            break;
        }
    }
    assert_eq!(file.read().unwrap()[0].last_used, Some(NOW + 7), "once a minute");
    assert!(matches!(keys.replace([]), Err(RecordError::NotInMemory)));
}

/// Has one key, never tells when it was used, and counts what it is told of that.
struct Forgetful(KeyRecord, Arc<std::sync::atomic::AtomicUsize>);

impl KeyStore for Forgetful {
    fn find<'a>(&'a self, _: &'a str) -> StoreFuture<'a, Option<KeyRecord>, KeyStoreError> {
        Box::pin(async { Ok(Some(self.0.clone())) })
    }

    fn list<'a>(&'a self, _: &'a KeyQuery) -> StoreFuture<'a, Vec<KeyRecord>, KeyStoreError> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn change<'a>(&'a self, _: &'a Change) -> StoreFuture<'a, usize, KeyStoreError> {
        Box::pin(async { Ok(0) })
    }

    fn used<'a>(&'a self, uses: &'a [KeyUse]) -> StoreFuture<'a, (), KeyStoreError> {
        self.1.fetch_add(uses.len(), std::sync::atomic::Ordering::Relaxed);
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_is_told_of_a_key_once_a_minute_though_it_forgets() {
    let made = make(None);
    let told = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let keys = ApiKeys::from_store(Forgetful(made.record.clone(), Arc::clone(&told)));
    let mut counted = Vec::new();
    for second in [0, 0, 3, 59, 60, 63, 120] {
        judge(&keys, made.key.expose(), NOW + second).await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        counted.push(told.load(std::sync::atomic::Ordering::Relaxed));
    }
    assert_eq!(counted, [1, 1, 1, 1, 2, 2, 3]);
}
