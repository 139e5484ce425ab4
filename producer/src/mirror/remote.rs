//! The part of a fetch that talks to a server: what it may send, how much of it, and what its refusals mean.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use git2::{
    AutotagOption, Cred, CredentialType, ErrorClass, ErrorCode, FetchOptions, FetchPrune, ProxyOptions,
    RemoteCallbacks, RemoteRedirect, Repository,
};

use super::fetch::Job;
use super::gate::{self, Gate, Way};
use super::{GitError, MirrorError, resolve};
use crate::repository_url::Scheme;

/// Branches and tags, under their own names. Nothing else is asked for: not what forges keep of pull requests, nor notes.
const REFSPECS: [&str; 2] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

/// Why a fetch was stopped from our side; the first reason counts.
#[derive(Debug)]
pub(super) enum Stop {
    TimedOut(Duration),
    OverLimit {
        what: &'static str,
        limit: u64,
    },
    Unconnected(std::io::Error),
    /// The certificate is not trusted, and why.
    Untrusted(String),
    Redirected,
    /// An HTTP status other than 200.
    Status(u16),
    /// What answers is no web server.
    Garbled,
}

/// What a fetch is doing, as seen from other threads.
#[derive(Debug, Default)]
pub(super) struct Activity {
    stop: OnceLock<Stop>,
    /// Set once objects arrive, that is, once the list of branches and tags is over.
    downloads: AtomicBool,
    /// When a server that only callbacks watch over was last heard; `None` while there is none.
    last_heard: Mutex<Option<Instant>>,
}

impl Activity {
    /// Records why the fetch must end; `false`, as callbacks say "stop".
    pub(super) fn stop(&self, reason: Stop) -> bool {
        self.stop.get_or_init(|| reason);
        false
    }

    pub(super) fn downloads(&self) -> bool {
        self.downloads.load(Ordering::Relaxed)
    }

    /// Starts or ends watching for silence.
    pub(super) fn talks(&self, does: bool) {
        *self.last_heard.lock().unwrap_or_else(PoisonError::into_inner) = does.then(Instant::now);
    }

    pub(super) fn is_silent_for(&self, limit: Duration) -> bool {
        let last_heard = *self.last_heard.lock().unwrap_or_else(PoisonError::into_inner);
        last_heard.is_some_and(|last| last.elapsed() >= limit)
    }

    fn heard(&self) {
        if let Some(last) = self.last_heard.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            *last = Instant::now();
        }
    }
}

/// Fetches into `repository` and records the default branch.
pub(super) fn update(job: &Job, repository: &Repository) -> Result<(), MirrorError> {
    let gate = checked_way(job)?;
    let address = gate.as_ref().map_or_else(|| job.url.to_string(), Gate::url);
    let mut options = FetchOptions::new();
    options
        .remote_callbacks(callbacks(job))
        .proxy_options(ProxyOptions::new())
        .follow_redirects(RemoteRedirect::None)
        .download_tags(AutotagOption::None)
        .prune(FetchPrune::On)
        .update_fetchhead(false);
    let fetched = repository.remote_anonymous(&address).and_then(|mut remote| {
        remote.fetch(&REFSPECS, Some(&mut options), None)?;
        let default = remote.default_branch().ok();
        resolve::record_default_branch(repository, default.as_ref().and_then(|name| name.as_str().ok()))
    });
    fetched.map_err(|error| {
        // What fails on our own files, such as a branch that stands where a directory of branches must go, a new clone mends.
        let is_ours = error.message().contains(&*repository.path().to_string_lossy());
        if is_ours && job.activity.stop.get().is_none() {
            return MirrorError::Broken { source: error.into() };
        }
        explained(job, error)
    })
}

/// Resolves the host, checks every address, and opens the only way to a web server. libgit2 resolves the host of an ssh
/// address once more by itself, so for ssh a name that changes between the two look-ups is a gap that remains.
fn checked_way(job: &Job) -> Result<Option<Gate>, MirrorError> {
    let resolved = job.url.resolve();
    let resolved = resolved.map_err(|source| MirrorError::Unresolved { url: job.url.to_string(), source })?;
    let addresses: Vec<IpAddr> = resolved.iter().map(std::net::SocketAddr::ip).collect();
    job.url.check_addresses(&addresses, job.access)?;
    match job.url.scheme() {
        Scheme::File if !job.url.directory().is_some_and(|path| path.exists()) => {
            Err(MirrorError::NotFound { url: job.url.to_string() })
        }
        Scheme::File | Scheme::Ssh => Ok(None),
        Scheme::Https | Scheme::Http => {
            let gate = Gate::open(Way {
                url: job.url.clone(),
                addresses: resolved,
                tls: job.tls.clone().unwrap_or_else(gate::system_tls),
                limits: job.limits,
                deadline: job.deadline,
                activity: Arc::clone(&job.activity),
            });
            gate.map(Some).map_err(|source| MirrorError::Unconnected { url: job.url.to_string(), source })
        }
    }
}

fn callbacks(job: &Job) -> RemoteCallbacks<'_> {
    let activity = &job.activity;
    let in_time = move || {
        activity.heard();
        Instant::now() <= job.deadline || activity.stop(Stop::TimedOut(job.limits.time_max))
    };
    let mut callbacks = RemoteCallbacks::new();
    callbacks.transfer_progress(move |progress| {
        activity.downloads.store(true, Ordering::Relaxed);
        let (bytes, objects) = (progress.received_bytes() as u64, progress.total_objects());
        if bytes > job.limits.pack_bytes_max {
            return activity.stop(Stop::OverLimit { what: "bytes", limit: job.limits.pack_bytes_max });
        }
        if objects > job.limits.objects_max {
            return activity.stop(Stop::OverLimit { what: "objects", limit: job.limits.objects_max as u64 });
        }
        in_time()
    });
    // What the server says meanwhile is dropped: it is for a person at a terminal.
    callbacks.sideband_progress(move |_text| in_time());
    let mut refs = 0;
    callbacks.update_tips(move |_name, _old, _new| {
        refs += 1;
        let fits = refs <= job.limits.refs_max
            || activity.stop(Stop::OverLimit { what: "branches and tags", limit: job.limits.refs_max as u64 });
        fits && in_time()
    });
    let mut keys_offered = 0;
    callbacks.credentials(move |_url, user, allowed| {
        activity.heard();
        if allowed.contains(CredentialType::SSH_KEY) {
            keys_offered += 1;
        }
        credential(job.credentials.ssh_key.as_ref(), user.unwrap_or("git"), allowed, keys_offered)
    });
    callbacks
}

/// Offers one key, once: libgit2 would go on asking for ever.
fn credential(
    key: Option<&PathBuf>,
    user: &str,
    allowed: CredentialType,
    keys_offered: u32,
) -> Result<Cred, git2::Error> {
    if allowed.contains(CredentialType::SSH_KEY) && keys_offered == 1 {
        return match key {
            Some(path) => Cred::ssh_key(user, None, path, None),
            None => Cred::ssh_key_from_agent(user),
        };
    }
    if allowed.contains(CredentialType::USERNAME) {
        return Cred::username(user);
    }
    Err(git2::Error::new(ErrorCode::Auth, ErrorClass::Callback, "no credential that the server accepts"))
}

/// What an error of a fetch means. Only its clipped and escaped text goes further.
fn explained(job: &Job, error: git2::Error) -> MirrorError {
    let url = job.url.to_string();
    if let Some(stop) = job.activity.stop.get() {
        return stopped(url, stop);
    }
    let (code, class) = (error.code(), error.class());
    // Said of a path where something else is; libgit2 gives it no code of its own.
    let is_no_repository = class == ErrorClass::Repository && error.message().starts_with("could not find repository");
    let source = GitError::from(error);
    match (code, class) {
        _ if is_no_repository => MirrorError::NotFound { url },
        (ErrorCode::Auth, _) => MirrorError::Login { url },
        (ErrorCode::Certificate, _) => MirrorError::Untrusted { url, source },
        (ErrorCode::Owner, _) => MirrorError::Refused { url, source },
        (ErrorCode::NotFound, ErrorClass::Repository | ErrorClass::Net) => MirrorError::NotFound { url },
        (
            _,
            ErrorClass::Odb
            | ErrorClass::Object
            | ErrorClass::Zlib
            | ErrorClass::Reference
            | ErrorClass::Repository
            | ErrorClass::Config
            | ErrorClass::Tree,
        ) => MirrorError::Broken { source },
        _ => MirrorError::Unreachable { url, source },
    }
}

/// What it means that we stopped a fetch ourselves.
fn stopped(url: String, stop: &Stop) -> MirrorError {
    match stop {
        Stop::TimedOut(after) => MirrorError::TimedOut { url, after: *after },
        Stop::OverLimit { what, limit } => MirrorError::OverLimit { url, what, limit: *limit },
        Stop::Unconnected(cause) => {
            let source = std::io::Error::new(cause.kind(), cause.to_string());
            MirrorError::Unconnected { url, source }
        }
        Stop::Untrusted(why) => MirrorError::Untrusted { url, source: GitError::of(why) },
        Stop::Redirected => MirrorError::Redirected { url },
        Stop::Garbled => MirrorError::Unreachable { url, source: GitError::of("the answer is not HTTP") },
        Stop::Status(404 | 410) => MirrorError::NotFound { url },
        Stop::Status(401 | 403) => MirrorError::Login { url },
        Stop::Status(status) => {
            let source = GitError::of(&format!("the server answers with HTTP status {status}"));
            let may_pass = matches!(status, 408 | 429 | 500..);
            if may_pass { MirrorError::Unreachable { url, source } } else { MirrorError::Refused { url, source } }
        }
    }
}
