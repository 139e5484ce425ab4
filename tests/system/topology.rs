//! `elder topology --check`: what differs is named and left, what `elder topology` changes is said, strangers are reported.

use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::{FromConsumer as _, pull};
use async_nats::jetstream::stream::Config;
use tests::stack::{Stack, StackConfig};

/// Exit code and output of `elder topology`.
async fn topology(stack: &Stack, name: &str, more: &[&str]) -> (Option<i32>, String) {
    let process = stack.run(name, [&["topology"], more].concat()).start().await;
    (process.exited().await.code(), process.log())
}

async fn config(jetstream: &Context, stream: &str) -> Config {
    jetstream.get_stream(stream).await.unwrap().cached_info().config.clone()
}

/// Lines that name a difference.
fn differences(log: &str) -> Vec<&str> {
    let is_one = |line: &&str| ["stream ", "consumer ", "bucket "].iter().any(|what| line.starts_with(what));
    log.lines().filter(is_one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_named_by_a_check_and_changed_only_without_it() {
    let stack = Stack::services(StackConfig::default()).await;
    let jetstream = async_nats::jetstream::new(tests::nats::connect(stack.nats.url()).await);

    let (code, log) = topology(&stack, "empty", &["--check"]).await;
    assert_eq!(code, Some(1));
    let found = differences(&log);
    assert!(found.contains(&"stream AUDIT_TASKS: is missing"), "{log}");
    assert!(found.contains(&"consumer letters: is missing"), "{log}");
    assert!(found.contains(&"bucket audit_bundles: is missing"), "{log}");
    assert!(jetstream.get_stream("AUDIT_TASKS").await.is_err(), "a check makes nothing");

    stack.set_up().await;
    let (code, log) = topology(&stack, "fresh", &["--check"]).await;
    assert_eq!((code, differences(&log)), (Some(0), vec![]), "{log}");

    let tasks = config(&jetstream, "AUDIT_TASKS").await;
    jetstream.update_stream(Config { max_bytes: 1, ..tasks }).await.unwrap();
    let bucket = config(&jetstream, "KV_audit_workers").await;
    jetstream.update_stream(Config { max_bytes: 5, ..bucket }).await.unwrap();
    let planner = jetstream.get_consumer_from_stream::<pull::Config, _, _>("planner", "AUDIT_REQ").await.unwrap();
    let planner = pull::Config::try_from_consumer_config(planner.cached_info().config.clone()).unwrap();
    jetstream.update_consumer_on_stream(pull::Config { max_deliver: 3, ..planner }, "AUDIT_REQ").await.unwrap();
    let expected = [
        "stream AUDIT_TASKS: max_bytes is 1 and should be 1073741824",
        "consumer planner: max_deliver is 3 and should be 20",
        "bucket audit_workers: max_bytes is 5 and should be 67108864",
    ];
    for name in ["checked", "checked again"] {
        let (code, log) = topology(&stack, name, &["--check"]).await;
        assert_eq!((code, differences(&log)), (Some(1), expected.to_vec()), "{log}");
    }

    let (code, log) = topology(&stack, "applied", &[]).await;
    assert_eq!(code, Some(0), "{log}");
    for difference in expected {
        assert!(log.contains(&format!("before: {difference}")), "{log}");
    }
    assert!(log.contains("updated    stream    AUDIT_TASKS"), "{log}");
    assert!(log.contains("unchanged  stream    AUDIT_RESULTS"), "{log}");
    let (code, log) = topology(&stack, "settled", &["--check"]).await;
    assert_eq!((code, differences(&log)), (Some(0), vec![]), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_of_strangers_are_reported_and_left() {
    let stack = Stack::services(StackConfig::default()).await;
    stack.set_up().await;
    let jetstream = async_nats::jetstream::new(tests::nats::connect(stack.nats.url()).await);
    let spy = pull::Config { durable_name: Some("spy".to_owned()), ..pull::Config::default() };
    let events = jetstream.get_stream("AUDIT_EVENTS").await.unwrap();
    events.create_consumer(spy).await.unwrap();

    let (code, log) = topology(&stack, "check", &["--check"]).await;
    assert_eq!(
        (code, differences(&log)),
        (Some(1), vec!["stream AUDIT_EVENTS: has an unknown consumer \"spy\""]),
        "{log}"
    );
    let (code, _) = topology(&stack, "apply", &[]).await;
    assert_eq!(code, Some(0));
    assert!(events.consumer_info("spy").await.is_ok(), "it is somebody's");
}
