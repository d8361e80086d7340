//! Headers of the PROXY protocol, version 2, as a balancer writes them (`proxy-protocol.txt`, section 2.2).

use std::net::{IpAddr, SocketAddr};

/// That a checksum of the header stands in this vector.
pub const CHECKSUM: u8 = 3;
/// What the balancer knows of TLS.
pub const SSL: u8 = 0x20;
/// The client came by TLS, and showed no certificate.
pub const BY_TLS: (u8, &[u8]) = (SSL, &[1, 0, 0, 0, 1]);

/// Of a client at this address, with these vectors behind it.
pub fn of(client: &str, vectors: &[(u8, &[u8])]) -> Vec<u8> {
    let client: SocketAddr = client.parse().expect("an address with a port");
    let (family, address, own) = match client.ip() {
        IpAddr::V4(address) => (0x11, address.octets().to_vec(), vec![10; 4]),
        IpAddr::V6(address) => (0x21, address.octets().to_vec(), vec![0xfd; 16]),
    };
    let ports = [client.port().to_be_bytes(), 443_u16.to_be_bytes()].concat();
    let vectors = vectors.iter().flat_map(|(kind, value)| vector(*kind, value)).collect();
    written(0x21, family, &[address, own, ports, vectors].concat())
}

/// Of a connection of the balancer's own.
pub fn own() -> Vec<u8> {
    written(0x20, 0, &[])
}

/// Any header, with its length.
pub fn written(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
    let length = u16::try_from(block.len()).expect("a short block").to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n".as_slice(), &[command, family], &length, block].concat()
}

fn vector(kind: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).expect("a short value").to_be_bytes();
    [&[kind], &length[..], value].concat()
}

/// CRC32c, bit by bit (RFC 4960 appendix B, with the polynomial reflected).
pub fn crc32c(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0x82f6_3b78 } else { sum >> 1 };
        }
    }
    !sum
}
