//! Webhooks in parts.

use palisade::{Parts, Upload};

use super::*;

/// The parts of a notice under one boundary.
fn text(notice: &palisade::Notice) -> String {
    let said = notice.content_type.as_deref().unwrap();
    let (_, boundary) = said.split_once("; boundary=").unwrap();
    String::from_utf8(notice.body.to_vec()).unwrap().replace(boundary, "XX")
}

#[tokio::test]
async fn a_webhook_in_parts_is_written_as_an_answer_is() {
    let client = start().await;
    let letter = Webhooks::sent(&heads::spoilt("whole")).unwrap();
    assert_eq!(letter.method, "POST");
    assert!(letter.content_type.as_deref().unwrap().starts_with("multipart/form-data; boundary="));
    assert_eq!(text(&letter), parts(&client.get("/letters?as=whole").send().await));
    let album = Webhooks::placed(&places::spoilt("whole")).unwrap();
    assert_eq!(text(&album), parts(&client.get("/albums?as=whole").send().await));
    let leaves = Parts {
        form: vec!["a".to_owned()],
        headers: vec![PostLeavesBodyPartHeaders { x_number: 1, x_word: None }],
    };
    let leaves = Webhooks::listed(&leaves).unwrap();
    let plain = "Content-Type: text/plain; charset=utf-8\r\nX-Number: 1\r\n\r\na";
    assert_eq!(text(&leaves), body(&[plain]));
    assert_ne!(leaves.content_type, album.content_type, "another boundary each time");
}

#[test]
fn what_the_document_does_not_describe_is_not_sent() {
    for how in ["untitled", "few", "zero", "lines", "unpaged"] {
        assert!(Webhooks::sent(&heads::spoilt(how)).is_err(), "{how}");
    }
    for how in ["gap", "many", "headless"] {
        assert!(Webhooks::placed(&places::spoilt(how)).is_err(), "{how}");
    }
    let mut letter = heads::spoilt("whole");
    letter.form.pages = Some(vec![Upload::new("a").said(None, Some("text/html")); 2]);
    assert_eq!(Webhooks::sent(&letter).unwrap_err().to_string(), "answer_member_unwritable: pages");
}
