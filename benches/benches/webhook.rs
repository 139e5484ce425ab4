//! How many signed pushes does `serve` take in a second, each answered after its commit, beside those rows alone?

use std::str::FromStr as _;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use benches::figures::{Spread, latency_cells, micros_each, rate, short};
use benches::limits::intake;
use benches::table::{Table, begin, load, say};
use benches::usage::{Meter, own_cpu};
use deploy::embedded::Durability;
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::Client;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tests::github::{Push, SignedPush};
use tests::stack::{Role, SECRET, Stack, StackConfig};

/// Requests in flight.
const CLIENTS: usize = 64;

/// Requests of one repetition.
const REQUESTS: usize = 5_000;

/// Repetitions after one that only warms up.
const REPETITIONS: usize = 3;

/// Requests begun in a second where they do not wait for each other, as forges send them: what is asked of the service.
const SUSTAINED: u32 = 1_000;

/// Connections that `serve` opens to the record unless told otherwise.
const CONNECTIONS: u32 = 10;

/// What the rows are called.
const NAMES: [&str; 4] = [
    "GET /health/live",
    "raw Postgres: the rows in one statement",
    "raw Postgres: the same with a NOTIFY",
    "signed push, answered after commit",
];

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        begin("webhook: signed pushes against a real `elder serve`, each answered after its commit")?;
        Box::pin(measure(Durability::Fast, "Postgres fsync off")).await?;
        Box::pin(measure(Durability::Durable, "Postgres fsync on")).await
    })
}

async fn measure(durability: Durability, servers: &str) -> Result<()> {
    let (stack, pool) = start(durability).await?;
    let client = Client::builder().pool_max_idle_per_host(CLIENTS).build()?;
    let live = format!("{}/health/live", stack.api().base());
    let hook = format!("{}/webhooks/github/nothing", stack.api().base());
    let mut rates: [Spread; 4] = Default::default();
    let mut times: [Vec<Duration>; 4] = Default::default();
    let mut used: [Spread; 4] = Default::default();
    for repetition in 0..=REPETITIONS {
        let pushes: Vec<SignedPush> = (0..REQUESTS).map(|_| push().sign(SECRET)).collect();
        let begin = Instant::now();
        let mut ways = vec![(all((0..REQUESTS).map(|_| get(&client, &live))).await?, begin.elapsed())];
        for announced in [false, true] {
            let begin = Instant::now();
            ways.push((intake(&pool, CLIENTS, REQUESTS, announced).await?, begin.elapsed()));
        }
        let (meter, own) = (Meter::start(processes(&stack)), own_cpu());
        let begin = Instant::now();
        ways.push((all(pushes.into_iter().map(|push| deliver(&client, &hook, push))).await?, begin.elapsed()));
        let cpu = meter.stop().into_iter().map(|(_, time)| time).chain([own_cpu() - own]);
        if repetition == 0 {
            continue;
        }
        for (spread, time) in used.iter_mut().zip(cpu) {
            spread.add(micros_each(time, REQUESTS));
        }
        for ((spread, times), (each, time)) in rates.iter_mut().zip(&mut times).zip(ways) {
            spread.add(rate(REQUESTS, time));
            times.extend(each);
        }
    }
    report(servers, &rates, times, &used)?;
    let times = sustained(&client, &hook).await?;
    let title = format!("{servers}: {SUSTAINED} pushes begun each second, {} in all", times.len());
    let mut table = Table::new(title, &["", "p50 ms", "p90 ms", "p99 ms", "max ms"]);
    table.row(NAMES[3], latency_cells(times));
    table.print()?;
    Ok(say(&load())?)
}

/// How long each of many pushes takes from the moment when it was due, whether or not others are answered by then.
async fn sustained(client: &Client, hook: &str) -> Result<Vec<Duration>> {
    let begin = tokio::time::Instant::now();
    let one = |(index, push): (u32, SignedPush)| async move {
        let due = begin + Duration::from_secs(1) / SUSTAINED * index;
        tokio::time::sleep_until(due).await;
        deliver(client, hook, push).await?;
        anyhow::Ok(due.elapsed())
    };
    let pushes: Vec<SignedPush> = (0..REQUESTS).map(|_| push().sign(SECRET)).collect();
    futures::future::try_join_all((0..).zip(pushes).map(one)).await
}

fn report(servers: &str, rates: &[Spread; 4], times: [Vec<Duration>; 4], used: &[Spread; 4]) -> Result<()> {
    let title =
        format!("{servers}: {CLIENTS} in flight, {REQUESTS} each, {REPETITIONS} repetitions: middle (least–most)");
    let mut table = Table::new(title, &["", "per second", "p50 ms", "p90 ms", "p99 ms", "max ms", "push is"]);
    let push = rates[3].middle();
    for ((name, rate), times) in NAMES.iter().zip(rates).zip(times) {
        let share = format!("{} %", short(100.0 * push / rate.middle()));
        table.row(*name, std::iter::once(rate.to_string()).chain(latency_cells(times)).chain([share]));
    }
    table.print()?;
    let mut table = Table::new("CPU for each push", &["", "us"]);
    for (name, spread) in ["serve", "postgres", "nats-server", "this client"].iter().zip(used) {
        table.row(*name, [spread.to_string()]);
    }
    Ok(table.print()?)
}

async fn start(durability: Durability) -> Result<(Stack, PgPool)> {
    let mut stack = Stack::services(StackConfig { durability, ..StackConfig::default() }).await;
    stack.set_up().await;
    stack.add(Role::Serve).await;
    stack.register_url("nothing", "https://example.org/nothing.git").await;
    let options = PgConnectOptions::from_str(stack.postgres.url())?;
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await?;
    Ok((stack, pool))
}

fn processes(stack: &Stack) -> [(&'static str, u32); 3] {
    [
        ("serve", stack.process(Role::Serve, 0).pid()),
        ("postgres", stack.postgres.pid().unwrap_or_default()),
        ("nats-server", stack.nats.pid().unwrap_or_default()),
    ]
}

fn push() -> Push {
    Push::new("shop/nothing", "https://example.org/nothing.git", "main", &"1".repeat(40))
}

/// Runs requests, [`CLIENTS`] at a time, and returns how long each took.
async fn all<F: Future<Output = Result<Duration>>>(requests: impl Iterator<Item = F>) -> Result<Vec<Duration>> {
    futures::stream::iter(requests).buffer_unordered(CLIENTS).try_collect().await
}

async fn get(client: &Client, url: &str) -> Result<Duration> {
    let begin = Instant::now();
    let answer = client.get(url).send().await?.error_for_status()?;
    answer.bytes().await?;
    Ok(begin.elapsed())
}

async fn deliver(client: &Client, url: &str, push: SignedPush) -> Result<Duration> {
    let SignedPush { headers, body } = push;
    let mut request = client.post(url).body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let begin = Instant::now();
    let answer = request.send().await?;
    ensure!(answer.status() == 202, "a push was answered with {}", answer.status());
    answer.bytes().await?;
    Ok(begin.elapsed())
}
