//! The same of parts that are told by their places.

use super::*;
use crate::input::wire::by_place;

#[derive(Clone, Debug, Default, PartialEq)]
struct Placed {
    part: Option<Boxed<Part>>,
    text: Option<String>,
    file: Option<Upload>,
    rest: Vec<String>,
}

crate::__object!(Placed: Closed {
    0 part: Boxed<Part> = optional "part1",
    1 text: String = optional "part2",
    2 file: Upload = optional "part3",
    3 rest: Vec<String> = required "rest",
});

const PLACES: Places = Places::and_others(&[
    Wire::text("part1").kind(Kind::Json),
    Wire::text("part2"),
    Wire::text("part3").kind(Kind::File),
    Wire::text("rest").kind(Kind::List),
]);

#[tokio::test]
async fn what_leaves_in_its_place_is_read_there() {
    let mut dice = Dice(0x1234_5678_9abc_def1);
    let (mut left, mut kept) = (0, 0);
    for _ in 0..2000 {
        let value = Placed {
            part: dice.maybe(|dice| Boxed::new(dice.part())),
            text: dice.maybe(|dice| dice.text(ANY)),
            file: dice.maybe(|dice| dice.upload(&["\r\n", "--", "\u{0}", "a"])),
            rest: dice.maybe(|dice| dice.list(|dice| dice.text(ANY))).unwrap_or_default(),
        };
        let there =
            [value.part.is_some(), value.text.is_some(), value.file.is_some(), !value.rest.is_empty()];
        let has_gap = there.windows(2).any(|pair| pair == [false, true]);
        let Ok(answer) = Answer::places(200, "multipart/mixed", &value, PLACES, no_rule) else {
            assert!(has_gap, "{value:?}");
            kept += 1;
            continue;
        };
        assert!(!has_gap, "{value:?}");
        let (media_type, bytes) = sent(answer).await;
        let arrival = Arrival::new(Body::from(bytes), arriving::tests::sender(), PARTS_IN_MEMORY);
        let spool = Spool::new(&Settings::new());
        let came = parts(arrival, &media_type, Declared::ByPlace(PLACES), usize::MAX, &spool).await;
        assert_eq!(by_place(&came.unwrap().unwrap(), PLACES, 32, no_rule), Ok(value));
        left += 1;
    }
    assert!(left > 300 && kept > 300, "{left} left, {kept} did not");
}
