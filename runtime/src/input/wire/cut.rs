//! One text into the pieces of its style. Cut before it is decoded, so that an escaped separator is data
//! (RFC 3986 section 2.4); only `%20`, in forms `+`, and `%7C` are separators themselves, where the style says so.

use std::borrow::Cow;

use super::{Kind, Style, Wire};
use crate::input::encoded::Decoding;
use crate::input::{Entry, Expected, Tree};

const UNDRESSED: Expected = Expected::kind("must be written in the style that the document declares");
const ENCODING: Expected =
    Expected { rule: "encoding", message: Cow::Borrowed("must be percent-encoded UTF-8 without NUL") };
const CONTROL: Expected =
    Expected { rule: "control", message: Cow::Borrowed("must not contain control characters") };

/// A text that is written by a style.
pub(in crate::input) struct Cut<'w> {
    pub(in crate::input) wire: &'w Wire,
    pub(in crate::input) decoding: Decoding,
}

impl Cut<'_> {
    /// The text, without what its style puts before it.
    pub(in crate::input) fn bare<'a>(&self, raw: &'a str) -> Result<&'a str, Expected> {
        match self.wire.style {
            Style::Label => raw.strip_prefix('.').ok_or(UNDRESSED),
            Style::Matrix => self.own(raw.strip_prefix(';').ok_or(UNDRESSED)?),
            _ => Ok(raw),
        }
    }

    /// The value of `name=value` of this name. RFC 6570 section 3.2.7: an empty value has no `=`.
    fn own<'a>(&self, piece: &'a str) -> Result<&'a str, Expected> {
        match piece.strip_prefix(self.wire.name).ok_or(UNDRESSED)? {
            "" => Ok(""),
            rest => rest.strip_prefix('=').ok_or(UNDRESSED),
        }
    }

    /// The items of a list.
    pub(in crate::input) fn list<'a>(&self, raw: &'a str) -> Result<Vec<&'a str>, Expected> {
        if self.wire.style == Style::Matrix && self.wire.explode {
            let pieces = raw.strip_prefix(';').ok_or(UNDRESSED)?.split(';');
            return pieces.map(|piece| self.own(piece)).collect();
        }
        Ok(self.pieces(self.bare(raw)?))
    }

    fn pieces<'a>(&self, bare: &'a str) -> Vec<&'a str> {
        if bare.is_empty() {
            return Vec::new();
        }
        match self.wire.style {
            Style::Label if self.wire.explode => bare.split('.').collect(),
            Style::SpaceDelimited => bare.split("%20").flat_map(|piece| self.split_plus(piece)).collect(),
            Style::PipeDelimited => bare.split('|').flat_map(split_escaped_bar).collect(),
            _ => bare.split(',').collect(),
        }
    }

    /// Where `+` says a space, as in a form, it is a separator, too.
    fn split_plus<'a>(&self, piece: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
        let is_space = self.decoding == Decoding::Form;
        piece.split(move |char| is_space && char == '+')
    }

    /// The names and values of an object that stands in one text.
    fn members<'a>(&self, raw: &'a str) -> Result<Vec<(&'a str, &'a str)>, Expected> {
        let pieces = match self.wire.style {
            Style::Matrix if self.wire.explode => {
                raw.strip_prefix(';').ok_or(UNDRESSED)?.split(';').collect()
            }
            _ => self.pieces(self.bare(raw)?),
        };
        self.paired(&pieces)
    }

    /// `a=1` each when exploded; `a`, `1` in turn when not.
    fn paired<'a>(&self, pieces: &[&'a str]) -> Result<Vec<(&'a str, &'a str)>, Expected> {
        if self.wire.explode {
            let bare_names = self.wire.style == Style::Matrix;
            let pair = |piece: &&'a str| match piece.split_once('=') {
                Some(pair) => Ok(pair),
                None if bare_names => Ok((*piece, "")),
                None => Err(UNDRESSED),
            };
            return pieces.iter().map(pair).collect();
        }
        let pairs = pieces.chunks(2).map(|pair| match pair {
            [name, value] => Ok((*name, *value)),
            _ => Err(UNDRESSED),
        });
        pairs.collect()
    }

    /// The value that one text is.
    pub(in crate::input) fn tree<'a>(&self, raw: &'a str) -> Result<Tree<'a>, Expected> {
        match self.wire.kind {
            Kind::List => self.items(self.list(raw)?),
            Kind::Object(..) => self.entries(self.members(raw)?),
            Kind::Scalar
            | Kind::Either
            | Kind::Json
            | Kind::JsonList
            | Kind::File
            | Kind::Files
            | Kind::Parts(_)
            | Kind::Form(_)
            | Kind::FreeForm(_) => leaf(self.bare(raw)?, self.decoding),
        }
    }

    /// The value that the lines of a header field are, which are one list (RFC 9110 section 5.3). Its empty elements do not
    /// count (section 5.6.1.2), but where names and values take turns: there one is an empty value.
    pub(in crate::input) fn field<'a>(&self, lines: &[&'a str]) -> Result<Tree<'a>, Expected> {
        let takes_turns = matches!(self.wire.kind, Kind::Object(..)) && !self.wire.explode;
        let pieces = lines.iter().flat_map(|line| elements(line));
        let pieces: Vec<&str> = pieces.filter(|piece| takes_turns || !piece.is_empty()).collect();
        match self.wire.kind {
            Kind::Object(..) => self.entries(self.paired(&pieces)?),
            _ => self.items(pieces),
        }
    }

    fn items<'a>(&self, pieces: Vec<&'a str>) -> Result<Tree<'a>, Expected> {
        let items = pieces.into_iter().map(|piece| leaf(piece, self.decoding));
        Ok(Tree::List(items.collect::<Result<_, _>>()?))
    }

    fn entries<'a>(&self, pairs: Vec<(&'a str, &'a str)>) -> Result<Tree<'a>, Expected> {
        let mut entries: Vec<Entry<'a>> = Vec::with_capacity(pairs.len());
        for (name, value) in pairs {
            let name = self.decoding.text(name).map_err(|_| ENCODING)?;
            let repeated = entries.iter().any(|entry| entry.name == name);
            entries.push(Entry { name, value: leaf(value, self.decoding)?, repeated });
        }
        Ok(Tree::Object(entries))
    }
}

/// What stands between the commas of a header field.
pub(in crate::input) fn elements(line: &str) -> impl Iterator<Item = &str> {
    line.split(',').map(|element| element.trim_matches([' ', '\t']))
}

/// A text without a type. A parameter is one line, a member of a form may be several.
pub(in crate::input) fn leaf(raw: &str, decoding: Decoding) -> Result<Tree<'_>, Expected> {
    let text = decoding.text(raw).map_err(|_| ENCODING)?;
    match text.chars().all(|char| decoding.may_have(char)) {
        true => Ok(Tree::Plain(text)),
        false => Err(CONTROL),
    }
}

/// `%7C` is how a client must send `|` (RFC 3986 section 2.1).
fn split_escaped_bar(text: &str) -> impl Iterator<Item = &str> {
    text.split("%7C").flat_map(|piece| piece.split("%7c"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &["R", "G", "B"];

    fn read(style: Style, explode: bool, kind: Kind, raw: &str) -> Result<String, &'static str> {
        let wire = Wire::text("color").style(style).explode(explode).kind(kind);
        Cut { wire: &wire, decoding: Decoding::Percent }
            .tree(raw)
            .map(|tree| show(&tree))
            .map_err(|expected| expected.rule)
    }

    fn show(tree: &Tree<'_>) -> String {
        match tree {
            Tree::Plain(text) => text.to_string(),
            Tree::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" ")),
            Tree::Object(entries) => {
                let members = entries.iter().map(|entry| format!("{}:{}", entry.name, show(&entry.value)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(" "))
            }
            other => format!("{other:?}"),
        }
    }

    /// The table of OpenAPI 3.1 section 4.8.12.5, as far as it is one text.
    #[test]
    fn style_examples_of_the_standard() {
        const SCALAR: Kind = Kind::Scalar;
        const LIST: Kind = Kind::List;
        const OBJECT: Kind = Kind::Object(NAMES, false);
        let list = "[blue black brown]";
        let object = "{R:100 G:200 B:150}";
        for (style, explode, kind, raw, value) in [
            (Style::Matrix, false, SCALAR, ";color", ""),
            (Style::Matrix, false, SCALAR, ";color=blue", "blue"),
            (Style::Matrix, false, LIST, ";color=blue,black,brown", list),
            (Style::Matrix, false, OBJECT, ";color=R,100,G,200,B,150", object),
            (Style::Matrix, true, LIST, ";color=blue;color=black;color=brown", list),
            (Style::Matrix, true, OBJECT, ";R=100;G=200;B=150", object),
            (Style::Label, false, SCALAR, ".", ""),
            (Style::Label, false, SCALAR, ".blue", "blue"),
            (Style::Label, false, LIST, ".blue,black,brown", list),
            (Style::Label, false, OBJECT, ".R,100,G,200,B,150", object),
            (Style::Label, true, LIST, ".blue.black.brown", list),
            (Style::Label, true, OBJECT, ".R=100.G=200.B=150", object),
            (Style::Form, false, LIST, "blue,black,brown", list),
            (Style::Form, false, OBJECT, "R,100,G,200,B,150", object),
            (Style::Simple, false, SCALAR, "blue", "blue"),
            (Style::Simple, false, LIST, "blue,black,brown", list),
            (Style::Simple, false, OBJECT, "R,100,G,200,B,150", object),
            (Style::Simple, true, OBJECT, "R=100,G=200,B=150", object),
            (Style::SpaceDelimited, false, LIST, "blue%20black%20brown", list),
            (Style::SpaceDelimited, false, OBJECT, "R%20100%20G%20200%20B%20150", object),
            (Style::PipeDelimited, false, LIST, "blue%7Cblack%7cbrown", list),
            (Style::PipeDelimited, false, LIST, "blue|black|brown", list),
            (Style::PipeDelimited, false, OBJECT, "R%7C100%7CG%7C200%7CB%7C150", object),
        ] {
            assert_eq!(read(style, explode, kind, raw).as_deref(), Ok(value), "{style:?} {explode} {raw}");
        }
    }

    #[test]
    fn what_is_escaped_is_data() {
        assert_eq!(read(Style::Simple, false, Kind::List, "a%2Cb,c").as_deref(), Ok("[a,b c]"));
        assert_eq!(read(Style::Label, true, Kind::List, ".a%2Eb.c").as_deref(), Ok("[a.b c]"));
        assert_eq!(
            read(Style::Simple, true, Kind::Object(NAMES, false), "R=1%2C%3D2").as_deref(),
            Ok("{R:1,=2}")
        );
        assert_eq!(
            read(Style::Matrix, true, Kind::Object(NAMES, false), ";R;G=").as_deref(),
            Ok("{R: G:}"),
            "RFC 6570 section 3.2.7"
        );
    }

    #[test]
    fn a_plus_is_a_space_in_a_form_and_nowhere_else() {
        let wire = Wire::text("color").style(Style::SpaceDelimited).kind(Kind::List);
        let read = |decoding, raw| Cut { wire: &wire, decoding }.tree(raw).map(|tree| show(&tree)).unwrap();
        assert_eq!(read(Decoding::Form, "blue+black%20brown"), "[blue black brown]");
        assert_eq!(read(Decoding::Form, "blue%2Bblack"), "[blue+black]");
        assert_eq!(read(Decoding::Percent, "blue+black%20brown"), "[blue+black brown]");
    }

    #[test]
    fn the_lines_of_a_field_are_one_list() {
        let read = |explode, kind, lines: &[&'static str]| {
            let wire = Wire::text("color").style(Style::Simple).explode(explode).kind(kind);
            let cut = Cut { wire: &wire, decoding: Decoding::Plain };
            cut.field(lines).map(|tree| show(&tree)).map_err(|expected| expected.rule)
        };
        const OBJECT: Kind = Kind::Object(NAMES, false);
        assert_eq!(read(false, Kind::List, &["blue, ,black,", "brown"]).as_deref(), Ok("[blue black brown]"));
        assert_eq!(read(false, OBJECT, &["R, 100", "G,200"]).as_deref(), Ok("{R:100 G:200}"));
        assert_eq!(read(false, OBJECT, &["R,,G,"]).as_deref(), Ok("{R: G:}"), "an empty value moves no name");
        assert_eq!(read(false, OBJECT, &["R,100,"]), Err("type"));
        assert_eq!(read(true, OBJECT, &["R=100,,G="]).as_deref(), Ok("{R:100 G:}"));
    }

    #[test]
    fn another_style_is_refused() {
        for (style, explode, kind, raw) in [
            (Style::Label, false, Kind::Scalar, "blue"),
            (Style::Matrix, false, Kind::Scalar, "blue"),
            (Style::Matrix, false, Kind::Scalar, ";colour=blue"),
            (Style::Matrix, false, Kind::Scalar, ";colorx=blue"),
            (Style::Matrix, true, Kind::List, ";color=blue;other=black"),
            (Style::Simple, true, Kind::Object(NAMES, false), "R,100"),
            (Style::Simple, false, Kind::Object(NAMES, false), "R,100,G"),
            (Style::Simple, false, Kind::Object(NAMES, false), "R=100"),
        ] {
            assert_eq!(read(style, explode, kind, raw), Err("type"), "{style:?} {raw}");
        }
        assert_eq!(read(Style::Simple, false, Kind::Scalar, "%ff"), Err("encoding"));
        assert_eq!(read(Style::Simple, false, Kind::List, "a,%0A"), Err("control"));
    }
}
