//! Which files a commit has, and which of them an audit leaves out.

use git2::{ErrorCode, ObjectType, Odb, Oid};
use schemas::bundle::FILE_BYTES_MAX;
use schemas::ids::ObjectId;
use schemas::item::{Item, SkipReason};

use super::tree::{self, Leaf, Purpose, Seen};
use super::{Mirror, MirrorError, object_id, paths};

/// One file of a commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// Path from the root of the repository, with `/`; control characters and bytes that are not UTF-8 as `%XX`.
    pub path: String,
    /// The git blob that holds its bytes.
    pub blob: ObjectId,
    /// Size in bytes.
    pub size: u64,
}

/// The files of a commit, or those that changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// What to examine, by path.
    pub entries: Vec<Entry>,
    /// What not to examine and why, by path. A whole directory is one item whose path ends with `/` and whose object is its
    /// tree; the root is `/`. With [`SkipReason::OverLimit`] it stands for everything that was not reached, too.
    pub skipped: Vec<(Item, SkipReason)>,
}

impl Mirror {
    /// Lists the files of `commit`. Sizes come from the objects' headers; nothing is inflated.
    ///
    /// # Errors
    /// [`MirrorError::UnknownObject`], [`MirrorError::Broken`].
    pub fn files(&self, commit: &ObjectId) -> Result<Listing, MirrorError> {
        self.list(None, commit)
    }

    /// Lists the files of `commit` that `base` has not, or has with other bytes. Both trees are compared by their ids, so
    /// this costs as much as the change is large.
    ///
    /// # Errors
    /// [`MirrorError::UnknownObject`], [`MirrorError::Broken`].
    pub fn changed_files(&self, base: &ObjectId, commit: &ObjectId) -> Result<Listing, MirrorError> {
        self.list(Some(base), commit)
    }

    fn list(&self, base: Option<&ObjectId>, commit: &ObjectId) -> Result<Listing, MirrorError> {
        let old = base.map(|base| self.tree_of(base)).transpose()?;
        let new = self.tree_of(commit)?;
        let mut listing = Listing::default();
        let odb = self.repository.odb().map_err(|error| self.broken(error))?;
        let walked = tree::compare(&self.repository, Purpose::Listing, old, new, |seen| {
            match seen {
                Seen::Closed { path, oid, why } => listing.skip(path, oid, why),
                Seen::Leaf { path, old, new: Some(new) } if !has_same_content(old, new) => {
                    listing.add(&odb, path, new)?;
                }
                Seen::Leaf { .. } => {}
            }
            Ok(())
        });
        walked.map_err(|error| self.broken(error))?;
        listing.entries.sort();
        listing.entries.dedup();
        listing.skipped.sort();
        Ok(listing)
    }
}

impl Listing {
    fn add(&mut self, odb: &Odb<'_>, path: &[u8], leaf: Leaf) -> Result<(), git2::Error> {
        match leaf.kind() {
            Leaf::SYMLINK => self.skip(path, leaf.oid, SkipReason::Symlink),
            Leaf::SUBMODULE => self.skip(path, leaf.oid, SkipReason::Submodule),
            _ if paths::is_lock_file(path) => self.skip(path, leaf.oid, SkipReason::LockFile),
            _ => match odb.read_header(leaf.oid)? {
                (size, ObjectType::Blob) if size as u64 > FILE_BYTES_MAX => {
                    self.skip(path, leaf.oid, SkipReason::TooLarge);
                }
                (size, ObjectType::Blob) => {
                    let (path, blob) = (paths::percent_form(path), object_id(leaf.oid));
                    self.entries.push(Entry { path, blob, size: size as u64 });
                }
                // A forged tree calls something else a file.
                _ => self.skip(path, leaf.oid, SkipReason::AnalyzerFailed),
            },
        }
        Ok(())
    }

    fn skip(&mut self, path: &[u8], oid: Oid, why: SkipReason) {
        self.skipped.push((Item::File { path: paths::percent_form(path), blob: object_id(oid) }, why));
    }
}

impl Mirror {
    /// The root tree of a commit.
    pub(super) fn tree_of(&self, commit: &ObjectId) -> Result<Oid, MirrorError> {
        let oid = super::resolve::oid(commit)?;
        Ok(self.raw_commit(oid)?.tree)
    }

    /// Reads a commit, whatever its dates and names look like.
    pub(super) fn raw_commit(&self, oid: Oid) -> Result<super::commits::RawCommit, MirrorError> {
        let unknown = || MirrorError::UnknownObject(object_id(oid));
        let odb = self.repository.odb().map_err(|error| self.broken(error))?;
        match odb.read(oid) {
            Ok(object) if object.kind() == ObjectType::Commit => {
                super::commits::RawCommit::parse(object.data()).ok_or_else(unknown)
            }
            Ok(_) => Err(unknown()),
            Err(error) if error.code() == ErrorCode::NotFound => Err(unknown()),
            Err(error) => Err(self.broken(error)),
        }
    }
}

/// Whether only permissions differ.
fn has_same_content(old: Option<Leaf>, new: Leaf) -> bool {
    old.is_some_and(|old| old.oid == new.oid && old.kind() == new.kind())
}
