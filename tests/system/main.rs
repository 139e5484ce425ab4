//! The system tests: one module per behaviour, one program so that everything is linked once.

#![expect(clippy::unwrap_used, reason = "all of this is a test, its functions without #[test] too")]

mod api;
mod chaos;
mod commands;
mod configuration;
mod dead_letters;
mod drain;
mod embedded;
mod fusion;
mod harness;
mod headers;
mod leases;
mod merge;
mod monitoring;
mod nats_cli;
mod objects;
mod path;
mod permissions;
mod policies;
mod priorities;
mod queue;
mod repositories;
mod retries;
mod schedules;
mod simulation;
mod stops;
mod tidy;
mod topology;
mod trace;
mod trees;
mod webhooks;
