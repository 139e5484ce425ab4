//! Planning: what an audit has to look at, what is known of it already, and how the rest is cut into shards.

use std::collections::{BTreeMap, BTreeSet};

use broker::store::plan::Extent;
use schemas::bundle::{CommitFacts, ConfigFile, Manifest, ManifestFile, Shard, SourceFile};
use schemas::catalogue::Catalogue;
use schemas::day::Day;
use schemas::ids::ObjectId;
use schemas::item::{Item, ItemResult, SkipReason};
use schemas::magic::{Input, Magic};
use schemas::partial::PartialResult;
use schemas::repository_config::CONFIG_BYTES_MAX;
use schemas::request::AuditRequest;

use crate::mirror::{COMMITS_PER_AUDIT_MAX, COMMITS_PER_PUSH_MAX, Entry, Listing, Mirror, MirrorError};
use crate::sharding::{ShardLimits, commit_cost, file_cost, split, split_commits};
use crate::tree;
use crate::wishes::Wishes;

/// What an audit has to look at.
#[derive(Debug, Clone)]
pub struct Survey {
    /// What is audited.
    pub commit: ObjectId,
    /// The commit since which changes are looked at; absent where everything is.
    pub since: Option<ObjectId>,
    /// Files to read, by path.
    pub files: Vec<Entry>,
    /// Files ruled out without reading them, with reasons.
    pub skipped: Vec<(Item, SkipReason)>,
    /// Commits to read, newest first, with whether each is on the default branch.
    pub commits: Vec<(ObjectId, bool)>,
    /// How the repository wants it to be looked at.
    pub wishes: Wishes,
    /// The day of the audit.
    pub day: Day,
}

impl Survey {
    /// The files and then the commits, as the result cache knows them.
    pub fn items(&self, input: Input) -> Vec<Item> {
        match input {
            Input::Files => self.files.iter().map(file_item).collect(),
            Input::History => self.commits.iter().map(|(sha, on_default)| commit_item(sha, *on_default)).collect(),
            Input::Results => Vec::new(),
        }
    }
}

impl Survey {
    /// What a worker is given: beside what to look at, the same in every shard.
    fn manifest(&self, files: Vec<ManifestFile>, commits: Vec<CommitFacts>) -> Manifest {
        Manifest { files, commits, tree: None, config: self.wishes.config.clone(), day: Some(self.day) }
    }

    /// The whole tree, as the result cache knows it.
    pub fn tree(&self) -> Item {
        Item::Tree { commit: self.commit.clone(), since: self.since.clone() }
    }
}

fn file_item(entry: &Entry) -> Item {
    Item::File { path: entry.path.clone(), blob: entry.blob.clone() }
}

fn commit_item(sha: &ObjectId, on_default_branch: bool) -> Item {
    Item::Commit { sha: sha.clone(), on_default_branch }
}

/// Looks up what `request` is about. A base that is not in the repository (any more) makes the audit a full one.
///
/// # Errors
/// If the revision is not in the repository, or the mirror is damaged.
pub fn survey(
    mirror: &Mirror,
    request: &AuditRequest,
    magics: &[Magic],
    catalogue: &Catalogue,
    day: Day,
) -> Result<Survey, MirrorError> {
    let commit = mirror.resolve(request.revision.as_ref())?;
    let base = tree::since(mirror, request.kind, request.base.as_ref());
    let reads = |input| magics.iter().any(|magic| magic.reads(input));
    let wishes = Wishes::read(mirror, &commit, catalogue)?;
    let mut listing = match base {
        _ if !reads(Input::Files) => Listing::default(),
        Some(base) => mirror.changed_files(base, &commit)?,
        None => mirror.files(&commit)?,
    };
    if reads(Input::Files) {
        wishes.apply(&mut listing);
    }
    let commits_max = if base.is_some() { COMMITS_PER_PUSH_MAX } else { COMMITS_PER_AUDIT_MAX };
    let commits = if reads(Input::History) { mirror.new_commits(base, &commit, commits_max)? } else { Vec::new() };
    let commits = commits.into_iter().map(|sha| {
        let on_default = mirror.on_default_branch(&sha);
        (sha, on_default)
    });
    let (since, commits, Listing { entries, skipped }) = (base.cloned(), commits.collect(), listing);
    Ok(Survey { commit, since, files: entries, skipped, commits, wishes, day })
}

/// Per magic and input: results known already, by index in [`Survey::items`] of that input.
pub type Cached = BTreeMap<(Magic, Input), BTreeMap<usize, ItemResult>>;

/// Magics that judge the whole tree, with what each said of this very tree before.
pub type Trees = BTreeMap<Magic, Option<ItemResult>>;

/// A shard before it is packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// What to read.
    pub manifest: Manifest,
    /// The magics to run over it.
    pub magics: Vec<Magic>,
    /// What one magic over it is predicted to cost, in bytes' worth of analysis.
    pub cost: u64,
}

/// What workers have to do, and what they need not do.
#[derive(Debug, Clone)]
pub struct Work {
    /// Shards for workers.
    pub cuts: Vec<Cut>,
    /// Magics that judge the whole tree after that.
    pub trees: Vec<Magic>,
    /// Per magic: what was known, and what was ruled out.
    pub known: BTreeMap<Magic, PartialResult>,
    /// How much is in `cuts`, and how much was known.
    pub extent: Extent,
}

/// Cuts what is not known into shards. Files that need the same magics go together, neighbours first.
///
/// # Errors
/// If a commit cannot be read.
pub fn arrange(
    mirror: &Mirror,
    survey: &Survey,
    cached: Cached,
    mut trees: Trees,
    magics: &BTreeSet<Magic>,
    limits: ShardLimits,
) -> Result<Work, MirrorError> {
    let mut cuts = Vec::new();
    let (files, files_cached) = missing(survey.files.len(), Input::Files, &cached, magics);
    for (magics, indexes) in files {
        let entries = indexes.iter().map(|&index| survey.files[index].clone()).collect();
        cuts.extend(split(entries, limits).into_iter().map(|entries| {
            let cost = entries.iter().map(file_cost).sum();
            Cut { manifest: survey.manifest(files_of(entries), Vec::new()), magics: magics.clone(), cost }
        }));
    }
    let (commits, commits_cached) = missing(survey.commits.len(), Input::History, &cached, magics);
    for (magics, indexes) in commits {
        let facts = indexes.iter().map(|&index| mirror.commit_facts(&survey.commits[index].0));
        let facts: Vec<CommitFacts> = facts.collect::<Result<_, _>>()?;
        for commits in split_commits(facts, limits) {
            let cost = commits.iter().map(commit_cost).sum();
            cuts.push(Cut { manifest: survey.manifest(Vec::new(), commits), magics: magics.clone(), cost });
        }
    }
    // Where no file is to be looked at there is nothing that a finding could be about.
    trees.retain(|_, _| !survey.files.is_empty());
    let unjudged = trees.iter().filter(|(_, known)| known.is_none()).map(|(magic, _)| *magic).collect();
    let mut known = known(survey, cached, magics);
    for (magic, partial) in &mut known {
        partial.items.extend(trees.get_mut(magic).and_then(Option::take));
    }
    let extent = Extent {
        files_analyzed: survey.files.len() - files_cached,
        files_cached,
        commits_analyzed: survey.commits.len() - commits_cached,
        commits_cached,
    };
    Ok(Work { cuts, trees: unjudged, known, extent })
}

/// Groups the items of one input by the magics that do not know them yet. Returns the groups and how many items none misses.
fn missing(
    count: usize,
    input: Input,
    cached: &Cached,
    magics: &BTreeSet<Magic>,
) -> (BTreeMap<Vec<Magic>, Vec<usize>>, usize) {
    let readers: Vec<Magic> = magics.iter().copied().filter(|magic| magic.reads(input)).collect();
    let mut groups: BTreeMap<Vec<Magic>, Vec<usize>> = BTreeMap::new();
    for index in 0..count {
        let knows = |magic: &Magic| cached.get(&(*magic, input)).is_some_and(|known| known.contains_key(&index));
        let magics: Vec<Magic> = readers.iter().copied().filter(|magic| !knows(magic)).collect();
        groups.entry(magics).or_default().push(index);
    }
    let known = groups.remove(&Vec::new()).map_or(0, |indexes| indexes.len());
    (groups, known)
}

fn files_of(entries: Vec<Entry>) -> Vec<ManifestFile> {
    entries.into_iter().map(|Entry { path, blob, size }| ManifestFile { path, blob, size }).collect()
}

/// The same manifest for the record: which commits and which configuration, without what they say. People write secrets into commit messages too,
/// and the record keeps none.
pub fn without_messages(manifest: &Manifest) -> Manifest {
    let bare = |commit: &CommitFacts| CommitFacts { subject: String::new(), changes: Vec::new(), ..commit.clone() };
    let config = manifest.config.as_ref().map(|config| ConfigFile { blob: config.blob.clone(), text: String::new() });
    let commits = manifest.commits.iter().map(bare).collect();
    Manifest { files: manifest.files.clone(), commits, tree: None, config, day: manifest.day }
}

/// The manifest as it was packed, from one that [`without_messages`] gave.
///
/// # Errors
/// If a commit cannot be read.
pub fn with_messages(mirror: &Mirror, manifest: Manifest) -> Result<Manifest, MirrorError> {
    let Manifest { files, commits, tree, config, day } = manifest;
    let commits = commits.into_iter().map(|known| {
        let CommitFacts { subject, changes, .. } = mirror.commit_facts(&known.sha)?;
        Ok(CommitFacts { subject, changes, ..known })
    });
    let commits = commits.collect::<Result<_, MirrorError>>()?;
    let restored = |ConfigFile { blob, .. }| {
        let text = mirror.read_text(&blob, CONFIG_BYTES_MAX as u64)?;
        Ok::<_, MirrorError>(ConfigFile { blob, text })
    };
    let config = config.map(restored).transpose()?;
    Ok(Manifest { files, commits, tree, config, day })
}

/// The planner's own result for each magic: what the cache gave of each input, and what was ruled out.
fn known(survey: &Survey, mut cached: Cached, magics: &BTreeSet<Magic>) -> BTreeMap<Magic, PartialResult> {
    let mut of_magic = |magic: Magic| {
        let caches = magic.inputs().iter().filter_map(|input| cached.remove(&(magic, *input)));
        let mut items: Vec<ItemResult> = caches.flat_map(BTreeMap::into_values).collect();
        if magic.reads(Input::Files) {
            items.extend(survey.skipped.iter().map(|(item, reason)| ItemResult::skipped(item.clone(), *reason)));
        }
        if magic == Magic::Integrity {
            items.extend_from_slice(survey.wishes.findings());
        }
        PartialResult { items, ..PartialResult::default() }
    };
    magics.iter().map(|magic| (*magic, of_magic(*magic))).collect()
}

/// Reads what a manifest names, without packing it: for audits in one process.
///
/// # Errors
/// If a blob cannot be read.
pub fn load(mirror: &Mirror, manifest: &Manifest) -> Result<Shard, MirrorError> {
    let files = manifest.files.iter().map(|file| {
        let bytes = mirror.read_blob(&file.blob, schemas::bundle::FILE_BYTES_MAX)?;
        Ok(SourceFile { path: file.path.clone(), blob: file.blob.clone(), bytes })
    });
    let commits = manifest.commits.clone();
    let (tree, config) = (manifest.tree.clone(), manifest.config.clone());
    Ok(Shard { files: files.collect::<Result<_, MirrorError>>()?, commits, tree, config, day: manifest.day })
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::item::Units;

    fn file(index: usize) -> Item {
        Item::File { path: format!("{index}.rs"), blob: format!("{index:040x}").parse().unwrap() }
    }

    fn commit(index: usize) -> Item {
        Item::Commit { sha: format!("{index:040x}").parse().unwrap(), on_default_branch: true }
    }

    fn results(item: fn(usize) -> Item, indexes: &[usize]) -> BTreeMap<usize, ItemResult> {
        let result = |index| ItemResult::examined(item(index), Units::default());
        indexes.iter().map(|&index| (index, result(index))).collect()
    }

    #[test]
    fn files_are_grouped_by_the_magics_that_do_not_know_them() {
        let cached = Cached::from([
            ((Magic::Integrity, Input::Files), results(file, &[0, 1])),
            ((Magic::Tdd, Input::Files), results(file, &[1, 2])),
        ]);
        let magics = BTreeSet::from([Magic::Integrity, Magic::Tdd, Magic::Git]);
        let (groups, known) = missing(4, Input::Files, &cached, &magics);
        let expected = [
            (vec![Magic::Integrity], vec![2]),
            (vec![Magic::Integrity, Magic::Tdd], vec![3]),
            (vec![Magic::Tdd], vec![0]),
        ];
        assert_eq!(groups, BTreeMap::from(expected));
        assert_eq!(known, 1, "only the second is known to both");
    }

    #[test]
    fn commits_are_nobodys_business_where_no_magic_reads_history() {
        let (groups, known) = missing(3, Input::History, &Cached::new(), &BTreeSet::from([Magic::Integrity]));
        assert_eq!((groups, known), (BTreeMap::new(), 3));
    }

    #[test]
    fn what_a_magic_knows_of_its_files_says_nothing_of_its_commits() {
        let cached = Cached::from([
            ((Magic::Integrity, Input::Files), results(file, &[0, 1])),
            ((Magic::Integrity, Input::History), results(commit, &[2])),
        ]);
        let magics = BTreeSet::from([Magic::Integrity]);
        let (groups, known) = missing(3, Input::Files, &cached, &magics);
        assert_eq!((groups, known), (BTreeMap::from([(vec![Magic::Integrity], vec![2])]), 2));
    }

    #[test]
    fn what_was_known_and_what_was_ruled_out_is_the_planners_own_result() {
        let cached = Cached::from([((Magic::Flow, Input::Files), results(file, &[0, 1]))]);
        let survey = Survey {
            since: None,
            commit: "1".repeat(40).parse().unwrap(),
            files: Vec::new(),
            skipped: vec![(file(9), SkipReason::Vendored)],
            commits: Vec::new(),
            wishes: Wishes::none(),
            day: "2026-11-25".parse().unwrap(),
        };
        let items = known(&survey, cached, &BTreeSet::from([Magic::Flow])).remove(&Magic::Flow).unwrap().items;
        let items: Vec<Item> = items.into_iter().map(|result| result.item).collect();
        assert_eq!(items, [file(0), file(1), file(9)]);
    }
}
