//! Pushes that are delivered so late that a newer one was taken for an older one: once all are there, the newest is audited.

use serde_json::{Value, json};
use tests::audits::sorted;
use tests::fixture::EXPECTED;
use tests::stack::{Role, Stack};
use tests::wait::{LONG, wait_for};

use super::{MORE, audit, becomes, three_more};
use crate::stops::{project, without_workers};

/// Waits until one audit of a project is open, of `commit`, and returns its id.
async fn only_open(stack: &Stack, slug: &str, commit: &str) -> String {
    let mut record = stack.record().await;
    let what = format!("the only open audit of `{slug}` to be of {commit}");
    wait_for(&what, LONG, async || {
        let sql = "SELECT id::text, revision FROM audits WHERE project_slug = $1 AND finished_at IS NULL";
        let open: Vec<(String, String)> = sqlx::query_as(sql).bind(slug).fetch_all(&mut record).await.unwrap();
        open.iter().find(|(_, revision)| open.len() == 1 && revision == commit).map(|(id, _)| id.clone())
    })
    .await
}

/// What stands in the end: the newest commit, in full.
async fn stands(stack: &Stack, audit: &str, commit: &str) -> Value {
    let ended = stack.ended(audit).await;
    assert_eq!((&ended["state"], &ended["commit"]), (&json!("completed"), &json!(commit)), "{ended:#}");
    assert_eq!((&ended["audit_type"], &ended["requested_by"]), (&json!("full"), &json!("webhook:again")), "{ended:#}");
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_push_is_audited_although_those_before_it_come_after_it() {
    let mut stack = without_workers().await;
    stack.add(Role::Worker).await;
    for (slug, is_slow) in [("all-wait", false), ("one-ends-before-the-last", true)] {
        let (mut repository, tip) = project(&stack, slug).await;
        let [one, two, three] = three_more(&mut repository);
        stack.stop(Role::Planner, 0).await;
        let third = stack.push(slug, Some(&two), &three).await;
        let first = stack.push(slug, Some(&tip), &one).await;
        assert_eq!(becomes(&stack, &third, "superseded").await["superseded_by"], json!(first));
        if is_slow {
            stack.restart(Role::Planner, 0).await;
            stack.ended(&first).await;
            stack.stop(Role::Planner, 0).await;
        }
        let second = stack.push(slug, Some(&one), &two).await;
        // The second is known by now to be older than the third, which had made room for the first.
        let last = only_open(&stack, slug, &three).await;
        stack.restart(Role::Planner, 0).await;
        stands(&stack, &last, &three).await;
        let expected = [EXPECTED.as_slice(), &MORE].concat();
        assert_eq!(stack.findings(&last, &repository).await, sorted(&expected), "{slug}");
        for superseded in [&second, &third] {
            assert_eq!(audit(&stack, superseded).await["state"], "superseded", "what has ended stays as it ended");
        }

        // The branch is at rest: what comes after is about that alone.
        repository.file("src/four.rs", "pub const FOUR: u32 = 4;\n");
        let four = repository.commit("Add the number four");
        let fourth = stack.push(slug, Some(&three), &four).await;
        assert_eq!(stack.ended(&fourth).await["audit_type"], "incremental");
        let audits = "SELECT count(*) FROM audits a JOIN audits b ON b.project_id = a.project_id WHERE a.id = $1";
        assert_eq!(stack.number(audits, &fourth).await, 5, "one for each push, and one for the third again");
    }
}
