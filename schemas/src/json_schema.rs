//! JSON Schemas of every message and of `.elder.toml`, generated from the types; `schemas/json/` holds them for other languages.

use schemars::{Schema, schema_for};

use crate::bundle::Manifest;
use crate::catalogue::Catalogue;
use crate::dead_letter::DeadLetter;
use crate::event::AuditEvent;
use crate::partial::PartialResult;
use crate::presence::WorkerPresence;
use crate::repository_config::RepositoryConfig;
use crate::request::AuditRequest;
use crate::task::Task;
use crate::verdict::Verdict;

/// Every shape with the name of its schema file (without `.schema.json`).
pub fn all() -> Vec<(&'static str, Schema)> {
    vec![
        ("audit-event", schema_for!(AuditEvent)),
        ("audit-request", schema_for!(AuditRequest)),
        ("catalogue", schema_for!(Catalogue)),
        ("dead-letter", schema_for!(DeadLetter)),
        ("elder-toml", schema_for!(RepositoryConfig)),
        ("manifest", schema_for!(Manifest)),
        ("partial-result", schema_for!(PartialResult)),
        ("task", schema_for!(Task)),
        ("verdict", schema_for!(Verdict)),
        ("worker-presence", schema_for!(WorkerPresence)),
    ]
}
