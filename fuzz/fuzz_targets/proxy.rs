//! Any header of the PROXY protocol: what is taken is one by `proxy-protocol.txt`, section 2.2, and its client is who stands
//! in it.
//!
//! The length in an input is put right where its first byte is even, and a checksum that is there where its second bit is
//! not set.
#![no_main]

use std::net::SocketAddr;

use libfuzzer_sys::fuzz_target;
use palisade::measure::proxied;

const CHECKSUM: u8 = 3;

fuzz_target!(|input: &[u8]| {
    let Some((which, header)) = input.split_first() else { return };
    let mut header = header.to_vec();
    if which & 1 == 0 && header.len() >= 16 {
        let length = u16::try_from(header.len() - 16).unwrap_or(u16::MAX);
        header[14..16].copy_from_slice(&length.to_be_bytes());
    }
    if which & 2 == 0 {
        sum(&mut header);
    }
    match (proxied(&header), wanted(&header)) {
        (Ok(said), Some(wanted)) => assert_eq!(said, wanted),
        (Err(_), None) => {}
        (said, wanted) => panic!("{said:?} instead of {wanted:?}"),
    }
});

/// What a header says, if it is one: no client for the proxy's own.
fn wanted(header: &[u8]) -> Option<Option<(SocketAddr, bool)>> {
    let stated = usize::from(u16::from_be_bytes(header.get(14..16)?.try_into().ok()?));
    if !header.starts_with(b"\r\n\r\n\0\r\nQUIT\n") || header.len() != 16 + stated || header.len() > 4096 {
        return None;
    }
    let length = match (header[12], header[13]) {
        (0x20, _) => return Some(None),
        (0x21, 0x11) => 4,
        (0x21, 0x21) => 16,
        _ => return None,
    };
    let block = &header[16..];
    let (end, port) = (2 * length + 4, block.get(2 * length..2 * length + 2)?);
    let port = u16::from_be_bytes(port.try_into().ok()?);
    let address: SocketAddr = match length {
        4 => (<[u8; 4]>::try_from(&block[..4]).ok()?, port).into(),
        _ => (<[u8; 16]>::try_from(&block[..16]).ok()?, port).into(),
    };
    let vectors = vectors(block.get(end..)?)?;
    let of = |kind| vectors.iter().filter(move |(found, ..)| *found == kind);
    let (sums, ssl): (Vec<_>, Vec<_>) = (of(CHECKSUM).collect(), of(0x20).collect());
    if sums.len() > 1 || ssl.len() > 1 || ssl.iter().any(|(_, _, value)| value.len() < 5) {
        return None;
    }
    for (_, at, value) in sums {
        let mut zeroed = header.to_vec();
        let at = 16 + end + at;
        zeroed.get_mut(at..at + value.len())?.fill(0);
        if *value != crc32c(&zeroed).to_be_bytes() {
            return None;
        }
    }
    Some(Some((address, ssl.iter().any(|(_, _, value)| value[0] & 1 == 1))))
}

/// The vectors, with where each value begins.
fn vectors(bytes: &[u8]) -> Option<Vec<(u8, usize, &[u8])>> {
    let (mut all, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let length = usize::from(u16::from_be_bytes(bytes.get(at + 1..at + 3)?.try_into().ok()?));
        all.push((bytes[at], at + 3, bytes.get(at + 3..at + 3 + length)?));
        at += 3 + length;
    }
    Some(all)
}

/// Puts the first checksum of a header right.
fn sum(header: &mut [u8]) {
    let end = match header.get(13) {
        Some(0x11) => 16 + 12,
        Some(0x21) => 16 + 36,
        _ => return,
    };
    let Some(found) = header.get(end..).and_then(vectors) else { return };
    let Some((_, at, _)) = found.iter().find(|(kind, _, value)| *kind == CHECKSUM && value.len() == 4) else {
        return;
    };
    let at = end + at;
    header[at..at + 4].fill(0);
    let sum = crc32c(header).to_be_bytes();
    header[at..at + 4].copy_from_slice(&sum);
}

/// Bit by bit (RFC 4960 appendix B, with the polynomial reflected).
fn crc32c(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0x82f6_3b78 } else { sum >> 1 };
        }
    }
    !sum
}
