//! How to reach the queue and the record: the options that every role shares.

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;

/// How to reach NATS.
#[derive(Debug, Clone, Args)]
pub struct NatsArgs {
    /// NATS server, e.g. `nats://user:password@host:4222`; several are separated by commas
    #[arg(long, env = "NATS_URL", hide_env_values = true, value_name = "URL")]
    pub nats_url: SecretString,
    /// File with the NATS key of this role, as `elder topology --auth` writes it; used instead of a password in the URL
    #[arg(long, env = "NATS_NKEY", value_name = "FILE")]
    pub nats_nkey: Option<PathBuf>,
    #[command(flatten)]
    /// What the streams should be like.
    pub topology: TopologyArgs,
}

/// What the streams should be like. Every role of one deployment must be given the same values.
#[derive(Debug, Clone, Args)]
pub struct TopologyArgs {
    /// Copies of each stream: 1 for a single server, 3 for a cluster
    #[arg(long, env = "ELDER_NATS_REPLICAS", default_value_t = 1, value_name = "N")]
    pub nats_replicas: usize,
    /// Seconds after which a message whose holder went silent is given to another; holders report every third of it
    #[arg(long, env = "ELDER_ACK_WAIT_SECS", default_value_t = 30, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub ack_wait_secs: u64,
}

impl Default for TopologyArgs {
    fn default() -> Self {
        Self { nats_replicas: 1, ack_wait_secs: 30 }
    }
}

/// How to reach Postgres.
#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    /// Postgres database, e.g. `postgres://user:password@host/elder`
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: SecretString,
    /// Most connections that this process opens
    #[arg(long, env = "ELDER_DATABASE_CONNECTIONS", default_value_t = 10, value_name = "N",
          value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub database_connections: u32,
}
