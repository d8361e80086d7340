//! How a list of hostile requests writes its recipes. What is not known here fails to be read, and so does the test.

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub struct List {
    pub cases: Vec<Recipe>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub id: String,
    pub class: String,
    pub title: String,
    pub expect: Verdict,
    pub needs: Option<String>,
    /// The good request of the operation, changed.
    pub req: Option<Change>,
    /// Bytes with places for what only the server knows.
    pub raw: Option<String>,
    /// A procedure, and what it is about.
    pub proc: Option<String>,
    pub max_seconds: Option<u64>,
    pub seconds: Option<u64>,
    /// An `Idempotency-Key`.
    pub key: Option<String>,
    pub n: Option<usize>,
    pub value: Option<String>,
    pub text: Option<String>,
    pub step: Option<usize>,
    #[serde(default)]
    pub half: bool,
    pub header: Option<String>,
    pub echo: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum Verdict {
    #[serde(rename = "reject")]
    Reject,
    #[serde(rename = "not-2xx")]
    NoSuccess,
    #[serde(rename = "accept")]
    Accept,
    #[serde(rename = "either")]
    Either,
    #[serde(rename = "second-rejected")]
    SecondRejected,
    #[serde(rename = "allow-header")]
    AllowHeader,
    #[serde(rename = "cors-closed")]
    CorsClosed,
    #[serde(rename = "no-raw-echo")]
    NoRawEcho,
    #[serde(rename = "one-or-close")]
    OneOrClose,
    #[serde(rename = "slow-ok")]
    SlowOk,
    #[serde(rename = "clean-error")]
    CleanError,
    #[serde(rename = "www-authenticate")]
    WwwAuthenticate,
    #[serde(rename = "uniform-404")]
    Uniform404,
    #[serde(rename = "matrix")]
    Matrix,
    #[serde(rename = "proc")]
    Procedure,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub auth: Auth,
    pub method: Option<String>,
    pub target: Option<String>,
    pub path_param: Option<String>,
    pub query: Option<String>,
    pub query_append: Option<String>,
    pub headers: Option<Value>,
    /// `Some(None)`: there is none.
    #[serde(default, deserialize_with = "said")]
    pub content_type: Option<Option<String>>,
    pub body: Option<Value>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    Valid,
    None,
    NoScope,
    OtherUser,
}

/// Tells `null` from a member that is not there.
fn said<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
