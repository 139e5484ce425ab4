//! The object store: large objects come back whole, and bundles that are lost are packed again.

use std::collections::BTreeSet;

use broker::Bus;
use broker::config::{NatsArgs, TopologyArgs};
use schemas::ids::Digest;
use serde_json::json;
use tests::audits::sorted;
use tests::fixture::{self, EXPECTED};
use tests::repository::FixtureRepository;
use tests::stack::{Role, Stack, StackConfig};
use tests::wait::{LONG, wait_for};

/// Where bundles are.
const STREAM: &str = "OBJ_audit_bundles";

async fn connect(stack: &Stack) -> Bus {
    let args = NatsArgs { nats_url: stack.nats.url().into(), nats_nkey: None, topology: TopologyArgs::default() };
    Bus::connect(&args, "test").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_many_chunks_comes_back_whole_and_leaves_no_consumer() {
    let stack = Stack::services(StackConfig::default()).await;
    let bus = connect(&stack).await;
    bus.apply_topology().await.unwrap();
    // Eight chunks and a bit, no two alike.
    let bytes: Vec<u8> = (0..270_000_u32).flat_map(u32::to_le_bytes).collect();
    let digest = Digest::of(&bytes);

    bus.put_object(&digest, &bytes).await.unwrap();
    assert_eq!(bus.get_object(&digest).await.unwrap(), bytes);

    let jetstream = async_nats::jetstream::new(tests::nats::connect(stack.nats.url()).await);
    let mut stream = jetstream.get_stream(STREAM).await.unwrap();
    let state = &stream.info().await.unwrap().state;
    assert!(state.messages > 8, "the object has {} messages", state.messages);
    assert_eq!(state.consumer_count, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_one_bundle_is_found_missing_all_lost_ones_of_the_audit_are_packed_at_once() {
    let settings = [
        ("ELDER_SHARD_FILES", "1"),
        ("ELDER_TASKS_IN_FLIGHT", "2"),
        ("ELDER_TASKS_IN_FLIGHT_MIN", "2"),
        ("ELDER_LOST_AFTER_SECS", "2"),
    ];
    let environment = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let mut stack = Stack::start_with(StackConfig { workers: 0, environment, ..StackConfig::default() }).await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    fixture::build(&mut repository);
    stack.register("shop", &repository).await;
    let audit = stack.trigger("shop", &json!({"enabled_magics": ["integrity"]})).await;
    let in_flight = "SELECT count(*) FROM tasks WHERE audit_id = $1 AND published_at IS NOT NULL";
    wait_for("two tasks", LONG, async || (stack.number(in_flight, &audit).await == 2).then_some(())).await;
    let mut record = stack.record().await;
    let bundles: Vec<String> = sqlx::query_scalar("SELECT bundle FROM shards").fetch_all(&mut record).await.unwrap();
    let bundles: BTreeSet<Digest> = bundles.iter().map(|bundle| bundle.parse().unwrap()).collect();
    assert!(bundles.len() > 8, "one for each file: {bundles:?}");
    let jetstream = stack.jetstream().await;
    jetstream.get_stream(STREAM).await.unwrap().purge().await.unwrap();

    // No worker takes anything, so of all others nobody can have noticed that they are lost.
    let bus = connect(&stack).await;
    wait_for("all bundles to be there again", LONG, async || {
        for bundle in &bundles {
            bus.has_object(bundle).await.unwrap().then_some(())?;
        }
        Some(())
    })
    .await;
    assert_eq!(stack.number(in_flight, &audit).await, 2, "the others were never published");

    stack.add(Role::Worker).await;
    let ended = stack.ended(&audit).await;
    assert_eq!(ended["state"], "completed", "{ended:#}");
    let expected: Vec<_> = EXPECTED.iter().filter(|(rule, ..)| rule.starts_with("integrity/")).copied().collect();
    assert_eq!(stack.findings(&audit, &repository).await, sorted(&expected));
}
