struct Handlers;

#[derive(palisade::Service)]
struct Desk {
    #[serves(Status)]
    status: Handlers,
}

#[derive(palisade::Service)]
struct Idle {
    status: Handlers,
}

fn main() {}
