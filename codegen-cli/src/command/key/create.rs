//! `cargo palisade key create`

use clap::Args;
use palisade::{Change, NewKey};
use serde_json::json;

use super::super::until::Lifetime;
use super::file::{Which, now};
use crate::exit::Failure;
use crate::reporter::Reporter;

pub(super) const EXAMPLES: &str = "\
Examples:
  cargo palisade key create --scheme partner --owner alice --scope notes:write --expires 90d
  KEY=$(cargo palisade key create --scheme partner --owner alice --name \"nightly import\")

  cargo palisade key create --scheme partner --owner alice --from-address 192.0.2.0/24 --operation listNotes
  cargo palisade key create --scheme partner --owner alice --tenant north

Where the document says `rotate-within`, a key ends within that time, and does without `--expires`.";

#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    which: Which,

    /// Whom the key stands for: the subject of its caller.
    #[arg(long)]
    owner: String,

    /// The tenant for which it does, where there are tenants.
    #[arg(long)]
    tenant: Option<String>,

    /// A scope that the key grants; repeat it for more.
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ' ')]
    scopes: Vec<String>,

    /// What people call the key, for lists.
    #[arg(long)]
    name: Option<String>,

    /// A network or an address that it is good from; repeat it for more. Without it, from everywhere.
    #[arg(long = "from-address", value_name = "CIDR")]
    addresses: Vec<String>,

    /// An operation that it is good for, by its `operationId`; repeat it for more. Without it, for all that its scopes open.
    #[arg(long = "operation", value_name = "ID")]
    operations: Vec<String>,

    /// How long it is good, e.g. `12h` or `90d`. Without it, until it is revoked.
    #[arg(long, value_name = "TIME")]
    expires: Option<Lifetime>,

    /// What the key begins with. Without it, what the document says.
    #[arg(long)]
    prefix: Option<String>,
}

impl Create {
    pub(super) fn run(self, reporter: &Reporter) -> Result<(), Failure> {
        let keys = self.which.open(reporter)?;
        let now = now()?;
        let not_after = keys.end(self.expires.map(|lifetime| lifetime.0), now)?;
        let prefix = self.prefix.as_deref().unwrap_or(keys.prefix());
        let scopes: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        let made = NewKey::generate(prefix, &self.owner, &scopes, now, not_after);
        let named = match &self.name {
            Some(name) => made.and_then(|new| new.named(name)),
            None => made,
        };
        let owned = match &self.tenant {
            Some(tenant) => named.and_then(|new| new.of_tenant(tenant)),
            None => named,
        };
        let bounded = owned.and_then(|new| new.bounded(self.addresses, self.operations));
        let new = bounded.map_err(|cause| Failure::usage(format!("no key was made: {cause}")))?;
        let new = new.peppered(&keys.peppers);
        keys.change(&Change::Create(new.record.clone()))?;
        // Shown to whoever asked for it, once; what is kept is its hash.
        let key = new.key.expose();
        let fields = json!({ "type": "key", "scheme": keys.scheme, "id": new.record.id, "key": key });
        reporter.answer(key, &fields)?;
        reporter.remark("Stored", &format!("its hash in {}; the key is not shown again", keys.shown()));
        Ok(())
    }
}
