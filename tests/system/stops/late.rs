//! Results that come after their audit was stopped: not counted, not buried, not done again.

use std::collections::BTreeSet;

use broker::Bus;
use broker::config::{NatsArgs, TopologyArgs};
use broker::subject::Subject;
use schemas::bundle::{Manifest, Shard};
use schemas::ids::TraceId;
use schemas::magic::{Input, Magic};
use schemas::partial::PartialResult;
use schemas::task::TaskKey;
use serde_json::json;
use sqlx::Row as _;
use tests::audits::sorted;
use tests::fixture::EXPECTED;
use tests::repository::FixtureRepository;
use tests::stack::{Role, Stack};
use tests::wait::{LONG, wait_for};

use super::{all_queued, cancel, project, without_workers};

/// All magics that read files.
fn file_magics() -> BTreeSet<Magic> {
    let magics = worker::catalogue().rules.into_iter().map(|rule| rule.magic);
    magics.filter(|magic| magic.reads(Input::Files)).collect()
}

/// Answers the tasks over one shard of files as a worker would; returns how many files are in it.
pub(crate) async fn answer(stack: &Stack, audit: &str, shard: i32, repository: &FixtureRepository) -> usize {
    let id: uuid::Uuid = audit.parse().unwrap();
    let row = sqlx::query(
        "SELECT s.manifest, a.project_slug FROM shards s JOIN audits a ON a.id = audit_id
         WHERE audit_id = $1 AND shard = $2",
    )
    .bind(id)
    .bind(shard)
    .fetch_one(&mut stack.record().await)
    .await
    .unwrap();
    let manifest: Manifest = serde_json::from_value(row.get("manifest")).unwrap();
    let project: String = row.get("project_slug");
    let is_in = |path: &str| manifest.files.iter().any(|file| file.path == path);
    let files: Vec<_> = repository.sources().into_iter().filter(|file| is_in(&file.path)).collect();
    assert_eq!(files.len(), manifest.files.len(), "the shard is of the repository as it is");
    let count = files.len();
    let nats = NatsArgs { nats_url: stack.nats.url().into(), nats_nkey: None, topology: TopologyArgs::default() };
    let bus = Bus::connect(&nats, "tests").await.unwrap();
    let shard_files = Shard { files, ..Shard::default() };
    let rulesets = worker::rulesets(&shard_files);
    for (magic, items) in worker::analyze(&shard_files, &file_magics()) {
        let key = TaskKey {
            magic,
            project: project.parse().unwrap(),
            audit: audit.parse().unwrap(),
            shard: shard.unsigned_abs(),
        };
        let ruleset = rulesets.get(&magic).cloned();
        let partial = PartialResult { ruleset, items, ..PartialResult::default() };
        bus.publish(&Subject::Result(key), &format!("late:{audit}:{magic}:{shard}"), TraceId::random(), &partial)
            .await
            .unwrap();
    }
    count
}

/// Waits until the results of so many files are known to the cache, of every magic.
pub(crate) async fn remembered(stack: &Stack, files: usize) {
    wait_for("the results to be remembered", LONG, async || {
        let known: i64 =
            sqlx::query_scalar("SELECT count(*) FROM item_results").fetch_one(&mut stack.record().await).await.unwrap();
        (usize::try_from(known).unwrap() == file_magics().len() * files).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_results_count_for_nothing_and_are_not_analyzed_again() {
    let mut stack = without_workers().await;
    let (repository, tip) = project(&stack, "shop").await;
    let audit = stack.push("shop", None, &tip).await;
    all_queued(&stack, "shop", &audit).await;
    // One shard is done in time, one is not.
    let early = answer(&stack, &audit, 1, &repository).await;
    remembered(&stack, early).await;
    cancel(&stack, &audit, &json!({})).await.expect(200);
    let late = answer(&stack, &audit, 2, &repository).await;
    remembered(&stack, early + late).await;

    let [done, results] = [
        "SELECT tasks_done FROM audits WHERE id = $1",
        "SELECT count(*) FROM results WHERE audit_id = $1 AND shard > 0",
    ];
    let magics = i64::try_from(file_magics().len()).unwrap();
    assert_eq!(stack.number(done, &audit).await, magics);
    assert_eq!(stack.number(results, &audit).await, magics);
    let ended = stack.ended(&audit).await;
    assert_eq!((&ended["state"], &ended["verdict"]), (&json!("cancelled"), &json!(null)));

    stack.add(Role::Worker).await;
    let again = stack.ended(&stack.trigger("shop", &json!({})).await).await;
    assert_eq!(again["state"], "completed", "{again:#}");
    assert_eq!(again["files_cached"], json!(early + late), "{again:#}");
    assert_eq!(stack.findings(again["audit_id"].as_str().unwrap(), &repository).await, sorted(&EXPECTED));
    let letters: i64 =
        sqlx::query_scalar("SELECT count(*) FROM dead_letters").fetch_one(&mut stack.record().await).await.unwrap();
    assert_eq!(letters, 0);
    let buried = stack.jetstream().await.get_stream("AUDIT_DLQ").await.unwrap().cached_info().state.messages;
    assert_eq!(buried, 0);
}
