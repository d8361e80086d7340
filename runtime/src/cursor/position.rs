//! What a cursor carries: the sort values of the last row that was shown.

use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

/// Where a list goes on: the values that it is sorted by, with a unique one last.
///
/// Use `#[derive(palisade::Position)]` on a struct of such values, or one of them alone.
pub trait Position: Sized {
    /// Appends the value.
    fn write(&self, out: &mut Vec<u8>);
    /// Takes the value off the front, or `None` when it is not there.
    fn read(from: &mut &[u8]) -> Option<Self>;
}

/// Reads a position that must be all there is.
pub(super) fn whole<P: Position>(mut from: &[u8]) -> Option<P> {
    let position = P::read(&mut from)?;
    from.is_empty().then_some(position)
}

fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (value, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(*value)
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Position for $number {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
            fn read(from: &mut &[u8]) -> Option<Self> {
                take(from).map(Self::from_be_bytes)
            }
        }
    )*};
}
numbers!(i32 i64 u32 u64);

impl Position for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn read(from: &mut &[u8]) -> Option<Self> {
        match take(from)? {
            [0] => Some(false),
            [1] => Some(true),
            [_] => None,
        }
    }
}

impl Position for String {
    fn write(&self, out: &mut Vec<u8>) {
        // A length that does not fit would make a cursor that is refused as too long anyway.
        u32::try_from(self.len()).unwrap_or(u32::MAX).write(out);
        out.extend_from_slice(self.as_bytes());
    }
    fn read(from: &mut &[u8]) -> Option<Self> {
        let length = usize::try_from(u32::read(from)?).ok()?;
        let (text, rest) = from.split_at_checked(length)?;
        *from = rest;
        Some(std::str::from_utf8(text).ok()?.to_owned())
    }
}

impl Position for Uuid {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
    fn read(from: &mut &[u8]) -> Option<Self> {
        take(from).map(Self::from_bytes)
    }
}

impl Position for Timestamp {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_second().write(out);
        self.subsec_nanosecond().write(out);
    }
    fn read(from: &mut &[u8]) -> Option<Self> {
        let second = i64::read(from)?;
        Self::new(second, i32::read(from)?).ok()
    }
}

impl Position for Date {
    fn write(&self, out: &mut Vec<u8>) {
        i32::from(self.year()).write(out);
        out.extend_from_slice(&self.month().to_be_bytes());
        out.extend_from_slice(&self.day().to_be_bytes());
    }
    fn read(from: &mut &[u8]) -> Option<Self> {
        let year = i16::try_from(i32::read(from)?).ok()?;
        let [month, day] = take(from)?.map(|byte: u8| i8::from_be_bytes([byte]));
        Self::new(year, month, day).ok()
    }
}

/// For a column that may be null; where nulls sort is the query's to say.
impl<P: Position> Position for Option<P> {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }
    fn read(from: &mut &[u8]) -> Option<Self> {
        if bool::read(from)? { P::read(from).map(Some) } else { Some(None) }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    fn survives<P: Position + PartialEq + Debug>(value: P) {
        let mut bytes = Vec::new();
        value.write(&mut bytes);
        assert_eq!(whole::<P>(&bytes).as_ref(), Some(&value));
        bytes.push(0);
        assert!(whole::<P>(&bytes).is_none(), "left-over bytes are not a {value:?}");
        bytes.pop();
        bytes.pop();
        assert!(whole::<P>(&bytes).is_none(), "a byte less is not a {value:?}");
    }

    #[test]
    fn every_type_comes_back_as_it_was() {
        survives(i64::MIN);
        survives(i32::MIN);
        survives(u32::MAX);
        survives(u64::MAX);
        survives(true);
        survives("späť \0".to_owned());
        survives(String::new());
        survives(Uuid::from_u128(7));
        survives(Timestamp::MIN);
        survives(Timestamp::MAX);
        survives("1969-12-31T23:59:59.999999999Z".parse::<Timestamp>().unwrap());
        survives(Date::MIN);
        survives("2026-02-28".parse::<Date>().unwrap());
        survives(Some(5_i64));
        survives(None::<String>);
    }

    #[test]
    fn refuses_what_no_value_writes() {
        assert_eq!(whole::<bool>(&[2]), None);
        assert_eq!(whole::<String>(&[0, 0, 0, 9, b'a']), None);
        assert_eq!(whole::<String>(&[0, 0, 0, 1, 0xff]), None);
        assert_eq!(whole::<String>(&[255, 255, 255, 255]), None);
        assert_eq!(whole::<Timestamp>(&[0x7f; 12]), None);
        assert_eq!(whole::<Date>(&[0, 0, 7, 234, 2, 30]), None);
        assert_eq!(whole::<Option<i32>>(&[1, 0]), None);
    }
}
