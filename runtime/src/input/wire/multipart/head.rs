//! The head of a part (RFC 7578 section 4): what it belongs to, and what it says that it is.

use crate::input::media_type::{MediaType, is_token};

/// What the header fields of a part say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) name: String,
    pub(super) file_name: Option<String>,
    pub(super) content_type: Option<String>,
    /// Every field, as it came.
    pub(super) fields: Vec<(String, String)>,
}

impl Head {
    /// The lines of a field.
    pub(super) fn lines(&self, name: &str) -> Vec<String> {
        let own = self.fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.clone()).collect()
    }

    /// Rule 3, where parts have names. `None`: not the grammar. Other fields are ignored (RFC 7578 section 4.8), unless the document declares them.
    pub(super) fn read(head: &str, named: bool) -> Option<Self> {
        let (mut disposition, mut content_type) = (None, None);
        let mut fields = Vec::new();
        for line in head.split("\r\n").filter(|_| !head.is_empty()) {
            // A line end of one character is a line end to some: they would see another field in this value.
            if line.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
                return None;
            }
            let (name, value) = line.split_once(':')?;
            let value = value.trim_matches([' ', '\t']);
            fields.push((name.to_owned(), value.to_owned()));
            let slot = match name.to_ascii_lowercase().as_str() {
                "content-disposition" => &mut disposition,
                "content-type" => &mut content_type,
                "content-transfer-encoding" => match value.to_ascii_lowercase().as_str() {
                    "7bit" | "8bit" | "binary" => continue,
                    _ => return None,
                },
                _ if is_token(name) => continue,
                _ => return None,
            };
            if slot.replace(value).is_some() {
                return None;
            }
        }
        let (name, file_name) = match disposition {
            Some(disposition) => self::disposition(disposition, named)?,
            None if named => return None,
            None => (String::new(), None),
        };
        if content_type.is_some_and(|sent| MediaType::read(sent).is_none()) {
            return None;
        }
        Some(Self { name, file_name, content_type: content_type.map(str::to_owned), fields })
    }
}

/// `form-data; name="a"; filename="b"` (RFC 7578 section 4.2); of a part without a name any other disposition as well
/// (RFC 2183 section 2).
fn disposition(value: &str, named: bool) -> Option<(String, Option<String>)> {
    let (kind, rest) = value.split_once(';').map_or((value, None), |(kind, rest)| (kind, Some(rest)));
    let kind = kind.trim_matches([' ', '\t']);
    if !(if named { kind.eq_ignore_ascii_case("form-data") } else { is_token(kind) }) {
        return None;
    }
    let (mut name, mut file_name) = (None, None);
    let mut left = rest;
    while let Some(rest) = left {
        let (key, after) = rest.trim_start_matches([' ', '\t']).split_once('=')?;
        let (text, after) = parameter_value(after).filter(|_| is_token(key))?;
        let slot = match key.to_ascii_lowercase().as_str() {
            "name" => Some(&mut name),
            "filename" => Some(&mut file_name),
            _ => None,
        };
        let text = text.replace("%22", "\"");
        if text.chars().any(char::is_control) || slot.is_some_and(|slot| slot.replace(text).is_some()) {
            return None;
        }
        left = match after.trim_start_matches([' ', '\t']) {
            "" => None,
            more => Some(more.strip_prefix(';')?),
        };
    }
    Some(if named { (name?, file_name) } else { (String::new(), file_name) })
}

/// A token or a quoted string (RFC 9110 section 5.6.4), and what is behind it. Browsers write `%22` for `"` (the HTML
/// standard, section 4.10.22.7) and no backslashes; a backslash escapes only `"` and itself, so that the names of Windows
/// files come through.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ' ', '\t']).unwrap_or(text.len());
        let (token, rest) = text.split_at_checked(end)?;
        return (!token.is_empty() && !token.contains('"')).then(|| (token.to_owned(), rest));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, quoted.get(at + 1..)?)),
            '\\' => match chars.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, next)) => value.push(next),
                None => value.push('\\'),
            },
            _ => value.push(char),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_readers_could_see_differently_is_refused() {
        let read = |more: &str| Head::read(&format!("Content-Disposition: form-data; name=a{more}"), true);
        assert!(read("; filename*=UTF-8''b.png; filename=\"b.png\"").is_some());
        for more in [
            "\nX: b",
            "\rX: b",
            "\r\nX: a\nContent-Disposition: form-data; name=b",
            "\r\nX\u{b}: a",
            "\r\n: a",
            "\r\nX: \0",
            "; filename; name=b",
            "; b c=d",
            "; =d",
            "\r\nContent-Type: text",
            "\r\nContent-Type: text/plain; a=\"\u{e9}\"",
        ] {
            assert_eq!(read(more), None, "{more:?}");
        }
        let nameless = |head: &str| Head::read(head, false).map(|head| head.file_name);
        assert_eq!(nameless("Content-Disposition: attachment; filename=a"), Some(Some("a".to_owned())));
        assert_eq!(nameless("Content-Disposition: inline"), Some(None));
        assert_eq!(nameless("Content-Type: text/plain"), Some(None));
        assert_eq!(nameless(""), Some(None), "it may have none (RFC 2046 section 5.1)");
        for bad in
            ["Content-Disposition: ", "Content-Disposition: inline;", "Content-Disposition: inline; filename"]
        {
            assert_eq!(nameless(bad), None, "{bad:?}");
        }
    }
}
