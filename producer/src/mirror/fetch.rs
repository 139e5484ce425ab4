//! Brings a mirror up to date: one fetch at a time per project, within limits, or a new clone where nothing else helps.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use git2::{Config, ConfigLevel, Repository, RepositoryInitOptions, RepositoryOpenFlags};
use schemas::ids::ObjectId;
use uuid::Uuid;

use super::remote::{self, Activity};
use super::{BROKEN_MARK, Credentials, Mirror, MirrorError, Mirrors};
use crate::repository_url::{Access, RepositoryUrl, Scheme};

/// Most bytes received in one fetch: the history of Chromium is larger, that of almost everything else far smaller.
pub const PACK_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Most objects received in one fetch; a pack may claim four billion, and memory is set aside for each.
pub const OBJECTS_MAX: usize = 2_000_000;

/// Most branches and tags that one fetch may change; each is a file.
pub const REFS_MAX: usize = 100_000;

/// Longest fetch: [`PACK_BYTES_MAX`] at 2 MiB/s, and as long as a planner may be kept busy by one repository.
pub const TIME_MAX: Duration = Duration::from_secs(600);

/// Longest silence of a server: git servers send a sign of life every five seconds while they think.
pub const STALL_MAX: Duration = Duration::from_secs(60);

/// Where the mirror's configuration keeps the address that it was cloned from.
const URL_KEY: &str = "elder.url";

/// What one fetch may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes received.
    pub pack_bytes_max: u64,
    /// Most objects received.
    pub objects_max: usize,
    /// Most branches and tags changed.
    pub refs_max: usize,
    /// Longest time in all.
    pub time_max: Duration,
    /// Longest silence of the server.
    pub stall_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pack_bytes_max: PACK_BYTES_MAX,
            objects_max: OBJECTS_MAX,
            refs_max: REFS_MAX,
            time_max: TIME_MAX,
            stall_max: STALL_MAX,
        }
    }
}

/// One fetch of one project.
pub(super) struct Job {
    pub(super) url: RepositoryUrl,
    pub(super) access: Access,
    pub(super) credentials: Credentials,
    pub(super) tls: Option<Arc<rustls::ClientConfig>>,
    pub(super) limits: Limits,
    pub(super) deadline: Instant,
    pub(super) activity: Arc<Activity>,
    wanted: Option<ObjectId>,
    lock: PathBuf,
    current: PathBuf,
    next: PathBuf,
    previous: PathBuf,
}

/// Does the work on a thread of its own and waits for it. libgit2 has no time limit for a silent ssh server, so such a
/// thread is left behind when its time is up. It keeps the project's lock: there is never more than one that talks.
pub(super) fn fetch(
    mirrors: &Mirrors,
    project: Uuid,
    url: &RepositoryUrl,
    wanted: Option<&ObjectId>,
) -> Result<Mirror, MirrorError> {
    let limits = mirrors.limits;
    let activity = Arc::new(Activity::default());
    let job = Job {
        url: url.clone(),
        access: mirrors.access,
        credentials: mirrors.credentials.clone(),
        tls: mirrors.tls.clone(),
        limits,
        deadline: Instant::now() + limits.time_max,
        activity: Arc::clone(&activity),
        wanted: wanted.cloned(),
        lock: mirrors.path_of(project, "lock"),
        current: mirrors.path_of(project, "git"),
        next: mirrors.path_of(project, "next"),
        previous: mirrors.path_of(project, "previous"),
    };
    let give_up = job.deadline + limits.stall_max;
    let timed_out = |after| Err(MirrorError::TimedOut { url: url.to_string(), after });
    let (answer, answered) = mpsc::sync_channel(1);
    let span = tracing::Span::current();
    let work = move || {
        let _entered = span.enter();
        if answer.send(job.run()).is_err() {
            tracing::warn!(url = %job.url, "a fetch ended after nobody waited for it any more");
        }
    };
    let started = thread::Builder::new().name("mirror-fetch".to_owned()).spawn(work);
    started.map_err(|source| MirrorError::Disk { path: mirrors.root.clone(), source })?;
    loop {
        match answered.recv_timeout(limits.stall_max) {
            Ok(outcome) => return outcome,
            Err(RecvTimeoutError::Disconnected) => return Err(MirrorError::Interrupted { url: url.to_string() }),
            Err(RecvTimeoutError::Timeout) if Instant::now() > give_up => return timed_out(limits.time_max),
            Err(RecvTimeoutError::Timeout) if activity.is_silent_for(limits.stall_max) => {
                return timed_out(limits.stall_max);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

impl Job {
    fn run(&self) -> Result<Mirror, MirrorError> {
        // Held until the end of this function. Another planner on this machine waits here.
        let lock = self.locked()?;
        self.check_time()?;
        if let Some(mirror) = self.existing() {
            if self.wanted.as_ref().is_some_and(|wanted| mirror.is_reachable(wanted).unwrap_or(false)) {
                return Ok(mirror);
            }
            match self.update(&mirror.repository) {
                Ok(()) if is_sound(&mirror) => return Ok(mirror),
                Err(error) if !matches!(error, MirrorError::Broken { .. }) => return Err(error),
                Ok(()) | Err(_) => tracing::warn!(url = %self.url, "the mirror is damaged and is cloned again"),
            }
        }
        let mirror = self.clone_afresh();
        drop(lock);
        mirror
    }

    fn locked(&self) -> Result<File, MirrorError> {
        let file = File::options().create(true).truncate(false).write(true).open(&self.lock);
        let locked = file.and_then(|file| file.lock().map(|()| file));
        locked.map_err(|source| MirrorError::Disk { path: self.lock.clone(), source })
    }

    fn check_time(&self) -> Result<(), MirrorError> {
        if Instant::now() <= self.deadline {
            return Ok(());
        }
        Err(MirrorError::TimedOut { url: self.url.to_string(), after: self.limits.time_max })
    }

    /// The mirror as it lies there; `None` if there is none, if it is damaged, or if it was cloned from elsewhere, in
    /// which case it could hold commits that this address never had.
    fn existing(&self) -> Option<Mirror> {
        if !self.current.exists() || self.current.join(BROKEN_MARK).exists() {
            return None;
        }
        let repository = open(&self.current).ok()?;
        let url = repository.config().and_then(|config| config.get_string(URL_KEY)).ok()?;
        (url == self.url.as_str()).then(|| Mirror::new(repository))
    }

    /// Clones beside the current mirror and then takes its place, so that nobody ever opens half a clone.
    fn clone_afresh(&self) -> Result<Mirror, MirrorError> {
        remove(&self.next)?;
        remove(&self.previous)?;
        let disk = |source| MirrorError::Disk { path: self.next.clone(), source };
        DirBuilder::new().mode(0o700).create(&self.next).map_err(disk)?;
        let repository =
            self.initialised().map_err(|error| disk(std::io::Error::other(super::GitError::from(error))))?;
        let updated = self.update(&repository);
        drop(repository);
        match updated {
            Ok(()) => {}
            // There is no mirror yet that could be damaged: what could not be read is the remote's.
            Err(MirrorError::Broken { source }) => {
                return Err(MirrorError::Unreachable { url: self.url.to_string(), source });
            }
            Err(error) => return Err(error),
        }
        if self.current.exists() {
            std::fs::rename(&self.current, &self.previous).map_err(disk)?;
        }
        std::fs::rename(&self.next, &self.current).map_err(disk)?;
        remove(&self.previous)?;
        let opened = open(&self.current).map(Mirror::new);
        opened.map_err(|error| MirrorError::Broken { source: error.into() })
    }

    fn initialised(&self) -> Result<Repository, git2::Error> {
        let mut options = RepositoryInitOptions::new();
        options.bare(true).no_reinit(true).external_template(false);
        drop(Repository::init_opts(&self.next, &options)?);
        let repository = open(&self.next)?;
        repository.config()?.set_str(URL_KEY, self.url.as_str())?;
        Ok(repository)
    }

    fn update(&self, repository: &Repository) -> Result<(), MirrorError> {
        self.activity.talks(self.url.scheme() == Scheme::Ssh);
        let updated = remote::update(self, repository);
        self.activity.talks(false);
        updated
    }
}

/// Opens a mirror with its own configuration and no other: what this machine or user has configured, such as other
/// addresses for known prefixes, does not apply. libgit2 also checks that the directory is this user's.
fn open(path: &Path) -> Result<Repository, git2::Error> {
    let flags = RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::BARE | RepositoryOpenFlags::NO_DOTGIT;
    let repository = Repository::open_ext(path, flags, &[] as &[&Path])?;
    let mut config = Config::new()?;
    config.add_file(&path.join("config"), ConfigLevel::Local, false)?;
    repository.set_config(&config)?;
    Ok(repository)
}

/// Whether the newest commit of the default branch, or of any, can be read with its tree.
fn is_sound(mirror: &Mirror) -> bool {
    match mirror.resolve(None) {
        Ok(commit) => mirror.tree_of(&commit).is_ok_and(|tree| mirror.repository.find_tree(tree).is_ok()),
        Err(MirrorError::Empty | MirrorError::NoDefaultBranch) => true,
        Err(_) => false,
    }
}

fn remove(directory: &Path) -> Result<(), MirrorError> {
    match std::fs::remove_dir_all(directory) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(MirrorError::Disk { path: directory.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
