use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: Millis = Millis(1_790_000_000_000);

fn rules() -> Rules {
    Rules { classes: ["notice", "verification"].map(|class| class.parse().unwrap()).into(), most_parts: 2 }
}

fn with(key: &str, value: Value) -> Value {
    let mut message = json!({ "reference": "r-1", "to": "13800138000", "text": "hello", "class": "notice" });
    message[key] = value;
    message
}

fn read(value: Value) -> Result<NewMessage, (Option<String>, Problem)> {
    message(value, &rules(), Some(NOW))
}

#[test]
fn what_is_left_out_has_a_default() {
    let message = read(with("to", json!("+8613800138000"))).unwrap();
    assert_eq!(message.to[0].1.as_ref().unwrap().digits(), "13800138000");
    assert!(message.report && message.extension.is_empty() && message.priority == 0);
    assert_eq!(message.not_after, None);
    let all = json!({
        "reference": "r", "to": ["1", "2"], "text": "t", "class": "notice", "report": false, "extension": "01",
        "priority": 9, "not_after": NOW.0 + 1,
    });
    let message = read(all).unwrap();
    assert_eq!((message.to.len(), message.report, message.priority), (2, false, 9));
    assert_eq!((message.extension.as_str(), message.not_after), ("01", Some(Millis(NOW.0 + 1))));
}

#[test]
fn everything_that_is_wrong_has_its_code() {
    let long = "行".repeat(135);
    let cases = [
        ("reference", json!(null), Code::BadReference),
        ("reference", json!(1), Code::BadReference),
        ("reference", json!("a b"), Code::BadReference),
        ("reference", json!("x".repeat(65)), Code::BadReference),
        ("to", json!(13_800_138_000_u64), Code::BadNumber),
        ("to", json!([]), Code::BadNumber),
        ("to", json!(["1", 2]), Code::BadNumber),
        ("text", json!(7), Code::BadText),
        ("text", json!(" \n"), Code::BadText),
        ("text", json!("a\0b"), Code::BadText),
        ("text", json!(long), Code::TextTooLong),
        ("class", json!("promotion"), Code::UnknownClass),
        ("class", json!(["notice"]), Code::UnknownClass),
        ("report", json!("yes"), Code::BadReport),
        ("extension", json!(12), Code::BadExtension),
        ("extension", json!("12x"), Code::BadExtension),
        ("extension", json!("1".repeat(13)), Code::BadExtension),
        ("priority", json!(10), Code::BadPriority),
        ("priority", json!(-1), Code::BadPriority),
        ("priority", json!(1.5), Code::BadPriority),
        ("not_after", json!("tomorrow"), Code::BadNotAfter),
        ("not_after", json!(NOW.0), Code::BadNotAfter),
        ("not_after", json!(BEYOND), Code::BadNotAfter),
        ("prio", json!(1), Code::UnknownField),
    ];
    for (key, value, code) in cases {
        let (reference, problem) = read(with(key, value.clone())).unwrap_err();
        assert_eq!(problem.code, code, "{key}: {value}: {}", problem.message);
        assert_eq!(reference.is_some(), key != "reference", "{key}");
    }
    for key in ["reference", "to", "text", "class"] {
        let mut message = with("report", json!(true));
        message.as_object_mut().unwrap().remove(key);
        assert!(read(message).unwrap_err().1.message.contains("is missing"), "{key}");
    }
    assert_eq!(read(json!([])).unwrap_err().1.code, Code::BadMessage);
}

#[test]
fn one_recipient_that_is_none_leaves_the_others() {
    let to = read(with("to", json!(["13800138000", "1380013800x", ""]))).unwrap().to;
    let codes: Vec<_> = to.iter().map(|(_, read)| read.as_ref().err().map(|problem| problem.code)).collect();
    assert_eq!(codes, [None, Some(Code::BadNumber), Some(Code::BadNumber)]);
}

#[test]
fn a_time_of_day_that_cannot_be_believed_ends_no_message() {
    assert!(message(with("not_after", json!(1)), &rules(), None).is_ok());
}

#[test]
fn a_body_that_is_none_says_where() {
    let cases: [(&[u8], Code, &str); 8] = [
        (b"{\"messages\":[{\"text\":\"\xff\"}]}", Code::NotUtf8, "byte 22"),
        (b"{\n\"messages\": [}", Code::NotJson, "line 2, column 14"),
        (b"{\"messages\": [", Code::NotJson, "ends in the middle"),
        (b"{\"messages\":[{\"text\":\"\\ud800\"}]}", Code::NotJson, "line 1"),
        (b"[]", Code::NoMessages, "not an object"),
        (b"{}", Code::NoMessages, "missing"),
        (b"{\"messages\":{}}", Code::NoMessages, "not a list"),
        (b"{\"messages\":[1],\"more\":1}", Code::NoMessages, "beside"),
    ];
    for (body, code, expected) in cases {
        let problem = messages(body).unwrap_err();
        assert_eq!(problem.code, code, "{problem:?}");
        assert!(problem.message.contains(expected), "{problem:?}");
    }
    assert_eq!(messages(b"{\"messages\":[1,2]}").unwrap().len(), 2);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(secret[0-9]{3}|[ -~]{0,4})".prop_map(Value::from),
    ];
    let key = "(reference|to|text|class|report|extension|priority|not_after|secret[0-9]{3})";
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key, inner, 0..9)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_read_or_refused_without_repeating_it(value in any_json(), body in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Err((_, problem)) = message(value, &rules(), Some(NOW)) {
            prop_assert!(!problem.message.contains("secret"), "{}", problem.message);
            prop_assert_eq!(problem.code.status(), axum::http::StatusCode::OK);
        }
        if let Err(problem) = messages(&body) {
            prop_assert_ne!(problem.code.status(), axum::http::StatusCode::OK);
        }
    }
}
