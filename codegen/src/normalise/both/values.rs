//! The values that both list.

use foldhash::HashSet;

use crate::check::value::fits_type;
use crate::document::{Document, Schema, Spanned};
use crate::source::tree::Node;

pub(super) type Values = (Option<Spanned<Vec<Node>>>, Option<Node>);

/// The values that both list. `None`: there is none.
pub(super) fn values(one: &Schema, other: &Schema) -> Option<Values> {
    let enumeration = match (&one.enumeration, &other.enumeration) {
        (Some(one), Some(other)) => {
            let known: HashSet<_> = other.value.iter().map(Node::canonical).collect();
            let listed: Vec<_> =
                one.value.iter().filter(|value| known.contains(&value.canonical())).cloned().collect();
            // one that lists nothing has a remark of its own
            if listed.is_empty() && !one.value.is_empty() && !other.value.is_empty() {
                return None;
            }
            Some(Spanned::new(listed, one.place))
        }
        (one, other) => one.clone().or_else(|| other.clone()),
    };
    let constant = match (&one.constant, &other.constant) {
        (Some(one), Some(other)) if !one.same_value(other) => return None,
        (one, other) => one.clone().or_else(|| other.clone()),
    };
    match (&enumeration, &constant) {
        (Some(values), Some(constant)) => {
            let listed = values.value.iter().any(|value| value.same_value(constant));
            listed.then_some((None, Some(constant.clone())))
        }
        _ => Some((enumeration, constant)),
    }
}

/// What is left of the values that a schema lists.
pub(super) enum Left {
    /// It lists none.
    Unlisted,
    Some,
    Nothing,
}

/// Leaves out the listed values that the other keywords refuse.
pub(super) fn keep_fitting(document: &Document, both: &mut Schema) -> Left {
    let listed: Vec<_> =
        both.enumeration.iter().flat_map(|values| &values.value).chain(&both.constant).cloned().collect();
    let fitting: Vec<_> =
        listed.iter().filter(|value| fits_type(document, both, value).is_ok()).cloned().collect();
    let left = match (listed.is_empty(), fitting.is_empty()) {
        (true, _) => Left::Unlisted,
        (false, false) => Left::Some,
        (false, true) => return Left::Nothing,
    };
    if let Some(values) = &mut both.enumeration {
        values.value = fitting;
    }
    left
}
