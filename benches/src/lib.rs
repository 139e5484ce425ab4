//! What the benchmarks share: what a process used, figures with their spread, tables, and a stack whose tasks are empty.
//!
//! Each benchmark answers the question in the first line of its file and measures a limit beside it in the same run, as
//! figures of two runs on a shared machine say little about each other. Nothing here asserts a time.

pub mod corpus;
pub mod figures;
pub mod idle;
pub mod limits;
pub mod table;
pub mod usage;
