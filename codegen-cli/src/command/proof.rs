//! `cargo palisade proof`: what a token that is bound to a key needs beside it.

use std::path::PathBuf;

use clap::Parser;
use palisade::Clock;
use palisade_codegen::model::Algorithm;
use serde_json::json;

use crate::exit::Failure;
use crate::reporter::Reporter;
use crate::signer::{Request, Signer};

const EXAMPLES: &str = "\
Examples (in the folder of a project):
  TOKEN=$(cargo palisade token --subject alice --dpop-key dev/client.dpop.pem)
  URL=http://127.0.0.1:8080/notes
  PROOF=$(cargo palisade proof --key dev/client.dpop.pem --method GET --url $URL --token $TOKEN)
  curl -H \"Authorization: DPoP $TOKEN\" -H \"$PROOF\" $URL

It is good once, and for a minute.";

/// Print the header that proves possession of a token's key, for one request (DPoP, RFC 9449).
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Proof {
    /// The file of the key that the token is bound to: the one of `cargo palisade token --dpop-key`.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// The method of the request.
    #[arg(long)]
    method: String,

    /// The URL of the request, as the server's `public_origin` begins it. Query and fragment are left out of the proof.
    #[arg(long)]
    url: String,

    /// The token that is sent with the request.
    #[arg(long)]
    token: String,

    /// The nonce of the server's last answer (`DPoP-Nonce`), where it asks for one.
    #[arg(long)]
    nonce: Option<String>,
}

impl Proof {
    pub(crate) fn run(self, reporter: &Reporter) -> Result<(), Failure> {
        let now = Clock::system().now().map_err(|cause| Failure::system(cause.to_string()))?.unix();
        let request = Request {
            method: &self.method,
            url: &self.url,
            token: &self.token,
            nonce: self.nonce.as_deref(),
            issued: now,
        };
        let proof = Signer::open(Algorithm::ES256, &self.key)?.proof(&request)?;
        reporter.answer(&format!("DPoP: {proof}"), &json!({ "type": "proof", "proof": proof }))?;
        reporter.remark("Good", &format!("once, for {} {}", self.method, self.url));
        Ok(())
    }
}
