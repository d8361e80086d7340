//! Passwords: what opens, what it costs, and the bounds of both.

use super::*;
use crate::authn::{Class, Denied};

const PASSWORD: &str = "correct horse battery staple";

fn passwords() -> Passwords {
    let password = Secret::new(PASSWORD.to_owned());
    Passwords::new([PasswordRecord::new("carol", &password, &[]).unwrap()]).unwrap()
}

fn shown(text: &str) -> Option<UserPass> {
    UserPass::read(STANDARD.encode(text).as_bytes())
}

async fn judge(passwords: &Passwords, user: &str, password: &str) -> Result<(), Reason> {
    let shown = Arc::new(shown(&format!("{user}:{password}")).unwrap());
    passwords.judge("password", &Arc::from("here"), &shown).await.map(|_| ())
}

#[tokio::test]
async fn the_password_opens_and_nothing_else() {
    let passwords = passwords();
    assert_eq!(judge(&passwords, "carol", PASSWORD).await, Ok(()));
    assert_eq!(judge(&passwords, "carol", "wrong").await, Err(Reason::WrongSecret));
    assert_eq!(judge(&passwords, "mallory", PASSWORD).await, Err(Reason::UnknownIdentity));
}

/// Counted in the parameters of what is verified.
#[test]
fn a_name_that_is_no_users_has_one_of_the_costs_of_the_users_and_keeps_it() {
    let costs: [Cost; 2] = [(7168, 5, 1), (19_456, 2, 1)];
    let record = |number: usize| PasswordRecord {
        user: format!("user-{number}"),
        hash: dummy(costs[usize::from(number.is_multiple_of(4))]).unwrap().to_string(),
        scopes: Vec::new(),
    };
    let records: Vec<_> = (0..40).map(record).collect();
    let first = Passwords::new(records.clone()).unwrap();
    let again = Passwords::new(records.into_iter().rev()).unwrap();
    let cost = |passwords: &Passwords, name: &str| {
        cost_of(&Params::try_from(passwords.0.users.load().dummies.of(name).unwrap()).unwrap())
    };
    let names: Vec<_> = (0..1000).map(|number| format!("nobody-{number}")).collect();
    let chosen: Vec<_> = names.iter().map(|name| cost(&first, name)).collect();
    assert!(chosen.iter().all(|cost| costs.contains(cost)));
    let dear = chosen.iter().filter(|cost| **cost == costs[1]).count();
    assert!((180..=320).contains(&dear), "{dear} of 1000, where it is a quarter of the users");
    assert_eq!(names.iter().map(|name| cost(&again, name)).collect::<Vec<_>>(), chosen);
    let nobody = Passwords::new([]).unwrap();
    assert_eq!(cost(&nobody, "carol"), cost_of(&Params::default()));
}

async fn all_taken(places: &Semaphore) {
    let taken = async {
        while places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
    };
    let taken = tokio::time::timeout(std::time::Duration::from_secs(10), taken).await;
    assert!(taken.is_ok(), "who asks takes a place");
}

/// Whoever asks and leaves, and asks again, keeps no more than their share of the machine busy.
#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_does_not_make_room_before_the_work_is_done() {
    let passwords = passwords();
    let cores = passwords.0.running.available_permits();
    let asked: Vec<_> = (0..cores)
        .map(|_| {
            let passwords = passwords.clone();
            tokio::spawn(async move { judge(&passwords, "carol", "wrong").await })
        })
        .collect();
    all_taken(&passwords.0.running).await;
    asked.iter().for_each(tokio::task::JoinHandle::abort);
    for task in asked {
        assert!(task.await.is_err_and(|left| left.is_cancelled()));
    }
    assert_eq!(passwords.0.running.available_permits(), 0, "the hashes are still being computed");
    assert_eq!(judge(&passwords, "carol", PASSWORD).await, Ok(()), "and then there is room again");
}

/// The time of this test goes on only while nothing is computed.
#[tokio::test(start_paused = true)]
async fn as_many_hashes_are_computed_at_once_as_there_are_cores() {
    let passwords = passwords();
    let running = &passwords.0.running;
    let cores = running.available_permits();
    assert_eq!(cores, thread::available_parallelism().unwrap().get());
    let held = Arc::clone(running).acquire_many_owned(u32::try_from(cores).unwrap()).await.unwrap();
    let mut one_more = std::pin::pin!(judge(&passwords, "carol", PASSWORD));
    let judged = tokio::time::timeout(std::time::Duration::from_secs(3600), &mut one_more).await;
    assert!(judged.is_err(), "it waits for one of them");
    drop(held);
    assert_eq!(one_more.await, Ok(()));
}

/// Who asks when as many wait as may is told at once, before the password costs anything.
#[tokio::test]
async fn over_the_queue_a_request_is_refused_as_busy() {
    let passwords = passwords();
    let store = &passwords.0;
    let (cores, all) = (store.running.available_permits(), store.admitted.available_permits());
    assert_eq!(all, cores * 17, "one that runs and sixteen that wait, for each core");
    let running = Arc::clone(&store.running).acquire_many_owned(u32::try_from(cores).unwrap()).await.unwrap();
    let waiting: Vec<_> = (0..all)
        .map(|_| {
            let passwords = passwords.clone();
            tokio::spawn(async move { judge(&passwords, "carol", PASSWORD).await })
        })
        .collect();
    all_taken(&store.admitted).await;
    assert_eq!(judge(&passwords, "carol", PASSWORD).await, Err(Reason::Busy));
    assert_eq!(Denied::new(Reason::Busy).class(), Class::Unavailable, "503");
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    for task in waiting {
        assert!(task.await.is_err_and(|left| left.is_cancelled()));
    }
    drop(running);
    assert_eq!(judge(&passwords, "carol", PASSWORD).await, Ok(()), "and then there is room again");
}

/// What OWASP recommends, whatever the default of a crate becomes.
#[test]
fn a_new_hash_costs_19_mib_and_two_passes() {
    let record = PasswordRecord::new("carol", &Secret::new(PASSWORD.to_owned()), &[]).unwrap();
    assert!(record.hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", record.hash);
}

#[test]
fn stored_hashes_are_between_a_floor_and_a_cap() {
    const STRONG: &str = "the hash costs more than m=262144, t=16, p=8";
    const WEAK: &str = "the hash is weaker than argon2id with m=7168, t=5";
    let read = |cost: Cost| {
        let hash = dummy(cost).unwrap().to_string();
        let record = PasswordRecord { user: "carol".to_owned(), hash, scopes: Vec::new() };
        read(&record).err()
    };
    for good in [(7168, 5, 1), (35_840, 1, 1), (262_144, 16, 8), (17_920, 2, 1)] {
        assert_eq!(read(good), None, "{good:?}");
    }
    for weak in [(7168, 4, 1), (7167, 5, 1), (7167, 16, 1), (35_839, 1, 1), (17_919, 2, 1)] {
        assert_eq!(read(weak), Some(WEAK), "{weak:?}");
    }
    for dear in [(262_145, 1, 1), (7168, 17, 1), (35_840, 1, 9)] {
        assert_eq!(read(dear), Some(STRONG), "{dear:?}");
    }
}

#[test]
fn stored_hashes_are_argon2id_of_today_and_whole() {
    let good = dummy((7168, 5, 1)).unwrap().to_string();
    let read = |hash: String| {
        let record = PasswordRecord { user: "carol".to_owned(), hash, scopes: Vec::new() };
        read(&record).is_ok()
    };
    assert!(read(good.clone()));
    let without_value = good.rsplit_once('$').unwrap().0.to_owned();
    for bad in [
        good.replace("argon2id", "argon2i"),
        good.replace("argon2id", "argon2d"),
        good.replace("v=19", "v=16"),
        good.replace("v=19$", ""),
        format!("{without_value}$AAAAAAAAAAAAAAA"),
        without_value,
        "hunter2".to_owned(),
    ] {
        assert!(!read(bad.clone()), "{bad}");
    }
}

/// RFC 7617 section 2: the first colon ends the name, and the password may have others.
#[test]
fn a_credential_is_read_to_its_bounds() {
    let read_of =
        |text: &str| shown(text).map(|shown| (shown.user().to_owned(), shown.password().to_owned()));
    let read = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
    assert_eq!(read_of("carol:a:b::"), read("carol", "a:b::"));
    assert_eq!(read_of("carol:"), read("carol", ""));
    let (longest, user) = ("p".repeat(1024), "u".repeat(256));
    assert_eq!(read_of(&format!("{user}:{longest}")), read(&user, &longest));
    for bad in [
        format!("carol:{longest}p"),
        format!("{user}u:{longest}"),
        format!("{user}u:p"),
        "carol".to_owned(),
        ":p".to_owned(),
        "carol:\u{7f}".to_owned(),
        "carol:a\nb".to_owned(),
        "carol:a\tb".to_owned(),
    ] {
        assert_eq!(read_of(&bad), None, "{bad:.20}");
    }
    // the bound of a record is that of a credential
    let record = |password: String| PasswordRecord::new("carol", &Secret::new(password), &[]).is_ok();
    assert!(record(longest.clone()) && !record(longest + "p") && !record(String::new()));
}

/// The line of a user with this password.
fn line(user: &str, password: &str) -> String {
    format!("{}\n", PasswordRecord::new(user, &Secret::new(password.to_owned()), &[]).unwrap().to_line())
}

async fn later() {
    tokio::time::sleep(std::time::Duration::from_millis(1020)).await;
}

#[tokio::test]
async fn a_password_that_is_taken_out_of_the_file_opens_nothing_a_second_later() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("staff.users");
    std::fs::write(&file, line("carol", PASSWORD) + &line("dave", PASSWORD)).unwrap();
    let passwords = Passwords::from_file(&file).unwrap();
    let judged = async |user| judge(&passwords, user, PASSWORD).await;
    assert_eq!((judged("carol").await, judged("dave").await), (Ok(()), Ok(())));
    std::fs::write(&file, line("dave", PASSWORD) + &line("erin", PASSWORD)).unwrap();
    later().await;
    assert_eq!(judged("carol").await, Err(Reason::UnknownIdentity));
    assert_eq!((judged("dave").await, judged("erin").await), (Ok(()), Ok(())));
    // nobody is shut out by a file that is being mended
    for spoil in [|path: &Path| std::fs::write(path, "x"), |path: &Path| std::fs::remove_file(path)] {
        spoil(&file).unwrap();
        later().await;
        assert_eq!((judged("carol").await, judged("dave").await), (Err(Reason::UnknownIdentity), Ok(())));
    }
    std::fs::write(&file, line("carol", PASSWORD)).unwrap();
    later().await;
    assert_eq!((judged("carol").await, judged("dave").await), (Ok(()), Err(Reason::UnknownIdentity)));
    assert!(matches!(passwords.replace([]), Err(RecordError::NotInMemory)), "the file says who they are");
}

#[tokio::test]
async fn users_in_memory_are_exchanged_for_every_clone() {
    let passwords = passwords();
    let kept = passwords.clone();
    let weak = PasswordRecord { user: "dave".to_owned(), hash: "x".to_owned(), scopes: Vec::new() };
    assert!(kept.replace([weak]).is_err());
    assert_eq!(judge(&passwords, "carol", PASSWORD).await, Ok(()), "they stay as they were");
    kept.replace([PasswordRecord::new("carol", &Secret::new("another one".to_owned()), &[]).unwrap()])
        .unwrap();
    assert_eq!(judge(&passwords, "carol", PASSWORD).await, Err(Reason::WrongSecret));
    assert_eq!(judge(&passwords, "carol", "another one").await, Ok(()));
}
