//! The result cache: what a (path, blob) or a commit gave before, under the same rules.

use std::collections::BTreeMap;

use schemas::ids::Digest;
use schemas::item::{Item, ItemResult};
use schemas::magic::Magic;
use uuid::Uuid;

use super::{Store, from_json};
use crate::error::StoreError;

impl Store {
    /// Results known for `items` under `ruleset`, by index in `items`, without their facts: see [`Store::known_facts`].
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn cached_results(
        &self,
        project: Uuid,
        magic: Magic,
        ruleset: &Digest,
        items: &[Item],
    ) -> Result<BTreeMap<usize, ItemResult>, StoreError> {
        let (paths, objects): (Vec<&str>, Vec<&str>) = items.iter().map(Item::cache_key).unzip();
        let rows: Vec<(i64, serde_json::Value)> = sqlx::query_as(
            "SELECT t.n, c.result - 'facts'
             FROM UNNEST($4::text[], $5::text[]) WITH ORDINALITY AS t(path, object, n)
             JOIN item_results c ON c.project_id = $1 AND c.magic = $2 AND c.ruleset = $3
                                AND c.object = t.object AND c.path = t.path",
        )
        .bind(project)
        .bind(magic.as_str())
        .bind(ruleset.as_str())
        .bind(paths)
        .bind(objects)
        .fetch_all(&self.pool)
        .await
        .map_err(|error| StoreError::of("look into the result cache", error))?;
        let mut known = BTreeMap::new();
        for (ordinal, result) in rows {
            let index = usize::try_from(ordinal - 1)
                .map_err(|error| StoreError::Corrupt { what: "ordinality", reason: error.to_string() })?;
            let result: ItemResult = from_json("item result", result)?;
            // It is kept for its facts alone, which hold on other days too.
            if !result.dated {
                known.insert(index, result);
            }
        }
        Ok(known)
    }
}
