//! Operation ids for operations that have none: method and path, so that they are stable while those are.

use foldhash::HashSet;

use crate::document::{Document, Operation, PathItem};

/// An id for every operation, in the order of [`Document::operations`].
pub(crate) fn operation_ids(document: &Document) -> Vec<String> {
    let stated = document.operations().filter_map(|(_, operation)| operation.id.as_ref());
    let mut taken: HashSet<String> = stated.map(|id| id.value.clone()).collect();
    document
        .operations()
        .map(|(item, operation)| match &operation.id {
            Some(id) => id.value.clone(),
            None => derive(item, operation, &mut taken),
        })
        .collect()
}

/// `GET /accounts/{accountId}` becomes `getAccountsByAccountId`. `/accounts/` is another path than `/accounts`, and stays so
/// whichever of them there is.
fn derive(item: &PathItem, operation: &Operation, taken: &mut HashSet<String>) -> String {
    let mut id = operation.method.as_str().to_ascii_lowercase();
    for part in item.template.value.split('/') {
        if part.starts_with('{') {
            id.push_str("By");
        }
        let mut start = true;
        for char in part.chars() {
            if char.is_ascii_alphanumeric() {
                id.push(if start { char.to_ascii_uppercase() } else { char });
            }
            start = !char.is_ascii_alphanumeric();
        }
    }
    if item.template.value.len() > 1 && item.template.value.ends_with('/') {
        id.push_str("Slash");
    }
    let mut unique = id.clone();
    let mut number = 2;
    while !taken.insert(unique.clone()) {
        unique = format!("{id}{number}");
        number += 1;
    }
    unique
}
