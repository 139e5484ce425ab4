//! Servers that are away, hang or refuse: what was accepted waits, and goes on by itself.

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::stream::{Config, DiscardPolicy};
use deploy::embedded::guard::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::json;
use tests::audits::push;
use tests::stack::{Role, SECRET, Stack};
use tests::wait::{LONG, wait_for};

use super::{NEVER, Project, assert_all_end, config, projects, push_all};

#[tokio::test(flavor = "multi_thread")]
async fn pushes_are_taken_while_the_record_is_away() {
    let mut stack = Stack::start_with(config(2, NEVER)).await;
    let projects = projects(&stack, 2).await;
    // Each is seen once, so that its secret is known.
    for Project { slug, .. } in &projects {
        let unsigned = stack.api().deliver(&format!("/webhooks/github/{slug}"), push(None, "").sign("")).await;
        unsigned.expect(401);
    }
    let [waiting, refused] = [0, 1].map(|index| {
        let Project { slug, push, .. } = &projects[index];
        (format!("/webhooks/github/{slug}"), push)
    });

    stack.postgres.kill().await;
    let taken = stack.api().deliver(&waiting.0, waiting.1.sign(SECRET)).await.expect(202);
    assert_eq!(taken["status"], "queued");
    stack.nats.kill().await;
    let answer = stack.api().deliver(&refused.0, refused.1.sign(SECRET)).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    let retry_after = answer.retry_after.as_ref().and_then(|seconds| seconds.parse::<u32>().ok());
    assert!(retry_after.is_some(), "{answer:?}");

    stack.nats.restart().await.unwrap();
    stack.postgres.restart().await.unwrap();
    // Without a second delivery of the first: its request waited in the queue.
    let ended = stack.ended(taken["audit_id"].as_str().unwrap()).await;
    assert_eq!(ended["state"], json!("completed"), "{ended:#}");
    let audits = push_all(&stack, &projects).await;
    assert_eq!(json!(audits[0]), taken["audit_id"]);
    assert_all_end(&stack, &projects, &audits).await;
}

/// Waits until the log of a process has `text`.
async fn logs(stack: &Stack, role: Role, text: &str) {
    let what = format!("`{text}` in the log of {role:?}");
    wait_for(&what, LONG, async || stack.process(role, 0).log().contains(text).then_some(())).await;
}

/// Waits until so many pulls of a consumer wait in the server.
async fn is_asked(stack: &Stack, stream: &str, consumer: &str, pulls: usize) {
    let jetstream = stack.jetstream().await;
    wait_for(&format!("{pulls} pulls of `{consumer}`"), LONG, async || {
        let consumer = jetstream.get_consumer_from_stream::<pull::Config, _, _>(consumer, stream).await.ok()?;
        (consumer.cached_info().num_waiting >= pulls).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_hangs_and_dies_keeps_nobody_waiting() {
    let mut stack = Stack::start_with(config(2, NEVER)).await;
    let projects = projects(&stack, 2).await;
    let readers = [Role::Planner, Role::Worker, Role::Aggregator];
    for role in readers {
        logs(&stack, role, "connected to NATS").await;
    }
    for (stream, consumer, pulls) in
        [("AUDIT_REQ", "planner", 1), ("AUDIT_TASKS", "worker-critical", 2), ("AUDIT_RESULTS", "aggregator", 1)]
    {
        is_asked(&stack, stream, consumer, pulls).await;
    }
    let nats = Pid::from_raw(i32::try_from(stack.nats.pid().unwrap()).unwrap());
    kill(nats, Signal::SIGSTOP).unwrap();
    // Taken into the record; the outbox cannot be emptied, and must not be.
    let audits = push_all(&stack, &projects).await;
    wait_for("a relay to fail", LONG, async || {
        let log = [Role::Serve, Role::Planner].map(|role| stack.process(role, 0).log()).concat();
        log.contains("cannot publish on `audit.request").then_some(())
    })
    .await;
    // Whoever asked for messages has its question in a server that will never answer it.
    for role in readers {
        logs(&stack, role, "the server did not answer").await;
    }
    stack.nats.kill().await;
    stack.nats.restart().await.unwrap();
    assert_all_end(&stack, &projects, &audits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_whose_result_cannot_be_stored_comes_again() {
    let mut stack = Stack::start_with(config(2, NEVER)).await;
    let projects = projects(&stack, 1).await;
    stack.stop(Role::Aggregator, 0).await;
    let jetstream = stack.jetstream().await;
    let proper = jetstream.get_stream("AUDIT_RESULTS").await.unwrap().cached_info().config.clone();
    let full = Config { max_messages: 1, discard: DiscardPolicy::New, ..proper.clone() };
    jetstream.update_stream(full).await.unwrap();
    let audits = push_all(&stack, &projects).await;
    wait_for("a worker to fail", LONG, async || {
        let log = [0, 1].map(|index| stack.process(Role::Worker, index).log()).concat();
        log.contains("a result could not be stored").then_some(())
    })
    .await;
    // Nor does it help that nobody is left who knows of it.
    for index in 0..2 {
        stack.kill(Role::Worker, index).await;
    }
    jetstream.update_stream(proper).await.unwrap();
    for index in 0..2 {
        stack.restart(Role::Worker, index).await;
    }
    stack.restart(Role::Aggregator, 0).await;
    assert_all_end(&stack, &projects, &audits).await;
}
