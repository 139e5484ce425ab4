//! Tries that end badly: deaths of workers are noticed and counted apart from errors, and what is given up is answered.

use schemas::dead_letter::{Cause, DeadLetter};
use schemas::ids::{AuditId, Digest};
use schemas::partial::PartialResult;
use schemas::request::Priority;
use schemas::retry::ErrorClass;
use schemas::task::Task;
use tests::stack::{Role, Stack, StackConfig};
use tests::tasks::{hanging, part, small_task, task_key};
use tests::wait::{LONG, wait_for};
use tokio::time::{Duration, Instant};

/// A short one, so that a death is noticed soon; the usual one is 30 s.
const ACK_WAIT: Duration = Duration::from_secs(2);

async fn services() -> Stack {
    services_with(Vec::new()).await
}

async fn services_with(settings: Vec<(&'static str, String)>) -> Stack {
    let settings = settings.into_iter().chain([("ELDER_ACK_WAIT_SECS", ACK_WAIT.as_secs().to_string())]);
    let environment = settings.map(|(name, value)| (name.to_owned(), value)).collect();
    let stack = Stack::services(StackConfig { environment, ..StackConfig::default() }).await;
    stack.set_up().await;
    stack
}

/// Takes the one task there is and falls silent, so often, as workers do that die.
async fn die_with_the_task(stack: &Stack, times: u32) {
    for _ in 0..times {
        assert!(stack.takes_task(Priority::Normal, LONG).await, "it comes again");
    }
}

async fn letters(stack: &Stack) -> Vec<DeadLetter> {
    let stream = stack.jetstream().await.get_stream("AUDIT_DLQ").await.unwrap();
    let (mut letters, mut after) = (Vec::new(), 0);
    while let Ok(message) = stream.direct_get_next_for_subject("audit.dlq.>", Some(after + 1)).await {
        after = message.sequence;
        letters.push(serde_json::from_slice(&message.payload).unwrap());
    }
    letters
}

/// Publishes a task whose workers die so often before a real one gets it; returns its answer.
async fn after_deaths(stack: &mut Stack, task: &Task, deaths: u32) -> PartialResult {
    let key = task_key(AuditId::random(), 1);
    stack.publish_task(Priority::Normal, &key, task, None).await;
    die_with_the_task(stack, deaths).await;
    stack.add(Role::Worker).await;
    stack.answered(1).await.remove(&key).unwrap()
}

/// Given up after it was begun: the answer has the class, and the aggregator looks for the item at fault.
fn assert_given_up(answer: &PartialResult, letters: &[DeadLetter], class: ErrorClass) {
    assert_eq!(answer.class, Some(class), "{answer:?}");
    assert_buried(answer, letters, class);
}

fn assert_buried(answer: &PartialResult, letters: &[DeadLetter], class: ErrorClass) {
    assert_eq!(answer.items.len(), 0, "{answer:?}");
    let [letter] = letters else { panic!("{letters:#?}") };
    assert_eq!((letter.cause, letter.class), (Cause::Exhausted, Some(class)));
    assert_eq!(Some(&letter.reason), answer.failure.as_ref());
    assert!(letter.worker.as_ref().is_some_and(|name| !name.is_empty()), "{letter:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_one_worker_died_of_gets_another() {
    let mut stack = services().await;
    let answer = after_deaths(&mut stack, &small_task(), 1).await;
    assert_eq!((answer.failure, answer.items.len()), (None, 1));
    assert_eq!(letters(&stack).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_two_workers_died_of_is_answered_as_failed() {
    let mut stack = services().await;
    // It is not even looked for, so it need not be there.
    let whole = Task::bundle(Digest::of(b"no bundle"));
    let answer = after_deaths(&mut stack, &whole, 2).await;
    assert_given_up(&answer, &letters(&stack).await, ErrorClass::Resource);
    assert!(answer.failure.unwrap().contains("2 workers"));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_items_of_a_split_shard_fail_with_the_first_death() {
    let mut stack = services().await;
    let answer = after_deaths(&mut stack, &part(&Digest::of(b"no bundle"), 0, 2), 1).await;
    assert_given_up(&answer, &letters(&stack).await, ErrorClass::Resource);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_item_of_a_split_shard_has_two_deaths_like_a_whole_one() {
    let mut stack = services().await;
    let files = [("a.py", "# FIXME a\n"), ("b.py", "# FIXME b\n")];
    let bundle = stack.put_bundle(&files.map(|(path, text)| (path.to_owned(), text.to_owned()))).await;
    let answer = after_deaths(&mut stack, &part(&bundle, 1, 1), 1).await;
    let names: Vec<&str> = answer.items.iter().map(|item| item.item.name()).collect();
    assert_eq!(names, ["b.py"], "only the item that was asked for: {answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_noted_and_are_no_deaths() {
    let mut stack = services().await;
    let key = task_key(AuditId::random(), 1);
    let task = Task::bundle(Digest::of(b"on its way"));
    stack.publish_task(Priority::Normal, &key, &task, None).await;
    stack.add(Role::Worker).await;
    // Deaths would have ended this at the third delivery.
    let noted = wait_for("three tries to be noted", LONG, async || {
        let noted = stack.tries().await.pop()?;
        (noted["failed"]["transient"].as_u64()? >= 3).then_some(noted)
    })
    .await;
    assert_eq!(noted["returned"], 0);
    assert_eq!((stack.results().await.len(), letters(&stack).await.len()), (0, 0));
    // The bundle arrives after all.
    let files = [("a.py".to_owned(), "# FIXME x\n".to_owned())];
    let other = stack.put_bundle(&files).await;
    stack.publish_task(Priority::Normal, &task_key(key.audit, 2), &Task::bundle(other), None).await;
    assert_eq!(stack.answered(1).await.len(), 1, "a task that waits is in nobody's way");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_past_its_deadline_is_not_begun() {
    let mut stack = services().await;
    let key = task_key(AuditId::random(), 1);
    stack.publish_task(Priority::Normal, &key, &small_task(), Some(("Audit-Deadline", "1000".to_owned()))).await;
    stack.add(Role::Worker).await;
    let answer = stack.answered(1).await.remove(&key).unwrap();
    assert_buried(&answer, &letters(&stack).await, ErrorClass::Deadline);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_runs_into_its_deadline_is_stopped() {
    let mut stack = services().await;
    let key = task_key(AuditId::random(), 1);
    let bundle = stack.slow_bundle(15).await;
    stack.add(Role::Worker).await;
    let begin = Instant::now();
    let deadline = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() + 3_000;
    let header = Some(("Audit-Deadline", deadline.to_string()));
    stack.publish_task(Priority::Normal, &key, &Task::bundle(bundle), header).await;
    let answer = stack.answered(1).await.remove(&key).unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(3), "it was begun: {answer:?}");
    assert_given_up(&answer, &letters(&stack).await, ErrorClass::Deadline);
}

#[tokio::test(flavor = "multi_thread")]
async fn items_that_are_not_in_the_bundle_are_refused_with_a_reason() {
    let mut stack = services().await;
    let key = task_key(AuditId::random(), 1);
    let bundle = stack.put_bundle(&[("a.py".to_owned(), "# FIXME a\n".to_owned())]).await;
    stack.publish_task(Priority::Normal, &key, &part(&bundle, 0, 2), None).await;
    stack.add(Role::Worker).await;
    let answer = stack.answered(1).await.remove(&key).unwrap();
    assert_eq!((answer.class, answer.items.len()), (None, 0), "no part of it would fare better");
    let reason = "the task asks for 2 items from item 0 on, and the bundle has 1";
    assert_eq!(answer.failure.as_deref(), Some(reason));
    assert_eq!(letters(&stack).await[0].cause, Cause::Refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_is_noticed_within_the_ack_wait() {
    let mut stack = services_with(vec![hanging()]).await;
    let bundle = stack.hanging_bundle().await;
    stack.add(Role::Worker).await;
    stack.publish_task(Priority::Normal, &task_key(AuditId::random(), 1), &Task::bundle(bundle), None).await;
    stack.held(Priority::Normal, 1).await;
    stack.add(Role::Worker).await;
    // It is kept alive beyond the ack wait, with another worker that has nothing to do.
    let begin = Instant::now();
    wait_for("twice the ack wait to pass", LONG, async || (begin.elapsed() > 2 * ACK_WAIT).then_some(())).await;
    assert_eq!(stack.worker_consumer(Priority::Normal).await.delivered.consumer_sequence, 1);
    assert_eq!(stack.results().await.len(), 0, "it is still at it");

    stack.kill(Role::Worker, 0).await;
    let killed = Instant::now();
    wait_for("the other worker to have it", LONG, async || {
        (stack.worker_consumer(Priority::Normal).await.delivered.consumer_sequence == 2).then_some(())
    })
    .await;
    // Five seconds more than the ack wait: with the usual one of 30 s these are the promised 35.
    assert!(killed.elapsed() < ACK_WAIT + Duration::from_secs(5), "{:?}", killed.elapsed());
}
