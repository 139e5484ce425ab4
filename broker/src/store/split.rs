//! Splitting: a shard on which an analyzer fails is cut up until the file that causes it is alone, and named.

use std::collections::{BTreeMap, BTreeSet};

use schemas::bundle::Manifest;
use schemas::ids::Digest;
use schemas::item::{Item, ItemResult, SkipReason};
use schemas::partial::PartialResult;
use schemas::retry::ErrorClass;
use schemas::task::{ItemRange, TaskKey};
use sqlx::PgConnection;

use super::dead_letters::{expect_letter, supersede_letters};
use super::merge::{Key, TaskResult, row_key, shard_column};
use super::{TASKS_CHANNEL, announce, from_json, parsed, to_json};
use crate::error::StoreError;

/// Parts that a shard is cut into: two levels find one file among the 200 of the largest shard, and of the work on
/// healthy files a sixteenth at most is done twice.
const PARTS_MAX: u32 = 16;

/// Shards that splitting may add to one audit. Where that much fails it is not the files that are at fault, and naming
/// each of them would tell nobody anything.
const SPLIT_SHARDS_MAX: i64 = 4_096;

/// What became of the failures among some answers, by their index in the batch.
#[derive(Debug, Default)]
pub(super) struct Splits {
    /// Tasks that are answered by others from now on.
    pub(super) split: BTreeSet<usize>,
    /// What stands for a failure on a single file or commit.
    pub(super) named: BTreeMap<usize, PartialResult>,
}

/// A planned shard whose task has failed.
struct FailedShard {
    bundle: String,
    manifest: Manifest,
    /// Where its items begin in the bundle.
    first: u32,
    /// The highest shard of its audit.
    last_shard: i32,
    /// How many shards of its audit are parts of others.
    parts: i64,
    cost: i64,
    /// The rules that its task was planned for.
    ruleset: Option<Digest>,
    /// Whether the task was in the queue or running until now.
    was_in_flight: bool,
}

type FailedRow = (String, serde_json::Value, Option<i32>, i32, i64, i64, Option<String>);

/// Splits the tasks among `answered` that failed on more than one item, and names the item of those that failed on one.
pub(super) async fn split_failures(
    connection: &mut PgConnection,
    batch: &[TaskResult],
    answered: &[usize],
    was_in_flight: impl Fn(&Key) -> bool,
) -> Result<Splits, StoreError> {
    let mut splits = Splits::default();
    for &index in answered {
        let TaskResult { key, partial, .. } = &batch[index];
        let Some(reason) = &partial.failure else { continue };
        let is_looked_for = partial.class.is_some_and(is_about_the_content);
        let shard = if is_looked_for { failed_shard(connection, key).await? } else { None };
        let Some(mut shard) = shard else {
            expect_letter(connection, key, reason, partial.class).await?;
            continue;
        };
        shard.was_in_flight = was_in_flight(&row_key(key));
        let count = item_count(&shard.manifest);
        if count > 1 && shard.parts < SPLIT_SHARDS_MAX {
            split(connection, key, &shard, &cut(ItemRange { first: shard.first, count })).await?;
            splits.split.insert(index);
            continue;
        }
        expect_letter(connection, key, reason, partial.class).await?;
        if let Some(item) = only_item(&shard.manifest) {
            let skipped = ItemResult::skipped(item, SkipReason::AnalyzerFailed);
            let items = vec![ItemResult { notes: vec![reason.clone()], ..skipped }];
            let ruleset = shard.ruleset.take();
            splits.named.insert(index, PartialResult { ruleset, items, ..PartialResult::default() });
        }
    }
    if !splits.split.is_empty() {
        announce(connection, TASKS_CHANNEL).await?;
    }
    Ok(splits)
}

/// Whether a failure may be the fault of one of the items: then it is worth looking for it.
fn is_about_the_content(class: ErrorClass) -> bool {
    matches!(class, ErrorClass::Analyzer | ErrorClass::Resource | ErrorClass::Deadline)
}

/// Cuts a range of at least two items into parts, as equal as they can be.
fn cut(whole: ItemRange) -> Vec<ItemRange> {
    let parts = whole.count.min(PARTS_MAX);
    let (size, larger) = (whole.count / parts.max(1), whole.count % parts.max(1));
    let mut first = whole.first;
    let ranges = (0..parts).map(|part| {
        let count = size + u32::from(part < larger);
        let range = ItemRange { first, count };
        first += count;
        range
    });
    ranges.collect()
}

fn item_count(manifest: &Manifest) -> u32 {
    u32::try_from(manifest.files.len() + manifest.commits.len()).unwrap_or(u32::MAX)
}

fn only_item(manifest: &Manifest) -> Option<Item> {
    match (manifest.files.as_slice(), manifest.commits.as_slice()) {
        ([file], []) => Some(Item::File { path: file.path.clone(), blob: file.blob.clone() }),
        ([], [commit]) => Some(Item::Commit { sha: commit.sha.clone(), on_default_branch: commit.on_default_branch }),
        _ => None,
    }
}

/// What is in one part: files come before commits, as in the bundle.
fn part_of(manifest: &Manifest, first: u32, count: u32) -> Manifest {
    let (first, count) = (first as usize, count as usize);
    let files: Vec<_> = manifest.files.iter().skip(first).take(count).cloned().collect();
    let first_commit = first.saturating_sub(manifest.files.len());
    let commits = manifest.commits.iter().skip(first_commit).take(count - files.len()).cloned().collect();
    Manifest { files, commits, tree: None, config: manifest.config.clone(), day: manifest.day }
}

/// The shard of a task that was planned and whose audit is under way; tasks made by hand have none.
async fn failed_shard(connection: &mut PgConnection, key: &TaskKey) -> Result<Option<FailedShard>, StoreError> {
    let row: Option<FailedRow> = sqlx::query_as(
        "SELECT s.bundle, s.manifest, s.first_item, (SELECT max(shard) FROM shards WHERE audit_id = $1),
                (SELECT count(*) FROM shards WHERE audit_id = $1 AND split_from IS NOT NULL), t.cost,
                a.rulesets ->> t.magic
         FROM audits a
         JOIN shards s ON s.audit_id = a.id AND s.shard = $2
         JOIN tasks t ON t.audit_id = a.id AND t.shard = s.shard AND t.magic = $3
         WHERE a.id = $1 AND a.kind <> 'ad_hoc' AND a.state = 'running'",
    )
    .bind(key.audit.0)
    .bind(shard_column(key.shard))
    .bind(key.magic.as_str())
    .fetch_optional(connection)
    .await
    .map_err(|error| StoreError::of("look at a failed shard", error))?;
    let Some((bundle, manifest, first, last_shard, parts, cost, ruleset)) = row else { return Ok(None) };
    let manifest = from_json("manifest", manifest)?;
    let first = first.map_or(0, i32::unsigned_abs);
    let ruleset = ruleset.map(|digest| parsed("rule set", &digest)).transpose()?;
    Ok(Some(FailedShard { bundle, manifest, first, last_shard, parts, cost, ruleset, was_in_flight: false }))
}

/// Puts one task per part in the place of a task; the audit's total moves with them.
async fn split(
    connection: &mut PgConnection,
    key: &TaskKey,
    shard: &FailedShard,
    parts: &[ItemRange],
) -> Result<(), StoreError> {
    let failed = |error| StoreError::of("split a shard", error);
    let (mut numbers, mut manifests, mut costs) = (Vec::new(), Vec::new(), Vec::new());
    let (mut firsts, mut counts) = (Vec::new(), Vec::new());
    let whole = i64::from(item_count(&shard.manifest));
    for (number, part) in (shard.last_shard + 1..).zip(parts) {
        let offset = part.first - shard.first;
        // Shares of the cost that add up to all of it, wherever the division leaves something over.
        let share = |items: u32| shard.cost * i64::from(items) / whole;
        numbers.push(number);
        manifests.push(to_json("manifest", &part_of(&shard.manifest, offset, part.count))?);
        costs.push(share(offset + part.count) - share(offset));
        firsts.push(i32::try_from(part.first).unwrap_or(i32::MAX));
        counts.push(i32::try_from(part.count).unwrap_or(i32::MAX));
    }
    let range = (shard.last_shard + 1, numbers.last().copied().unwrap_or(shard.last_shard));
    sqlx::query(
        "INSERT INTO shards (audit_id, shard, bundle, manifest, first_item, item_count, split_from)
         SELECT $1, n, $3, m, f, c, $2
         FROM UNNEST($4::integer[], $5::jsonb[], $6::integer[], $7::integer[]) AS t(n, m, f, c)",
    )
    .bind(key.audit.0)
    .bind(shard_column(key.shard))
    .bind(&shard.bundle)
    .bind(&numbers)
    .bind(manifests)
    .bind(firsts)
    .bind(counts)
    .execute(&mut *connection)
    .await
    .map_err(failed)?;
    sqlx::query(
        "WITH parts AS (
             INSERT INTO tasks (audit_id, shard, magic, cost)
             SELECT $1, n, $3, c FROM UNNEST($4::integer[], $5::bigint[]) AS t(n, c) RETURNING 1),
         whole AS (
             UPDATE tasks SET state = 'split', done_at = NULL WHERE audit_id = $1 AND shard = $2 AND magic = $3)
         UPDATE audits SET tasks_total = tasks_total - 1 + (SELECT count(*) FROM parts),
                tasks_in_flight = tasks_in_flight - $6 WHERE id = $1",
    )
    .bind(key.audit.0)
    .bind(shard_column(key.shard))
    .bind(key.magic.as_str())
    .bind(&numbers)
    .bind(costs)
    .bind(i64::from(shard.was_in_flight))
    .execute(&mut *connection)
    .await
    .map_err(failed)?;
    supersede_letters(connection, key, range).await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schemas::bundle::{CommitFacts, ManifestFile};

    use super::*;

    fn manifest(files: usize, commits: usize) -> Manifest {
        let id = |number: usize| format!("{number:040x}").parse().unwrap();
        let file = |number| ManifestFile { path: format!("{number}.rs"), blob: id(number), size: 1 };
        let commit = |number| CommitFacts {
            sha: id(number),
            subject: String::new(),
            parents: 1,
            by_bot: false,
            on_default_branch: true,
            changes: Vec::new(),
        };
        Manifest {
            files: (0..files).map(file).collect(),
            commits: (0..commits).map(commit).collect(),
            ..Manifest::default()
        }
    }

    /// How often `count` items are cut until each is alone.
    fn levels(count: u32) -> u32 {
        if count <= 1 {
            return 0;
        }
        let largest = cut(ItemRange { first: 0, count }).iter().map(|part| part.count).max();
        1 + levels(largest.unwrap_or_default())
    }

    #[test]
    fn the_largest_shard_needs_two_levels() {
        assert_eq!([2, 16, 17, 200, 256, 257].map(levels), [1, 1, 2, 2, 2, 3]);
    }

    proptest! {
        #[test]
        fn parts_follow_each_other_and_are_all_of_it(first in 0..1_000_000_u32, count in 2..10_000_u32) {
            let parts = cut(ItemRange { first, count });
            prop_assert!((2..=PARTS_MAX as usize).contains(&parts.len()));
            let mut next = first;
            for part in &parts {
                prop_assert_eq!(part.first, next);
                prop_assert!(part.count > 0);
                next += part.count;
            }
            prop_assert_eq!(next, first + count);
            let sizes = parts.iter().map(|part| part.count);
            prop_assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1);
        }

        #[test]
        fn manifests_of_parts_add_up_to_the_whole(files in 0..60_usize, commits in 0..60_usize) {
            prop_assume!(files + commits > 1);
            let whole = manifest(files, commits);
            let mut sum = Manifest::default();
            for part in cut(ItemRange { first: 0, count: item_count(&whole) }) {
                let manifest = part_of(&whole, part.first, part.count);
                prop_assert_eq!(item_count(&manifest), part.count);
                sum.files.extend(manifest.files);
                sum.commits.extend(manifest.commits);
            }
            prop_assert_eq!(sum, whole);
        }
    }
}
