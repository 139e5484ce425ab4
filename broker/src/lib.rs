//! The queue and the record: the only crate that knows subjects, JetStream and SQL.
//!
//! [`bus::Bus`] moves messages, [`store::Store`] keeps the record, and the loops in [`relay`], [`aggregator`] and
//! [`letters`] join the two: write, commit, then acknowledge.

pub mod aggregator;
pub mod bus;
pub mod config;
pub mod error;
pub mod headers;
pub mod lease;
pub mod letters;
pub mod objects;
pub mod relay;
pub mod store;
pub mod subject;
pub mod subscription;
pub mod topology;

pub use bus::Bus;
pub use store::Store;
