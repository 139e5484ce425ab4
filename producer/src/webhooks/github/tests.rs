//! Deliveries as GitHub sends them, and as it never would.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const OLD: &str = "1111111111111111111111111111111111111111";
const NEW: &str = "2222222222222222222222222222222222222222";
const ZERO: &str = "0000000000000000000000000000000000000000";

fn push() -> Value {
    json!({
        "ref": "refs/heads/feature/x",
        "before": OLD,
        "after": NEW,
        "created": false,
        "deleted": false,
        "forced": false,
        "commits": [{"id": NEW, "message": "one", "added": ["a"]}, {"id": OLD, "message": "two"}],
        "head_commit": {"id": NEW},
        "repository": {
            "id": 1,
            "full_name": "octo/shop",
            "clone_url": "https://github.com/octo/shop.git",
            "default_branch": "main",
        },
        "sender": {"login": "octo"},
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut body = push();
    body[field] = value;
    body
}

fn read(body: &Value) -> Result<Hook, InvalidPayload> {
    parse("push", body.to_string().as_bytes())
}

fn reason(body: &Value) -> String {
    match read(body) {
        Ok(Hook::Ignored { reason }) => reason,
        other => panic!("not ignored: {other:?}"),
    }
}

fn signed(secret: &[u8], body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret).unwrap().chain_update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// The example in GitHub's documentation of the signature.
#[test]
fn the_published_signature_is_accepted() {
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert!(verify(b"It's a Secret to Everybody", b"Hello, World!", Some(signature)));
}

/// Rows B4 and B5.
#[test]
fn whatever_is_not_exactly_the_signature_is_refused() {
    let (secret, body) = (b"secret".as_slice(), b"{}".as_slice());
    let good = signed(secret, body);
    assert!(verify(secret, body, Some(&good)));
    let digits = good.strip_prefix("sha256=").unwrap();
    for bad in [
        String::new(),
        digits.to_owned(),
        format!("sha1={digits}"),
        format!("SHA256={digits}"),
        format!("sha256={}", digits.to_uppercase()),
        good[..good.len() - 1].to_owned(),
        good[..good.len() - 2].to_owned(),
        format!("{good}0"),
        format!("{good}00"),
        format!(" {good}"),
        format!("{good},{good}"),
        format!("sha256={}", "g".repeat(64)),
        format!("sha256={}", "ä".repeat(32)),
        format!("sha256={}", "0".repeat(64)),
        "sha256=".to_owned(),
        "a".repeat(1 << 20),
        signed(secret, b"{} "),
        signed(b"other", body),
        signed(b"", body),
    ] {
        assert!(!verify(secret, body, Some(&bad)), "accepted {}", &bad[..bad.len().min(100)]);
    }
    assert!(!verify(secret, body, None));
    assert!(!verify(b"", body, Some(&signed(b"", body))), "no secret must not mean open");
}

#[test]
fn a_push_is_read() {
    let Ok(Hook::Push(push)) = read(&push()) else { panic!("not a push") };
    assert_eq!(push.branch.as_str(), "feature/x");
    assert_eq!((push.after.as_str(), push.before.unwrap().as_str()), (NEW, OLD));
    assert_eq!(push.default_branch.unwrap().as_str(), "main");
    assert_eq!(push.repository_url.as_deref(), Some("https://github.com/octo/shop.git"));
    assert_eq!(push.repository_name.as_deref(), Some("octo/shop"));
    assert_eq!(push.commits, 2);
}

#[test]
fn a_new_branch_has_no_commit_before() {
    let Ok(Hook::Push(push)) = read(&with("before", json!(ZERO))) else { panic!("not a push") };
    assert_eq!(push.before, None);
}

#[test]
fn a_push_without_a_repository_is_still_a_push() {
    for repository in [json!({}), json!({"default_branch": null, "clone_url": null}), json!({"default_branch": "-h"})] {
        let Ok(Hook::Push(push)) = read(&with("repository", repository)) else { panic!("not a push") };
        assert_eq!((push.default_branch, push.repository_url), (None, None));
    }
}

#[test]
fn what_asks_for_no_audit_is_ignored_with_a_reason() {
    assert_eq!(parse("ping", b"not even JSON"), Ok(Hook::Ping));
    assert_eq!(parse("star", b"not even JSON"), Ok(ignored("event `star` asks for no audit".to_owned())));
    assert_eq!(reason(&with("deleted", json!(true))), "`refs/heads/feature/x` was deleted");
    assert_eq!(reason(&with("after", json!(ZERO))), "`refs/heads/feature/x` was deleted");
    assert_eq!(reason(&with("ref", json!("refs/tags/v1"))), "`refs/tags/v1` is not a branch");
    assert_eq!(reason(&with("ref", json!("refs/notes/commits"))), "`refs/notes/commits` is not a branch");
    assert_eq!(reason(&with("ref", json!("main"))), "`main` is not a branch");
    assert_eq!(reason(&with("commits", json!([]))), "no commits came to `feature/x`");
    assert!(
        parse("x\n\u{1b}[31m", b"")
            .is_ok_and(|hook| matches!(hook, Hook::Ignored { reason } if !reason.contains(char::is_control)))
    );
}

/// Row B12.
#[test]
fn names_that_mean_something_to_a_program_go_no_further() {
    let hostile = ["-h", "--upload-pack=x", "../../x", "a b", "a\nb", "@{-1}", "a:b", "a..b", "", "HEAD~1", "a\u{7}"];
    for name in hostile.into_iter().map(ToOwned::to_owned).chain(["x".repeat(10_000)]) {
        let reason = reason(&with("ref", json!(format!("refs/heads/{name}"))));
        assert!(reason.contains("is not valid"), "{reason}");
        assert!(!reason.contains(char::is_control) && reason.len() < 400, "{reason}");
    }
}

/// Row B10.
#[test]
fn a_field_of_another_shape_is_named() {
    let shapes = [json!(null), json!(5), json!(-1.5), json!([]), json!({}), json!(true)];
    for field in ["ref", "after", "before"] {
        for shape in &shapes {
            let error = read(&with(field, shape.clone())).unwrap_err();
            assert!(matches!(error, InvalidPayload::Field { field: named, .. } if named == field), "{error}");
        }
        let mut body = push();
        body.as_object_mut().unwrap().remove(field);
        assert!(read(&body).unwrap_err().to_string().contains(&format!("`{field}` is missing")));
    }
    for shape in [json!(null), json!(5), json!("x"), json!({})] {
        let error = read(&with("commits", shape)).unwrap_err().to_string();
        assert!(error.contains("`commits` is "), "{error}");
    }
    for shape in [json!(5), json!("x"), json!(true)] {
        let error = read(&with("repository", shape)).unwrap_err().to_string();
        assert!(error.contains("`repository` as an object"), "{error}");
    }
    let error = read(&with("repository", json!({"clone_url": 5}))).unwrap_err().to_string();
    assert_eq!(error, "the payload's `repository.clone_url` is a number, where text should be");
}

/// Row B13.
#[test]
fn a_commit_that_is_no_commit_is_refused() {
    for text in ["", "abc", &NEW.to_uppercase().replace('2', "A"), &"1".repeat(41), &format!("{NEW}\n"), "HEAD"] {
        let error = read(&with("after", json!(text))).unwrap_err();
        assert!(matches!(error, InvalidPayload::Field { field: "after", .. }), "{error}");
        assert!(!error.to_string().contains(char::is_control));
    }
    assert!(matches!(read(&with("after", json!("3".repeat(64)))), Ok(Hook::Push(_))));
}

/// Row B9.
#[test]
fn odd_json_is_read_or_refused_and_never_overflows_the_stack() {
    let body = push().to_string();
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
    for deep in [nested("[", "]"), nested("{\"a\":", "}")] {
        assert!(parse("push", deep.as_bytes()).is_err());
        for field in ["other", "ref", "commits", "repository"] {
            let body = body.replacen('{', &format!("{{\"{field}\":{deep},"), 1);
            let outcome = parse("push", body.as_bytes());
            assert!(field == "other" || outcome.is_err(), "{field}");
        }
    }
    let wide: String = (0..100_000).map(|index| format!("\"k{index}\":0,")).collect();
    assert!(parse("push", body.replacen('{', &format!("{{{wide}"), 1).as_bytes()).is_ok());
    for bad in [
        format!("\u{feff}{body}"),
        format!("{body}x"),
        body.replace(NEW, "\\ud800"),
        body.replace("refs/heads/feature/x", "refs/heads/a\\u0000"),
        body.replacen('{', &format!("{{\"ref\":\"{NEW}\","), 1),
        body.replace("false", "NaN"),
        body[..body.len() / 2].to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "\"x\"".to_owned(),
        String::new(),
    ] {
        let error = parse("push", bad.as_bytes()).unwrap_err();
        assert!(!error.to_string().contains(char::is_control), "{error}");
    }
    let mut invalid = body.replace("refs/heads/feature/x", "refs/heads/@@").into_bytes();
    let at = invalid.windows(2).position(|pair| pair == b"@@").unwrap();
    invalid[at] = 0xff;
    assert!(parse("push", &invalid).is_err());
}

/// Row B11.
#[test]
fn json_comes_plain_or_in_a_form() {
    let json = br#"{"a":"b c&d=%"}"#;
    for kind in ["application/json", "Application/JSON; charset=utf-8", "application/json;charset=\"UTF-8\""] {
        assert_eq!(payload_bytes(kind, json).unwrap().as_ref(), json);
    }
    let form =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", "{\"a\":\"b c&d=%\"}").finish();
    let kind = "application/x-www-form-urlencoded";
    assert_eq!(payload_bytes(kind, form.as_bytes()).unwrap().as_ref(), json);
    assert_eq!(payload_bytes(kind, format!("x=1&{form}&payload=2").as_bytes()).unwrap().as_ref(), json);
    for empty in ["", "payloa=x", "xpayload=1"] {
        assert_eq!(payload_bytes(kind, empty.as_bytes()), Err(InvalidPayload::NoPayload));
    }
    for other in [
        "",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/jsonx",
        "text/\u{1b}",
    ] {
        let error = payload_bytes(other, json).unwrap_err();
        assert!(
            matches!(error, InvalidPayload::ContentType(_)) && !error.to_string().contains(char::is_control),
            "{error}"
        );
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,10}".prop_map(Value::from),
        Just(json!(NEW)),
        Just(json!("refs/heads/main")),
    ];
    let key = prop_oneof![
        "[a-z]{1,5}",
        Just("ref".to_owned()),
        Just("commits".to_owned()),
        Just("default_branch".to_owned())
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::hash_map(key.clone(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_reading_panic(event in ".{0,10}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for event in [event.as_str(), "push", "ping"] {
            if let Err(error) = parse(event, &bytes) {
                prop_assert!(!error.to_string().contains(char::is_control));
            }
        }
        verify(b"secret", &bytes, Some(&event));
        verify(b"secret", &bytes, std::str::from_utf8(&bytes).ok());
        if let Ok(text) = std::str::from_utf8(&bytes) {
            prop_assert!(payload_bytes(text, &bytes).is_err());
        }
    }

    #[test]
    fn no_json_in_any_field_makes_reading_panic(
        field in prop_oneof!["ref", "before", "after", "deleted", "commits", "repository", "other"],
        value in any_json(),
    ) {
        match read(&with(&field, value)) {
            Ok(Hook::Push(push)) => prop_assert!(push.commits > 0 && !push.after.is_zero()),
            Ok(Hook::Ping) => prop_assert!(false, "a push is no ping"),
            Ok(Hook::Ignored { reason }) => prop_assert!(!reason.contains(char::is_control)),
            Err(error) => prop_assert!(!error.to_string().contains(char::is_control)),
        }
    }

    #[test]
    fn only_the_right_secret_and_body_verify(
        secret in proptest::collection::vec(any::<u8>(), 1..80),
        body in proptest::collection::vec(any::<u8>(), 0..200),
        flipped in any::<proptest::sample::Index>(),
    ) {
        let signature = signed(&secret, &body);
        prop_assert!(verify(&secret, &body, Some(&signature)));
        let mut other = secret.clone();
        let index = flipped.index(other.len());
        other[index] ^= 1;
        prop_assert!(!verify(&other, &body, Some(&signature)));
        prop_assert!(!verify(&secret, &[body.as_slice(), b"x"].concat(), Some(&signature)));
    }
}
