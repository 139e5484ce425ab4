//! What do limits cost: the same tasks through the whole queue, with a limit on everybody and without any, by turns?

use anyhow::Result;
use benches::figures::{Spread, rate};
use benches::idle::{IdleStack, Servers};
use benches::table::{Table, begin, load, say};
use broker::store::limits::{LimitRow, Scope};

/// Pairs of measurements, after one that only warms up.
const REPETITIONS: usize = 5;

/// Tasks of one audit.
const TASKS: usize = 20_000;

/// Limits of others, as a large deployment has them: the dispatcher reads all of them.
const OTHERS: usize = 1_000;

/// How long a change of limits may take to be heeded, and a little more.
const HEEDED: std::time::Duration = std::time::Duration::from_millis(2_500);

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        begin("limits: tasks with nothing to do, with limits on projects and teams and without")?;
        Box::pin(measure()).await
    })
}

async fn measure() -> Result<()> {
    let mut idle = IdleStack::start(Servers::Lazy, 2, 2 * (REPETITIONS + 1)).await?;
    let (mut without, mut with, mut kept) = (Spread::default(), Spread::default(), Spread::default());
    for repetition in 0..=REPETITIONS {
        let (planned, waited) = idle.audit(TASKS).await?;
        let plain = rate(TASKS, planned + waited);
        set(&idle).await?;
        tokio::time::sleep(HEEDED).await;
        let (planned, waited) = idle.audit(TASKS).await?;
        let limited = rate(TASKS, planned + waited);
        remove(&idle).await?;
        tokio::time::sleep(HEEDED).await;
        if repetition > 0 {
            without.add(plain);
            with.add(limited);
            kept.add(100.0 * limited / plain);
        }
    }
    let title = format!("{TASKS} tasks, {OTHERS} limits of others, {REPETITIONS} repetitions: middle (least–most)");
    let mut table = Table::new(title, &["", "per second", "of that without"]);
    table.row("without limits", [without.to_string(), String::new()]);
    table.row("with limits", [with.to_string(), format!("{kept} %")]);
    table.print()?;
    Ok(say(&load())?)
}

fn rows(idle: &IdleStack) -> impl Iterator<Item = LimitRow> {
    let limit = |scope, name: String, most| LimitRow { scope, name, tasks_in_flight: Some(most), weight: 1 };
    let others = (0..OTHERS).map(move |number| limit(Scope::Project, format!("other-{number}"), 8));
    let own = [limit(Scope::Project, idle.project().to_owned(), 16_000), limit(Scope::Team, "core".to_owned(), 16_000)];
    own.into_iter().chain(others)
}

async fn set(idle: &IdleStack) -> Result<()> {
    for limit in rows(idle) {
        idle.store().set_limit(&limit).await?;
    }
    Ok(())
}

async fn remove(idle: &IdleStack) -> Result<()> {
    for limit in rows(idle) {
        idle.store().remove_limit(limit.scope, &limit.name).await?;
    }
    Ok(())
}
