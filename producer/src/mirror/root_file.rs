//! Files at the root of a commit that say how the rest is to be read.

use git2::{ErrorClass, ObjectType};
use schemas::ids::ObjectId;

use super::listing::Entry;
use super::tree::{Leaf, TREE_BYTES_MAX};
use super::{Mirror, MirrorError, object_id};

/// A file at the root, or why it says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootFile {
    /// What it says.
    Text(Entry, String),
    /// It cannot be read.
    Unreadable {
        /// What is there instead; of something that is no file the size is 0.
        entry: Entry,
        /// Why, for people.
        why: String,
    },
}

impl Mirror {
    /// What is called `name` at the root of `commit`, if anything is.
    ///
    /// # Errors
    /// [`MirrorError::UnknownObject`], [`MirrorError::Broken`].
    pub fn root_file(&self, commit: &ObjectId, name: &str, bytes_max: u64) -> Result<Option<RootFile>, MirrorError> {
        let Some(leaf) = self.root_leaf(commit, name)? else { return Ok(None) };
        let blob = object_id(leaf.oid);
        let entry = |size| Entry { path: name.to_owned(), blob: blob.clone(), size };
        let not_a_file = match leaf.kind() {
            Leaf::SYMLINK => Some("a link, which is not followed"),
            Leaf::SUBMODULE => Some("another repository"),
            Leaf::DIRECTORY => Some("a folder"),
            _ => None,
        };
        if let Some(what) = not_a_file {
            return Ok(Some(RootFile::Unreadable { entry: entry(0), why: format!("`{name}` is {what}") }));
        }
        match self.read_blob(&blob, bytes_max) {
            Ok(bytes) => Ok(Some(match text(&bytes) {
                Some(text) => RootFile::Text(entry(bytes.len() as u64), text),
                None => {
                    let why = format!("`{name}` is not plain text in UTF-8");
                    RootFile::Unreadable { entry: entry(bytes.len() as u64), why }
                }
            })),
            Err(MirrorError::TooLarge { bytes, .. }) => {
                let why = format!("`{name}` has {bytes} bytes and was not read: use at most {bytes_max}");
                Ok(Some(RootFile::Unreadable { entry: entry(bytes), why }))
            }
            // A forged tree calls something else a file.
            Err(MirrorError::UnknownObject(_)) => {
                Ok(Some(RootFile::Unreadable { entry: entry(0), why: format!("`{name}` is no file") }))
            }
            Err(error) => Err(error),
        }
    }

    /// The text of the blob `blob`, of which [`Mirror::root_file`] gave it before.
    ///
    /// # Errors
    /// As [`Mirror::read_blob`].
    pub fn read_text(&self, blob: &ObjectId, bytes_max: u64) -> Result<String, MirrorError> {
        Ok(text(&self.read_blob(blob, bytes_max)?).unwrap_or_default())
    }

    fn root_leaf(&self, commit: &ObjectId, name: &str) -> Result<Option<Leaf>, MirrorError> {
        let root = self.tree_of(commit)?;
        let odb = self.repository.odb().map_err(|error| self.broken(error))?;
        let (bytes, kind) = odb.read_header(root).map_err(|error| self.broken(error))?;
        if kind != ObjectType::Tree || bytes > TREE_BYTES_MAX {
            return Ok(None);
        }
        match self.repository.find_tree(root) {
            // One by one: a forged tree is not sorted, and a search in it would miss what the listing has.
            Ok(tree) => Ok(tree
                .iter()
                .find(|entry| entry.name_bytes() == name.as_bytes())
                .map(|entry| Leaf { oid: entry.id(), mode: entry.filemode_raw() })),
            Err(error) if error.class() == ErrorClass::Tree => Ok(None),
            Err(error) => Err(self.broken(error)),
        }
    }
}

/// As rules read it too, without a byte order mark. In any other encoding, planner and rules might read different things,
/// and a setting would not hold without anybody being told.
fn text(bytes: &[u8]) -> Option<String> {
    let body = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = std::str::from_utf8(body).ok().filter(|text| !text.contains('\0'))?;
    Some(text.to_owned())
}
