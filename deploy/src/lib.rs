//! What the `elder` program is made of: the services that it embeds and the commands around the roles.

pub mod audit;
pub mod cli;
pub mod dead_letter;
pub mod demo;
pub mod embedded;
pub mod generate;
mod platform;
pub mod policy;
pub mod queue;
pub mod report;
pub mod roles;
pub mod rules;
mod runtime;
pub mod schedule;
pub mod services;
pub mod telemetry;
pub mod topology;
pub mod up;
