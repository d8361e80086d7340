//! The project that a command runs in: its configuration, its document, and the names of its development files.

use std::env;
use std::path::PathBuf;

use palisade::config::Config;
use palisade_codegen::model::{Scheme, SchemeKind, Token, TokenRules};

use crate::document;
use crate::exit::Failure;
use crate::reporter::Reporter;
use crate::store;

/// Where development credentials are.
pub(crate) const DEV: &str = "dev";
/// Who develops: the subject of examples, and the owner of a scaffold's objects.
pub(crate) const DEVELOPER: &str = "alice";
/// The tenant of examples.
pub(crate) const DEVELOPERS: &str = "developers";

const CONFIG: &str = "palisade.toml";

/// A project.
#[derive(Debug)]
pub(crate) struct Project {
    folder: PathBuf,
    config: Config,
}

impl Project {
    /// The project of the current folder, or of the nearest one above it.
    pub(crate) fn here() -> Result<Self, Failure> {
        let here =
            env::current_dir().map_err(|cause| Failure::system(format!("no current folder: {cause}")))?;
        let folder = here.ancestors().find(|folder| folder.join(CONFIG).is_file()).ok_or_else(|| {
            Failure::usage(format!("there is no `{CONFIG}` here or above"))
                .help("run it in the folder of a project that `cargo palisade new` made")
        })?;
        let config = Config::load(folder.join(CONFIG)).map_err(|cause| Failure::usage(cause.to_string()))?;
        Ok(Self { folder: folder.to_owned(), config })
    }

    /// The folder of development credentials.
    pub(crate) fn dev(&self) -> PathBuf {
        self.folder.join(DEV)
    }

    /// What is configured.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// The scheme of the document that is called `name`, or the only one of its kind.
    pub(crate) fn scheme(
        &self,
        kind: Kind,
        name: Option<&str>,
        reporter: &Reporter,
    ) -> Result<Scheme, Failure> {
        let options = document::options(self.metadata("assume-public")?.as_deref());
        let output = document::read(&self.document()?, &options, reporter)?;
        pick(&output.api().schemes, kind, name).cloned()
    }

    /// The credential file that the configuration names for a scheme.
    pub(crate) fn credential_file(&self, scheme: &str) -> Result<PathBuf, Failure> {
        self.config.credential_file(scheme).ok_or_else(|| {
            let message = format!("`{CONFIG}` names no credential file of scheme `{scheme}`");
            Failure::usage(message)
                .help(format!("give [schemes.{scheme}] a `credential_file`, or name one by `--file`"))
        })
    }

    /// The file of cursor keys that the configuration names.
    pub(crate) fn cursor_keys_file(&self) -> Result<PathBuf, Failure> {
        self.config.cursor_keys_file().ok_or_else(|| {
            Failure::usage(format!("`{CONFIG}` names no file of cursor keys"))
                .help("give it a `cursor_keys_file`, or name one by `--file`")
        })
    }

    /// The file of the keys that seal answers that the configuration names.
    pub(crate) fn answer_keys_file(&self) -> Result<PathBuf, Failure> {
        self.config.answer_keys_file().ok_or_else(|| {
            Failure::usage(format!("`{CONFIG}` names no file of keys that seal answers"))
                .help("give it an `answer_keys_file`, or name one by `--file`")
        })
    }

    /// The file of peppers that the configuration names.
    pub(crate) fn api_key_pepper_file(&self) -> Result<PathBuf, Failure> {
        self.config.api_key_pepper_file().ok_or_else(|| {
            Failure::usage(format!("`{CONFIG}` names no file of peppers"))
                .help("give it an `api_key_pepper_file`, or name one by `--file`")
        })
    }

    /// A text under `package.metadata.palisade` of Cargo.toml.
    fn metadata(&self, key: &str) -> Result<Option<String>, Failure> {
        Ok(store::read(&self.folder.join("Cargo.toml"))?.and_then(|text| {
            let manifest: toml::Table = text.parse().ok()?;
            let value = manifest.get("package")?.get("metadata")?.get("palisade")?.get(key)?;
            value.as_str().map(str::to_owned)
        }))
    }

    /// `package.metadata.palisade.document` of Cargo.toml, or the usual name.
    fn document(&self) -> Result<PathBuf, Failure> {
        let named = self.metadata("document")?.map(|document| self.folder.join(document));
        let usual = || {
            let names = ["openapi.yaml", "openapi.yml", "openapi.json"].into_iter();
            names.map(|name| self.folder.join(name)).find(|path| path.is_file())
        };
        named.or_else(usual).ok_or_else(|| {
            Failure::usage("the project does not say which document it is made from")
                .help("write `document = \"openapi.yaml\"` under [package.metadata.palisade] of Cargo.toml")
        })
    }
}

/// The kinds of scheme that commands ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// With signed tokens.
    Bearer,
    Introspected,
    ApiKey,
    Basic,
    MutualTls,
}

impl Kind {
    const fn of(kind: &SchemeKind) -> Self {
        match kind {
            SchemeKind::Bearer(rules) if matches!(rules.token, Token::Introspected { .. }) => {
                Self::Introspected
            }
            SchemeKind::Bearer(_) => Self::Bearer,
            SchemeKind::ApiKey(_) => Self::ApiKey,
            SchemeKind::Basic => Self::Basic,
            SchemeKind::MutualTls(_) => Self::MutualTls,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Bearer | Self::Introspected => "bearer, oauth2 or openIdConnect",
            Self::ApiKey => "apiKey",
            Self::Basic => "basic",
            Self::MutualTls => "mutualTLS",
        }
    }
}

fn pick<'s>(schemes: &'s [Scheme], kind: Kind, name: Option<&str>) -> Result<&'s Scheme, Failure> {
    let fitting: Vec<&Scheme> = schemes.iter().filter(|scheme| Kind::of(&scheme.kind) == kind).collect();
    let names = fitting.iter().map(|scheme| format!("`{}`", scheme.name)).collect::<Vec<_>>().join(", ");
    let words = kind.words();
    match (name, fitting.as_slice()) {
        (_, [])
            if kind == Kind::Bearer
                && schemes.iter().any(|scheme| Kind::of(&scheme.kind) == Kind::Introspected) =>
        {
            Err(Failure::usage("the document has no scheme with signed tokens")
                .help("tokens with `token: introspection` come from their issuer, who is asked about each"))
        }
        (_, []) => Err(Failure::usage(format!("the document has no {words} scheme"))),
        (None, [only]) => Ok(only),
        (None, _) => Err(Failure::usage(format!("the document has several {words} schemes"))
            .help(format!("say which one by `--scheme`: {names}"))),
        (Some(name), all) => all.iter().find(|scheme| scheme.name == name).copied().ok_or_else(|| {
            let message = format!("the document has no {words} scheme `{name}`");
            Failure::usage(message).help(format!("there is {names}"))
        }),
    }
}

/// The issuer of development tokens: the document's, or one that cannot be anybody else's (RFC 6761 section 6.3).
pub(crate) fn issuer(rules: &TokenRules) -> String {
    rules.issuer.clone().unwrap_or_else(|| "https://issuer.localhost".to_owned())
}

/// The audience of development tokens: the document's, or the package.
pub(crate) fn audience(rules: &TokenRules, package: &str) -> String {
    rules.audience.clone().unwrap_or_else(|| package.to_owned())
}

/// What the files of a scheme are called: its name, without what a file system could take amiss.
pub(crate) fn file_stem(scheme: &str) -> String {
    let mut stem: String = scheme
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' })
        .collect();
    // Two names that differ in case, or in what became `_`, must not share a file.
    if stem != scheme || scheme.chars().any(|letter| letter.is_ascii_uppercase()) {
        let sum = scheme.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        stem.push_str(&format!("-{sum:08x}"));
    }
    stem
}

/// A word as a shell takes it.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use palisade_codegen::model::{Docs, SchemeWord};

    use super::*;

    fn basic(name: &str) -> Scheme {
        Scheme {
            name: name.to_owned(),
            word: SchemeWord::Basic,
            kind: SchemeKind::Basic,
            docs: Docs::default(),
        }
    }

    #[test]
    fn the_only_scheme_of_its_kind_needs_no_name() {
        let schemes = [basic("staff"), basic("door")];
        assert_eq!(pick(&schemes[..1], Kind::Basic, None).unwrap().name, "staff");
        assert_eq!(pick(&schemes, Kind::Basic, Some("door")).unwrap().name, "door");
        assert!(pick(&schemes, Kind::Basic, None).unwrap_err().help.unwrap().contains("`staff`, `door`"));
        assert!(pick(&schemes, Kind::Basic, Some("stuff")).is_err());
        assert!(pick(&schemes, Kind::ApiKey, None).is_err());
    }

    #[test]
    fn schemes_do_not_share_files() {
        let stems = ["oauth", "OAuth", "a.b", "a_b", "a b", "../x"].map(file_stem);
        assert_eq!(stems[0], "oauth");
        for (position, stem) in stems.iter().enumerate() {
            assert!(!stem.contains(['/', '.', ' ']), "{stem}");
            assert!(stems.iter().skip(position + 1).all(|other| !other.eq_ignore_ascii_case(stem)), "{stem}");
        }
    }

    #[test]
    fn words_are_quoted_for_the_shell_when_they_must_be() {
        assert_eq!(shell_word("accounts:read"), "accounts:read");
        assert_eq!(shell_word("it's $HOME"), r"'it'\''s $HOME'");
    }
}
