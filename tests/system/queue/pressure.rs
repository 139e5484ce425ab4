//! What is turned away when more is asked for than can be done.

use schemas::request::Priority;
use serde_json::json;
use tests::audits::push;
use tests::fixture;
use tests::repository::FixtureRepository;
use tests::stack::{Role, SECRET, Stack, StackConfig};
use tests::wait::{LONG, wait_for};

use super::without_workers_but;

#[tokio::test(flavor = "multi_thread")]
async fn when_the_api_turns_away_a_fifth_is_left_for_forges() {
    let (mut stack, noop) = without_workers_but(vec![("ELDER_WAITING_AUDITS_MAX".to_owned(), "5".to_owned())]).await;
    stack.stop(Role::Planner, 0).await;
    noop.project("shop", None).await;
    for _ in 0..4 {
        noop.record("shop", Priority::Normal).await;
    }
    stack.api().post("/api/v1/projects/shop/audit/trigger", &json!({})).await.expect(429);
    let (path, tip) = ("/webhooks/github/shop", "1".repeat(40));
    stack.api().deliver(path, push(None, &tip).sign(SECRET)).await.expect(202);
    wait_for("pushes to be turned away", LONG, async || {
        (stack.api().deliver(path, push(None, &tip).sign(SECRET)).await.status == 503).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_planned_in_time_is_turned_away_and_nothing_that_was_taken_is_lost() {
    let environment = vec![("ELDER_WAITING_AUDITS_MAX".to_owned(), "5".to_owned())];
    let mut stack = Stack::start_with(StackConfig { environment, ..StackConfig::default() }).await;
    let mut repository = FixtureRepository::new(&stack.folder("shop.git"));
    let tip = fixture::build(&mut repository);
    stack.register("shop", &repository).await;
    stack.kill(Role::Planner, 0).await;
    let path = "/api/v1/projects/shop/audit/trigger";
    let mut taken = Vec::new();
    let refused = wait_for("the API to turn away", LONG, async || {
        let answer = stack.api().post(path, &json!({})).await;
        match answer.status {
            202 => taken.push(answer.body["audit_id"].as_str().unwrap().to_owned()),
            _ => return Some(answer),
        }
        None
    })
    .await;
    assert_eq!((refused.status, refused.retry_after.as_deref()), (429, Some("5")), "{refused:?}");
    assert!(taken.len() >= 4, "a fifth is kept for forges: {taken:?}");
    let webhook = "/webhooks/github/shop";
    let refused = wait_for("webhooks to be turned away", LONG, async || {
        let answer = stack.api().deliver(webhook, push(None, &tip).sign(SECRET)).await;
        match answer.status {
            202 => taken.push(answer.body["audit_id"].as_str().unwrap().to_owned()),
            _ => return Some(answer),
        }
        None
    })
    .await;
    assert_eq!((refused.status, refused.retry_after.as_deref()), (503, Some("5")), "{refused:?}");
    stack.restart(Role::Planner, 0).await;
    for audit in &taken {
        stack.ended(audit).await;
    }
    wait_for("the API to take again", LONG, async || {
        (stack.api().post(path, &json!({})).await.status == 202).then_some(())
    })
    .await;
}
