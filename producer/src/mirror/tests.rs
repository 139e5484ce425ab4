//! Mirrors of real repositories, built object by object.

mod fetching;
mod history;
mod listing;
mod servers;
mod wishes;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use git2::{ObjectType, Oid, Repository, RepositoryInitOptions};
use schemas::ids::ObjectId;
use tempfile::TempDir;
use uuid::Uuid;

use super::{Credentials, Mirror, Mirrors, object_id};
use crate::repository_url::{Access, RepositoryUrl};

const LOCAL: Access = Access { allow_local: true };
const FILE: &str = "100644";
const DIRECTORY: &str = "40000";
const SYMLINK: &str = "120000";
const SUBMODULE: &str = "160000";

/// A repository to be mirrored, and a place for mirrors.
struct Origin {
    directory: TempDir,
    repository: Repository,
    seconds: Cell<u32>,
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origin").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Origin {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // Lets the tests write what a forger would; reading is not affected.
        git2::opts::strict_object_creation(false);
        let mut options = RepositoryInitOptions::new();
        options.bare(true).initial_head("main");
        let repository = Repository::init_opts(directory.path().join("origin.git"), &options).unwrap();
        Self { directory, repository, seconds: Cell::new(1_000_000) }
    }

    fn url(&self) -> RepositoryUrl {
        RepositoryUrl::from_directory(self.repository.path(), LOCAL).unwrap()
    }

    fn mirrors(&self) -> Mirrors {
        Mirrors::open(&self.directory.path().join("mirrors"), LOCAL, Credentials::default()).unwrap()
    }

    fn mirror(&self) -> Mirror {
        self.mirrors().fetch(Uuid::nil(), &self.url(), None).unwrap()
    }

    /// The repository read as if it had been fetched. A directory is fetched by libgit2 alone, which refuses to pass on some
    /// objects that git servers do pass on.
    fn unfetched(&self) -> Mirror {
        Mirror::new(Repository::open_bare(self.repository.path()).unwrap())
    }

    fn write(&self, kind: ObjectType, bytes: &[u8]) -> Oid {
        self.repository.odb().unwrap().write(kind, bytes).unwrap()
    }

    fn blob(&self, content: impl AsRef<[u8]>) -> Oid {
        self.write(ObjectType::Blob, content.as_ref())
    }

    /// Writes a tree just as given, whether git would have it or not.
    fn raw_tree(&self, entries: &[(&str, &[u8], Oid)]) -> Oid {
        let entry =
            |(mode, name, oid): &(&str, &[u8], Oid)| [mode.as_bytes(), b" ", name, b"\0", oid.as_bytes()].concat();
        self.write(ObjectType::Tree, &entries.iter().flat_map(entry).collect::<Vec<u8>>())
    }

    /// Writes the trees of a directory in which each path is a file with this content.
    fn tree(&self, files: &[(&str, &str)]) -> Oid {
        let mut children: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
        for (path, content) in files {
            let (name, rest) = path.split_once('/').unwrap_or((path, ""));
            children.entry(name).or_default().push((rest, content));
        }
        let mut entries = Vec::new();
        for (name, inside) in &children {
            match inside.as_slice() {
                [("", content)] => entries.push((FILE, name.as_bytes(), self.blob(content))),
                inside => entries.push((DIRECTORY, name.as_bytes(), self.tree(inside))),
            }
        }
        entries.sort_by_key(|(mode, name, _)| {
            let end: &[u8] = if *mode == DIRECTORY { b"/" } else { b"" };
            [*name, end].concat()
        });
        self.raw_tree(&entries)
    }

    /// Writes a commit by a person, a second younger than the last.
    fn commit(&self, tree: Oid, parents: &[Oid], message: &str) -> Oid {
        self.seconds.set(self.seconds.get() + 1);
        let who = format!("Ada <ada@example.com> {} +0000", self.seconds.get());
        let parents: String = parents.iter().map(|parent| format!("parent {parent}\n")).collect();
        let text = format!("tree {tree}\n{parents}author {who}\ncommitter {who}\n\n{message}");
        self.write(ObjectType::Commit, text.as_bytes())
    }

    fn branch(&self, name: &str, commit: Oid) {
        self.repository.reference(&format!("refs/heads/{name}"), commit, true, "").unwrap();
    }

    /// A commit on top of the branch `main` that leaves it with just these files.
    fn push(&self, files: &[(&str, &str)]) -> ObjectId {
        let parent = self.repository.refname_to_id("refs/heads/main").ok();
        let commit = self.commit(self.tree(files), parent.as_slice(), "a change");
        self.branch("main", commit);
        object_id(commit)
    }

    /// A first commit on `main` with just this tree.
    fn push_tree(&self, tree: Oid) -> ObjectId {
        let commit = self.commit(tree, &[], "a tree");
        self.branch("main", commit);
        object_id(commit)
    }
}
