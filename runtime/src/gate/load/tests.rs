use std::future::Future;
use std::pin::Pin;

use futures_util::FutureExt;
use tokio::time::sleep;

use super::*;

const PATIENCE: Duration = Duration::from_millis(100);
const ALL: [Priority; 3] = [Priority::Critical, Priority::Normal, Priority::Batch];

fn load(most: usize) -> Load {
    Load::new(most, PATIENCE)
}

fn without_waiting(most: usize) -> Load {
    Load::new(most, Duration::ZERO)
}

fn fill(load: &Load, class: Priority) -> Vec<Place> {
    std::iter::from_fn(|| load.enter(class)).collect()
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

fn counts(load: &Load) -> (usize, usize) {
    lock(&load.places).count()
}

#[test]
fn what_matters_less_gives_way_first() {
    let load = without_waiting(100);
    let batch = fill(&load, Priority::Batch);
    let normal = fill(&load, Priority::Normal);
    let critical = fill(&load, Priority::Critical);
    assert_eq!([batch.len(), normal.len(), critical.len()], [50, 40, 10]);
    assert!(!load.has_room(Priority::Critical));
    drop(critical);
    assert!(load.has_room(Priority::Critical) && !load.has_room(Priority::Normal));
    assert!(load.enter(Priority::Normal).is_none(), "there is room for what is critical only");
    assert!(load.enter(Priority::Critical).is_some());
    drop(normal);
    assert!(load.enter(Priority::Batch).is_none());
    assert!(load.enter(Priority::Normal).is_some());
    drop(batch);
    assert_eq!(fill(&load, Priority::Critical).len(), 100);
}

#[test]
fn no_setting_shuts_a_class_out() {
    for most in [0, 1, 2] {
        for class in ALL {
            assert!(load(most).enter(class).is_some(), "{most} {class:?}");
        }
    }
}

#[test]
fn many_at_once_find_as_many_places_as_there_are() {
    let load = load(64);
    let entered: usize = std::thread::scope(|threads| {
        let all: Vec<_> = (0..8)
            .map(|_| {
                threads
                    .spawn(|| (0..1_000).filter_map(|_| load.enter(Priority::Critical)).collect::<Vec<_>>())
            })
            .collect();
        let held: Vec<_> = all.into_iter().map(|thread| thread.join().unwrap()).collect();
        held.iter().map(Vec::len).sum()
    });
    assert_eq!(entered, 64);
    assert_eq!(counts(&load), (0, 0), "all left");
}

/// Rules 5 and 8.
#[tokio::test(start_paused = true)]
async fn a_tenth_waits_for_a_moment_and_the_rest_not_at_all() {
    for (most, waiting) in [(20, 2), (5, 1)] {
        let load = load(most);
        let held = fill(&load, Priority::Critical);
        let began = Instant::now();
        let asked: Vec<_> = (0..waiting).map(|_| load.wait(Priority::Critical, later())).collect();
        let mut asked = futures_util::future::join_all(asked);
        assert!((&mut asked).now_or_never().is_none());
        assert!(!load.has_room(Priority::Critical), "nor may one wait");
        assert!(load.wait(Priority::Critical, later()).now_or_never().unwrap().is_none());
        assert!(asked.await.iter().all(Option::is_none));
        assert_eq!((began.elapsed(), counts(&load)), (PATIENCE, (most, 0)));
        drop(held);
    }
    let none = without_waiting(20);
    let _held = fill(&none, Priority::Critical);
    assert!(!none.has_room(Priority::Critical));
    assert!(none.wait(Priority::Critical, later()).now_or_never().unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_beyond_its_deadline() {
    let load = load(1);
    let _held = fill(&load, Priority::Normal);
    let began = Instant::now();
    let soon = began + PATIENCE / 4;
    assert!(load.wait(Priority::Normal, soon).await.is_none());
    assert_eq!((began.elapsed(), counts(&load)), (PATIENCE / 4, (1, 0)));
}

/// Rules 2 and 6.
#[tokio::test(start_paused = true)]
async fn a_place_goes_to_the_first_who_may_have_it() {
    let load = load(20);
    let mut held = fill(&load, Priority::Critical);
    let mut normal = Box::pin(load.wait(Priority::Normal, later()));
    assert!(normal.as_mut().now_or_never().is_none());
    let mut critical = Box::pin(load.wait(Priority::Critical, later()));
    assert!(critical.as_mut().now_or_never().is_none());
    held.pop();
    held.push(critical.await.unwrap());
    for at_work in [20, 19, 18] {
        assert_eq!(counts(&load), (at_work, 1));
        assert!(normal.as_mut().now_or_never().is_none(), "18 of 20 are for what is normal");
        held.pop();
    }
    assert!(load.enter(Priority::Normal).is_none(), "it is the place of the one that waited");
    assert!(normal.await.is_some());
}

/// Rule 9, where it leaves before it knows that it has a place.
#[tokio::test(start_paused = true)]
async fn who_leaves_with_a_place_gives_it_to_the_next() {
    let load = load(20);
    let mut held = fill(&load, Priority::Critical);
    let mut first = Box::pin(load.wait(Priority::Critical, later()));
    let mut second = Box::pin(load.wait(Priority::Critical, later()));
    assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
    held.pop();
    assert_eq!(counts(&load), (20, 1));
    drop(first);
    assert!(second.await.is_some());
    assert_eq!(counts(&load), (19, 0));
}

/// It was given one while nobody looked, and has waited long enough by then.
#[tokio::test(start_paused = true)]
async fn who_is_given_a_place_in_the_last_moment_has_it() {
    let load = load(1);
    let held = fill(&load, Priority::Normal);
    let mut last = Box::pin(load.wait(Priority::Normal, later()));
    assert!(last.as_mut().now_or_never().is_none());
    sleep(PATIENCE * 2).await;
    drop(held);
    assert!(last.await.is_some());
    assert_eq!(counts(&load), (0, 0));
}

type Waiting<'a> = Pin<Box<dyn Future<Output = Option<Place>> + 'a>>;

/// Rule 9.
#[tokio::test(start_paused = true)]
async fn whoever_waits_ends_and_leaves_nothing_is_left_behind() {
    let mut state = 7_u64;
    let mut roll = move |sides: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 40).unwrap() % sides
    };
    let load = load(30);
    let (mut held, mut waiting) = (Vec::new(), Vec::<Waiting<'_>>::new());
    let mut waited = 0;
    for step in 0..10_000 {
        match roll(10) {
            0..=3 => {
                let mut asks: Waiting<'_> = Box::pin(load.wait(ALL[roll(3)], later()));
                match asks.as_mut().now_or_never() {
                    Some(place) => held.extend(place),
                    None => waiting.push(asks),
                }
            }
            4 | 5 if !held.is_empty() => drop(held.swap_remove(roll(held.len()))),
            6 if !waiting.is_empty() => drop(waiting.swap_remove(roll(waiting.len()))),
            7 => tokio::time::advance(PATIENCE / 4).await,
            _ => {
                let all = std::mem::take(&mut waiting);
                for mut one in all {
                    match one.as_mut().now_or_never() {
                        Some(place) => {
                            waited += usize::from(place.is_some());
                            held.extend(place);
                        }
                        None => waiting.push(one),
                    }
                }
            }
        }
        let (at_work, queued) = counts(&load);
        assert!(at_work >= held.len() && at_work <= held.len() + waiting.len(), "{step}");
        assert!(at_work <= 30 && queued <= 3 && queued <= waiting.len(), "{step}");
    }
    assert!(waited > 100, "{waited} waited and got a place");
    drop((held, waiting));
    assert_eq!(counts(&load), (0, 0));
}
