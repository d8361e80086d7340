//! A request: bare axum, hand-written axum and palisade in turn, each a server in a process of its own.

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::table::{self, Ratios};
use crate::{cpu, credentials, load};

/// The same request to two servers, and what palisade may cost at most.
struct Scenario {
    name: &'static str,
    baseline: &'static str,
    path: &'static str,
    status: u16,
    budget: Option<f64>,
}

const SCENARIOS: [Scenario; 5] = [
    Scenario {
        name: "GET by API key, scope, two limits / bare axum",
        baseline: "bare",
        path: "GET /items/",
        status: 200,
        budget: Some(1.10),
    },
    Scenario {
        name: "the same / bare axum that sends the same headers",
        baseline: "dressed",
        path: "GET /items/",
        status: 200,
        budget: None,
    },
    Scenario {
        name: "GET by JWT (HS256), scope, two limits / hand-written axum",
        baseline: "hand",
        path: "GET /signed/items/",
        status: 200,
        budget: None,
    },
    Scenario {
        name: "the same / hand-written axum that counts by governor as well",
        baseline: "hand-limited",
        path: "GET /signed/items/",
        status: 200,
        budget: Some(1.00),
    },
    Scenario {
        name: "POST of 2 KB, every member constrained / bare axum's Json",
        baseline: "bare",
        path: "POST /orders",
        status: 201,
        budget: Some(1.00),
    },
];

pub(crate) async fn measure(rounds: usize, requests: usize) -> io::Result<()> {
    let file = std::env::temp_dir().join(format!("palisade-bench-{}.keys", std::process::id()));
    let key = credentials::key(&file)?;
    for scenario in &SCENARIOS {
        let mut ratios = scenario.run(&file, &key, rounds, requests).await?;
        table::ratio(scenario.name, &mut ratios, scenario.budget);
    }
    std::fs::remove_file(file)
}

impl Scenario {
    async fn run(&self, keys: &Path, key: &str, rounds: usize, requests: usize) -> io::Result<Ratios> {
        let servers = [self.baseline, self.baseline, "palisade"];
        let servers =
            servers.map(|kind| Server::start(kind, keys)).into_iter().collect::<io::Result<Vec<_>>>()?;
        let request: &'static [u8] = request(self.path, key).leak();
        let mut ratios = Ratios::new();
        for round in 0..=rounds {
            let mut costs = Vec::new();
            for server in &servers {
                costs.push(server.cost(request, self.status, requests).await?);
            }
            // The first round warms up; what it measured is dropped.
            if let (1.., [first, second, guarded]) = (round, costs.as_slice()) {
                ratios.round(*first, *second, *guarded);
            }
        }
        Ok(ratios)
    }
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
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(kind: &str, keys: &Path) -> io::Result<Self> {
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
