//! The server of `specs/configured.yaml`, made as the `main` of a scaffold makes it: `configured-server FOLDER`, where
//! `palisade.toml` stands. It says where it listens.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use palisade::config::Config;
use palisade::{Caller, Problem};
use tokio::net::TcpListener;

#[allow(missing_docs, dead_code, reason = "as it is generated")]
mod api {
    include!(concat!(env!("OUT_DIR"), "/configured.rs"));
}

use api::*;

struct App;

impl Configured for App {
    async fn list_rows(&self, _: Caller<ListRows>, _: ListRowsInput) -> Result<ListRowsOutput, Problem> {
        Ok(ListRowsOutput::Ok(RowPage { data: Vec::new(), next_cursor: None }))
    }

    async fn add_row(&self, _: Caller<AddRow>, _: AddRowInput) -> Result<AddRowOutput, Problem> {
        Ok(AddRowOutput::NoContent)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("FOLDER")?);
    let config = Config::load(folder.join("palisade.toml"))?;
    let state = config.state().await?;
    let server = server(App)
        .token(config.bearer("token")?)
        .cursor_keys(config.cursor_keys()?)
        .idempotency(config.answers(state)?)
        .settings(config.settings().await?)
        .build()?;
    let listener = TcpListener::bind(config.listen()).await?;
    std::io::stdout().lock().write_all(format!("{}\n", listener.local_addr()?).as_bytes())?;
    palisade::serve(server).listener(listener).await?;
    Ok(())
}
