//! Where in the text an event of the parser stands.

use saphyr_parser::Marker;

use super::mend::Mended;
use super::span::{FileId, Place, Span};

/// Turns the parser's character positions into bytes.
pub(super) struct Places<'t> {
    file: FileId,
    pub(super) text: &'t str,
    ascii: bool,
    mended: &'t Mended<'t>,
    /// Where we were: positions mostly grow, so the walk from here is short.
    last: (usize, usize),
}

impl<'t> Places<'t> {
    pub(super) fn new(file: FileId, text: &'t str, mended: &'t Mended<'t>) -> Self {
        Self { file, text, ascii: text.is_ascii(), mended, last: (0, 0) }
    }

    pub(super) fn byte(&mut self, marker: Marker) -> usize {
        let wanted = self.mended.original(marker.index());
        if self.ascii {
            return wanted.min(self.text.len());
        }
        let (mut chars, mut byte) = self.last;
        while chars < wanted {
            let Some(char) = self.text.get(byte..).and_then(|rest| rest.chars().next()) else { break };
            byte += char.len_utf8();
            chars += 1;
        }
        while chars > wanted {
            let Some(char) = self.text.get(..byte).and_then(|before| before.chars().next_back()) else {
                break;
            };
            byte -= char.len_utf8();
            chars -= 1;
        }
        self.last = (chars, byte);
        byte
    }

    pub(super) fn closes(&self, end: usize) -> bool {
        end > 0 && matches!(self.text.as_bytes().get(end - 1), Some(b']' | b'}'))
    }

    pub(super) fn place(&self, start: usize, end: usize) -> Place {
        Place { file: self.file, span: Span::new(start, end) }
    }
}
