//! How much of its pace does the queue keep with ten million finished tasks in the record?

use std::time::Instant;

use anyhow::Result;
use benches::figures::{Spread, rate};
use benches::idle::{IdleStack, Servers};
use benches::table::{Table, begin, load, say};

/// Repetitions before and after, each after one that only warms up.
const REPETITIONS: usize = 5;

/// Tasks of one audit.
const TASKS: usize = 20_000;

/// Finished audits, each of [`FINISHED_TASKS`] tasks.
const FINISHED_AUDITS: i32 = 1_000;

/// Finished tasks of each of them.
const FINISHED_TASKS: i32 = 10_000;

/// Rows as they are left by audits that ended.
const FILL: [&str; 3] = [
    "INSERT INTO audits (id, project_id, project_slug, kind, priority, magics, requested_by, trace_id, state, tasks_total,
                         tasks_done, finished_at, started_at)
     SELECT md5(n::text)::uuid, p.id, p.slug, 'full', 'normal', ARRAY['integrity'], 'bench', gen_random_uuid(), 'completed',
            $2, $2, now(), now()
     FROM generate_series(1, $1) n, projects p",
    "INSERT INTO tasks (audit_id, shard, magic, state, published_at, done_at)
     SELECT md5(n::text)::uuid, s, 'integrity', 'done', now(), now()
     FROM generate_series(1, $1) n, generate_series(1, $2) s",
    "INSERT INTO results (audit_id, shard, magic, digest, tally)
     SELECT md5(n::text)::uuid, s, 'integrity', md5(s::text), '{}'
     FROM generate_series(1, $1) n, generate_series(1, $2) s",
];

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        begin("history: tasks with nothing to do, before and after ten million others have been done")?;
        Box::pin(measure()).await
    })
}

async fn measure() -> Result<()> {
    let mut idle = IdleStack::start(Servers::Lazy, 2, 2 * (REPETITIONS + 1)).await?;
    let before = rates(&mut idle).await?;
    let begun = Instant::now();
    let mut record = idle.stack.record().await;
    sqlx::query("SET statement_timeout = 0").execute(&mut record).await?;
    for statement in FILL {
        sqlx::query(statement).bind(FINISHED_AUDITS).bind(FINISHED_TASKS).execute(&mut record).await?;
    }
    // As autovacuum does in a record that grew over weeks.
    sqlx::query("VACUUM ANALYZE").execute(&mut record).await?;
    let filled = begun.elapsed();
    let after = rates(&mut idle).await?;
    let title =
        format!("{TASKS} tasks, {REPETITIONS} repetitions: middle (least–most); filled in {} s", filled.as_secs());
    let mut table = Table::new(title, &["", "per second", "of that before"]);
    table.row("an empty record", [before.to_string(), String::new()]);
    let kept = 100.0 * after.middle() / before.middle();
    table.row("ten million finished tasks", [after.to_string(), format!("{kept:.0} %")]);
    table.print()?;
    Ok(say(&load())?)
}

async fn rates(idle: &mut IdleStack) -> Result<Spread> {
    let mut rates = Spread::default();
    for repetition in 0..=REPETITIONS {
        let (planned, waited) = idle.audit(TASKS).await?;
        if repetition > 0 {
            rates.add(rate(TASKS, planned + waited));
        }
    }
    Ok(rates)
}
