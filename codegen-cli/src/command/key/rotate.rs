//! `cargo palisade key rotate`

use clap::Args;
use palisade::{Change, NewKey};
use serde_json::json;

use super::super::until::Lifetime;
use super::file::{Which, now};
use crate::exit::Failure;
use crate::reporter::Reporter;

pub(super) const EXAMPLES: &str = "\
Examples:
  cargo palisade key rotate --id 4fZ0cQy81LmA
  cargo palisade key rotate --id 4fZ0cQy81LmA --overlap 7d --expires 90d

The new key has the owner, the tenant, the scopes and the name of the old one, and is good at once. The old one is good until the
overlap is over, and never beyond its own end. The key in whose place the old one was made is revoked.";

#[derive(Debug, Args)]
pub(super) struct Rotate {
    #[command(flatten)]
    which: Which,

    /// The public id of the key: the part before its last `_`, as `key list` shows it.
    #[arg(long)]
    id: String,

    /// How long the old key is good beside the new one.
    #[arg(long, value_name = "TIME", default_value = "24h")]
    overlap: Lifetime,

    /// How long the new key is good. Without it, as long as the old one was made for.
    #[arg(long, value_name = "TIME")]
    expires: Option<Lifetime>,
}

impl Rotate {
    pub(super) fn run(self, reporter: &Reporter) -> Result<(), Failure> {
        let keys = self.which.open(reporter)?;
        let old = keys.find(&self.id)?;
        let now = now()?;
        let asked = self.expires.map(|lifetime| lifetime.0);
        let longest = keys.end(asked, now)?;
        let made = NewKey::succeeding(&old, keys.prefix(), now, asked.and(longest));
        let mut new = made
            .map_err(|cause| Failure::usage(format!("no key was made: {cause}")))?
            .peppered(&keys.peppers);
        new.record.not_after = new.record.not_after.into_iter().chain(longest).min();
        keys.change(&Change::Rotate {
            id: old.id.clone(),
            successor: new.record.clone(),
            at: now.unix(),
            until: now.unix().saturating_add(self.overlap.0.as_secs()),
        })?;
        // Shown to whoever asked for it, once; what is kept is its hash.
        let key = new.key.expose();
        let fields = json!({
            "type": "key", "scheme": keys.scheme, "id": new.record.id, "replaces": old.id, "key": key,
        });
        reporter.answer(key, &fields)?;
        let until = keys.find(&old.id)?.not_after.map(super::list::time).unwrap_or_default();
        reporter.remark(
            "Rotated",
            &format!("`{}` is good until {until}; the new key is not shown again", old.id),
        );
        Ok(())
    }
}
