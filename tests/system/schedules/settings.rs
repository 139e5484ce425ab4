//! Defining schedules, over the API and on the command line.

use serde_json::json;
use tests::audits::sorted;
use tests::fixture::EXPECTED;
use tests::stack::{Role, Stack};

use super::{define, shown};
use crate::stops::{project, without_workers};

/// Exit code and output of `elder schedule`.
async fn schedule(stack: &Stack, name: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let run = stack.run(name, [&["schedule"], arguments].concat()).start().await;
    (run.exited().await.code(), run.log())
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_are_defined_shown_run_and_removed() {
    let mut stack = without_workers().await;
    stack.add(Role::Worker).await;
    let (repository, _) = project(&stack, "shop").await;
    let definition = json!({"cron": "0 3 * * 1-5", "time_zone": "Europe/Berlin", "catch_up": "all",
                            "request": {"revision": "main", "magics": ["integrity"], "priority": "low"}});
    let defined = define(&stack, "nightly", &definition).await;
    assert_eq!(defined["next_moments"].as_array().unwrap().len(), 5);
    assert_eq!(
        defined["request"],
        json!({"revision": "main", "kind": "full", "magics": ["integrity"], "priority": "low"})
    );
    assert_eq!(shown(&stack, "nightly").await, defined);
    let path = "/api/v1/projects/shop/schedules";
    assert_eq!(stack.api().get(path).await.expect(200), json!([defined]));

    let asked = stack.api().post(&format!("{path}/nightly/run"), &json!({})).await.expect(202);
    let id = asked["audit_id"].as_str().unwrap();
    let ended = stack.ended(id).await;
    assert_eq!((&ended["requested_by"], &ended["priority"]), (&json!("schedule"), &json!("low")), "{ended:#}");
    assert_eq!(ended["revision"], "main", "{ended:#}");
    let again = stack.api().post(&format!("{path}/nightly/run"), &json!({})).await.expect(202);
    assert_ne!(again["audit_id"], asked["audit_id"], "once more is another audit");
    let expected: Vec<_> = EXPECTED.into_iter().filter(|(rule, ..)| rule.starts_with("integrity/")).collect();
    assert_eq!(stack.findings(id, &repository).await, sorted(&expected));

    for (name, body, said) in [
        ("bad", json!({"cron": "61 * * * *"}), "cron expression `61 * * * *` is not valid"),
        ("bad", json!({"cron": "0 0 30 2 *"}), "never matches"),
        ("bad", json!({"cron": "@daily", "time_zone": "Mars"}), "time zone `Mars`"),
        ("bad", json!({"cron": "@daily", "catch_up": "maybe"}), "maybe"),
        ("bad", json!({"cron": "@daily", "request": {"kind": "ad_hoc"}}), "ad_hoc"),
        ("bad", json!({"cron": "@daily", "request": {"magics": ["meta"]}}), "magic `meta` has no rules"),
        ("bad", json!({"cron": "@daily", "every": 1}), "every"),
        ("bad", json!({}), "cron"),
        ("Bad.Name", json!({"cron": "@daily"}), "schedule name `Bad.Name`"),
    ] {
        let answer = stack.api().put(&format!("{path}/{name}"), &body).await.expect(400);
        assert!(answer["error"].as_str().unwrap().contains(said), "{answer}");
    }
    let other = define(&stack, "other", &json!({"cron": "@daily"})).await;
    assert_eq!(stack.api().delete(&format!("{path}/nightly")).await.expect(200), json!({}));
    assert_eq!(stack.api().get(path).await.expect(200), json!([other]), "only that one is gone");
    for missing in [format!("{path}/nightly"), "/api/v1/projects/nowhere/schedules".to_owned()] {
        stack.api().get(&missing).await.expect(404);
    }
    stack.api().delete(&format!("{path}/nightly")).await.expect(404);
    stack.api().post(&format!("{path}/nightly/run"), &json!({})).await.expect(404);
    stack.api().anonymous().put(&format!("{path}/nightly"), &definition).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_has_at_most_a_hundred_schedules() {
    let stack = without_workers().await;
    project(&stack, "shop").await;
    define(&stack, "first", &json!({"cron": "@daily"})).await;
    let more = "INSERT INTO schedules (project_id, name, cron, time_zone, catch_up, request)
                SELECT project_id, 'more-' || n, cron, time_zone, catch_up, request FROM schedules, generate_series(1, 99) n";
    sqlx::query(more).execute(&mut stack.record().await).await.unwrap();
    let refused = stack.api().put("/api/v1/projects/shop/schedules/last", &json!({"cron": "@daily"})).await.expect(409);
    assert!(refused["error"].as_str().unwrap().contains("has 100 schedules"), "{refused}");
    define(&stack, "first", &json!({"cron": "@hourly"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_defines_lists_looks_ahead_runs_and_removes() {
    let stack = without_workers().await;
    project(&stack, "shop").await;
    let set =
        ["set", "shop", "weekly", "30 4 * * 0", "--time-zone", "Asia/Kolkata", "--catch-up", "skip", "--magic", "git"];
    let (code, said) = schedule(&stack, "set", &set).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("weekly  30 4 * * 0  Asia/Kolkata  catch up skip  next 20"), "{said}");
    assert_eq!(schedule(&stack, "list", &["list", "shop"]).await, (Some(0), said));
    let (code, said) = schedule(&stack, "next", &["next", "shop", "weekly", "--count", "3"]).await;
    assert_eq!((code, said.lines().filter(|line| line.contains(" 23:00:00.0 +00:00")).count()), (Some(0), 3), "{said}");
    let (code, said) = schedule(&stack, "run", &["run", "shop", "weekly"]).await;
    assert_eq!(code, Some(0), "{said}");
    let asked_by = "SELECT count(*) FROM audits WHERE id = $1 AND requested_by = 'schedule' AND magics = '{git}'";
    assert_eq!(stack.number(asked_by, said.trim()).await, 1);
    assert_eq!(
        schedule(&stack, "remove", &["remove", "shop", "weekly"]).await,
        (Some(0), "removed weekly\n".to_owned())
    );
    for (name, arguments, named) in [
        ("gone", ["remove", "shop", "weekly"].as_slice(), "no schedule `weekly`"),
        ("bad", &["set", "shop", "weekly", "never"], "cron expression `never`"),
        ("nowhere", &["list", "nowhere"], "no project `nowhere`"),
    ] {
        let (code, said) = schedule(&stack, name, arguments).await;
        assert_eq!((code, said.contains(named)), (Some(1), true), "{said}");
    }
}
