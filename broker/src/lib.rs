//! The queue and the record: the only crate that knows subjects, JetStream and SQL.
//!
//! [`bus::Bus`] moves messages, [`store::Store`] keeps the record, and the loops in [`relay`], [`aggregator`],
//! [`letters`] and [`janitor`] join the two: write, commit, then acknowledge.

pub mod aggregator;
pub mod bus;
pub mod config;
pub mod depths;
pub mod error;
pub mod failpoint;
pub mod headers;
pub mod heartbeat;
pub mod janitor;
pub mod lease;
pub mod letters;
pub mod moment;
pub mod objects;
pub mod parts;
pub mod permissions;
pub mod presence;
pub mod pulse;
pub mod relay;
pub mod retries;
mod server;
pub mod stopped;
pub mod store;
pub mod subject;
pub mod subscription;
pub mod topology;
mod turns;
mod values;
mod withdraw;

pub use bus::Bus;
pub use store::Store;
