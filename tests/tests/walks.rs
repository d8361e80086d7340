//! Walks of a list that changes meanwhile, over sockets: no row is shown twice, and none that stayed is missed.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Arc, Mutex};

use palisade::cursor::CursorKeys;
use palisade::{Caller, Page, PageFrom, Position, Problem, Settings};
use palisade_tests::client::{Client, Reply};
use palisade_tests::dice::Dice;
use palisade_tests::events;

#[allow(dead_code, reason = "the generated module has more than this file asks for")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/walks.rs"));
}

use api::*;

/// Its time and its number, by which the list is sorted.
type Entry = (i64, i64);

#[derive(Clone, Default)]
struct Service(Arc<Mutex<BTreeSet<Entry>>>);

#[derive(Debug, Position)]
struct Place {
    time: i64,
    number: i64,
}

/// Without a unique last value.
#[derive(Debug, Position)]
struct Time {
    time: i64,
}

#[derive(Debug, Position)]
struct Text {
    text: String,
}

/// What a user wrote at this time: as many letters.
fn text(time: i64) -> String {
    "what a user wrote ".chars().cycle().take(usize::try_from(time).unwrap()).collect()
}

impl Service {
    fn rows(&self) -> std::sync::MutexGuard<'_, BTreeSet<Entry>> {
        self.0.lock().unwrap()
    }
}

impl Walks for Service {
    async fn list_rows(
        &self,
        caller: Caller<ListRows>,
        input: ListRowsInput,
    ) -> Result<ListRowsOutput, Problem> {
        let from = caller.position::<Place>()?;
        let at = |place: &Place| (place.time, place.number);
        let rows: Vec<Entry> = match &from {
            PageFrom::Start => self.rows().iter().copied().collect(),
            PageFrom::After(place) => self.rows().range((Excluded(at(place)), Unbounded)).copied().collect(),
            PageFrom::Before(place) => self.rows().range(..at(place)).rev().copied().collect(),
        };
        let page = caller.page(rows, input.limit, |&(time, number)| Place { time, number })?;
        Ok(ListRowsOutput::Ok(shown(page)))
    }

    async fn list_times(
        &self,
        caller: Caller<ListTimes>,
        input: ListTimesInput,
    ) -> Result<ListTimesOutput, Problem> {
        let from = caller.position::<Time>()?;
        let rows: Vec<Entry> = match &from {
            PageFrom::Start => self.rows().iter().copied().collect(),
            PageFrom::After(after) => self.rows().range((after.time + 1, i64::MIN)..).copied().collect(),
            PageFrom::Before(before) => self.rows().range(..(before.time, i64::MIN)).rev().copied().collect(),
        };
        let page = caller.page(rows, input.limit, |&(time, _)| Time { time })?;
        Ok(ListTimesOutput::Ok(shown(page)))
    }

    async fn list_texts(
        &self,
        caller: Caller<ListTexts>,
        input: ListTextsInput,
    ) -> Result<ListTextsOutput, Problem> {
        let from = caller.position::<Text>()?;
        let time = |position: &Text| i64::try_from(position.text.len()).unwrap();
        let rows: Vec<Entry> = match &from {
            PageFrom::Start => self.rows().iter().copied().collect(),
            PageFrom::After(after) => self.rows().range((time(after) + 1, i64::MIN)..).copied().collect(),
            PageFrom::Before(before) => {
                self.rows().range(..(time(before), i64::MIN)).rev().copied().collect()
            }
        };
        let page = caller.page(rows, input.limit, |&(time, _)| Text { text: text(time) })?;
        Ok(ListTextsOutput::Ok(shown(page)))
    }
}

fn shown(Page { items, next, previous, .. }: Page<Entry>) -> RowPage {
    let data = items.into_iter().map(|(time, number)| Row { time, number }).collect();
    RowPage { data, next_cursor: next, previous_cursor: previous }
}

struct Bench {
    client: Client,
    service: Service,
}

impl Bench {
    async fn of(rows: impl IntoIterator<Item = Entry>) -> Self {
        let service = Service::default();
        service.rows().extend(rows);
        let server = server(service.clone())
            .cursor_keys(CursorKeys::generate().unwrap())
            .settings(Settings::new())
            .build()
            .expect("a complete server");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client(listener.local_addr().unwrap());
        tokio::spawn(async move { palisade::serve(server).listener(listener).await.expect("it serves") });
        Self { client, service }
    }

    async fn get(&self, list: &str, limit: u64, cursor: Option<&str>) -> Reply {
        let at = cursor.map(|cursor| format!("&at={cursor}")).unwrap_or_default();
        self.client.get(&format!("/{list}?limit={limit}{at}")).send().await
    }

    /// What a page shows, and its cursors to the next one and to the one before.
    async fn page(&self, list: &str, limit: u64, cursor: Option<&str>) -> (Vec<Entry>, [Option<String>; 2]) {
        let body = self.get(list, limit, cursor).await.allowed(200).json();
        let entry =
            |row: &serde_json::Value| (row["time"].as_i64().unwrap(), row["number"].as_i64().unwrap());
        let cursors = ["next_cursor", "previous_cursor"].map(|name| body[name].as_str().map(str::to_owned));
        (body["data"].as_array().unwrap().iter().map(entry).collect(), cursors)
    }
}

/// A position has 1457 bytes, with four beside each text.
#[tokio::test]
async fn a_page_whose_position_is_too_long_is_not_made_and_nothing_of_the_position_is_told() {
    events::collect();
    let bench = Bench::of([(1_453, 1), (1_454, 2), (1_455, 3)]).await;
    let (rows, [next, _]) = bench.page("texts", 1, None).await;
    assert_eq!(rows, [(1_453, 1)]);
    for (limit, cursor) in [(1, next.as_deref()), (2, None)] {
        let reply = bench.get("texts", limit, cursor).await;
        reply.refused(500, "internal");
        let event = events::of(reply.header("x-request-id"));
        assert_eq!(event["event_type"], "sys_handler_failed");
        assert!(event["failure_reason"].contains("more than 1457 bytes"), "{event:?}");
        let told = format!("{:?} {:?} {event:?}", reply.headers, reply.body);
        assert!(!told.contains("what a user wrote") && !told.contains("next_cursor"), "{told}");
        assert!(!String::from_utf8_lossy(&reply.body).contains("position"), "it is for the log: {told}");
    }
    // the last page has nothing behind it, and what comes before is short enough
    let (rows, cursors) = bench.page("texts", 3, None).await;
    assert_eq!((rows.len(), cursors), (3, [None, None]));
}

/// One row of its own time, two of another, one of a third.
const TIED: [Entry; 4] = [(1, 1), (2, 2), (2, 3), (3, 4)];

#[tokio::test]
async fn a_page_that_ends_between_rows_of_one_position_is_not_made() {
    events::collect();
    let bench = Bench::of(TIED).await;
    let refused = async |limit, cursor: Option<&str>| {
        let reply = bench.get("times", limit, cursor).await;
        reply.refused(500, "internal");
        let event = events::of(reply.header("x-request-id"));
        assert_eq!(event["event_type"], "sys_handler_failed");
        assert!(event["failure_reason"].contains("a position needs a unique last value"), "{event:?}");
        bench.page("rows", limit, None).await;
    };
    refused(2, None).await;
    let (first, [next, _]) = bench.page("times", 1, None).await;
    assert_eq!(first, TIED[..1]);
    refused(1, next.as_deref()).await;
    let (pair, _) = bench.page("times", 2, next.as_deref()).await;
    assert_eq!(pair, TIED[1..3], "which are shown together hide nobody");
    let (most, [next, _]) = bench.page("times", 3, None).await;
    assert_eq!(most, TIED[..3]);
    let (last, [_, previous]) = bench.page("times", 3, next.as_deref()).await;
    assert_eq!(last, TIED[3..]);
    // backwards as well
    refused(1, previous.as_deref()).await;
    let (pair, _) = bench.page("times", 2, previous.as_deref()).await;
    assert_eq!(pair, TIED[1..3]);
}

/// Rows come and go before, behind and at the place of the walk; also that of which the cursor was made.
fn change(rows: &mut BTreeSet<Entry>, stayed: &mut BTreeSet<Entry>, last: Option<Entry>, dice: &mut Dice) {
    for _ in 0..dice.below(4) {
        let new = (dice.below(20).cast_signed(), 1_000 + dice.below(100_000).cast_signed());
        rows.insert(new);
    }
    for _ in 0..dice.below(3) {
        let gone = usize::try_from(dice.below(rows.len() as u64 + 1)).unwrap();
        if let Some(gone) = rows.iter().nth(gone).copied() {
            rows.remove(&gone);
            stayed.remove(&gone);
        }
    }
    if let Some(last) = last.filter(|_| dice.below(3) == 0) {
        rows.remove(&last);
        stayed.remove(&last);
    }
}

/// To one end of the list, from a cursor or from the beginning.
async fn walk(
    bench: &Bench,
    mut cursor: Option<String>,
    way: usize,
    dice: &mut Dice,
) -> (Vec<Entry>, BTreeSet<Entry>, Option<String>) {
    let mut stayed = bench.service.rows().clone();
    let (mut seen, mut back) = (Vec::new(), None);
    loop {
        let (page, mut cursors) = bench.page("rows", 1 + dice.below(5), cursor.as_deref()).await;
        assert!(page.is_sorted(), "{page:?}");
        let last = if way == 0 { page.last().copied() } else { page.first().copied() };
        let in_order: Vec<_> = if way == 0 { page } else { page.into_iter().rev().collect() };
        seen.extend(in_order);
        back = cursors[1 - way].take().or(back);
        match cursors[way].take() {
            Some(next) => cursor = Some(next),
            None => return (seen, stayed, back),
        }
        change(&mut bench.service.rows(), &mut stayed, last, dice);
    }
}

/// `WALK_SEED` repeats a run.
#[tokio::test]
async fn a_list_that_changes_shows_each_row_once_and_all_that_stayed() {
    let mut dice = Dice::of("WALK_SEED", Dice::now());
    let mut turned = 0;
    for round in 0..40 {
        // several of each time
        let bench = Bench::of((0..60).map(|number| (dice.below(20).cast_signed(), number))).await;
        let (seen, stayed, back) = walk(&bench, None, 0, &mut dice).await;
        let once: BTreeSet<Entry> = seen.iter().copied().collect();
        assert!(seen.is_sorted() && once.len() == seen.len(), "round {round}: {seen:?}");
        assert!(once.is_superset(&stayed), "round {round}: {:?}", stayed.difference(&once));
        let Some(back) = back else { continue };
        // and from the last page to the first; what stands behind that page is not on the way
        let last = bench.page("rows", 1, Some(&back)).await.0;
        let (seen, stayed, _) = walk(&bench, Some(back), 1, &mut dice).await;
        let once: BTreeSet<Entry> = seen.iter().copied().collect();
        assert!(seen.iter().rev().is_sorted() && once.len() == seen.len(), "round {round}: {seen:?}");
        let Some(last) = last.last() else { continue };
        let before: BTreeSet<Entry> = stayed.range(..=*last).copied().collect();
        assert!(once.is_superset(&before), "round {round}: {:?}", before.difference(&once));
        turned += 1;
    }
    assert!(turned > 20, "{turned}");
}
