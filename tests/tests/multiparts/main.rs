//! Bodies in parts, both ways, and events of several kinds: what parts say in their heads, parts that are told by their places,
//! parts with a style. Allowed and refused side by side.
#![deny(warnings)]

mod events;
mod heads;
mod nested;
mod notices;
mod places;
mod styles;

use palisade::{Caller, Problem};
use palisade_tests::client::{Client, Reply};

/// The generated module.
#[allow(clippy::all, missing_docs, reason = "linted where it is a golden")]
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/multiparts.rs"));
}

use api::*;

struct Service;

impl Api for Service {
    async fn get_letter(
        &self,
        _: Caller<GetLetter>,
        input: GetLetterInput,
    ) -> Result<GetLetterOutput, Problem> {
        Ok(GetLetterOutput::Ok(heads::spoilt(&input.r#as)))
    }

    async fn post_letter(
        &self,
        _: Caller<PostLetter>,
        input: PostLetterInput,
    ) -> Result<PostLetterOutput, Problem> {
        Ok(PostLetterOutput::Ok(input.body))
    }

    async fn post_leaves(
        &self,
        _: Caller<PostLeaves>,
        input: PostLeavesInput,
    ) -> Result<PostLeavesOutput, Problem> {
        let mut leaves = input.body;
        if input.drop == Some(true) {
            leaves.headers.pop();
        }
        Ok(PostLeavesOutput::Ok(leaves))
    }

    async fn get_album(&self, _: Caller<GetAlbum>, input: GetAlbumInput) -> Result<GetAlbumOutput, Problem> {
        Ok(GetAlbumOutput::Ok(places::spoilt(&input.r#as)))
    }

    async fn post_album(
        &self,
        _: Caller<PostAlbum>,
        input: PostAlbumInput,
    ) -> Result<PostAlbumOutput, Problem> {
        Ok(PostAlbumOutput::Ok(input.body))
    }

    async fn post_styled(
        &self,
        _: Caller<PostStyled>,
        input: PostStyledInput,
    ) -> Result<PostStyledOutput, Problem> {
        Ok(PostStyledOutput::Ok(input.body))
    }

    async fn post_events(
        &self,
        _: Caller<PostEvents>,
        input: PostEventsInput,
    ) -> Result<PostEventsOutput, Problem> {
        Ok(PostEventsOutput::Ok(format!("{:?}", input.body)))
    }

    async fn put_events(
        &self,
        _: Caller<PutEvents>,
        input: PutEventsInput,
    ) -> Result<PutEventsOutput, Problem> {
        Ok(PutEventsOutput::Ok(format!("{:?}", input.body)))
    }

    async fn post_nested(
        &self,
        _: Caller<PostNested>,
        input: PostNestedInput,
    ) -> Result<PostNestedOutput, Problem> {
        let PostNestedBody { part1, part2 } = input.body;
        let file = part2.part3.as_ref().map(|file| (file.file_name(), file.content_type(), file.in_memory()));
        Ok(PostNestedOutput::Ok(format!("{part1:?} {} {:?} {file:?}", part2.part1.x, part2.part2)))
    }

    async fn post_rows(&self, _: Caller<PostRows>, input: PostRowsInput) -> Result<PostRowsOutput, Problem> {
        Ok(PostRowsOutput::Ok(match input.body {
            PostRowsBody2::Mixed(rows) => {
                let heads = rows.headers.rest.unwrap_or_default();
                let heads: Vec<i64> = heads.iter().map(|row| row.x_row).collect();
                format!("{:?} {:?} {heads:?}", rows.form.part1, rows.form.rest)
            }
            PostRowsBody2::FormData(row) => {
                format!("{:?} {:?}", row.form.cells, row.headers.cells.map(|cells| cells.x_row))
            }
        }))
    }

    async fn post_boxes(
        &self,
        _: Caller<PostBoxes>,
        input: PostBoxesInput,
    ) -> Result<PostBoxesOutput, Problem> {
        let said = |inner: &PostBoxesBodyInner| {
            let file = inner.file.as_ref().map(|file| file.in_memory().map(|bytes| bytes.len()));
            format!("{} {:?} {file:?}", inner.word, inner.pair.as_ref().map(|pair| pair.x))
        };
        Ok(PostBoxesOutput::Ok(match input.body {
            PostBoxesBody2::FormData(parts) => {
                let head = parts.headers.inner.map(|inner| inner.x_box);
                format!("{:?} {} {head:?}", parts.form.name, said(&parts.form.inner))
            }
            PostBoxesBody2::Related(inners) => inners.iter().map(said).collect::<Vec<_>>().join("; "),
        }))
    }

    async fn post_pair(&self, _: Caller<PostPair>, input: PostPairInput) -> Result<PostPairOutput, Problem> {
        Ok(PostPairOutput::Ok(input.body))
    }
}

async fn start() -> Client {
    let server = server(Service).build().expect("a complete server");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { palisade::serve(server).listener(listener).await });
    Client(address)
}

/// The parts of an answer, each with its head, under the boundary of a request.
fn parts(reply: &Reply) -> String {
    assert_eq!(reply.status.as_u16(), 200, "{:?}", reply.body);
    let boundary = reply.header("content-type").split_once("boundary=").unwrap().1;
    String::from_utf8(reply.body.to_vec()).unwrap().replace(boundary, "XX")
}

fn body(parts: &[&str]) -> String {
    let parts: String = parts.iter().map(|part| format!("--XX\r\n{part}\r\n")).collect();
    format!("{parts}--XX--\r\n")
}

async fn post(client: &Client, path: &str, kind: &str, body: &str) -> Reply {
    let kind = format!("multipart/{kind}; boundary=XX");
    client.call("POST", path).header("content-type", &kind).body(body).send().await
}
