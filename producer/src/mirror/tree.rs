//! Compares two trees without recursion and within limits: the one way in which trees are read here.

use git2::{ErrorClass, ObjectType, Odb, Oid, Repository};
use schemas::item::SkipReason;

use super::paths;

/// Most tree entries looked at in one walk. The largest public monorepos have about as many files; twelve objects can
/// claim to have a billion.
pub const ENTRIES_MAX: usize = 200_000;

/// Deepest directory that is entered. Java's longest package paths are at about 20.
pub const TREE_DEPTH_MAX: usize = 128;

/// Largest tree object that is read, in bytes: room for [`ENTRIES_MAX`] entries with names of a hundred bytes.
pub const TREE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Longest path that is taken, in bytes: what Linux itself can open.
pub const PATH_BYTES_MAX: usize = 4_096;

/// What an entry of a tree that is not a directory points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) oid: Oid,
    pub(super) mode: i32,
}

impl Leaf {
    pub(super) const SYMLINK: i32 = 0o120_000;
    pub(super) const SUBMODULE: i32 = 0o160_000;
    pub(super) const DIRECTORY: i32 = 0o040_000;
    const KIND_BITS: i32 = 0o170_000;

    /// The mode without permissions.
    pub(super) fn kind(self) -> i32 {
        self.mode & Self::KIND_BITS
    }

    fn is_directory(self) -> bool {
        self.kind() == Self::DIRECTORY
    }
}

/// What a walk comes across.
#[derive(Debug)]
pub(super) enum Seen<'a> {
    /// A file, link or submodule that differs: added without `old`, removed without `new`.
    Leaf { path: &'a [u8], old: Option<Leaf>, new: Option<Leaf> },
    /// Something of the new tree that is not looked into; of a directory, or of what follows from here on.
    Closed { path: &'a [u8], oid: Oid, why: SkipReason },
}

/// What a walk is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To list what is there now: other people's directories and removals are left out.
    Listing,
    /// To tell what somebody changed.
    History,
}

/// Two directories at the same path, of which at least one exists.
struct Pair {
    path: Vec<u8>,
    depth: usize,
    old: Option<Oid>,
    new: Option<Oid>,
}

type Entries = Vec<(Vec<u8>, Leaf)>;

struct Walk<'a> {
    repository: &'a Repository,
    odb: Odb<'a>,
    purpose: Purpose,
    entries_left: usize,
    to_visit: Vec<Pair>,
}

/// Tells `visit` of everything by which the tree `new` differs from the tree `old`.
///
/// # Errors
/// If an object cannot be read. One that can, but is no sensible tree, is seen as closed.
pub(super) fn compare(
    repository: &Repository,
    purpose: Purpose,
    old: Option<Oid>,
    new: Oid,
    mut visit: impl FnMut(Seen<'_>) -> Result<(), git2::Error>,
) -> Result<(), git2::Error> {
    if old == Some(new) {
        return Ok(());
    }
    let root = Pair { path: Vec::new(), depth: 0, old, new: Some(new) };
    let mut walk =
        Walk { repository, odb: repository.odb()?, purpose, entries_left: ENTRIES_MAX, to_visit: vec![root] };
    while let Some(pair) = walk.to_visit.pop() {
        walk.pair(&pair, &mut visit)?;
    }
    Ok(())
}

impl Walk<'_> {
    fn pair(
        &mut self,
        pair: &Pair,
        visit: &mut impl FnMut(Seen<'_>) -> Result<(), git2::Error>,
    ) -> Result<(), git2::Error> {
        let (mut old, old_rest) = self.entries(pair.old)?;
        let (mut new, new_rest) = self.entries(pair.new)?;
        if new_rest.is_some() {
            // What was not read must not look removed.
            old.retain(|(name, _)| new.binary_search_by(|(other, _)| other.cmp(name)).is_ok());
        }
        if old_rest == Some(SkipReason::OverLimit) {
            // What was not read must not look added.
            new.clear();
        }
        let first_child = self.to_visit.len();
        for (name, old, new) in paired(old, new) {
            if old != new {
                self.difference(pair, &name, old, new, visit)?;
            }
        }
        if let Some((oid, why)) = pair.new.zip(new_rest.or(old_rest)) {
            visit(Seen::Closed { path: &directory(&pair.path), oid, why })?;
        }
        if self.entries_left == 0 && new_rest.or(old_rest).is_some() {
            self.to_visit.clear();
        } else {
            // The last one pushed is visited first: turned round, the walk goes down in order of names.
            self.to_visit[first_child..].reverse();
        }
        Ok(())
    }

    fn difference(
        &mut self,
        parent: &Pair,
        name: &[u8],
        old: Option<Leaf>,
        new: Option<Leaf>,
        visit: &mut impl FnMut(Seen<'_>) -> Result<(), git2::Error>,
    ) -> Result<(), git2::Error> {
        let path = joined(&parent.path, name);
        if path.len() > PATH_BYTES_MAX {
            return match new {
                Some(leaf) => {
                    visit(Seen::Closed { path: &path[..PATH_BYTES_MAX], oid: leaf.oid, why: SkipReason::OverLimit })
                }
                None => Ok(()),
            };
        }
        let leaf_of = |side: Option<Leaf>| side.filter(|leaf| !leaf.is_directory());
        if leaf_of(old).is_some() || leaf_of(new).is_some() {
            visit(Seen::Leaf { path: &path, old: leaf_of(old), new: leaf_of(new) })?;
        }
        let directory_of = |side: Option<Leaf>| side.filter(|leaf| leaf.is_directory()).map(|leaf| leaf.oid);
        let child = Pair { path, depth: parent.depth + 1, old: directory_of(old), new: directory_of(new) };
        let lists = self.purpose == Purpose::Listing;
        match (child.old, child.new) {
            (_, Some(oid)) if lists && paths::is_vendored(name) => {
                visit(Seen::Closed { path: &directory(&child.path), oid, why: SkipReason::Vendored })
            }
            (_, Some(oid)) if child.depth > TREE_DEPTH_MAX => {
                visit(Seen::Closed { path: &directory(&child.path), oid, why: SkipReason::OverLimit })
            }
            (None, None) => Ok(()),
            (Some(_), None) if lists || child.depth > TREE_DEPTH_MAX => Ok(()),
            (_, Some(_)) | (Some(_), None) => {
                self.to_visit.push(child);
                Ok(())
            }
        }
    }

    /// The entries of a tree, sorted by name; and why they are not all, if they are not.
    fn entries(&mut self, tree: Option<Oid>) -> Result<(Entries, Option<SkipReason>), git2::Error> {
        let Some(oid) = tree else { return Ok((Entries::new(), None)) };
        let (bytes, kind) = self.odb.read_header(oid)?;
        if kind != ObjectType::Tree {
            return Ok((Entries::new(), Some(SkipReason::AnalyzerFailed)));
        }
        if bytes > TREE_BYTES_MAX {
            return Ok((Entries::new(), Some(SkipReason::OverLimit)));
        }
        let tree = match self.repository.find_tree(oid) {
            Ok(tree) => tree,
            Err(error) if error.class() == ErrorClass::Tree => {
                return Ok((Entries::new(), Some(SkipReason::AnalyzerFailed)));
            }
            Err(error) => return Err(error),
        };
        let rest = (tree.len() > self.entries_left).then_some(SkipReason::OverLimit);
        let leaf = |entry: &git2::TreeEntry<'_>| Leaf { oid: entry.id(), mode: entry.filemode_raw() };
        let read = tree.iter().take(self.entries_left);
        let mut entries: Entries = read.map(|entry| (entry.name_bytes().to_vec(), leaf(&entry))).collect();
        self.entries_left -= entries.len();
        // Git sorts directories as if they ended with a slash, and a forged tree as it likes.
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok((entries, rest))
    }
}

/// Both sides by name. Of entries with the same name, which only a forged tree has, each is kept.
fn paired(old: Entries, new: Entries) -> Vec<(Vec<u8>, Option<Leaf>, Option<Leaf>)> {
    let mut pairs = Vec::with_capacity(new.len());
    let mut old = old.into_iter().peekable();
    for (name, leaf) in new {
        while let Some((gone, old_leaf)) = old.next_if(|(old_name, _)| *old_name < name) {
            pairs.push((gone, Some(old_leaf), None));
        }
        let same = old.next_if(|(old_name, _)| *old_name == name).map(|(_, old_leaf)| old_leaf);
        pairs.push((name, same, Some(leaf)));
    }
    pairs.extend(old.map(|(gone, leaf)| (gone, Some(leaf), None)));
    pairs
}

fn joined(directory: &[u8], name: &[u8]) -> Vec<u8> {
    if directory.is_empty() { name.to_vec() } else { [directory, b"/", name].concat() }
}

/// How a directory is shown among files.
fn directory(path: &[u8]) -> Vec<u8> {
    [path, b"/"].concat()
}
