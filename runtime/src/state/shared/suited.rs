//! What a Redis must be configured to, so that what is kept there is there.
//!
//! Rules:
//! 1. a cluster is refused: what one script changes would be on different nodes;
//! 2. `maxmemory-policy noeviction`, else a full server forgets what is needed;
//! 3. `appendonly yes`, and for records `appendfsync always`, else a crash loses what was answered to be kept;
//! 4. a `maxmemory`, else it takes what the machine has, and dies of it;
//! 5. for records `replica-read-only yes`, else a server that another one leads is believed;
//! 6. what of 2 to 5 does not hold, or is not told, is a warning: the operator may know better.

use std::collections::HashMap;

use redis::{Cmd, aio::ConnectionManager};

use super::{failed, link::judge};
use crate::state::StateError;

/// A setting, what it must be, and what happens when it is not.
pub(crate) type Need = (&'static str, &'static str, &'static str);

/// Of a server that keeps records.
pub(super) const RECORDS: &[Need] = &[
    ("maxmemory-policy", "noeviction", "a full Redis forgets records that are needed"),
    BOUND,
    ("appendonly", "yes", "a restart of Redis loses what was answered to be kept"),
    ("appendfsync", "always", "a crash of Redis loses what was answered to be kept"),
    ("replica-read-only", "yes", "a Redis that another one leads shows what may be old, and takes changes"),
];

/// Of a server that keeps counters, and from where accounts logged in. What a crash loses of the last second nobody relies on.
pub(crate) const COUNTERS: &[Need] = &[
    ("maxmemory-policy", "noeviction", "a full Redis forgets who is over a limit"),
    BOUND,
    (
        "appendonly",
        "yes",
        "a restart of Redis forgets who is over a limit of a day, and from where accounts logged in",
    ),
];

/// Rule 4.
const BOUND: Need = ("maxmemory", "not 0", "Redis has no bound, and takes what the machine has");

/// Refuses a server that cannot be used, and warns of one that cannot be relied on.
pub(super) async fn check(
    server: &str,
    connection: &ConnectionManager,
    needs: &[Need],
) -> Result<(), StateError> {
    let mut connection = connection.clone();
    let about: String =
        Cmd::new().arg("INFO").arg("cluster").query_async(&mut connection).await.map_err(judge)?;
    if is_cluster(&about) {
        return Err(failed("a Redis cluster is not supported"));
    }
    for &(name, needed, otherwise) in needs {
        let told: Result<HashMap<String, String>, _> =
            Cmd::new().arg("CONFIG").arg("GET").arg(name).query_async(&mut connection).await;
        match told.as_ref().ok().and_then(|told| told.get(name)).map(String::as_str) {
            Some(is) if is == needed || (needed == BOUND.1 && is != "0") => {}
            Some(is) => {
                tracing::warn!(target: "palisade::state", server, setting = name, is, needed, "{otherwise}");
            }
            None => tracing::warn!(
                target: "palisade::state",
                server,
                setting = name,
                needed,
                "Redis does not tell a setting that is relied on"
            ),
        }
    }
    Ok(())
}

fn is_cluster(about: &str) -> bool {
    about.lines().any(|line| line.trim() == "cluster_enabled:1")
}
