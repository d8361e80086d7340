//! `cargo palisade key list`

use clap::Args;
use palisade::types::Timestamp;
use palisade::{KeyRecord, KeyState};
use serde_json::{Value, json};

use super::file::{Which, now};
use crate::exit::Failure;
use crate::reporter::Reporter;

pub(super) const EXAMPLES: &str = "\
Examples:
  cargo palisade key list
  cargo palisade key list --owner alice --message-format json

States: `active`, `retiring` (rotated, within the overlap), `overdue` (older than `rotate-within`), `expired`, `revoked`.
The last use is known to a minute or so.";

const HEADINGS: [&str; 11] = [
    "ID",
    "OWNER",
    "TENANT",
    "NAME",
    "SCOPES",
    "FROM",
    "OPERATIONS",
    "CREATED",
    "EXPIRES",
    "LAST USED",
    "STATE",
];
/// Those that are left out where no key has such a thing.
const RARE: [&str; 4] = ["TENANT", "NAME", "FROM", "OPERATIONS"];

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    which: Which,

    /// The keys of this owner only.
    #[arg(long)]
    owner: Option<String>,
}

impl List {
    pub(super) fn run(self, reporter: &Reporter) -> Result<(), Failure> {
        let keys = self.which.open(reporter)?;
        let now = now()?;
        let mut records = keys.read()?;
        records.retain(|record| self.owner.as_ref().is_none_or(|owner| *owner == record.owner));
        records.sort_by(|one, other| {
            (&one.owner, one.created, &one.id).cmp(&(&other.owner, other.created, &other.id))
        });
        let states = records.iter().map(|record| record.state(now, keys.rules.rotate_within));
        let states: Vec<KeyState> = states.collect();
        let listed = || records.iter().zip(&states);
        let fields: Vec<Value> = listed().map(|(record, state)| fields(record, *state)).collect();
        let rows = listed().map(|(record, state)| row(record, *state));
        let text = match records.is_empty() {
            true => format!("no keys in {}", keys.shown()),
            false => table(rows.collect()),
        };
        reporter.answer(&text, &json!({ "type": "keys", "scheme": keys.scheme, "keys": fields }))
    }
}

fn fields(record: &KeyRecord, state: KeyState) -> Value {
    json!({
        "id": record.id,
        "owner": record.owner,
        "tenant": record.tenant,
        "name": record.name,
        "scopes": record.scopes,
        "addresses": record.addresses,
        "operations": record.operations,
        "created": record.created.map(time),
        "not_after": record.not_after.map(time),
        "revoked_at": record.revoked_at.map(time),
        "last_used": record.last_used.map(time),
        "successor": record.successor,
        "replaces": record.replaces,
        "state": state.word(),
    })
}

fn row(record: &KeyRecord, state: KeyState) -> [String; HEADINGS.len()] {
    let when = |seconds: Option<u64>| seconds.map_or_else(|| "-".to_owned(), time);
    let words = |words: &[String]| if words.is_empty() { "-".to_owned() } else { words.join(" ") };
    [
        record.id.clone(),
        record.owner.clone(),
        record.tenant.clone().unwrap_or_else(|| "-".to_owned()),
        record.name.clone().unwrap_or_else(|| "-".to_owned()),
        words(&record.scopes),
        words(&record.addresses),
        words(&record.operations),
        when(record.created),
        when(record.not_after),
        when(record.last_used),
        state.word().to_owned(),
    ]
}

/// Columns as wide as their widest cell, two spaces apart; none of what no key has.
fn table(mut rows: Vec<[String; HEADINGS.len()]>) -> String {
    rows.insert(0, HEADINGS.map(str::to_owned));
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEADINGS.len()).map(width).collect();
    let is_empty =
        |column: usize| rows.iter().skip(1).all(|row| row.get(column).is_some_and(|cell| cell == "-"));
    let shown: Vec<bool> =
        (0..).zip(HEADINGS).map(|(column, heading)| !RARE.contains(&heading) || !is_empty(column)).collect();
    let line = |row: &[String; HEADINGS.len()]| {
        let cells = row.iter().zip(&widths).zip(&shown).filter(|(_, shown)| **shown);
        let padded = cells.map(|((cell, width), _)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// RFC 3339 in UTC, to the second.
pub(super) fn time(seconds: u64) -> String {
    let stamp = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    stamp.map_or_else(|| "-".to_owned(), |stamp| stamp.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_names_stand_only_where_a_key_has_one() {
        let row = |name: &str, owner: &str| {
            ["4fZ0cQy81LmA", owner, "-", name, "a b", "-", "-", &time(1_800_000_000), "-", "-", "active"]
                .map(str::to_owned)
        };
        let text = table(vec![row("-", "acme"), row("-", "a longer owner")]);
        assert_eq!(
            text,
            "ID            OWNER           SCOPES  CREATED               EXPIRES  LAST USED  STATE\n\
             4fZ0cQy81LmA  acme            a b     2027-01-15T08:00:00Z  -        -          active\n\
             4fZ0cQy81LmA  a longer owner  a b     2027-01-15T08:00:00Z  -        -          active"
        );
        assert!(table(vec![row("billing", "acme")]).contains("  NAME     SCOPES"));
    }
}
