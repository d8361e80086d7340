//! A JSON number as the decimal it is written as, so that nothing is decided by a rounded one.

use std::cmp::Ordering;
use std::fmt::{self, LowerExp, Write};

/// A decimal number of at most 38 digits, exactly as it was written: `format: decimal` of a document. `1.50` and `1.5` are the
/// same.
///
/// ```
/// # use palisade::Decimal;
/// let price = Decimal::parse("12345678901234567890.05").unwrap();
/// assert_eq!(price.to_string(), "12345678901234567890.05");
/// assert!(price > Decimal::from(5));
/// ```
// `digits x 10^exponent`, without trailing zeros in `digits`; zero has no sign.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    digits: u128,
    exponent: i64,
}

/// Digits that always fit `u128`. No integer type of a document has as many.
const MOST_DIGITS: usize = 38;

impl Decimal {
    /// Reads a JSON number (RFC 8259 section 6), whose grammar has been checked. `None`: more digits than can be held,
    /// which is no integer that a document can declare.
    pub(crate) fn read(number: &str) -> Option<Self> {
        let (negative, number) = match number.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, number),
        };
        let (mantissa, exponent) = match number.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, saturating(exponent)?),
            None => (number, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        let mut exponent = exponent.saturating_sub(i64::try_from(fraction.len()).ok()?);
        let (mut digits, mut held) = (0_u128, 0);
        let mut zeros = 0_u32;
        for byte in whole.bytes().chain(fraction.bytes()) {
            let digit = u128::from(byte.checked_sub(b'0').filter(|digit| *digit < 10)?);
            // Zeros are held back until a digit follows, so that `1000...0` of any length is one digit.
            if digit == 0 {
                zeros = if digits == 0 { 0 } else { zeros.checked_add(1)? };
                continue;
            }
            held += usize::try_from(zeros).ok()? + 1;
            if held > MOST_DIGITS {
                return None;
            }
            digits = digits.checked_mul(10_u128.checked_pow(zeros + 1)?)?.checked_add(digit)?;
            zeros = 0;
        }
        exponent = if digits == 0 { 0 } else { exponent.saturating_add(i64::from(zeros)) };
        Some(Self { negative: negative && digits != 0, digits, exponent })
    }

    /// The shortest decimal that reads back as this float. `None`: not finite.
    pub(crate) fn of<F: LowerExp>(float: F) -> Option<Self> {
        let mut text = Short { bytes: [0; Short::ROOM], len: 0 };
        write!(text, "{float:e}").ok()?;
        Self::read(std::str::from_utf8(text.bytes.get(..text.len)?).ok()?)
    }

    /// Whether it is below zero, its digits, and the power of ten that they are multiplied by.
    pub(super) const fn parts(self) -> (bool, u128, i64) {
        (self.negative, self.digits, self.exponent)
    }

    /// The integer that it is, if it is one and fits.
    pub(crate) fn to_integer(self) -> Option<i128> {
        let scale = 10_u128.checked_pow(u32::try_from(self.exponent).ok()?)?;
        let value = i128::try_from(self.digits.checked_mul(scale)?).ok()?;
        Some(if self.negative { -value } else { value })
    }

    /// Whether it is a whole number, of whatever size.
    pub(crate) const fn is_whole(self) -> bool {
        self.exponent >= 0
    }

    /// How it stands to another.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match (self.signed(), other.signed()) {
            (one, other) if one != other => one.cmp(&other),
            (0, _) => Ordering::Equal,
            (sign, _) => {
                let order = self.compare_digits(other);
                if sign < 0 { order.reverse() } else { order }
            }
        }
    }

    const fn signed(&self) -> i8 {
        match (self.digits, self.negative) {
            (0, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        }
    }

    /// The place of the first digit decides; where it is the same, the digits do, brought to one length.
    fn compare_digits(&self, other: &Self) -> Ordering {
        let first = |number: &Self| {
            i64::from(number.digits.checked_ilog10().unwrap_or(0)).saturating_add(number.exponent)
        };
        let lowest = self.exponent.min(other.exponent);
        let shifted = |number: &Self| {
            // At most as many digits as the longer of the two has: within `u128`.
            let zeros = u32::try_from(number.exponent.saturating_sub(lowest)).unwrap_or(u32::MAX);
            10_u128.checked_pow(zeros).and_then(|scale| number.digits.checked_mul(scale)).unwrap_or(u128::MAX)
        };
        first(self).cmp(&first(other)).then_with(|| shifted(self).cmp(&shifted(other)))
    }

    /// Whether it is a whole multiple of `of`, which has at most 19 digits.
    pub(crate) fn is_multiple_of(&self, of: &Self) -> bool {
        if of.digits == 0 {
            return false;
        }
        if self.digits == 0 {
            return true;
        }
        // A multiple of `of x 10^n` ends in n zeros, and `digits` ends in none.
        let Ok(shift) = u64::try_from(self.exponent.saturating_sub(of.exponent)) else { return false };
        let Ok(modulus) = u64::try_from(of.digits) else { return false };
        let modulus = u128::from(modulus);
        // Below 2^64 each, so no product overflows.
        (self.digits % modulus * power_of_ten(shift, modulus)).is_multiple_of(modulus)
    }
}

/// A text on the stack: a float in its shortest exponent form has at most 24 bytes.
struct Short {
    bytes: [u8; Self::ROOM],
    len: usize,
}

impl Short {
    const ROOM: usize = 32;
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// `10^exponent mod modulus`, for a modulus below 2^64.
fn power_of_ten(mut exponent: u64, modulus: u128) -> u128 {
    let (mut result, mut base) = (1 % modulus, 10 % modulus);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % modulus;
        }
        base = base * base % modulus;
        exponent >>= 1;
    }
    result
}

/// An exponent of any length. One that does not fit is as good as endless; the sign says in which direction.
fn saturating(exponent: &str) -> Option<i64> {
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse::<i64>().unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
    Some(if exponent.starts_with('-') { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer(text: &str) -> Option<i128> {
        Decimal::read(text).and_then(Decimal::to_integer)
    }

    #[test]
    fn whole_numbers_in_any_spelling() {
        for (text, value) in [
            ("0", 0),
            ("-0", 0),
            ("1.0", 1),
            ("1e2", 100),
            ("1E+2", 100),
            ("-100e-2", -1),
            ("12.50e1", 125),
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("0.00e999999999999999999999", 0),
            ("10000000000000000000000000000000000000000000e-40", 1000),
            ("18446744073709551615", 18_446_744_073_709_551_615),
        ] {
            assert_eq!(integer(text), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_not_whole_or_too_large() {
        for text in
            ["1.5", "1e-1", "1.00000000000000000000000000001", "1e40", "1e999999999999999999999", "0.1e0"]
        {
            assert_eq!(integer(text), None, "{text}");
        }
        assert!(Decimal::read("1e999999999999999999999").is_some_and(Decimal::is_whole));
        assert!(!Decimal::read("1e-999999999999999999999").is_some_and(Decimal::is_whole));
    }

    #[test]
    fn decimals_are_ordered() {
        let sorted = [
            "-1e400",
            "-2",
            "-1.5",
            "-1e-400",
            "0",
            "1e-400",
            "0.1",
            "0.11",
            "9",
            "10",
            "18446744073709551615",
            "1e20",
        ];
        let read = |text: &str| Decimal::read(text).unwrap();
        for (at, one) in sorted.iter().enumerate() {
            for (other_at, other) in sorted.iter().enumerate() {
                assert_eq!(read(one).compare(&read(other)), at.cmp(&other_at), "{one} {other}");
            }
        }
        assert_eq!(read("1.50").compare(&read("15e-1")), Ordering::Equal);
        assert_eq!(read("-0.0").compare(&read("0")), Ordering::Equal);
    }

    #[test]
    fn what_is_no_number() {
        for text in ["", "-", "x", "1x", "1e", "1e+", "1e1x", "inf", "NaN"] {
            // An empty mantissa reads as zero; the grammar has refused it before.
            assert!(Decimal::read(text).is_none_or(|value| value.digits == 0), "{text}");
        }
        assert_eq!(Decimal::of(f64::NAN), None);
        assert_eq!(Decimal::of(f64::INFINITY), None);
    }
}
