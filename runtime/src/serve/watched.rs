//! A connection that is watched: for a head that does not come, for idleness, for a reader that has stopped, and for
//! answers that are not ours.
//!
//! The HTTP library has one timer for both "the head is slow" and "the client is idle", and none for the bytes with which
//! it tells HTTP/1 from HTTP/2, so the time is kept here, where the bytes are.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::garbled;
use super::pulse::Pulse;
use crate::operation::ErrorForm;
use crate::settings::Settings;

const DAY: Duration = Duration::from_hours(24);

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    header: Duration,
    idle: Duration,
    write: Duration,
}

impl Patience {
    /// A day is as good as for ever, and can be added to any time.
    pub(super) fn new(settings: &Settings) -> Self {
        let [header, idle, write] = [settings.header_timeout, settings.idle_timeout, settings.write_timeout]
            .map(|time| time.min(DAY));
        // A timer of no length would fire without end.
        let least = Duration::from_millis(1);
        Self { header, idle: idle.max(least), write: write.max(least) }
    }
}

/// The connection.
#[derive(Debug)]
pub(super) struct Watched<T> {
    io: T,
    peer: IpAddr,
    errors: ErrorForm,
    pulse: Arc<Pulse>,
    patience: Patience,
    phase: Phase,
    /// What leaves instead of what the library wrote, from where it has not left yet.
    instead: Option<Bytes>,
    /// How many requests had begun when last looked.
    seen: u64,
    reading: Pin<Box<Sleep>>,
    /// Each only there while the client takes nothing. TLS keeps what it is given, so that it shows when that is flushed.
    writing: Option<Pin<Box<Sleep>>>,
    flushing: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Bytes of a head have come; whole heads come at once, so the timer is set when more must be waited for.
    Started,
    /// More of a head is awaited.
    Head,
    /// A request is being answered: how long that may take is for the gate to say.
    Busy,
    /// The next request is awaited.
    Idle,
}

impl<T> Watched<T> {
    /// The first head is awaited from the start: who connects has something to say.
    pub(super) fn new(io: T, peer: IpAddr, pulse: Arc<Pulse>, patience: Patience, errors: ErrorForm) -> Self {
        let reading = Box::pin(sleep(patience.header));
        Self {
            io,
            peer,
            errors,
            pulse,
            patience,
            phase: Phase::Head,
            instead: None,
            seen: 0,
            reading,
            writing: None,
            flushing: None,
        }
    }

    fn look(&mut self) -> bool {
        let begun = self.pulse.begun();
        if begun != self.seen {
            (self.seen, self.phase) = (begun, Phase::Busy);
        }
        self.pulse.is_running()
    }

    fn received(&mut self) {
        if !self.look() && self.phase != Phase::Head && !self.pulse.is_multiplexed() {
            self.phase = Phase::Started;
        }
    }

    /// Nothing has come: how much longer may it take?
    ///
    /// The HTTP library does not ask again when an answer is finished, so the timer goes on while a request is answered
    /// and looks when it fires. An idle connection thus lives for one to two times the idle time, and a request in it
    /// costs no setting of timers.
    fn await_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let running = self.look();
        if running {
            self.phase = Phase::Busy;
        }
        if self.phase == Phase::Started {
            self.phase = Phase::Head;
            self.reading.as_mut().reset(Instant::now() + self.patience.header);
        }
        loop {
            ready!(self.reading.as_mut().poll(cx));
            match self.phase {
                Phase::Busy if self.pulse.stands_still(self.patience.write) => {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                Phase::Busy => {
                    self.phase = if running { Phase::Busy } else { Phase::Idle };
                    let wait = if running {
                        self.patience.idle.min(self.patience.write)
                    } else {
                        self.patience.idle
                    };
                    self.reading.as_mut().reset(Instant::now() + wait);
                }
                Phase::Idle => return Poll::Ready(Ok(())), // like a client that has left
                Phase::Head | Phase::Started => return Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            }
        }
    }

    /// Whether another answer leaves in place of `bytes`, which the library wrote; settled by its first write.
    fn replaces(&mut self, bytes: &[u8]) -> bool {
        if self.instead.is_none() && !self.pulse.is_running() {
            self.instead = garbled::instead_of(bytes, self.peer, self.errors).map(Bytes::from);
        }
        self.instead.is_some()
    }

    /// `written`: what came of a write; a client that takes nothing for too long is left.
    fn wrote(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        in_time(&mut self.writing, self.patience.write, cx, written)
    }
}

/// What came of a step, or that it has been waited for too long. The timer is there from when it must be waited for.
fn in_time<S>(
    timer: &mut Option<Pin<Box<Sleep>>>,
    patience: Duration,
    cx: &mut Context<'_>,
    step: Poll<io::Result<S>>,
) -> Poll<io::Result<S>> {
    if step.is_ready() {
        *timer = None;
        return step;
    }
    let timer = timer.get_or_insert_with(|| Box::pin(sleep(patience)));
    timer.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, into);
        match read {
            Poll::Pending => self.await_more(cx),
            Poll::Ready(_) => {
                if into.filled().len() > before {
                    self.received();
                }
                read
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> Watched<T> {
    /// Writes all that stands in `instead`, and says that the `length` bytes of the library have been written.
    fn write_instead(&mut self, cx: &mut Context<'_>, length: usize) -> Poll<io::Result<usize>> {
        while let Some(rest) = self.instead.as_mut().filter(|rest| !rest.is_empty()) {
            let written = Pin::new(&mut self.io).poll_write(cx, rest);
            if let Poll::Ready(Ok(count @ 1..)) = written {
                rest.advance(count.min(rest.len()));
            } else {
                return self.wrote(cx, written);
            }
        }
        self.instead = None;
        Poll::Ready(Ok(length))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.replaces(bytes) {
            return self.write_instead(cx, bytes.len());
        }
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.wrote(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [only] = bytes
            && self.replaces(only)
        {
            return self.write_instead(cx, only.len());
        }
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bytes);
        self.wrote(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        let patience = self.patience.write;
        in_time(&mut self.flushing, patience, cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // TLS has a last word to say.
        let shut = Pin::new(&mut self.io).poll_shutdown(cx);
        let patience = self.patience.write;
        in_time(&mut self.flushing, patience, cx, shut)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::settings::Settings;

    /// A connection that ends after so long, as one of TLS whose last word has to wait for its client.
    struct Ends(Pin<Box<Sleep>>);

    impl AsyncWrite for Ends {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.0.as_mut().poll(cx).map(Ok)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_last_word_that_nobody_takes_is_not_waited_for() {
        let second = Duration::from_secs(1);
        let settings = Settings::new().write_timeout(second * 30);
        for (ends, left) in [(second * 29, false), (second * 31, true)] {
            let stream = Ends(Box::pin(sleep(ends)));
            let peer = [127, 0, 0, 1].into();
            let mut watched = Watched::new(
                stream,
                peer,
                Arc::new(Pulse::new()),
                Patience::new(&settings),
                ErrorForm::Envelope,
            );
            let ended = watched.shutdown().await;
            assert_eq!(ended.is_err_and(|error| error.kind() == io::ErrorKind::TimedOut), left, "{ends:?}");
        }
    }
}
