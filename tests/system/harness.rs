//! The harness itself: servers that come back with their data after being killed.

mod proxies;

use sqlx::Connection as _;
use tests::stack::{Stack, StackConfig};

#[tokio::test(flavor = "multi_thread")]
async fn killed_postgres_comes_back_with_its_data_on_the_same_address() {
    let mut stack = Stack::services(StackConfig::default()).await;
    let url = stack.postgres.url().to_owned();
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    sqlx::query("CREATE TABLE kept (n int)").execute(&mut connection).await.unwrap();
    sqlx::query("INSERT INTO kept VALUES (7)").execute(&mut connection).await.unwrap();

    stack.postgres.kill().await;
    assert!(sqlx::query("SELECT 1").execute(&mut connection).await.is_err());
    stack.postgres.restart().await.unwrap();

    assert_eq!(stack.postgres.url(), url);
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    let kept: i32 = sqlx::query_scalar("SELECT n FROM kept").fetch_one(&mut connection).await.unwrap();
    assert_eq!(kept, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_nats_comes_back_with_its_messages_and_its_clients() {
    let mut stack = Stack::services(StackConfig::default()).await;
    let url = stack.nats.url().to_owned();
    let jetstream = async_nats::jetstream::new(tests::nats::connect(&url).await);
    let stream = async_nats::jetstream::stream::Config {
        name: "KEPT".to_owned(),
        subjects: vec!["kept".to_owned()],
        ..Default::default()
    };
    jetstream.create_stream(stream).await.unwrap();
    jetstream.publish("kept", "one".into()).await.unwrap().await.unwrap();

    stack.nats.kill().await;
    stack.nats.restart().await.unwrap();

    assert_eq!(stack.nats.url(), url);
    // The same client, which reconnects by itself.
    let stream = tests::wait::wait_for("the client to be back", tests::wait::LONG, async || {
        jetstream.get_stream("KEPT").await.ok()
    })
    .await;
    assert_eq!(stream.get_raw_message(1).await.unwrap().payload, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn stacks_do_not_see_each_other() {
    let (one, two) = tokio::join!(
        Box::pin(Stack::services(StackConfig::default())),
        Box::pin(Stack::services(StackConfig::default()))
    );
    assert_ne!(one.nats.url(), two.nats.url());
    assert_ne!(one.postgres.url(), two.postgres.url());
    assert!(sqlx::PgConnection::connect(two.postgres.url()).await.is_ok());
}
