//! `cargo palisade explain CODE`: what a finding means, with a document that has it and one that has not.

use clap::Parser;
use palisade_codegen::finding::Code;
use serde_json::json;

use crate::exit::Failure;
use crate::reporter::Reporter;

const EXAMPLE: &str = "Example:\n  cargo palisade explain PAL0030";

/// Explain the code of a finding, with an example of the fault and of its cure.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Explain {
    /// The code, as it stands in the finding.
    code: String,
}

impl Explain {
    pub(crate) fn run(self, reporter: &Reporter) -> Result<(), Failure> {
        let code = Code::parse(&self.code).ok_or_else(|| unknown(&self.code))?;
        let fields = json!({
            "type": "explanation",
            "code": code.as_str(),
            "title": code.title(),
            "why": code.why(),
            "bad": code.bad(),
            "good": code.good(),
        });
        reporter.answer(&text(code), &fields)
    }
}

fn text(code: Code) -> String {
    let (title, why) = (code.title(), code.why());
    format!(
        "{code}: {title}\n\n{why}\n\nWith the fault:\n{}\nWithout:\n{}",
        indented(code.bad()),
        indented(code.good())
    )
}

fn indented(example: &str) -> String {
    example.lines().map(|line| format!("    {line}\n")).collect()
}

fn unknown(code: &str) -> Failure {
    let known = match Code::ALL {
        [first, .., last] => format!("codes run from {first} to {last}"),
        _ => "there are no codes".to_owned(),
    };
    Failure::usage(format!("no finding has the code `{code}`")).help(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn every_code_has_both_examples() {
        for &code in Code::ALL {
            let text = text(code);
            for part in [code.as_str(), code.title(), code.why()] {
                assert!(text.contains(part), "{code}");
            }
            assert!(text.contains("With the fault:\n    ") && text.contains("Without:\n    "), "{code}");
        }
    }

    #[test]
    fn an_unknown_code_is_a_usage_error_that_says_which_there_are() {
        let failure = unknown("PAL9999");
        assert_eq!(failure.exit(), Exit::Usage);
        assert!(failure.help.unwrap().contains("PAL0001"));
    }
}
