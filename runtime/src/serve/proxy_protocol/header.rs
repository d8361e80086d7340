//! What a header of the PROXY protocol says, version 2 (HAProxy's `proxy-protocol.txt`, section 2.2).
//!
//! Rules:
//! 1. it begins with the signature and says version 2; what else there is, such as the text of version 1, is none;
//! 2. `LOCAL` is a connection of the proxy's own: it is taken whatever stands behind the command, and nothing of that is
//!    read;
//! 3. `PROXY` is for a client over TCP, IPv4 or IPv6, whose address is the source. Of every other client the section leaves
//!    it to us to refuse it or to go by the proxy's own address: it is refused, for nobody's address would stand for it;
//! 4. what stands behind the addresses is whole vectors (2.2). A checksum among them must be right (2.2.3), `SSL` says
//!    whether the client came through TLS (2.2.6), the others are passed over; a second one of either makes no header;
//! 5. it is no longer than [`LONGEST`].
//!
//! Why it is read here and not by a library: `docs/adr/0008-proxy-header.md`.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crc::{CRC_32_ISCSI, Crc, NoTable};

/// So much of a header says how long all of it is.
pub(crate) const FIXED: usize = 16;
/// The protocol is made for 536 bytes, so that each fits into one segment of TCP (section 2). Proxies that hand on what
/// TLS told them take more.
const LONGEST: usize = 4096;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

const CHECKSUM: u8 = 0x03;
const SSL: u8 = 0x20;
/// Of the flags of `SSL`: the client came through TLS.
const CAME_BY_TLS: u8 = 0x01;

/// CRC32c (RFC 4960 appendix B).
const CRC32C: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISCSI);

/// What a proxy says of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It is the proxy's own, such as a look whether we live.
    Own,
    Client {
        address: SocketAddr,
        /// It came to the proxy through TLS.
        tls: bool,
    },
}

/// Why something is no header that could be gone by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    Signature,
    Version,
    Command,
    Family,
    /// A client without an address, over UDP, or of a socket in a file system.
    NoClient,
    Length,
    Vectors,
    Checksum,
}

/// How many bytes come after the fixed ones.
pub(crate) fn length(fixed: &[u8; FIXED]) -> Result<usize, Malformed> {
    let [signature @ .., version, _, high, low] = fixed;
    if signature != SIGNATURE {
        return Err(Malformed::Signature);
    }
    if version >> 4 != 2 {
        return Err(Malformed::Version);
    }
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if FIXED.saturating_add(length) > LONGEST { Err(Malformed::Length) } else { Ok(length) }
}

/// A whole header.
pub(crate) fn read(header: &[u8]) -> Result<Said, Malformed> {
    let (fixed, block) = header.split_first_chunk::<FIXED>().ok_or(Malformed::Length)?;
    if length(fixed)? != block.len() {
        return Err(Malformed::Length);
    }
    let [.., command, family, _, _] = *fixed;
    match command & 0x0f {
        0 => return Ok(Said::Own), // its family "is ignored", as is its block
        1 => {}
        _ => return Err(Malformed::Command),
    }
    let (address, vectors) = match family {
        0x11 => source::<4>(block)?,
        0x21 => source::<16>(block)?,
        // what is valid but not served, "falls back to the UNSPEC mode", and there "the receiver is free to [..] reject"
        0x00 | 0x12 | 0x22 | 0x31 | 0x32 => return Err(Malformed::NoClient),
        _ => return Err(Malformed::Family),
    };
    let tls = came_by_tls(header, vectors)?;
    Ok(Said::Client { address, tls })
}

/// The client of two endpoints whose addresses have `N` bytes, and what stands behind them.
fn source<const N: usize>(block: &[u8]) -> Result<(SocketAddr, &[u8]), Malformed>
where
    IpAddr: From<[u8; N]>,
{
    let endpoints = || {
        let (address, rest) = block.split_first_chunk::<N>()?;
        let (_, rest) = rest.split_first_chunk::<N>()?;
        let (port, rest) = rest.split_first_chunk::<2>()?;
        let (_, rest) = rest.split_first_chunk::<2>()?;
        Some((SocketAddr::new(IpAddr::from(*address), u16::from_be_bytes(*port)), rest))
    };
    endpoints().ok_or(Malformed::Length)
}

/// Reads the vectors at the end of a header.
fn came_by_tls(header: &[u8], mut vectors: &[u8]) -> Result<bool, Malformed> {
    let (mut checked, mut tls) = (false, None);
    while !vectors.is_empty() {
        let (kind, value, rest) = vector(vectors).ok_or(Malformed::Vectors)?;
        match kind {
            CHECKSUM if checked || !is_right(header, value, rest.len()) => return Err(Malformed::Checksum),
            CHECKSUM => checked = true,
            // flags, and what came of the certificate
            SSL if tls.is_some() || value.len() < 5 => return Err(Malformed::Vectors),
            SSL => tls = value.first().map(|flags| flags & CAME_BY_TLS != 0),
            _ => {}
        }
        vectors = rest;
    }
    Ok(tls.unwrap_or(false))
}

/// The first vector: its type, its value, and the vectors after it.
fn vector(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let ([kind, high, low], rest) = bytes.split_first_chunk::<3>()?;
    let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))?;
    Some((*kind, value, rest))
}

/// Whether a checksum, behind which so many bytes stand, is that of the header with zeros in its place.
fn is_right(header: &[u8], checksum: &[u8], behind: usize) -> bool {
    let Ok(stated) = <[u8; 4]>::try_from(checksum) else { return false };
    let parts = || {
        let (before, rest) = header.split_at_checked(header.len().checked_sub(behind)?)?;
        Some((before.strip_suffix(&stated)?, rest))
    };
    let Some((before, after)) = parts() else { return false };
    let mut digest = CRC32C.digest();
    [before, &[0; 4], after].into_iter().for_each(|part| digest.update(part));
    digest.finalize() == u32::from_be_bytes(stated)
}

/// The word of the log.
impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signature => "no_header",
            Self::Version => "other_version",
            Self::Command => "unknown_command",
            Self::Family => "unknown_family",
            Self::NoClient => "client_without_address",
            Self::Length => "wrong_length",
            Self::Vectors => "malformed_vectors",
            Self::Checksum => "wrong_checksum",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header with this block.
    fn header(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
        let length = u16::try_from(block.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, block].concat()
    }

    const V4: [u8; 12] = [192, 0, 2, 1, 10, 0, 0, 5, 0xdc, 0x04, 1, 0xbb];

    fn vectors(all: &[(u8, &[u8])]) -> Vec<u8> {
        let one = |(kind, value): &(u8, &[u8])| {
            let length = u16::try_from(value.len()).unwrap().to_be_bytes();
            [&[*kind], &length[..], value].concat()
        };
        all.iter().flat_map(one).collect()
    }

    fn with(all: &[(u8, &[u8])]) -> Vec<u8> {
        header(0x21, 0x11, &[&V4[..], &vectors(all)].concat())
    }

    fn client(text: &str, tls: bool) -> Result<Said, Malformed> {
        Ok(Said::Client { address: text.parse().unwrap(), tls })
    }

    #[test]
    fn a_client_over_tcp_is_its_source() {
        assert_eq!(read(&header(0x21, 0x11, &V4)), client("192.0.2.1:56324", false));
        let v6 =
            [&[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7][..], &[0xfd; 16], &[0, 80, 1, 0xbb]];
        assert_eq!(read(&header(0x21, 0x21, &v6.concat())), client("[2001:db8::7]:80", false));
    }

    /// Section 2.2: "the receiver must accept this connection as valid", and the family "is ignored".
    #[test]
    fn a_connection_of_the_proxys_own_is_taken_whatever_it_says() {
        for (family, block) in [(0, &[][..]), (0x11, &[]), (0x11, &V4), (0x77, b"anything"), (0, &[3, 0])] {
            assert_eq!(read(&header(0x20, family, block)), Ok(Said::Own), "{family:#x} {block:?}");
        }
    }

    #[test]
    fn what_nobodys_address_stands_for_is_refused() {
        let long = [0; 216];
        for (command, family, block, why) in [
            (0x21, 0x00, &[][..], Malformed::NoClient),
            (0x21, 0x12, &V4, Malformed::NoClient),
            (0x21, 0x22, &long[..36], Malformed::NoClient),
            (0x21, 0x31, &long, Malformed::NoClient),
            (0x21, 0x32, &long, Malformed::NoClient),
            (0x21, 0x10, &V4, Malformed::Family),
            (0x21, 0x13, &V4, Malformed::Family),
            (0x21, 0x41, &V4, Malformed::Family),
            (0x22, 0x11, &V4, Malformed::Command),
            (0x2f, 0x11, &V4, Malformed::Command),
            (0x11, 0x11, &V4, Malformed::Version),
            (0x31, 0x11, &V4, Malformed::Version),
            (0x21, 0x11, &V4[..11], Malformed::Length),
            (0x21, 0x11, &[], Malformed::Length),
            (0x21, 0x21, &V4, Malformed::Length),
        ] {
            assert_eq!(read(&header(command, family, block)), Err(why), "{command:#x} {family:#x}");
        }
        for text in ["PROXY TCP4 192.0.2.1 10.0.0.5 56324 443\r\n", "GET / HTTP/1.1\r\nhost: a\r\n\r\n"] {
            assert_eq!(read(text.as_bytes()), Err(Malformed::Signature), "{text:?}");
        }
    }

    #[test]
    fn a_header_has_an_end_and_is_whole() {
        let pad = |count: usize| with(&[(0x04, &vec![0; count])]);
        assert!(read(&pad(LONGEST - FIXED - V4.len() - 3)).is_ok());
        assert_eq!(read(&pad(LONGEST - FIXED - V4.len() - 2)), Err(Malformed::Length));
        assert_eq!(length(header(0x20, 0, &[0; 5000]).first_chunk().unwrap()), Err(Malformed::Length));
        let whole = with(&[(0x05, b"id")]);
        assert_eq!(read(&[&whole[..], b"G"].concat()), Err(Malformed::Length), "what follows is not its own");
        for cut in 0..whole.len() {
            assert!(read(&whole[..cut]).is_err(), "{cut}");
        }
        for torn in [&[0x05][..], &[0x05, 0], &[0x05, 0, 1], &[0x05, 0xff, 0xff, 1]] {
            let torn = header(0x21, 0x11, &[&V4[..], torn].concat());
            assert_eq!(read(&torn), Err(Malformed::Vectors));
        }
    }

    #[test]
    fn tls_is_what_the_proxy_says() {
        for (flags, tls) in [(0x00, false), (0x01, true), (0x07, true), (0x06, false)] {
            assert_eq!(
                read(&with(&[(SSL, &[flags, 0, 0, 0, 0])])),
                client("192.0.2.1:56324", tls),
                "{flags}"
            );
        }
        let one = (SSL, &[1, 0, 0, 0, 0][..]);
        for wrong in [&[one, one][..], &[(SSL, &[1, 0, 0, 0])], &[(SSL, &[])]] {
            assert_eq!(read(&with(wrong)), Err(Malformed::Vectors));
        }
    }

    /// A header as a load balancer of AWS writes it.
    #[test]
    fn a_checksum_must_be_right() {
        let endpoint = [&[1], &b"vpce-08d2bf15fac5001c9"[..]].concat();
        let end = vectors(&[(CHECKSUM, &[0xe8, 0xd6, 0x89, 0x2d]), (0xea, &endpoint), (0x04, &[0; 36])]);
        let addresses = [0xac, 0x1f, 0x07, 0x71, 0xac, 0x1f, 0x0a, 0x1f, 0xc8, 0xf2, 0, 0x50];
        let good = header(0x21, 0x11, &[&addresses[..], &end].concat());
        assert_eq!(read(&good), client("172.31.7.113:51442", false));
        let kind = FIXED + addresses.len(); // with another type it is no checksum
        for at in (0..good.len()).filter(|at| *at != kind) {
            let mut other = good.clone();
            other[at] ^= 0x10;
            assert!(read(&other).is_err(), "{at}");
        }
        let sum = &[0xe8, 0xd6, 0x89, 0x2d][..];
        for wrong in
            [&[(CHECKSUM, &[][..])][..], &[(CHECKSUM, &sum[..3])], &[(CHECKSUM, sum), (CHECKSUM, sum)]]
        {
            assert_eq!(read(&with(wrong)), Err(Malformed::Checksum));
        }
    }
}
