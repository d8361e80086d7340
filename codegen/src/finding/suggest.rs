//! "Did you mean".

/// Words that are looked at: of thousands of faults beside thousands of words, each has to find its own.
const LOOKED_AT: usize = 1_000;

/// The word of `known` that is most like `word`, if one is like it.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // long words are not misspellings, and the distance is quadratic
    if word.is_empty() || word.len() > 64 {
        return None;
    }
    let (folded, letters) = (fold(word), letters(word));
    known
        .into_iter()
        .take(LOOKED_AT)
        .filter(|candidate| candidate.len() <= 64 && *candidate != word)
        .filter(|candidate| {
            // each letter that only the first has takes an edit
            let apart = (letters & !self::letters(candidate)).count_ones() as usize;
            apart <= allowance(candidate.len().max(word.len()))
        })
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= allowance(candidate.len().max(word.len())))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `rateLimit`, `rate_limit` and `rate-limit` are one word.
fn fold(word: &str) -> String {
    word.chars().filter(|char| !matches!(char, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// A bit for each letter, whatever its case.
fn letters(word: &str) -> u64 {
    let bit = |byte: u8| 1_u64 << (byte.to_ascii_lowercase() % 64);
    word.bytes().filter(|byte| !matches!(byte, b'-' | b'_')).fold(0, |bits, byte| bits | bit(byte))
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
