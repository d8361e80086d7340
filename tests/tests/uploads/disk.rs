//! Where files lie: what is in memory and what on disk, how much room there is, and that nothing is left.

use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::bench::{KIB, MIB, PNG, Spooling, file, text};

#[tokio::test]
async fn a_large_file_is_on_disk_and_a_small_one_in_memory() {
    let server = Spooling::start(100 * MIB).await;
    let large = "a".repeat(50 * MIB);
    let small = file("more", "filename=b", &"b".repeat(64 * KIB));
    let over = file("more", "filename=c", &"c".repeat(64 * KIB + 1));
    let title = "--XX\r\nContent-Disposition: form-data; name=title\r\n\r\nt\r\n";
    let body =
        format!("{title}{}{small}{over}{}--XX--", file("file", PNG, &large), file("more", "filename=d", ""));
    let reply = server.post(&body).await;
    let (large, b, c) = (50 * MIB * 97, 64 * KIB * 98, (64 * KIB + 1) * 99);
    assert_eq!(
        text(&reply),
        format!(
            "Some(\"t\"); 52428800 disk {large} Some(\"a.png\") Some(\"image/png\"); \
             65536 memory {b} Some(\"b\") None; 65537 disk {c} Some(\"c\") None; 0 memory 0 Some(\"d\") None"
        )
    );
    assert_eq!(server.files(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn without_room_on_disk_only_small_files_are_taken() {
    let server = Spooling::start(MIB).await;
    let reply = server.put(&"a".repeat(MIB + 1)).await;
    assert_eq!(reply.refused(503, "unavailable").header("retry-after"), "1");
    assert_eq!(server.put(&"a".repeat(MIB)).await.status, 200);
    let none = Spooling::start(0).await;
    assert_eq!(none.put(&"a".repeat(64 * KIB)).await.status, 200);
    none.put(&"a".repeat(64 * KIB + 1)).await.refused(503, "unavailable");
    let folder = none.folder.path().to_owned();
    drop(none.folder);
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_refuses() {
    let Spooling { client, folder } = Spooling::start(MIB).await;
    drop(folder);
    let call = client.call("PUT", "/raw").header("content-type", "application/octet-stream");
    call.body("a".repeat(MIB)).send().await.refused(503, "unavailable");
}

const HEAD: &str = "PUT /raw HTTP/1.1\r\nhost: t\r\ncontent-type: application/octet-stream\r\ncontent-length: 1048576\r\n\r\n";

#[tokio::test]
async fn what_breaks_off_leaves_nothing_behind() {
    let server = Spooling::start(MIB).await;
    for _ in 0..3 {
        let mut stream = TcpStream::connect(server.client.0).await.unwrap();
        stream.write_all(HEAD.as_bytes()).await.unwrap();
        stream.write_all("a".repeat(900 * KIB).as_bytes()).await.unwrap();
        drop(stream);
    }
    // the whole of the room is there again
    let mut tries = 0;
    while server.put(&"a".repeat(MIB)).await.status != 200 {
        tries += 1;
        assert!(tries < 50, "the room was not given back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.files(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn what_comes_too_slowly_is_given_up() {
    let server = Spooling::start(MIB).await;
    let mut stream = TcpStream::connect(server.client.0).await.unwrap();
    stream.write_all(HEAD.as_bytes()).await.unwrap();
    stream.write_all("a".repeat(900 * KIB).as_bytes()).await.unwrap();
    let mut answer = vec![0; 1000];
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut answer)).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&answer[..read]).starts_with("HTTP/1.1 408 "));
    assert_eq!(server.put(&"a".repeat(MIB)).await.status, 200, "its place is free again");
}
