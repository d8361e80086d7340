//! Reads the values: the file first, each replaced by its environment variable where that is set.

use std::collections::BTreeMap;

use toml::{Table, Value as Toml};

use super::{
    error::Faults,
    key::{Holds, Key, SCHEME, TOP, nearest},
};

/// The values of a configuration.
#[derive(Default)]
pub(super) struct Values {
    file: BTreeMap<Key, Value>,
    variables: BTreeMap<String, String>,
}

enum Value {
    Text(String),
    List(Vec<String>),
    Flag(bool),
}

impl Values {
    /// Takes the text of the file, and the variables that begin with `PALISADE_`.
    pub(super) fn read(text: &str, variables: BTreeMap<String, String>, faults: &mut Faults) -> Self {
        let mut values = Self { variables, ..Self::default() };
        match text.parse::<Table>() {
            Ok(table) => values.take(table, faults),
            // the library's own rendering quotes the line, and there are secrets in this file
            Err(error) => {
                let line = error.span().map_or(1, |span| {
                    1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count()
                });
                faults.add_plain(format!("line {line}: {}", error.message()));
            }
        }
        values.check_variables(faults);
        values
    }

    fn take(&mut self, table: Table, faults: &mut Faults) {
        for (name, value) in table {
            match (name.as_str(), value) {
                ("schemes", Toml::Table(schemes)) => {
                    for (scheme, members) in schemes {
                        match members {
                            Toml::Table(members) => self.take_scheme(&scheme, members, faults),
                            _ => faults.add_plain(format!("`schemes.{scheme}` is no table")),
                        }
                    }
                }
                ("schemes", _) => faults.add_plain("`schemes` is no table"),
                (_, value) => self.take_one(None, &name, value, &TOP, faults),
            }
        }
    }

    fn take_scheme(&mut self, scheme: &str, members: Table, faults: &mut Faults) {
        for (name, value) in members {
            self.take_one(Some(scheme), &name, value, &SCHEME, faults);
        }
    }

    fn take_one(
        &mut self,
        scheme: Option<&str>,
        name: &str,
        value: Toml,
        known: &'static [(&'static str, Holds)],
        faults: &mut Faults,
    ) {
        let Some((name, holds)) = known.iter().find(|(known, _)| *known == name) else {
            let place = scheme.map_or(String::new(), |scheme| format!("schemes.{scheme}."));
            let meant = nearest(name, known.iter().map(|(known, _)| *known));
            let meant = meant.map_or(String::new(), |meant| format!(", did you mean `{place}{meant}`?"));
            faults.add_plain(format!("unknown key `{place}{name}`{meant}"));
            return;
        };
        let key = Key { scheme: scheme.map(str::to_owned), name };
        match Value::from_toml(value, *holds) {
            Ok(value) => {
                self.file.insert(key, value);
            }
            Err(why) => faults.add(&key, why),
        }
    }

    /// A misspelt variable would leave the file's value in force without a word.
    fn check_variables(&self, faults: &mut Faults) {
        for variable in self.variables.keys() {
            if let Some(rest) = variable.strip_prefix("PALISADE_SCHEMES_") {
                let known =
                    |(name, _): &(&str, _)| rest.ends_with(&format!("_{}", name.to_ascii_uppercase()));
                if !SCHEME.iter().any(known) {
                    let members = SCHEME.map(|(name, _)| name.to_ascii_uppercase()).join(", ");
                    faults.add_variable(variable, format!("does not end in one of {members}"));
                }
            } else if let Some(rest) = variable.strip_prefix("PALISADE_") {
                let written = rest.to_ascii_lowercase();
                let known = TOP.iter().map(|(name, _)| *name);
                if let Some(meant) = nearest(&written, known).filter(|meant| *meant != written) {
                    let meant = Key::top(meant).variable();
                    faults.add_variable(variable, format!("is not known, did you mean {meant}?"));
                }
            }
        }
    }

    /// Whether the key's variable is set, so that it wins over what the file says of its rivals.
    pub(super) fn is_in_variable(&self, key: &Key) -> bool {
        self.variables.contains_key(&key.variable())
    }

    pub(super) fn has(&self, key: &Key) -> bool {
        self.is_in_variable(key) || self.file.contains_key(key)
    }

    pub(super) fn text(&self, key: &Key, faults: &mut Faults) -> Option<&str> {
        let text = match (self.variables.get(&key.variable()), self.file.get(key)) {
            (Some(variable), _) => variable,
            (None, Some(Value::Text(text))) => text,
            _ => return None,
        };
        if text.trim().is_empty() {
            faults.add(key, "is empty");
            return None;
        }
        Some(text.trim())
    }

    pub(super) fn list(&self, key: &Key) -> Option<Vec<&str>> {
        match (self.variables.get(&key.variable()), self.file.get(key)) {
            (Some(variable), _) => {
                Some(variable.split(',').map(str::trim).filter(|item| !item.is_empty()).collect())
            }
            (None, Some(Value::List(items))) => Some(items.iter().map(String::as_str).collect()),
            _ => None,
        }
    }

    pub(super) fn flag(&self, key: &Key, faults: &mut Faults) -> bool {
        match (self.variables.get(&key.variable()).map(|text| text.trim()), self.file.get(key)) {
            (Some("true"), _) => true,
            (Some("false"), _) => false,
            (Some(_), _) => {
                faults.add(key, "is neither `true` nor `false`");
                false
            }
            (None, Some(Value::Flag(flag))) => *flag,
            _ => false,
        }
    }
}

impl Value {
    fn from_toml(value: Toml, holds: Holds) -> Result<Self, &'static str> {
        match (holds, value) {
            (Holds::Text, Toml::String(text)) => Ok(Self::Text(text)),
            (Holds::Number, Toml::Integer(number)) => Ok(Self::Text(number.to_string())),
            (Holds::Flag, Toml::Boolean(flag)) => Ok(Self::Flag(flag)),
            (Holds::List, Toml::Array(items)) => {
                let items = items.into_iter().map(|item| match item {
                    Toml::String(text) => Ok(text),
                    _ => Err("holds something else than strings"),
                });
                items.collect::<Result<_, _>>().map(Self::List)
            }
            (Holds::Text, _) => Err("is no string"),
            (Holds::Number, _) => Err("is no whole number"),
            (Holds::List, _) => Err("is no list of strings"),
            (Holds::Flag, _) => Err("is neither `true` nor `false`"),
        }
    }
}
