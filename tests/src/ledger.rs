//! What must hold once everything has ended, whatever happened on the way: nothing lost, nothing twice, nothing left over.

use async_nats::jetstream::{self, consumer::pull};

use crate::nats;
use crate::stack::Stack;
use crate::wait::{LONG, try_for, wait_for};

/// Streams whose messages are gone once they are dealt with.
const QUEUES: [&str; 3] = ["AUDIT_REQ", "AUDIT_TASKS", "AUDIT_RESULTS"];

/// Who reads what, by stream and consumer.
const CONSUMERS: [(&str, &str); 8] = [
    ("AUDIT_REQ", "planner"),
    ("AUDIT_TASKS", "worker-critical"),
    ("AUDIT_TASKS", "worker-high"),
    ("AUDIT_TASKS", "worker-normal"),
    ("AUDIT_TASKS", "worker-low"),
    ("AUDIT_RESULTS", "aggregator"),
    ("AUDIT_DLQ", "letters"),
    ("AUDIT_SCHED", "fire"),
];

/// Each line counts the rows that break one law of the record.
pub(crate) const LAWS: &str = "
    SELECT 'audits that have not ended' AS law, count(*) AS broken FROM audits WHERE finished_at IS NULL
    UNION ALL SELECT 'audits whose counters differ from their tasks', count(*) FROM audits a
        WHERE tasks_total <> (SELECT count(*) FROM tasks WHERE audit_id = a.id AND state <> 'split')
           OR tasks_done <> (SELECT count(*) FROM tasks WHERE audit_id = a.id AND state = 'done')
           OR (tasks_done <> tasks_total AND state IN ('completed', 'partial'))
           OR tasks_in_flight <> 0
           OR tasks_waiting <> 0
           OR cost_total <> (SELECT coalesce(sum(cost), 0) FROM tasks WHERE audit_id = a.id AND state <> 'split')
           OR cost_done <> (SELECT coalesce(sum(cost), 0) FROM tasks WHERE audit_id = a.id AND state = 'done')
    UNION ALL SELECT 'tasks that are neither done, nor split, nor cancelled', count(*) FROM tasks
        WHERE state NOT IN ('done', 'split', 'cancelled')
    UNION ALL SELECT 'tasks that were cancelled in an audit that was not', count(*)
        FROM tasks t JOIN audits a ON a.id = t.audit_id
        WHERE t.state = 'cancelled' AND a.state NOT IN ('cancelled', 'superseded')
    UNION ALL SELECT 'shards that were split and whose parts are not all of it', count(*) FROM (
        SELECT jsonb_array_length(s.manifest -> 'files') + jsonb_array_length(s.manifest -> 'commits') AS items,
               (SELECT sum(jsonb_array_length(p.manifest -> 'files') + jsonb_array_length(p.manifest -> 'commits'))
                FROM shards p JOIN tasks q ON q.audit_id = p.audit_id AND q.shard = p.shard
                WHERE p.audit_id = t.audit_id AND p.split_from = t.shard AND q.magic = t.magic) AS parts
        FROM tasks t JOIN shards s ON s.audit_id = t.audit_id AND s.shard = t.shard WHERE t.state = 'split') splits
        WHERE parts IS DISTINCT FROM items
    UNION ALL SELECT 'done tasks without a result, or results without a done task', count(*)
        FROM (SELECT * FROM tasks WHERE state = 'done') t
        FULL JOIN (SELECT * FROM results WHERE shard > 0) r USING (audit_id, shard, magic)
        WHERE t.state IS NULL OR r.digest IS NULL
    UNION ALL SELECT 'tasks given up without a dead letter', count(*) FROM results r
        WHERE shard > 0 AND (tally -> 'failures' ->> 'count')::bigint > 0
          AND NOT EXISTS (SELECT 1 FROM dead_letters
                          WHERE subject LIKE 'audit.%.' || r.magic || '.%.' || r.audit_id || '.' || r.shard)
    UNION ALL SELECT 'audits that are completed with a hole, or partial without one', count(*) FROM audits a
        WHERE state IN ('completed', 'partial')
          AND (state = 'partial') <> EXISTS (
              SELECT 1 FROM results WHERE audit_id = a.id
              AND ((tally -> 'failures' ->> 'count')::bigint > 0
                   OR tally -> 'skipped' ?| ARRAY['analyzer_failed', 'parse_budget', 'over_limit']))
    UNION ALL SELECT 'findings of tasks that are not done', count(*) FROM findings f
        WHERE NOT EXISTS (SELECT 1 FROM results WHERE audit_id = f.audit_id AND magic = f.magic)
    UNION ALL SELECT 'audits whose verdict counts other findings than there are', count(*) FROM audits a
        WHERE state IN ('completed', 'partial')
          AND (SELECT coalesce(sum(n::bigint), 0) FROM jsonb_each_text(verdict -> 'findings') AS f(severity, n))
              <> (SELECT count(*) FROM findings WHERE audit_id = a.id)
    UNION ALL SELECT 'deliveries without an audit', count(*) FROM deliveries WHERE audit_id IS NULL
    UNION ALL SELECT 'deliveries that share an audit', count(*) - count(DISTINCT audit_id) FROM deliveries
    UNION ALL SELECT 'audits without a delivery', count(*) FROM audits a
        WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE audit_id = a.id)";

/// What holds besides where no task may have been given up.
const NO_LETTERS: &str = "SELECT 'dead letters' AS law, count(*) AS broken FROM dead_letters WHERE state = 'open'";

/// What holds besides where workers were killed at random: two that had the same task make it look like poison.
const NO_OTHER_LETTERS: &str = "SELECT 'dead letters of tasks that no worker died with' AS law, count(*) AS broken
    FROM dead_letters WHERE state = 'open' AND reason NOT LIKE 'given up after % workers that had it fell silent'";

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
        self.balances_but_for_letters().await;
        self.keeps(NO_LETTERS).await;
        let letters =
            self.jetstream().await.get_stream("AUDIT_DLQ").await.expect("the stream of dead letters is there");
        assert_eq!(letters.cached_info().state.messages, 0, "dead letters on their way");
    }

    /// The same where workers were killed at random, so that a task may have been laid down with which two of them died.
    pub async fn balances_but_for_poison(&self) {
        self.balances_but_for_letters().await;
        let mut letters =
            self.jetstream().await.get_stream("AUDIT_DLQ").await.expect("the stream of dead letters is there");
        wait_for("the letters to be in the record", LONG, async || {
            (letters.info().await.ok()?.state.messages == 0).then_some(())
        })
        .await;
        self.keeps(NO_OTHER_LETTERS).await;
    }

    /// The same where a fault may have lasted so long that messages were laid down, for the reconciler to see to.
    pub async fn balances_but_for_letters(&self) {
        self.settles().await;
        wait_for("the queues to be empty", LONG, async || (self.queued().await == 0).then_some(())).await;
        self.keeps(LAWS).await;
    }

    /// Waits until nothing is on its way any more: neither in the outbox nor to whoever reads a queue.
    pub async fn settles(&self) {
        let mut record = self.record().await;
        let jetstream = self.jetstream().await;
        let mut last = String::new();
        let settled = try_for(2 * LONG, async || {
            let outbox: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(&mut record).await.ok()?;
            let mut left = u64::try_from(outbox).ok()?;
            last = format!("{outbox} in the outbox");
            for (stream, consumer) in CONSUMERS {
                let consumer = jetstream.get_consumer_from_stream::<pull::Config, _, _>(consumer, stream).await.ok()?;
                let info = consumer.cached_info();
                left += info.num_pending + info.num_ack_pending as u64;
                last += &format!(", {}: {} to come and {} held", info.name, info.num_pending, info.num_ack_pending);
            }
            (left == 0).then_some(())
        })
        .await;
        assert!(settled.is_some(), "after {} s still on their way: {last}", 2 * LONG.as_secs());
    }

    /// What has not ended, for people: audits by state and tasks by state and times published.
    pub async fn open_work(&self) -> String {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT 'audits ' || state, count(*) FROM audits WHERE finished_at IS NULL GROUP BY 1
             UNION ALL
             SELECT 'tasks ' || t.state || ', published again ' || generation || ' times, e.g. ' || min(t.audit_id || '.' || shard), count(*)
             FROM tasks t JOIN audits a ON a.id = t.audit_id
             WHERE finished_at IS NULL AND t.state IN ('ready', 'published') GROUP BY t.state, generation",
        )
        .fetch_all(&mut self.record().await)
        .await
        .expect("the query is right");
        rows.iter().map(|(what, count)| format!("{count} {what}")).collect::<Vec<_>>().join("; ")
    }

    /// Messages that lie in the queues.
    pub async fn queued(&self) -> u64 {
        let jetstream = self.jetstream().await;
        let mut queued = 0;
        for queue in QUEUES {
            let stream = jetstream.get_stream(queue).await.expect("the stream is there");
            queued += stream.cached_info().state.messages;
        }
        queued
    }

    /// Asserts that no row breaks any of these laws.
    pub(crate) async fn keeps(&self, laws: &'static str) {
        let laws: Vec<(String, i64)> =
            sqlx::query_as(laws).fetch_all(&mut self.record().await).await.expect("the laws are SQL");
        let broken: Vec<_> = laws.into_iter().filter(|(_, broken)| *broken != 0).collect();
        assert_eq!(broken, []);
    }

    /// The laws that do not hold at this moment, with how often each is broken.
    pub async fn broken_laws(&self) -> Vec<(String, i64)> {
        let mut record = self.record().await;
        let mut broken = Vec::new();
        for laws in [LAWS, NO_LETTERS] {
            let laws: Vec<(String, i64)> = sqlx::query_as(laws).fetch_all(&mut record).await.expect("the laws are SQL");
            broken.extend(laws.into_iter().filter(|(_, broken)| *broken != 0));
        }
        broken
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
