//! Options of the worker.

use clap::Args;
use schemas::ids::PoolName;

/// Options of `worker`.
#[derive(Debug, Clone, Args)]
pub struct WorkerArgs {
    /// Name under which this worker is counted with others, e.g. one for each deployment. It routes nothing: workers of all
    /// pools take tasks of all kinds
    #[arg(long, env = "ELDER_POOL", default_value_t, value_name = "NAME")]
    pub pool: PoolName,
    /// Threads that analyze; 0 means one per core
    #[arg(long, env = "ELDER_WORKER_THREADS", default_value_t = 0, value_name = "N",
          value_parser = clap::value_parser!(u16).range(0..=1024))]
    pub threads: u16,
    /// Batches of tasks worked on at the same time: while one is analyzed, another is fetched or answered
    #[arg(long, env = "ELDER_WORKER_SLOTS", default_value_t = 2, value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=256))]
    pub slots: u16,
    /// Seconds after which a file or commit under analysis counts as hung; its tasks are tried again elsewhere then
    #[arg(long, env = "ELDER_STEP_SECS", default_value_t = 30, value_name = "SECONDS",
          value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub step_secs: u16,
    /// Seconds to finish what is under way after SIGTERM; what is left is handed to other workers then, within five more
    #[arg(long, env = "ELDER_DRAIN_SECS", default_value_t = 20, value_name = "SECONDS",
          value_parser = clap::value_parser!(u16).range(0..=3600))]
    pub drain_secs: u16,
}
