//! What a push means for older audits of its branch: superseded and covered, coalesced, or all run.

mod coalesce;
mod overlooked;
mod settings;

use std::collections::BTreeMap;

use broker::store::plan::{Extent, Plan};
use schemas::ids::{AuditId, TraceId};
use schemas::magic::Magic;
use schemas::request::{AuditKind, AuditRequest, Priority};
use serde_json::{Value, json};
use tests::audits::sorted;
use tests::fixture::{EXPECTED, Expected};
use tests::repository::FixtureRepository;
use tests::stack::{Role, Stack};
use tests::wait::{LONG, wait_for};

use crate::stops::late::{answer, remembered};
use crate::stops::{all_queued, project, store, without_workers};

/// What each of three more pushes brings.
const MORE: [Expected; 3] = [
    ("integrity/todo-marker", "medium", "src/one.rs:1"),
    ("integrity/todo-marker", "medium", "src/two.rs:1"),
    ("integrity/todo-marker", "medium", "src/three.rs:1"),
];

/// Three commits on top, each with a finding of its own.
fn three_more(repository: &mut FixtureRepository) -> [String; 3] {
    ["one", "two", "three"].map(|name| {
        repository.file(&format!("src/{name}.rs"), format!("// FIXME: {name}\n"));
        repository.commit(&format!("Add the number {name}"))
    })
}

async fn audit(stack: &Stack, audit: &str) -> Value {
    stack.api().get(&format!("/api/v1/audits/{audit}")).await.expect(200)["audit"].clone()
}

/// Waits until an audit is in a state, and returns it.
async fn becomes(stack: &Stack, id: &str, state: &str) -> Value {
    wait_for(&format!("audit {id} to be {state}"), LONG, async || {
        Some(audit(stack, id).await).filter(|audit| audit["state"] == state)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_of_a_full_and_two_incremental_pushes_finds_everything() {
    let mut stack = without_workers().await;
    let (mut repository, tip) = project(&stack, "shop").await;
    let [one, two, _] = three_more(&mut repository);
    let first = stack.push("shop", None, &tip).await;
    all_queued(&stack, "shop", &first).await;
    let second = stack.push("shop", Some(&tip), &one).await;
    let superseded = becomes(&stack, &first, "superseded").await;
    assert_eq!(superseded["superseded_by"], json!(second));
    assert_eq!(superseded["reason"], format!("superseded by audit {second} of the newer push {one}"));
    all_queued(&stack, "shop", &second).await;
    let third = stack.push("shop", Some(&one), &two).await;
    becomes(&stack, &second, "superseded").await;

    stack.add(Role::Worker).await;
    let ended = stack.ended(&third).await;
    assert_eq!((&ended["state"], &ended["commit"]), (&json!("completed"), &json!(two)), "{ended:#}");
    assert_eq!(ended["audit_type"], "full", "the first was a full one");
    let expected = [EXPECTED.as_slice(), &MORE[..2]].concat();
    assert_eq!(stack.findings(&third, &repository).await, sorted(&expected));
    let queued = stack.jetstream().await.get_stream("AUDIT_TASKS").await.unwrap().cached_info().state.messages;
    assert_eq!(queued, 0, "nothing of the superseded ones is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn incremental_pushes_in_any_order_are_audited_as_one_from_the_first_base() {
    let mut stack = without_workers().await;
    stack.add(Role::Worker).await;
    for (slug, order) in [("in-order", [0, 1, 2]), ("last-two-swapped", [0, 2, 1]), ("first-last", [1, 2, 0])] {
        let (mut repository, tip) = project(&stack, slug).await;
        let commits = three_more(&mut repository);
        stack.ended(&stack.push(slug, None, &tip).await).await;
        // Without a planner: what is received is settled by who received it.
        stack.stop(Role::Planner, 0).await;
        let mut audits = [const { String::new() }; 3];
        for index in order {
            let before = if index == 0 { &tip } else { &commits[index - 1] };
            audits[index] = stack.push(slug, Some(before), &commits[index]).await;
            let open = "SELECT count(*) FROM audits WHERE finished_at IS NULL
                        AND project_id = (SELECT project_id FROM audits WHERE id = $1)";
            wait_for("the branch to be settled", LONG, async || {
                (stack.number(open, &audits[index]).await == 1).then_some(())
            })
            .await;
        }
        for stopped in &audits[..2] {
            becomes(&stack, stopped, "superseded").await;
        }
        stack.restart(Role::Planner, 0).await;

        let ended = stack.ended(&audits[2]).await;
        assert_eq!((&ended["state"], &ended["commit"]), (&json!("completed"), &json!(commits[2])), "{slug} {ended:#}");
        // When the third came right after the first, nobody could know how far apart they were.
        let is_full = slug == "last-two-swapped";
        let expected = if is_full { [EXPECTED.as_slice(), &MORE].concat() } else { MORE.to_vec() };
        assert_eq!(stack.findings(&audits[2], &repository).await, sorted(&expected), "{slug} {ended:#}");
        let (kind, base) = if is_full { ("full", json!(null)) } else { ("incremental", json!(tip)) };
        assert_eq!((&ended["audit_type"], &ended["base_commit"]), (&json!(kind), &base), "{slug}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_for_a_superseded_audit_is_not_done_again() {
    let mut stack = without_workers().await;
    let (mut repository, tip) = project(&stack, "shop").await;
    let older = stack.push("shop", None, &tip).await;
    all_queued(&stack, "shop", &older).await;
    let in_time = answer(&stack, &older, 1, &repository).await;
    remembered(&stack, in_time).await;
    let [one, ..] = three_more(&mut repository);
    let newer = stack.push("shop", Some(&tip), &one).await;
    becomes(&stack, &older, "superseded").await;
    let planned = becomes(&stack, &newer, "running").await;
    assert_eq!(planned["files_cached"], json!(in_time), "{planned:#}");
    assert_eq!(planned["files_analyzed"], json!(tests::fixture::FILES + 1 - in_time), "{planned:#}");

    stack.add(Role::Worker).await;
    assert_eq!(stack.ended(&newer).await["state"], "completed");
    let expected = [EXPECTED.as_slice(), &MORE[..1]].concat();
    assert_eq!(stack.findings(&newer, &repository).await, sorted(&expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_asked_for_neither_stops_nor_is_stopped() {
    let mut stack = without_workers().await;
    let (mut repository, tip) = project(&stack, "shop").await;
    let [one, ..] = three_more(&mut repository);
    let manual = stack.trigger("shop", &json!({"branch": "main"})).await;
    let older = stack.push("shop", None, &tip).await;
    all_queued(&stack, "shop", &older).await;
    let after = stack.trigger("shop", &json!({"branch": "main", "audit_type": "full"})).await;
    all_queued(&stack, "shop", &after).await;
    assert_eq!(audit(&stack, &older).await["state"], "running");
    let newer = stack.push("shop", Some(&tip), &one).await;
    becomes(&stack, &older, "superseded").await;

    stack.add(Role::Worker).await;
    for id in [manual, after, newer] {
        assert_eq!(stack.ended(&id).await["state"], "completed");
    }
}

/// A push as it is recorded, with nobody to settle its branch after: as if `serve` had died then.
async fn record_only(stack: &Stack, slug: &str, before: Option<&str>, after: &str) -> String {
    let store = store(stack);
    let project = store.project(&slug.parse().unwrap()).await.unwrap().unwrap();
    let request = AuditRequest {
        audit: None,
        project: project.slug.clone(),
        revision: Some(after.parse().unwrap()),
        base: before.map(|before| before.parse().unwrap()),
        kind: if before.is_some() { AuditKind::Incremental } else { AuditKind::Full },
        magics: Vec::new(),
        priority: Priority::Normal,
    };
    let (id, magics) = (AuditId::random(), vec![Magic::Integrity, Magic::Tdd, Magic::Git]);
    let (branch, requested_by, trace) = (Some("main".to_owned()), "webhook:github", TraceId::random());
    let new = broker::store::intake::NewAudit { id, request, magics, branch, requested_by, trace };
    assert!(store.record_audit(&project, &new).await.unwrap());
    id.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_nobody_settled_is_settled_before_it_is_planned() {
    let mut stack = without_workers().await;
    let (mut repository, tip) = project(&stack, "shop").await;
    let [one, two, _] = three_more(&mut repository);
    stack.stop(Role::Planner, 0).await;
    let first = record_only(&stack, "shop", None, &tip).await;
    let second = record_only(&stack, "shop", Some(&tip), &one).await;
    let third = record_only(&stack, "shop", Some(&one), &two).await;
    assert_eq!(audit(&stack, &first).await["state"], "queued", "nobody has looked yet");
    stack.restart(Role::Planner, 0).await;
    stack.add(Role::Worker).await;

    let ended = stack.ended(&third).await;
    assert_eq!((&ended["state"], &ended["audit_type"]), (&json!("completed"), &json!("full")), "{ended:#}");
    for stopped in [first, second] {
        let stopped = stack.ended(&stopped).await;
        assert_eq!((&stopped["state"], &stopped["superseded_by"]), (&json!("superseded"), &json!(third)));
        assert_eq!(stopped["started_at"], json!(null), "it was never planned");
    }
    let expected = [EXPECTED.as_slice(), &MORE[..2]].concat();
    assert_eq!(stack.findings(&third, &repository).await, sorted(&expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_refused_when_its_audit_has_to_cover_more_by_then() {
    let mut stack = without_workers().await;
    let (mut repository, tip) = project(&stack, "shop").await;
    let [one, two, _] = three_more(&mut repository);
    stack.stop(Role::Planner, 0).await;
    let newer = record_only(&stack, "shop", Some(&one), &two).await;
    let store = store(&stack);
    let planned = store.audit(newer.parse().unwrap()).await.unwrap().unwrap();
    let older = record_only(&stack, "shop", Some(&tip), &one).await;
    assert_eq!(store.settle_branch(planned.project_id.unwrap(), "main").await.unwrap(), 1);
    assert_eq!(audit(&stack, &older).await["state"], "superseded");

    let plan = Plan {
        commit: two.parse().unwrap(),
        shards: vec![],
        trees: vec![],
        known: BTreeMap::new(),
        rulesets: BTreeMap::new(),
        extent: Extent::default(),
    };
    assert!(!store.start_as_planned(&planned, &plan).await.unwrap(), "the plan is of too little");
    let widened = store.audit(planned.id).await.unwrap().unwrap();
    assert_eq!((widened.state.as_str(), widened.base), ("queued", Some(tip.parse().unwrap())));
    let again = store.audit(planned.id).await.unwrap().unwrap();
    assert!(store.start_as_planned(&again, &plan).await.unwrap());
}
