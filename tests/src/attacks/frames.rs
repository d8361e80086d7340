//! Frames of HTTP/2 (RFC 9113) as a hostile client writes them, and what came back.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// How long a server that has answered or given up is listened to: a second answer would follow at once.
const AFTERWARDS: Duration = Duration::from_millis(100);
/// How long one that has said nothing of that.
const PATIENCE: Duration = Duration::from_secs(2);

/// One frame (section 4.1).
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A list of fields as it was written by the simplest of encoders: literals that nobody remembers (RFC 7541 section 6.2.2).
pub fn fields<N: AsRef<[u8]>, V: AsRef<[u8]>>(fields: &[(N, V)]) -> Vec<u8> {
    let literal = |(name, value): &(N, V)| [&[0][..], &text(name.as_ref()), &text(value.as_ref())].concat();
    fields.iter().flat_map(literal).collect()
}

/// A string without Huffman codes (RFC 7541 section 5.2), its length in the integers of section 5.1.
pub fn text(text: &[u8]) -> Vec<u8> {
    let mut bytes = match u8::try_from(text.len()) {
        Ok(short @ ..127) => vec![short],
        _ => {
            let (mut long, mut rest) = (vec![127], text.len() - 127);
            while rest >= 128 {
                long.push(u8::try_from(rest % 128).unwrap() | 128);
                rest /= 128;
            }
            long.push(u8::try_from(rest).unwrap());
            long
        }
    };
    bytes.extend(text);
    bytes
}

/// What the server said.
#[derive(Debug, Default)]
pub struct Said {
    /// The status of each answer, by its stream.
    pub statuses: Vec<(u32, u16)>,
    /// How many bytes of bodies came, of all answers.
    pub bodies: usize,
    /// Streams that it gave up.
    pub reset: Vec<u32>,
    /// Whether it gave up the connection, by a word or by closing it.
    pub gone: bool,
}

impl Said {
    pub fn status(&self, stream: u32) -> Option<u16> {
        self.statuses.iter().find(|(known, _)| *known == stream).map(|(_, status)| *status)
    }

    fn is_decided(&self) -> bool {
        self.gone || !self.reset.is_empty() || !self.statuses.is_empty()
    }

    /// Takes the frames of what was read in, and gives back what is no whole frame.
    fn take<'r>(&mut self, mut read: &'r [u8]) -> &'r [u8] {
        while let Some((head, rest)) = read.split_first_chunk::<9>() {
            let [a, b, c, kind, _, stream @ ..] = *head;
            let length = u32::from_be_bytes([0, a, b, c]) as usize;
            let Some((payload, rest)) = rest.split_at_checked(length) else { break };
            let stream = u32::from_be_bytes(stream);
            match kind {
                HEADERS => self.statuses.extend(status(payload).map(|status| (stream, status))),
                DATA => self.bodies += length,
                RST_STREAM => self.reset.push(stream),
                GOAWAY => self.gone = true,
                _ => {}
            }
            read = rest;
        }
        read
    }

    /// Whether no request of the connection was done.
    pub fn refused(&self) -> bool {
        self.is_decided() && self.statuses.iter().all(|(_, status)| (400..500).contains(status))
    }
}

/// Opens a connection as a client does that knows the server (section 3.3), sends the bytes, and listens until the server
/// closes or says no more.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> Said {
    let (mut reader, mut writer) = TcpStream::connect(address).await.expect("it listens").into_split();
    let opening = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(SETTINGS, 0, 0, &[])].concat();
    let writing = async {
        for piece in [opening.as_slice(), bytes] {
            if writer.write_all(piece).await.is_err() {
                break; // it has closed
            }
        }
        std::future::pending::<()>().await;
    };
    let mut said = Said::default();
    let reading = async {
        let (mut read, mut chunk) = (Vec::new(), [0; 16 * 1024]);
        loop {
            let patience = if said.is_decided() { AFTERWARDS } else { PATIENCE };
            match tokio::time::timeout(patience, reader.read(&mut chunk)).await {
                Ok(Ok(length @ 1..)) => read.extend_from_slice(&chunk[..length]),
                Ok(_) => return said.gone = true,
                Err(_) => return,
            }
            let rest = said.take(&read).len();
            read.drain(..read.len() - rest);
        }
    };
    tokio::select! {
        () = reading => {}
        () = writing => unreachable!("it never ends"),
    }
    said
}

/// The status is the first field of an answer: by its number in the static table (RFC 7541 appendix A), or as digits.
fn status(block: &[u8]) -> Option<u16> {
    let start = block.iter().position(|byte| byte >> 5 != 1)?; // behind new sizes of the table, section 6.3
    let known = [200, 204, 206, 304, 400, 404, 500];
    match &block[start..] {
        [index @ 0x88..=0x8e, ..] => Some(known[usize::from(index - 0x88)]),
        [0x48 | 0x08, length, rest @ ..] if length & 128 == 0 => {
            std::str::from_utf8(rest.get(..usize::from(*length))?).ok()?.parse().ok()
        }
        [0x48 | 0x08, length, rest @ ..] => digits(rest.get(..usize::from(length & 127))?),
        _ => None,
    }
}

/// Three digits in Huffman codes (RFC 7541 appendix B): 0 to 2 take five bits, the others six.
fn digits(coded: &[u8]) -> Option<u16> {
    let mut bits = coded.iter().flat_map(|byte| (0..8).rev().map(move |bit| u16::from(byte >> bit & 1)));
    let mut number = 0;
    for _ in 0..3 {
        let mut code = 0;
        for _ in 0..5 {
            code = code << 1 | bits.next()?;
        }
        let digit = if code < 3 { code } else { (code << 1 | bits.next()?) - 0b1_1001 + 3 };
        number = number * 10 + digit;
    }
    Some(number)
}
