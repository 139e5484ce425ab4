//! Everything that asks for audits, and everything between asking and the queue.
//!
//! ```text
//! webhook, REST ──► http ──► intake ──► record ──► planner ──► dispatcher ──► queue
//!                                                     └── mirror, plan, sharding, bundle
//! ```

pub mod bundle;
pub mod mirror;
pub mod plan;
pub mod repository_url;
pub mod sharding;
pub mod webhooks;
