//! The queue under people's eyes: turns, limits, what holds an audit, and that every door says the same.

mod pressure;

use std::collections::BTreeMap;

use schemas::ids::AuditId;
use schemas::request::Priority;
use serde_json::{Value, json};
use tests::noop::Noop;
use tests::stack::{Role, Stack, StackConfig};
use tests::wait::{LONG, wait_for};

/// A stack without workers: what the dispatcher publishes stays.
async fn without_workers() -> (Stack, Noop) {
    without_workers_but(Vec::new()).await
}

async fn without_workers_but(environment: Vec<(String, String)>) -> (Stack, Noop) {
    let config = StackConfig { workers: 0, environment, ..StackConfig::default() };
    let stack = Stack::start_with(config).await;
    let noop = Noop::connect(&stack).await;
    (stack, noop)
}

async fn explained(stack: &Stack, audit: AuditId) -> Value {
    stack.api().get(&format!("/api/v1/audits/{audit}/explain")).await.expect(200)
}

/// Waits until so many tasks of an audit are in flight, and no more become so in the dispatcher's next rounds.
async fn in_flight(stack: &Stack, audit: AuditId, tasks: u64) {
    let what = format!("{tasks} tasks of {audit} to be in flight");
    let mut seen = 0;
    wait_for(&what, LONG, async || {
        let now = explained(stack, audit).await["tasks_in_flight"].as_u64()?;
        seen = if now == tasks { seen + 1 } else { 0 };
        (seen == 10).then_some(())
    })
    .await;
}

/// Jain's index: 1 if all have the same, 1/n if one has everything.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn jain(shares: &[i64]) -> f64 {
    let sum: f64 = shares.iter().map(|share| *share as f64).sum();
    let squares: f64 = shares.iter().map(|share| (*share as f64).powi(2)).sum();
    sum * sum / (shares.len() as f64 * squares)
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_projects_get_equal_shares_beside_a_neighbour_with_a_hundred_times_as_much() {
    let mut stack = Stack::services(StackConfig::default()).await;
    stack.set_up().await;
    let noop = Noop::connect(&stack).await;
    noop.project("noisy", None).await;
    let noisy = noop.record("noisy", Priority::Normal).await;
    noop.start(noisy, 20_000, 1).await;
    for number in 0..9 {
        let slug = format!("small-{number}");
        noop.project(&slug, None).await;
        noop.audit(&slug, Priority::Normal, 200).await;
    }
    for role in [Role::Aggregator, Role::Worker, Role::Worker, Role::Planner] {
        stack.add(role).await;
    }
    let mut record = stack.record().await;
    wait_for("the small audits to end", LONG, async || {
        let open = "SELECT count(*) FROM audits WHERE project_slug <> 'noisy' AND finished_at IS NULL";
        let open: i64 = sqlx::query_scalar(open).fetch_one(&mut record).await.unwrap();
        (open == 0).then_some(())
    })
    .await;
    // As long as all of them had work: 180 of 200 tasks each.
    let shares = "SELECT count(*) FROM (
            SELECT project_slug FROM tasks JOIN audits a ON a.id = audit_id
            WHERE published_at IS NOT NULL ORDER BY published_at LIMIT 1800) first
        GROUP BY project_slug";
    let shares: Vec<i64> = sqlx::query_scalar(shares).fetch_all(&mut record).await.unwrap();
    assert_eq!(shares.len(), 10, "{shares:?}");
    assert!(jain(&shares) >= 0.95, "{shares:?} is {}", jain(&shares));
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_are_named_and_can_be_changed_while_it_runs() {
    let (mut stack, noop) = without_workers().await;
    noop.project("shop", Some("core")).await;
    noop.project("till", Some("core")).await;
    let till_all = 10;
    let api = stack.api().clone();
    let put = |path: &'static str, body: Value| {
        let api = api.clone();
        async move { api.put(&format!("/api/v1/limits/{path}"), &body).await }
    };
    put("project/shop", json!({"tasks_in_flight": 3})).await.expect(200);
    put("team/core", json!({"tasks_in_flight": 5})).await.expect(200);
    // Limits are read every two seconds, and what was published before stays: from here on the dispatcher knows of them.
    stack.restart(Role::Planner, 0).await;
    let shop = noop.audit("shop", Priority::Normal, 20).await;
    in_flight(&stack, shop, 3).await;
    assert_eq!(explained(&stack, shop).await["held_by"], "the limit of project `shop`: 3 tasks in flight");
    let till = noop.audit("till", Priority::Critical, till_all).await;
    in_flight(&stack, till, 2).await;
    assert_eq!(explained(&stack, till).await["held_by"], "the limit of team `core`: 5 tasks in flight");

    stack.api().delete("/api/v1/limits/team/core").await.expect(200);
    stack.api().delete("/api/v1/limits/team/core").await.expect(404);
    in_flight(&stack, till, till_all as u64).await;
    assert_eq!(explained(&stack, till).await["held_by"], "nothing: all its tasks are in the queue, running or done");
    in_flight(&stack, shop, 3).await;
    put("project/shop", json!({"tasks_in_flight": 6})).await.expect(200);
    in_flight(&stack, shop, 6).await;

    let refused = put("project/shop", json!({"tasks_in_flight": 0})).await.expect(400);
    assert!(refused["error"].as_str().unwrap().contains("tasks_in_flight"), "{refused}");
    put("planet/earth", json!({})).await.expect(400);
    put("team/core", json!({"weight": 2})).await.expect(400);
    put("team/core%20team", json!({"tasks_in_flight": 1})).await.expect(200);
    let listed = stack.api().get("/api/v1/limits").await.expect(200);
    let shop_row = json!({"scope": "project", "name": "shop", "tasks_in_flight": 6, "weight": 1});
    let team_row = json!({"scope": "team", "name": "core team", "tasks_in_flight": 1, "weight": 1});
    assert_eq!(listed, json!([shop_row, team_row]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_planners_limit_for_each_project_is_named_although_only_its_command_line_says_it() {
    let environment = vec![("ELDER_PROJECT_TASKS_IN_FLIGHT".to_owned(), "3".to_owned())];
    let (stack, noop) = without_workers_but(environment).await;
    noop.project("shop", None).await;
    noop.project("till", None).await;
    // Says nothing of tasks in flight, and that lifts the planner's limit.
    stack.api().put("/api/v1/limits/project/till", &json!({"weight": 2})).await.expect(200);
    let (shop, till) = (noop.audit("shop", Priority::Normal, 20).await, noop.audit("till", Priority::Normal, 40).await);
    in_flight(&stack, shop, 3).await;
    let said = "the planner's limit for each project without one of its own: 3 tasks in flight";
    assert_eq!(explained(&stack, shop).await["held_by"], said);
    let text = command(&stack, &["queue", "explain", &shop.to_string()]).await;
    assert!(text.contains(said), "{text}");
    in_flight(&stack, till, 13).await;
    let held_by = explained(&stack, till).await["held_by"].clone();
    assert!(held_by.as_str().unwrap().starts_with("its turn: the queue is full"), "{held_by}");
    let projects = stack.api().get("/api/v1/queue").await.expect(200)["projects"].clone();
    let most = |slug: &str| {
        let row = projects.as_array().unwrap().iter().find(|row| row["project"] == slug).expect("it has tasks");
        row["tasks_in_flight_max"].clone()
    };
    assert_eq!((most("shop"), most("till")), (json!(3), Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_of_three_times_the_weight_gets_three_times_as_many_turns() {
    let (mut stack, noop) = without_workers().await;
    stack.stop(Role::Planner, 0).await;
    for slug in ["heavy", "light"] {
        noop.project(slug, None).await;
    }
    stack.api().put("/api/v1/limits/project/heavy", &json!({"weight": 3})).await.expect(200);
    let [heavy, light] =
        [noop.audit("heavy", Priority::Normal, 50).await, noop.audit("light", Priority::Normal, 50).await];
    stack.restart(Role::Planner, 0).await;
    in_flight(&stack, heavy, 12).await;
    in_flight(&stack, light, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ahead_is_said_and_projects_with_the_most_tasks_are_listed_first() {
    let (stack, noop) = without_workers().await;
    // By name they would stand the other way round.
    let mut audits = Vec::new();
    for (slug, tasks) in [("c-most", 100), ("b-some", 30), ("a-few", 5)] {
        noop.project(slug, None).await;
        audits.push(noop.audit(slug, Priority::Normal, tasks).await);
        if audits.len() == 1 {
            in_flight(&stack, audits[0], 16).await;
        }
    }
    let report = stack.api().get("/api/v1/queue").await.expect(200);
    let listed: Vec<&str> =
        report["projects"].as_array().unwrap().iter().map(|row| row["project"].as_str().unwrap()).collect();
    assert_eq!((listed, &report["projects_total"]), (vec!["c-most", "b-some", "a-few"], &json!(3)));
    // All three have their turns when there is room again; the youngest is the last in the first round.
    let last = explained(&stack, audits[2]).await;
    assert_eq!((&last["position"], &last["tasks_ahead"]), (&json!(3), &json!(18)), "{last:#}");

    let unplanned = [noop.record("a-few", Priority::Low).await, noop.record("a-few", Priority::Low).await];
    let second = explained(&stack, unplanned[1]).await;
    assert_eq!(second["position"], 2, "{second:#}");
    assert_eq!(second["held_by"], "its plan: 1 audits were asked for before it and are planned first");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_shows_the_same_queue() {
    let (mut stack, noop) = without_workers().await;
    noop.project("shop", None).await;
    let waiting = noop.record("shop", Priority::Low).await;
    let running = noop.audit("shop", Priority::High, 100).await;
    in_flight(&stack, running, 16).await;

    let report = stack.api().get("/api/v1/queue").await.expect(200);
    let class = |name: &str| {
        let rows = report["classes"].as_array().unwrap();
        rows.iter().find(|row| row["class"] == name).unwrap().clone()
    };
    let counts = |row: Value| {
        ["audits_unplanned", "audits_running", "tasks_ready", "tasks_in_flight"].map(|name| row[name].as_u64().unwrap())
    };
    assert_eq!(counts(class("high")), [0, 1, 84, 16]);
    assert_eq!(counts(class("low")), [1, 0, 0, 0]);
    assert!(class("low")["oldest_wait_secs"].as_f64().unwrap() > 0.0);
    assert_eq!(class("high")["oldest_wait_secs"], 0.0, "it is being served");
    assert_eq!(report["projects"][0]["tasks_ready"], 84);
    assert_eq!(report["pace"], Value::Null);
    assert_eq!(report["workers"], json!([]));

    let metrics = stack.api().get("/metrics").await.expect(200);
    for line in [
        "elder_queue_tasks_ready{class=\"high\"} 84",
        "elder_queue_tasks_in_flight{class=\"high\"} 16",
        "elder_queue_audits_waiting{class=\"low\"} 1",
        "elder_queue_project_tasks_ready{project=\"shop\"} 84",
        "elder_stream_messages{stream=\"AUDIT_TASKS\"} 16",
        "elder_workers 0",
        "elder_queue_tasks_per_second 0.0",
    ] {
        let text = metrics.as_str().unwrap();
        assert!(text.lines().any(|found| found == line), "no line `{line}` in\n{text}");
    }
    let explained = explained(&stack, running).await;
    assert_eq!(explained["position"], 1);
    assert_eq!(explained["tasks_ahead"], 16);
    assert_eq!(explained["ends_in_secs"], Value::Null, "nothing was done yet: {explained}");
    let text = command(&stack, &["queue"]).await;
    assert!(text.contains("high") && text.contains("shop"), "{text}");
    let from_command: Value = serde_json::from_str(&command(&stack, &["queue", "--format", "json"]).await).unwrap();
    let but_for_the_time = |report: &Value| {
        let mut projects = report["projects"].clone();
        assert!(projects[0]["oldest_wait_secs"].take().as_f64() > Some(0.0), "{projects:#}");
        projects
    };
    assert_eq!(but_for_the_time(&from_command), but_for_the_time(&report));
    let id = waiting.to_string();
    let text = command(&stack, &["queue", "explain", &id]).await;
    assert!(text.contains("its plan: the repository is fetched and cut into tasks first"), "{text}");

    stack.add(Role::Worker).await;
    stack.ended(&running.to_string()).await;
    let report = stack.api().get("/api/v1/queue").await.expect(200);
    assert_eq!(report["workers"].as_array().unwrap().len(), 1, "{report:#}");
    let ended = stack.api().get(&format!("/api/v1/audits/{running}/explain")).await.expect(200);
    assert_eq!(ended["held_by"], "nothing: it has ended as completed");
    stack.api().get(&format!("/api/v1/audits/{}/explain", uuid::Uuid::nil())).await.expect(404);
    stack.api().get("/api/v1/audits/nonsense/explain").await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_and_pools_are_shown_at_every_door() {
    let environment = vec![("ELDER_POOL".to_owned(), "large".to_owned())];
    let stack = Stack::start_with(StackConfig { workers: 1, environment, ..StackConfig::default() }).await;
    let second = stack.run("second-worker", ["worker", "--pool", "small"]).start().await;
    let noop = Noop::connect(&stack).await;
    noop.project("shop", Some("core")).await;
    noop.project("till", None).await;
    let audits = [noop.audit("shop", Priority::High, 50).await, noop.audit("till", Priority::Low, 30).await];
    for audit in audits {
        stack.ended(&audit.to_string()).await;
    }
    let planners = "INSERT INTO results (audit_id, shard, magic, digest, tally) VALUES ($1, 0, 'integrity', 'x', '{}')";
    sqlx::query(planners).bind(audits[0].0).execute(&mut stack.record().await).await.unwrap();
    let answered = noop.store.answered_tasks(std::time::Duration::from_secs(3_600)).await.unwrap();
    let mut answered: Vec<_> =
        answered.iter().map(|row| (row.project.as_str(), row.team.as_deref(), row.priority, row.tasks)).collect();
    answered.sort_unstable();
    let expected = [("shop", Some("core"), Priority::High, 50), ("till", None, Priority::Low, 30)];
    assert_eq!(answered, expected, "the planner's own answers are none of them");

    // However slow the machine is: something was answered within the last minute.
    let report = wait_for("rates of all that works", LONG, async || {
        let audit = noop.audit("shop", Priority::High, 5).await;
        stack.ended(&audit.to_string()).await;
        let report = stack.api().get("/api/v1/queue").await.expect(200);
        let pools = report["pools"].as_array()?;
        let counts = |row: &Value| (row["pool"].clone(), row["workers"].clone(), row["slots"].clone());
        let (large, small) = ((json!("large"), json!(1), json!(2)), (json!("small"), json!(1), json!(2)));
        let is_counted = pools.iter().any(|pool| pool["tasks_per_sec"].as_f64() > Some(0.0));
        let is_fast = report["classes"][1]["tasks_per_sec"].as_f64() > Some(0.0)
            && report["projects"][0]["tasks_per_sec"].as_f64() > Some(0.0);
        (pools.iter().map(counts).collect::<Vec<_>>() == [large, small] && is_counted && is_fast).then_some(report)
    })
    .await;
    assert_eq!((&report["classes"][1]["class"], &report["classes"][0]["tasks_per_sec"]), (&json!("high"), &json!(0.0)));
    let pools: Vec<&Value> = report["workers"].as_array().unwrap().iter().map(|worker| &worker["pool"]).collect();
    assert!(pools.contains(&&json!("large")) && pools.contains(&&json!("small")), "{report:#}");

    let metrics = stack.api().get("/metrics").await.expect(200);
    let metrics = metrics.as_str().unwrap();
    for line in ["elder_pool_workers{pool=\"large\"} 1", "elder_pool_slots{pool=\"small\"} 2"] {
        assert!(metrics.lines().any(|found| found == line), "no line `{line}` in\n{metrics}");
    }
    for series in ["queue_class_tasks_per_second{class=\"high\"}", "queue_project_tasks_per_second{project=\"shop\"}"] {
        assert!(metrics.contains(series), "no {series} in\n{metrics}");
    }
    let text = command(&stack, &["queue"]).await;
    assert!(text.contains("tasks/s") && text.contains("large") && text.contains("small"), "{text}");
    let refused = stack.run("refused", ["worker", "--pool", "No Slug"]).start().await;
    assert!(!refused.exited().await.success() && refused.log().contains("pool name `No Slug`"), "{}", refused.log());

    second.stop().await;
    wait_for("the pool to be gone", LONG, async || {
        let metrics = stack.api().get("/metrics").await.expect(200);
        (!metrics.as_str()?.contains("pool=\"small\"")).then_some(())
    })
    .await;
}

/// Runs `elder ARGUMENTS...` to its good end and returns what it printed.
async fn command(stack: &Stack, arguments: &[&str]) -> String {
    let name = arguments.join("-");
    let process = stack.run(&name, arguments.iter().copied()).start().await;
    let status = process.exited().await;
    assert!(status.success(), "elder {arguments:?} ended with {status}:\n{}", process.log());
    process.log()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_push_beside_a_huge_audit_is_done_first_and_predictions_come_true() {
    let stack = Stack::start().await;
    let noop = Noop::connect(&stack).await;
    noop.project("huge", None).await;
    noop.project("small", None).await;
    let huge = noop.record("huge", Priority::Normal).await;
    noop.start(huge, 100_000, 1).await;
    let done = "SELECT tasks_done FROM audits WHERE id = $1";
    wait_for("the huge audit to be under way", LONG, async || {
        (stack.number(done, &huge.to_string()).await >= 2_000).then_some(())
    })
    .await;
    let small = noop.audit("small", Priority::Normal, 20).await;
    stack.ended(&small.to_string()).await;
    // Published in between: no more than was in the queue already, its own turns, and one round.
    let between = "SELECT count(*) FROM tasks t JOIN tasks mine ON mine.audit_id = $1 AND mine.shard = 20
                   WHERE t.audit_id <> $1 AND t.published_at <= mine.published_at
                     AND t.published_at > (SELECT started_at FROM audits WHERE id = $1)";
    let between = stack.number(between, &small.to_string()).await;
    assert!(between <= 1_024 + 20, "{between} tasks of the huge audit were published before the small one's last");

    let seen: BTreeMap<String, Value> = wait_for("a prediction", LONG, async || {
        let explained = explained(&stack, huge).await;
        let ends = explained["ends_in_secs"]["p50"].as_f64()?;
        assert!(ends >= 0.0 && explained["ends_in_secs"]["p90"].as_f64()? >= ends, "{explained}");
        explained.as_object().map(|fields| fields.clone().into_iter().collect())
    })
    .await;
    // "12 samples of the last ten minutes, 55.9 tasks/s"
    let (samples, pace) = seen["basis"].as_str().unwrap().split_once(", ").unwrap();
    assert!(samples.ends_with("samples of the last ten minutes"), "{seen:?}");
    // All tasks are alike: what is left, at the pace of the same moment, is when it ends.
    let pace: f64 = pace.strip_suffix(" tasks/s").unwrap().parse().unwrap();
    let left = (seen["tasks_total"].as_f64().unwrap() - seen["tasks_done"].as_f64().unwrap()) / pace;
    let predicted = seen["ends_in_secs"]["p50"].as_f64().unwrap();
    assert!((left / 3.0..=left * 3.0).contains(&predicted), "{predicted} s predicted, {left} s at {pace}/s: {seen:?}");
}
