//! The database schema, as the list of its migrations: forward only, each applied once and never edited again.

/// One step of the schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number; they are applied in this order.
    pub version: i64,
    /// What it is for, from its file name.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

/// Every migration, in order.
pub const ALL: [Migration; 6] = [
    Migration { version: 1, name: "record", sql: include_str!("../migrations/0001_record.sql") },
    Migration { version: 2, name: "queue", sql: include_str!("../migrations/0002_queue.sql") },
    Migration { version: 3, name: "hot_tasks", sql: include_str!("../migrations/0003_hot_tasks.sql") },
    Migration { version: 4, name: "upkeep", sql: include_str!("../migrations/0004_upkeep.sql") },
    Migration { version: 5, name: "rates", sql: include_str!("../migrations/0005_rates.sql") },
    Migration { version: 6, name: "trees", sql: include_str!("../migrations/0006_trees.sql") },
];
