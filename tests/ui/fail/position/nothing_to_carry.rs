#[derive(palisade::Position)]
struct Nothing {}

#[derive(palisade::Position)]
struct Tuple(i64);

#[derive(palisade::Position)]
struct Borrowed<'a> {
    name: &'a str,
}

fn main() {}
