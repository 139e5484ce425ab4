//! Objects larger than one chunk of the store: read back whole, and without leaving a consumer behind.

use broker::Bus;
use broker::config::{NatsArgs, TopologyArgs};
use schemas::ids::Digest;
use tests::stack::{Stack, StackConfig};

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_many_chunks_comes_back_whole_and_leaves_no_consumer() {
    let stack = Stack::services(StackConfig::default()).await;
    let args = NatsArgs { nats_url: stack.nats.url().into(), nats_nkey: None, topology: TopologyArgs::default() };
    let bus = Bus::connect(&args, "test").await.unwrap();
    bus.apply_topology().await.unwrap();
    // Eight chunks and a bit, no two alike.
    let bytes: Vec<u8> = (0..270_000_u32).flat_map(u32::to_le_bytes).collect();
    let digest = Digest::of(&bytes);

    bus.put_object(&digest, &bytes).await.unwrap();
    assert_eq!(bus.get_object(&digest).await.unwrap(), bytes);

    let jetstream = async_nats::jetstream::new(tests::nats::connect(stack.nats.url()).await);
    let mut stream = jetstream.get_stream("OBJ_audit_bundles").await.unwrap();
    let state = &stream.info().await.unwrap().state;
    assert!(state.messages > 8, "the object has {} messages", state.messages);
    assert_eq!(state.consumer_count, 0);
}
