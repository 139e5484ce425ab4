//! Some items of a shard: files first, then commits, in the manifest's order.

use schemas::bundle::Shard;
use schemas::task::ItemRange;

/// A range that is not in the bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the task asks for {} items from item {} on, and the bundle has {items}", .range.count, .range.first)]
pub(crate) struct OutOfRange {
    range: ItemRange,
    items: usize,
}

/// Only those items of `shard`.
pub(crate) fn select(mut shard: Shard, range: ItemRange) -> Result<Shard, OutOfRange> {
    let (files, items) = (shard.files.len(), shard.files.len() + shard.commits.len());
    let wide = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let (first, end) = (wide(range.first), wide(range.first).saturating_add(wide(range.count)));
    if range.count == 0 || end > items {
        return Err(OutOfRange { range, items });
    }
    let (first_commit, end_commit) = (first.saturating_sub(files), end.saturating_sub(files));
    shard.files = shard.files.drain(first.min(files)..end.min(files)).collect();
    shard.commits = shard.commits.drain(first_commit..end_commit).collect();
    Ok(shard)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schemas::bundle::{CommitFacts, SourceFile};

    use super::*;

    fn shard(files: usize, commits: usize) -> Shard {
        let id = |number: usize| format!("{number:040x}").parse().unwrap();
        let file = |number| SourceFile { path: format!("{number}.py"), blob: id(number), bytes: vec![7; number] };
        let commit = |number| CommitFacts {
            sha: id(number),
            subject: format!("Commit {number}"),
            parents: 1,
            by_bot: false,
            on_default_branch: true,
            changes: Vec::new(),
        };
        Shard { files: (0..files).map(file).collect(), commits: (0..commits).map(commit).collect(), ..Shard::default() }
    }

    proptest! {
        /// However a shard is cut, its parts together are the whole, in order.
        #[test]
        fn parts_add_up_to_the_whole(files in 0..9_usize, commits in 0..9_usize, part in 1..6_u32) {
            let whole = shard(files, commits);
            let items = u32::try_from(files + commits).unwrap();
            let mut sum = Shard::default();
            for first in (0..items).step_by(usize::try_from(part).unwrap()) {
                let count = part.min(items - first);
                let part = select(whole.clone(), ItemRange { first, count }).unwrap();
                prop_assert_eq!(part.files.len() + part.commits.len(), usize::try_from(count).unwrap());
                sum.files.extend(part.files);
                sum.commits.extend(part.commits);
            }
            prop_assert_eq!(sum, whole);
        }

        #[test]
        fn what_is_not_there_is_refused(files in 0..5_usize, commits in 0..5_usize, first: u32, count: u32) {
            let items = files + commits;
            let range = ItemRange { first, count };
            let is_inside = count > 0 && u64::from(first) + u64::from(count) <= items as u64;
            match select(shard(files, commits), range) {
                Ok(_) => prop_assert!(is_inside),
                Err(error) => {
                    let says_why = error.to_string().ends_with(&format!("the bundle has {items}"));
                    prop_assert!(!is_inside && says_why);
                }
            }
        }
    }
}
