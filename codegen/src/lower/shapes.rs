//! What shapes need of the rest of the file: their patterns, and how a format is checked.

use super::check::checked_format;
use super::plan::Patterns;
use super::types::RustType;
use crate::model::{Keyword, Keywords, Text, TextFormat};

/// How a format of a string is checked where the string stays JSON.
#[derive(Debug)]
pub(crate) enum Format {
    /// By a function of the runtime.
    Checked(&'static str),
    /// By reading it as a type.
    Typed(RustType),
}

impl Format {
    pub(crate) fn of(format: TextFormat) -> Self {
        match checked_format(format) {
            Some(function) => Self::Checked(function),
            None => Self::Typed(RustType::of_text(&Text { format, ..Text::default() })),
        }
    }
}

/// Gives every pattern of the shapes its static.
pub(super) fn patterns(shapes: &[Keywords], patterns: &mut Patterns) {
    for keyword in shapes.iter().flat_map(|keywords| &keywords.0) {
        of_keyword(keyword, patterns);
    }
}

fn of_keyword(keyword: &Keyword, patterns: &mut Patterns) {
    let mut inner = |keywords: &Keywords| self::patterns(std::slice::from_ref(keywords), patterns);
    match keyword {
        Keyword::Pattern(pattern) => _ = patterns.name(pattern),
        Keyword::Items(prefix, rest) => prefix.iter().chain(rest).for_each(inner),
        Keyword::Contains(shape, ..)
        | Keyword::UnevaluatedItems(shape)
        | Keyword::UnevaluatedProperties(shape)
        | Keyword::PropertyNames(shape)
        | Keyword::Not(shape) => inner(shape),
        Keyword::Properties { declared, patterns: matched, others } => {
            declared.iter().map(|(_, shape)| shape).chain(others).for_each(&mut inner);
            for (pattern, shape) in matched {
                patterns.name(pattern);
                self::patterns(std::slice::from_ref(shape), patterns);
            }
        }
        Keyword::DependentSchemas(all) => all.iter().for_each(|(_, shape)| inner(shape)),
        Keyword::Tagged(tagged) => tagged.all().for_each(inner),
        Keyword::AllOf(all) | Keyword::AnyOf(all) | Keyword::OneOf(all) => all.iter().for_each(inner),
        Keyword::If(condition, then, otherwise) => {
            std::iter::once(condition).chain(then).chain(otherwise).for_each(inner);
        }
        _ => {}
    }
}
