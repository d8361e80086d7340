//! Literals on one line where they fit: `prettyplease` gives every struct literal a line for each field, and a policy
//! that fits on a screen is a policy that is read.

/// The width up to which a literal is joined.
const WIDTH: usize = 100;

/// `code` with every literal and call on one line that fits there. Only white space and trailing commas change.
pub(super) fn compact(code: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    // Where each bracket that is still open began.
    let mut open: Vec<usize> = Vec::new();
    for line in code.lines() {
        if line.trim_start().starts_with(['}', ']', ')']) {
            let begin = open.pop().unwrap_or(lines.len());
            let joined = join(lines.get(begin..).unwrap_or_default(), line);
            match joined {
                Some(joined) => {
                    lines.truncate(begin);
                    lines.push(joined);
                }
                None => lines.push(line.to_owned()),
            }
        } else {
            lines.push(line.to_owned());
        }
        let is_comment = line.trim_start().starts_with("//");
        if !is_comment && line.ends_with(['{', '[', '(']) {
            open.push(lines.len() - 1);
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// The first line, those inside, and the last as one, if they are a literal and fit.
fn join(lines: &[String], last: &str) -> Option<String> {
    let (first, inside) = lines.split_first()?;
    let ends = |line: &String| {
        line.trim_start().starts_with(['.', '/', '#']) || line.ends_with(['{', '[', '(', ';'])
    };
    let only_closes = last.trim().chars().all(|one| matches!(one, '}' | ']' | ')' | ',' | ';' | '?'));
    if !is_literal(first) || inside.is_empty() || inside.iter().any(ends) || !only_closes {
        return None;
    }
    let mut text = inside.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let one_tuple = inside.len() == 1 && first.ends_with("= (");
    if text.ends_with(',') && !one_tuple {
        text.pop();
    }
    let space = if first.ends_with('{') { " " } else { "" };
    let joined = format!("{first}{space}{text}{space}{}", last.trim());
    (joined.chars().count() <= WIDTH).then_some(joined)
}

/// Whether what begins here is a literal or a call, rather than an item, a statement or a block.
fn is_literal(first: &str) -> bool {
    const OTHERS: [&str; 12] = [
        "pub ",
        "impl",
        "fn ",
        "match ",
        "if ",
        "for ",
        "mod ",
        "trait ",
        "enum ",
        "struct ",
        "macro_rules",
        "where",
    ];
    let text = first.trim_start();
    !OTHERS.iter().any(|word| text.starts_with(word))
        && !text.contains("fn ")
        && !text.ends_with("=> {")
        && !text.ends_with("| {")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_joined_from_the_inside() {
        let code =
            "const A: &B = &B {\n    c: &[\n        D {\n            e: \"f\",\n        },\n    ],\n};\n";
        assert_eq!(compact(code), "const A: &B = &B { c: &[D { e: \"f\" }] };\n");
        assert_eq!(compact("type A = (\n    B,\n);\n"), "type A = (B,);\n");
    }

    #[test]
    fn items_statements_and_what_is_too_long_stay() {
        let long = format!("const A: &[B] = &[\n    \"{}\",\n];\n", "x".repeat(WIDTH));
        for code in [
            "pub struct A {\n    b: C,\n}\n",
            "fn a() {\n    b()\n}\n",
            "match a {\n    b => c,\n}\n",
            "a(|b| {\n    c;\n})\n",
            "    x => {\n        y(z)\n    }\n",
            long.as_str(),
        ] {
            assert_eq!(compact(code), code);
        }
    }
}
