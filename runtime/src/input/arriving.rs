//! How much memory bodies take that have not come whole: a client decides how long that is, up to the deadline.
//!
//! Rules:
//! 1. a body that is whole with its first piece is not counted: nobody can hold it back;
//! 2. of any other each piece is counted that stays in memory, until the body has been read or refused, and so is what is
//!    reserved for pieces to come ([`Arrival::make_room`]): as much again as came, whatever length the client declares. What
//!    goes to a file is counted as far as it is in memory first;
//! 3. all of them together take no more than a setting says, and those of one network (an address, or an IPv6 /64) an eighth
//!    of it. Beyond a half of it, only bodies of callers who were authenticated are taken: nobody else can fill it for them.
//!    What is over is refused (503);
//! 4. while a network has no other, its body may take more than the share: what the document allows can be sent.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::body::Body as Stream;
use bytes::Bytes;
use http_body::Body as _;
use http_body_util::BodyExt;

use super::InputError;
use crate::limit::seen::Network;

/// Of how many parts one network takes at most one.
const SHARES: usize = 8;

/// What all bodies of a server take that are on their way.
#[derive(Debug)]
pub(crate) struct Arriving {
    most: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Only of those that have something.
    of: HashMap<Network, usize>,
}

impl Arriving {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, taken: Mutex::default() }
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, Taken> {
        // it is changed whole or not at all
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a body comes from, and among which others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender<'a> {
    pub(crate) arriving: &'a Arriving,
    pub(crate) network: Network,
    /// Whether it is known who sends it.
    pub(crate) is_known: bool,
}

/// A body on its way, piece by piece.
pub(super) struct Arrival<'a> {
    stream: Stream,
    sender: Sender<'a>,
    /// How many of its bytes came before they were all.
    came: usize,
    /// What is counted: these, or what is reserved.
    taken: usize,
    /// How many of its bytes may be in memory.
    in_memory: usize,
}

impl<'a> Arrival<'a> {
    /// `in_memory`: how much of it is there at most.
    pub(super) fn new(stream: Stream, sender: Sender<'a>, in_memory: usize) -> Self {
        Self { stream, sender, came: 0, taken: 0, in_memory }
    }

    /// The next piece. `None`: it is whole.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, InputError>> {
        loop {
            let frame = match self.stream.frame().await? {
                Ok(frame) => frame,
                Err(_) => return Some(Err(InputError::Truncated)),
            };
            let Ok(data) = frame.into_data() else { continue };
            if self.stream.is_end_stream() {
                return Some(Ok(data));
            }
            self.came = self.came.saturating_add(data.len());
            return Some(self.hold(self.came).map(|()| data));
        }
    }

    /// Room for so many bytes more, which came.
    pub(super) fn make_room(&mut self, all: &mut Vec<u8>, more: usize) -> Result<(), InputError> {
        let needed = all.len().saturating_add(more);
        if needed <= all.capacity() {
            return Ok(());
        }
        let room = match self.stream.is_end_stream() {
            true => needed, // though its length may not be known even then
            false => {
                let to_come = self.stream.size_hint().upper().and_then(|bytes| usize::try_from(bytes).ok());
                let more = needed.min(to_come.unwrap_or(usize::MAX));
                let room = needed.saturating_add(more).min(self.in_memory).max(needed);
                self.hold(room)?;
                room
            }
        };
        all.reserve_exact(room.saturating_sub(all.len()));
        Ok(())
    }

    /// Counts up to so many bytes in memory.
    fn hold(&mut self, bytes: usize) -> Result<(), InputError> {
        let bytes = bytes.min(self.in_memory).saturating_sub(self.taken);
        if bytes == 0 {
            return Ok(());
        }
        let Sender { arriving, network, is_known } = self.sender;
        let mut taken = arriving.taken();
        let most = if is_known { arriving.most } else { arriving.most / 2 };
        let all = taken.all.saturating_add(bytes);
        let before = taken.of.get(&network).copied().unwrap_or_default();
        let share = before.saturating_add(bytes);
        if all > most || (share > arriving.most / SHARES && before > self.taken) {
            return Err(InputError::NoRoom);
        }
        taken.all = all;
        taken.of.insert(network, share);
        drop(taken);
        self.taken = self.taken.saturating_add(bytes);
        Ok(())
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        if self.taken == 0 {
            return;
        }
        let Sender { arriving, network, .. } = self.sender;
        let mut taken = arriving.taken();
        taken.all = taken.all.saturating_sub(self.taken);
        let rest = taken.of.get(&network).copied().unwrap_or_default().saturating_sub(self.taken);
        match rest {
            0 => taken.of.remove(&network),
            rest => taken.of.insert(network, rest),
        };
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::sync::LazyLock;
    use std::task::{Context, Poll};

    use futures_util::{FutureExt, StreamExt, stream};
    use http_body::{Frame, SizeHint};

    use super::*;

    /// From somewhere, with room for everything.
    pub(in crate::input) fn sender() -> Sender<'static> {
        static ARRIVING: LazyLock<Arriving> = LazyLock::new(|| Arriving::new(usize::MAX));
        Sender { arriving: &ARRIVING, network: Network::V4([192, 0, 2, 1]), is_known: true }
    }

    /// So many bytes at once, and then nothing.
    fn stalled(bytes: usize) -> Stream {
        let first = Ok::<_, Infallible>(Bytes::from(vec![b'x'; bytes]));
        Stream::from_stream(stream::once(std::future::ready(first)).chain(stream::pending()))
    }

    fn arrive(arriving: &Arriving, last: u8, bytes: usize) -> (Arrival<'_>, Option<InputError>) {
        arrive_of(arriving, last, bytes, true)
    }

    fn arrive_of(
        arriving: &Arriving,
        last: u8,
        bytes: usize,
        is_known: bool,
    ) -> (Arrival<'_>, Option<InputError>) {
        let sender = Sender { arriving, network: Network::V4([192, 0, 2, last]), is_known };
        let mut arrival = Arrival::new(stalled(bytes), sender, usize::MAX);
        let came = arrival.next().now_or_never().flatten();
        (arrival, came.and_then(Result::err))
    }

    #[test]
    fn one_network_takes_its_share_and_all_together_what_there_is() {
        let arriving = Arriving::new(800);
        let (first, refused) = arrive(&arriving, 1, 60);
        assert_eq!(refused, None);
        assert_eq!(arrive(&arriving, 1, 41).1, Some(InputError::NoRoom), "60 and 41 of 100");
        let (second, refused) = arrive(&arriving, 1, 40);
        assert_eq!(refused, None);
        // another network, and a single body over the share
        let (third, refused) = arrive(&arriving, 2, 700);
        assert_eq!(refused, None);
        assert_eq!(arrive(&arriving, 3, 1).1, Some(InputError::NoRoom), "all is taken");
        drop((first, second, third));
        let taken = arriving.taken();
        assert_eq!((taken.all, taken.of.len()), (0, 0));
    }

    #[test]
    fn strangers_from_however_many_networks_leave_a_half_to_those_who_are_known() {
        let arriving = Arriving::new(800);
        let strangers: Vec<_> = (0..8).map(|network| arrive_of(&arriving, network, 100, false)).collect();
        assert!(strangers[..4].iter().all(|(_, refused)| refused.is_none()));
        assert!(strangers[4..].iter().all(|(_, refused)| *refused == Some(InputError::NoRoom)));
        let known: Vec<_> = (4..8).map(|network| arrive(&arriving, network, 100)).collect();
        assert!(known.iter().all(|(_, refused)| refused.is_none()));
        assert_eq!(arrive(&arriving, 9, 1).1, Some(InputError::NoRoom), "all is taken");
    }

    /// Pieces of these lengths. The first says how long the body is, as far as that is declared, and then nothing comes; the second
    /// declares nothing, and ends with its last piece.
    enum Pieces {
        Declared(u64, std::vec::IntoIter<usize>),
        Ending(std::vec::IntoIter<usize>),
    }

    impl http_body::Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let next = match &mut *self {
                Self::Declared(left, pieces) => {
                    let Some(length) = pieces.next() else { return Poll::Pending };
                    *left -= length as u64;
                    Some(length)
                }
                Self::Ending(pieces) => pieces.next(),
            };
            Poll::Ready(next.map(|length| Ok(Frame::data(Bytes::from(vec![b'x'; length])))))
        }

        fn is_end_stream(&self) -> bool {
            matches!(self, Self::Ending(pieces) if pieces.as_slice().is_empty())
        }

        fn size_hint(&self) -> SizeHint {
            match self {
                Self::Declared(left, _) => SizeHint::with_exact(*left),
                Self::Ending(_) => SizeHint::default(),
            }
        }
    }

    /// The room after each piece, and what is counted for it.
    async fn room(body: Pieces, in_memory: usize) -> Vec<(usize, usize)> {
        let arriving = Arriving::new(1_000);
        let sender = Sender { network: Network::V4([192, 0, 2, 1]), arriving: &arriving, is_known: true };
        let mut arrival = Arrival::new(Stream::new(body), sender, in_memory);
        let (mut all, mut room) = (Vec::new(), Vec::new());
        while let Some(piece) = arrival.next().now_or_never().flatten() {
            let piece = piece.unwrap();
            arrival.make_room(&mut all, piece.len()).unwrap();
            all.extend_from_slice(&piece);
            room.push((all.capacity(), arriving.taken().all));
        }
        drop(arrival);
        assert_eq!(arriving.taken().all, 0);
        room
    }

    /// A few bytes of ten thousand that are declared do not take ten thousand.
    #[tokio::test]
    async fn what_is_reserved_is_counted_and_is_no_more_than_came() {
        for (declared, in_memory, most) in [(10_000, 20_000, 86), (50, 20_000, 50), (10_000, 60, 60)] {
            let body = Pieces::Declared(declared, vec![1, 1, 1, 40].into_iter());
            assert_eq!(room(body, in_memory).await, [(2, 2), (2, 2), (6, 6), (most, most)]);
        }
    }

    /// As of a body of HTTP/2 without a length.
    #[tokio::test]
    async fn nothing_is_reserved_behind_the_last_piece() {
        assert_eq!(room(Pieces::Ending(vec![1, 40].into_iter()), 20_000).await, [(2, 2), (41, 2)]);
    }

    #[test]
    fn what_would_be_reserved_beyond_the_share_is_refused() {
        let arriving = Arriving::new(800);
        let (_other, refused) = arrive(&arriving, 1, 60);
        assert_eq!(refused, None);
        let (mut arrival, refused) = arrive(&arriving, 1, 30);
        assert_eq!(refused, None, "90 of 100");
        assert_eq!(arrival.make_room(&mut Vec::new(), 30), Err(InputError::NoRoom), "120 of 100");
    }

    #[tokio::test]
    async fn what_is_whole_at_once_is_not_counted_and_a_file_only_in_memory() {
        let arriving = Arriving::new(10);
        let sender = Sender { network: Network::V4([192, 0, 2, 1]), arriving: &arriving, is_known: true };
        let mut whole = Arrival::new(Stream::from("more than ten bytes"), sender, usize::MAX);
        assert_eq!(whole.next().await, Some(Ok(Bytes::from_static(b"more than ten bytes"))));
        assert_eq!(whole.next().await, None);
        let pieces = (0..9).map(|_| Ok::<_, Infallible>(Bytes::from_static(b"12345")));
        let mut file = Arrival::new(Stream::from_stream(stream::iter(pieces)), sender, 8);
        while let Some(piece) = file.next().await {
            assert!(piece.is_ok());
        }
        assert_eq!(arriving.taken().all, 8);
    }
}
