//! Look-around where it stands at an end that is held: then it asks one more question of the whole text, and the engine
//! stays linear.
//!
//! 1. `^(?=a)(?!b)c` is a match of `^c`, one of `^(?:a)`, and none of `^(?:b)`: all three begin at the start of the text.
//!    So with `c(?<=a)(?<!b)$`, whose parts end where the text does.
//! 2. Without `^`, or `$`, the parts would have to begin, or end, at one place that only the match knows.
//! 3. With alternatives on the outermost level, it belongs to one of them only.
//! 4. Anywhere else it is left where it stands, and the translation refuses it.
//! 5. Groups without alternatives that are not repeated group nothing: `(^(?!a))(b$)` is `^(?!a)b$`.

/// A pattern taken apart. What does not come apart is all `main`.
pub(super) struct Parts {
    pub(super) main: String,
    /// Patterns of the whole text, and whether they match or must not.
    pub(super) around: Vec<(String, bool)>,
}

/// Groups inside each other that are opened.
const DEEPEST: usize = 8;

/// Takes the look-around at both ends off a pattern of ECMA-262.
pub(super) fn take_apart(pattern: &str) -> Parts {
    let whole = || Parts { main: pattern.to_owned(), around: Vec::new() };
    let atoms = ungrouped(pattern, DEEPEST);
    if atoms.contains(&"|") {
        return whole();
    }
    let first = atoms.iter().take_while(|atom| **atom == "^" || ahead(atom).is_some()).count();
    let rest = atoms.iter().skip(first);
    let last = rest.rev().take_while(|atom| **atom == "$" || behind(atom).is_some()).count();
    let (leading, rest) = atoms.split_at_checked(first).unwrap_or((&[], &atoms));
    let (middle, trailing) = rest.split_at_checked(rest.len() - last).unwrap_or((rest, &[]));
    let held = |ends: &[&str], end: &str| ends.contains(&end) || ends.is_empty();
    if !held(leading, "^") || !held(trailing, "$") {
        return whole();
    }
    let ahead = leading.iter().filter_map(|atom| ahead(atom));
    let ahead = ahead.map(|(inner, holds)| (format!("^(?:{inner})"), holds));
    let behind = trailing.iter().filter_map(|atom| behind(atom));
    let behind = behind.map(|(inner, holds)| (format!("(?:{inner})$"), holds));
    let around: Vec<_> = ahead.chain(behind).collect();
    if around.is_empty() {
        return whole();
    }
    let start = if leading.is_empty() { "" } else { "^" };
    let end = if trailing.is_empty() { "" } else { "$" };
    Parts { main: format!("{start}{}{end}", middle.concat()), around }
}

/// `(?=inner)` or `(?!inner)`, and whether it must match.
fn ahead(atom: &str) -> Option<(&str, bool)> {
    inner(atom, "(?=", "(?!")
}

/// `(?<=inner)` or `(?<!inner)`, and whether it must match.
fn behind(atom: &str) -> Option<(&str, bool)> {
    inner(atom, "(?<=", "(?<!")
}

fn inner<'a>(atom: &'a str, positive: &str, negative: &str) -> Option<(&'a str, bool)> {
    let (opened, holds) = match atom.strip_prefix(positive) {
        Some(opened) => (opened, true),
        None => (atom.strip_prefix(negative)?, false),
    };
    Some((opened.strip_suffix(')')?, holds))
}

/// Rule 5: what a pattern is made of, without the groups that group nothing.
fn ungrouped(pattern: &str, depth: usize) -> Vec<&str> {
    let atoms = atoms(pattern);
    let repeated = |at: usize| atoms.get(at + 1).is_some_and(|next| next.starts_with(['*', '+', '?', '{']));
    let mut all = Vec::with_capacity(atoms.len());
    for (at, atom) in atoms.iter().copied().enumerate() {
        let inner = grouped(atom).filter(|_| depth > 0 && !repeated(at));
        match inner.map(|inner| ungrouped(inner, depth - 1)) {
            Some(inner) if !inner.contains(&"|") => all.extend(inner),
            _ => all.push(atom),
        }
    }
    all
}

/// What a group holds that only groups: `(inner)` or `(?:inner)`.
fn grouped(atom: &str) -> Option<&str> {
    let inner = atom.strip_prefix('(')?.strip_suffix(')')?;
    inner.strip_prefix("?:").or_else(|| Some(inner).filter(|inner| !inner.starts_with('?')))
}

/// What a pattern is made of on its outermost level: groups and classes whole, escapes with their letter, and single
/// characters.
fn atoms(pattern: &str) -> Vec<&str> {
    let mut atoms = Vec::new();
    let (mut begun, mut depth, mut in_class, mut escaped) = (0, 0_usize, false, false);
    for (at, char) in pattern.char_indices() {
        let end = at + char.len_utf8();
        match char {
            _ if escaped => escaped = false,
            '\\' => {
                escaped = true;
                continue;
            }
            ']' => in_class = false,
            _ if in_class => {}
            '[' => in_class = true,
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && !in_class {
            atoms.extend(pattern.get(begun..end));
            begun = end;
        }
    }
    atoms.extend(pattern.get(begun..).filter(|rest| !rest.is_empty()));
    atoms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(pattern: &str) -> (String, Vec<(String, bool)>) {
        let parts = take_apart(pattern);
        (parts.main, parts.around)
    }

    #[test]
    fn ends_that_are_held_come_apart() {
        let password = apart(r"^(?=.*[A-Z])(?=.*\d)(?!.*\s).{8,}$");
        let around = [(r"^(?:.*[A-Z])", true), (r"^(?:.*\d)", true), (r"^(?:.*\s)", false)];
        assert_eq!(password, ("^.{8,}$".into(), around.map(|(text, holds)| (text.into(), holds)).into()));
        assert_eq!(apart("^(?!a|b$)^c"), ("^c".into(), vec![("^(?:a|b$)".into(), false)]));
        assert_eq!(apart("(?!a)^c"), ("^c".into(), vec![("^(?:a)".into(), false)]));
        assert_eq!(apart("^a+(?<!aa)$"), ("^a+$".into(), vec![("(?:aa)$".into(), false)]));
        assert_eq!(apart("^(?![)(])a"), ("^a".into(), vec![("^(?:[)(])".into(), false)]));
        assert_eq!(
            apart("(^(?!_{2}))((?:^[a-z_]+)$)"),
            ("^[a-z_]+$".into(), vec![("^(?:_{2})".into(), false)])
        );
        assert_eq!(apart("^((?!a)b)$"), ("^b$".into(), vec![("^(?:a)".into(), false)]));
        assert_eq!(apart(r"^(?!\))a"), ("^a".into(), vec![(r"^(?:\))".into(), false)]));
    }

    #[test]
    fn everything_else_stays_whole() {
        for pattern in [
            "(^(?!a)b)|c",
            "((?!a)^)*b",
            "(?!a)b",
            "a(?<!b)",
            "^(?!a)b|c",
            "^a(?!b)c$",
            "^(a)$",
            "^a$",
            "a",
            "",
            r"^\^(?!a)",
        ] {
            assert_eq!(apart(pattern), (pattern.to_owned(), Vec::new()), "{pattern}");
        }
    }
}
