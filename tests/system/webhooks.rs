//! Webhooks: who may deliver, what each delivery is answered, and that nothing else comes of a bad one.

use futures::future::join_all;
use serde_json::{Value, json};
use tests::audits::push;
use tests::exchange::{Exchange, Flood, Framing, exchange, flood};
use tests::github::signature;
use tests::stack::{Role, SECRET, Stack, StackConfig};

/// Where deliveries of the project go.
const SHOP: &str = "/webhooks/github/shop";

const MIB: u64 = 1024 * 1024;

/// What the limit of 25 MiB and the buffers between two sockets hold together, with room to spare.
const TAKEN_MAX: u64 = 64 * MIB;

/// Only what answers a webhook: nothing plans or works, so whatever an audit would become stays where it is.
async fn doors() -> Stack {
    let mut stack = Stack::services(StackConfig::default()).await;
    stack.set_up().await;
    stack.add(Role::Serve).await;
    stack.register_url("shop", "https://github.com/shop/shop.git").await;
    stack
}

async fn rows(stack: &Stack, table: &str) -> i64 {
    let count = match table {
        "audits" => "SELECT count(*) FROM audits",
        "deliveries" => "SELECT count(*) FROM deliveries",
        other => panic!("no count of {other}"),
    };
    sqlx::query_scalar(count).fetch_one(&mut stack.record().await).await.unwrap()
}

/// Delivers `body` as `event`, signed as GitHub would.
async fn deliver(stack: &Stack, event: &str, id: &str, body: &[u8]) -> (u16, Value) {
    let sign = signature(SECRET, body);
    let headers = [
        ("content-type", "application/json"),
        ("x-github-event", event),
        ("x-github-delivery", id),
        ("x-hub-signature-256", &sign),
    ];
    let Exchange { status, body, .. } = exchange(stack.api().base(), SHOP, &headers, body).await;
    (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_knows_the_secret_is_heard_and_nobody_learns_why_not() {
    let stack = doors().await;
    let body = serde_json::to_vec(&push(None, &"a".repeat(40)).payload).unwrap();
    let (right, wrong) = (signature(SECRET, &body), signature("another secret", &body));
    let (upper, other_body) = (right.to_uppercase().replace("SHA256", "sha256"), signature(SECRET, b"{}"));
    let (sha1, long) = (format!("sha1={}", "0".repeat(40)), format!("sha256={}", "0".repeat(16 * 1024)));
    let signed = "x-hub-signature-256";
    let strangers: [(&str, &[(&str, &str)]); 12] = [
        (SHOP, &[]),
        (SHOP, &[(signed, "")]),
        (SHOP, &[(signed, &wrong)]),
        (SHOP, &[(signed, &other_body)]),
        (SHOP, &[(signed, &right[..right.len() - 2])]),
        (SHOP, &[(signed, &upper)]),
        (SHOP, &[(signed, &long)]),
        (SHOP, &[("x-hub-signature", &sha1)]),
        (SHOP, &[(signed, &sha1)]),
        (SHOP, &[(signed, &right), (signed, &wrong)]),
        ("/webhooks/github/nobody", &[(signed, &right)]),
        ("/webhooks/github/No_Slug%00", &[(signed, &right)]),
    ];
    let mut answers = Vec::new();
    for (path, signatures) in strangers {
        let headers = [&[("x-github-event", "push"), ("content-type", "application/json")], signatures].concat();
        answers.push(exchange(stack.api().base(), path, &headers, &body).await);
    }

    assert_eq!(answers[0].status, 401, "{:?}", answers[0]);
    for (answer, stranger) in answers.iter().zip(&strangers) {
        assert_eq!(answer, &answers[0], "{stranger:?} is answered differently");
    }
    assert_eq!((rows(&stack, "audits").await, rows(&stack, "deliveries").await), (0, 0));
    let (status, _) = deliver(&stack, "push", "one", &body).await;
    assert_eq!(status, 202, "the same body, signed right");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_deliveries_are_answered_clearly_and_leave_nothing_behind() {
    let stack = doors().await;
    what_is_no_push_is_ignored_with_a_reason(&stack).await;
    what_cannot_be_read_is_named(&stack).await;
    what_is_packed_otherwise_is_refused(&stack).await;
    what_is_too_large_is_cut_off(&stack).await;

    stack.api().get("/health/ready").await.expect(200);
    assert_eq!(rows(&stack, "audits").await, 0);
    let (status, answer) =
        deliver(&stack, "push", "good", push(None, &"a".repeat(40)).payload.to_string().as_bytes()).await;
    assert_eq!(status, 202, "{answer}");
}

async fn what_is_no_push_is_ignored_with_a_reason(stack: &Stack) {
    let (status, answer) = deliver(stack, "ping", "ping", br#"{"zen":"Design for failure.","hook_id":1}"#).await;
    assert_eq!((status, text(&answer["status"])), (200, "pong"), "{answer}");

    let changed = |field: &str, value: Value| {
        let mut payload = push(None, &"a".repeat(40)).payload;
        payload[field] = value;
        payload
    };
    let mut deleted = changed("deleted", json!(true));
    deleted["after"] = json!("0".repeat(40));
    let ignored = [
        ("push", deleted, "`refs/heads/main` was deleted"),
        ("push", changed("ref", json!("refs/tags/v1")), "`refs/tags/v1` is not a branch"),
        ("push", changed("ref", json!("refs/heads/-h")), "revision `-h` is not valid"),
        ("push", changed("ref", json!("refs/heads/a\u{1b}[2J\n")), "is not valid"),
        ("push", changed("commits", json!([])), "no commits came to `main`"),
        ("pull_request", json!({"action": "opened"}), "event `pull_request` asks for no audit"),
        ("", json!({}), "event `` asks for no audit"),
    ];
    for (number, (event, payload, reason)) in ignored.iter().enumerate() {
        let id = format!("ignored-{number}");
        // The second time it is a redelivery.
        for _ in 0..2 {
            let (status, answer) = deliver(stack, event, &id, payload.to_string().as_bytes()).await;
            assert_eq!((status, text(&answer["status"])), (200, "ignored"), "{event}: {answer}");
            assert!(text(&answer["reason"]).contains(reason), "{answer} does not say {reason}");
            assert!(!text(&answer["reason"]).contains(char::is_control), "{answer:?}");
        }
    }
    assert_eq!(rows(stack, "audits").await, 0);
}

async fn what_cannot_be_read_is_named(stack: &Stack) {
    let zero = "0".repeat(40);
    let (open, close) = ("[".repeat(10_000), "]".repeat(10_000));
    let bodies = [
        (String::new(), "cannot be read"),
        ("garbage".to_owned(), "cannot be read"),
        (format!(r#"{{"ref":"refs/heads/main","after":"{zero}""#), "cannot be read"),
        ("[]".to_owned(), "`ref` is missing"),
        ("null".to_owned(), "a push as an object"),
        (format!("{open}{close}"), "`ref` is a list"),
        (format!(r#"{{"ref":{open}{close}}}"#), "`ref` is a list"),
        (format!(r#"{{"x":{open}{close}}}"#), "`ref` is missing"),
        (r#"{"ref":null}"#.to_owned(), "`ref` is null"),
        (r#"{"ref":"refs/heads/main"}"#.to_owned(), "`after` is missing"),
        (r#"{"ref":"refs/heads/main","after":1e400}"#.to_owned(), "cannot be read"),
        (r#"{"ref":"refs/heads/main","after":17}"#.to_owned(), "`after` is a number"),
        (r#"{"ref":"refs/heads/main","after":"HEAD"}"#.to_owned(), "`after` is `HEAD`"),
        (format!(r#"{{"ref":"refs/heads/main","after":"{}"}}"#, "A".repeat(40)), "`after` is `AAAA"),
        (format!(r#"{{"ref":"refs/heads/main","after":"{}","before":{{}}}}"#, "a".repeat(40)), "`before` is an object"),
        (
            format!(r#"{{"ref":"refs/heads/main","after":"{0}","before":"{0}","commits":5}}"#, "a".repeat(40)),
            "`commits` is a number",
        ),
        (r#"{"ref":"refs/heads/a\u0000b"}"#.to_owned(), "NUL"),
        (r#"{"repository":5}"#.to_owned(), "`repository` as an object"),
    ];
    for (body, named) in bodies {
        let (status, answer) = deliver(stack, "push", "unreadable", body.as_bytes()).await;
        let shown: String = body.chars().take(100).collect();
        assert_eq!(status, 400, "{shown}: {answer}");
        assert!(text(&answer["error"]).contains(named), "{shown}: {answer} does not name {named}");
    }
    let (status, answer) = deliver(stack, "push", "unreadable", b"{\"ref\":\"\xff\"}").await;
    assert_eq!(status, 400, "{answer}");
    let (status, answer) =
        deliver(stack, "push", &"x".repeat(101), push(None, &"a".repeat(40)).payload.to_string().as_bytes()).await;
    assert_eq!((status, text(&answer["error"]).contains("x-github-delivery")), (400, true), "{answer}");
}

async fn what_is_packed_otherwise_is_refused(stack: &Stack) {
    let body = push(None, &"a".repeat(40)).payload.to_string();
    let sign = signature(SECRET, body.as_bytes());
    let others = [
        [("content-encoding", "gzip"), ("content-type", "application/json")],
        [("content-encoding", "br"), ("content-type", "application/json")],
        [("content-encoding", "identity"), ("content-type", "text/plain")],
        [("content-encoding", "identity"), ("content-type", "application/json; charset=utf-16")],
    ];
    for other in others {
        let headers = [&other[..], &[("x-github-event", "push"), ("x-hub-signature-256", &sign)]].concat();
        let answer = exchange(stack.api().base(), SHOP, &headers, body.as_bytes()).await;
        assert_eq!(answer.status, 415, "{other:?}: {answer:?}");
    }
}

async fn what_is_too_large_is_cut_off(stack: &Stack) {
    let headers = [("content-type", "application/json"), ("x-github-event", "push")];
    for (framing, total) in
        [(Framing::ContentLength, 26 * MIB), (Framing::ContentLength, 1024 * MIB), (Framing::Chunked, 1024 * MIB)]
    {
        let Flood { sent, answer } = flood(stack.api().base(), SHOP, &headers, framing, total).await;
        assert!(matches!(answer.status, 413 | 0), "{framing:?} {total}: {answer:?}");
        assert!(sent < total.min(TAKEN_MAX), "{framing:?}: the server took {sent} of {total} bytes");
    }
    // One that only just fits is read; that it is not signed is found out after.
    let Flood { sent, answer } = flood(stack.api().base(), SHOP, &headers, Framing::ContentLength, 25 * MIB).await;
    assert_eq!((sent, answer.status), (25 * MIB, 401), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_one_audit_however_often_it_comes() {
    let stack = doors().await;
    let body = push(None, &"a".repeat(40)).payload.to_string();
    let at_once = join_all((0..20).map(|_| deliver(&stack, "push", "again", body.as_bytes()))).await;
    let accepted = at_once.iter().filter(|(status, _)| *status == 202).count();
    assert_eq!(accepted, 1, "{at_once:?}");
    let first = at_once[0].1["audit_id"].clone();
    assert!(at_once.iter().all(|(status, answer)| matches!(status, 200 | 202) && answer["audit_id"] == first));

    let (status, answer) = deliver(&stack, "push", "again", body.as_bytes()).await;
    assert_eq!((status, &answer["audit_id"], text(&answer["status"])), (200, &first, "queued"), "{answer}");
    assert_eq!((rows(&stack, "audits").await, rows(&stack, "deliveries").await), (1, 1));

    // The id is the forge's word within one project: elsewhere it is another delivery.
    stack.register_url("office", "https://github.com/shop/office.git").await;
    let delivered = stack.api().deliver("/webhooks/github/office", push(None, &"a".repeat(40)).sign(SECRET)).await;
    assert_ne!(delivered.expect(202)["audit_id"], first);

    // GitHub's other content type signs the form as it is sent.
    let form = format!("payload={}", percent_encoded(&body));
    let sign = signature(SECRET, form.as_bytes());
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-github-event", "push"),
        ("x-github-delivery", "form"),
        ("x-hub-signature-256", &sign),
    ];
    let answer = exchange(stack.api().base(), SHOP, &headers, form.as_bytes()).await;
    assert_eq!(answer.status, 202, "{answer:?}");
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
