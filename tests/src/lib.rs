//! The harness: real servers, real roles as processes, fixture repositories built by code.
//!
//! Every [`stack::Stack`] has its own folder, servers and ports, so tests run next to each other.

pub mod audits;
pub mod chaos;
pub mod checker;
pub mod cluster;
pub mod disk;
pub mod elder;
pub mod exchange;
pub mod failpoints;
pub mod files;
pub mod fixture;
pub mod github;
pub mod http;
pub mod keyed;
pub mod ledger;
pub mod nats;
pub mod nats_cli;
pub mod noop;
pub mod player;
pub mod process;
pub mod proxy;
pub mod random;
pub mod repository;
pub mod rolling;
pub mod scratch;
pub mod simulation;
pub mod stack;
pub mod tasks;
pub mod wait;
pub mod workload;
