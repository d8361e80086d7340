//! What a document costs whoever builds a server of it: generation, and `cargo check` of what is generated.

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use palisade_codegen::{Options, Source, generate};

use crate::table::{self, median};
use crate::{cpu, scratch};

/// As many of the largest documents that generate.
const LARGEST: usize = 3;

/// The large documents that lie beside the checkout, or one that is made up here.
pub(crate) fn measure(rounds: usize, quick: bool) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let made_up = std::env::temp_dir().join(format!("palisade-bench-{}.yaml", std::process::id()));
    std::fs::write(&made_up, document(if quick { 20 } else { 1000 }))?;
    let mut documents = if quick { Vec::new() } else { largest_first(&folder)? };
    documents.push(made_up.clone());
    let mut measured = Vec::new();
    for document in documents {
        if measured.len() == LARGEST {
            break;
        }
        if let Some(cost) = repeated(&document, rounds)? {
            cost.tell(&document)?;
            measured.push(document);
        }
    }
    if let (Some(first), false) = (measured.first(), quick) {
        let code = code(first).ok_or_else(|| io::Error::other("it generated before"))?;
        table::figure("  cargo check of the first of them, CPU", scratch::check(&code)?, "s", Some(20.0));
    }
    std::fs::remove_file(made_up)
}

/// The documents of the corpus by their size. Its larger ones are single files in the folder itself.
fn largest_first(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let Ok(entries) = folder.read_dir() else {
        table::note("(no corpus lies beside the checkout: a made-up document stands for it)");
        return Ok(Vec::new());
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        files.push((entry.metadata()?.len(), entry.path()));
    }
    files.sort_unstable_by(|one, other| other.cmp(one));
    let is_document = |path: &PathBuf| {
        path.is_file()
            && path.extension().is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known))
    };
    Ok(files.into_iter().map(|(_, path)| path).filter(is_document).collect())
}

/// What one process took that generates a document.
struct Cost {
    seconds: Vec<f64>,
    megabytes: Vec<f64>,
    lines: f64,
}

impl Cost {
    fn tell(mut self, document: &Path) -> io::Result<()> {
        let name = document.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = if name.starts_with("palisade-bench") { "a made-up document".to_owned() } else { name };
        let size = std::fs::metadata(document)?.len() as f64 / 1e6;
        let what = format!("generate {name} ({size:.1} MB, {:.0},000 lines), CPU", self.lines / 1000.0);
        table::figure(&what, median(&mut self.seconds), "s", Some(0.7));
        table::figure("  peak memory", median(&mut self.megabytes), "MB", Some(300.0));
        Ok(())
    }
}

/// `None`: the document does not generate.
fn repeated(document: &Path, rounds: usize) -> io::Result<Option<Cost>> {
    let mut cost = Cost { seconds: Vec::new(), megabytes: Vec::new(), lines: 0.0 };
    for _ in 0..rounds {
        let run = Command::new(std::env::current_exe()?).arg("generate").arg(document).output()?;
        let text = String::from_utf8_lossy(&run.stdout);
        let mut numbers = text.split_whitespace().filter_map(|number| number.parse::<f64>().ok());
        let (Some(seconds), Some(megabytes), Some(lines)) = (numbers.next(), numbers.next(), numbers.next())
        else {
            return Ok(None);
        };
        cost.seconds.push(seconds);
        cost.megabytes.push(megabytes);
        cost.lines = lines;
    }
    Ok(Some(cost))
}

/// Generates a document, as a process of its own: CPU in seconds, peak memory in megabytes, lines.
pub(crate) fn report(document: &str) -> io::Result<()> {
    let code = code(Path::new(document)).ok_or_else(|| io::Error::other("it does not generate"))?;
    let seconds = cpu::nanoseconds(std::process::id())? as f64 / 1e9;
    table::note(&format!("{seconds} {} {}", cpu::peak_megabytes()?, code.lines().count()));
    Ok(())
}

/// Documents of others say nothing of palisade's rules, so what they leave open is open.
fn code(document: &Path) -> Option<String> {
    let options = Options::default().assume_public("a document of others, to be measured");
    generate(&Source::file(document), &options).ok().map(|output| output.code())
}

/// A document of so many resources, each with a list, a creation and a look at one.
fn document(resources: usize) -> String {
    let mut text = String::from("openapi: 3.1.0\ninfo: { title: Made up, version: 1.0.0 }\npaths:\n");
    for number in 0..resources {
        let schema = format!("{{ $ref: '#/components/schemas/Thing{number}' }}");
        let answer = |status: &str| {
            format!(
                "      responses:\n        '{status}':\n          description: It\n          \
                 content: {{ application/json: {{ schema: {schema} }} }}\n"
            )
        };
        let _ = write!(
            text,
            "  /things{number}:\n    post:\n      operationId: createThing{number}\n      requestBody:\n        \
             required: true\n        content: {{ application/json: {{ schema: {schema} }} }}\n{}  \
             /things{number}/{{id}}:\n    get:\n      operationId: getThing{number}\n      parameters:\n        \
             - {{ name: id, in: path, required: true, schema: {{ type: string, format: uuid }} }}\n{}",
            answer("201"),
            answer("200"),
        );
    }
    text.push_str("components:\n  schemas:\n");
    for number in 0..resources {
        let _ = write!(
            text,
            "    Thing{number}:\n      type: object\n      description: One of many things that differ by number only.\n      \
             required: [id, name, kind]\n      properties:\n        id: {{ type: string, format: uuid }}\n        \
             name: {{ type: string, minLength: 1, maxLength: 80 }}\n        kind: {{ type: string, enum: [small, large] }}\n        \
             price: {{ type: integer, format: int64, minimum: 0 }}\n        tags: {{ type: array, maxItems: 20, items: {{ type: \
             string, maxLength: 40 }} }}\n        made: {{ type: string, format: date-time }}\n"
        );
    }
    text
}
