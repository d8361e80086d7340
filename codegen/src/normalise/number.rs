//! Numbers of JSON as exact decimals: `f64` would move limits beyond 2^53.

use std::cmp::Ordering;

/// `digits * 10^exponent`, without trailing zeros in `digits`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    /// Without leading or trailing zeros; empty is zero.
    digits: Vec<u8>,
    /// Power of ten of the last digit.
    exponent: i64,
}

impl Decimal {
    /// Reads the grammar of RFC 8259 section 6. `None` for exponents that no document needs.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits: Vec<u8> =
            whole.bytes().chain(fraction.bytes()).map(|byte| byte.wrapping_sub(b'0')).collect();
        if digits.is_empty() || digits.iter().any(|digit| *digit > 9) {
            return None;
        }
        let mut exponent = i64::from(exponent) - i64::try_from(fraction.len()).ok()?;
        while digits.last() == Some(&0) {
            digits.pop();
            exponent += 1;
        }
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..zeros);
        if digits.is_empty() {
            return Some(Self { negative: false, digits, exponent: 0 });
        }
        Some(Self { negative, digits, exponent })
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.negative
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// The value as an integer, when it is one (`1.0` and `1e2` are: JSON Schema 2020-12 section 6.1.1) that fits.
    pub(crate) fn to_integer(&self) -> Option<i128> {
        let mut value: i128 = 0;
        for digit in &self.digits {
            value = value.checked_mul(10)?.checked_add(i128::from(*digit))?;
        }
        if !self.is_zero() {
            let power = u32::try_from(self.exponent).ok()?;
            value = value.checked_mul(10_i128.checked_pow(power)?)?;
        }
        Some(if self.negative { -value } else { value })
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.exponent >= 0
    }

    /// Power of ten that the first digit stands for, plus one.
    fn magnitude(&self) -> i64 {
        i64::try_from(self.digits.len()).unwrap_or(i64::MAX).saturating_add(self.exponent)
    }

    /// Whether this is `divisor` times an integer; `None` where the numbers are too far apart to say.
    pub(crate) fn is_multiple_of(&self, divisor: &Self) -> Option<bool> {
        let scale = self.exponent.min(divisor.exponent).min(0);
        let (value, divisor) = (self.shifted(scale)?, divisor.shifted(scale)?);
        value.checked_rem(divisor).map(|rest| rest == 0)
    }

    /// The value in units of this power of ten, when it is a whole number of them that fits.
    fn shifted(&self, scale: i64) -> Option<i128> {
        Self { exponent: self.exponent.checked_sub(scale)?, ..self.clone() }.to_integer()
    }
}

/// Where a range ends, and whether the end itself is outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End<'d> {
    pub(crate) value: &'d Decimal,
    pub(crate) sharp: bool,
}

/// Whether a number that is a multiple of each step is within a range; `None` where the numbers are too far apart to say.
pub(crate) fn has_multiple(steps: &[Decimal], low: End<'_>, high: End<'_>) -> Option<bool> {
    let numbers = || steps.iter().chain([low.value, high.value]);
    let scale = numbers().map(|number| number.exponent).min()?.min(0);
    let (least, most) = (low.value.shifted(scale)?, high.value.shifted(scale)?);
    let mut step = None;
    for next in steps {
        let next = next.shifted(scale)?;
        step = Some(step.map_or(Some(next), |known| least_common_multiple(known, next))?);
    }
    let Some(step) = step else { return Some(least < most || (least == most && !low.sharp && !high.sharp)) };
    let above = step.checked_sub(least.checked_rem_euclid(step)?)?;
    // what is left to the next multiple; a whole step where it is one, which only a sharp end asks for
    let further = if above == step && !low.sharp { 0 } else { above };
    let first = least.checked_add(further)?;
    Some(first < most || (first == most && !high.sharp))
}

fn least_common_multiple(one: i128, other: i128) -> Option<i128> {
    let (mut divisor, mut rest) = (one, other);
    while rest != 0 {
        (divisor, rest) = (rest, divisor.checked_rem(rest)?);
    }
    one.checked_div(divisor)?.checked_mul(other)
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => return Ordering::Greater,
            (true, false) => return Ordering::Less,
            _ => {}
        }
        let size = match (self.is_zero(), other.is_zero()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // digits without trailing zeros compare as text once the first digits stand for the same power
            (false, false) => {
                self.magnitude().cmp(&other.magnitude()).then_with(|| self.digits.cmp(&other.digits))
            }
        };
        if self.negative { size.reverse() } else { size }
    }
}

/// The number as a text that every number of the same value has, and no other.
pub(crate) fn canonical(text: &str) -> String {
    let Some(number) = Decimal::parse(text) else { return text.to_owned() };
    let sign = if number.negative { "-" } else { "" };
    let digits: String = number.digits.iter().map(|digit| char::from(b'0' + digit)).collect();
    // behind a word that no number has which could not be read
    format!("#{sign}{digits}e{}", number.exponent)
}

/// Whether two numbers of JSON have one value.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one == other
        || matches!((Decimal::parse(one), Decimal::parse(other)), (Some(one), Some(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn compares_exactly() {
        let rising = [
            "-1e10",
            "-2",
            "-1.5",
            "-1.49",
            "0",
            "1e-7",
            "0.1",
            "1",
            "9007199254740992",
            "9007199254740993",
            "1e30",
        ];
        for pair in rising.windows(2) {
            assert!(decimal(pair[0]) < decimal(pair[1]), "{pair:?}");
        }
        for (one, other) in [("1", "1.0"), ("100", "1e2"), ("-0", "0.0"), ("1.50", "15e-1")] {
            assert!(same(one, other), "{one} {other}");
        }
        assert!(!same("1", "1.1"));
    }

    #[test]
    fn integers() {
        assert_eq!(decimal("1e2").to_integer(), Some(100));
        assert_eq!(decimal("1.0").to_integer(), Some(1));
        assert_eq!(decimal("-18446744073709551616").to_integer(), Some(-18_446_744_073_709_551_616));
        assert_eq!(decimal("1.5").to_integer(), None);
        assert_eq!(decimal("1e400").to_integer(), None);
    }

    #[test]
    fn multiples() {
        assert_eq!(decimal("0.3").is_multiple_of(&decimal("0.1")), Some(true));
        assert_eq!(decimal("0.35").is_multiple_of(&decimal("0.1")), Some(false));
        assert_eq!(decimal("100").is_multiple_of(&decimal("25")), Some(true));
    }

    #[test]
    fn multiples_within() {
        let has = |steps: &[&str], low: (&str, bool), high: (&str, bool)| {
            let steps: Vec<Decimal> = steps.iter().map(|step| decimal(step)).collect();
            let (least, most) = (decimal(low.0), decimal(high.0));
            has_multiple(&steps, End { value: &least, sharp: low.1 }, End { value: &most, sharp: high.1 })
        };
        for (steps, low, high) in [
            (&["1"][..], ("1.2", false), ("2", false)),
            (&["1"], ("-0.5", true), ("0.5", true)),
            (&["5"], ("5", false), ("9", false)),
            (&["0.1"], ("0.25", false), ("0.3", false)),
            (&["4", "6"], ("1", false), ("12", false)),
            (&[], ("1", true), ("1.1", true)),
        ] {
            assert_eq!(has(steps, low, high), Some(true), "{steps:?} {low:?} {high:?}");
        }
        for (steps, low, high) in [
            (&["1"][..], ("1.2", false), ("1.8", false)),
            (&["1"], ("1", true), ("2", true)),
            (&["5"], ("5", true), ("9", false)),
            (&["5"], ("-4", false), ("0", true)),
            (&["4", "6"], ("1", false), ("12", true)),
            (&[], ("1", true), ("1", false)),
        ] {
            assert_eq!(has(steps, low, high), Some(false), "{steps:?} {low:?} {high:?}");
        }
        assert_eq!(has(&["1e-300"], ("1", false), ("2", false)), None);
    }
}
