//! From names to commits, and where commits lie.

use git2::{ErrorCode, ObjectType, Oid, Repository};
use schemas::ids::{ObjectId, Revision};

use super::{Mirror, MirrorError, object_id};

/// Where the mirror's configuration keeps the default branch that the remote named.
const DEFAULT_BRANCH_KEY: &str = "elder.defaultbranch";

impl Mirror {
    /// The branch that the remote's `HEAD` named at the last fetch; `None` if it named none that has a commit.
    pub fn default_branch(&self) -> Option<String> {
        self.repository.config().ok()?.get_string(DEFAULT_BRANCH_KEY).ok()
    }

    /// Whether there is neither a branch nor a tag.
    pub fn is_empty(&self) -> bool {
        self.repository.references().is_ok_and(|mut references| references.next().is_none())
    }

    /// The commit that `revision` names: `HEAD`, a full commit id, a branch, or a tag, in that order; the default branch's
    /// newest if none is given.
    ///
    /// # Errors
    /// [`MirrorError::Empty`], [`MirrorError::NoDefaultBranch`], [`MirrorError::UnknownRevision`].
    pub fn resolve(&self, revision: Option<&Revision>) -> Result<ObjectId, MirrorError> {
        if self.is_empty() {
            return Err(MirrorError::Empty);
        }
        let Some(revision) = revision.filter(|revision| revision.as_str() != "HEAD") else {
            let branch = self.default_branch().ok_or(MirrorError::NoDefaultBranch)?;
            let tip = self.commit_at(&format!("refs/heads/{branch}"))?;
            return tip.map(object_id).ok_or(MirrorError::NoDefaultBranch);
        };
        let unknown = || MirrorError::UnknownRevision(revision.clone());
        let name = revision.as_str();
        if let Ok(id) = name.parse::<ObjectId>() {
            return if self.contains(&id) { Ok(id) } else { Err(unknown()) };
        }
        let is_full = name.starts_with("refs/heads/") || name.starts_with("refs/tags/");
        let candidates = if is_full {
            vec![name.to_owned()]
        } else {
            vec![format!("refs/heads/{name}"), format!("refs/tags/{name}")]
        };
        for candidate in candidates {
            if let Some(commit) = self.commit_at(&candidate)? {
                return Ok(object_id(commit));
            }
        }
        Err(unknown())
    }

    /// Whether `commit` is a commit of this repository.
    pub fn contains(&self, commit: &ObjectId) -> bool {
        let kind = |oid| self.repository.odb().and_then(|odb| odb.read_header(oid)).map(|(_size, kind)| kind);
        oid(commit).is_ok_and(|oid| kind(oid).is_ok_and(|kind| kind == ObjectType::Commit))
    }

    /// Whether `commit` is the default branch's newest commit or one of its ancestors.
    pub fn on_default_branch(&self, commit: &ObjectId) -> bool {
        let Ok(oid) = oid(commit) else { return false };
        let mut known = self.on_default.borrow_mut();
        if !known.contains(&oid) {
            let branch = self.default_branch();
            let tip = branch.and_then(|branch| self.commit_at(&format!("refs/heads/{branch}")).ok().flatten());
            let descends = |tip: Oid| tip == oid || self.repository.graph_descendant_of(tip, oid).unwrap_or(false);
            if !tip.is_some_and(descends) {
                return false;
            }
        }
        // What is reachable from here is too: callers walk from new to old, so each of them is asked about once.
        known.insert(oid);
        if let Ok(found) = self.repository.find_commit(oid) {
            known.extend(found.parent_ids());
        }
        true
    }

    /// Whether a branch or tag leads to `commit`, newest commits first.
    pub(super) fn is_reachable(&self, commit: &ObjectId) -> Result<bool, git2::Error> {
        let Some(wanted) = oid(commit).ok().filter(|_| self.contains(commit)) else { return Ok(false) };
        let mut walk = self.repository.revwalk()?;
        walk.push_glob("refs/heads/*")?;
        walk.push_glob("refs/tags/*")?;
        for visited in walk {
            if visited? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn commit_at(&self, reference: &str) -> Result<Option<Oid>, MirrorError> {
        let found = match self.repository.find_reference(reference) {
            Ok(found) => found,
            // The latter is a name that git cannot have.
            Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec) => return Ok(None),
            Err(error) => return Err(self.broken(error)),
        };
        match found.peel_to_commit() {
            Ok(commit) => Ok(Some(commit.id())),
            // A tag of something that is no commit.
            Err(error) if matches!(error.code(), ErrorCode::Peel | ErrorCode::InvalidSpec) => Ok(None),
            Err(error) => Err(self.broken(error)),
        }
    }
}

/// Remembers which branch the remote calls its default.
pub(super) fn record_default_branch(repository: &Repository, reference: Option<&str>) -> Result<(), git2::Error> {
    let mut config = repository.config()?;
    match reference.and_then(|reference| reference.strip_prefix("refs/heads/")) {
        Some(branch) => config.set_str(DEFAULT_BRANCH_KEY, branch),
        None => match config.remove(DEFAULT_BRANCH_KEY) {
            Err(error) if error.code() != ErrorCode::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        },
    }
}

/// The id as git2 takes it.
pub(super) fn oid(id: &ObjectId) -> Result<Oid, MirrorError> {
    Oid::from_str(id.as_str()).map_err(|_sixty_four_digits| MirrorError::Sha256(id.clone()))
}
