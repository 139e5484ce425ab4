//! How many tasks that have nothing to do get through queue and record in a second, beside the two servers alone?

use anyhow::Result;
use benches::figures::{Spread, micros_each, rate, real, short};
use benches::idle::{IdleStack, Servers};
use benches::limits::{RawQueue, RawRecord};
use benches::table::{Table, begin, say};
use benches::usage::Meter;
use tests::stack::StackConfig;

/// Repetitions after one that only warms up.
const REPETITIONS: usize = 3;

/// Tasks of one audit where servers do not wait for the disk.
const TASKS_FAST: usize = 20_000;

/// Where they do, every message waits for it alone.
const TASKS_DURABLE: usize = 4_000;

/// Bytes of a task message: a bundle's digest as JSON.
const PAYLOAD_BYTES: usize = 77;

/// What the figures are called, in the order in which they are measured.
const NAMES: [&str; 3] =
    ["raw JetStream: publish, pull, confirmed ack", "raw Postgres: merge by 500", "elder, whole way"];

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        begin("queue: tasks with nothing to do, from the plan's transaction to the verdict")?;
        Box::pin(measure(Servers::Lazy, TASKS_FAST)).await?;
        Box::pin(measure(Servers::Synced, TASKS_DURABLE)).await?;
        Box::pin(measure(Servers::ThreeNodes, TASKS_FAST)).await
    })
}

async fn measure(servers: Servers, tasks: usize) -> Result<()> {
    let workers = StackConfig::default().workers;
    let mut idle = IdleStack::start(servers, workers, REPETITIONS + 1).await?;
    let queue = RawQueue::create(&idle.stack.nats_url(), servers.replicas(), PAYLOAD_BYTES).await?;
    let mut record = RawRecord::create(idle.stack.postgres.url()).await?;
    let mut rates: [Spread; 3] = Default::default();
    let mut shares: [Spread; 2] = Default::default();
    let mut used: Vec<(&str, Spread)> = Vec::new();
    for repetition in 0..=REPETITIONS {
        let raw = [queue.pass(tasks).await?, record.merge(tasks).await?];
        let meter = Meter::start(idle.processes(workers));
        let (planned, waited) = idle.audit(tasks).await?;
        let cpu = by_name(meter.stop());
        if repetition == 0 {
            continue;
        }
        let whole = planned + waited;
        for (spread, time) in rates.iter_mut().zip([raw[0], raw[1], whole]) {
            spread.add(rate(tasks, time));
        }
        for (share, time) in shares.iter_mut().zip(raw) {
            share.add(100.0 * time.as_secs_f64() / whole.as_secs_f64());
        }
        used.resize_with(cpu.len(), Default::default);
        for (entry, (name, time)) in used.iter_mut().zip(cpu) {
            entry.0 = name;
            entry.1.add(micros_each(time, tasks));
        }
    }
    let title = format!(
        "{}: {tasks} tasks, {workers} workers, {REPETITIONS} repetitions: middle (least–most)",
        servers.title()
    );
    let mut table = Table::new(title, &["", "per second", "elder is"]);
    for (index, (name, rate)) in NAMES.iter().zip(&rates).enumerate() {
        table.row(*name, [rate.to_string(), shares.get(index).map(|share| format!("{share} %")).unwrap_or_default()]);
    }
    table.print()?;
    let mut table = Table::new("CPU for each task", &["", "us"]);
    let sum: f64 = used.iter().map(|(_, spread)| spread.middle()).sum();
    for (name, spread) in &used {
        table.row(*name, [spread.to_string()]);
    }
    table.row("all", [short(sum)]);
    table.print()?;
    let cores = std::thread::available_parallelism().map_or(1.0, |cores| real(cores.get()));
    say(&format!("that CPU alone bounds this machine's {cores} cores to {} tasks/s", short(cores * 1e6 / sum)))?;
    Ok(say(&benches::table::load())?)
}

/// Adds up processes of one name.
fn by_name(used: Vec<(&'static str, std::time::Duration)>) -> Vec<(&'static str, std::time::Duration)> {
    let mut sums: Vec<(&str, std::time::Duration)> = Vec::new();
    for (name, time) in used {
        match sums.iter_mut().find(|(known, _)| *known == name) {
            Some(sum) => sum.1 += time,
            None => sums.push((name, time)),
        }
    }
    sums
}
