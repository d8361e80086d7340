#[derive(palisade::Position)]
struct After {
    booked_at: i64,
    connection: std::net::TcpStream,
}

fn main() {}
