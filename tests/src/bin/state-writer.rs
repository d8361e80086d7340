//! Puts one record after another into a file, and says of each that it is kept, until it is killed.

use std::{io::Write, time::Duration};

use palisade::{
    State,
    state::{Expected, Key, Kind, Next, Swapped},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("a path")?;
    let state = State::open(path).map_err(|error| error.to_string())?;
    let tasks: Vec<_> = (0..8).map(|task| tokio::spawn(write(state.clone(), task))).collect();
    for task in tasks {
        task.await?;
    }
    Ok(())
}

async fn write(state: State, task: usize) {
    for number in 0.. {
        let name = format!("{}/{task}/{number}", std::process::id());
        let key = Key::new(Kind::Application, &[name.as_bytes()]);
        let next = Next::Record { value: name.clone().into_bytes(), keep: Duration::from_secs(3600) };
        let swapped = state.swap(key, Expected::Nothing, next).await.unwrap();
        let Swapped::Made(version) = swapped else { panic!("{swapped:?}") };
        std::io::stdout().lock().write_all(format!("kept {name} {version}\n").as_bytes()).unwrap();
    }
}
