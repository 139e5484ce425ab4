//! The record: one handle to Postgres; one file per concern, all SQL below here.

pub mod audits;
pub mod cache;
pub mod dead_letters;
pub mod dispatch;
pub mod dispatcher_settings;
pub mod findings;
pub mod intake;
pub mod limits;
pub mod merge;
pub mod outbox;
pub mod plan;
pub mod policies;
pub mod projects;
mod pushes;
pub mod rates;
pub mod reconcile;
mod requests;
pub mod schedules;
mod split;
pub mod stop;
pub mod supersede;
pub mod throughput;
pub mod trees;
mod verdicts;
pub mod waiting;

use std::borrow::Cow;
use std::str::FromStr as _;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, Postgres, SqlSafeStr as _, Transaction};

use crate::config::DatabaseArgs;
use crate::error::StoreError;

/// How long to wait for a free connection before the database counts as unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that was used this recently is used again without asking whether it is still there: that is a round trip for
/// each statement on a busy system, and whoever uses one that broke meanwhile tries again anyway.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// For the statements that every task passes: they look rows up by keys, a few or hundreds at once, and planning one takes
/// longer than running it. So they are planned once in each connection, and never as a scan that was the best way when the table
/// was empty.
const PLANNED_ONCE: [(&str, &str); 4] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
];

/// Longest statement: a lock held by someone else must not hold all our connections too.
const STATEMENT_TIMEOUT: &str = "30s";

/// Longest pause inside a transaction: a process that hangs or whose machine is gone must not hold its locks for ever.
/// Longer than the relay may wait for the queue to store what it took.
const TRANSACTION_PAUSE_TIMEOUT: &str = "60s";

/// After this long without a sign of life a dispatcher has lost its seat, see [`DispatcherSeat::is_held`].
const SEAT_TIMEOUT: &str = "SET idle_session_timeout = '10s'";

/// Advisory lock of the one dispatcher; any number that no other program on this database uses.
const DISPATCHER_LOCK: i64 = 0x00e1_de50_d15b;

/// Wakes the relay.
pub const OUTBOX_CHANNEL: &str = "elder_outbox";
/// Wakes the dispatcher.
pub const TASKS_CHANNEL: &str = "elder_tasks";
/// Wakes whoever packs facts for rules over whole repositories.
pub const TREES_CHANNEL: &str = "elder_trees";

/// The record. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    /// Connections whose statements are [`PLANNED_ONCE`].
    keyed: PgPool,
}

impl Store {
    /// Prepares connections; none is made before the first use, so a database that comes later is no failure.
    ///
    /// # Errors
    /// If the URL is not one.
    pub fn connect(args: &DatabaseArgs) -> Result<Self, StoreError> {
        let url = args.database_url.expose_secret();
        let options =
            PgConnectOptions::from_str(url).map_err(|error| StoreError::of("be addressed by this URL", error))?;
        let options = options.application_name("elder").options([
            ("statement_timeout", STATEMENT_TIMEOUT),
            ("idle_in_transaction_session_timeout", TRANSACTION_PAUSE_TIMEOUT),
        ]);
        let keyed = (args.database_connections / 2).max(1);
        let others = args.database_connections.saturating_sub(keyed).max(1);
        Ok(Self { pool: pool(options.clone(), others), keyed: pool(options.options(PLANNED_ONCE), keyed) })
    }

    /// Brings the schema up to date; several at once wait for each other. Returns how many steps there are.
    ///
    /// # Errors
    /// If the database cannot be reached, or holds a schema that is newer or was changed by hand.
    pub async fn migrate(&self) -> Result<usize, StoreError> {
        let steps: Vec<Migration> = schemas::migrations::ALL
            .into_iter()
            .map(|step| {
                let name = Cow::Borrowed(step.name);
                Migration::new(step.version, name, MigrationType::Simple, step.sql.into_sql_str(), false)
            })
            .collect();
        let count = steps.len();
        Migrator::with_migrations(steps).run(&self.pool).await.map_err(StoreError::Migrate)?;
        Ok(count)
    }

    /// Whether the database answers and its schema is there.
    pub async fn is_up(&self) -> bool {
        let asked = sqlx::query("SELECT 1 FROM audits LIMIT 1").fetch_optional(&self.pool);
        matches!(tokio::time::timeout(Duration::from_secs(2), asked).await, Ok(Ok(_)))
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.keyed.close().await;
        self.pool.close().await;
    }

    /// Wakes whenever something is announced on `channel`.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn listen(&self, channel: &'static str) -> Result<Wakeups, StoreError> {
        let failed = |error| StoreError::of("listen", error);
        let mut listener = PgListener::connect_with(&self.pool).await.map_err(failed)?;
        listener.listen(channel).await.map_err(failed)?;
        Ok(Wakeups(listener))
    }

    /// Tries to become the only dispatcher; the seat is held until the returned value is dropped or its connection ends,
    /// and as long as [`DispatcherSeat::is_held`] is asked every few seconds.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn take_dispatcher_seat(&self) -> Result<Option<DispatcherSeat>, StoreError> {
        let failed = |error| StoreError::of("elect a dispatcher", error);
        let mut connection = self.pool.acquire().await.map_err(failed)?.detach();
        let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(DISPATCHER_LOCK)
            .fetch_one(&mut connection)
            .await
            .map_err(failed)?;
        // A process that hangs keeps its connection, and that would keep the seat; the server takes it back then.
        sqlx::query(SEAT_TIMEOUT).execute(&mut connection).await.map_err(failed)?;
        Ok(taken.then_some(DispatcherSeat(connection)))
    }

    async fn begin(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        self.pool.begin().await.map_err(|error| StoreError::of("begin a transaction", error))
    }

    async fn begin_keyed(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        self.keyed.begin().await.map_err(|error| StoreError::of("begin a transaction", error))
    }
}

fn pool(options: PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, state| {
            Box::pin(async move {
                if state.idle_for > TRUSTED_FOR {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options)
}

/// Announcements on one channel.
#[derive(Debug)]
pub struct Wakeups(PgListener);

impl Wakeups {
    /// Waits for the next announcement.
    ///
    /// # Errors
    /// If the connection was lost; announcements made meanwhile were missed, so look yourself.
    pub async fn next(&mut self) -> Result<(), StoreError> {
        self.0.recv().await.map(|_| ()).map_err(|error| StoreError::of("listen", error))
    }
}

/// The right to dispatch, held by one process at a time.
#[derive(Debug)]
pub struct DispatcherSeat(PgConnection);

impl DispatcherSeat {
    /// Whether the seat is still held: a lost connection has lost it. Asking is also the sign of life that keeps it.
    pub async fn is_held(&mut self) -> bool {
        sqlx::query("SELECT 1").execute(&mut self.0).await.is_ok()
    }
}

async fn commit(transaction: Transaction<'static, Postgres>) -> Result<(), StoreError> {
    transaction.commit().await.map_err(|error| StoreError::of("commit", error))
}

/// Announces on `channel` when the transaction commits.
async fn announce(connection: &mut PgConnection, channel: &'static str) -> Result<(), StoreError> {
    let sent = sqlx::query("SELECT pg_notify($1, '')").bind(channel).execute(connection).await;
    sent.map(|_| ()).map_err(|error| StoreError::of("announce", error))
}

/// Reads a column that this program wrote as text from one of its own types.
fn parsed<T: std::str::FromStr>(what: &'static str, text: &str) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| StoreError::Corrupt { what, reason: error.to_string() })
}

/// Turns a value of ours into JSON for a column.
fn to_json<T: serde::Serialize>(what: &'static str, value: &T) -> Result<serde_json::Value, StoreError> {
    serde_json::to_value(value).map_err(|error| StoreError::Corrupt { what, reason: error.to_string() })
}

/// Reads a JSON column that this program wrote.
fn from_json<T: serde::de::DeserializeOwned>(what: &'static str, value: serde_json::Value) -> Result<T, StoreError> {
    serde_json::from_value(value).map_err(|error| StoreError::Corrupt { what, reason: error.to_string() })
}
