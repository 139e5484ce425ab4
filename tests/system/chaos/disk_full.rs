//! A database whose disk is full: nothing that was accepted is lost, and all of it goes on when there is room again.

use serde_json::json;
use tests::audits::push;
use tests::disk::FullDisk;
use tests::stack::{Role, SECRET, Stack};
use tests::wait::{LONG, wait_for};

use super::{NEVER, Project, assert_all_end, config, projects, push_all};

async fn count(stack: &Stack, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&mut stack.record().await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_room_keeps_what_it_has_and_takes_the_rest_later() {
    let mut stack = Stack::start_with(config(2, NEVER)).await;
    let projects = projects(&stack, 4).await;
    let (early, late) = projects.split_at(2);
    // Each is seen once, so that its secret is known.
    for Project { slug, .. } in &projects {
        stack.api().deliver(&format!("/webhooks/github/{slug}"), push(None, "").sign("")).await.expect(401);
    }
    // Results of two audits are on their way when the disk is found full.
    stack.stop(Role::Aggregator, 0).await;
    let mut audits = push_all(&stack, early).await;
    let jetstream = stack.jetstream().await;
    wait_for("results", LONG, async || {
        let results = jetstream.get_stream("AUDIT_RESULTS").await.unwrap();
        (results.cached_info().state.messages >= 8).then_some(())
    })
    .await;
    let full = FullDisk::of(&stack).await;
    stack.restart(Role::Aggregator, 0).await;

    for Project { slug, push, .. } in late {
        let taken = stack.api().deliver(&format!("/webhooks/github/{slug}"), push.sign(SECRET)).await.expect(202);
        audits.push(taken["audit_id"].as_str().unwrap().to_owned());
    }
    let path = "/api/v1/projects/shop-0/audit/trigger";
    stack.api().post(path, &json!({})).await.expect(503);
    let refused = [
        (Role::Serve, "the record is away; the request waits in the queue"),
        (Role::Planner, "planning waits"),
        (Role::Aggregator, "results wait"),
    ];
    for (role, said) in refused {
        let what = format!("`{said}` in the log of {role:?}");
        wait_for(&what, LONG, async || {
            let log = stack.process(role, 0).log();
            (log.contains(said) && log.contains("could not extend file")).then_some(())
        })
        .await;
    }
    assert_eq!(count(&stack, "SELECT count(*) FROM results WHERE shard > 0").await, 0, "nothing had room");
    assert_eq!(count(&stack, "SELECT count(*) FROM audits").await, 2, "nor had a request");

    full.has_room(&stack).await;
    assert_all_end(&stack, &projects, &audits).await;
}
