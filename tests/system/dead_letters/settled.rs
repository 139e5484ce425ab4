//! Letters of tasks that come to a good end after all, or that nobody waits for any more, do not stay open.

use broker::subject::Origin;
use schemas::dead_letter::{Cause, DeadLetter};
use serde_json::json;
use tests::player::Player;
use tests::repository::FixtureRepository;
use tests::stack::{Role, Stack, StackConfig};
use tests::wait::{LONG, wait_for};

use crate::stops::cancel;

/// Waits for the letter with this reason to be in the record, and in this state; returns what became of it.
async fn letter(stack: &Stack, reason: &str, state: &str) -> Option<String> {
    let mut record = stack.record().await;
    wait_for(&format!("the letter `{reason}` to be {state}"), LONG, async || {
        let sql = "SELECT became FROM dead_letters WHERE reason = $1 AND state = $2";
        sqlx::query_scalar(sql).bind(reason).bind(state).fetch_optional(&mut record).await.unwrap()
    })
    .await
}

/// Takes the task of `audit`, buries it as a worker does that gives it up without an answer, and puts it back. Returns the
/// letter's subject.
async fn bury_and_put_back(player: &mut Player, audit: &str, reason: &str) -> String {
    let lease = loop {
        let (own, others): (Vec<_>, Vec<_>) =
            player.take().await.into_iter().partition(|lease| lease.subject_text().contains(audit));
        // One of an audit that was stopped a moment ago may still come first.
        for other in others {
            other.done().await.unwrap();
        }
        if let Some(lease) = own.into_iter().next() {
            break lease;
        }
    };
    let subject = lease.subject_text().to_owned();
    let letter = DeadLetter::new(&subject, Cause::Exhausted, reason, 5, lease.body());
    player.bus.bury(Origin::Task, &letter, lease.trace()).await.unwrap();
    lease.hand_back().await.unwrap();
    subject
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_closed_when_its_task_is_answered_after_all_or_its_audit_is_stopped() {
    let environment = vec![("ELDER_LOST_AFTER_SECS".to_owned(), "2".to_owned())];
    let mut stack = Stack::start_with(StackConfig { workers: 0, environment, ..StackConfig::default() }).await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    repository.file("a.rs", "pub const A: u32 = 1;\n");
    let tip = repository.commit("Start the shop");
    stack.register("shop", &repository).await;
    let asked = json!({"enabled_magics": ["integrity"], "branch": tip, "audit_type": "full"});
    let mut player = Player::new(&stack).await;

    let stopped = stack.trigger("shop", &asked).await;
    bury_and_put_back(&mut player, &stopped, "of a cancelled audit").await;
    assert_eq!(letter(&stack, "of a cancelled audit", "open").await, None);
    cancel(&stack, &stopped, &json!({})).await.expect(200);
    let became = letter(&stack, "of a cancelled audit", "discarded").await;
    assert_eq!(became.as_deref(), Some("its audit was cancelled"));

    let audit = stack.trigger("shop", &asked).await;
    let subject = bury_and_put_back(&mut player, &audit, "too early").await;
    assert_eq!(letter(&stack, "too early", "open").await, None);
    let (ended, _) = player.play("nothing", stack.ended(&audit)).await;
    assert_eq!(ended["state"], "completed", "{ended:#}");
    let became = letter(&stack, "too early", "discarded").await;
    assert_eq!(became.as_deref(), Some("its task was answered after all"));

    // One that comes after the answer is not even opened: nobody is left to close it here.
    stack.stop(Role::Planner, 0).await;
    let late = DeadLetter::new(&subject, Cause::Exhausted, "too late", 5, b"{}");
    player.bus.bury(Origin::Task, &late, schemas::ids::TraceId::random()).await.unwrap();
    assert_eq!(letter(&stack, "too late", "discarded").await, became);
}
