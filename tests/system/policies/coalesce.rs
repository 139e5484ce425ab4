//! Coalescing: what runs goes on, the newest of the rest waits for it, and is never forgotten.

use std::time::Duration;

use serde_json::{Value, json};
use tests::audits::sorted;
use tests::repository::FixtureRepository;
use tests::stack::{Role, Stack};
use tests::wait::{LONG, wait_for};

use super::{MORE, audit, becomes, three_more};
use crate::stops::{all_queued, cancel, project, store, without_workers};

pub(super) async fn set(stack: &Stack, slug: &str, policies: &Value) {
    let path = format!("/api/v1/projects/{slug}/push-policies");
    assert_eq!(stack.api().put(&path, policies).await.expect(200), *policies);
    assert_eq!(stack.api().get(&path).await.expect(200), *policies);
}

/// One audit that runs, one that was coalesced into the third, and the third, which waits; all of `main`.
async fn coalesced(stack: &Stack) -> (FixtureRepository, [String; 3]) {
    let (mut repository, tip) = project(stack, "shop").await;
    let commits = three_more(&mut repository);
    set(stack, "shop", &json!([{"pattern": "m*", "policy": "coalesce"}])).await;
    let running = stack.push("shop", Some(&tip), &commits[0]).await;
    all_queued(stack, "shop", &running).await;
    let between = stack.push("shop", Some(&commits[0]), &commits[1]).await;
    let waiting = wait_for("the second push to wait", LONG, async || {
        Some(audit(stack, &between).await).filter(|audit| audit["waits_for"] == json!(running))
    })
    .await;
    assert_eq!(waiting["state"], "queued");
    let last = stack.push("shop", Some(&commits[1]), &commits[2]).await;
    assert_eq!(becomes(stack, &between, "superseded").await["superseded_by"], json!(last));
    wait_for("the third push to wait", LONG, async || {
        (audit(stack, &last).await["waits_for"] == json!(running)).then_some(())
    })
    .await;
    (repository, [running, between, last])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_ends_and_then_the_newest_covers_the_rest() {
    let mut stack = without_workers().await;
    let (repository, [running, _, last]) = coalesced(&stack).await;
    assert_eq!(audit(&stack, &running).await["state"], "running");

    stack.add(Role::Worker).await;
    assert_eq!(stack.ended(&running).await["state"], "completed");
    assert_eq!(stack.findings(&running, &repository).await, sorted(&MORE[..1]));
    let ended = stack.ended(&last).await;
    assert_eq!((&ended["state"], &ended["waits_for"]), (&json!("completed"), &json!(null)), "{ended:#}");
    assert_eq!(stack.findings(&last, &repository).await, sorted(&MORE[1..]));
    let after = "SELECT count(*) FROM audits a JOIN audits b ON b.project_id = a.project_id
                 WHERE a.id = $1 AND b.state = 'completed' AND b.id <> a.id AND a.started_at >= b.finished_at";
    assert_eq!(stack.number(after, &last).await, 1, "it began after the other had ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_of_what_runs_sets_going_what_waits_and_a_lost_wait_is_repaired() {
    let stack = without_workers().await;
    let (_, [running, _, last]) = coalesced(&stack).await;

    // However often it is looked for forgotten requests, what waits for an open audit is none.
    assert_eq!(store(&stack).repeat_stale_requests(Duration::ZERO, 100).await.unwrap(), 0);
    assert_eq!(audit(&stack, &last).await["waits_for"], json!(running));
    cancel(&stack, &running, &json!({})).await.expect(200);
    let going = becomes(&stack, &last, "running").await;
    assert_eq!(going["waits_for"], json!(null));
    cancel(&stack, &last, &json!({})).await.expect(200);

    // Another one that waits for what has ended long ago.
    let waiting = stack.trigger("shop", &json!({"branch": "main"})).await;
    becomes(&stack, &waiting, "running").await;
    let mut record = stack.record().await;
    let ids = [&waiting, &last].map(|id| id.parse::<uuid::Uuid>().unwrap());
    sqlx::query("UPDATE audits SET state = 'queued', waits_for = $2 WHERE id = $1")
        .bind(ids[0])
        .bind(ids[1])
        .execute(&mut record)
        .await
        .unwrap();
    assert_eq!(store(&stack).repeat_stale_requests(Duration::ZERO, 100).await.unwrap(), 1);
    let repaired = audit(&stack, &waiting).await;
    assert_eq!((&repaired["state"], &repaired["waits_for"]), (&json!("queued"), &json!(null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_push_is_audited_where_the_policy_says_so() {
    let mut stack = without_workers().await;
    let (mut repository, tip) = project(&stack, "shop").await;
    let commits = three_more(&mut repository);
    set(&stack, "shop", &json!([{"pattern": "main", "policy": "run_all"}])).await;
    let mut audits = Vec::new();
    let mut before = &tip;
    for commit in &commits {
        audits.push(stack.push("shop", Some(before), commit).await);
        before = commit;
    }
    for id in &audits {
        all_queued(&stack, "shop", id).await;
    }
    stack.add(Role::Worker).await;
    for (id, found) in audits.iter().zip(&MORE) {
        assert_eq!(stack.ended(id).await["state"], "completed");
        assert_eq!(stack.findings(id, &repository).await, sorted(&[*found]));
    }
}
