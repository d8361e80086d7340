//! Who vouches for client certificates, and what the holders of certain names may do.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    ClientCertificate,
    chains::{Chains, ListsFile, RootsFile},
    grants::{Grants, GrantsFile},
    watched::{Renewed, Watched},
};
use crate::{
    authn::{
        Reason,
        file::{self, ReadError},
        principal::{Facts, Kind, Principal, Said},
    },
    clock::Now,
    operation::CertificateRules,
};

/// Verifies the client certificates of a `mutualTLS` scheme. Clones share what can be exchanged.
///
/// ```no_run
/// # fn main() -> Result<(), palisade::CertificateError> {
/// let partners = palisade::ClientCertificates::from_file("keys/partners-ca.pem")?
///     .revocation_lists_file("keys/partners.crl")?
///     .grant("spiffe://bank.example/billing", &["transfers:write"])?;
/// # drop(partners);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ClientCertificates {
    chains: Arc<Chains>,
    roots_file: Option<Arc<Watched<RootsFile>>>,
    lists_file: Option<Arc<Watched<ListsFile>>>,
    /// Those of the application.
    grants: Grants,
    grants_files: Vec<Arc<Watched<GrantsFile>>>,
    only_granted: bool,
}

/// Why roots, revocation lists or grants cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum CertificateError {
    /// The file cannot be read.
    File(PathBuf, std::io::Error),
    /// The file is over its bound: 1 MiB of roots or grants, 32 MiB of revocation lists.
    TooLarge,
    /// It is no PEM, has none of what it should have, or has what cannot be read.
    Unusable(&'static str),
    /// A name or a scope is empty or has characters that cannot be.
    Fields(&'static str),
    /// This line (from 1) is no grant.
    Line(usize, &'static str),
}

impl ClientCertificates {
    /// Certificates that these authorities vouch for, directly or through others that the client shows.
    ///
    /// # Errors
    /// When the text has no certificate, or one that is no authority's.
    pub fn from_pem(roots: &str) -> Result<Self, CertificateError> {
        Ok(Self::up_to(Arc::new(Chains::up_to(roots)?), None))
    }

    fn up_to(chains: Arc<Chains>, roots_file: Option<Watched<RootsFile>>) -> Self {
        Self {
            chains,
            roots_file: roots_file.map(Arc::new),
            lists_file: None,
            grants: Grants::default(),
            grants_files: Vec::new(),
            only_granted: false,
        }
    }

    /// Certificates that the authorities in a PEM file vouch for. A server looks at the file every minute, and on SIGHUP: those
    /// that stand there then take over, a file that cannot be used changes nothing and is a security event.
    ///
    /// # Errors
    /// When it cannot be read, or as [`ClientCertificates::from_pem`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, CertificateError> {
        let file = Watched::open(path.as_ref(), |path| {
            Ok(RootsFile(Arc::new(Chains::up_to(&RootsFile::read(path)?)?)))
        })?;
        Ok(Self::up_to(Arc::clone(&file.made().0), Some(file)))
    }

    /// Revocation lists in PEM, for every authority of a chain. From then on a certificate is refused when its
    /// authority has no list here, or one whose `nextUpdate` has passed.
    ///
    /// Clones share them: a server takes new ones while it runs.
    ///
    /// # Errors
    /// When there is none, or one cannot be read; the lists stay as they were.
    pub fn revocation_lists(self, lists: &str) -> Result<Self, CertificateError> {
        self.replace_revocation_lists(lists)?;
        Ok(self)
    }

    /// The revocation lists of a PEM file. A server looks at it every minute, and on SIGHUP: newer ones take over, a file that
    /// cannot be used changes nothing and is a security event.
    ///
    /// # Errors
    /// When it cannot be read, or as [`ClientCertificates::revocation_lists`].
    pub fn revocation_lists_file(self, path: impl AsRef<Path>) -> Result<Self, CertificateError> {
        let file = Watched::open(path.as_ref(), |path| {
            let lists = ListsFile(Arc::clone(&self.chains));
            lists.renew(path)?;
            Ok(lists)
        })?;
        Ok(Self { lists_file: Some(Arc::new(file)), ..self })
    }

    /// Exchanges the revocation lists, at once and for every clone.
    ///
    /// # Errors
    /// As [`ClientCertificates::revocation_lists`].
    pub fn replace_revocation_lists(&self, lists: &str) -> Result<(), CertificateError> {
        self.chains.replace_lists(lists)
    }

    /// What the holder of a name may do. The name is the one that the document asks for, as the principal's subject
    /// shows it; without a grant a name holds no scope.
    ///
    /// # Errors
    /// When the name or a scope is not well-formed.
    pub fn grant(mut self, name: &str, scopes: &[&str]) -> Result<Self, CertificateError> {
        let scopes: Vec<String> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        self.grants.add(name, &scopes)?;
        Ok(self)
    }

    /// The grants of a file: one JSON object a line, `{"name", "scopes"}`; empty lines and lines that begin with `#` are
    /// passed over. What it says of a name goes before [`ClientCertificates::grant`], and before a file that was named earlier, **and what
    /// stands there holds of a name that is not in it**: a name is barred from its scopes by a line with `"scopes": []`, not by none.
    ///
    /// A server looks at it every minute, and on SIGHUP: what stands there then takes over, a file that cannot be read or in which
    /// a line is no grant changes nothing and is a security event.
    ///
    /// # Errors
    /// When it cannot be read, or a line is no grant.
    pub fn grants_file(mut self, path: impl AsRef<Path>) -> Result<Self, CertificateError> {
        self.grants_files.push(Arc::new(Watched::open(path.as_ref(), GrantsFile::open)?));
        Ok(self)
    }

    /// Lets nobody in but the names that have a grant. Otherwise every certificate of the authorities is a caller, of no
    /// scope where it has no grant.
    #[must_use]
    pub fn only_granted(mut self) -> Self {
        self.only_granted = true;
        self
    }

    /// Judges a certificate that was shown.
    pub(in crate::authn) fn judge(
        &self,
        scheme: &'static str,
        issuer: &Arc<str>,
        rules: &CertificateRules,
        shown: &ClientCertificate,
        now: Now,
    ) -> Result<Principal, Reason> {
        let ClientCertificate::Whole(certificate) = shown else { return Err(Reason::Malformed) };
        self.keep_fresh();
        self.chains.verify(certificate, now)?;
        let (subject, expires) = certificate.named(rules.subject)?;
        let granted = self.granted(&subject);
        if self.only_granted && granted.is_none() {
            return Err(Reason::UnknownIdentity);
        }
        let (subject, scopes) = (&*subject, granted.as_deref().unwrap_or(""));
        let facts = Facts {
            scheme,
            kind: Kind::Certificate,
            issuer: Arc::clone(issuer),
            issued: None,
            expires: Some(expires),
            login_time: None,
        };
        let thumbprint = URL_SAFE_NO_PAD.encode(certificate.thumbprint());
        Ok(Principal::new(facts, Said { subject, scopes, credential: Some(&thumbprint), ..Said::default() }))
    }

    /// The scopes of a name.
    fn granted(&self, name: &str) -> Option<Arc<str>> {
        let of_files = self.grants_files.iter().rev().find_map(|file| file.made().of(name));
        of_files.or_else(|| self.grants.of(name))
    }

    /// Begins to look at its files: from when a server is ready on, or from the first request on.
    pub(in crate::authn) fn keep_fresh(&self) {
        self.roots_file.iter().for_each(|file| file.keep_fresh());
        self.lists_file.iter().for_each(|file| file.keep_fresh());
        self.grants_files.iter().for_each(|file| file.keep_fresh());
    }
}

/// The text of a configured file.
pub(super) fn read(path: &Path, max: usize) -> Result<String, CertificateError> {
    file::read(path, max).map_err(|error| match error {
        ReadError::TooLarge => CertificateError::TooLarge,
        ReadError::Io(cause) => CertificateError::File(path.to_owned(), cause),
    })
}

impl fmt::Debug for ClientCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificates")
            .field("roots", &self.chains.roots())
            .field("grants", &self.grants.count())
            .field("grants_files", &self.grants_files.len())
            .field("only_granted", &self.only_granted)
            .finish()
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, _) => write!(f, "cannot read `{}`", path.display()),
            Self::TooLarge => f.write_str("the file is too large"),
            Self::Unusable(why) | Self::Fields(why) => f.write_str(why),
            Self::Line(number, why) => write!(f, "line {number}: {why}"),
        }
    }
}

impl std::error::Error for CertificateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File(_, cause) => Some(cause),
            Self::TooLarge | Self::Unusable(_) | Self::Fields(_) | Self::Line(..) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority() -> String {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
    }

    #[test]
    fn of_a_name_the_file_that_was_named_last_says_it_and_what_is_said_in_code_comes_last() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, lines: &[(&str, &str)]| {
            let line =
                |(name, scope): &(&str, &str)| format!("{{\"name\": \"{name}\", \"scopes\": [{scope}]}}\n");
            let path = folder.path().join(name);
            std::fs::write(&path, lines.iter().map(line).collect::<String>()).unwrap();
            path
        };
        let first = file("first", &[("a", r#""first""#), ("b", r#""first""#)]);
        let last = file("last", &[("a", r#""last""#), ("barred", "")]);
        let machines = ClientCertificates::from_pem(&authority()).unwrap();
        let machines = machines.grants_file(first).unwrap().grants_file(last).unwrap();
        let machines = ["a", "b", "c", "barred"]
            .iter()
            .try_fold(machines, |machines, name| machines.grant(name, &["code"]))
            .unwrap();
        let granted = ["a", "b", "c", "barred", "d"].map(|name| machines.granted(name));
        let granted = granted.each_ref().map(Option::as_deref);
        assert_eq!(granted, [Some("last"), Some("first"), Some("code"), Some(""), None]);
    }
}
