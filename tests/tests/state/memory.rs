//! The engine in memory.

use palisade::{Clock, State};

use crate::suite::{self, Subject, Time};

fn subject(records: usize) -> Subject {
    let clock = Clock::fixed(1_800_000_000);
    Subject { state: State::memory_of(records, clock.clone()), time: Time::Moved(clock) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_keeps_the_rules() {
    suite::keeps_the_rules(&subject(1000)).await;
    suite::refuses_when_it_is_full(&subject(4), 4).await;
    suite::refuses_when_its_bytes_are_full(&subject(100)).await;
}
