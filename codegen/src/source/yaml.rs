//! YAML 1.2 in the core schema, as the same tree as JSON: events of `saphyr-parser`, places kept.
//!
//! `yes` is a string, `0o17` is fifteen, and a key is always a string (so that `200:` names a status).

use std::borrow::Cow;

use foldhash::HashMap;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use super::mend::Mended;
use super::places::Places;
use super::scalar;
use super::span::{FileId, Place, Span};
use super::tree::{Member, Node, Object, Value};
use super::{Budget, MAX_DEPTH, Unreadable};

/// Reads one YAML document. Stops at the first fault of syntax; repeated keys are collected.
pub(crate) fn read(file: FileId, text: &str) -> Result<Node, Vec<Unreadable>> {
    if let Some(fault) = control(file, text) {
        return Err(vec![fault]);
    }
    // A panic of the parser crate must not be one of the generator: it is a file that could not be read.
    std::panic::catch_unwind(|| read_events(file, text)).unwrap_or_else(|_| {
        let help = "please report the file that does this".into();
        let message = "the YAML reader could not make sense of this file".into();
        Err(vec![Unreadable { place: Place::start_of(file), message, help, first: None }])
    })
}

/// The first character that no YAML has as it stands (YAML 1.2.2 section 5.1), not even in quotes: the parser lets some through.
fn control(file: FileId, text: &str) -> Option<Unreadable> {
    let (at, char) =
        text.char_indices().find(|(_, char)| *char < ' ' && !matches!(char, '\t' | '\n' | '\r'))?;
    let code = u32::from(char);
    Some(Unreadable {
        place: Place { file, span: Span::new(at, at + 1) },
        message: format!("the control character U+{code:04X}, which no YAML has"),
        help: format!("leave it out, or write `\\x{code:02x}` in double quotes"),
        first: None,
    })
}

fn read_events(file: FileId, text: &str) -> Result<Node, Vec<Unreadable>> {
    let mut mended = Mended::new(text);
    loop {
        let mut builder = Builder {
            places: Places::new(file, text, &mended),
            open: Vec::new(),
            anchors: HashMap::default(),
            budget: Budget::default(),
            root: None,
            faults: Vec::new(),
            bracket: None,
            scan_fault: None,
        };
        if let Err(fault) = builder.run(mended.text()) {
            builder.faults.push(fault);
        }
        let Builder { root, faults, scan_fault, .. } = builder;
        if let Some(fault) = scan_fault
            && mended.mend(fault)
        {
            continue;
        }
        return match root {
            Some(root) if faults.is_empty() => Ok(root),
            None if faults.is_empty() => Err(vec![Unreadable {
                place: Place::start_of(file),
                message: "the file is empty".into(),
                help: "an OpenAPI document starts with `openapi: 3.1.0`".into(),
                first: None,
            }]),
            _ => Err(faults),
        };
    }
}

/// What the scanner says of a tab before a value that begins with a letter.
const TAB: &str = "':' must be followed by a valid YAML whitespace";
/// The same of `-`.
const AFTER_TAB: &str = "must be followed by a valid YAML whitespace";

/// Faults that can be mended; each says where, in bytes of the mended text.
#[derive(Clone, Copy, Debug)]
pub(super) enum ScanFault {
    /// A line between brackets stands too far left.
    ShallowFlow { from: usize, at: usize },
    /// A line of the quoted text that starts here does.
    ShallowQuote { at: usize },
    /// Tabs stand between a colon and the value that starts here.
    Tab { at: usize },
}

impl ScanFault {
    /// `brackets` is where the outermost bracket that is open stands, in characters.
    fn of(error: &ScanError, text: &str, brackets: Option<usize>) -> Option<Self> {
        let byte = |chars: usize| text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
        let at = byte(error.marker().index());
        match error.info() {
            "invalid indentation" => Some(Self::ShallowFlow { from: byte(brackets?), at }),
            "invalid indentation in quoted scalar" => Some(Self::ShallowQuote { at }),
            TAB => Some(Self::Tab { at }),
            _ => None,
        }
    }
}

struct Builder<'t> {
    places: Places<'t>,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    budget: Budget,
    root: Option<Node>,
    faults: Vec<Unreadable>,
    /// Where the bracket of the event stands, if it is one.
    bracket: Option<usize>,
    /// What stopped the scanner, when it can be mended.
    scan_fault: Option<ScanFault>,
}

/// A collection whose end has not come yet.
struct Open {
    start: usize,
    /// Where its bracket stands in the text that is scanned, in characters, if it has one.
    bracket: Option<usize>,
    anchor: usize,
    /// What the budget had left when it opened: the difference is its size.
    left: usize,
    end: usize,
    parts: Parts,
}

enum Parts {
    Array(Vec<Node>),
    Object { members: Vec<Member>, key: Option<(Box<str>, Place)> },
}

type Read<T> = Result<T, Unreadable>;

impl<'t> Builder<'t> {
    fn run(&mut self, text: &str) -> Read<()> {
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| {
                let brackets = self.open.iter().find_map(|open| open.bracket);
                self.scan_fault = ScanFault::of(&error, text, brackets);
                self.scan_error(&error)
            })?;
            let (start, end) = (self.places.byte(span.start), self.places.byte(span.end));
            // a block collection begins where its first entry does, and takes no room itself
            self.bracket = (span.start.index() < span.end.index()).then_some(span.start.index());
            match event {
                Event::DocumentStart(_) if self.root.is_some() => {
                    return Err(self.fault(
                        start,
                        end,
                        "a second document in one file",
                        "keep one document a file",
                    ));
                }
                Event::Scalar(text, style, anchor, tag) => {
                    self.scalar(&text, style, anchor, tag.as_deref(), (start, end))?;
                }
                Event::Alias(anchor) => self.alias(anchor, start, end)?,
                Event::SequenceStart(anchor, tag) => {
                    self.check_tag(tag, "seq", start, end)?;
                    self.begin(Parts::Array(Vec::new()), anchor, start, end)?;
                }
                Event::MappingStart(anchor, tag) => {
                    self.check_tag(tag, "map", start, end)?;
                    self.begin(Parts::Object { members: Vec::new(), key: None }, anchor, start, end)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.finish(end)?,
                Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd => {}
            }
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        (start, end): (usize, usize),
    ) -> Read<()> {
        if self.key_wanted() {
            if style == ScalarStyle::Plain && text == "<<" {
                let help = "merge keys are not part of YAML 1.2: write the members out, or use `$ref`";
                return Err(self.fault(start, end, "a merge key", help));
            }
            let place = self.places.place(start, end);
            self.set_key(text.into(), place);
            return Ok(());
        }
        let value = match (tag, style) {
            (None, ScalarStyle::Plain) => self.plain(text, start, end)?,
            (None, _) => Value::String(text.into()),
            (Some(tag), _) if tag.is_yaml_core_schema() && tag.suffix == "str" => Value::String(text.into()),
            (Some(tag), _)
                if tag.is_yaml_core_schema() && matches!(&*tag.suffix, "int" | "float" | "bool" | "null") =>
            {
                match self.plain(text, start, end)? {
                    Value::String(_) => {
                        return Err(self.fault(
                            start,
                            end,
                            "this value does not fit its tag",
                            "remove the tag, or write a value of its type",
                        ));
                    }
                    value => value,
                }
            }
            (Some(_), _) => return Err(self.unknown_tag(start, end)),
        };
        self.complete(value, anchor, start, end, 1)
    }

    fn plain(&self, text: &str, start: usize, end: usize) -> Read<Value> {
        scalar::plain(text).ok_or_else(|| {
            let help = "quote it if it is meant as text";
            self.fault(start, end, "a number that JSON cannot say", help)
        })
    }

    fn alias(&mut self, anchor: usize, start: usize, end: usize) -> Read<()> {
        if self.key_wanted() {
            return Err(self.fault(start, end, "an alias as a key", "write the key out"));
        }
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(self.fault(
                start,
                end,
                "an alias inside its own anchor",
                "a value cannot hold itself: use `$ref` for recursion",
            ));
        };
        if !self.budget.copy(*size) {
            return Err(self.fault(
                start,
                end,
                "too many nodes, counted through aliases",
                "aliases of aliases grow without bound: use `$ref`",
            ));
        }
        if self.open.len() + depth(node) > MAX_DEPTH {
            return Err(self.fault(
                start,
                end,
                "nested too deeply through this alias",
                "no more than 128 levels are read",
            ));
        }
        let node = node.clone();
        self.attach(node, end);
        Ok(())
    }

    fn begin(&mut self, parts: Parts, anchor: usize, start: usize, end: usize) -> Read<()> {
        if self.key_wanted() {
            return Err(self.fault(start, end, "a collection as a key", "keys are strings"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(self.fault(start, end, "nested too deeply", "no more than 128 levels are read"));
        }
        let left = self.budget.left();
        self.spend(start, end)?;
        self.open.push(Open { start, bracket: self.bracket, anchor, left, end, parts });
        Ok(())
    }

    fn finish(&mut self, end: usize) -> Read<()> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let value = match open.parts {
            Parts::Array(items) => Value::Array(items),
            Parts::Object { members, .. } => {
                let (object, repeated) = Object::new(members);
                for (member, first) in repeated {
                    self.faults.push(Unreadable::repeated(&member, first));
                }
                Value::Object(object)
            }
        };
        // A block collection ends where the next token stands; its last part says where it really ends.
        let end = if self.places.closes(end) { end } else { open.end };
        let size = open.left - self.budget.left();
        self.complete(value, open.anchor, open.start, end, size)
    }

    fn complete(&mut self, value: Value, anchor: usize, start: usize, end: usize, size: usize) -> Read<()> {
        if !matches!(value, Value::Array(_) | Value::Object(_)) {
            self.spend(start, end)?;
        }
        let node = Node { place: self.places.place(start, end), value };
        if anchor != 0 {
            if !self.budget.copy(size) {
                let help = "aliases of aliases grow without bound: use `$ref`";
                return Err(self.fault(start, end, "too many nodes, counted through aliases", help));
            }
            self.anchors.insert(anchor, (node.clone(), size));
        }
        self.attach(node, end);
        Ok(())
    }

    fn attach(&mut self, node: Node, end: usize) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(open) => {
                open.end = open.end.max(end);
                match &mut open.parts {
                    Parts::Array(items) => items.push(node),
                    Parts::Object { members, key } => {
                        if let Some((key, key_place)) = key.take() {
                            members.push(Member { key, key_place, node });
                        }
                    }
                }
            }
        }
    }

    fn key_wanted(&self) -> bool {
        matches!(self.open.last(), Some(Open { parts: Parts::Object { key: None, .. }, .. }))
    }

    fn set_key(&mut self, text: Box<str>, place: Place) {
        if let Some(Open { parts: Parts::Object { key, .. }, .. }) = self.open.last_mut() {
            *key = Some((text, place));
        }
    }

    fn spend(&mut self, start: usize, end: usize) -> Read<()> {
        if self.budget.take(1) {
            Ok(())
        } else {
            Err(self.fault(start, end, "too many nodes", "split the document"))
        }
    }

    fn check_tag(&self, tag: Option<Cow<'_, Tag>>, suffix: &str, start: usize, end: usize) -> Read<()> {
        match tag {
            Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == suffix) => {
                Err(self.unknown_tag(start, end))
            }
            _ => Ok(()),
        }
    }

    fn unknown_tag(&self, start: usize, end: usize) -> Unreadable {
        self.fault(start, end, "a tag that is not of the YAML core schema", "remove the tag")
    }

    fn fault(&self, start: usize, end: usize, message: &str, help: &str) -> Unreadable {
        Unreadable {
            place: self.places.place(start, end),
            message: message.into(),
            help: help.into(),
            first: None,
        }
    }

    fn scan_error(&mut self, error: &ScanError) -> Unreadable {
        let text = self.places.text;
        let at = self.places.byte(*error.marker());
        let line_start =
            text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
        let line = text.get(line_start..).unwrap_or_default();
        let indent = line.find(|char: char| char != ' ').unwrap_or(0);
        if line.get(indent..).is_some_and(|rest| rest.starts_with('\t')) {
            let at = line_start + indent;
            return self.fault(at, at + 1, "a tab in the indentation", "YAML indents with spaces only");
        }
        let end = at + text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        if error.info().contains("recursion limit") {
            return self.fault(at, end, "nested too deeply", "no more than 128 levels are read");
        }
        if error.info().ends_with(AFTER_TAB) {
            return self.fault(
                at,
                end,
                "a tab before a value",
                "put a space in its place: readers disagree on tabs",
            );
        }
        let message = format!("this is not YAML: {}", error.info());
        self.fault(at, end, &message, "check the indentation and the quotes around here")
    }
}

fn depth(node: &Node) -> usize {
    match &node.value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(object) => {
            1 + object.members().iter().map(|member| depth(&member.node)).max().unwrap_or(0)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
