//! The file of a scheme's API keys, as the verbs that change it see it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use palisade::{Change, Clock, KeyFile, KeyPeppers, KeyRecord, KeyStoreError, Now};
use palisade_codegen::model::{KeyRules, SchemeKind};

use crate::exit::Failure;
use crate::project::{self, Project};
use crate::reporter::Reporter;

/// Which keys.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The apiKey scheme of the document. Not needed when there is only one.
    #[arg(long)]
    scheme: Option<String>,

    /// The credential file. Without it, the one that palisade.toml names.
    #[arg(long)]
    file: Option<PathBuf>,
}

/// The keys of a scheme.
pub(super) struct Keys {
    pub(super) scheme: String,
    pub(super) rules: KeyRules,
    pub(super) peppers: KeyPeppers,
    file: KeyFile,
}

impl Which {
    pub(super) fn open(self, reporter: &Reporter) -> Result<Keys, Failure> {
        let project = Project::here()?;
        let scheme = project.scheme(project::Kind::ApiKey, self.scheme.as_deref(), reporter)?;
        let SchemeKind::ApiKey(rules) = scheme.kind else {
            return Err(Failure::usage(format!("`{}` is no scheme of API keys", scheme.name)));
        };
        let file = self.file.map_or_else(|| project.credential_file(&scheme.name), Ok)?;
        let peppers =
            project.config().api_key_peppers().map_err(|cause| Failure::usage(cause.to_string()))?;
        Ok(Keys { scheme: scheme.name, rules, peppers, file: KeyFile::new(file) })
    }
}

impl Keys {
    pub(super) fn read(&self) -> Result<Vec<KeyRecord>, Failure> {
        self.file.read().map_err(|cause| Failure::io("read", self.file.path(), cause))
    }

    /// The key with this id.
    pub(super) fn find(&self, id: &str) -> Result<KeyRecord, Failure> {
        self.read()?.into_iter().find(|record| record.id == id).ok_or_else(|| self.unknown(id))
    }

    /// Makes a change in the file; answers how many keys are other than before.
    pub(super) fn change(&self, change: &Change) -> Result<usize, Failure> {
        self.file.change(change).map_err(|cause| match cause {
            KeyStoreError::Unavailable(_) | KeyStoreError::TimedOut => {
                Failure::io("change", self.file.path(), cause)
            }
            KeyStoreError::Rotated(successor) => Failure::usage("the key was rotated before")
                .help(format!("rotate its successor, `{successor}`")),
            other => Failure::usage(other.to_string()),
        })
    }

    pub(super) fn unknown(&self, id: &str) -> Failure {
        Failure::usage(format!("there is no key `{id}` in {}", self.shown()))
            .help("`cargo palisade key list` shows the ids")
    }

    pub(super) fn shown(&self) -> String {
        self.file.path().display().to_string()
    }

    /// What keys begin with: those of another prefix would be refused by the server.
    pub(super) fn prefix(&self) -> &str {
        self.rules.prefix.as_deref().unwrap_or("key")
    }

    /// The end of a key that is made now: the document's `rotate-within` is the longest time, and the default.
    pub(super) fn end(&self, lifetime: Option<Duration>, now: Now) -> Result<Option<u64>, Failure> {
        let longest = self.rules.rotate_within;
        if let Some((asked, longest)) = lifetime.zip(longest)
            && asked > longest
        {
            let message = format!("the key would be good for longer than `{}` lets it", self.scheme);
            let days = longest.as_secs() / 86_400;
            let longest =
                if days > 0 { format!("{days}d") } else { format!("{}h", longest.as_secs() / 3_600) };
            return Err(Failure::usage(message)
                .help(format!("its `rotate-within` is the longest time: `--expires {longest}`")));
        }
        Ok(lifetime.or(longest).map(|lifetime| now.unix().saturating_add(lifetime.as_secs())))
    }
}

pub(super) fn now() -> Result<Now, Failure> {
    Clock::system().now().map_err(|cause| Failure::system(cause.to_string()))
}
