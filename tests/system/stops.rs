//! Cancelling: what is stopped stays stopped, leaves nothing in the queue, and keeps the work that was done for it.

pub(crate) mod late;
mod race;

use std::time::{Duration, Instant};

use broker::Store;
use broker::config::DatabaseArgs;
use serde_json::{Value, json};
use tests::fixture;
use tests::repository::FixtureRepository;
use tests::stack::{Stack, StackConfig};
use tests::wait::{LONG, wait_for};

/// Within this, nothing of a stopped audit is left in the queue.
const PURGED_WITHIN: Duration = Duration::from_secs(1);

/// No worker, so that what is queued stays queued; small shards, so that it is a lot.
pub(crate) async fn without_workers() -> Stack {
    // All tasks are to be in the queue at once, though nobody takes any.
    let settings = [("ELDER_SHARD_FILES", "2"), ("ELDER_TASKS_IN_FLIGHT_MIN", "1000")];
    let environment = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Stack::start_with(StackConfig { workers: 0, environment, ..StackConfig::default() }).await
}

/// The record, as a role uses it.
pub(crate) fn store(stack: &Stack) -> Store {
    Store::connect(&DatabaseArgs { database_url: stack.postgres.url().into(), database_connections: 4 }).unwrap()
}

/// A project of its own, with what is found in it.
pub(crate) async fn project(stack: &Stack, slug: &str) -> (FixtureRepository, String) {
    let mut repository = FixtureRepository::new(&stack.folder(&format!("{slug}.git")));
    let tip = fixture::build(&mut repository);
    stack.register(slug, &repository).await;
    (repository, tip)
}

/// How many tasks of an audit are in the queue.
async fn queued_tasks(stack: &Stack, project: &str, audit: &str) -> usize {
    use futures::TryStreamExt as _;
    let stream = stack.jetstream().await.get_stream("AUDIT_TASKS").await.unwrap();
    let subjects = stream.info_with_subjects(format!("audit.task.*.*.{project}.{audit}.>")).await.unwrap();
    subjects.try_collect::<Vec<(String, usize)>>().await.unwrap().len()
}

/// Waits until all tasks of an audit are in the queue but those that wait for them, and returns how many.
pub(crate) async fn all_queued(stack: &Stack, project: &str, audit: &str) -> usize {
    wait_for("the tasks to be queued", LONG, async || {
        let open = "SELECT count(*) FROM tasks WHERE audit_id = $1 AND state <> 'waiting'";
        let open = usize::try_from(stack.number(open, audit).await).unwrap();
        let queued = queued_tasks(stack, project, audit).await;
        (open > 0 && queued == open).then_some(queued)
    })
    .await
}

pub(crate) async fn cancel(stack: &Stack, audit: &str, body: &Value) -> tests::http::Answer {
    stack.api().post(&format!("/api/v1/audits/{audit}/cancel"), body).await
}

/// What one message in the log of events or a bucket says.
async fn stored(stack: &Stack, stream: &str, subject: &str) -> String {
    wait_for(&format!("a message on {subject}"), LONG, async || {
        let stream = stack.jetstream().await.get_stream(stream).await.ok()?;
        let message = stream.get_last_raw_message_by_subject(subject).await.ok()?;
        Some(String::from_utf8(message.payload.to_vec()).unwrap())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_audit_leaves_the_queue_within_a_second_and_others_stay() {
    let stack = without_workers().await;
    let (_, shop_tip) = project(&stack, "shop").await;
    let (_, cart_tip) = project(&stack, "cart").await;
    let shop = stack.push("shop", None, &shop_tip).await;
    let cart = stack.push("cart", None, &cart_tip).await;
    assert!(all_queued(&stack, "shop", &shop).await > 10);
    let others = all_queued(&stack, "cart", &cart).await;

    let begin = Instant::now();
    let answer = cancel(&stack, &shop, &json!({"reason": "wrong branch"})).await.expect(200);
    wait_for("the tasks to leave the queue", PURGED_WITHIN, async || {
        (queued_tasks(&stack, "shop", &shop).await == 0).then_some(())
    })
    .await;
    assert!(begin.elapsed() < PURGED_WITHIN, "{:?}", begin.elapsed());

    assert_eq!((&answer["state"], &answer["reason"]), (&json!("cancelled"), &json!("wrong branch")));
    assert_eq!(queued_tasks(&stack, "cart", &cart).await, others);
    assert_eq!(stored(&stack, "KV_audit_stopped", &format!("$KV.audit_stopped.{shop}")).await, "\"wrong branch\"");
    let event = stored(&stack, "AUDIT_EVENTS", &format!("audit.event.shop.{shop}.cancelled")).await;
    assert!(event.contains("wrong branch"), "{event}");
    let left = "SELECT count(*) FROM tasks WHERE audit_id = $1 AND state <> 'cancelled'";
    assert_eq!(stack.number(left, &shop).await, 0);
    assert_eq!(stack.number("SELECT tasks_in_flight FROM audits WHERE id = $1", &shop).await, 0);
    wait_for("the audit to be marked as purged", LONG, async || {
        let purged = "SELECT count(*) FROM audits WHERE id = $1 AND is_purged";
        (stack.number(purged, &shop).await == 1).then_some(())
    })
    .await;

    // Asked once more, with whatever reason: the same answer.
    assert_eq!(cancel(&stack, &shop, &json!({"reason": "again"})).await.expect(200), answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_planned_yet_can_be_cancelled_and_what_has_ended_cannot() {
    let mut stack = Stack::start().await;
    let (_, tip) = project(&stack, "shop").await;
    let ended = stack.push("shop", None, &tip).await;
    stack.ended(&ended).await;
    let answer = cancel(&stack, &ended, &json!({})).await.expect(409);
    assert_eq!(answer["error"], format!("audit {ended} ended as completed and cannot be cancelled"));
    assert_eq!(stack.ended(&ended).await["state"], "completed");

    let planner = tests::stack::Role::Planner;
    stack.stop(planner, 0).await;
    let queued = stack.trigger("shop", &json!({})).await;
    let run = stack.run("cancel", ["queue", "cancel", &queued]).start().await;
    assert!(run.exited().await.success(), "{}", run.log());
    assert!(run.log().contains("is cancelled: cancelled on the command line"), "{}", run.log());
    stack.restart(planner, 0).await;
    // A later one is planned and ends; the cancelled one, asked for before it, is not.
    stack.ended(&stack.trigger("shop", &json!({})).await).await;
    assert_eq!(stack.ended(&queued).await["state"], "cancelled");
    assert_eq!(stack.number("SELECT count(*) FROM audits WHERE id = $1 AND started_at IS NULL", &queued).await, 1);

    for (audit, body, status) in [
        (uuid::Uuid::new_v4().to_string(), json!({}), 404),
        ("nonsense".to_owned(), json!({}), 404),
        (queued.clone(), json!({"reason": "a\nb"}), 400),
        (queued.clone(), json!({"reason": "x".repeat(501)}), 400),
        (queued, json!({"because": "x"}), 400),
    ] {
        cancel(&stack, &audit, &body).await.expect(status);
    }
    let path = format!("/api/v1/audits/{ended}/cancel");
    stack.api().anonymous().post(&path, &json!({})).await.expect(401);
    let run = stack.run("cancel-ended", ["queue", "cancel", &ended]).start().await;
    assert_eq!(run.exited().await.code(), Some(1));
    assert!(run.log().contains("ended as completed"), "{}", run.log());
}
