//! What the requests of a connection are doing, and whether their answers are taken.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::time::Instant;

use crate::gate::Counted;

/// So much of an answer is progress. HTTP/2 sends no more at once to a client that does not ask for longer frames
/// (RFC 9113 section 6.5.2), so that all but who trickles takes it in one step.
const STEP: usize = 16 * 1024;

/// What the requests of a connection are doing.
#[derive(Debug)]
pub(super) struct Pulse {
    born: Instant,
    begun: AtomicU64,
    running: AtomicUsize,
    /// Of each answer that is being sent: what waits for the client. One that nobody else holds is free for the next.
    waiting: Mutex<Vec<Arc<Waiting>>>,
    /// HTTP/2: bytes between requests are housekeeping, not the beginning of a head.
    multiplexed: AtomicBool,
}

/// What of an answer waits for the client.
///
/// HTTP/2 clients decide how much of each answer they take (RFC 9113 section 5.2), so an answer can stand still though the
/// connection is alive and nothing waits to be written.
#[derive(Debug, Default)]
struct Waiting {
    pieces: AtomicUsize,
    /// Milliseconds of the connection's life when the client last went on.
    since: AtomicU64,
}

/// A request that is being answered, until all of its answer is sent.
#[derive(Debug)]
pub(super) struct Beat {
    pulse: Arc<Pulse>,
    waiting: Arc<Waiting>,
    /// What its answer counts as until then, where that is long.
    counted: Option<Counted>,
}

/// A part of an answer that is with the HTTP library, until the client has taken it. The library lets go of bodies that it
/// has whole, so only the bytes themselves know when they leave.
#[derive(Debug)]
pub(super) struct Piece {
    bytes: Bytes,
    beat: Beat,
    /// What has left since the client last went on.
    left: usize,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self {
            born: Instant::now(),
            begun: AtomicU64::default(),
            running: AtomicUsize::default(),
            waiting: Mutex::default(),
            multiplexed: AtomicBool::default(),
        }
    }

    pub(super) fn begin(self: &Arc<Self>, version: http::Version) -> Beat {
        // Relaxed: one task reads and writes the socket, and all that is compared are the counts.
        if version == http::Version::HTTP_2 {
            self.multiplexed.store(true, Ordering::Relaxed);
        }
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.running.fetch_add(1, Ordering::Relaxed);
        Beat { pulse: Arc::clone(self), waiting: self.waiting(), counted: None }
    }

    /// How many requests have ever begun.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed) > 0
    }

    pub(super) fn is_multiplexed(&self) -> bool {
        self.multiplexed.load(Ordering::Relaxed)
    }

    /// Whether a client has left an answer lying for so long.
    pub(super) fn stands_still(&self, patience: Duration) -> bool {
        let patience = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        let now = self.age();
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting
            .iter()
            .filter(|one| one.pieces.load(Ordering::Relaxed) > 0)
            .any(|one| now.saturating_sub(one.since.load(Ordering::Relaxed)) >= patience)
    }

    /// Milliseconds since the connection was taken.
    fn age(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// One whose answer is sent, or a new one: there are as many as requests were ever answered at once.
    fn waiting(&self) -> Arc<Waiting> {
        let mut all = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = all.iter_mut().filter_map(|one| Arc::get_mut(one).is_some().then(|| Arc::clone(one)));
        if let Some(free) = free.next() {
            return free;
        }
        let new = Arc::<Waiting>::default();
        all.push(Arc::clone(&new));
        new
    }
}

impl Beat {
    /// Until all of it has left, the answer counts as this.
    pub(super) fn counts_as(&mut self, counted: Option<Counted>) {
        self.counted = counted;
    }

    fn went_on(&self) {
        self.waiting.since.store(self.pulse.age(), Ordering::Relaxed);
    }
}

/// A request runs until nobody holds it.
impl Clone for Beat {
    fn clone(&self) -> Self {
        self.pulse.running.fetch_add(1, Ordering::Relaxed);
        Self {
            pulse: Arc::clone(&self.pulse),
            waiting: Arc::clone(&self.waiting),
            counted: self.counted.clone(),
        }
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.pulse.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Piece {
    pub(super) fn new(bytes: Bytes, beat: &Beat) -> Self {
        let beat = beat.clone();
        if beat.waiting.pieces.fetch_add(1, Ordering::Relaxed) == 0 {
            beat.went_on();
        }
        Self { bytes, beat, left: 0 }
    }
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.left = self.left.saturating_add(count);
        if self.left >= STEP {
            self.left = 0;
            self.beat.went_on();
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.beat.went_on();
        self.beat.waiting.pieces.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::future::IntoFuture;

    use axum::Router;
    use axum::routing::get;
    use http::Version;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::flood::grows_by;
    use crate::serve::serve;
    use crate::settings::Settings;

    const SHORT: Duration = Duration::from_millis(300);

    #[tokio::test(start_paused = true)]
    async fn a_client_goes_on_by_steps_or_by_all_that_waits() {
        let (pulse, time) = (Arc::new(Pulse::new()), Duration::from_secs(30));
        let beat = pulse.begin(Version::HTTP_2);
        let later = async || {
            tokio::time::sleep(time).await;
            pulse.stands_still(time)
        };
        assert!(!later().await, "it is the handler that is waited for");
        let mut first = Piece::new(Bytes::from(vec![b'a'; 2 * STEP]), &beat);
        let second = Piece::new(Bytes::from_static(b"b"), &beat);
        assert!(!pulse.stands_still(time) && later().await);
        first.advance(STEP - 1);
        assert!(pulse.stands_still(time), "a trickle");
        first.advance(1);
        assert!(!pulse.stands_still(time) && later().await);
        drop(second);
        assert!(!pulse.stands_still(time) && later().await);
        drop(first);
        assert!(!later().await, "the handler again");
        let last = Piece::new(Bytes::from_static(b"c"), &beat);
        drop(beat);
        assert!(pulse.is_running() && later().await, "the library has it whole, the client has not");
        drop(last);
        assert!(!pulse.is_running() && !later().await);
    }

    #[test]
    fn a_connection_that_stays_keeps_nothing_of_what_has_ended() {
        let pulse = Arc::new(Pulse::new());
        let grown = grows_by(40_000, |_| {
            let at_once = [(); 3].map(|()| pulse.begin(Version::HTTP_2));
            drop(at_once.each_ref().map(|beat| Piece::new(Bytes::from_static(b"answer"), beat)));
        });
        assert_eq!(grown, 0);
    }

    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let head = [0, 0, u8::try_from(payload.len()).unwrap(), kind, flags, 0, 0, 0, stream];
        [&head[..], payload].concat()
    }

    /// `GET /tea`, by the static table of RFC 7541 appendix A.
    fn request(stream: u8) -> Vec<u8> {
        frame(1, 5, stream, &[&[0x82, 0x86, 0x04, 4], b"/tea".as_slice(), &[0x01, 1], b"a"].concat())
    }

    /// One byte more of a stream (RFC 9113 section 6.9).
    fn one_more(stream: u8) -> Vec<u8> {
        frame(8, 0, stream, &[0, 0, 0, 1])
    }

    /// So long that the library does not copy it.
    const TEA: [u8; 1200] = [b't'; 1200];

    /// Whether the server leaves a client, and what that got: one that takes `window` bytes of each answer (RFC 9113 section
    /// 6.5.2), asks twice, and then says something now and then, for ten times as long as it may stand still. The second
    /// answer takes longer than that.
    async fn left(window: u16, said: impl Fn(u8) -> Vec<u8>) -> (bool, usize) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let settings = Settings::new().header_timeout(SHORT).write_timeout(SHORT).idle_timeout(SHORT);
        let asked = Arc::new(AtomicUsize::default());
        let tea = async move || {
            if asked.fetch_add(1, Ordering::SeqCst) == 1 {
                tokio::time::sleep(SHORT * 4).await;
            }
            TEA.as_slice()
        };
        let router = Router::new().route("/tea", get(tea));
        let server = serve(router).listener(listener).settings(settings).shutdown(std::future::pending());
        let server = tokio::spawn(server.into_future());
        let (mut reading, mut writing) = TcpStream::connect(address).await.unwrap().into_split();
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        let opening =
            [preface.as_slice(), &frame(4, 0, 0, &[[0, 4, 0, 0].as_slice(), &window.to_be_bytes()].concat())]
                .concat();
        writing.write_all(&[opening, request(1), request(3)].concat()).await.unwrap();
        let saying = async {
            for turn in 0..50 {
                tokio::time::sleep(SHORT / 5).await;
                _ = writing.write_all(&said(turn)).await; // it may be closed
            }
        };
        let mut got = Vec::new();
        let left = tokio::select! {
            _ = reading.read_to_end(&mut got) => true,
            () = saying => false,
        };
        server.abort();
        (left, String::from_utf8_lossy(&got).matches(str::from_utf8(&TEA).unwrap()).count())
    }

    #[tokio::test]
    async fn who_takes_nothing_or_too_little_of_an_answer_over_http_2_is_left() {
        let silence = |_| Vec::new();
        let ask_again = |turn| request(5 + 2 * turn);
        let trickle = |_| [one_more(1), one_more(3)].concat();
        let (taking, nothing) = (left(u16::MAX, silence), left(0, silence));
        let (asking, one_byte) = (left(u16::MAX, ask_again), left(1, ask_again));
        let all = tokio::join!(taking, nothing, asking, one_byte, left(1, trickle));
        assert_eq!(all.0, (true, 2), "idle behind two answers");
        assert_eq!(all.1, (true, 0));
        let (left, answers) = all.2;
        assert!(!left && answers > 40, "{answers} answers");
        assert_eq!(all.3, (true, 0));
        assert_eq!(all.4, (true, 0));
    }
}
