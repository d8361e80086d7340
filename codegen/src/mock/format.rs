//! Texts of each format.

use crate::model::{Grammar, TextFormat};

/// The `turn`-th text of `format`; `None` where every text has it.
pub(super) fn text_of(format: TextFormat, turn: usize) -> Option<String> {
    let number = turn % 90 + 10;
    Some(match format {
        TextFormat::Plain | TextFormat::Binary | TextFormat::Password => return None,
        TextFormat::Uuid => format!("00000000-0000-4000-8000-0000000000{number}"),
        TextFormat::DateTime => format!("20{number}-01-01T00:00:00Z"),
        TextFormat::Date => format!("20{number}-01-01"),
        TextFormat::Ipv4 => format!("192.0.2.{number}"),
        TextFormat::Ipv6 => format!("2001:db8::{number}"),
        TextFormat::Checked(grammar) => text_that_is(grammar, number),
    })
}

fn text_that_is(grammar: Grammar, number: usize) -> String {
    match grammar {
        Grammar::Email | Grammar::IdnEmail => format!("user{number}@example.com"),
        Grammar::Hostname | Grammar::IdnHostname => format!("host{number}.example.com"),
        Grammar::Uri
        | Grammar::UriReference
        | Grammar::Iri
        | Grammar::IriReference
        | Grammar::UriTemplate => {
            format!("https://example.com/{number}")
        }
        Grammar::Byte | Grammar::Base64Url => format!("AA{number}"),
        Grammar::Time => format!("12:00:{:02}Z", number % 60),
        Grammar::Decimal => format!("{number}.5"),
        Grammar::Duration => format!("PT{number}S"),
        Grammar::JsonPointer => format!("/{number}"),
        Grammar::RelativeJsonPointer => format!("0/{number}"),
        Grammar::Regex => format!("a{number}"),
    }
}

/// Whether `text` is of `format`, by a rule at most as wide as the runtime's.
pub(crate) fn has_format(format: TextFormat, text: &str) -> bool {
    match format {
        TextFormat::Plain | TextFormat::Binary | TextFormat::Password => true,
        TextFormat::Uuid => is_uuid(text),
        TextFormat::DateTime => is_date_time(text),
        TextFormat::Date => is_date(text),
        TextFormat::Ipv4 => text.parse::<std::net::Ipv4Addr>().is_ok(),
        TextFormat::Ipv6 => text.parse::<std::net::Ipv6Addr>().is_ok(),
        TextFormat::Checked(grammar) => follows(grammar, text),
    }
}

fn follows(grammar: Grammar, text: &str) -> bool {
    match grammar {
        Grammar::Email | Grammar::IdnEmail => is_email(text),
        Grammar::Hostname | Grammar::IdnHostname => is_hostname(text),
        Grammar::Uri
        | Grammar::UriReference
        | Grammar::Iri
        | Grammar::IriReference
        | Grammar::UriTemplate => is_uri(text),
        Grammar::Byte | Grammar::Base64Url => text.len().is_multiple_of(4) && is_plain(text),
        Grammar::Time => is_full_time(text),
        Grammar::Decimal => is_decimal(text),
        Grammar::Duration => is_duration(text),
        Grammar::JsonPointer => is_pointer(text),
        Grammar::RelativeJsonPointer => text.strip_prefix('0').is_some_and(is_pointer),
        Grammar::Regex => is_plain(text),
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Digits with a point among them, or none.
fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    digits(fraction) && digits(whole) && (whole == "0" || !whole.starts_with('0'))
}

/// RFC 3339 appendix A: one unit.
fn is_duration(text: &str) -> bool {
    let amount = |rest: &str, units: &[char]| {
        rest.strip_suffix(units).is_some_and(|digits| digit_count(digits, digits.len().max(1)))
    };
    let Some(rest) = text.strip_prefix('P') else { return false };
    rest.strip_prefix('T')
        .map_or_else(|| amount(rest, &['Y', 'M', 'W', 'D']), |rest| amount(rest, &['H', 'M', 'S']))
}

/// RFC 6901 section 3, without escapes.
fn is_pointer(text: &str) -> bool {
    text.is_empty() || text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_plain))
}

/// RFC 9562 section 4, in lower case as it is written.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(position, one)| match position {
            8 | 13 | 18 | 23 => one == '-',
            _ => matches!(one, '0'..='9' | 'a'..='f'),
        })
}

/// RFC 3339 section 5.6: `full-date`.
fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let (Some(year), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let number =
        |part: &str, digits: usize| digit_count(part, digits).then(|| part.parse::<u16>().ok()).flatten();
    match (number(year, 4), number(month, 2), number(day, 2)) {
        (Some(year), Some(month), Some(day)) => (1..=days_in(year, month)).contains(&day),
        _ => false,
    }
}

const fn days_in(year: u16, month: u16) -> u16 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

/// RFC 3339 section 5.6: `date-time`, without leap seconds.
fn is_date_time(text: &str) -> bool {
    text.split_once('T').is_some_and(|(date, time)| is_date(date) && is_full_time(time))
}

fn is_full_time(time: &str) -> bool {
    let Some(time) = time.strip_suffix('Z').or_else(|| without_offset(time)) else { return false };
    let (clock, fraction) =
        time.split_once('.').map_or((time, None), |(clock, fraction)| (clock, Some(fraction)));
    let fraction_fits = fraction.is_none_or(|digits| (1..=9).any(|count| digit_count(digits, count)));
    fraction_fits && is_clock(clock, &[24, 60, 60])
}

fn without_offset(time: &str) -> Option<&str> {
    let (before, offset) = time.split_at_checked(time.len().checked_sub(6)?)?;
    let offset = offset.strip_prefix(['+', '-'])?;
    is_clock(offset, &[24, 60]).then_some(before)
}

fn is_clock(text: &str, limits: &[u16]) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    parts.len() == limits.len()
        && parts.iter().zip(limits).all(|(part, limit)| {
            digit_count(part, 2) && part.parse::<u16>().is_ok_and(|value| value < *limit)
        })
}

fn digit_count(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// RFC 5321 section 4.1.2, `Dot-string` before the sign and a host name behind it.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom = |atom: &str| {
        !atom.is_empty()
            && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'-'))
    };
    local.len() <= 64 && local.split('.').all(atom) && domain.contains('.') && is_hostname(domain)
}

/// RFC 1123 section 2.1.
fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
            && !label.contains("--")
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// RFC 3986: a scheme of the web and characters that need no escape.
fn is_uri(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/?=&#".contains(&byte);
        is_hostname(host) && rest.bytes().all(plain) && rest.matches('#').count() <= 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_has_the_format_and_other_texts_have_not() {
        for (format, wrong) in [
            (TextFormat::Uuid, "00000000-0000-4000-8000-00000000000g"),
            (TextFormat::DateTime, "2024-01-01 00:00:00Z"),
            (TextFormat::Date, "2023-02-29"),
            (TextFormat::Checked(Grammar::Email), "a..b@example.com"),
            (TextFormat::Checked(Grammar::Hostname), "-a.example"),
            (TextFormat::Ipv4, "01.2.3.4"),
            (TextFormat::Ipv6, "1::2::3"),
            (TextFormat::Checked(Grammar::Uri), "http://x y"),
            (TextFormat::Checked(Grammar::Byte), "AAA"),
            (TextFormat::Checked(Grammar::Base64Url), "+AAA"),
            (TextFormat::Checked(Grammar::IdnEmail), "a"),
            (TextFormat::Checked(Grammar::IdnHostname), "-a"),
            (TextFormat::Checked(Grammar::Iri), "/a"),
            (TextFormat::Checked(Grammar::IriReference), "a b"),
            (TextFormat::Checked(Grammar::UriReference), "a b"),
            (TextFormat::Checked(Grammar::UriTemplate), "{"),
            (TextFormat::Checked(Grammar::Time), "12:00:60Z"),
            (TextFormat::Checked(Grammar::Decimal), "1e5"),
            (TextFormat::Checked(Grammar::Duration), "PTS"),
            (TextFormat::Checked(Grammar::JsonPointer), "a"),
            (TextFormat::Checked(Grammar::RelativeJsonPointer), "/1"),
            (TextFormat::Checked(Grammar::Regex), "("),
        ] {
            for turn in [0, 1, 89] {
                let text = text_of(format, turn).unwrap();
                assert!(has_format(format, &text), "{text}");
            }
            assert!(!has_format(format, wrong), "{wrong}");
        }
        assert!(has_format(TextFormat::DateTime, "2024-02-29T23:59:59.5+01:00"));
        assert!(!has_format(TextFormat::DateTime, "2024-02-29T24:00:00Z"));
    }
}
