//! Operation ids for operations that have none: method and path, so that they are stable while those are.
//!
//! 1. An id depends on its own method and path, never on the order of the document.
//! 2. Of the forms that it may have, an operation gets the first that is no form of another: the plain one, the one that
//!    spells out what separates its words, the one with a hash. So where two would have one id, both are called otherwise.
//! 3. Ids that differ in capitals or separators alone are one: so would the names in Rust be.

use foldhash::{HashMap, HashSet};

use crate::document::{Document, Operation, PathItem};
use crate::output::sha256;

/// An id for every operation, in the order of [`Document::operations`].
pub(crate) fn operation_ids(document: &Document) -> Vec<String> {
    let forms: Vec<Vec<String>> = document.operations().map(|(item, one)| forms(item, one)).collect();
    let mut claims: HashMap<String, usize> = HashMap::default();
    for forms in &forms {
        let own: HashSet<String> = forms.iter().map(|form| letters(form)).collect();
        for letters in own {
            let claimed = claims.entry(letters).or_default();
            *claimed = claimed.saturating_add(1);
        }
    }
    let is_own = |form: &&String| claims.get(&letters(form)) == Some(&1);
    forms.iter().filter_map(|forms| forms.iter().find(is_own).or(forms.last()).cloned()).collect()
}

/// What an operation may be called, the plainest first: as it says, or by method and path.
fn forms(item: &PathItem, operation: &Operation) -> Vec<String> {
    if let Some(id) = &operation.id {
        return vec![id.value.clone()];
    }
    let (method, path) = (operation.method.as_str(), &*item.template.value);
    let spelled = derive(method, path, spelled);
    let hash = sha256([method, " ", path].into_iter());
    let hashed = format!("{spelled}{}", hash.get(..8).unwrap_or(&hash));
    vec![derive(method, path, |_| ""), spelled, hashed]
}

/// `GET /accounts/{accountId}` becomes `getAccountsByAccountId`. `/accounts/` is another path than `/accounts`, and stays so
/// whichever of them there is.
fn derive(method: &str, path: &str, between: impl Fn(char) -> &'static str) -> String {
    let mut id = method.to_ascii_lowercase();
    let (body, is_folder) = match path.strip_suffix('/') {
        Some(body) if !body.is_empty() => (body, true),
        _ => (path, false),
    };
    let mut before = '/';
    for char in body.strip_prefix('/').unwrap_or(body).chars() {
        match char {
            '{' if before == '/' => id.push_str("By"),
            char if !char.is_ascii_alphanumeric() => id.push_str(between(char)),
            char if before.is_ascii_alphanumeric() => id.push(char),
            char => id.push(char.to_ascii_uppercase()),
        }
        before = char;
    }
    id.push_str(if is_folder { "Slash" } else { "" });
    id
}

fn spelled(separator: char) -> &'static str {
    match separator {
        '/' => "Slash",
        '-' => "Dash",
        '_' => "Underscore",
        '.' => "Dot",
        ':' => "Colon",
        _ => "",
    }
}

fn letters(id: &str) -> String {
    id.chars().filter(char::is_ascii_alphanumeric).map(|char| char.to_ascii_lowercase()).collect()
}
