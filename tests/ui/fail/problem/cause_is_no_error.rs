#[derive(Debug, palisade::Problem)]
enum StoreError {
    #[problem(status = 503, code = "store", message = "try again later")]
    Store(#[source] u8),
}

fn main() {}
