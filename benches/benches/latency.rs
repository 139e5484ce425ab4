//! How long does one task with nothing to do take on an idle system, beside one message and one commit alone?

use std::time::Duration;

use anyhow::Result;
use benches::figures::{latency_cells, percentile};
use benches::idle::{IdleStack, Servers};
use benches::limits::{RawQueue, RawRecord};
use benches::table::{Table, begin, load, say};

/// Audits measured in one repetition, each of one task.
const AUDITS: usize = 200;

/// Audits before that, which fill caches and prepare statements.
const WARM_UP: usize = 50;

/// Repetitions.
const REPETITIONS: usize = 3;

/// Pause between two audits, so that each finds an idle system.
const PAUSE: Duration = Duration::from_millis(5);

/// Bytes of a task message: a bundle's digest as JSON.
const PAYLOAD_BYTES: usize = 77;

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        begin(
            "latency: one task with nothing to do at a time, from the commit of its plan until its verdict can be read",
        )?;
        for servers in [Servers::Lazy, Servers::Synced, Servers::ThreeNodes] {
            Box::pin(measure(servers)).await?;
        }
        Ok(())
    })
}

async fn measure(servers: Servers) -> Result<()> {
    let mut idle = IdleStack::start(servers, 1, WARM_UP + REPETITIONS * AUDITS).await?;
    let queue = RawQueue::create(&idle.stack.nats_url(), servers.replicas(), PAYLOAD_BYTES).await?;
    let mut record = RawRecord::create(idle.stack.postgres.url()).await?;
    for _ in 0..WARM_UP {
        idle.audit(1).await?;
    }
    let heads = ["", "p50 ms", "p90 ms", "p99 ms", "max ms", "x (message + commit)"];
    let mut table =
        Table::new(format!("{}: {AUDITS} each, {REPETITIONS} repetitions, 1 worker", servers.title()), &heads);
    for repetition in 1..=REPETITIONS {
        let messages = queue.round_trips(AUDITS).await?;
        let commits = record.commits(AUDITS).await?;
        let (mut plans, mut verdicts) = (Vec::new(), Vec::new());
        for _ in 0..AUDITS {
            tokio::time::sleep(PAUSE).await;
            let (planned, waited) = idle.audit(1).await?;
            plans.push(planned);
            verdicts.push(waited);
        }
        let factor = middle(&verdicts) / (middle(&messages) + middle(&commits));
        let rows = [
            ("raw message: publish, receive, confirmed ack", messages, None),
            ("raw commit of one row", commits, None),
            ("the plan's own transaction", plans, None),
            ("elder, commit of the plan to verdict", verdicts, Some(format!("{factor:.1}"))),
        ];
        for (name, times, factor) in rows {
            table.row(format!("{repetition}. {name}"), latency_cells(times).into_iter().chain(factor));
        }
    }
    table.print()?;
    Ok(say(&load())?)
}

fn middle(times: &[Duration]) -> f64 {
    let mut times = times.to_vec();
    times.sort();
    percentile(&times, 500).as_secs_f64()
}
