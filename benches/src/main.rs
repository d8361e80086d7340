//! The first budgets of the design as one command: bare axum, hand-written axum and palisade in turn, several rounds,
//! ratios within a round, medians. See `README.md` for the method.
#![expect(clippy::print_stdout, reason = "the table is what this command is for")]

mod bare;
mod cpu;
mod credentials;
mod guarded;
mod hand;
mod load;

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What is measured: the same request to two servers, and what palisade may cost at most.
struct Scenario {
    name: &'static str,
    baseline: &'static str,
    path: &'static str,
    status: u16,
    budget: f64,
}

const SCENARIOS: [Scenario; 3] = [
    Scenario {
        name: "GET guarded by a key, against bare axum",
        baseline: "bare",
        path: "GET /items/",
        status: 200,
        budget: 1.10,
    },
    Scenario {
        name: "GET guarded by a JWT (HS256), against hand-written axum",
        baseline: "hand",
        path: "GET /signed/items/",
        status: 200,
        budget: 1.00,
    },
    Scenario {
        name: "POST of 2 KB with every constraint, against bare axum with Json",
        baseline: "bare",
        path: "POST /orders",
        status: 201,
        budget: 1.00,
    },
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", "bare"] => bare::serve().await,
        ["serve", "hand"] => hand::serve().await,
        ["serve", "palisade"] => guarded::serve_guarded().await,
        [] => measure(7, 40_000).await,
        ["--quick"] => measure(1, 1_600).await,
        _ => Err(io::Error::other("usage: budgets [--quick]")),
    }
}

async fn measure(rounds: usize, requests: usize) -> io::Result<()> {
    let file = std::env::temp_dir().join(format!("palisade-bench-{}.keys", std::process::id()));
    let key = credentials::key(&file)?;
    println!(
        "{rounds} rounds of {requests} requests each; server CPU a request, ratios within a round, medians\n"
    );
    for scenario in &SCENARIOS {
        let servers = [scenario.baseline, scenario.baseline, "palisade"];
        let mut servers =
            servers.map(|kind| Server::start(kind, &file)).into_iter().collect::<io::Result<Vec<_>>>()?;
        let request: &'static [u8] = request(scenario.path, &key).leak();
        let (mut same, mut ours, mut base) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..=rounds {
            let mut costs = Vec::new();
            for server in &servers {
                costs.push(server.cost(request, scenario.status, requests).await?);
            }
            // The first round warms up; what it measured is dropped.
            if let (1.., [first, second, guarded]) = (round, costs.as_slice()) {
                base.push(*first);
                same.push(second / first);
                ours.push(guarded / ((first + second) / 2.0));
            }
        }
        println!("{}", scenario.name);
        println!("  {:<10} {:6.2} us", scenario.baseline, median(&mut base) / 1000.0);
        println!(
            "  {:<10} {:6.2} x   (the same server twice: the noise of this run)",
            "A/A",
            median(&mut same)
        );
        println!("  {:<10} {:6.2} x   (budget {:.2} x)\n", "palisade", median(&mut ours), scenario.budget);
        servers.clear();
    }
    std::fs::remove_file(file)
}

fn request(path: &str, key: &str) -> Vec<u8> {
    let id = "0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
    let head = match path {
        "POST /orders" => "POST /orders HTTP/1.1".to_owned(),
        get => format!("{get}{id}?detail=3 HTTP/1.1"),
    };
    let body = if path.starts_with("POST") { credentials::order() } else { String::new() };
    let content = match body.as_str() {
        "" => String::new(),
        _ => format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()),
    };
    let token = credentials::token();
    let credential = match path {
        "GET /signed/items/" => format!("authorization: Bearer {token}\r\n"),
        _ => format!("x-api-key: {key}\r\n"),
    };
    format!("{head}\r\nhost: bench\r\nuser-agent: bench\r\naccept: */*\r\n{credential}{content}\r\n{body}")
        .into_bytes()
}

/// A server in a process of its own, so that its CPU is its own.
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(kind: &str, keys: &Path) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process =
            command.args(["serve", kind]).env(credentials::KEYS, keys).stdout(Stdio::piped()).spawn()?;
        let output = process.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().parse().map_err(io::Error::other)?;
        Ok(Self { process, address })
    }

    /// Nanoseconds of the server's CPU a request.
    async fn cost(&self, request: &'static [u8], status: u16, requests: usize) -> io::Result<f64> {
        let before = cpu::nanoseconds(self.process.id())?;
        load::run(self.address, request, status, requests).await?;
        let spent = cpu::nanoseconds(self.process.id())? - before;
        Ok(spent as f64 / requests as f64)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Binds a port of the system's choice and says which.
async fn listener() -> io::Result<tokio::net::TcpListener> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    Ok(listener)
}
