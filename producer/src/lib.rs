//! Everything that asks for audits, and everything between asking and the queue.
//!
//! ```text
//! webhook, REST ──► http ──► intake ──► record ──► planner ──► dispatcher ──► queue
//!                                                     └── mirror, plan, sharding, bundle
//! ```

pub mod bundle;
pub mod config;
pub mod dispatcher;
pub mod fairness;
mod fires;
pub mod http;
pub mod intake;
pub mod limits;
pub mod local;
pub mod mirror;
pub mod plan;
pub mod planner;
pub mod queue;
mod reconciler;
pub mod repository_url;
pub mod schedules;
pub mod sharding;
pub mod stops;
mod supersede;
pub mod tree;
pub mod webhooks;
pub mod window;
mod wishes;
