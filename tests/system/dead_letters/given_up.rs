//! Messages that nobody lives to answer: the server, or the clock, gives them up, and their audits end all the same.

use async_nats::jetstream::consumer::pull;
use serde_json::{Value, json};
use tests::player::Player;
use tests::repository::FixtureRepository;
use tests::stack::{Role, Stack, StackConfig};
use tests::wait::{LONG, wait_for};

/// Whoever takes it is dead after the second time.
const DELIVERIES: i64 = 2;

/// Makes a consumer give up early.
async fn impatient(stack: &Stack, stream: &str, consumer: &str) {
    let stream = stack.jetstream().await.get_stream(stream).await.unwrap();
    let found = stream.get_consumer::<pull::Config>(consumer).await.unwrap();
    let info = found.cached_info().config.clone();
    let config = pull::Config {
        durable_name: info.durable_name,
        filter_subject: info.filter_subject,
        ack_policy: info.ack_policy,
        max_ack_pending: info.max_ack_pending,
        ack_wait: std::time::Duration::from_secs(1),
        max_deliver: DELIVERIES,
        ..pull::Config::default()
    };
    stream.update_consumer(config).await.unwrap();
}

/// Takes messages and dies with them, again and again, for as long as `meanwhile` takes.
async fn take_and_die<T>(stack: &Stack, stream: &str, consumer: &str, meanwhile: impl Future<Output = T>) -> T {
    use futures::StreamExt as _;
    let stream = stack.jetstream().await.get_stream(stream).await.unwrap();
    let consumer = stream.get_consumer::<pull::Config>(consumer).await.unwrap();
    let dying = async {
        loop {
            let mut batch = consumer
                .batch()
                .max_messages(16)
                .expires(std::time::Duration::from_millis(300))
                .messages()
                .await
                .unwrap();
            while batch.next().await.is_some() {}
        }
    };
    tokio::select! {
        outcome = meanwhile => outcome,
        () = dying => unreachable!("taking never ends by itself"),
    }
}

async fn messages(stack: &Stack, stream: &str) -> u64 {
    stack.jetstream().await.get_stream(stream).await.unwrap().cached_info().state.messages
}

type Letter = (String, String, i64, Option<String>, Option<String>, String);

/// Cause, who noticed, attempts, class, item and state of every letter of tasks and requests.
async fn letters(stack: &Stack, count: usize) -> Vec<Letter> {
    wait_for(&format!("{count} letters"), LONG, async || {
        let letters: Vec<Letter> = sqlx::query_as(
            "SELECT cause, noticed_by, attempts, class, item, state FROM dead_letters ORDER BY item NULLS LAST, received_at",
        )
        .fetch_all(&mut stack.record().await)
        .await
        .unwrap();
        (letters.len() >= count).then_some(letters)
    })
    .await
}

/// Two files, which make a shard of two items that is split once.
async fn ask(stack: &Stack) -> String {
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    repository.file("a.rs", "pub const A: u32 = 1;\n").file("b.rs", "// TODO: b\n");
    let tip = repository.commit("Start the shop");
    stack.register("shop", &repository).await;
    stack.trigger("shop", &json!({"enabled_magics": ["integrity"], "branch": tip})).await
}

fn holes(ended: &Value) -> &Value {
    &ended["verdict"]["magics"]["integrity"]["tally"]["skipped"]["analyzer_failed"]["examples"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_the_server_gives_up_is_answered_split_and_removed() {
    let stack = Stack::start_with(StackConfig { workers: 0, ..StackConfig::default() }).await;
    impatient(&stack, "AUDIT_TASKS", "worker-normal").await;
    let audit = ask(&stack).await;

    let ended = take_and_die(&stack, "AUDIT_TASKS", "worker-normal", stack.ended(&audit)).await;

    assert_eq!(ended["state"], "partial", "{ended:#}");
    assert_eq!(holes(&ended), &json!(["a.rs", "b.rs"]));
    let letters = letters(&stack, 3).await;
    let letter = |item: Option<&str>, state: &str| {
        let noticed = ("exhausted".to_owned(), "advisory".to_owned(), DELIVERIES, Some("resource".to_owned()));
        (noticed.0, noticed.1, noticed.2, noticed.3, item.map(str::to_owned), state.to_owned())
    };
    assert_eq!(letters, [letter(Some("a.rs"), "open"), letter(Some("b.rs"), "open"), letter(None, "discarded")]);
    wait_for("the queue to be empty", LONG, async || {
        let left = messages(&stack, "AUDIT_TASKS").await + messages(&stack, "AUDIT_ADV").await;
        (left == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_the_server_gives_up_fails_its_audit() {
    let mut stack = Stack::services(StackConfig::default()).await;
    stack.set_up().await;
    stack.add(Role::Serve).await;
    stack.add(Role::Aggregator).await;
    impatient(&stack, "AUDIT_REQ", "planner").await;
    let audit = ask(&stack).await;

    let ended = take_and_die(&stack, "AUDIT_REQ", "planner", stack.ended(&audit)).await;

    assert_eq!(ended["state"], "failed");
    assert!(ended["reason"].as_str().unwrap().contains("delivered 2 times to `planner`"), "{ended:#}");
    let (origin, noticed): (String, String) = wait_for("the letter", LONG, async || {
        sqlx::query_as("SELECT origin, noticed_by FROM dead_letters")
            .fetch_optional(&mut stack.record().await)
            .await
            .unwrap()
    })
    .await;
    assert_eq!((origin.as_str(), noticed.as_str()), ("request", "advisory"));
    wait_for("the request to be removed", LONG, async || (messages(&stack, "AUDIT_REQ").await == 0).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_firing_that_the_server_gives_up_leaves_a_letter() {
    let mut stack = Stack::services(StackConfig::default()).await;
    stack.set_up().await;
    stack.add(Role::Aggregator).await;
    impatient(&stack, "AUDIT_SCHED", "fire").await;
    let jetstream = stack.jetstream().await;
    let firing = jetstream.publish("audit.fire.shop.nightly", r#"{"project":"shop"}"#.into()).await.unwrap();
    firing.await.unwrap();

    let letter = Box::pin(wait_for("the letter", LONG, async || {
        sqlx::query_as("SELECT origin, noticed_by, subject FROM dead_letters")
            .fetch_optional(&mut stack.record().await)
            .await
            .unwrap()
    }));
    let (origin, noticed, subject): (String, String, String) =
        take_and_die(&stack, "AUDIT_SCHED", "fire", letter).await;

    assert_eq!(
        (origin.as_str(), noticed.as_str(), subject.as_str()),
        ("request", "advisory", "audit.fire.shop.nightly")
    );
    wait_for("the firing to be removed", LONG, async || (messages(&stack, "AUDIT_SCHED").await == 0).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advisory_about_another_message_harms_nobody() {
    let stack = Stack::start_with(StackConfig { workers: 0, ..StackConfig::default() }).await;
    let audit = ask(&stack).await;
    wait_for("the task", LONG, async || (messages(&stack, "AUDIT_TASKS").await == 1).then_some(())).await;
    let jetstream = stack.jetstream().await;
    let advisory = |sequence: u64, at: &str| {
        json!({"type": "io.nats.jetstream.advisory.v1.max_deliver", "id": "x", "timestamp": at, "stream": "AUDIT_TASKS",
               "consumer": "worker-normal", "stream_seq": sequence, "deliveries": 20})
    };
    // One of before the queue was lost, one of a message that is gone, one of a kind that needs nothing, one about a stream
    // that is not to be touched, and no advisory.
    let terminated = json!({"type": "io.nats.jetstream.advisory.v1.terminated", "id": "x", "stream": "AUDIT_TASKS",
        "timestamp": "2020-01-01T00:00:00Z", "consumer": "worker-normal", "consumer_seq": 1, "stream_seq": 1,
        "deliveries": 1, "reason": "x"});
    let mut elsewhere = advisory(1, "2120-01-01T00:00:00Z");
    elsewhere["stream"] = "AUDIT_EVENTS".into();
    let events = messages(&stack, "AUDIT_EVENTS").await;
    let (early, gone) = (advisory(1, "2020-01-01T00:00:00Z"), advisory(99, "2120-01-01T00:00:00Z"));
    let bodies = [early, gone, terminated, elsewhere, json!("?")];
    for body in bodies {
        let subject = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.AUDIT_TASKS.worker-normal";
        jetstream.publish(subject, body.to_string().into()).await.unwrap().await.unwrap();
    }
    wait_for("the advisories to be read", LONG, async || (messages(&stack, "AUDIT_ADV").await == 0).then_some(()))
        .await;
    assert_eq!((messages(&stack, "AUDIT_TASKS").await, messages(&stack, "AUDIT_EVENTS").await), (1, events));
    let mut player = Player::new(&stack).await;
    let (ended, _) = player.play("nothing", stack.ended(&audit)).await;
    assert_eq!(ended["state"], "completed", "{ended:#}");
    assert_eq!(stack.broken_laws().await, [("audits without a delivery".to_owned(), 1)]);
}

/// An audit whose one task the server has given up, with nobody there to hear that. No worker and no aggregator runs.
async fn abandoned() -> (Stack, String) {
    let environment = vec![("ELDER_LOST_AFTER_SECS".to_owned(), "2".to_owned())];
    let mut stack = Stack::services(StackConfig { environment, ..StackConfig::default() }).await;
    stack.set_up().await;
    stack.add(Role::Serve).await;
    stack.add(Role::Planner).await;
    impatient(&stack, "AUDIT_TASKS", "worker-normal").await;
    let audit = ask(&stack).await;
    let advised = wait_for("the advisory", LONG, async || (messages(&stack, "AUDIT_ADV").await >= 1).then_some(()));
    let advised = Box::pin(advised);
    take_and_die(&stack, "AUDIT_TASKS", "worker-normal", advised).await;
    stack.jetstream().await.get_stream("AUDIT_ADV").await.unwrap().purge().await.unwrap();
    (stack, audit)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_says_a_word_about_is_ended_by_the_reconciler() {
    let (mut stack, audit) = abandoned().await;
    assert_eq!(messages(&stack, "AUDIT_TASKS").await, 1, "the message lies where nobody is given it");

    // The deadline of each task passes as soon as it is set.
    let ended = wait_for("the audit to end", 2 * LONG, async || {
        sqlx::query("UPDATE tasks SET deadline_at = now() - interval '1 minute' WHERE state = 'published'")
            .execute(&mut stack.record().await)
            .await
            .unwrap();
        let answer = stack.api().get(&format!("/api/v1/audits/{audit}")).await;
        (!answer.body["audit"]["finished_at"].is_null()).then(|| answer.body["audit"].clone())
    })
    .await;

    assert_eq!(ended["state"], "partial", "{ended:#}");
    // Nobody says that it was the content that took so long, so nobody looks for a file at fault.
    let failures = &ended["verdict"]["magics"]["integrity"]["tally"]["failures"];
    assert_eq!(failures["count"], 1, "{ended:#}");
    assert!(failures["examples"][0].as_str().unwrap().contains("and nobody said why"), "{ended:#}");
    stack.add(Role::Aggregator).await;
    let letters = letters(&stack, 1).await;
    assert_eq!((letters[0].4.as_deref(), letters[0].5.as_str()), (None, "open"));
    assert!(letters[0].1 == "reconciler" && letters[0].3.as_deref() == Some("deadline"), "{letters:?}");
    wait_for("the queue to be empty", LONG, async || (messages(&stack, "AUDIT_TASKS").await == 0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_not_published_again_beyond_its_deadline() {
    let stack = Stack::services(StackConfig::default()).await;
    stack.set_up().await;
    let database = broker::config::DatabaseArgs { database_url: stack.postgres.url().into(), database_connections: 2 };
    let store = broker::Store::connect(&database).unwrap();
    let sql = "WITH p AS (INSERT INTO projects (id, slug, name, repository_url, provider, webhook_secret)
                   VALUES (gen_random_uuid(), 'shop', 'shop', 'https://example.org/shop', 'git', 'x') RETURNING id),
               a AS (INSERT INTO audits (id, project_id, project_slug, kind, priority, commit_sha, magics, requested_by,
                                         trace_id, state, tasks_total, tasks_in_flight)
                   SELECT $1, id, 'shop', 'full', 'normal', repeat('a', 40), '{git}', 'api', gen_random_uuid(), 'running', 2, 2
                   FROM p RETURNING id),
               s AS (INSERT INTO shards (audit_id, shard, bundle, manifest)
                   SELECT id, n, repeat('b', 64), '{\"files\": [], \"commits\": []}' FROM a, generate_series(1, 2) n)
               INSERT INTO tasks (audit_id, shard, magic, state, published_at, deadline_at)
               SELECT id, n, 'git', 'published', now() - interval '1 hour', now() + n * interval '1 hour' - interval '90 minutes'
               FROM a, generate_series(1, 2) n";
    let audit = uuid::Uuid::new_v4();
    sqlx::query(sql).bind(audit).execute(&mut stack.record().await).await.unwrap();
    let minute = std::time::Duration::from_secs(60);

    let stale: Vec<i32> = store.stale_shards(minute, 10).await.unwrap().iter().map(|shard| shard.shard).collect();
    assert_eq!(stale, [2]);
    let bundle = "b".repeat(64).parse().unwrap();
    let id = schemas::ids::AuditId(audit);
    assert_eq!(store.reopen_shard(id, 1, &bundle).await.unwrap(), 0);
    assert_eq!(store.reopen_shard(id, 2, &bundle).await.unwrap(), 1);
    let overdue: Vec<u32> = store.overdue_tasks(minute, 10).await.unwrap().iter().map(|task| task.key.shard).collect();
    assert_eq!(overdue, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_server_gives_to_nobody_is_replaced() {
    let (mut stack, audit) = abandoned().await;
    // The message still takes its subject, so publishing the task once more changes nothing; taking it out does.
    stack.add(Role::Aggregator).await;
    stack.add(Role::Worker).await;
    let ended = stack.ended(&audit).await;
    assert_eq!(ended["state"], "completed", "{ended:#}");
    let generation = "SELECT max(generation)::bigint FROM tasks WHERE audit_id = $1";
    assert!(stack.number(generation, &audit).await >= 2, "it was published three times");
}
