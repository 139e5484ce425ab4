//! Schedules: each moment fires once, whoever dies; what was missed is made up for as defined.

mod by_message;
mod settings;

use std::collections::BTreeSet;

use schemas::ids::AuditId;
use schemas::schedule::Calendar;
use serde_json::{Value, json};
use sqlx::Row as _;
use tests::stack::{Role, Stack};
use tests::wait::{LONG, wait_for};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::stops::{project, store, without_workers};

async fn define(stack: &Stack, name: &str, definition: &Value) -> Value {
    let path = format!("/api/v1/projects/shop/schedules/{name}");
    stack.api().put(&path, definition).await.expect(200)
}

async fn shown(stack: &Stack, name: &str) -> Value {
    stack.api().get(&format!("/api/v1/projects/shop/schedules/{name}")).await.expect(200)
}

fn moment(value: &Value) -> OffsetDateTime {
    OffsetDateTime::parse(value.as_str().unwrap(), &Rfc3339).unwrap()
}

/// The audit that a moment of a schedule must be.
fn audit_at(name: &str, moment: OffsetDateTime) -> AuditId {
    AuditId::from_key(&"shop".parse().unwrap(), &format!("schedule:{name}:{}", moment.format(&Rfc3339).unwrap()))
}

/// Every audit that a schedule asked for.
async fn fired(stack: &Stack) -> Vec<AuditId> {
    let rows = sqlx::query("SELECT id FROM audits WHERE requested_by = 'schedule'");
    let rows = rows.fetch_all(&mut stack.record().await).await.unwrap();
    rows.iter().map(|row| AuditId(row.get("id"))).collect()
}

async fn fires_more(stack: &Stack, more: usize) {
    let before = fired(stack).await.len();
    wait_for(&format!("{more} more moments to fire"), LONG, async || {
        (fired(stack).await.len() >= before + more).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_planners_fire_each_second_once_though_one_is_killed() {
    let mut stack = without_workers().await;
    project(&stack, "shop").await;
    let mirrors = stack.folder("other-mirrors").display().to_string();
    let second = stack.run("second-planner", ["planner", "--allow-local", "--mirrors", &mirrors]).start().await;
    let defined = define(&stack, "tick", &json!({"cron": "* * * * * *", "catch_up": "all"})).await;
    let first = moment(&defined["next_moments"][0]);

    fires_more(&stack, 3).await;
    stack.kill(Role::Planner, 0).await;
    fires_more(&stack, 3).await;
    stack.restart(Role::Planner, 0).await;
    fires_more(&stack, 2).await;
    second.kill().await;
    fires_more(&stack, 3).await;
    define(&stack, "tick", &json!({"cron": "* * * * * *", "catch_up": "all", "enabled": false})).await;

    let last = moment(&shown(&stack, "tick").await["last_fired_at"]);
    let seconds = (last - first).whole_seconds();
    let expected: BTreeSet<AuditId> =
        (0..=seconds).map(|second| audit_at("tick", first + Duration::seconds(second))).collect();
    let fired = fired(&stack).await;
    assert_eq!(fired.iter().copied().collect::<BTreeSet<_>>(), expected);
    assert!(fired.len() > 10, "{}", fired.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_missed_moments_are_skipped_one_or_all() {
    let mut stack = without_workers().await;
    project(&stack, "shop").await;
    stack.stop(Role::Planner, 0).await;
    // Every hour, half an hour away from now, so that no moment is on time.
    let now = store(&stack).now().await.unwrap();
    let cron = format!("{} * * * *", (now.minute() + 30) % 60);
    let missed = Calendar::new(&cron, "UTC").unwrap().latest(now - Duration::hours(5), now, 10);
    assert_eq!(missed.len(), 5);
    for catch_up in ["skip", "once", "all"] {
        define(&stack, catch_up, &json!({"cron": cron, "catch_up": catch_up})).await;
    }
    // One that is switched off is due before all others, and never is.
    define(&stack, "off", &json!({"cron": cron, "catch_up": "all", "enabled": false})).await;
    let sql =
        "UPDATE schedules SET last_fired_at = $2, next_at = $1 - CASE WHEN enabled THEN '0' ELSE '1 h' END::interval";
    let changed = sqlx::query(sql).bind(missed[0]).bind(missed[0] - Duration::days(1));
    assert_eq!(changed.execute(&mut stack.record().await).await.unwrap().rows_affected(), 4);
    stack.restart(Role::Planner, 0).await;
    wait_for("every schedule to be dealt with", LONG, async || {
        let due = sqlx::query_scalar("SELECT count(*) FROM schedules WHERE enabled AND next_at <= now()");
        let due: i64 = due.fetch_one(&mut stack.record().await).await.unwrap();
        (due == 0).then_some(())
    })
    .await;

    let mut expected: BTreeSet<AuditId> = missed.iter().map(|moment| audit_at("all", *moment)).collect();
    expected.insert(audit_at("once", missed[4]));
    assert_eq!(fired(&stack).await.into_iter().collect::<BTreeSet<_>>(), expected);
    for name in ["skip", "off"] {
        let last = moment(&shown(&stack, name).await["last_fired_at"]);
        assert_eq!(last, missed[0] - Duration::days(1), "{name} has not fired since");
    }
    for name in ["once", "all"] {
        assert_eq!(moment(&shown(&stack, name).await["last_fired_at"]), missed[4]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn defining_the_same_again_keeps_what_was_missed_and_other_moments_begin_anew() {
    let mut stack = without_workers().await;
    project(&stack, "shop").await;
    stack.stop(Role::Planner, 0).await;
    let daily = json!({"cron": "@daily", "time_zone": "Europe/Berlin", "catch_up": "once"});
    define(&stack, "nightly", &daily).await;
    let now = store(&stack).now().await.unwrap();
    let missed = Calendar::new("@daily", "Europe/Berlin").unwrap().latest(now - Duration::days(3), now, 10)[0];
    sqlx::query("UPDATE schedules SET next_at = $1").bind(missed).execute(&mut stack.record().await).await.unwrap();

    assert_eq!(moment(&define(&stack, "nightly", &daily).await["next_moments"][0]), missed);
    for (field, other) in [("cron", json!("@hourly")), ("time_zone", json!("Asia/Kolkata")), ("enabled", json!(false))]
    {
        let late = sqlx::query("UPDATE schedules SET next_at = $1").bind(missed);
        late.execute(&mut stack.record().await).await.unwrap();
        let mut changed = daily.clone();
        changed[field] = other;
        let defined = define(&stack, "nightly", &changed).await;
        if field == "enabled" {
            assert_eq!(defined["next_moments"], json!([]), "none is to come while it is switched off");
        } else {
            assert!(moment(&defined["next_moments"][0]) > now, "{field}");
        }
        let back = define(&stack, "nightly", &daily).await;
        assert!(moment(&back["next_moments"][0]) > now, "what passed meanwhile was not missed: {field}");
    }
}
