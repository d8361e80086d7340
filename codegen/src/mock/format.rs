//! Texts of each format.

use crate::model::TextFormat;

/// The `turn`-th text of `format`; `None` where every text has it.
pub(super) fn text_of(format: TextFormat, turn: usize) -> Option<String> {
    let number = turn % 90 + 10;
    Some(match format {
        TextFormat::Plain | TextFormat::Binary | TextFormat::Password => return None,
        TextFormat::Uuid => format!("00000000-0000-4000-8000-0000000000{number}"),
        TextFormat::DateTime => format!("20{number}-01-01T00:00:00Z"),
        TextFormat::Date => format!("20{number}-01-01"),
        TextFormat::Email => format!("user{number}@example.com"),
        TextFormat::Hostname => format!("host{number}.example.com"),
        TextFormat::Ipv4 => format!("192.0.2.{number}"),
        TextFormat::Ipv6 => format!("2001:db8::{number}"),
        TextFormat::Uri => format!("https://example.com/{number}"),
        TextFormat::Byte => format!("AA{number}"),
    })
}

/// Whether `text` is of `format`, by a rule at most as wide as the runtime's.
pub(crate) fn has_format(format: TextFormat, text: &str) -> bool {
    match format {
        TextFormat::Plain | TextFormat::Binary | TextFormat::Password => true,
        TextFormat::Uuid => is_uuid(text),
        TextFormat::DateTime => is_date_time(text),
        TextFormat::Date => is_date(text),
        TextFormat::Email => is_email(text),
        TextFormat::Hostname => is_hostname(text),
        TextFormat::Ipv4 => text.parse::<std::net::Ipv4Addr>().is_ok(),
        TextFormat::Ipv6 => text.parse::<std::net::Ipv6Addr>().is_ok(),
        TextFormat::Uri => is_uri(text),
        TextFormat::Byte => {
            text.len().is_multiple_of(4) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        }
    }
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
    let Some((date, time)) = text.split_once('T') else { return false };
    let Some(time) = time.strip_suffix('Z').or_else(|| without_offset(time)) else { return false };
    let (clock, fraction) =
        time.split_once('.').map_or((time, None), |(clock, fraction)| (clock, Some(fraction)));
    let fraction_fits = fraction.is_none_or(|digits| (1..=9).any(|count| digit_count(digits, count)));
    is_date(date) && fraction_fits && is_clock(clock, &[24, 60, 60])
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
            (TextFormat::Email, "a..b@example.com"),
            (TextFormat::Hostname, "-a.example"),
            (TextFormat::Ipv4, "01.2.3.4"),
            (TextFormat::Ipv6, "1::2::3"),
            (TextFormat::Uri, "http://x y"),
            (TextFormat::Byte, "AAA"),
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
