//! Cuts the files and commits of an audit into shards of about the same cost. Pure: the same set gives the same shards.

use std::num::NonZero;

use schemas::bundle::CommitFacts;

use crate::mirror::Entry;

/// Cost of a file beside its bytes, in bytes' worth of analysis: opening a parser and a result row cost about as much as
/// parsing this much source.
pub const FILE_COST: u64 = 2 * 1024;

/// Cost of a commit beside its text, in bytes: its id and numbers in the manifest.
pub const COMMIT_COST: u64 = 256;

/// Cost of one change of a commit beside its path, in bytes: its numbers and the names of its fields in the manifest.
pub const CHANGE_COST: u64 = 64;

/// How large a shard may be. A single file or commit above the limit is a shard of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardLimits {
    /// Most files or commits.
    pub files_max: NonZero<usize>,
    /// Highest predicted cost, in bytes; never less than the bytes themselves.
    pub bytes_max: u64,
}

impl Default for ShardLimits {
    /// Small enough that an idle pool shares a push of a few hundred files, large enough that messages cost little.
    fn default() -> Self {
        const FILES_MAX: NonZero<usize> = NonZero::new(200).expect("200 is not 0");
        Self { files_max: FILES_MAX, bytes_max: 2 * 1024 * 1024 }
    }
}

/// Splits files into shards. Neighbours in the tree stay together, since they are read, and changed, together.
pub fn split(mut entries: Vec<Entry>, limits: ShardLimits) -> Vec<Vec<Entry>> {
    entries.sort_unstable();
    cut(entries, limits, file_cost)
}

/// What a file is predicted to cost, in bytes' worth of analysis.
pub fn file_cost(entry: &Entry) -> u64 {
    FILE_COST.saturating_add(entry.size)
}

/// Splits commits into shards, by id.
pub fn split_commits(mut commits: Vec<CommitFacts>, limits: ShardLimits) -> Vec<Vec<CommitFacts>> {
    commits.sort_unstable_by(|a, b| a.sha.cmp(&b.sha));
    cut(commits, limits, commit_cost)
}

/// What a commit is predicted to cost, in bytes' worth of analysis.
pub fn commit_cost(commit: &CommitFacts) -> u64 {
    let change_costs = commit.changes.iter().map(|change| CHANGE_COST + change.path.len() as u64);
    COMMIT_COST + commit.subject.len() as u64 + change_costs.sum::<u64>()
}

/// Cuts a row of items into as few shards as the limits allow, each of about the same cost, so that none is waited for.
fn cut<T>(items: Vec<T>, limits: ShardLimits, cost_of: impl Fn(&T) -> u64) -> Vec<Vec<T>> {
    let total = items.iter().map(&cost_of).fold(0, u64::saturating_add);
    let by_count = items.len().div_ceil(limits.files_max.get()) as u64;
    let fewest = total.div_ceil(limits.bytes_max.max(1)).max(by_count).max(1);
    let target = total.div_ceil(fewest);
    let mut shards = Vec::new();
    let mut shard = Vec::new();
    let mut shard_cost = 0_u64;
    for item in items {
        let cost = cost_of(&item);
        let is_full = shard_cost >= target
            || shard.len() == limits.files_max.get()
            || shard_cost.saturating_add(cost) > limits.bytes_max;
        if is_full && !shard.is_empty() {
            shards.push(std::mem::take(&mut shard));
            shard_cost = 0;
        }
        shard_cost = shard_cost.saturating_add(cost);
        shard.push(item);
    }
    if !shard.is_empty() {
        shards.push(shard);
    }
    shards
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schemas::bundle::FileChange;
    use schemas::ids::ObjectId;

    use super::*;

    fn id(number: usize) -> ObjectId {
        ObjectId::try_from(format!("{number:040x}")).unwrap()
    }

    fn entries(sizes: &[u64]) -> Vec<Entry> {
        let entry = |(index, size): (usize, &u64)| Entry {
            path: format!("d{}/f{index:04}", index / 10),
            blob: id(index),
            size: *size,
        };
        let mut entries: Vec<Entry> = sizes.iter().enumerate().map(entry).collect();
        entries.sort();
        entries
    }

    fn limits(files_max: usize, bytes_max: u64) -> ShardLimits {
        ShardLimits { files_max: NonZero::new(files_max).unwrap(), bytes_max }
    }

    fn lengths<T>(shards: &[Vec<T>]) -> Vec<usize> {
        shards.iter().map(Vec::len).collect()
    }

    #[test]
    fn shards_are_as_few_as_possible_and_even() {
        assert_eq!(lengths(&split(Vec::new(), ShardLimits::default())), [0; 0]);
        assert_eq!(lengths(&split(entries(&[10; 200]), ShardLimits::default())), [200]);
        assert_eq!(lengths(&split(entries(&[10; 201]), ShardLimits::default())), [101, 100]);
        let half = 1024 * 1024 - FILE_COST;
        assert_eq!(lengths(&split(entries(&[half; 4]), ShardLimits::default())), [2, 2]);
        assert_eq!(lengths(&split(entries(&[half + 1; 4]), ShardLimits::default())), [1, 1, 1, 1]);
    }

    #[test]
    fn a_file_above_the_limit_is_alone() {
        let shards = split(entries(&[1, 5_000_000, 1]), ShardLimits::default());
        assert_eq!(lengths(&shards), [1, 1, 1]);
    }

    #[test]
    fn commits_with_many_changes_get_more_shards() {
        let commit = |number: usize, changes: usize| CommitFacts {
            sha: id(number),
            subject: "x".repeat(44),
            parents: 1,
            by_bot: false,
            on_default_branch: true,
            changes: vec![FileChange { path: "p".repeat(36), added: 1, removed: 1, renamed: false }; changes],
        };
        let few: Vec<_> = (0..10).map(|number| commit(number, 1)).collect();
        assert_eq!(lengths(&split_commits(few, limits(100, 4_000))), [10]);
        let many: Vec<_> = (0..10).map(|number| commit(number, 17)).collect();
        assert_eq!(lengths(&split_commits(many, limits(100, 4_000))), [2; 5]);
    }

    proptest! {
        #[test]
        fn every_file_is_in_one_shard_within_the_limits(
            sizes in proptest::collection::vec(0_u64..20_000, 0..300),
            files_max in 1_usize..50,
            bytes_max in 1_u64..100_000,
            seed in any::<u64>(),
        ) {
            let sorted = entries(&sizes);
            let mut shuffled = sorted.clone();
            let mut state = seed;
            for index in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                shuffled.swap(index, usize::try_from(state >> 33).unwrap() % (index + 1));
            }
            let shards = split(shuffled, limits(files_max, bytes_max));
            prop_assert_eq!(&split(sorted.clone(), limits(files_max, bytes_max)), &shards, "the order of input matters");
            for shard in &shards {
                let cost: u64 = shard.iter().map(|entry| entry.size + FILE_COST).sum();
                prop_assert!(!shard.is_empty() && shard.len() <= files_max);
                prop_assert!(cost <= bytes_max || shard.len() == 1);
            }
            prop_assert_eq!(shards.concat(), sorted, "neighbours were parted or files lost");
        }

        #[test]
        fn every_commit_is_in_one_shard(numbers in proptest::collection::hash_set(0_usize..10_000, 0..300), count in 1_usize..50) {
            let commit = |number: &usize| CommitFacts {
                sha: id(*number), subject: String::new(), parents: 1, by_bot: false, on_default_branch: true, changes: Vec::new(),
            };
            let commits: Vec<_> = numbers.iter().map(commit).collect();
            let shards = split_commits(commits, limits(count, u64::MAX));
            prop_assert!(shards.iter().all(|shard| (1..=count).contains(&shard.len())));
            let mut expected: Vec<_> = numbers.iter().map(|number| id(*number)).collect();
            expected.sort();
            prop_assert_eq!(shards.concat().into_iter().map(|commit| commit.sha).collect::<Vec<_>>(), expected);
        }
    }
}
