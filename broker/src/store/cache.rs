//! The result cache: what a (path, blob) or a commit gave before, under the same rules.

use std::collections::BTreeMap;

use schemas::facts::Facts;
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
        let mut known = BTreeMap::new();
        for (index, result) in self.cached("c.result - 'facts'", project, magic, ruleset, items).await? {
            let result: ItemResult = from_json("item result", result.unwrap_or_default())?;
            // It is kept for its facts alone, which hold on other days too.
            if !result.dated {
                known.insert(index, result);
            }
        }
        Ok(known)
    }

    /// The facts of those of `items` that were examined under `ruleset`, by index in `items`: empty ones too.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn known_facts(
        &self,
        project: Uuid,
        magic: Magic,
        ruleset: &Digest,
        items: &[Item],
    ) -> Result<BTreeMap<usize, Facts>, StoreError> {
        let rows = self.cached("c.result -> 'facts'", project, magic, ruleset, items).await?;
        let facts =
            |facts: Option<serde_json::Value>| facts.map_or(Ok(Facts::default()), |facts| from_json("facts", facts));
        rows.into_iter().map(|(index, row)| Ok((index, facts(row)?))).collect()
    }

    /// What the cache has of `items` under `ruleset`: `column` of each that it knows, by index in `items`.
    async fn cached(
        &self,
        column: &'static str,
        project: Uuid,
        magic: Magic,
        ruleset: &Digest,
        items: &[Item],
    ) -> Result<Vec<(usize, Option<serde_json::Value>)>, StoreError> {
        let (paths, objects): (Vec<&str>, Vec<&str>) = items.iter().map(Item::cache_key).unzip();
        let sql = format!(
            "SELECT t.n, {column}
             FROM UNNEST($4::text[], $5::text[]) WITH ORDINALITY AS t(path, object, n)
             JOIN item_results c ON c.project_id = $1 AND c.magic = $2 AND c.ruleset = $3
                                AND c.object = t.object AND c.path = t.path"
        );
        let rows: Vec<(i64, Option<serde_json::Value>)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(project)
            .bind(magic.as_str())
            .bind(ruleset.as_str())
            .bind(paths)
            .bind(objects)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| StoreError::of("look into the result cache", error))?;
        let index = |ordinal: i64| {
            usize::try_from(ordinal - 1)
                .map_err(|error| StoreError::Corrupt { what: "ordinality", reason: error.to_string() })
        };
        rows.into_iter().map(|(ordinal, value)| Ok((index(ordinal)?, value))).collect()
    }
}
