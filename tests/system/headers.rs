//! The headers of messages, read off their streams: whoever watches can follow an audit by them alone.

use async_nats::HeaderMap;
use async_nats::jetstream::message::StreamMessage;
use serde_json::{Value, json};
use tests::repository::FixtureRepository;
use tests::stack::{Role, Stack, StackConfig};
use tests::wait::{LONG, wait_for};
use uuid::Uuid;

/// What a message of the product always has.
const ALWAYS: [&str; 3] = ["Nats-Msg-Id", "Audit-Schema", "Audit-Trace"];

/// What a planned task has besides.
const OF_TASKS: [&str; 6] =
    ["Audit-Id", "Audit-Bundle", "Audit-Generation", "Audit-Enqueued", "Audit-Deadline", "Nats-TTL"];

/// Everything that a stream holds, once it holds `count` messages.
async fn held(stack: &Stack, stream: &str, count: u64) -> Vec<StreamMessage> {
    let (stream, state) = wait_for(&format!("{count} messages in {stream}"), LONG, async || {
        let stream = stack.jetstream().await.get_stream(stream).await.ok()?;
        let state = stream.cached_info().state.clone();
        (state.messages >= count).then_some((stream, state))
    })
    .await;
    let mut messages = Vec::new();
    for sequence in state.first_sequence..=state.last_sequence {
        messages.extend(stream.get_raw_message(sequence).await.ok());
    }
    messages
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map(|value| value.as_str()).unwrap_or_default()
}

fn expect_headers(message: &StreamMessage, names: &[&str]) {
    for name in ALWAYS.iter().chain(names) {
        assert!(!header(&message.headers, name).is_empty(), "no {name} on {}: {:?}", message.subject, message.headers);
    }
}

/// All of a stream is about the audit, and has these headers.
async fn expect_of(stack: &Stack, stream: &str, count: u64, audit: &str, names: &[&str]) -> Vec<StreamMessage> {
    let messages = held(stack, stream, count).await;
    for message in &messages {
        expect_headers(message, names);
        assert_eq!(header(&message.headers, "Audit-Id"), audit, "{}", message.subject);
    }
    messages
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_tasks_results_and_events_name_their_audit_and_tasks_their_bundle() {
    let mut stack = Stack::start_with(StackConfig { workers: 0, ..StackConfig::default() }).await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    let tip = repository.file("b.py", "# TODO y\n").commit("wip");
    stack.register("shop", &repository).await;
    // Each receiver is away until its stream was looked at.
    stack.stop(Role::Planner, 0).await;
    let audit = stack.push("shop", None, &tip).await;
    expect_of(&stack, "AUDIT_REQ", 1, &audit, &[]).await;

    stack.restart(Role::Planner, 0).await;
    for task in expect_of(&stack, "AUDIT_TASKS", 3, &audit, &OF_TASKS).await {
        let body: Value = serde_json::from_slice(&task.payload).unwrap();
        assert_eq!(json!(header(&task.headers, "Audit-Bundle")), body["bundle"]);
    }
    stack.stop(Role::Aggregator, 0).await;
    stack.add(Role::Worker).await;
    expect_of(&stack, "AUDIT_RESULTS", 3, &audit, &[]).await;

    stack.restart(Role::Aggregator, 0).await;
    stack.ended(&audit).await;
    expect_of(&stack, "AUDIT_EVENTS", 3, &audit, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_say_of_which_audit_they_are_and_why() {
    let stack = Stack::start_with(StackConfig { workers: 1, ..StackConfig::default() }).await;
    let audit = Uuid::new_v4().to_string();
    let jetstream = stack.jetstream().await;
    for (subject, body) in [
        ("audit.request".to_owned(), r#"{"project":"nobody"}"#),
        (format!("audit.task.normal.integrity.shop.{audit}.0"), "nonsense"),
    ] {
        jetstream.publish(subject, body.into()).await.unwrap().await.unwrap();
    }
    let letters = held(&stack, "AUDIT_DLQ", 2).await;
    let mut said: Vec<_> = letters
        .iter()
        .map(|letter| {
            expect_headers(letter, &[]);
            (letter.subject.as_str(), header(&letter.headers, "Audit-Cause"), header(&letter.headers, "Audit-Id"))
        })
        .collect();
    said.sort_unstable();
    assert_eq!(
        said,
        [("audit.dlq.refused.request", "refused", ""), ("audit.dlq.undecodable.task", "undecodable", audit.as_str())]
    );
}
