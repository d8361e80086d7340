//! The client: kept-alive connections that send the same bytes and read answers of the same length.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Connections at a time.
const CONNECTIONS: usize = 16;

/// Sends `requests` in all and fails on the first answer that is not `status`.
pub(crate) async fn run(
    address: SocketAddr,
    request: &'static [u8],
    status: u16,
    requests: usize,
) -> io::Result<()> {
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        connections.spawn(connection(address, request, status, requests / CONNECTIONS));
    }
    while let Some(done) = connections.join_next().await {
        done.map_err(io::Error::other)??;
    }
    Ok(())
}

async fn connection(address: SocketAddr, request: &[u8], status: u16, requests: usize) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 64 * 1024];
    for _ in 0..requests {
        stream.write_all(request).await?;
        answer(&mut stream, &mut buffer, status).await?;
    }
    Ok(())
}

/// Reads one answer: head, then as many bytes as `content-length` says.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8], status: u16) -> io::Result<()> {
    let mut filled = 0;
    loop {
        let read = stream.read(buffer.get_mut(filled..).unwrap_or_default()).await?;
        if read == 0 {
            return Err(io::Error::other("the server closed the connection or sent too much"));
        }
        filled += read;
        let text = buffer.get(..filled).map(String::from_utf8_lossy).unwrap_or_default();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        if !head.starts_with(&format!("HTTP/1.1 {status} ")) {
            return Err(io::Error::other(format!("expected {status}: {text}")));
        }
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Ok(());
        }
    }
}
