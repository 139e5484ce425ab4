//! A database whose disk takes no more: its files may not grow, so that an ordinary user can have it so, too.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus};

use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::stack::Stack;

/// Bytes that each file of a full database has: more than one of its log, which is made whole (16 MiB) and written over
/// and over, since without a log it could not even say no.
const FILE_BYTES_MAX: u64 = 17 * 1024 * 1024;

/// Rows put in at once while the file has at least so many bytes to grow. What does not fit leaves room behind where the
/// rows before it were, so near its end one is put in at a time.
const BALLAST: [(u64, i32); 3] = [(6 * 1024 * 1024, 10_000), (128 * 1024, 200), (0, 1)];

/// Tables with rows of which each needs less room than any that the product writes. They come last in the index of results,
/// which would be full before its table otherwise.
const FILLS: [(&str, &str); 3] = [
    (
        "audits",
        "INSERT INTO audits (id, project_slug, kind, priority, magics, requested_by, trace_id)
     SELECT gen_random_uuid(), 'b', 'full', 'low', '{}', '', gen_random_uuid() FROM generate_series(1, $1)",
    ),
    (
        "outbox",
        "INSERT INTO outbox (subject, message_id, trace_id, body)
     SELECT 'ballast', repeat('x', 60), gen_random_uuid(), '{}' FROM generate_series(1, $1)",
    ),
    (
        "results",
        "INSERT INTO results (audit_id, shard, magic, digest, tally)
     WITH last AS (SELECT max(shard) AS shard FROM results WHERE audit_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff')
     SELECT 'ffffffff-ffff-ffff-ffff-ffffffffffff', coalesce(last.shard, 0) + n, 'ballast', '', '{}'
     FROM last, generate_series(1, $1) n",
    ),
];

/// The ballast that keeps the database full: rows of a transaction that never commits, seen by nobody. Dropped without
/// [`FullDisk::has_room`], the files may still not grow.
#[derive(Debug)]
pub struct FullDisk {
    ballast: PgConnection,
}

impl FullDisk {
    /// Fills the tables that everything new goes through: requests, events and results.
    pub async fn of(stack: &Stack) -> Self {
        limit_all(stack, &FILE_BYTES_MAX.to_string());
        let mut ballast = stack.record().await;
        // Room that what is dead would leave later.
        execute(&mut ballast, "VACUUM audits, outbox, results").await;
        execute(&mut ballast, "BEGIN").await;
        let audit = "INSERT INTO audits (id, project_slug, kind, priority, magics, requested_by, trace_id)
                     VALUES ($1, 'ballast', 'ad_hoc', 'low', '{}', 'test', gen_random_uuid())";
        sqlx::query(audit).bind(Uuid::max()).execute(&mut ballast).await.expect("there is room yet");
        for (table, fill) in FILLS {
            let mut is_room = true;
            while is_room {
                let rows = rows_at_once(&mut ballast, table).await;
                is_room = put_in(&mut ballast, fill, rows).await;
            }
        }
        Self { ballast }
    }

    /// Lets the files grow again, and takes the ballast out.
    pub async fn has_room(mut self, stack: &Stack) {
        limit_all(stack, "unlimited");
        execute(&mut self.ballast, "ROLLBACK").await;
        self.ballast.close().await.expect("the database answers");
    }
}

/// How many rows to put in next.
async fn rows_at_once(ballast: &mut PgConnection, table: &str) -> i32 {
    let size = sqlx::query_scalar("SELECT pg_relation_size($1::regclass)").bind(table);
    let size: i64 = size.fetch_one(ballast).await.expect("the database answers");
    let left = FILE_BYTES_MAX.saturating_sub(size.unsigned_abs());
    let step = BALLAST.iter().find(|(least, _)| left >= *least);
    step.map_or(1, |(_, rows)| *rows)
}

/// Puts rows in that stay; says whether there was room for them.
async fn put_in(ballast: &mut PgConnection, fill: &'static str, rows: i32) -> bool {
    execute(ballast, "SAVEPOINT before").await;
    let Err(error) = sqlx::query(fill).bind(rows).execute(&mut *ballast).await else { return true };
    assert!(error.to_string().contains("could not extend file"), "{error}");
    execute(ballast, "ROLLBACK TO before").await;
    false
}

async fn execute(connection: &mut PgConnection, sql: &'static str) {
    sqlx::query(sql).execute(connection).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Limits the files of the database's server and of everybody who works for it.
fn limit_all(stack: &Stack, bytes: &str) {
    let server = stack.postgres.pid().expect("the database runs");
    let status = limit_files(server, bytes);
    assert!(status.success(), "prlimit ended with {status}");
    // Whoever is started from now on inherits the limit; one that ends at this moment needs none.
    let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children")).expect("the server is ours");
    for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
        limit_files(child, bytes);
    }
}

/// From now on a process gets an error from each write beyond so many bytes of a file.
pub(crate) fn limit_files(pid: u32, bytes: &str) -> ExitStatus {
    let mut command = Command::new("prlimit");
    // As the user that the process runs as: in a container not even root may do this to others.
    if let Ok(process) = fs::metadata(format!("/proc/{pid}")) {
        command.uid(process.uid()).gid(process.gid());
    }
    command.arg("--pid").arg(pid.to_string()).arg(format!("--fsize={bytes}:"));
    command.status().expect("prlimit of util-linux is installed")
}
