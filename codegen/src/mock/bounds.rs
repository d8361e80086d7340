//! Numbers within bounds.

use crate::model::{Bounds, Integer, Number, NumberFormat};

/// Whether an integer is within bounds.
pub(super) fn integer_fits(bounds: &Bounds<i128>, value: i128) -> bool {
    bounds.minimum.is_none_or(|bound| value >= bound)
        && bounds.maximum.is_none_or(|bound| value <= bound)
        && bounds.exclusive_minimum.is_none_or(|bound| value > bound)
        && bounds.exclusive_maximum.is_none_or(|bound| value < bound)
        && bounds.multiple_of.is_none_or(|of| value.checked_rem(of) == Some(0))
}

/// Whether a number is within bounds, and representable in its format.
pub(super) fn number_fits(number: &Number, value: f64) -> bool {
    let bounds = &number.bounds;
    let representable = match number.format {
        NumberFormat::F32 => value.abs() <= f64::from(f32::MAX),
        NumberFormat::F64 | NumberFormat::Decimal => value.is_finite(),
    };
    representable
        && bounds.minimum.is_none_or(|bound| value >= bound)
        && bounds.maximum.is_none_or(|bound| value <= bound)
        && bounds.exclusive_minimum.is_none_or(|bound| value > bound)
        && bounds.exclusive_maximum.is_none_or(|bound| value < bound)
        && bounds.multiple_of.is_none_or(|of| is_multiple(value, of))
}

/// By decimal digits, as the runtime compares: `0.3` is a multiple of `0.1`.
fn is_multiple(value: f64, of: f64) -> bool {
    let steps = (value / of).round();
    rounded_to(steps * of, of).is_some_and(|multiple| multiple == value)
}

/// `value` with as many decimals as `like` has.
fn rounded_to(value: f64, like: f64) -> Option<f64> {
    let decimals = like.to_string().split_once('.').map_or(0, |(_, fraction)| fraction.len());
    format!("{value:.decimals$}").parse().ok()
}

/// The `turn`-th integer to try: small ones first, `None` when there are no more.
pub(super) fn integer(integer: &Integer, turn: usize) -> Option<i128> {
    let bounds = &integer.bounds;
    let (least, most) = integer.format.range();
    let after = |bound: Option<i128>| bound.and_then(|bound| bound.checked_add(1));
    let low = [bounds.minimum, after(bounds.exclusive_minimum)].into_iter().flatten().fold(least, i128::max);
    let before = bounds.exclusive_maximum.and_then(|bound| bound.checked_sub(1));
    let high = [bounds.maximum, before].into_iter().flatten().fold(most, i128::min);
    let step = bounds.multiple_of.unwrap_or(1).max(1);
    let start = if low > 1 || high < 1 { low } else { 1 };
    let first = start.div_euclid(step) + i128::from(start.rem_euclid(step) != 0);
    let value = first.checked_add(i128::try_from(turn).ok()?)?.checked_mul(step)?;
    (low <= value && value <= high).then_some(value).or_else(|| wrap(low, high, step, turn))
}

/// From the lower end, when the values above one are used up.
fn wrap(low: i128, high: i128, step: i128, turn: usize) -> Option<i128> {
    let first = low.div_euclid(step) + i128::from(low.rem_euclid(step) != 0);
    let value = first.checked_add(i128::try_from(turn).ok()?)?.checked_mul(step)?;
    (value <= high).then_some(value)
}

/// The `turn`-th number to try.
pub(super) fn number(number: &Number, turn: usize) -> Option<f64> {
    let bounds = &number.bounds;
    let turn = f64::from(u32::try_from(turn).ok()?);
    let step = bounds.multiple_of.unwrap_or(1.0);
    let low = bounds.minimum.or(bounds.exclusive_minimum);
    let high = bounds.maximum.or(bounds.exclusive_maximum);
    let from = low.or(high).unwrap_or(step);
    let middle = low.zip(high).map(|(low, high)| low + (high - low) / (turn + 2.0));
    let multiples = [1.0, (from / step).ceil(), (from / step).floor()];
    let near = multiples.into_iter().flat_map(|start| [start + turn, start + turn + 1.0, start - turn - 1.0]);
    let candidates = near.filter_map(|steps| rounded_to(steps * step, step));
    candidates.chain(middle).chain(high).find(|value| number_fits(number, *value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::IntegerFormat;

    fn whole(bounds: Bounds<i128>) -> Integer {
        Integer { format: IntegerFormat::I64, bounds }
    }

    #[test]
    fn integers_fit_and_differ() {
        for bounds in [
            Bounds::default(),
            Bounds { minimum: Some(10), maximum: Some(20), ..Bounds::default() },
            Bounds {
                exclusive_minimum: Some(-20),
                exclusive_maximum: Some(-1),
                multiple_of: Some(3),
                ..Bounds::default()
            },
            Bounds { minimum: Some(1), multiple_of: Some(250), ..Bounds::default() },
        ] {
            let values: Vec<_> = (0..3).map(|turn| integer(&whole(bounds.clone()), turn).unwrap()).collect();
            assert!(values.iter().all(|value| integer_fits(&bounds, *value)), "{values:?} in {bounds:?}");
            assert!(values[0] != values[1] && values[1] != values[2], "{values:?}");
        }
        let none = Bounds { minimum: Some(4), maximum: Some(5), multiple_of: Some(3), ..Bounds::default() };
        assert_eq!(integer(&whole(none), 0), None);
    }

    #[test]
    fn numbers_fit() {
        for bounds in [
            Bounds::default(),
            Bounds { exclusive_minimum: Some(0.0), exclusive_maximum: Some(1.0), ..Bounds::default() },
            Bounds { minimum: Some(10.5), multiple_of: Some(0.01), ..Bounds::default() },
            Bounds { maximum: Some(-3.0), ..Bounds::default() },
        ] {
            let rules = Number { format: NumberFormat::F64, bounds };
            let value = number(&rules, 0).unwrap_or_else(|| panic!("{rules:?}"));
            assert!(number_fits(&rules, value), "{value} in {rules:?}");
        }
    }
}
