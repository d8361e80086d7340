//! The members of a value that is written as a form: each as JSON, or the files that it is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::Unfit;
use crate::input::{Check, Rule, Tree, Upload, Visit};

/// A member that is there.
pub(super) struct Member {
    pub(super) name: Cow<'static, str>,
    pub(super) value: Value,
}

/// What a member is.
pub(super) enum Value {
    Json(String),
    Files(Vec<Upload>),
}

impl Member {
    pub(super) fn unwritable(&self) -> Unfit {
        Unfit::Member(match &self.name {
            Cow::Borrowed(name) => name,
            // its name is data
            Cow::Owned(_) => "of no declared name",
        })
    }
}

/// The members of a value. `files`: whether there are parts for files; otherwise they are texts, as in JSON.
pub(super) fn members<T: Check>(value: &T, files: bool) -> Result<Vec<Member>, Unfit> {
    let mut seen = Seen { files, members: Vec::new(), failed: None };
    let is_object = value.show(&mut seen);
    match seen.failed {
        Some(error) => Err(Unfit::Unserializable(error)),
        None if is_object => Ok(seen.members),
        None => Err(Unfit::NoObject),
    }
}

struct Seen {
    files: bool,
    members: Vec<Member>,
    failed: Option<serde_json::Error>,
}

impl Seen {
    fn add<T: Check + Serialize>(&mut self, name: Cow<'static, str>, value: &T) {
        let files = if self.files { value.files() } else { Vec::new() };
        let value = match files.is_empty() {
            true => serde_json::to_string(value).map(Value::Json),
            false => Ok(Value::Files(files)),
        };
        match value {
            Ok(value) => self.members.push(Member { name, value }),
            Err(error) => self.failed = Some(error),
        }
    }
}

impl Visit for Seen {
    fn member<T: Check + Serialize>(&mut self, name: &'static str, value: &T, _: Rule<T>) {
        self.add(Cow::Borrowed(name), value);
    }

    fn others<T: Check + Serialize>(&mut self, map: &BTreeMap<String, T>, _: Rule<T>) {
        for (name, value) in map {
            self.add(Cow::Owned(name.clone()), value);
        }
    }
}

/// The text of a scalar, its digits as they are.
pub(super) fn scalar(value: &Tree<'_>) -> Option<String> {
    match value {
        Tree::Number(digits) => Some((*digits).to_owned()),
        Tree::Bool(value) => Some(value.to_string()),
        value => value.text().map(str::to_owned),
    }
}
