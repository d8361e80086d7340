//! Numbers and strings.

use super::Builder;
use super::pattern::{self, Refusal};
use crate::document::{Schema, Spanned};
use crate::finding::{Code, Finding};
use crate::model::{Bounds, Counts, Integer, IntegerFormat, Number, NumberFormat, Pattern, Text, TextFormat};
use crate::normalise::Bound;
use crate::normalise::number::same;

impl Builder<'_> {
    pub(super) fn integer(&mut self, schema: &Schema) -> Option<Integer> {
        let stated = schema.format.as_ref().and_then(|format| IntegerFormat::of(&format.value));
        if stated.is_none() && schema.format.is_some() {
            self.unknown_format(schema);
        }
        let format = stated.unwrap_or_else(|| unstated_format(schema));
        let bounds = &schema.bounds;
        if stated.is_none() {
            self.within_64_bits(schema, format);
        }
        let integers = Bounds {
            minimum: self.integer_bound(bounds.minimum.as_ref(), "minimum")?,
            maximum: self.integer_bound(bounds.maximum.as_ref(), "maximum")?,
            exclusive_minimum: self.integer_bound(bounds.exclusive_minimum.as_ref(), "exclusiveMinimum")?,
            exclusive_maximum: self.integer_bound(bounds.exclusive_maximum.as_ref(), "exclusiveMaximum")?,
            multiple_of: self.integer_bound(bounds.multiple_of.as_ref(), "multipleOf")?,
        };
        self.within(integers, format, schema).map(|bounds| Integer { format, bounds })
    }

    /// Remarks on a greatest value that is greater than all of 64 bits: what it allows beyond them is refused.
    fn within_64_bits(&mut self, schema: &Schema, format: IntegerFormat) {
        let (_, high) = format.range();
        let bounds = &schema.bounds;
        let beyond = |bound: &Option<Spanned<Bound>>, high: i128| {
            let bound = bound.as_ref()?;
            bound.value.value.to_integer().filter(|value| *value > high).map(|_| bound.place)
        };
        let place = beyond(&bounds.maximum, high).or_else(|| beyond(&bounds.exclusive_maximum, high + 1));
        if let Some(place) = place {
            let message = format!("this bound has no effect: integers above {high} are refused anyway");
            let finding = Finding::warning(Code::KeywordWithoutEffect, message, place);
            self.findings
                .push(finding.help("for more write `type: number`, `format: decimal`, `multipleOf: 1`"));
        }
    }

    fn integer_bound(&mut self, bound: Option<&Spanned<Bound>>, keyword: &str) -> Option<Option<i128>> {
        let Some(bound) = bound else { return Some(None) };
        let value = bound.value.value.to_integer();
        if value.is_none() {
            let message = format!(
                "`{keyword}` of an integer that is not a whole number within 128 bits is not supported"
            );
            let finding = Finding::error(Code::NotSupported, message, bound.place);
            self.findings.push(finding.help("write the nearest whole number"));
        }
        value.map(Some)
    }

    /// A bound outside the format holds for every value of it, or for none.
    fn within(
        &mut self,
        mut bounds: Bounds<i128>,
        format: IntegerFormat,
        schema: &Schema,
    ) -> Option<Bounds<i128>> {
        let (low, high) = format.range();
        bounds.minimum = bounds.minimum.filter(|minimum| *minimum > low);
        bounds.maximum = bounds.maximum.filter(|maximum| *maximum < high);
        bounds.exclusive_minimum = bounds.exclusive_minimum.filter(|minimum| *minimum >= low);
        bounds.exclusive_maximum = bounds.exclusive_maximum.filter(|maximum| *maximum <= high);
        let unsatisfiable = bounds.minimum.is_some_and(|minimum| minimum > high)
            || bounds.maximum.is_some_and(|maximum| maximum < low)
            || bounds.exclusive_minimum.is_some_and(|minimum| minimum >= high)
            || bounds.exclusive_maximum.is_some_and(|maximum| maximum <= low);
        let huge_step = bounds.multiple_of.is_some_and(|step| step > high);
        if unsatisfiable || huge_step {
            let place = schema.bounds.any().map_or(schema.place, |(_, place)| place);
            let message = "no integer of this format is within its bounds";
            self.findings.push(
                Finding::error(Code::Contradiction, message, place).help("correct the bounds, or the format"),
            );
            return None;
        }
        Some(bounds)
    }

    pub(super) fn number(&mut self, schema: &Schema) -> Option<Number> {
        let format = match schema.format.as_ref().map(|format| &*format.value) {
            Some("float") => NumberFormat::F32,
            Some("double") | None => NumberFormat::F64,
            Some("decimal" | "decimal128") => NumberFormat::Decimal,
            Some(_) => {
                self.unknown_format(schema);
                NumberFormat::F64
            }
        };
        let bounds = &schema.bounds;
        let bounds = Bounds {
            minimum: self.finite(bounds.minimum.as_ref(), format)?,
            maximum: self.finite(bounds.maximum.as_ref(), format)?,
            exclusive_minimum: self.finite(bounds.exclusive_minimum.as_ref(), format)?,
            exclusive_maximum: self.finite(bounds.exclusive_maximum.as_ref(), format)?,
            multiple_of: self.finite(bounds.multiple_of.as_ref(), format)?,
        };
        Some(Number { format, bounds })
    }

    fn finite(&mut self, bound: Option<&Spanned<Bound>>, format: NumberFormat) -> Option<Option<f64>> {
        let Some(bound) = bound else { return Some(None) };
        let value = bound.value.text.parse::<f64>().ok().filter(|value| value.is_finite());
        let vanished = value == Some(0.0) && !bound.value.value.is_zero();
        if value.is_none() || vanished {
            let message = format!("`{}` is out of the range of numbers", bound.value.text);
            self.findings.push(Finding::error(Code::InvalidValue, message, bound.place));
            return None;
        }
        // a decimal is compared exactly, with what the document says and not with what is nearest to it
        let rounded = value.is_some_and(|value| !same(&format!("{value:?}"), &bound.value.text));
        if format == NumberFormat::Decimal && rounded {
            let message = format!("`{}` as the bound of a decimal has more than 17 digits", bound.value.text);
            let finding = Finding::error(Code::NotSupported, message, bound.place);
            self.findings.push(finding.help("write a bound of fewer digits"));
            return None;
        }
        Some(value)
    }

    pub(super) fn string(&mut self, schema: &Schema) -> Option<Text> {
        let mut text = Text {
            format: self.text_format(schema),
            length: counts(schema.min_length.as_ref(), schema.max_length.as_ref()),
            pattern: None,
            encoded: schema.encoded,
        };
        if let Some(pattern) = &schema.pattern {
            if text.format == TextFormat::Binary {
                let message = "a pattern of `format: binary`, which is no text";
                self.findings
                    .push(Finding::error(Code::Contradiction, message, pattern.place).help("remove one"));
                return None;
            }
            text.pattern = Some(self.pattern(pattern)?);
        }
        Self::drop_moot_length(schema, &mut text);
        Some(text)
    }

    pub(super) fn text_format(&mut self, schema: &Schema) -> TextFormat {
        let Some(format) = &schema.format else { return TextFormat::Plain };
        TextFormat::named(&format.value).unwrap_or_else(|| {
            self.unknown_format(schema);
            TextFormat::Plain
        })
    }

    /// Lengths that every value of a format has anyway say nothing and are let go.
    fn drop_moot_length(schema: &Schema, text: &mut Text) {
        let (shortest, longest) = text.format.lengths();
        let moot = schema.min_length.as_ref().is_none_or(|min| min.value <= shortest)
            && schema.max_length.as_ref().is_none_or(|max| max.value >= longest);
        if moot {
            text.length = Counts::default();
        }
    }

    pub(super) fn pattern(&mut self, source: &Spanned<String>) -> Option<Pattern> {
        let known = self.patterns.get(&source.value).cloned();
        let translated: Result<Pattern, Refusal> = known.unwrap_or_else(|| {
            let translated = pattern::translate(&source.value);
            self.patterns.insert(source.value.clone(), translated.clone());
            translated
        });
        match translated {
            Ok(pattern) => Some(pattern),
            Err(refusal) => {
                let finding = Finding::error(Code::Pattern, refusal.message(), source.place);
                self.findings.push(finding.help(refusal.why.help()));
                None
            }
        }
    }

    /// Once for each format of the document.
    pub(super) fn unknown_format(&mut self, schema: &Schema) {
        let Some(format) = &schema.format else { return };
        if !self.reported_formats.insert(format.value.clone()) {
            return;
        }
        let kind = schema.types.first().map_or("a value", |kind| kind.value.noun());
        let message = format!("the format `{}` of {kind} is not checked", format.value);
        let finding = Finding::warning(Code::UnknownFormat, message, format.place);
        self.findings.push(finding.help("state a `pattern` or bounds if it matters"));
    }
}

pub(super) fn counts(min: Option<&Spanned<u64>>, max: Option<&Spanned<u64>>) -> Counts {
    let narrow = |count: &Spanned<u64>| usize::try_from(count.value).unwrap_or(usize::MAX);
    Counts { min: min.map(narrow).filter(|min| *min > 0), max: max.map(narrow) }
}

/// 64 bits; unsigned where a bound lies beyond the signed ones and none below zero is allowed.
fn unstated_format(schema: &Schema) -> IntegerFormat {
    let value =
        |bound: &Option<Spanned<Bound>>| bound.as_ref().and_then(|bound| bound.value.value.to_integer());
    let bounds = &schema.bounds;
    let natural = value(&bounds.minimum).is_some_and(|minimum| minimum >= 0)
        || value(&bounds.exclusive_minimum).is_some_and(|minimum| minimum >= -1);
    let beyond_signed = |bound: Option<i128>| bound.is_some_and(|bound| bound > i128::from(i64::MAX));
    let large = beyond_signed(value(&bounds.maximum).or(value(&bounds.exclusive_maximum)))
        || beyond_signed(value(&bounds.minimum))
        // none of 64 bits is above the greatest of them
        || value(&bounds.exclusive_minimum).is_some_and(|bound| bound >= i128::from(i64::MAX));
    match natural && large {
        true => IntegerFormat::U64,
        false => IntegerFormat::I64,
    }
}
