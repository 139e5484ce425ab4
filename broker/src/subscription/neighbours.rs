//! Tasks over one shard lie side by side in the queue, and who takes them together reads the shard once.

use std::collections::BTreeMap;

use schemas::ids::AuditId;
use schemas::magic::Magic;
use schemas::task::TaskKey;

/// Tasks that a batch may be lengthened by: those of one shard, but for the one that is there.
const MISSING_MAX: usize = Magic::ALL.len() - 1;

/// How many tasks of the batch's last shard are left in the queue, as far as can be told from the batch: as many as make it
/// equal to the largest shard of the same audit in it.
pub(crate) fn missing(batch: &[TaskKey]) -> usize {
    let mut counts: BTreeMap<(AuditId, u32), usize> = BTreeMap::new();
    for key in batch {
        *counts.entry((key.audit, key.shard)).or_default() += 1;
    }
    let Some(last) = batch.last() else { return 0 };
    let of_audit = counts.iter().filter(|((audit, _), _)| *audit == last.audit);
    let largest = of_audit.map(|(_, count)| *count).max().unwrap_or_default();
    largest.saturating_sub(counts[&(last.audit, last.shard)]).min(MISSING_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(audit: AuditId, shards: &[u32]) -> Vec<TaskKey> {
        let key = |&shard| TaskKey { magic: Magic::Tdd, project: "shop".parse().unwrap(), audit, shard };
        shards.iter().map(key).collect()
    }

    #[test]
    fn the_last_shard_is_made_as_large_as_the_largest_of_its_audit() {
        let audit = AuditId::random();
        let missing_of = |shards: &[u32]| missing(&keys(audit, shards));
        assert_eq!(missing_of(&[]), 0);
        assert_eq!(missing_of(&[1]), 0, "nothing is known of shards");
        assert_eq!(missing_of(&[1, 1, 1, 2]), 2);
        assert_eq!(missing_of(&[1, 1, 1, 2, 2, 2]), 0);
        assert_eq!(missing_of(&[1, 2, 2, 2, 3, 3]), 1, "the first was begun by another batch");
        assert_eq!(missing_of(&[[1; 30].as_slice(), &[2]].concat()), MISSING_MAX);
    }

    #[test]
    fn audits_may_differ() {
        let batch = [keys(AuditId::random(), &[1, 1, 1]), keys(AuditId::random(), &[1, 1, 2])].concat();
        assert_eq!(missing(&batch), 1);
    }
}
