//! Development credentials of a new project, so that it runs at once and a token or key for it is one command away.

use std::path::Path;

use palisade_codegen::model::{Binding, Scheme, SchemeKind, SubjectName, Token};
use palisade_codegen::outline::Outline;

use super::certificates;
use super::folder::Folder;
use crate::exit::Failure;
use crate::project::{self, DEV};
use crate::signer::{self, Signer};
use crate::{random, store};

/// Where the key set of a bearer scheme is, from the project's folder.
pub(crate) fn key_set(scheme: &str) -> String {
    format!("{DEV}/{}.jwks.json", project::file_stem(scheme))
}

/// Where the secret is by which the issuer of a scheme's tokens knows who asks about them.
pub(crate) fn client_secret(scheme: &str) -> String {
    format!("{DEV}/{}.client-secret", project::file_stem(scheme))
}

/// Where the credentials of an apiKey or basic scheme are.
pub(crate) fn credential_file(scheme: &str, kind: &SchemeKind) -> String {
    let ending = match kind {
        SchemeKind::Basic => "users",
        SchemeKind::MutualTls(_) => "grants",
        SchemeKind::Bearer(_) | SchemeKind::ApiKey(_) => "keys",
    };
    format!("{DEV}/{}.{ending}", project::file_stem(scheme))
}

/// Where the keys are that seal cursors.
pub(crate) const CURSOR_KEYS: &str = "dev/cursor.keys";
/// Where those are that seal the answers of idempotent operations.
pub(crate) const ANSWER_KEYS: &str = "dev/answer.keys";
/// Where those are that hashes of API keys are keyed with.
pub(crate) const API_KEY_PEPPERS: &str = "dev/api-key.peppers";

/// Makes what the schemes, cursors and idempotent operations of a document need.
pub(crate) fn make(folder: &Folder, outline: &Outline) -> Result<(), Failure> {
    let place = folder.staged();
    let dev = place.join(DEV);
    std::fs::create_dir_all(&dev).map_err(|cause| Failure::io("create", &dev, cause))?;
    let mut tls = None;
    for scheme in outline.steps.iter().map(|step| &step.scheme) {
        one(place, &dev, scheme)?;
        tls = tls.max(subject(&scheme.kind));
    }
    if let Some(subject) = tls {
        certificates::make(place, subject)?;
    }
    let api_keys = outline.steps.iter().any(|step| matches!(step.scheme.kind, SchemeKind::ApiKey(_)));
    for (path, used) in
        [(CURSOR_KEYS, outline.cursor_keys), (ANSWER_KEYS, outline.idempotency), (API_KEY_PEPPERS, api_keys)]
    {
        if used {
            store::replace(&place.join(path), &format!("{}\n", *random::master_key("development")?))?;
        }
    }
    Ok(())
}

/// The name that the development certificate needs, for a scheme that has use for one.
pub(crate) fn subject(kind: &SchemeKind) -> Option<SubjectName> {
    match kind {
        SchemeKind::MutualTls(rules) => Some(rules.subject),
        SchemeKind::Bearer(rules) if rules.binding == Binding::Certificate => {
            Some(SubjectName::Distinguished)
        }
        SchemeKind::Bearer(_) | SchemeKind::ApiKey(_) | SchemeKind::Basic => None,
    }
}

fn one(place: &Path, dev: &Path, scheme: &Scheme) -> Result<(), Failure> {
    let stem = project::file_stem(&scheme.name);
    match &scheme.kind {
        // the server starts with it and answers 503 until there is one that the issuer knows
        SchemeKind::Bearer(rules) if matches!(rules.token, Token::Introspected { .. }) => {
            store::replace(&place.join(client_secret(&scheme.name)), "the-secret-that-the-issuer-gave-you\n")
        }
        SchemeKind::Bearer(rules) => {
            let algorithm = signer::algorithm(rules).ok_or_else(|| {
                Failure::usage(format!("the document lists no algorithm for scheme `{}`", scheme.name))
            })?;
            let signer = Signer::create(algorithm, &signer::key_file(dev, &stem, algorithm))?;
            store::replace(&place.join(key_set(&scheme.name)), &format!("{}\n", signer.key_set()))
        }
        SchemeKind::MutualTls(_) => store::replace(
            &place.join(credential_file(&scheme.name, &scheme.kind)),
            "# One name a line with its scopes: {\"name\":\"CN=alice\",\"scopes\":[\"notes:read\"]}\n",
        ),
        kind @ (SchemeKind::ApiKey(_) | SchemeKind::Basic) => {
            let file = place.join(credential_file(&scheme.name, kind));
            let verb = if matches!(kind, SchemeKind::Basic) { "password" } else { "create" };
            store::replace(
                &file,
                &format!("# One a line, hashes only: `cargo palisade key {verb}` adds to it.\n"),
            )
        }
    }
}
