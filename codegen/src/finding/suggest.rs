//! "Did you mean".

/// The word of `known` that is most like `word`, if one is like it.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // long words are not misspellings, and the distance is quadratic
    if word.is_empty() || word.len() > 64 {
        return None;
    }
    let folded = fold(word);
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= 64 && *candidate != word)
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= allowance(candidate.len().max(word.len())))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `rateLimit`, `rate_limit` and `rate-limit` are one word.
fn fold(word: &str) -> String {
    word.chars().filter(|char| !matches!(char, '-' | '_')).flat_map(char::to_lowercase).collect()
}

fn allowance(length: usize) -> usize {
    match length {
        0..=3 => 1,
        4..=7 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["rate-limit", "pagination", "public", "body"];
        assert_eq!(nearest("rateLimit", known), Some("rate-limit"));
        assert_eq!(nearest("rate-limits", known), Some("rate-limit"));
        assert_eq!(nearest("pubilc", known), Some("public"));
        assert_eq!(nearest("timeout", known), None);
        assert_eq!(nearest("", known), None);
    }
}
