//! The worker: languages, rules, and one pass of all asked magics over a shard; around it, the loop that pulls tasks.
//!
//! ```text
//! bundle ──unpack──► Shard ──pass──► decode ─► outline ─► every rule looks ─► results per magic
//! ```
//! All but [`run`] is pure: no clock but the parser's budget of processor time, no I/O, no async.

mod answer;
pub mod config;
mod cpu;
mod languages;
mod outline;
pub mod pass;
mod paths;
mod pool;
pub mod rules;
pub mod run;
mod secrets;
mod source;
pub mod unpack;

pub use pass::analyze;
pub use pool::THREAD_NAME;
pub use rules::catalogue;
