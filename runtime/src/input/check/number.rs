//! Bounds and `multipleOf`, exact for integers and decimal-true for floats.

use std::fmt::Debug;

use super::super::decimal::Decimal;
use super::super::{At, Violations};

/// The number types that generated code uses.
pub trait Number: Copy + PartialOrd + Debug {
    /// Whether it is a whole multiple of `of`, as their decimal texts say.
    fn is_a_multiple(self, of: Self) -> bool;
}

macro_rules! integers {
    ($($type:ty),*) => { $(
        impl Number for $type {
            #[inline]
            fn is_a_multiple(self, of: Self) -> bool {
                // `None`: by zero, or the one case that overflows, MIN / -1, which is a multiple.
                match self.checked_rem(of) {
                    Some(rest) => rest == 0,
                    None => of != 0,
                }
            }
        }
    )* };
}

integers!(i8, i16, u8, u16, i32, i64, u32, u64);

impl Number for f64 {
    fn is_a_multiple(self, of: Self) -> bool {
        match (Decimal::of(self), Decimal::of(of)) {
            (Some(value), Some(of)) => value.is_multiple_of(&of),
            _ => false,
        }
    }
}

impl Number for f32 {
    fn is_a_multiple(self, of: Self) -> bool {
        match (Decimal::of(self), Decimal::of(of)) {
            (Some(value), Some(of)) => value.is_multiple_of(&of),
            _ => false,
        }
    }
}

/// `minimum`
#[inline]
pub fn minimum<N: Number>(value: &N, bound: N, at: &At<'_>, out: &mut Violations) {
    bounded(*value >= bound, "minimum", "at least", bound, at, out);
}

/// `maximum`
#[inline]
pub fn maximum<N: Number>(value: &N, bound: N, at: &At<'_>, out: &mut Violations) {
    bounded(*value <= bound, "maximum", "at most", bound, at, out);
}

/// `exclusiveMinimum`
#[inline]
pub fn exclusive_minimum<N: Number>(value: &N, bound: N, at: &At<'_>, out: &mut Violations) {
    bounded(*value > bound, "exclusiveMinimum", "more than", bound, at, out);
}

/// `exclusiveMaximum`
#[inline]
pub fn exclusive_maximum<N: Number>(value: &N, bound: N, at: &At<'_>, out: &mut Violations) {
    bounded(*value < bound, "exclusiveMaximum", "less than", bound, at, out);
}

/// `multipleOf`
#[inline]
pub fn multiple_of<N: Number>(value: &N, of: N, at: &At<'_>, out: &mut Violations) {
    bounded(value.is_a_multiple(of), "multipleOf", "a multiple of", of, at, out);
}

/// `holds` is asked positively, so that a NaN, which compares with nothing, fails.
#[inline]
fn bounded<N: Number>(
    holds: bool,
    rule: &'static str,
    relation: &str,
    bound: N,
    at: &At<'_>,
    out: &mut Violations,
) {
    if !holds {
        out.push(at, rule, format!("must be {relation} {bound:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(run: impl FnOnce(&At<'_>, &mut Violations)) -> Vec<String> {
        let mut out = Violations::new();
        run(&At::root(), &mut out);
        out.iter().map(|v| format!("{}: {}", v.rule, v.message)).collect()
    }

    #[test]
    fn bounds_hold_at_the_bound_and_not_beyond() {
        assert!(found(|at, out| minimum(&1_i64, 1, at, out)).is_empty());
        assert_eq!(found(|at, out| minimum(&0_i64, 1, at, out)), ["minimum: must be at least 1"]);
        assert!(found(|at, out| maximum(&u64::MAX, u64::MAX, at, out)).is_empty());
        assert_eq!(found(|at, out| maximum(&101_i32, 100, at, out)), ["maximum: must be at most 100"]);
        assert!(found(|at, out| exclusive_minimum(&0.1, 0.0, at, out)).is_empty());
        assert_eq!(
            found(|at, out| exclusive_minimum(&0.0, 0.0, at, out)),
            ["exclusiveMinimum: must be more than 0.0"]
        );
        assert!(found(|at, out| exclusive_maximum(&-1_i32, 0, at, out)).is_empty());
        assert_eq!(
            found(|at, out| exclusive_maximum(&1e308, 1e308, at, out)),
            ["exclusiveMaximum: must be less than 1e308"]
        );
    }

    #[test]
    fn not_a_number_satisfies_no_bound() {
        assert_eq!(found(|at, out| minimum(&f64::NAN, 0.0, at, out)).len(), 1);
        assert_eq!(found(|at, out| maximum(&f64::NAN, 0.0, at, out)).len(), 1);
        assert_eq!(found(|at, out| multiple_of(&f64::NAN, 1.0, at, out)).len(), 1);
    }

    #[test]
    fn multiples_are_decimal() {
        let fits = |value: f64, of: f64| found(|at, out| multiple_of(&value, of, at, out)).is_empty();
        assert!(fits(0.0075, 0.0001) && fits(4.5, 1.5) && fits(0.0, 1.5) && fits(-0.3, 0.1));
        assert!(fits(1e308, 0.5) && fits(12_391_239_123.0, 1e-8) && fits(19.99, 0.01));
        assert!(!fits(0.007_51, 0.0001) && !fits(35.0, 1.5) && !fits(19.999, 0.01) && !fits(1.0, 0.0));
        assert!(!fits(1.0, 1e308) && fits(0.3_f64, 0.1));
        assert!(found(|at, out| multiple_of(&0.7_f32, 0.1, at, out)).is_empty());
    }

    #[test]
    fn multiples_of_integers_are_exact() {
        assert!(found(|at, out| multiple_of(&9_007_199_254_740_993_i64, 3, at, out)).is_empty());
        assert_eq!(found(|at, out| multiple_of(&9_007_199_254_740_994_i64, 3, at, out)).len(), 1);
        assert!(found(|at, out| multiple_of(&i64::MIN, -1, at, out)).is_empty());
        assert_eq!(found(|at, out| multiple_of(&5_u32, 0, at, out)).len(), 1);
    }
}
