//! How a list of hostile tokens writes its recipes. What is not known here fails to be read, and so does the test.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Deserialize)]
pub struct List {
    pub cases: Vec<Recipe>,
}

/// One hostile (or legal) token, or a configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub id: String,
    pub class: String,
    pub title: String,
    pub expect: Verdict,
    pub needs: Option<String>,
    #[serde(default)]
    pub header: Text,
    #[serde(default)]
    pub claims: Text,
    #[serde(default)]
    pub sign: Sign,
    #[serde(default)]
    pub mutate: Vec<Mutation>,
    pub transport: Option<Transport>,
    /// A configuration that is refused, instead of a token.
    pub config: Option<String>,
    pub max_seconds: Option<u64>,
    #[serde(rename = "note")]
    _note: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Reject,
    Forbid,
    ForbidOrReject,
    Accept,
    Either,
    RefuseStart,
    Skip,
}

/// What is done to the text of the header or of the claims.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Kept as text: what a number looks like is part of the attack.
    #[serde(default)]
    pub set: BTreeMap<String, Box<RawValue>>,
    #[serde(default)]
    pub remove: Vec<String>,
    pub prepend: Option<String>,
    pub append: Option<String>,
    pub append_hex: Option<String>,
    pub wrap: Option<(String, String)>,
    pub text: Option<String>,
    pub encode: Option<String>,
    #[serde(default)]
    pub nest: bool,
    pub set_many: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    pub with: String,
    /// Of an attacker's key.
    pub alg: Option<String>,
    pub hash: Option<String>,
    pub key: Option<String>,
}

impl Default for Sign {
    fn default() -> Self {
        Self { with: "valid".to_owned(), alg: None, hash: None, key: None }
    }
}

/// What is done to the finished token.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mutation {
    HeaderSwap { set: BTreeMap<String, Value> },
    PayloadSwap { set: BTreeMap<String, Value> },
    SigFill { value: u8 },
    SigOne {},
    SigExtend { hex: String },
    SigFlip { byte: usize, bit: u8 },
    SigCut { n: usize },
    Noncanonical { part: usize },
    Pad { part: usize },
    Insert { part: usize, at: usize, text: String },
    Append { text: String },
    Prepend { text: String },
    ReplaceAll { text: String },
    Upper {},
    JwePbes2 {},
}

/// Where the token stands in the request, instead of `Authorization: Bearer`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Transport {
    Query(String),
    Header(String, String),
}
