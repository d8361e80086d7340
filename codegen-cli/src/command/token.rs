//! `cargo palisade token`: a development token that the project's server accepts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use clap::Parser;
use palisade::Clock;
use palisade_codegen::model::{SchemeKind, TokenRules};
use serde_json::json;

use super::until::Lifetime;
use crate::exit::Failure;
use crate::project::{self, Project};
use crate::reporter::Reporter;
use crate::signer::{self, Grant, Signer};

const EXAMPLES: &str = "\
Examples (in the folder of a project):
  cargo palisade token --subject alice --scope notes:read
  cargo palisade token --scheme oauth --subject alice --scope accounts:read --expires 10m
  cargo palisade token --subject alice --dpop-key dev/client.dpop.pem      # bound to this key
  curl -H \"Authorization: Bearer $(cargo palisade token --subject alice)\" http://127.0.0.1:8080/notes

It is signed with the development key under dev/, which the server accepts from this machine only.";

/// How long a token is good when nothing is said. No longer than the document allows.
const HOUR: Duration = Duration::from_secs(3600);

/// Print a development token.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Token {
    /// The bearer, oauth2 or openIdConnect scheme of the document. Not needed when there is only one.
    #[arg(long)]
    scheme: Option<String>,

    /// Who calls.
    #[arg(long)]
    subject: String,

    /// The tenant for which it is. Needed where the document has a claim for it.
    #[arg(long)]
    tenant: Option<String>,

    /// A scope of the token; repeat it for more.
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ' ')]
    scopes: Vec<String>,

    /// How long it is good, e.g. `90s` or `10m`. An hour, or what the document allows if that is less.
    #[arg(long, value_name = "TIME")]
    expires: Option<Lifetime>,

    /// Who issued it. Without it, whom palisade.toml or the document names.
    #[arg(long)]
    issuer: Option<String>,

    /// For whom it is. Without it, for whom palisade.toml or the document says.
    #[arg(long)]
    audience: Option<String>,

    /// A certificate in PEM that it is bound to: it is good only for who shows that certificate (RFC 8705).
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,

    /// The file of a key that it is bound to: it is good only beside proofs by that key (DPoP, RFC 9449), which
    /// `cargo palisade proof` makes. The file is made when it is not there.
    #[arg(long, value_name = "FILE")]
    dpop_key: Option<PathBuf>,

    /// The file of the signing key. Without it, the scheme's under dev/.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

impl Token {
    pub(crate) fn run(self, reporter: &Reporter) -> Result<(), Failure> {
        let project = Project::here()?;
        let scheme = project.scheme(project::Kind::Bearer, self.scheme.as_deref(), reporter)?;
        let SchemeKind::Bearer(rules) = &scheme.kind else {
            return Err(Failure::usage(format!("scheme `{}` takes no tokens", scheme.name)));
        };
        let (config, name) = (project.config(), scheme.name.as_str());
        let issuer = one_of("issuer", self.issuer, config.issuer(name), rules.issuer.as_ref())?;
        let audience = one_of("audience", self.audience, config.audience(name), rules.audience.as_ref())?;
        let tenant = tenant(self.tenant.as_deref(), rules, name)?;
        let algorithm = signer::algorithm(rules)
            .ok_or_else(|| Failure::usage(format!("the document lists no algorithm for scheme `{name}`")))?;
        let file = self
            .key
            .unwrap_or_else(|| signer::key_file(&project.dev(), &project::file_stem(name), algorithm));
        let now = Clock::system().now().map_err(|cause| Failure::system(cause.to_string()))?.unix();
        let certificate = self.certificate.as_deref().map(thumbprint).transpose()?;
        let key = self.dpop_key.as_deref().map(Signer::of_client).transpose()?;
        let lifetime = lifetime(self.expires, rules).as_secs();
        let grant = Grant {
            issuer: &issuer,
            audience: &audience,
            subject: &self.subject,
            tenant,
            scopes: &self.scopes,
            certificate: certificate.as_deref(),
            key: key.as_ref().map(Signer::thumbprint),
            issued: now,
            expires: now + lifetime,
        };
        let token = Signer::open(algorithm, &file)?.token(rules, &grant)?;
        let fields = json!({ "type": "token", "scheme": name, "token": token, "expires": grant.expires });
        reporter.answer(&token, &fields)?;
        reporter.remark("Good", &format!("for {lifetime} s, as `{}` of {issuer}", self.subject));
        Ok(())
    }
}

/// A token names a tenant where the document has a claim for it, and there alone.
fn tenant<'a>(given: Option<&'a str>, rules: &TokenRules, scheme: &str) -> Result<Option<&'a str>, Failure> {
    match (given, rules.tenant_claim.as_slice()) {
        (None, [_, ..]) => {
            let message = format!("every token of scheme `{scheme}` names a tenant");
            Err(Failure::usage(message).help("give it by `--tenant`"))
        }
        (Some(_), []) => {
            let message = format!("the document has no claim for the tenant of tokens of scheme `{scheme}`");
            let help = "name it by `claims: { tenant: org_id }` on the scheme, or leave `--tenant` out";
            Err(Failure::usage(message).help(help))
        }
        (given, _) => Ok(given),
    }
}

/// RFC 8705 section 3.1: SHA-256 of the DER, in base64url.
fn thumbprint(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path).map_err(|cause| Failure::io("read", path, cause))?;
    let no_pem = || Failure::usage(format!("`{}` is no certificate in PEM", path.display()));
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----").ok_or_else(no_pem)?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----").ok_or_else(no_pem)?;
    let body: String = body.split_whitespace().collect();
    let der = STANDARD.decode(body).map_err(|_| no_pem())?;
    Ok(URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &der)))
}

/// The nearest word counts: the command line, the configuration, the document.
fn one_of(
    what: &str,
    given: Option<String>,
    configured: Option<&str>,
    document: Option<&String>,
) -> Result<String, Failure> {
    let found = given.or_else(|| configured.map(str::to_owned)).or_else(|| document.cloned());
    found.ok_or_else(|| {
        Failure::usage(format!(
            "neither palisade.toml nor the document names the {what} of the scheme's tokens"
        ))
        .help(format!("give it by `--{what}`"))
    })
}

fn lifetime(asked: Option<Lifetime>, rules: &TokenRules) -> Duration {
    // Who asks for more than the document allows wants to see it refused, so it is not cut.
    asked.map_or_else(|| rules.max_lifetime.map_or(HOUR, |longest| longest.min(HOUR)), |lifetime| lifetime.0)
}
