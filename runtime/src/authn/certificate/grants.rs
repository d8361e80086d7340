//! What the holders of certain names may do.

use std::{collections::HashMap, path::Path, sync::Arc};

use arc_swap::ArcSwap;
use serde::Deserialize;

use super::{
    authority::{CertificateError, read},
    watched::Renewed,
};
use crate::authn::api_key::{check_scopes, check_subject, lines};

const MAX_GRANTS: usize = 1024 * 1024;

/// The scopes of each name.
#[derive(Clone, Default)]
pub(super) struct Grants(HashMap<Arc<str>, Arc<str>>);

/// A line of a file of grants.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    name: String,
    #[serde(default)]
    scopes: Vec<String>,
}

impl Grants {
    pub(super) fn add(&mut self, name: &str, scopes: &[String]) -> Result<(), CertificateError> {
        check_subject(name).map_err(CertificateError::Fields)?;
        check_scopes(scopes).map_err(CertificateError::Fields)?;
        self.0.insert(name.into(), scopes.join(" ").into());
        Ok(())
    }

    pub(super) fn of(&self, name: &str) -> Option<Arc<str>> {
        self.0.get(name).cloned()
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    fn of_lines(text: &str) -> Result<Self, CertificateError> {
        let mut grants = Self::default();
        for (number, line) in lines(text) {
            let grant: Grant = serde_json::from_str(line).map_err(|_| {
                CertificateError::Line(number, "it is no JSON object with `name` and `scopes`")
            })?;
            grants.add(&grant.name, &grant.scopes).map_err(|error| match error {
                CertificateError::Fields(why) => CertificateError::Line(number, why),
                other => other,
            })?;
        }
        Ok(grants)
    }
}

/// The grants of a file.
pub(super) struct GrantsFile(ArcSwap<Grants>);

impl GrantsFile {
    pub(super) fn open(path: &Path) -> Result<Self, CertificateError> {
        Ok(Self(ArcSwap::from_pointee(Self::read(path)?)))
    }

    fn read(path: &Path) -> Result<Grants, CertificateError> {
        Grants::of_lines(&read(path, MAX_GRANTS)?)
    }

    pub(super) fn of(&self, name: &str) -> Option<Arc<str>> {
        self.0.load().of(name)
    }
}

impl Renewed for GrantsFile {
    const UNUSABLE: &'static str = "sys_grants_file_unusable";

    fn renew(&self, path: &Path) -> Result<(), CertificateError> {
        self.0.store(Arc::new(Self::read(path)?));
        Ok(())
    }
}
