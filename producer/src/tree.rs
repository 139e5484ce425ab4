//! The tree that rules over a whole repository are given: every path of a commit, and the facts of its files.

use std::collections::{BTreeMap, BTreeSet};

use schemas::facts::{Facts, FileFacts, Tree};
use schemas::ids::ObjectId;
use schemas::item::{Item, SkipReason};
use schemas::request::AuditKind;

use crate::mirror::{Entry, Listing, Mirror, MirrorError};
use crate::wishes::Wishes;

/// A tree of which no file has told anything yet.
#[derive(Debug, Clone)]
pub struct Listed {
    commit: ObjectId,
    since: Option<ObjectId>,
    changed: Option<BTreeSet<String>>,
    all: Listing,
}

/// The commit that an audit looks back to. One that is not in the repository (any more) makes it an audit of everything.
pub(crate) fn since<'b>(mirror: &Mirror, kind: AuditKind, base: Option<&'b ObjectId>) -> Option<&'b ObjectId> {
    base.filter(|base| kind == AuditKind::Incremental && mirror.contains(base))
}

/// Lists the tree of `commit` without what the repository leaves out, and what of it changed since another commit where only that is asked for.
///
/// # Errors
/// If the commit is not in the repository, or the mirror is damaged.
pub fn list(
    mirror: &Mirror,
    commit: &ObjectId,
    since: Option<&ObjectId>,
    wishes: &Wishes,
) -> Result<Listed, MirrorError> {
    let paths = |listing: Listing| listing.entries.into_iter().map(|entry| entry.path).collect();
    let changed = since.map(|since| mirror.changed_files(since, commit).map(paths)).transpose()?;
    let mut all = mirror.files(commit)?;
    wishes.apply(&mut all);
    Ok(Listed { commit: commit.clone(), since: since.cloned(), changed, all })
}

impl Listed {
    /// The files that have something to tell, as the result cache knows them.
    pub fn items(&self) -> Vec<Item> {
        let file = |Entry { path, blob, .. }: &Entry| Item::File { path: path.clone(), blob: blob.clone() };
        self.all.entries.iter().map(file).collect()
    }

    /// The tree with what is known of its files, by index in [`Listed::items`].
    pub fn with_facts(self, mut known: BTreeMap<usize, Facts>) -> Tree {
        let examined = (0..self.all.entries.len()).filter(|index| known.contains_key(index)).count();
        let gap = self.gap(examined);
        let files = self.all.entries.iter().enumerate().filter_map(|(index, entry)| {
            let facts = known.remove(&index).filter(|facts| gap.is_none() && !facts.is_empty())?;
            Some(FileFacts { path: entry.path.clone(), facts })
        });
        let files = files.collect();
        let paths = self.paths();
        Tree { commit: self.commit, since: self.since, changed: self.changed, paths, files, gap }
    }

    /// The tree without any facts, because of `gap`.
    pub fn without_facts(self, gap: String) -> Tree {
        Tree { gap: Some(gap), ..self.with_facts(BTreeMap::new()) }
    }

    fn paths(&self) -> BTreeSet<String> {
        let entries = self.all.entries.iter().map(|entry| entry.path.clone());
        entries.chain(self.all.skipped.iter().map(|(item, _)| item.name().to_owned())).collect()
    }

    fn gap(&self, examined: usize) -> Option<String> {
        let files = self.all.entries.len();
        if self
            .all
            .skipped
            .iter()
            .any(|(_, reason)| matches!(reason, SkipReason::OverLimit | SkipReason::AnalyzerFailed))
        {
            return Some("not all of its files could be listed".to_owned());
        }
        (examined < files).then(|| format!("{} of {files} files were not examined under these rules", files - examined))
    }
}

#[cfg(test)]
mod tests {
    use schemas::facts::{Repeated, Spot};

    use super::*;

    fn id(number: usize) -> ObjectId {
        format!("{number:040x}").parse().unwrap()
    }

    fn listed(files: usize, skipped: &[(&str, SkipReason)]) -> Listed {
        let entry = |number| Entry { path: format!("{number}.rs"), blob: id(number), size: 1 };
        let skip = |(path, reason): &(&str, _)| (Item::File { path: (*path).to_owned(), blob: id(9) }, *reason);
        let all = Listing { entries: (0..files).map(entry).collect(), skipped: skipped.iter().map(skip).collect() };
        Listed { commit: id(1), since: None, changed: None, all }
    }

    fn telling() -> Facts {
        let spot = Spot { line: 1, column: 1, end_line: 1, end_column: 2, snippet: "x".to_owned() };
        Facts { coverage_exclusions: Some(Repeated { count: 1, first: spot }), ..Facts::default() }
    }

    #[test]
    fn what_tells_nothing_is_known_all_the_same() {
        let known = BTreeMap::from([(0, Facts::default()), (1, telling())]);
        let tree = listed(2, &[("a.lock", SkipReason::LockFile)]).with_facts(known);
        assert_eq!(tree.gap, None);
        assert_eq!(tree.files, [FileFacts { path: "1.rs".to_owned(), facts: telling() }]);
        assert_eq!(Vec::from_iter(&tree.paths), ["0.rs", "1.rs", "a.lock"]);
    }

    #[test]
    fn a_tree_of_which_something_is_unknown_has_no_facts_at_all() {
        let tree = listed(3, &[]).with_facts(BTreeMap::from([(1, telling())]));
        assert_eq!(tree.gap.as_deref(), Some("2 of 3 files were not examined under these rules"));
        assert_eq!(tree.files, []);
        let tree = listed(1, &[("/", SkipReason::OverLimit)]).with_facts(BTreeMap::from([(0, telling())]));
        assert_eq!((tree.gap.is_some(), tree.files.len()), (true, 0));
    }
}
