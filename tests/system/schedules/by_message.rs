//! Schedules that are messages: the server fires them, each firing is one audit, and a person replaces and ends them.

use std::collections::{BTreeMap, BTreeSet};

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::stream::Stream;
use schemas::ids::AuditId;
use serde_json::json;
use tests::nats_cli::NatsCli;
use tests::stack::{Role, Stack};
use tests::wait::{LONG, wait_for};

use super::fired;
use crate::stops::{project, without_workers};

/// Publishes `body` as the schedule `name` of the shop, as a person does, once a second.
async fn schedule(stack: &Stack, name: &str, body: &str) {
    let home = stack.folder("home");
    std::fs::create_dir_all(&home).unwrap();
    let cli = NatsCli::find(&stack.nats, &home).await;
    let target = format!("Nats-Schedule-Target:audit.fire.shop.{name}");
    // A key of the person's is on every message that fires, and means none of them.
    let headers = ["Nats-Schedule:@every 1s", &target, "Idempotency-Key:mine"];
    cli.publish(&format!("audit.sched.shop.{name}"), body, &headers).await;
}

async fn stream(stack: &Stack) -> Stream {
    stack.jetstream().await.get_stream("AUDIT_SCHED").await.unwrap()
}

/// How many messages there are on each subject that matches.
async fn subjects(stack: &Stack, filter: &str) -> BTreeMap<String, usize> {
    use futures::TryStreamExt as _;
    let found = stream(stack).await.info_with_subjects(filter).await.unwrap();
    found.try_collect::<Vec<(String, usize)>>().await.unwrap().into_iter().collect()
}

async fn fires_more(stack: &Stack, name: &str, more: usize) {
    let subject = format!("audit.fire.shop.{name}");
    let count = async || subjects(stack, &subject).await.get(&subject).copied().unwrap_or_default();
    let before = count().await;
    wait_for(&format!("{name} to fire {more} times"), LONG, async || (count().await >= before + more).then_some(()))
        .await;
}

/// Ends a schedule, and returns once another one has fired since: so did this one, if it still could.
async fn end(stack: &Stack, name: &str) {
    stream(stack).await.purge().filter(format!("audit.sched.shop.{name}")).await.unwrap();
    schedule(stack, "clock", r#"{"project":"shop"}"#).await;
    fires_more(stack, "clock", 2).await;
    stream(stack).await.purge().filter("audit.sched.shop.clock").await.unwrap();
}

/// Waits until nothing that fired is left to be dealt with.
async fn settled(stack: &Stack) {
    wait_for("all firings to be dealt with", LONG, async || {
        let stream = stream(stack).await;
        let consumer = stream.get_consumer::<pull::Config>("fire").await.ok()?;
        let info = consumer.cached_info();
        (info.num_pending == 0 && info.num_ack_pending == 0 && info.delivered.stream_sequence > 0).then_some(())
    })
    .await;
}

/// The audit that each firing in the stream must be.
async fn expected(stack: &Stack) -> BTreeSet<AuditId> {
    let stream = stream(stack).await;
    let state = stream.cached_info().state.clone();
    let mut audits = BTreeSet::new();
    for sequence in state.first_sequence..=state.last_sequence {
        let Ok(message) = stream.get_raw_message(sequence).await else { continue };
        if let Some(name) = message.subject.strip_prefix("audit.fire.shop.") {
            let millis = message.time.unix_timestamp_nanos() / 1_000_000;
            audits.insert(AuditId::from_key(&"shop".parse().unwrap(), &format!("fire:{name}:{millis}")));
        }
    }
    audits
}

#[tokio::test(flavor = "multi_thread")]
async fn each_firing_is_one_audit_though_planners_die_and_all_comes_again() {
    let mut stack = without_workers().await;
    project(&stack, "shop").await;
    let mirrors = stack.folder("other-mirrors").display().to_string();
    let second = stack.run("second-planner", ["planner", "--allow-local", "--mirrors", &mirrors]).start().await;
    schedule(&stack, "tick", r#"{"project":"shop","magics":["git"]}"#).await;

    fires_more(&stack, "tick", 3).await;
    stack.kill(Role::Planner, 0).await;
    fires_more(&stack, "tick", 3).await;
    second.kill().await;
    fires_more(&stack, "tick", 2).await;
    stack.restart(Role::Planner, 0).await;
    end(&stack, "tick").await;
    settled(&stack).await;
    let audits = fired(&stack).await;
    assert_eq!(audits.iter().copied().collect::<BTreeSet<_>>(), expected(&stack).await);
    assert!(audits.len() >= 10, "{audits:?}");

    // A planner makes its consumer again, and so all firings are delivered once more.
    stream(&stack).await.delete_consumer("fire").await.unwrap();
    settled(&stack).await;
    assert_eq!(fired(&stack).await.len(), audits.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_replaced_by_publishing_and_ended_by_purging() {
    let stack = without_workers().await;
    project(&stack, "shop").await;
    schedule(&stack, "tick", r#"{"project":"shop","magics":["integrity"]}"#).await;
    schedule(&stack, "tock", r#"{"project":"shop","magics":["tdd"]}"#).await;
    fires_more(&stack, "tick", 1).await;
    schedule(&stack, "tick", r#"{"project":"shop","magics":["git"]}"#).await;
    let kept = ["audit.sched.shop.tick", "audit.sched.shop.tock"].map(|subject| (subject.to_owned(), 1));
    assert_eq!(subjects(&stack, "audit.sched.>").await, BTreeMap::from(kept));
    fires_more(&stack, "tick", 2).await;
    end(&stack, "tick").await;
    let fired_by_then = subjects(&stack, "audit.fire.shop.tick").await;
    fires_more(&stack, "tock", 2).await;
    assert_eq!(subjects(&stack, "audit.fire.shop.tick").await, fired_by_then, "it fires after its end");
    end(&stack, "tock").await;
    settled(&stack).await;

    let mut asked: Vec<String> = sqlx::query_scalar(
        "SELECT magics[1] FROM audits WHERE cardinality(magics) = 1 AND magics[1] <> 'tdd' ORDER BY created_at",
    )
    .fetch_all(&mut stack.record().await)
    .await
    .unwrap();
    asked.dedup();
    assert_eq!(asked, ["integrity", "git"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fires_and_cannot_be_used_is_buried_as_a_request() {
    let stack = without_workers().await;
    project(&stack, "shop").await;
    let named = json!({"project": "shop", "audit": AuditId::random().to_string()}).to_string();
    let bad = [
        ("broken", "{", "undecodable", "EOF while parsing"),
        ("elsewhere", r#"{"project":"office"}"#, "refused", "came on the subject of `shop`"),
        ("named", named.as_str(), "refused", "leave `audit` out"),
        ("flow", r#"{"project":"shop","magics":["meta"]}"#, "refused", "magic `meta` has no rules"),
    ];
    for (name, body, _, _) in bad {
        schedule(&stack, name, body).await;
    }
    for (name, _, cause, reason) in bad {
        let found = wait_for(&format!("a letter about {name}"), LONG, async || {
            let sql =
                "SELECT origin, cause, project_slug FROM dead_letters WHERE subject = $1 AND strpos(reason, $2) > 0";
            let row: Option<(String, String, String)> = sqlx::query_as(sql)
                .bind(format!("audit.fire.shop.{name}"))
                .bind(reason)
                .fetch_optional(&mut stack.record().await)
                .await
                .unwrap();
            row
        })
        .await;
        assert_eq!((found.0.as_str(), found.1.as_str(), found.2.as_str()), ("request", cause, "shop"), "{name}");
        end(&stack, name).await;
    }
}
