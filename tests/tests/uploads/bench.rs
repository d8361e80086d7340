//! A server that says what it was sent, whose files lie in a folder of its own.

use std::path::PathBuf;

use palisade::{Caller, Problem, Settings, Upload};
use palisade_tests::client::{Client, Reply};
use tokio::io::AsyncReadExt;

use crate::api::*;

pub const KIB: usize = 1024;
pub const MIB: usize = 1024 * KIB;

pub struct Service;

/// Its length, where it is, a sum over its bytes, and what the client says of it.
pub async fn seen(upload: &Upload) -> String {
    let (mut reader, mut chunk) = (upload.reader(), vec![0; 10_000]);
    let (mut length, mut sum) = (0, 0_u64);
    loop {
        let read = reader.read(&mut chunk).await.unwrap();
        if read == 0 {
            break;
        }
        length += read;
        sum += chunk[..read].iter().map(|byte| u64::from(*byte)).sum::<u64>();
    }
    assert_eq!(length as u64, upload.len());
    let place = if upload.in_memory().is_some() { "memory" } else { "disk" };
    format!("{length} {place} {sum} {:?} {:?}", upload.file_name(), upload.content_type())
}

impl Api for Service {
    async fn post_form(&self, _: Caller<PostForm>, input: PostFormInput) -> Result<PostFormOutput, Problem> {
        let mut all = vec![format!("{:?}", input.body.title), seen(&input.body.file).await];
        for upload in input.body.more.into_iter().flatten() {
            all.push(seen(&upload).await);
            assert_eq!(upload.bytes(200_000).await.unwrap().len() as u64, upload.len());
            assert!(upload.is_empty() || upload.bytes(0).await.is_err(), "no more than is asked for");
        }
        Ok(PostFormOutput::Ok(all.join("; ")))
    }

    async fn put_raw(&self, _: Caller<PutRaw>, input: PutRawInput) -> Result<PutRawOutput, Problem> {
        Ok(PutRawOutput::Ok(match input.body {
            None => "none".to_owned(),
            Some(PutRawBody::Json(number)) => number.to_string(),
            Some(PutRawBody::Bytes(upload)) => seen(&upload).await,
        }))
    }

    async fn post_signed(
        &self,
        _: Caller<PostSigned>,
        input: PostSignedInput,
    ) -> Result<PostSignedOutput, Problem> {
        let palisade::Parts { form, headers } = input.body;
        let file = headers.file.expect("the part is required");
        let places: Vec<_> = headers.more.into_iter().flatten().map(|more| more.x_place).collect();
        let origin = headers.note.and_then(|note| note.x_origin);
        Ok(PostSignedOutput::Ok(format!(
            "{} {} {:?} {places:?} {origin:?} {:?}",
            form.file.len(),
            file.x_length,
            file.x_tags,
            form.note.map(|note| note.text),
        )))
    }

    async fn post_untyped(
        &self,
        _: Caller<PostUntyped>,
        input: PostUntypedInput,
    ) -> Result<PostUntypedOutput, Problem> {
        let mut all = vec![input.body.meta.map(|meta| meta.to_string()).unwrap_or_default()];
        for upload in input.body.picture.into_iter().chain(input.body.pages.into_iter().flatten()) {
            all.push(seen(&upload).await);
        }
        Ok(PostUntypedOutput::Ok(all.join("; ")))
    }

    async fn put_untyped(
        &self,
        _: Caller<PutUntyped>,
        input: PutUntypedInput,
    ) -> Result<PutUntypedOutput, Problem> {
        let Untyped { picture, pages, meta } = input.body;
        Ok(PutUntypedOutput::Ok(serde_json::json!([picture, pages, meta]).to_string()))
    }

    async fn post_conditional(
        &self,
        _: Caller<PostConditional>,
        input: PostConditionalInput,
    ) -> Result<PostConditionalOutput, Problem> {
        let mut all = vec![format!("{:?} {:?}", input.body.title, input.body.count)];
        for upload in input.body.file.into_iter().chain(input.body.thumbnail) {
            all.push(seen(&upload).await);
        }
        Ok(PostConditionalOutput::Ok(all.join("; ")))
    }

    async fn post_chosen(
        &self,
        _: Caller<PostChosen>,
        input: PostChosenInput,
    ) -> Result<PostChosenOutput, Problem> {
        Ok(PostChosenOutput::Ok(match input.body {
            PostChosenBody::File(it) => format!("{} {:?}", seen(&it.file).await, it.count),
            PostChosenBody::Link(it) => it.link,
        }))
    }

    async fn post_anything(
        &self,
        _: Caller<PostAnything>,
        input: PostAnythingInput,
    ) -> Result<PostAnythingOutput, Problem> {
        Ok(PostAnythingOutput::Ok(match input.body {
            PostAnythingBody::Json(number) => format!("json {number}"),
            PostAnythingBody::Text(text) => format!("text {text}"),
            PostAnythingBody::Bytes(upload) => seen(&upload).await,
        }))
    }

    async fn put_anything(
        &self,
        _: Caller<PutAnything>,
        input: PutAnythingInput,
    ) -> Result<PutAnythingOutput, Problem> {
        Ok(PutAnythingOutput::Ok(match input.body {
            PutAnythingBody::Json(number) => format!("json {number}"),
            PutAnythingBody::Text(text) => format!("text {text}"),
            PutAnythingBody::Multipart(form) => format!("note {}", form.note),
        }))
    }

    async fn put_bare(&self, _: Caller<PutBare>, input: PutBareInput) -> Result<PutBareOutput, Problem> {
        Ok(PutBareOutput::Ok(input.body.bytes(4).await.unwrap()))
    }

    async fn post_bare(&self, _: Caller<PostBare>, input: PostBareInput) -> Result<PostBareOutput, Problem> {
        let picture = match &input.body.picture {
            Some(picture) => seen(picture).await,
            None => "none".to_owned(),
        };
        Ok(PostBareOutput::Ok(format!("{picture}; {:?}", input.body.seal)))
    }
}

/// A server whose files lie in a folder of its own.
pub struct Spooling {
    pub client: Client,
    pub folder: tempfile::TempDir,
}

impl Spooling {
    pub async fn start(most: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::new().spool_folder(folder.path()).max_spooled_bytes(most as u64);
        let server = server(Service).settings(settings).build().expect("a complete server");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { palisade::serve(server).listener(listener).await });
        Self { client: Client(address), folder }
    }

    pub async fn post(&self, body: &str) -> Reply {
        let call = self.client.call("POST", "/forms");
        call.header("content-type", "multipart/form-data; boundary=XX").body(body).send().await
    }

    pub async fn post_to(&self, path: &str, parts: &[String]) -> Reply {
        let call = self.client.call("POST", path);
        let body = format!("{}--XX--", parts.concat());
        call.header("content-type", "multipart/form-data; boundary=XX").body(body).send().await
    }

    pub async fn put(&self, body: &str) -> Reply {
        let call = self.client.call("PUT", "/raw");
        call.header("content-type", "application/octet-stream").body(body).send().await
    }

    pub fn files(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

pub fn text(reply: &Reply) -> String {
    assert_eq!(reply.status.as_u16(), 200, "{:?}", reply.body);
    String::from_utf8(reply.body.to_vec()).unwrap()
}

pub fn file(name: &str, said: &str, content: &str) -> String {
    format!("--XX\r\nContent-Disposition: form-data; name={name}; {said}\r\n\r\n{content}\r\n")
}

pub fn plain(name: &str, content: &str) -> String {
    format!("--XX\r\nContent-Disposition: form-data; name={name}\r\n\r\n{content}\r\n")
}

pub const PNG: &str = "filename=\"a.png\"\r\nContent-Type: image/png";
