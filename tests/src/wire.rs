//! The server of `specs/wire.yaml`: it answers with what it understood.

use futures_util::stream;
use palisade::{Caller, Items, Problem, TypedBytes};

use crate::client::Client;

/// The generated module.
#[allow(clippy::all, reason = "linted where it is a golden")]
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/wire.rs"));
}

use api::*;

/// The service.
#[derive(Debug)]
pub struct Service;

/// A server on a port of the system's choice.
pub async fn start() -> Client {
    let server = server(Service).build().expect("a complete server");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { palisade::serve(server).listener(listener).await });
    Client(address)
}

impl Wires for Service {
    async fn get_shape(&self, _: Caller<GetShape>, input: GetShapeInput) -> Result<GetShapeOutput, Problem> {
        let GetShapeInput { colour, sizes, point } = input;
        Ok(GetShapeOutput::Ok(format!("{colour} {sizes:?} {} {:?}", point.x, point.y)))
    }

    async fn search(&self, _: Caller<Search>, input: SearchInput) -> Result<SearchOutput, Problem> {
        let point = |point: Option<Point>| point.map(|point| (point.x, point.y));
        let page = input.page.map(|page| (page.offset, page.sort));
        let note = input.note.map(|note| format!(" {note}")).unwrap_or_default();
        Ok(SearchOutput::Ok(format!(
            "{:?} {page:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}{note}",
            input.filter_name,
            point(input.at),
            input.ids,
            input.words,
            point(input.r#where),
            input.verbose,
            point(input.x_pair),
            input.prefs,
        )))
    }

    async fn find(&self, _: Caller<Find>, input: FindInput) -> Result<FindOutput, Problem> {
        let point = |point: Option<Point>| point.map(|point| (point.x, point.y));
        let filter = input.filter.map(|filter| (filter.word, filter.tags, point(filter.near)));
        Ok(FindOutput::Ok(format!("{filter:?}")))
    }

    async fn forget(&self, _: Caller<Forget>, input: ForgetInput) -> Result<ForgetOutput, Problem> {
        Ok(ForgetOutput::Ok(format!("{} {:?}", input.r#where.x, input.r#where.y)))
    }

    async fn select(&self, _: Caller<Select>, input: SelectInput) -> Result<SelectOutput, Problem> {
        Ok(SelectOutput::Ok(format!("{:?}", input.selector)))
    }

    async fn post_events(
        &self,
        _: Caller<PostEvents>,
        input: PostEventsInput,
    ) -> Result<PostEventsOutput, Problem> {
        let said = |event: &Event| format!("{:?} {}", event.id, event.data.x);
        Ok(PostEventsOutput::Ok(input.body.iter().map(said).collect::<Vec<_>>().join("; ")))
    }

    async fn find_any(&self, _: Caller<FindAny>, _: FindAnyInput) -> Result<FindAnyOutput, Problem> {
        Ok(FindAnyOutput::NoContent)
    }

    async fn post_form(&self, _: Caller<PostForm>, input: PostFormInput) -> Result<PostFormOutput, Problem> {
        let (kind, form) = match input.body {
            PostFormBody::Form(form) => ("form", form),
            PostFormBody::Multipart(form) => ("multipart", form),
        };
        let point = form.point.map(|point| (point.x, point.y));
        let file =
            form.file.map(|file| (file.in_memory().cloned().unwrap(), file.file_name().map(str::to_owned)));
        Ok(PostFormOutput::Ok(format!("{kind} {:?} {:?} {point:?} {file:?}", form.title, form.tags)))
    }

    async fn put_media(&self, _: Caller<PutMedia>, input: PutMediaInput) -> Result<PutMediaOutput, Problem> {
        let content = match input.body {
            None => PutMediaOkContent::Json(Vec::new()),
            Some(PutMediaBody::Json(words)) => PutMediaOkContent::Json(words),
            Some(PutMediaBody::Plain(text) | PutMediaBody::AtomXml(text)) => PutMediaOkContent::Text(text),
            Some(PutMediaBody::Bytes(bytes)) => PutMediaOkContent::Text(format!("{} bytes", bytes.len())),
        };
        let count = match &content {
            PutMediaOkContent::Json(words) => i64::try_from(words.len()).unwrap_or_default(),
            PutMediaOkContent::Text(text) if text == "four" => 4,
            PutMediaOkContent::Text(_) => 0,
        };
        let kinds = (count > 0).then(|| vec!["a".to_owned(), "b".to_owned()]);
        Ok(PutMediaOutput::Ok(content, PutMediaOkHeaders { x_count: count, x_kinds: kinds }))
    }

    async fn get_report(
        &self,
        _: Caller<GetReport>,
        input: GetReportInput,
    ) -> Result<GetReportOutput, Problem> {
        let content = match input.r#as.as_str() {
            "csv" => GetReportOkContent::Csv("a,b".to_owned()),
            "html" => GetReportOkContent::Html("<p>".to_owned()),
            "png" => GetReportOkContent::Png(vec![0x89].into()),
            _ => GetReportOkContent::Jpeg(vec![0xff].into()),
        };
        let set_cookie = match input.r#as.as_str() {
            "csv" => Some(vec!["a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT".to_owned(), "b=2".to_owned()]),
            "html" => Some(vec!["two\nlines".to_owned()]),
            _ => None,
        };
        Ok(GetReportOutput::Ok(content, GetReportOkHeaders { set_cookie }))
    }

    async fn get_cookies(
        &self,
        _: Caller<GetCookies>,
        input: GetCookiesInput,
    ) -> Result<GetCookiesOutput, Problem> {
        let expires = "Expires=Wed, 09 Jun 2027 10:18:14 GMT";
        let more = if input.r#as == "name" { "more; Path" } else { "more" };
        Ok(match input.r#as.as_str() {
            "text" => {
                let set_cookie = format!("a=1; {expires}\nb=2\n");
                GetCookiesOutput::Accepted(GetCookiesAcceptedHeaders { set_cookie })
            }
            "lines" => {
                let set_cookie = "a=1\nb=2".to_owned();
                let headers = GetCookiesNonAuthoritativeInformationHeaders { set_cookie };
                GetCookiesOutput::NonAuthoritativeInformation(headers)
            }
            _ => GetCookiesOutput::Ok(GetCookiesOkHeaders {
                set_cookie: Some(GetCookies200SetCookie {
                    lang: format!("en; {expires}"),
                    visits: Some(7),
                    additional: [(more.to_owned(), "x,y".to_owned())].into(),
                }),
            }),
        })
    }

    async fn get_picture(
        &self,
        _: Caller<GetPicture>,
        input: GetPictureInput,
    ) -> Result<GetPictureOutput, Problem> {
        let typed = TypedBytes::new(input.r#as.clone(), input.r#as.clone());
        Ok(GetPictureOutput::Ok(match input.r#as.starts_with("audio/") {
            true => GetPictureOkContent::Audio(typed),
            false => GetPictureOkContent::Image(typed),
        }))
    }

    async fn post_report(
        &self,
        _: Caller<PostReport>,
        input: PostReportInput,
    ) -> Result<PostReportOutput, Problem> {
        Ok(PostReportOutput::Ok(match input.body {
            PostReportBody::Markdown(text) => format!("markdown {text}"),
            PostReportBody::Html(text) => format!("html {text}"),
        }))
    }

    async fn put_lines(&self, _: Caller<PutLines>, input: PutLinesInput) -> Result<PutLinesOutput, Problem> {
        Ok(PutLinesOutput::Ok(format!("{:?}", input.body)))
    }

    async fn get_lines(&self, _: Caller<GetLines>, input: GetLinesInput) -> Result<GetLinesOutput, Problem> {
        let points = stream::iter((input.from..input.from + 2).map(|x| Point { x, y: None }));
        Ok(GetLinesOutput::Ok(match input.from {
            5 => GetLinesOkContent::Events(Items::new(points)),
            _ => GetLinesOkContent::Lines(Items::new(points)),
        }))
    }

    async fn get_events(
        &self,
        _: Caller<GetEvents>,
        input: GetEventsInput,
    ) -> Result<GetEventsOutput, Problem> {
        let event = |id: Option<String>, data| Event { event: Some("moved".to_owned()), id, data };
        let first = event(None, Point { x: 1, y: None });
        let events = [first, event(Some(input.word.replace('_', "\n")), Point { x: 2, y: None })];
        Ok(GetEventsOutput::Ok(match input.word.as_str() {
            "sequence" => GetEventsOkContent::Lines(Items::new(stream::iter(events))),
            _ => GetEventsOkContent::Events(Items::new(stream::iter(events))),
        }))
    }

    async fn post_lines(
        &self,
        _: Caller<PostLines>,
        input: PostLinesInput,
    ) -> Result<PostLinesOutput, Problem> {
        let points = match input.body {
            PostLinesBody::XNdjson(points) | PostLinesBody::Jsonl(points) => points,
        };
        let points: Vec<_> = points.into_iter().map(|point| (point.x, point.y)).collect();
        Ok(PostLinesOutput::Ok(format!("{points:?}")))
    }

    async fn get_cafe(&self, _: Caller<GetCafe>, _: GetCafeInput) -> Result<GetCafeOutput, Problem> {
        Ok(GetCafeOutput::Ok("coffee".to_owned()))
    }

    async fn get_json_file(
        &self,
        _: Caller<GetJsonFile>,
        input: GetJsonFileInput,
    ) -> Result<GetJsonFileOutput, Problem> {
        Ok(GetJsonFileOutput::Ok(format!("json {}", input.name)))
    }

    async fn get_file(&self, _: Caller<GetFile>, input: GetFileInput) -> Result<GetFileOutput, Problem> {
        Ok(GetFileOutput::Ok(format!("file {}", input.name)))
    }

    async fn delete_file(
        &self,
        _: Caller<DeleteFile>,
        input: DeleteFileInput,
    ) -> Result<DeleteFileOutput, Problem> {
        Ok(DeleteFileOutput::Ok(format!("gone {}", input.directory)))
    }

    async fn get_meta(&self, _: Caller<GetMeta>, input: GetMetaInput) -> Result<GetMetaOutput, Problem> {
        Ok(GetMetaOutput::Ok(format!("meta {}", input.name)))
    }

    async fn get_new(&self, _: Caller<GetNew>, input: GetNewInput) -> Result<GetNewOutput, Problem> {
        Ok(GetNewOutput::Ok(format!("new {}", input.kind)))
    }
}
