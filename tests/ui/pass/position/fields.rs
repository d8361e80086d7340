//! What is written is read again, field by field.
use palisade::cursor::Position;

#[derive(Debug, PartialEq, palisade::Position)]
struct After {
    booked_at: i64,
    id: String,
}

fn main() {
    let after = After { booked_at: -7, id: "t-1".into() };
    let mut bytes = Vec::new();
    after.write(&mut bytes);
    let mut rest = bytes.as_slice();
    assert_eq!(After::read(&mut rest), Some(after));
    assert!(rest.is_empty());
    assert_eq!(After::read(&mut bytes.get(..3).unwrap()), None);
}
