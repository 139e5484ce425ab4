//! Git repositories built by code, with the same commit ids on every run.

use std::path::{Path, PathBuf};

use git2::build::TreeUpdateBuilder;
use git2::{Commit, FileMode, Oid, Repository, RepositoryInitOptions, Signature, Time, TreeWalkMode, TreeWalkResult};
use schemas::bundle::SourceFile;

/// Time of the first commit; each one after it is a minute later.
const FIRST_COMMIT_SECONDS: i64 = 1_767_225_600;
const COMMIT_EVERY_SECONDS: i64 = 60;

/// A bare repository under construction: changes collect until [`FixtureRepository::commit`].
pub struct FixtureRepository {
    repository: Repository,
    path: PathBuf,
    branch: String,
    author: (String, String),
    commits: i64,
    changes: Vec<Change>,
}

/// Paths are bytes, as they are for git.
enum Change {
    Put(Vec<u8>, Oid, FileMode),
    Remove(Vec<u8>),
}

impl FixtureRepository {
    /// A new empty one in `path`, on branch `main`.
    pub fn new(path: &Path) -> Self {
        let options = &mut RepositoryInitOptions::new();
        options.bare(true).initial_head("main").external_template(false);
        let repository = Repository::init_opts(path, options).expect("the test's folder can be written to");
        Self {
            repository,
            path: path.to_owned(),
            branch: "main".to_owned(),
            author: ("Ada".to_owned(), "ada@example.org".to_owned()),
            commits: 0,
            changes: Vec::new(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its `file://` address.
    pub fn url(&self) -> String {
        format!("file://{}", self.path.display())
    }

    /// Adds or replaces a file.
    pub fn file(&mut self, path: &str, content: impl AsRef<[u8]>) -> &mut Self {
        self.put(path.as_bytes(), content.as_ref(), FileMode::Blob)
    }

    /// Adds or replaces a file whose path need not be text.
    pub fn raw_file(&mut self, path: &[u8], content: impl AsRef<[u8]>) -> &mut Self {
        self.put(path, content.as_ref(), FileMode::Blob)
    }

    /// Adds or replaces a file that can be executed.
    pub fn executable(&mut self, path: &str, content: impl AsRef<[u8]>) -> &mut Self {
        self.put(path.as_bytes(), content.as_ref(), FileMode::BlobExecutable)
    }

    /// Adds a symbolic link, which may point anywhere.
    pub fn symlink(&mut self, path: &str, target: &str) -> &mut Self {
        self.put(path.as_bytes(), target.as_bytes(), FileMode::Link)
    }

    /// Adds the entry of a submodule, whose commit need not be anywhere.
    pub fn submodule(&mut self, path: &str, commit: &str) -> &mut Self {
        let commit = Oid::from_str(commit).expect("a commit id has 40 hexadecimal digits");
        self.changes.push(Change::Put(path.into(), commit, FileMode::Commit));
        self
    }

    /// Removes a file.
    pub fn remove(&mut self, path: &str) -> &mut Self {
        self.changes.push(Change::Remove(path.into()));
        self
    }

    /// Moves a file without a change.
    pub fn rename(&mut self, from: &str, to: &str) -> &mut Self {
        let blob = {
            let head = self.head().expect("there is a commit to move a file of");
            let entry = head.tree().and_then(|tree| tree.get_path(Path::new(from)));
            entry.unwrap_or_else(|error| panic!("{from}: {error}")).id()
        };
        self.changes.push(Change::Put(to.into(), blob, FileMode::Blob));
        self.remove(from)
    }

    /// Who makes the commits from now on.
    pub fn author(&mut self, name: &str, email: &str) -> &mut Self {
        self.author = (name.to_owned(), email.to_owned());
        self
    }

    /// Goes on with branch `name`, which begins at the current commit if it is new.
    pub fn branch(&mut self, name: &str) -> &mut Self {
        let reference = format!("refs/heads/{name}");
        if self.repository.find_reference(&reference).is_err()
            && let Some(head) = self.head().map(|commit| commit.id())
        {
            self.repository.reference(&reference, head, false, "branch").expect("a branch name is valid");
        }
        self.branch = name.to_owned();
        self
    }

    /// Commits what has collected and returns the commit's id.
    pub fn commit(&mut self, message: &str) -> String {
        let parent = self.head().map(|commit| commit.id());
        self.commit_onto(message, parent.as_slice())
    }

    /// The same as a commit that also has `other` as its parent.
    pub fn merge(&mut self, other: &str, message: &str) -> String {
        let head = self.head().expect("there is a commit to merge into").id();
        let other = Oid::from_str(other).expect("a commit id has 40 hexadecimal digits");
        self.commit_onto(message, &[head, other])
    }

    /// The same as the first commit of a rewritten branch, as after a forced push: nothing of before is its parent.
    pub fn commit_rewritten(&mut self, message: &str) -> String {
        self.commit_onto(message, &[])
    }

    /// The id of the current branch's last commit.
    pub fn tip(&self) -> Option<String> {
        self.head().map(|commit| commit.id().to_string())
    }

    /// Every regular file of the current branch, as a worker gets it.
    pub fn sources(&self) -> Vec<SourceFile> {
        let tree = self.head().expect("there is a commit").tree().expect("a commit has a tree");
        let mut sources = Vec::new();
        let walked = tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
            if matches!(entry.filemode(), 0o100_644 | 0o100_755) {
                let blob = self.repository.find_blob(entry.id()).expect("a blob of the tree is there");
                let path = format!("{folder}{}", entry.name().expect("names of fixtures are text"));
                let name = entry.id().to_string().parse().expect("git writes ids as they are read");
                sources.push(SourceFile { path, blob: name, bytes: blob.content().to_vec() });
            }
            TreeWalkResult::Ok
        });
        walked.expect("the tree can be read");
        sources
    }

    /// The first line of a commit's message.
    pub fn subject(&self, commit: &str) -> String {
        let oid = Oid::from_str(commit).expect("a commit id has 40 hexadecimal digits");
        let commit = self.repository.find_commit(oid).expect("the commit is in the repository");
        commit.summary().expect("the message is text").unwrap_or_default().to_owned()
    }

    fn put(&mut self, path: &[u8], content: &[u8], mode: FileMode) -> &mut Self {
        let blob = self.repository.blob(content).expect("the test's folder can be written to");
        self.changes.push(Change::Put(path.to_owned(), blob, mode));
        self
    }

    fn head(&self) -> Option<Commit<'_>> {
        let reference = self.repository.find_reference(&format!("refs/heads/{}", self.branch)).ok()?;
        reference.peel_to_commit().ok()
    }

    fn commit_onto(&mut self, message: &str, parents: &[Oid]) -> String {
        let made = self.try_commit(message, parents);
        let id = made.unwrap_or_else(|error| panic!("failed to commit {message:?}: {error}"));
        self.changes.clear();
        self.commits += 1;
        id.to_string()
    }

    fn try_commit(&self, message: &str, parents: &[Oid]) -> Result<Oid, git2::Error> {
        let parents: Vec<Commit<'_>> =
            parents.iter().map(|&id| self.repository.find_commit(id)).collect::<Result<_, _>>()?;
        let base = match self.head() {
            Some(head) => head.tree()?,
            None => self.repository.find_tree(self.repository.treebuilder(None)?.write()?)?,
        };
        let mut builder = TreeUpdateBuilder::new();
        for change in &self.changes {
            match change {
                Change::Put(path, blob, mode) => builder.upsert(path.clone(), *blob, *mode),
                Change::Remove(path) => builder.remove(path.clone()),
            };
        }
        let tree = self.repository.find_tree(builder.create_updated(&self.repository, &base)?)?;
        let time = Time::new(FIRST_COMMIT_SECONDS + self.commits * COMMIT_EVERY_SECONDS, 0);
        let author = Signature::new(&self.author.0, &self.author.1, &time)?;
        let parents: Vec<&Commit<'_>> = parents.iter().collect();
        let id = self.repository.commit(None, &author, &author, message, &tree, &parents)?;
        // Set by hand, since libgit2 refuses to commit to a branch whose tip is not the first parent.
        self.repository.reference(&format!("refs/heads/{}", self.branch), id, true, message)?;
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(path: &Path) -> Vec<String> {
        let mut repository = FixtureRepository::new(path);
        let first = repository.file("src/lib.rs", "fn a() {}\n").executable("run", "#!/bin/sh\n").commit("begin");
        repository.symlink("link", "/etc/passwd").submodule("vendor/x", &"1".repeat(40)).remove("run");
        let second = repository.rename("src/lib.rs", "src/main.rs").commit("change");
        let side = repository.branch("side").file("side", "s").commit("side");
        let merged = repository.branch("main").merge(&side, "merge");
        let forced = repository.commit_rewritten("rewritten");
        vec![first, second, side, merged, forced]
    }

    #[test]
    fn same_code_makes_same_commits() {
        let folder = crate::scratch::Scratch::new();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        let commits = build(&one);
        assert_eq!(commits, build(&two));

        let repository = Repository::open(&one).unwrap();
        let tree = repository.find_commit(Oid::from_str(&commits[1]).unwrap()).unwrap().tree().unwrap();
        let mode = |path: &str| tree.get_path(Path::new(path)).map(|entry| entry.filemode());
        assert_eq!(mode("link").unwrap(), 0o120_000);
        assert_eq!(mode("vendor/x").unwrap(), 0o160_000);
        assert_eq!(mode("src/main.rs").unwrap(), 0o100_644);
        assert!(mode("src/lib.rs").is_err() && mode("run").is_err());
        let forced = repository.find_reference("refs/heads/main").unwrap().peel_to_commit().unwrap();
        assert_eq!((forced.id().to_string(), forced.parent_count()), (commits[4].clone(), 0));
    }
}
