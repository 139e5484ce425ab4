//! The worker: languages, rules, and one pass of all asked magics over a shard; around it, the loop that pulls tasks.
//!
//! ```text
//! bundle ──unpack──► Shard ──pass──► decode ─► outline ─► every rule looks ─► results per magic
//! ```
//! All but [`run`] and what stands around it (how tasks are accepted, grouped, answered and ended) is pure: no clock but
//! the parser's budget of processor time, no I/O, no async, and no state but two counts of what was read and parsed.

mod accept;
mod answer;
mod automation;
mod batch;
mod bundles;
pub mod config;
mod cpu;
mod effort;
mod ending;
mod group;
mod identity;
mod items;
mod languages;
mod lines;
mod markdown;
mod names;
mod outline;
pub mod pass;
mod paths;
mod pool;
mod presence;
pub mod rules;
pub mod run;
mod runs;
mod secrets;
mod source;
mod suppressions;
mod tokens;
pub mod unpack;
mod watch;
mod winnow;

pub use pass::{analyze, analyze_watched, rulesets};
pub use pool::THREAD_NAME;
pub use rules::catalogue;
