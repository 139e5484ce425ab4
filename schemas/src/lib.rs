//! The vocabulary of Ancient Elder: what its parts say to each other, and the laws of merging and scoring.
//!
//! ```text
//! AuditRequest ──► (planner) ──► Task ──► (worker) ──► PartialResult ──► (aggregator) ──► Verdict
//!                                                                            └──► AuditEvent
//! ```
//! Everything here is pure: no clock, no I/O, no async. Anything may depend on this crate; it depends on no other of ours.

pub mod branch;
pub mod bundle;
pub mod catalogue;
pub mod day;
pub mod dead_letter;
pub mod event;
pub mod facts;
pub mod finding;
pub mod fingerprint;
pub mod ids;
pub mod item;
pub mod json_schema;
pub mod magic;
pub mod migrations;
pub mod packed;
pub mod partial;
pub mod policy;
pub mod presence;
pub mod repository_config;
pub mod request;
pub mod retry;
pub mod schedule;
pub mod score;
pub mod severity;
pub mod tally;
pub mod task;
pub mod verdict;

/// Version of the message shapes in this crate, sent in the header `Audit-Schema`.
/// A receiver that sees another version parks the message instead of guessing.
pub const MESSAGE_VERSION: u32 = 1;
