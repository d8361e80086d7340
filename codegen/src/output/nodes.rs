//! Tokens as what a formatter needs: words and signs, groups with their width, where spaces go.
//!
//! It is made for the code that `emit/` writes, and takes any: white space never changes what tokens mean, so what it does
//! not know is laid out badly at worst.

use std::borrow::Cow;
use std::iter::Peekable;

use proc_macro2::{Delimiter, Literal, Punct, Spacing, TokenStream, TokenTree, token_stream};

/// A token, a comment, or a group.
#[derive(Debug)]
pub(super) enum Node {
    /// A line of documentation.
    Doc(String),
    Leaf(Leaf),
    Group(Group),
}

/// A word or a sign, and what it wants of its neighbours.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) text: Cow<'static, str>,
    before: Side,
    after: Side,
}

/// What stands between two brackets; those of generics are brackets too.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    pub(super) nodes: Vec<Node>,
    pub(super) kind: Kind,
    /// Whether it takes several lines however short it is.
    pub(super) is_tall: bool,
    /// Its width on one line, brackets included.
    pub(super) width: usize,
}

/// How a token stands to its neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// Never a space.
    Tight,
    /// A space, unless the neighbour is tight.
    Loose,
    /// A space from other words and from what is loose.
    Word,
    /// A space from what is loose: a bracket of a call.
    Call,
}

use Side::{Call, Loose, Tight, Word};

/// The signs of Rust. Each but the shortest is another one and a character.
static SIGNS: [&str; 33] = [
    ",", ":", "::", ".", ";", "&", "=", "=>", "|", "?", "#", "!", "-", "->", "..", "..=", "$", "<", ">", "*",
    "+", "&&", "||", "==", "!=", "<=", ">=", "/", "%", "^", "@", "~", "...",
];

/// Words that no call begins with.
static KEYWORDS: [&str; 16] = [
    "as",
    "async",
    "dyn",
    "else",
    "for",
    "if",
    "impl",
    "in",
    "let",
    "match",
    "move",
    "mut",
    "return",
    "where",
    "while",
    "macro_rules!",
];

/// The nodes of whole items.
pub(super) fn items(tokens: TokenStream) -> Vec<Node> {
    level(tokens, true)
}

impl Node {
    pub(super) fn is(&self, text: &str) -> bool {
        matches!(self, Self::Leaf(leaf) if leaf.text == text)
    }

    /// Its width on one line.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Doc(_) => 0,
            Self::Leaf(leaf) => width_of(&leaf.text),
            Self::Group(group) => group.width,
        }
    }

    /// Whether a space stands between the two.
    pub(super) fn is_apart(&self, next: &Self) -> bool {
        let generic = matches!(next, Self::Group(group) if group.open == "<");
        if generic && (self.is("impl") || self.is("for")) {
            return false;
        }
        match (self.after(), next.before()) {
            (Tight, _) | (_, Tight) => false,
            (Loose, _) | (_, Loose) => true,
            (one, other) => one == Word && other == Word,
        }
    }

    fn before(&self) -> Side {
        match self {
            Self::Doc(_) => Loose,
            Self::Leaf(leaf) => leaf.before,
            Self::Group(group) => {
                if group.open == "{" {
                    Loose
                } else {
                    Call
                }
            }
        }
    }

    const fn after(&self) -> Side {
        match self {
            Self::Doc(_) => Loose,
            Self::Leaf(leaf) => leaf.after,
            Self::Group(_) => Word,
        }
    }
}

impl Group {
    fn new(open: &'static str, close: &'static str, nodes: Vec<Node>, kind: Kind) -> Self {
        let is_tall = match kind {
            Kind::Block | Kind::Lines => !nodes.is_empty(),
            Kind::List => nodes.iter().any(|node| match node {
                Node::Doc(_) => true,
                Node::Leaf(_) => false,
                Node::Group(group) => group.is_tall,
            }),
        };
        let padding = if open == "{" && !nodes.is_empty() { 2 } else { 0 };
        let width = width(&nodes) + 2 + padding;
        Self { open, close, nodes, kind, is_tall, width }
    }
}

/// The width of nodes on one line.
pub(super) fn width(nodes: &[Node]) -> usize {
    let spaces = nodes.windows(2).filter(|pair| matches!(pair, [one, next] if one.is_apart(next))).count();
    nodes.iter().map(Node::width).sum::<usize>() + spaces
}

fn width_of(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// What is between brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Items or statements, which end with `;` or a block of their own.
    Block,
    /// Fields, variants or arms between commas, a line for each.
    Lines,
    /// A literal: parts between commas.
    List,
}

/// One level of brackets that is being read.
struct Level {
    nodes: Vec<Node>,
    /// Where the generics that are still open began.
    generics: Vec<usize>,
    /// What the braces of the current item, statement or element hold.
    kind: Kind,
    in_pipes: bool,
    is_block: bool,
}

fn level(tokens: TokenStream, is_block: bool) -> Vec<Node> {
    let mut level =
        Level { nodes: Vec::new(), generics: Vec::new(), kind: Kind::List, in_pipes: false, is_block };
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) => level.word(ident.to_string(), &mut tokens),
            TokenTree::Literal(literal) => level.leaf(literal.to_string(), Word, Word),
            TokenTree::Punct(punct) => level.sign(&punct, &mut tokens),
            TokenTree::Group(group) => level.group(group.delimiter(), group.stream()),
        }
    }
    level.nodes
}

type Tokens = Peekable<token_stream::IntoIter>;

impl Level {
    fn leaf(&mut self, text: impl Into<Cow<'static, str>>, before: Side, after: Side) {
        self.nodes.push(Node::Leaf(Leaf { text: text.into(), before, after }));
    }

    fn word(&mut self, mut word: String, tokens: &mut Tokens) {
        if word == "macro_rules" && tokens.next().is_some() {
            word.push('!');
        }
        let is_keyword = KEYWORDS.contains(&word.as_str());
        match word.as_str() {
            "struct" | "enum" | "match" => self.kind = Kind::Lines,
            "fn" | "impl" | "trait" | "mod" | "if" | "else" | "for" | "while" | "async" | "macro_rules!" => {
                self.kind = Kind::Block;
            }
            _ => {}
        }
        self.leaf(word, Word, if is_keyword { Loose } else { Word });
    }

    fn sign(&mut self, punct: &Punct, tokens: &mut Tokens) {
        if punct.as_char() == '\'' {
            let name = tokens.next().map(|name| name.to_string()).unwrap_or_default();
            return self.leaf(format!("'{name}"), Word, Loose);
        }
        let sign = whole(punct, tokens);
        match sign {
            "<" => {
                self.generics.push(self.nodes.len());
                return self.leaf(sign, Call, Tight);
            }
            ">" => return self.close_generics(sign),
            "=>" | ";" => self.kind = Kind::List,
            "," if !self.is_block && self.generics.is_empty() => self.kind = Kind::List,
            "|" => self.in_pipes = !self.in_pipes,
            _ => {}
        }
        let (before, after) = match sign {
            "," | ";" | ":" => (Tight, Loose),
            "." => (Tight, Tight),
            "::" | ".." | "..=" | "!" => (Call, Tight),
            "?" | "*" => (Tight, Word),
            "&" | "-" | "#" | "$" => (Loose, Tight),
            "|" if self.in_pipes => (Loose, Tight),
            "|" => (Tight, Loose),
            _ => (Loose, Loose),
        };
        self.leaf(sign, before, after);
    }

    fn close_generics(&mut self, sign: &'static str) {
        match self.generics.pop() {
            Some(begin) => {
                let nodes = self.nodes.split_off(begin + 1);
                self.nodes.pop();
                self.nodes.push(Node::Group(Group::new("<", ">", nodes, Kind::List)));
            }
            None => self.leaf(sign, Loose, Loose),
        }
    }

    fn group(&mut self, delimiter: Delimiter, stream: TokenStream) {
        let (open, close) = match delimiter {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::Brace => return self.braces(stream),
            Delimiter::None => return self.nodes.extend(level(stream, self.is_block)),
        };
        if open == "["
            && self.nodes.last().is_some_and(|node| node.is("#"))
            && let Some(text) = documentation(&stream)
        {
            self.nodes.pop();
            return self.nodes.extend(text.split('\n').map(|line| Node::Doc(line.to_owned())));
        }
        self.nodes.push(Node::Group(Group::new(open, close, level(stream, false), Kind::List)));
    }

    fn braces(&mut self, stream: TokenStream) {
        let after = self.nodes.last();
        let of_closure = after.is_some_and(|node| node.is("|") || node.is("move") || node.is("=>"));
        let kind = if of_closure { Kind::Block } else { self.kind };
        self.nodes.push(Node::Group(Group::new("{", "}", level(stream, kind == Kind::Block), kind)));
        if self.is_block {
            self.kind = Kind::List;
        }
    }
}

/// The longest sign that begins with `punct`.
fn whole(punct: &Punct, tokens: &mut Tokens) -> &'static str {
    let mut text = longer("", punct.as_char()).unwrap_or_default();
    let mut spacing = punct.spacing();
    while let (Spacing::Joint, Some(TokenTree::Punct(next))) = (spacing, tokens.peek()) {
        let Some(both) = longer(text, next.as_char()) else { break };
        (text, spacing) = (both, next.spacing());
        tokens.next();
    }
    text
}

fn longer(sign: &str, by: char) -> Option<&'static str> {
    let is_it = |longer: &&&str| {
        longer.len() == sign.len() + by.len_utf8() && longer.ends_with(by) && longer.starts_with(sign)
    };
    SIGNS.iter().find(is_it).copied()
}

/// The text of `doc = ".."`.
fn documentation(attribute: &TokenStream) -> Option<String> {
    let mut tokens = attribute.clone().into_iter();
    match (tokens.next(), tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(name)), Some(_), Some(TokenTree::Literal(text))) if name == "doc" => {
            text_of(text)
        }
        _ => None,
    }
}

fn text_of(literal: Literal) -> Option<String> {
    let written = literal.to_string();
    match written.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Some(plain.to_owned()),
        _ => match syn::Lit::new(literal) {
            syn::Lit::Str(text) => Some(text.value()),
            _ => None,
        },
    }
}
