//! `cargo palisade key ..`: credentials of a project. Secrets are printed once; files keep hashes.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use palisade::{Clock, NewKey, PasswordRecord, Secret};
use palisade_codegen::model::{Scheme, SchemeKind};
use serde_json::json;

use super::until::Lifetime;
use crate::exit::Failure;
use crate::project::{self, Project};
use crate::reporter::Reporter;
use crate::{random, store};

const EXAMPLES: &str = "\
Examples (in the folder of a project):
  cargo palisade key create --scheme partner --owner alice --scope notes:write
  cargo palisade key password --scheme staff --user alice
  cargo palisade key cursor        # a new key in front; cursors of the old ones stay good";

const CREATE_EXAMPLES: &str = "\
Examples:
  cargo palisade key create --scheme partner --owner alice --scope notes:write --expires 90d
  KEY=$(cargo palisade key create --scheme partner --owner alice)";

const PASSWORD_EXAMPLES: &str = "\
Examples:
  cargo palisade key password --scheme staff --user alice              # makes one and prints it
  pass show staff/alice | cargo palisade key password --scheme staff --user alice --stdin";

const CURSOR_EXAMPLES: &str = "\
Examples:
  cargo palisade key cursor
  cargo palisade key cursor --file /run/secrets/cursor.keys";

/// Make API keys, passwords and cursor keys for a project.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Key {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// Make an API key: it is printed once, its hash goes into the credential file.
    #[command(after_help = CREATE_EXAMPLES)]
    Create(Create),
    /// Give a user of a basic scheme a password: its hash goes into the credential file.
    #[command(after_help = PASSWORD_EXAMPLES)]
    Password(Password),
    /// Make a new key that seals cursors. The keys before it still open theirs.
    #[command(after_help = CURSOR_EXAMPLES)]
    Cursor(Cursor),
}

#[derive(Debug, Args)]
struct Create {
    /// The apiKey scheme of the document. Not needed when there is only one.
    #[arg(long)]
    scheme: Option<String>,

    /// Whom the key stands for: the subject of its caller.
    #[arg(long)]
    owner: String,

    /// A scope that the key grants; repeat it for more.
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ' ')]
    scopes: Vec<String>,

    /// How long it is good, e.g. `12h` or `90d`. Without it, until it is revoked.
    #[arg(long, value_name = "TIME")]
    expires: Option<Lifetime>,

    /// What the key begins with. Without it, what the document says.
    #[arg(long)]
    prefix: Option<String>,

    /// The credential file. Without it, the one that palisade.toml names.
    #[arg(long)]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Password {
    /// The basic scheme of the document. Not needed when there is only one.
    #[arg(long)]
    scheme: Option<String>,

    /// The user's name: the subject of the caller.
    #[arg(long)]
    user: String,

    /// A scope that the user has; repeat it for more.
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ' ')]
    scopes: Vec<String>,

    /// Take the first line of standard input as the password, instead of making one.
    #[arg(long)]
    stdin: bool,

    /// The credential file. Without it, the one that palisade.toml names.
    #[arg(long)]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Cursor {
    /// The file of cursor keys. Without it, the one that palisade.toml names.
    #[arg(long)]
    file: Option<PathBuf>,
}

impl Key {
    pub(crate) fn run(self, reporter: &Reporter) -> Result<(), Failure> {
        match self.kind {
            Kind::Create(create) => create.run(reporter),
            Kind::Password(password) => password.run(reporter),
            Kind::Cursor(cursor) => cursor.run(reporter),
        }
    }
}

/// Servers read credential files when they start.
const RESTART: &str = "a server that is running takes it from its next start on";

impl Create {
    fn run(self, reporter: &Reporter) -> Result<(), Failure> {
        let project = Project::here()?;
        let scheme = project.scheme(project::Kind::ApiKey, self.scheme.as_deref(), reporter)?;
        let file = self.file.map_or_else(|| project.credential_file(&scheme.name), Ok)?;
        let prefix = self.prefix.or_else(|| prefix(&scheme)).unwrap_or_else(|| "key".to_owned());
        let now = Clock::system().now().map_err(|cause| Failure::system(cause.to_string()))?;
        let not_after = self.expires.map(|lifetime| now.unix() + lifetime.0.as_secs());
        let scopes: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        let new = NewKey::generate(&prefix, &self.owner, &scopes, now, not_after)
            .map_err(|cause| Failure::usage(format!("no key was made: {cause}")))?;
        store::append(&file, &new.record.to_line())?;
        // Shown to whoever asked for it, once; what is kept is its hash.
        let key = new.key.expose();
        let fields = json!({ "type": "key", "scheme": scheme.name, "id": new.record.id, "key": key });
        reporter.answer(key, &fields)?;
        reporter.remark("Stored", &format!("its hash in {}; the key is not shown again", file.display()));
        reporter.note(RESTART);
        Ok(())
    }
}

/// Keys of another prefix would be refused by the server.
fn prefix(scheme: &Scheme) -> Option<String> {
    match &scheme.kind {
        SchemeKind::ApiKey(rules) => rules.prefix.clone(),
        SchemeKind::Bearer(_) | SchemeKind::Basic | SchemeKind::MutualTls(_) => None,
    }
}

impl Password {
    fn run(self, reporter: &Reporter) -> Result<(), Failure> {
        let project = Project::here()?;
        let scheme = project.scheme(project::Kind::Basic, self.scheme.as_deref(), reporter)?;
        let file = self.file.map_or_else(|| project.credential_file(&scheme.name), Ok)?;
        let made = if self.stdin { None } else { Some(random::password()?) };
        let password = Secret::new(match &made {
            Some(made) => made.clone(),
            None => first_line()?,
        });
        let scopes: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        let record = PasswordRecord::new(&self.user, &password, &scopes)
            .map_err(|cause| Failure::usage(format!("no password was set: {cause}")))?;
        store::replace(&file, &with_user(store::read(&file)?.unwrap_or_default(), &record))?;
        if let Some(made) = made {
            let fields =
                json!({ "type": "password", "scheme": scheme.name, "user": self.user, "password": made });
            reporter.answer(&made, &fields)?;
        }
        reporter.remark("Stored", &format!("its hash in {}", file.display()));
        reporter.note(RESTART);
        Ok(())
    }
}

/// The lines of the file with this user's: a server refuses a file in which a user stands twice.
fn with_user(before: String, record: &PasswordRecord) -> String {
    let is_other = |line: &&str| {
        let stored: Option<PasswordRecord> = serde_json::from_str(line.trim()).ok();
        stored.is_none_or(|stored| stored.user != record.user)
    };
    let lines = before.lines().filter(is_other).map(str::to_owned).chain([record.to_line()]);
    lines.map(|line| line + "\n").collect()
}

/// A password is a line: what follows its end is not part of it.
fn first_line() -> Result<String, Failure> {
    let mut text = String::new();
    let limit = 64 * 1024; // far over what the runtime takes, so that the runtime says what is too long
    std::io::stdin()
        .take(limit)
        .read_to_string(&mut text)
        .map_err(|cause| Failure::system(format!("cannot read the password from standard input: {cause}")))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

impl Cursor {
    fn run(self, reporter: &Reporter) -> Result<(), Failure> {
        let file = match self.file {
            Some(file) => file,
            None => Project::here()?.cursor_keys_file()?,
        };
        let before = store::read(&file)?.unwrap_or_default();
        let now = Clock::system().now().map_err(|cause| Failure::system(cause.to_string()))?;
        let key = random::cursor_key(&now.unix().to_string())?;
        // The first seals, all of them open: cursors that are out stay good until their time is over.
        store::replace(&file, &format!("{}\n{before}", *key))?;
        reporter
            .remark("Stored", &format!("a new key in {}; it seals from the next start on", file.display()));
        Ok(())
    }
}
