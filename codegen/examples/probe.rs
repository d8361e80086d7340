#![allow(missing_docs, clippy::all, clippy::print_stdout, clippy::unwrap_used)]
use palisade_codegen::*;
fn main() {
    for path in std::env::args().skip(1) {
        let mut best = std::time::Duration::MAX;
        for _ in 0..7 {
            let t = std::time::Instant::now();
            let r = understand(&Source::file(&path));
            let d = t.elapsed();
            best = best.min(d);
            std::hint::black_box(&r);
        }
        println!("{path} {} bytes best {best:?}", std::fs::metadata(&path).unwrap().len());
    }
}
