//! Options of the producer's two roles, `serve` and `planner`.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use secrecy::SecretString;

use crate::dispatcher::Settings;
use crate::dispatcher::pace::LEAST;
use crate::sharding::ShardLimits;

/// What repositories may be fetched.
#[derive(Debug, Clone, Args)]
pub struct AccessArgs {
    /// Also accept repositories on this machine: `file://` paths and loopback addresses
    #[arg(long, env = "ELDER_ALLOW_LOCAL")]
    pub allow_local: bool,
}

/// Hours of pushes of a thousand busy repositories, and about 100 MB of the record.
pub const WAITING_AUDITS_MAX: u32 = 100_000;

/// Options of `serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Address and port to listen on
    #[arg(long, env = "ELDER_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// Token that every request to /api and /metrics must carry as `Authorization: Bearer TOKEN`; at least 16 characters
    #[arg(long, env = "ELDER_API_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub api_token: SecretString,
    /// Audits that may wait for their plan; from four fifths of it on the API answers 429, from there webhooks 503
    #[arg(long, env = "ELDER_WAITING_AUDITS_MAX", default_value_t = WAITING_AUDITS_MAX, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub waiting_audits_max: u32,
    #[command(flatten)]
    /// What repositories may be registered.
    pub access: AccessArgs,
}

/// How tasks are dispatched.
#[derive(Debug, Clone, Args)]
pub struct DispatchArgs {
    /// Most tasks in the queue or running at once; usually about a second's work is there, the rest waits in the record
    #[arg(long, env = "ELDER_TASKS_IN_FLIGHT", default_value_t = TASKS_IN_FLIGHT, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub tasks_in_flight: u32,
    /// Fewest tasks that the queue may hold however slowly they are done; four for each slot of a worker if that is more
    #[arg(long, env = "ELDER_TASKS_IN_FLIGHT_MIN", default_value_t = LEAST, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub tasks_in_flight_min: u32,
    /// Most tasks in flight of each project without a limit of its own; as many as there is room for if not given
    #[arg(long, env = "ELDER_PROJECT_TASKS_IN_FLIGHT", value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub project_tasks_in_flight: Option<u32>,
    /// Seconds that a task may take in all, from the first time it is published; then it is given up
    #[arg(long, env = "ELDER_TASK_SECS_MAX", default_value_t = TASK_SECS_MAX, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub task_secs_max: u64,
}

/// Enough for the fastest tasks that servers of two cores can carry in a second.
const TASKS_IN_FLIGHT: u32 = 16_384;

/// Long enough for retries through an outage of half an hour, short enough that nobody waits for days.
const TASK_SECS_MAX: u64 = 3_600;

impl Default for DispatchArgs {
    fn default() -> Self {
        Self {
            tasks_in_flight: TASKS_IN_FLIGHT,
            tasks_in_flight_min: LEAST,
            project_tasks_in_flight: None,
            task_secs_max: TASK_SECS_MAX,
        }
    }
}

impl DispatchArgs {
    pub(crate) fn settings(&self) -> Settings {
        let Self { tasks_in_flight, tasks_in_flight_min, project_tasks_in_flight, task_secs_max } = self;
        Settings {
            tasks_in_flight: u64::from(*tasks_in_flight),
            tasks_in_flight_min: u64::from(*tasks_in_flight_min),
            project_tasks_in_flight: project_tasks_in_flight.map(u64::from),
            task_time_max: Duration::from_secs(*task_secs_max),
        }
    }
}

/// Options of `planner`.
#[derive(Debug, Clone, Args)]
pub struct PlannerArgs {
    /// Folder for the bare mirrors of the repositories
    #[arg(long, env = "ELDER_MIRRORS", default_value = ".elder/mirrors", value_name = "FOLDER")]
    pub mirrors: PathBuf,
    /// Private key for ssh repositories; without one the ssh agent is asked
    #[arg(long, env = "ELDER_SSH_KEY", value_name = "FILE")]
    pub ssh_key: Option<PathBuf>,
    /// Audits planned at the same time
    #[arg(long, env = "ELDER_PLANS_AT_ONCE", default_value_t = 4, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=64))]
    pub plans_at_once: u32,
    /// Most files in one shard
    #[arg(long, env = "ELDER_SHARD_FILES", default_value_t = ShardLimits::default().files_max, value_name = "N")]
    pub shard_files: NonZero<usize>,
    #[command(flatten)]
    /// How tasks are dispatched.
    pub dispatch: DispatchArgs,
    /// Seconds without news after which a task or request counts as lost and is published again
    #[arg(long, env = "ELDER_LOST_AFTER_SECS", default_value_t = 120, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub lost_after_secs: u64,
    #[command(flatten)]
    /// What repositories may be fetched.
    pub access: AccessArgs,
}
