//! `cargo palisade key ..`: credentials of a project. Secrets are printed once; files keep hashes.

mod create;
mod cursor;
mod file;
mod list;
mod revoke;
mod rotate;

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use palisade::{Clock, PasswordRecord, Secret};
use serde_json::json;

use crate::exit::Failure;
use crate::project::{self, Project};
use crate::reporter::Reporter;
use crate::{random, store};

const EXAMPLES: &str = "\
Examples (in the folder of a project):
  cargo palisade key create --scheme partner --owner alice --scope notes:write --expires 90d
  cargo palisade key list                                 # ids, owners, states; never a secret
  cargo palisade key rotate --id 4fZ0cQy81LmA --overlap 24h
  cargo palisade key revoke --id 4fZ0cQy81LmA             # holds in running servers within a second
  cargo palisade key password --scheme staff --user alice
  cargo palisade key cursor        # a new key in front; cursors of the old one stay good for their time
  cargo palisade key answer        # the same for the answers of idempotent operations";

const PASSWORD_EXAMPLES: &str = "\
Examples:
  cargo palisade key password --scheme staff --user alice              # makes one and prints it
  pass show staff/alice | cargo palisade key password --scheme staff --user alice --stdin";

const PEPPER_EXAMPLES: &str = "\
Examples:
  cargo palisade key pepper
  cargo palisade key pepper --file /run/secrets/api-keys.pepper";

const CURSOR_EXAMPLES: &str = "\
Examples:
  cargo palisade key cursor
  cargo palisade key cursor --restarted-within 7d --file /run/secrets/cursor.keys

The key before it is retired when every server was started again, and opens for as long after that as its cursors live.";

const ANSWER_EXAMPLES: &str = "\
Examples:
  cargo palisade key answer
  cargo palisade key answer --file /run/secrets/answer.keys";

/// Make API keys, passwords, and the keys that seal cursors and answers, for a project.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Key {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// Make an API key: it is printed once, its hash goes into the credential file.
    #[command(after_help = create::EXAMPLES)]
    Create(create::Create),
    /// List the API keys of a scheme, without secrets.
    #[command(after_help = list::EXAMPLES)]
    List(list::List),
    /// Make an API key in the place of another, which stays good for an overlap.
    #[command(after_help = rotate::EXAMPLES)]
    Rotate(rotate::Rotate),
    /// Revoke an API key, or all of an owner: running servers refuse it within a second.
    #[command(after_help = revoke::EXAMPLES)]
    Revoke(revoke::Revoke),
    /// Give a user of a basic scheme a password: its hash goes into the credential file.
    #[command(after_help = PASSWORD_EXAMPLES)]
    Password(Password),
    /// Make a new key that seals cursors. The one before it still opens its own, for their time.
    #[command(after_help = CURSOR_EXAMPLES)]
    Cursor(cursor::Cursor),
    /// Make a new key that seals the answers of idempotent operations. The keys before it still open theirs.
    #[command(after_help = ANSWER_EXAMPLES)]
    Answer(File),
    /// Make a new pepper that hashes of API keys are keyed with. Those before it still verify theirs.
    #[command(after_help = PEPPER_EXAMPLES)]
    Pepper(File),
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
struct File {
    /// The file of these keys. Without it, the one that palisade.toml names.
    #[arg(long)]
    file: Option<PathBuf>,
}

impl Key {
    pub(crate) fn run(self, reporter: &Reporter) -> Result<(), Failure> {
        match self.kind {
            Kind::Create(create) => create.run(reporter),
            Kind::Password(password) => password.run(reporter),
            Kind::List(list) => list.run(reporter),
            Kind::Rotate(rotate) => rotate.run(reporter),
            Kind::Revoke(revoke) => revoke.run(reporter),
            Kind::Cursor(cursor) => cursor.run(reporter),
            Kind::Answer(File { file }) => {
                let file = file.map_or_else(|| Project::here()?.answer_keys_file(), Ok)?;
                put_in_front(&file)?;
                let what = format!("a new key in {}; it seals from the next start on", file.display());
                reporter.remark("Stored", &what);
                reporter.note("restart every server that shares the state: one without the key cannot open what it seals");
                Ok(())
            }
            Kind::Pepper(File { file }) => {
                let file = file.map_or_else(|| Project::here()?.api_key_pepper_file(), Ok)?;
                put_in_front(&file)?;
                reporter.remark("Stored", &format!("a new pepper in {}", file.display()));
                reporter.note(
                    "restart every server before the next key is made: one without the pepper refuses it",
                );
                Ok(())
            }
        }
    }
}

/// Servers look at the file every second while requests come.
const WHILE_RUNNING: &str = "a server that is running takes it within a second";

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
        reporter.note(WHILE_RUNNING);
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

/// The first is used for what is made, all of them for what is out.
fn put_in_front(file: &Path) -> Result<(), Failure> {
    let before = store::read(file)?.unwrap_or_default();
    let now = Clock::system().now().map_err(|cause| Failure::system(cause.to_string()))?;
    let key = random::master_key_beside(&before, now.unix())?;
    store::replace(file, &format!("{}\n{before}", *key))
}
