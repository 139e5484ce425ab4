//! Audits without services: the same survey and cut, out of a mirror that lives as long as the audit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use schemas::bundle::{Manifest, Shard};
use schemas::catalogue::Catalogue;
use schemas::day::Day;
use schemas::facts::{Facts, Tree};
use schemas::ids::ObjectId;
use schemas::item::{Item, ItemResult};
use schemas::magic::Magic;
use schemas::request::AuditRequest;
use tempfile::TempDir;
use uuid::Uuid;

use crate::mirror::{Credentials, Mirror, Mirrors};
use crate::plan::{Cached, Survey, Trees, Work, arrange, load, survey};
use crate::repository_url::{Access, RepositoryUrl};
use crate::sharding::ShardLimits;
use crate::tree;

/// What an audit in one process has to do.
pub struct LocalPlan {
    /// What it is about.
    pub survey: Survey,
    /// What is to be analyzed.
    pub work: Work,
    mirror: Mirror,
    // Removed when the plan is dropped, after the mirror in it.
    _folder: TempDir,
}

impl LocalPlan {
    /// Reads what a shard names.
    ///
    /// # Errors
    /// If a blob cannot be read.
    pub fn load(&self, manifest: &Manifest) -> Result<Shard> {
        Ok(load(&self.mirror, manifest)?)
    }

    /// The whole tree, with the facts in these results of one magic. A file on which an analyzer failed tells nothing, as in the
    /// service: one such file must not blind the rules to all others.
    ///
    /// # Errors
    /// If the mirror cannot be read.
    pub fn tree<'r>(&self, results: impl Iterator<Item = &'r ItemResult>) -> Result<Tree> {
        let facts: BTreeMap<&Item, Facts> =
            results.map(|result| (&result.item, result.facts.clone().unwrap_or_default())).collect();
        let listed = tree::list(&self.mirror, &self.survey.commit, self.survey.since.as_ref(), &self.survey.wishes)?;
        let items = listed.items();
        let known = items.iter().enumerate().filter_map(|(index, item)| Some((index, facts.get(item)?.clone())));
        let known = known.collect();
        Ok(listed.with_facts(known))
    }
}

/// Fetches, looks and cuts; nothing is known from before.
///
/// # Errors
/// If the repository cannot be fetched, is empty, or has no such revision.
pub fn plan(
    url: &RepositoryUrl,
    request: &AuditRequest,
    magics: &[Magic],
    catalogue: &Catalogue,
    day: Day,
) -> Result<LocalPlan> {
    let (folder, mirror) = fetch(url)?;
    let survey = survey(&mirror, request, magics, catalogue, day)?;
    let judging = catalogue.judging_trees().into_iter().filter(|magic| magics.contains(magic));
    let trees: Trees = judging.map(|magic| (magic, None)).collect();
    let work =
        arrange(&mirror, &survey, Cached::new(), trees, &magics.iter().copied().collect(), ShardLimits::default())?;
    Ok(LocalPlan { survey, work, mirror, _folder: folder })
}

/// The default branch of a repository and the commit at its tip.
///
/// # Errors
/// If the repository cannot be fetched or is empty.
pub fn head(url: &RepositoryUrl) -> Result<(String, ObjectId)> {
    let (_folder, mirror) = fetch(url)?;
    let branch = mirror.default_branch().unwrap_or_else(|| "main".to_owned());
    Ok((branch, mirror.resolve(None)?))
}

fn fetch(url: &RepositoryUrl) -> Result<(TempDir, Mirror)> {
    let folder = tempfile::Builder::new().prefix("elder-").tempdir().context("cannot create a temporary folder")?;
    // Whether this address may be fetched was decided when it was parsed.
    let access = Access { allow_local: true };
    let mirrors = Mirrors::open(folder.path(), access, Credentials::default())?;
    let mirror = mirrors.fetch(Uuid::new_v4(), url, None)?;
    Ok((folder, mirror))
}

/// The root of the repository that `path` is in.
///
/// # Errors
/// If it is in none.
pub fn repository_root(path: &Path) -> Result<PathBuf> {
    let repository = git2::Repository::discover(path);
    let repository = repository.with_context(|| format!("`{}` is not in a git repository", path.display()))?;
    let root = repository.workdir().unwrap_or_else(|| repository.path());
    root.canonicalize().with_context(|| format!("cannot open `{}`", root.display()))
}
