//! The limits: the same servers, asked for as little as could possibly do.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::context::Context;
use async_nats::jetstream::stream::{Config, RetentionPolicy};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use sqlx::{Connection as _, PgConnection, PgPool};
use uuid::Uuid;

/// Messages published and not yet acknowledged by the server.
const PUBLISH_WINDOW: usize = 256;

/// Messages taken with one pull.
const PULL: usize = 500;

/// Acknowledgements on their way at once.
const ACK_WINDOW: usize = 64;

/// Rows of one merge.
const MERGE: usize = 500;

/// Where the raw messages go.
const SUBJECT: &str = "bench.raw";

/// A work queue of its own on a server.
pub struct RawQueue {
    context: Context,
    consumer: PullConsumer,
    payload: Bytes,
}

impl RawQueue {
    /// Makes an empty one on `replicas` servers; each message will have `bytes` bytes.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn create(url: &str, replicas: usize, bytes: usize) -> Result<Self> {
        let context = async_nats::jetstream::new(tests::nats::connect(url).await);
        let config = Config {
            name: "BENCH_RAW".to_owned(),
            subjects: vec![SUBJECT.to_owned()],
            retention: RetentionPolicy::WorkQueue,
            num_replicas: replicas,
            ..Config::default()
        };
        let stream = context.get_or_create_stream(config).await?;
        let config = pull::Config {
            durable_name: Some("raw".to_owned()),
            ack_policy: AckPolicy::Explicit,
            max_ack_pending: 5_000,
            ..pull::Config::default()
        };
        let consumer = stream.get_or_create_consumer("raw", config).await?;
        Ok(Self { context, consumer, payload: vec![b'x'; bytes].into() })
    }

    /// How long `messages` messages take until the server has confirmed the acknowledgement of each.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn pass(&self, messages: usize) -> Result<Duration> {
        let begin = Instant::now();
        tokio::try_join!(self.publish(messages), self.consume(messages))?;
        Ok(begin.elapsed())
    }

    async fn publish(&self, messages: usize) -> Result<()> {
        let publishes = futures::stream::iter(0..messages).map(|_| async {
            let stored = self.context.publish(SUBJECT, self.payload.clone()).await?;
            stored.await?;
            anyhow::Ok(())
        });
        publishes.buffer_unordered(PUBLISH_WINDOW).try_for_each(async |()| Ok(())).await
    }

    async fn consume(&self, messages: usize) -> Result<()> {
        let mut open = messages;
        while open > 0 {
            let mut batch = self.consumer.batch().max_messages(PULL.min(open));
            batch = batch.expires(Duration::from_millis(50));
            let taken: Vec<_> = batch.messages().await?.collect().await;
            open -= taken.len();
            let acks = futures::stream::iter(taken).map(|message| async {
                let message = message.map_err(|error| anyhow!(error))?;
                message.double_ack().await.map_err(|error| anyhow!(error))
            });
            acks.buffer_unordered(ACK_WINDOW).try_for_each(async |()| Ok(())).await?;
        }
        Ok(())
    }

    /// How long each of `count` messages takes alone, with a consumer that waits for it.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn round_trips(&self, count: usize) -> Result<Vec<Duration>> {
        let mut messages = self.consumer.stream().max_messages_per_batch(16).messages().await?;
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let begin = Instant::now();
            drop(self.context.publish(SUBJECT, self.payload.clone()).await?.await?);
            let message = messages.next().await.ok_or_else(|| anyhow!("the subscription ended"))??;
            message.double_ack().await.map_err(|error| anyhow!(error))?;
            times.push(begin.elapsed());
        }
        Ok(times)
    }
}

/// Tables of its own in a database.
pub struct RawRecord(PgConnection);

impl RawRecord {
    /// Makes empty ones.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn create(url: &str) -> Result<Self> {
        let mut connection = PgConnection::connect(url).await?;
        for statement in [
            "CREATE TABLE IF NOT EXISTS bench_results (audit_id uuid, shard integer, magic text, digest text NOT NULL,
                 tally jsonb NOT NULL, merged_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (audit_id, shard, magic))",
            "CREATE TABLE IF NOT EXISTS bench_audits (id uuid PRIMARY KEY, done bigint NOT NULL DEFAULT 0)",
        ] {
            sqlx::query(statement).execute(&mut connection).await?;
        }
        Ok(Self(connection))
    }

    /// How long `rows` results take in batches, each one statement that counts what it really inserted.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn merge(&mut self, rows: usize) -> Result<Duration> {
        let audit = Uuid::new_v4();
        sqlx::query("INSERT INTO bench_audits (id) VALUES ($1)").bind(audit).execute(&mut self.0).await?;
        let shards: Vec<i32> = (0..i32::try_from(rows)?).collect();
        let begin = Instant::now();
        for batch in shards.chunks(MERGE) {
            sqlx::query(
                "WITH fresh AS (
                     INSERT INTO bench_results (audit_id, shard, magic, digest, tally)
                     SELECT $1, s, 'integrity', d, y FROM UNNEST($2::integer[], $3::text[], $4::jsonb[]) AS t(s, d, y)
                     ON CONFLICT DO NOTHING RETURNING 1)
                 UPDATE bench_audits SET done = done + (SELECT count(*) FROM fresh) WHERE id = $1",
            )
            .bind(audit)
            .bind(batch)
            .bind(vec!["0".repeat(64); batch.len()])
            .bind(vec![sqlx::types::Json(TALLY); batch.len()])
            .execute(&mut self.0)
            .await?;
        }
        let time = begin.elapsed();
        let done: i64 = sqlx::query_scalar("SELECT done FROM bench_audits WHERE id = $1")
            .bind(audit)
            .fetch_one(&mut self.0)
            .await?;
        ensure!(usize::try_from(done)? == rows, "merged {done} of {rows} rows");
        Ok(time)
    }

    /// How long each of `count` commits of one row takes alone.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn commits(&mut self, count: usize) -> Result<Vec<Duration>> {
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let begin = Instant::now();
            sqlx::query("INSERT INTO bench_audits (id) VALUES ($1)").bind(Uuid::new_v4()).execute(&mut self.0).await?;
            times.push(begin.elapsed());
        }
        Ok(times)
    }
}

/// About what a tally of nothing takes.
const TALLY: &str = "units: files 0, lines 0, functions 0, tests 0, commits 0; rules, skipped, failures, notes";

/// How long each of `requests` webhooks takes of which only the rows are written: one statement, one commit, `clients` at
/// a time over the connections of `pool`; `announced` adds what wakes the relay.
///
/// # Errors
/// If the database refuses.
pub async fn intake(pool: &PgPool, clients: usize, requests: usize, announced: bool) -> Result<Vec<Duration>> {
    for table in ["deliveries", "audits", "outbox"] {
        let create = format!("CREATE TABLE IF NOT EXISTS bench_raw_{table} (LIKE {table} INCLUDING ALL)");
        sqlx::query(sqlx::AssertSqlSafe(create)).execute(pool).await?;
    }
    let one = |_| async {
        let begin = Instant::now();
        sqlx::query(
            "WITH audit AS (
                 INSERT INTO bench_raw_audits (id, project_slug, kind, priority, magics, requested_by, trace_id)
                 VALUES ($1, 'nothing', 'full', 'normal', ARRAY['integrity', 'tdd', 'git'], 'webhook:github', $1)),
             delivery AS (
                 INSERT INTO bench_raw_deliveries (provider, project_id, delivery_id, event, audit_id)
                 VALUES ('github', $1, $1::text, 'push', $1)),
             message AS (
                 INSERT INTO bench_raw_outbox (subject, message_id, trace_id, body)
                 VALUES ('bench.raw', $1::text, $1, jsonb_build_object('audit', $1::text, 'project', 'nothing')))
             SELECT pg_notify('bench_raw', '') WHERE $2",
        )
        .bind(Uuid::new_v4())
        .bind(announced)
        .execute(pool)
        .await?;
        anyhow::Ok(begin.elapsed())
    };
    futures::stream::iter(0..requests).map(one).buffer_unordered(clients).try_collect().await
}
