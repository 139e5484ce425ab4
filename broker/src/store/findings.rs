//! Findings of an audit, worst first.

use schemas::finding::Finding;
use schemas::ids::AuditId;

use super::{Store, from_json};
use crate::error::StoreError;

impl Store {
    /// Findings of an audit, worst first, then by place.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn findings(&self, audit: AuditId, limit: i64, offset: i64) -> Result<Vec<Finding>, StoreError> {
        let rows: Vec<serde_json::Value> = sqlx::query_scalar(
            "SELECT detail FROM findings WHERE audit_id = $1
             ORDER BY severity_rank DESC, path NULLS LAST, line, rule, fingerprint LIMIT $2 OFFSET $3",
        )
        .bind(audit.0)
        .bind(limit)
        .bind(offset)
        .fetch_all(&self.pool)
        .await
        .map_err(|error| StoreError::of("list findings", error))?;
        rows.into_iter().map(|row| from_json("finding", row)).collect()
    }
}

/// What a person can type into `psql` to see an audit and its findings.
pub fn by_hand(audit: AuditId) -> [String; 2] {
    [
        format!("SELECT state, status, score FROM audits WHERE id = '{audit}';"),
        format!(
            "SELECT severity, rule, path, line FROM findings WHERE audit_id = '{audit}' ORDER BY severity_rank DESC;"
        ),
    ]
}
