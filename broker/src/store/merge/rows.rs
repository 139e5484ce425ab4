//! The rows that a result leaves: itself, its findings, and what the cache remembers of each file and commit.

use std::collections::BTreeSet;

use schemas::finding::{Finding, Location};
use schemas::item::SkipReason;
use schemas::tally::Tally;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Part, shard_column};
use crate::error::StoreError;
use crate::store::to_json;

/// The columns of the results table, as they are bound.
#[derive(Default)]
pub(super) struct ResultColumns<'a> {
    pub(super) audits: Vec<Uuid>,
    pub(super) shards: Vec<i32>,
    pub(super) magics: Vec<&'static str>,
    pub(super) digests: Vec<&'a str>,
    pub(super) tallies: Vec<serde_json::Value>,
}

impl<'a> ResultColumns<'a> {
    pub(super) fn of(parts: &'a [Part<'_>]) -> Result<Self, StoreError> {
        let mut columns = Self::default();
        for part in parts {
            columns.audits.push(part.audit.0);
            columns.shards.push(shard_column(part.shard));
            columns.magics.push(part.magic.as_str());
            columns.digests.push(part.digest.as_str());
            columns.tallies.push(to_json("tally", &Tally::of(part.partial))?);
        }
        Ok(columns)
    }
}

pub(crate) async fn insert_results(connection: &mut PgConnection, parts: &[Part<'_>]) -> Result<(), StoreError> {
    if parts.is_empty() {
        return Ok(());
    }
    let ResultColumns { audits, shards, magics, digests, tallies } = ResultColumns::of(parts)?;
    sqlx::query(
        "INSERT INTO results (audit_id, shard, magic, digest, tally)
         SELECT * FROM UNNEST($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::jsonb[])
         ON CONFLICT DO NOTHING",
    )
    .bind(audits)
    .bind(shards)
    .bind(magics)
    .bind(digests)
    .bind(tallies)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(|error| StoreError::of("record results", error))
}

/// The columns of the findings table, as they are bound.
#[derive(Default)]
struct FindingColumns<'a> {
    audits: Vec<Uuid>,
    fingerprints: Vec<&'a str>,
    content_fingerprints: Vec<&'a str>,
    magics: Vec<&'static str>,
    rules: Vec<&'a str>,
    severities: Vec<&'static str>,
    ranks: Vec<i16>,
    confidences: Vec<i16>,
    paths: Vec<Option<&'a str>>,
    lines: Vec<Option<i32>>,
    commits: Vec<Option<&'a str>>,
    details: Vec<serde_json::Value>,
}

impl<'a> FindingColumns<'a> {
    fn push(&mut self, part: &Part<'_>, finding: &'a Finding) -> Result<(), StoreError> {
        let (path, line, commit) = match &finding.location {
            Location::File { path, line, .. } => {
                (Some(path.as_str()), Some(i32::try_from(*line).unwrap_or(i32::MAX)), None)
            }
            Location::Commit { sha } => (None, None, Some(sha.as_str())),
        };
        self.audits.push(part.audit.0);
        self.fingerprints.push(&finding.fingerprint);
        self.content_fingerprints.push(&finding.content_fingerprint);
        self.magics.push(part.magic.as_str());
        self.rules.push(finding.rule.as_str());
        self.severities.push(finding.severity.as_str());
        self.ranks.push(finding.severity as i16);
        self.confidences.push(i16::try_from(finding.confidence_permille).unwrap_or(i16::MAX));
        self.paths.push(path);
        self.lines.push(line);
        self.commits.push(commit);
        self.details.push(to_json("finding", finding)?);
        Ok(())
    }
}

pub(crate) async fn insert_findings(connection: &mut PgConnection, parts: &[Part<'_>]) -> Result<(), StoreError> {
    let mut columns = FindingColumns::default();
    for part in parts {
        for finding in part.partial.items.iter().flat_map(|item| &item.findings) {
            columns.push(part, finding)?;
        }
    }
    if columns.audits.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO findings (audit_id, fingerprint, content_fingerprint, magic, rule, severity, severity_rank,
                               confidence_permille, path, line, commit_sha, detail)
         SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::smallint[],
                              $8::smallint[], $9::text[], $10::integer[], $11::text[], $12::jsonb[])
         ON CONFLICT DO NOTHING",
    )
    .bind(columns.audits)
    .bind(columns.fingerprints)
    .bind(columns.content_fingerprints)
    .bind(columns.magics)
    .bind(columns.rules)
    .bind(columns.severities)
    .bind(columns.ranks)
    .bind(columns.confidences)
    .bind(columns.paths)
    .bind(columns.lines)
    .bind(columns.commits)
    .bind(columns.details)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(|error| StoreError::of("record findings", error))
}

/// Keeps what each file and commit gave, so that none of them is analysed twice under the same rules: one that broke an
/// analyzer breaks no other audit, unless the same task is tried again and gives more. What lacked facts is not remembered,
/// and what holds for one day only is kept for its facts.
pub(super) async fn remember_items(connection: &mut PgConnection, parts: &[Part<'_>]) -> Result<(), StoreError> {
    let (mut audits, mut magics, mut rulesets) = (Vec::new(), Vec::new(), Vec::new());
    let (mut paths, mut objects, mut results) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for part in parts {
        let Some(ruleset) = &part.partial.ruleset else { continue };
        let items = part.partial.items.iter().filter(|item| item.skipped != Some(SkipReason::FactsMissing));
        for item in items {
            let (path, object) = item.item.cache_key();
            if !seen.insert((part.audit, part.magic, ruleset, path, object)) {
                continue;
            }
            audits.push(part.audit.0);
            magics.push(part.magic.as_str());
            rulesets.push(ruleset.as_str());
            paths.push(path);
            objects.push(object);
            results.push(to_json("item result", item)?);
        }
    }
    if audits.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO item_results (project_id, magic, ruleset, path, object, result)
         SELECT DISTINCT ON (a.project_id, t.magic, t.ruleset, t.object, t.path)
                a.project_id, t.magic, t.ruleset, t.path, t.object, t.result
         FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[])
              AS t(audit_id, magic, ruleset, path, object, result)
         JOIN audits a ON a.id = t.audit_id
         WHERE a.project_id IS NOT NULL AND a.kind <> 'ad_hoc'
         ORDER BY 1, 2, 3, 5, 4, t.result ->> 'skipped' IS NOT DISTINCT FROM 'analyzer_failed'
         ON CONFLICT (project_id, magic, ruleset, object, path) DO UPDATE SET result = excluded.result
         WHERE item_results.result ->> 'skipped' = 'analyzer_failed'",
    )
    .bind(audits)
    .bind(magics)
    .bind(rulesets)
    .bind(paths)
    .bind(objects)
    .bind(results)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(|error| StoreError::of("remember results", error))
}
