//! `cargo palisade key revoke`

use clap::Args;
use palisade::Change;
use serde_json::json;

use super::file::{Which, now};
use crate::exit::Failure;
use crate::reporter::Reporter;

pub(super) const EXAMPLES: &str = "\
Examples:
  cargo palisade key revoke --id 4fZ0cQy81LmA
  cargo palisade key revoke --owner alice          # every key of hers

Every running server that reads this file refuses the key within a second.";

#[derive(Debug, Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    which: Which,

    #[command(flatten)]
    whose: Whose,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// The public id of the key.
    #[arg(long)]
    id: Option<String>,

    /// The owner all of whose keys are revoked.
    #[arg(long)]
    owner: Option<String>,
}

impl Revoke {
    pub(super) fn run(self, reporter: &Reporter) -> Result<(), Failure> {
        let keys = self.which.open(reporter)?;
        let at = now()?.unix();
        let (change, whose) = match (self.whose.id, self.whose.owner) {
            (Some(id), _) => {
                keys.find(&id)?;
                (Change::Revoke { id: id.clone(), at }, format!("`{id}`"))
            }
            (None, owner) => {
                let owner = owner.unwrap_or_default();
                if !keys.read()?.iter().any(|record| record.owner == owner) {
                    return Err(Failure::usage(format!("no key in {} is of `{owner}`", keys.shown()))
                        .help("`cargo palisade key list` shows the owners"));
                }
                (Change::RevokeOwner { owner: owner.clone(), at }, format!("keys of `{owner}`"))
            }
        };
        let revoked = keys.change(&change)?;
        reporter.fields(&json!({ "type": "revoked", "scheme": keys.scheme, "keys": revoked }));
        match revoked {
            0 => reporter.note(&format!("{whose}: revoked before")),
            _ => reporter.progress("Revoked", &whose),
        }
        Ok(())
    }
}
