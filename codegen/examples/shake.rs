//! Shakes documents until the generator panics, hangs or eats memory: mutation by chance, the same for the same seed, on
//! the stable toolchain. `fuzz/` does the same guided by coverage.
//!
//! ```text
//! cargo run --release -p palisade-codegen --example shake -- SECONDS SEED FOLDER...
//! ```
//! Documents of up to 64 KiB below the folders are mutated. What fails is written beside, and its name printed.
#![allow(clippy::print_stdout, clippy::expect_used, clippy::panic, reason = "a tool")]

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use palisade_codegen::{Options, Source, generate};

/// Longer is a hang, also on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);
/// Worth a look.
const SLOW: Duration = Duration::from_secs(1);
/// More is too much, in KiB.
const MEMORY: u64 = 2 << 20;
const LARGEST: u64 = 64 << 10;

/// What breaks readers, and words that mean something.
const PIECES: [&str; 72] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "'",
    "- ",
    "\n",
    "  ",
    "\t",
    "#",
    "&a ",
    "*a",
    "!!str ",
    "|\n",
    ">-\n",
    "? ",
    "<<: *a",
    "null",
    "true",
    "-1",
    "1e309",
    "1e-400",
    "99999999999999999999",
    "0x",
    "''",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\u{feff}",
    "\u{202e}",
    "\u{0}",
    "$ref: '#'",
    "$ref: '#/'",
    "$ref: '#/paths'",
    "$ref: '#/components/schemas/A'",
    "\"$ref\": \"#\"",
    "{ $ref: '#/components' }",
    "$id: https://example.com/a",
    "$id: a",
    "$anchor: a",
    "$dynamicAnchor: a",
    "$dynamicRef: '#a'",
    "$ref: '#a'",
    "$ref: a",
    "$schema: http://json-schema.org/draft-04/schema#",
    "type: object",
    "type: [string, 'null']",
    "enum: []",
    "enum: ['', ' ', 'a', 'A']",
    "required: [a, a]",
    "pattern: '(a+)+$'",
    "pattern: '(?=a)'",
    "pattern: '[\\u{10FFFF}]'",
    "allOf:",
    "oneOf:",
    "anyOf:",
    "not: {}",
    "items: {}",
    "properties:",
    "additionalProperties: {}",
    "default: {}",
    "minimum: 1",
    "maxLength: 4294967296",
    "security: [{}]",
    "x-palisade: {}",
    "in: path",
    "/{a}/{b}",
    "/{a}{b}",
    "operationId: fn",
    "self",
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(60);
    let seed: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let folders: Vec<String> = arguments.collect();
    let mut documents = Vec::new();
    for folder in &folders {
        gather(Path::new(folder), &mut documents);
    }
    documents.sort();
    assert!(!documents.is_empty(), "name folders with documents in YAML or JSON");
    let mut shaker = Shaker { chance: Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1), documents };
    let watch = Watch::start();
    let panics = watch.panics.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        *panics.lock().expect("a place") = place;
    }));
    let (started, mut rounds, mut slowest) = (Instant::now(), 0_u64, Duration::ZERO);
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    while started.elapsed() < Duration::from_secs(seconds) {
        let (name, text) = shaker.next();
        rounds += 1;
        watch.begin(&name, &text);
        let began = Instant::now();
        let run = std::panic::catch_unwind(AssertUnwindSafe(|| shake(&name, &text)));
        let took = began.elapsed();
        watch.end();
        if took > slowest.max(SLOW) {
            println!("{took:?}: {}", keep(&name, &text).display());
        }
        slowest = slowest.max(took);
        if run.is_err() {
            let place = watch.panics.lock().expect("a place").clone();
            let count = found.entry(place.clone()).or_default();
            *count += 1;
            if *count == 1 {
                println!("panic at {place}: {}", keep(&name, &text).display());
            }
        }
    }
    println!(
        "{rounds} documents, {} places of panic, slowest {slowest:?}, memory {} MiB",
        found.len(),
        memory() >> 10
    );
}

fn shake(name: &str, text: &str) {
    match generate(&Source::text(name, text), &Options::default().assume_public("shaken")) {
        Ok(output) => {
            let code = output.code();
            assert!(syn::parse_file(&code).is_ok(), "what is generated is Rust");
        }
        Err(findings) => {
            assert!(findings.has_errors());
            assert!(!findings.render().is_empty() && !findings.to_json().is_empty());
        }
    }
}

fn gather(path: &Path, documents: &mut Vec<(String, String)>) {
    if let Ok(entries) = std::fs::read_dir(path) {
        entries.flatten().for_each(|entry| gather(&entry.path(), documents));
        return;
    }
    let ending = path.extension().and_then(|ending| ending.to_str());
    let small = std::fs::metadata(path).is_ok_and(|facts| facts.len() <= LARGEST);
    if small
        && let Some(ending @ ("yaml" | "yml" | "json")) = ending
        && let Ok(text) = std::fs::read_to_string(path)
    {
        documents.push((format!("shaken.{ending}"), text));
    }
}

fn keep(name: &str, text: &str) -> PathBuf {
    let folder = std::env::temp_dir().join("palisade-shake");
    std::fs::create_dir_all(&folder).expect("a folder for what fails");
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let path = folder.join(format!("{hash:016x}-{name}"));
    std::fs::write(&path, text).expect("what fails is kept");
    path
}

/// The most memory that this process ever had, in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Ends the process when a document takes too long or too much.
struct Watch {
    now: mpsc::Sender<Option<(String, String)>>,
    panics: Arc<Mutex<String>>,
}

impl Watch {
    fn start() -> Self {
        let (now, begun) = mpsc::channel::<Option<(String, String)>>();
        std::thread::spawn(move || {
            let mut current = None;
            loop {
                match begun.recv_timeout(PATIENCE) {
                    Ok(next) => current = next,
                    Err(mpsc::RecvTimeoutError::Disconnected) => return,
                    Err(mpsc::RecvTimeoutError::Timeout) => {
                        if let Some((name, text)) = &current {
                            println!("hangs: {}", keep(name, text).display());
                            std::process::exit(1);
                        }
                    }
                }
                if memory() > MEMORY
                    && let Some((name, text)) = &current
                {
                    println!("eats memory: {}", keep(name, text).display());
                    std::process::exit(1);
                }
            }
        });
        Self { now, panics: Arc::default() }
    }

    fn begin(&self, name: &str, text: &str) {
        let _ = self.now.send(Some((name.to_owned(), text.to_owned())));
    }

    fn end(&self) {
        let _ = self.now.send(None);
    }
}

/// xorshift64: the same numbers for the same seed, on every machine.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 11).unwrap_or(0) % limit.max(1)
    }
}

struct Shaker {
    chance: Chance,
    documents: Vec<(String, String)>,
}

impl Shaker {
    fn next(&mut self) -> (String, String) {
        let at = self.chance.below(self.documents.len());
        let (name, mut text) = self.documents.get(at).cloned().unwrap_or_default();
        for _ in 0..=self.chance.below(6) {
            text = self.mutated(&text);
        }
        (name, text)
    }

    fn mutated(&mut self, text: &str) -> String {
        let lines: Vec<&str> = text.split('\n').collect();
        let line = self.chance.below(lines.len());
        let at = self.boundary(text);
        let (head, tail) = text.split_at(at);
        match self.chance.below(10) {
            0 => head.to_owned(),
            1 => format!("{head}{}{tail}", self.piece()),
            2 => {
                let skipped = self.chance.below(12);
                format!("{head}{}", tail.chars().skip(skipped).collect::<String>())
            }
            // a line goes, comes twice, or moves in or out
            3 => without(&lines, line),
            4 => replaced(&lines, line, &format!("{0}\n{0}", lines.get(line).unwrap_or(&""))),
            5 => replaced(&lines, line, &format!("  {}", lines.get(line).unwrap_or(&""))),
            6 => replaced(&lines, line, lines.get(line).unwrap_or(&"").trim_start_matches("  ")),
            // a value becomes another
            7 => {
                let kept = lines.get(line).and_then(|line| line.split_once(':')).map_or("", |(key, _)| key);
                let value = self.piece();
                replaced(&lines, line, &format!("{kept}: {value}"))
            }
            // a part of another document
            8 => {
                let other = self.chance.below(self.documents.len());
                let other = self.documents.get(other).map(|(_, text)| text.clone()).unwrap_or_default();
                let from = self.boundary(&other);
                let part: String = other.split_at(from).1.chars().take(self.chance.below(400)).collect();
                format!("{head}{part}{tail}")
            }
            // the same many times
            _ => {
                let part: String = tail.chars().take(self.chance.below(40)).collect();
                format!("{head}{}{tail}", part.repeat(self.chance.below(200)))
            }
        }
    }

    fn piece(&mut self) -> &'static str {
        let at = self.chance.below(PIECES.len());
        PIECES.get(at).copied().unwrap_or_default()
    }

    fn boundary(&mut self, text: &str) -> usize {
        let wanted = self.chance.below(text.len() + 1);
        (0..=wanted).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
    }
}

fn without(lines: &[&str], at: usize) -> String {
    let kept: Vec<&str> =
        lines.iter().enumerate().filter(|(line, _)| *line != at).map(|(_, line)| *line).collect();
    kept.join("\n")
}

fn replaced(lines: &[&str], at: usize, by: &str) -> String {
    let kept: Vec<&str> =
        lines.iter().enumerate().map(|(line, text)| if line == at { by } else { text }).collect();
    kept.join("\n")
}
