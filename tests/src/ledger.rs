//! What must hold once everything has ended, whatever happened on the way: nothing lost, nothing twice, nothing left over.

use async_nats::jetstream::{self, consumer::pull};

use crate::nats;
use crate::stack::Stack;
use crate::wait::{LONG, wait_for};

/// Streams whose messages are gone once they are dealt with.
const QUEUES: [&str; 3] = ["AUDIT_REQ", "AUDIT_TASKS", "AUDIT_RESULTS"];

/// Each line counts the rows that break one law.
const LAWS: &str = "
    SELECT 'audits that have not ended' AS law, count(*) AS broken FROM audits WHERE finished_at IS NULL
    UNION ALL SELECT 'audits whose counters differ from their tasks', count(*) FROM audits a
        WHERE tasks_total <> (SELECT count(*) FROM tasks WHERE audit_id = a.id AND state <> 'split')
           OR tasks_done <> (SELECT count(*) FROM tasks WHERE audit_id = a.id AND state = 'done')
           OR tasks_done <> tasks_total
           OR tasks_in_flight <> (SELECT count(*) FROM tasks WHERE audit_id = a.id AND state = 'published')
           OR cost_total <> (SELECT coalesce(sum(cost), 0) FROM tasks WHERE audit_id = a.id AND state <> 'split')
           OR cost_done <> (SELECT coalesce(sum(cost), 0) FROM tasks WHERE audit_id = a.id AND state = 'done')
    UNION ALL SELECT 'tasks without a result, or results without a task', count(*)
        FROM (SELECT * FROM tasks WHERE state <> 'split') t FULL JOIN (SELECT * FROM results WHERE shard > 0) r USING (audit_id, shard, magic)
        WHERE t.state IS NULL OR r.digest IS NULL
    UNION ALL SELECT 'shards that were split and whose parts are not all of it', count(*) FROM (
        SELECT jsonb_array_length(s.manifest -> 'files') + jsonb_array_length(s.manifest -> 'commits') AS items,
               (SELECT sum(jsonb_array_length(p.manifest -> 'files') + jsonb_array_length(p.manifest -> 'commits'))
                FROM shards p JOIN tasks q ON q.audit_id = p.audit_id AND q.shard = p.shard
                WHERE p.audit_id = t.audit_id AND p.split_from = t.shard AND q.magic = t.magic) AS parts
        FROM tasks t JOIN shards s ON s.audit_id = t.audit_id AND s.shard = t.shard WHERE t.state = 'split') splits
        WHERE parts IS DISTINCT FROM items
    UNION ALL SELECT 'audits whose verdict counts other findings than there are', count(*) FROM audits a
        WHERE state IN ('completed', 'partial')
          AND (SELECT coalesce(sum(n::bigint), 0) FROM jsonb_each_text(verdict -> 'findings') AS f(severity, n))
              <> (SELECT count(*) FROM findings WHERE audit_id = a.id)
    UNION ALL SELECT 'deliveries without an audit', count(*) FROM deliveries WHERE audit_id IS NULL
    UNION ALL SELECT 'deliveries that share an audit', count(*) - count(DISTINCT audit_id) FROM deliveries
    UNION ALL SELECT 'audits without a delivery', count(*) FROM audits a
        WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE audit_id = a.id)
    UNION ALL SELECT 'dead letters', count(*) FROM dead_letters WHERE state = 'open'";

/// What one stream has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Messages that it ever stored.
    pub stored: u64,
    /// Deliveries to whoever reads it, repeated ones included.
    pub delivered: u64,
}

impl Stack {
    /// Waits until nothing is on its way any more, and asserts every law. Every audit must have been asked for by a push.
    pub async fn balances(&self) {
        let mut record = self.record().await;
        let jetstream = self.jetstream().await;
        wait_for("the outbox and the queues to be empty", LONG, async || {
            let outbox: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(&mut record).await.ok()?;
            let mut left = u64::try_from(outbox).ok()?;
            for queue in QUEUES {
                left += jetstream.get_stream(queue).await.ok()?.cached_info().state.messages;
            }
            (left == 0).then_some(())
        })
        .await;
        assert_eq!(self.broken_laws().await, []);
        let letters = jetstream.get_stream("AUDIT_DLQ").await.expect("the stream of dead letters is there");
        assert_eq!(letters.cached_info().state.messages, 0, "dead letters on their way");
    }

    /// The laws that do not hold at this moment, with how often each is broken.
    pub async fn broken_laws(&self) -> Vec<(String, i64)> {
        let laws: Vec<(String, i64)> =
            sqlx::query_as(LAWS).fetch_all(&mut self.record().await).await.expect("the laws are SQL");
        laws.into_iter().filter(|(_, broken)| *broken != 0).collect()
    }

    /// JetStream, as an operator would ask it.
    pub async fn jetstream(&self) -> jetstream::Context {
        jetstream::new(nats::connect(&self.nats_url()).await)
    }

    /// What went over a queue, by the names of its stream and of its consumer.
    pub async fn traffic(&self, stream: &str, consumer: &str) -> Traffic {
        let stream = self.jetstream().await.get_stream(stream).await.expect("the stream is there");
        let consumer = stream.get_consumer::<pull::Config>(consumer).await.expect("the consumer is there");
        let delivered = consumer.cached_info().delivered.consumer_sequence;
        Traffic { stored: stream.cached_info().state.last_sequence, delivered }
    }

    /// How many tasks are done in all; nothing while the record is away.
    pub async fn tasks_done(&self) -> Option<i64> {
        use sqlx::Connection as _;
        let mut record = sqlx::PgConnection::connect(self.postgres.url()).await.ok()?;
        sqlx::query_scalar("SELECT count(*) FROM tasks WHERE state = 'done'").fetch_one(&mut record).await.ok()
    }

    /// Waits until so many tasks are done in all.
    pub async fn reaches(&self, tasks: i64) {
        wait_for(&format!("{tasks} tasks to be done"), 2 * LONG, async || {
            (self.tasks_done().await? >= tasks).then_some(())
        })
        .await;
    }
}
