//! Parts of a form that have a style.

use super::*;

fn part(name: &str, text: &str) -> String {
    format!(
        "Content-Disposition: form-data; name=\"{name}\"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}"
    )
}

#[tokio::test]
async fn a_style_joins_the_pieces_of_a_part() {
    let client = start().await;
    let send = async |sent: &[String]| {
        let sent: Vec<&str> = sent.iter().map(String::as_str).collect();
        post(&client, "/styled", "form-data", &body(&sent)).await
    };
    let whole = [
        part("commas", "1,2,3"),
        part("bars", "a,b|%7C c|"),
        part("spaces", "a|b c%20d"),
        part("color", "R,100,G,200"),
        part("words", "a,b"),
        part("words", "c"),
        part("reserved", "a,b"),
        part("reserved", "&/"),
    ];
    let texts: Vec<&str> = whole.iter().map(String::as_str).collect();
    assert_eq!(parts(&send(&whole).await), body(&texts));
    let empty = [part("commas", ""), part("color", "")];
    assert_eq!(parts(&send(&empty).await), body(&[&empty[0], &empty[1]]));
    for (sent, places) in [
        (vec![part("commas", "1,2,3,4")], vec!["body /commas maxItems"]),
        (vec![part("commas", "1,x")], vec!["body /commas/1 type"]),
        (vec![part("commas", "1"), part("commas", "2")], vec!["body /commas duplicate"]),
        (vec![part("commas", "[1]")], vec!["body /commas/0 type"]),
        (vec![part("color", "R,256")], vec!["body /color/R maximum"]),
        (vec![part("color", "R")], vec!["body /color type"]),
        (vec![part("color", "R,1,R,2")], vec!["body /color/R duplicate"]),
        (vec![part("color", "B,1")], vec!["body /color additionalProperties"]),
        (
            vec![part("commas", "1").replace("text/plain", "application/json")],
            vec!["body /commas contentType"],
        ),
    ] {
        let reply = send(&sent).await;
        reply.refused(422, "invalid_body");
        assert_eq!(reply.violations(), places, "{sent:?}");
    }
}

#[test]
fn what_would_be_read_as_other_pieces_does_not_leave() {
    let list = |items: &[&str]| Some(items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>());
    let styled =
        PostStyledBody { commas: None, bars: None, spaces: None, color: None, words: None, reserved: None };
    assert!(Webhooks::styled(&styled).is_ok());
    for (unfit, name) in [
        (PostStyledBody { bars: list(&["a|b"]), ..styled.clone() }, "bars"),
        (PostStyledBody { spaces: list(&["a b"]), ..styled.clone() }, "spaces"),
        (PostStyledBody { bars: list(&[""]), ..styled.clone() }, "bars"),
    ] {
        let refused = Webhooks::styled(&unfit).unwrap_err();
        assert_eq!(refused.to_string(), format!("answer_member_unwritable: {name}"));
    }
    for fine in [
        PostStyledBody { words: list(&["a,b", ""]), ..styled.clone() },
        PostStyledBody { bars: list(&["a b,", ""]), ..styled.clone() },
    ] {
        assert!(Webhooks::styled(&fine).is_ok(), "{fine:?}");
    }
}
