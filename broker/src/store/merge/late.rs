//! Results of tasks that were cancelled while a worker had them: they count for nothing, and their work is kept.

use std::collections::BTreeSet;

use sqlx::PgConnection;

use super::rows::remember_items;
use super::{Columns, Key, Part, TaskResult, columns, row_key};
use crate::error::StoreError;

/// Puts the items of late results into the result cache, where the next audit finds them, and takes those results out of
/// `others`: they were asked for once, so they are neither foreign nor contradictions.
pub(super) async fn keep_late(
    connection: &mut PgConnection,
    batch: &[TaskResult],
    others: &mut Vec<usize>,
) -> Result<(), StoreError> {
    if others.is_empty() {
        return Ok(());
    }
    let Columns { audits, shards, magics, projects } = columns(others.iter().map(|&index| &batch[index].key));
    let cancelled: Vec<Key> = sqlx::query_as(
        "SELECT t.audit_id, t.shard, t.magic
         FROM tasks t JOIN audits a ON a.id = t.audit_id
         JOIN UNNEST($1::uuid[], $2::integer[], $3::text[], $4::text[]) AS r(audit_id, shard, magic, project)
           ON t.audit_id = r.audit_id AND t.shard = r.shard AND t.magic = r.magic
         WHERE t.state = 'cancelled' AND a.project_slug = r.project",
    )
    .bind(audits)
    .bind(shards)
    .bind(magics)
    .bind(projects)
    .fetch_all(&mut *connection)
    .await
    .map_err(|error| StoreError::of("look for cancelled tasks", error))?;
    let cancelled: BTreeSet<Key> = cancelled.into_iter().collect();
    let (late, rest): (Vec<usize>, Vec<usize>) =
        others.iter().partition(|&&index| cancelled.contains(&row_key(&batch[index].key)));
    *others = rest;
    let parts = late.into_iter().map(|index| {
        let TaskResult { key, partial, .. } = &batch[index];
        Part { audit: key.audit, shard: key.shard, magic: key.magic, partial, digest: partial.digest() }
    });
    remember_items(connection, &parts.collect::<Vec<_>>()).await
}
