//! `cargo palisade key cursor`

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::super::until::Lifetime;
use super::file::now;
use super::list::time;
use crate::exit::Failure;
use crate::project::Project;
use crate::reporter::Reporter;
use crate::{random, store};

#[derive(Debug, Args)]
pub(super) struct Cursor {
    /// The file of these keys. Without it, the one that palisade.toml names.
    #[arg(long)]
    file: Option<PathBuf>,

    /// When every server was started again, at the latest: until then the key before seals as well.
    #[arg(long, value_name = "TIME", default_value = "24h")]
    restarted_within: Lifetime,
}

impl Cursor {
    pub(super) fn run(self, reporter: &Reporter) -> Result<(), Failure> {
        let file = self.file.map_or_else(|| Project::here()?.cursor_keys_file(), Ok)?;
        let before = store::read(&file)?.unwrap_or_default();
        let now = now()?.unix();
        let key = random::master_key_beside(&before, now)?;
        let Lifetime(within) = self.restarted_within;
        store::replace(&file, &format!("{}\n{}", *key, retired(&before, now, within)))?;
        let what = format!("a new key in {}; it seals from the next start on", file.display());
        reporter.remark("Stored", &what);
        if !before.trim().is_empty() {
            let end = time(now.saturating_add(within.as_secs()));
            let note = format!(
                "start every server again before {end}: what the key before seals later is good for less long"
            );
            reporter.note(&note);
        }
        Ok(())
    }
}

/// The keys of a list, each with the time when it was retired: those that had none, when every server was started again.
fn retired(list: &str, now: u64, within: Duration) -> String {
    let end = time(now.saturating_add(within.as_secs()));
    let entries = list.split([',', ' ', '\t', '\r', '\n']).filter(|entry| !entry.is_empty());
    let lines = entries.map(|entry| match entry.matches(':').count() {
        0 | 1 => format!("{entry}:{end}\n"),
        _ => format!("{entry}\n"),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_retired_once() {
        let day = Duration::from_secs(86_400);
        let once = retired("b:BBBB\na:AAAA=", 1_800_000_000, day);
        assert_eq!(once, "b:BBBB:2027-01-16T08:00:00Z\na:AAAA=:2027-01-16T08:00:00Z\n");
        assert_eq!(retired(&once, 1_900_000_000, day), once);
    }
}
