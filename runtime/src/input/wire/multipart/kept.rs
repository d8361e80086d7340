//! What is kept of a part, and how much of a body that may take in memory: rules 2, 4 and 6 of the [reader](super).

use std::borrow::Cow;

use bytes::BytesMut;

use super::super::Wire;
use super::cut::Cutter;
use super::declared::{fits, is_file};
use super::head::Head;
use crate::input::upload::{IN_MEMORY, Spool, Spooler};
use crate::input::{Expected, InputError, Upload};

const MOST_PARTS: usize = 256;
/// Of what is no file, and of the files that are not on disk: each together.
pub(super) const MOST_MEMORY: usize = 1024 * 1024;
/// Of one body.
pub(in crate::input) const PARTS_IN_MEMORY: usize = 2 * MOST_MEMORY + IN_MEMORY;

const TYPE: Expected =
    Expected { rule: "contentType", message: Cow::Borrowed("must be of a media type that is declared") };
const TOO_LONG: Expected =
    Expected { rule: "maxLength", message: Cow::Borrowed("must not have more bytes than are declared") };

/// What a request has in memory of its parts, and how many it has.
#[derive(Default)]
pub(super) struct Memory {
    parts: usize,
    texts: usize,
    files: usize,
}

impl Memory {
    /// Rule 2.
    pub(super) fn one_more(&mut self) -> Result<(), InputError> {
        if self.parts == MOST_PARTS {
            return Err(InputError::Syntax);
        }
        self.parts += 1;
        Ok(())
    }
}

/// The content of a part, or what is wrong with it alone: the other parts are still read.
pub(super) async fn content(
    cutter: &mut Cutter<'_>,
    head: &Head,
    field: Option<&Wire>,
    memory: &mut Memory,
    spool: &Spool,
) -> Result<Result<Upload, Expected>, InputError> {
    if !fits(head, field) {
        while cutter.content().await?.is_some() {}
        return Ok(Err(TYPE));
    }
    match is_file(head, field) {
        true => file(cutter, field.map_or(u64::MAX, |field| field.most), memory, spool).await,
        false => text(cutter, memory).await.map(Ok),
    }
}

async fn text(cutter: &mut Cutter<'_>, memory: &mut Memory) -> Result<Upload, InputError> {
    let mut all = BytesMut::new();
    while let Some(data) = cutter.content().await? {
        memory.texts += data.len();
        if memory.texts > MOST_MEMORY {
            return Err(InputError::TooLarge);
        }
        all.extend_from_slice(&data);
    }
    Ok(Upload::new(all))
}

/// Rule 6.
async fn file(
    cutter: &mut Cutter<'_>,
    most: u64,
    memory: &mut Memory,
    spool: &Spool,
) -> Result<Result<Upload, Expected>, InputError> {
    let mut spooler = Some(Spooler::new(spool));
    while let Some(data) = cutter.content().await? {
        let fits = |spooler: &Spooler<'_>| spooler.len() + data.len() as u64 <= most;
        spooler = spooler.filter(fits); // and with it its file
        if let Some(spooler) = &mut spooler {
            spooler.push(data, MOST_MEMORY.saturating_sub(memory.files)).await?;
        }
    }
    let Some(spooler) = spooler else { return Ok(Err(TOO_LONG)) };
    memory.files += spooler.in_memory();
    Ok(Ok(spooler.finish().await?))
}
