use palisade::Secret;

fn main() {
    let (one, other) = (Secret::new("a".to_owned()), Secret::new("b".to_owned()));
    println!("{one}");
    println!("{}", one == other);
    let _ = serde_json::to_string(&one);
}
