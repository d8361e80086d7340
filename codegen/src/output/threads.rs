//! The text of a module, written by several threads. It is half of the work on a large document, and each piece is alone.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{available_parallelism, scope};

use super::Text;
use crate::emit::Emission;
use crate::lower::lower;
use crate::model::CheckedApi;

/// How many pieces a thread takes at once: enough for the work to be more than the taking.
const SHARE: usize = 64;

/// The module in parts, in their order; the same whoever wrote them.
pub(super) fn text(api: &CheckedApi, hash: &str) -> Vec<Text> {
    let next = AtomicUsize::new(0);
    let write = || written(api, hash, &next);
    let mut parts = scope(|threads| {
        let others: Vec<_> = (1..workers(api)).map(|_| threads.spawn(write)).collect();
        let mut parts = write();
        for thread in others {
            match thread.join() {
                Ok(written) => parts.extend(written),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        parts
    });
    parts.sort_unstable_by_key(|(share, _)| *share);
    parts.into_iter().map(|(_, text)| text).collect()
}

/// No more threads than there are cores and shares.
fn workers(api: &CheckedApi) -> usize {
    let api = api.api();
    let pieces = api.types.len() + api.shapes.len() + api.operations.len();
    available_parallelism().map_or(1, NonZero::get).min(pieces.div_ceil(SHARE))
}

/// The shares that this thread came to, with their places. It has a plan of its own: words of code stay on their thread.
fn written(api: &CheckedApi, hash: &str, next: &AtomicUsize) -> Vec<(usize, Text)> {
    let plan = lower(api);
    let emission = Emission::of(&plan, hash);
    let pieces = emission.pieces();
    let mut written = Vec::new();
    loop {
        let share = next.fetch_add(1, Ordering::Relaxed);
        let Some(pieces) = pieces.chunks(SHARE).nth(share) else { return written };
        let mut text = Text::default();
        pieces.iter().for_each(|piece| text.add(emission.write(piece)));
        written.push((share, text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;
    use crate::front::understand;

    #[test]
    fn it_is_one_text_whoever_writes() {
        let schemas: String = (0..SHARE * 5)
            .map(|at| {
                format!("    Part{at}: {{ type: object, properties: {{ a: {{ type: string, maxLength: {at} }} }} }}\n")
            })
            .collect();
        let document = format!(
            "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\npaths: {{}}\ncomponents:\n  schemas:\n{schemas}"
        );
        let api = understand(&Source::text("a.yaml", document)).unwrap().api;
        let plan = lower(&api);
        let emission = Emission::of(&plan, "00");
        let mut alone = Text::default();
        emission.pieces().iter().for_each(|piece| alone.add(emission.write(piece)));
        let parts = text(&api, "00");
        assert!(parts.len() > 5);
        let mut shared = Text::default();
        parts.iter().for_each(|part| shared.append(part));
        assert!(shared.0 == alone.0);
    }
}
