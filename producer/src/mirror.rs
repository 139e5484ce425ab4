//! Bare copies of the repositories that are audited: fetched once per push, read as objects, never checked out.
//!
//! ```text
//! RepositoryUrl ──► Mirrors::fetch ──► Mirror ──► resolve ──► files, changed_files, new_commits ──► read_blob
//! ```
//! Everything here blocks. What a repository says is data: no path of it is opened, no program of it is run.

mod changes;
mod commits;
mod error;
mod fetch;
mod gate;
mod listing;
mod paths;
mod remote;
mod resolve;
mod root_file;
mod tree;

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::{ObjectType, Oid, Repository};
use schemas::ids::ObjectId;
use uuid::Uuid;

pub use self::commits::{COMMIT_CHANGES_MAX, COMMITS_PER_AUDIT_MAX, COMMITS_PER_PUSH_MAX};
pub use self::error::{GitError, MirrorError, Verdict};
pub use self::fetch::{Limits, OBJECTS_MAX, PACK_BYTES_MAX, REFS_MAX, STALL_MAX, TIME_MAX};
pub use self::listing::{Entry, Listing};
pub use self::root_file::RootFile;
pub use self::tree::{ENTRIES_MAX, PATH_BYTES_MAX, TREE_BYTES_MAX, TREE_DEPTH_MAX};
use crate::repository_url::{Access, RepositoryUrl};

/// A file of this name in a mirror says that an object in it could not be read: the next fetch clones it again.
const BROKEN_MARK: &str = "elder-broken";

/// What a mirror may log in with. Over https there is nothing: only public repositories are fetched that way.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// A private key without a passphrase; absent, the ssh agent is asked.
    pub ssh_key: Option<PathBuf>,
}

/// The mirrors of one machine: one bare repository per project in one directory.
#[derive(Debug, Clone)]
pub struct Mirrors {
    root: PathBuf,
    access: Access,
    credentials: Credentials,
    limits: Limits,
    /// How to speak TLS, where it is not as this machine does.
    tls: Option<Arc<rustls::ClientConfig>>,
}

impl Mirrors {
    /// Opens the directory `root`, making it for this user alone if there is none.
    ///
    /// # Errors
    /// [`MirrorError::Disk`] if it cannot be made.
    pub fn open(root: &Path, access: Access, credentials: Credentials) -> Result<Self, MirrorError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(root).and_then(|()| root.canonicalize());
        let root = made.map_err(|source| MirrorError::Disk { path: root.to_owned(), source })?;
        Ok(Self { root, access, credentials, limits: Limits::default(), tls: None })
    }

    /// The same mirrors, fetched within other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Brings the mirror of `project` up to date with `url`, and opens it. Where the `wanted` commit is on one of its
    /// branches or tags already, nothing is fetched. A mirror that is damaged, or of another address, is cloned again.
    ///
    /// Blocks for up to [`Limits::time_max`], waiting for another fetch of the same project included.
    ///
    /// # Errors
    /// See [`MirrorError`]; [`MirrorError::verdict`] says whether to try again.
    pub fn fetch(&self, project: Uuid, url: &RepositoryUrl, wanted: Option<&ObjectId>) -> Result<Mirror, MirrorError> {
        fetch::fetch(self, project, url, wanted)
    }

    fn path_of(&self, project: Uuid, suffix: &str) -> PathBuf {
        self.root.join(format!("{}.{suffix}", project.simple()))
    }
}

/// One bare repository, as the last fetch left it. Reading it needs no network.
pub struct Mirror {
    repository: Repository,
    /// Commits known to be on the default branch, so that asking about their parents costs nothing.
    on_default: RefCell<HashSet<Oid>>,
}

impl fmt::Debug for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirror").field("path", &self.repository.path()).finish_non_exhaustive()
    }
}

impl Mirror {
    fn new(repository: Repository) -> Self {
        Self { repository, on_default: RefCell::new(HashSet::new()) }
    }

    /// Reads the blob `blob`, of at most `bytes_max` bytes; what is larger is never inflated.
    ///
    /// # Errors
    /// [`MirrorError::TooLarge`], [`MirrorError::UnknownObject`] if it is not a blob of this repository.
    pub fn read_blob(&self, blob: &ObjectId, bytes_max: u64) -> Result<Vec<u8>, MirrorError> {
        let oid = resolve::oid(blob)?;
        let odb = self.repository.odb().map_err(|error| self.broken(error))?;
        match odb.read_header(oid) {
            Ok((size, ObjectType::Blob)) if size as u64 > bytes_max => {
                Err(MirrorError::TooLarge { object: blob.clone(), bytes: size as u64, bytes_max })
            }
            Ok((_, ObjectType::Blob)) => {
                odb.read(oid).map(|object| object.data().to_vec()).map_err(|error| self.broken(error))
            }
            Ok(_) => Err(MirrorError::UnknownObject(blob.clone())),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Err(MirrorError::UnknownObject(blob.clone())),
            Err(error) => Err(self.broken(error)),
        }
    }

    /// Reports an object that should be readable and is not, and sees to it that the next fetch clones the mirror again.
    fn broken(&self, error: git2::Error) -> MirrorError {
        let mark = self.repository.path().join(BROKEN_MARK);
        if let Err(disk) = std::fs::write(&mark, b"") {
            tracing::warn!(path = %mark.display(), error = %disk, "cannot mark a damaged mirror");
        }
        MirrorError::Broken { source: error.into() }
    }
}

/// The id as the rest of the program writes it.
fn object_id(oid: Oid) -> ObjectId {
    ObjectId::try_from(oid.to_string()).expect("git2 writes an id as 40 lower-case hex digits")
}

#[cfg(test)]
mod tests;
