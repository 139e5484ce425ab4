//! Magics share what they read: under backlog a file is read once and parsed once, however many look at it.

use tests::audits::{deliver, push};
use tests::fixture;
use tests::repository::FixtureRepository;
use tests::stack::{Role, Stack, StackConfig};
use tests::wait::{LONG, wait_for};

#[tokio::test(flavor = "multi_thread")]
async fn under_backlog_each_file_is_read_once_and_parsed_at_most_once() {
    // Many shards, so that batches end within one; all of them in the queue before anybody pulls.
    let settings = [("ELDER_SHARD_FILES", "2"), ("ELDER_TASKS_IN_FLIGHT_MIN", "1000")];
    let environment = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let mut stack = Stack::start_with(StackConfig { workers: 0, environment, ..StackConfig::default() }).await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    let tip = fixture::build(&mut repository);
    stack.register("shop", &repository).await;
    let audit = deliver(stack.api().clone(), "shop".to_owned(), push(None, &tip)).await;
    let mut record = stack.record().await;
    let published = "SELECT count(*), count(*) FILTER (WHERE state = 'published') FROM tasks WHERE state <> 'waiting'";
    let tasks: i64 = wait_for("all tasks to be in the queue", LONG, async || {
        let (all, published): (i64, i64) = sqlx::query_as(published).fetch_one(&mut record).await.unwrap();
        (all > 0 && all == published).then_some(all)
    })
    .await;
    stack.add(Role::Worker).await;
    stack.ended(&audit).await;

    let files = "SELECT count(*), coalesce(sum(jsonb_array_length(manifest -> 'files')), 0)::bigint FROM shards
                 WHERE jsonb_array_length(manifest -> 'files') > 0";
    let (shards, files): (i64, i64) = sqlx::query_as(files).fetch_one(&mut record).await.unwrap();
    assert!(tasks > shards && files > 0, "{tasks} tasks over {shards} shards of {files} files");
    let worker = wait_for("the worker to say what it did", LONG, async || {
        let queue = stack.api().get("/api/v1/queue").await.expect(200);
        let worker = queue["workers"].get(0)?.clone();
        (worker["files_read"].as_i64()? >= files && worker["running"] == 0).then_some(worker)
    })
    .await;
    assert_eq!(worker["files_read"], files, "{worker:#}");
    let parsed = worker["files_parsed"].as_i64().unwrap();
    assert!(parsed > 0 && parsed <= files, "{worker:#}");
}
