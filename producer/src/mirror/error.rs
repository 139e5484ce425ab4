//! What can go wrong with a mirror, and whether trying again may help.

use std::path::PathBuf;
use std::time::Duration;

use schemas::ids::{ObjectId, Revision};

use crate::repository_url::InvalidUrl;

/// Longest message of git or a git server that is kept, in characters: they may be as long as the server likes.
const MESSAGE_CHARS_MAX: usize = 200;

/// What git or a server said: clipped, with control characters escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct GitError(String);

impl GitError {
    pub(super) fn of(text: &str) -> Self {
        Self(text.trim().chars().take(MESSAGE_CHARS_MAX).flat_map(char::escape_debug).collect())
    }
}

impl From<git2::Error> for GitError {
    fn from(error: git2::Error) -> Self {
        Self::of(error.message())
    }
}

/// What to do after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may pass: try again later.
    Retry,
    /// It will not pass until somebody changes something.
    Reject,
}

/// Why a repository could not be fetched or read.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The address, or an address its host resolves to, is not accepted.
    #[error(transparent)]
    Url(#[from] InvalidUrl),
    /// The host's name does not resolve.
    #[error("cannot resolve the host of `{url}`; check the address and the resolver")]
    Unresolved {
        /// The repository.
        url: String,
        /// What the resolver said.
        #[source]
        source: std::io::Error,
    },
    /// The network or the server failed.
    #[error("cannot fetch `{url}`; it will be tried again")]
    Unreachable {
        /// The repository.
        url: String,
        /// What failed.
        #[source]
        source: GitError,
    },
    /// No connection could be made to any address of the host.
    #[error("cannot connect to `{url}`; it will be tried again")]
    Unconnected {
        /// The repository.
        url: String,
        /// What the last address tried answered.
        #[source]
        source: std::io::Error,
    },
    /// It took too long, or the server fell silent.
    #[error("fetching `{url}` took longer than {}", humane(.after))]
    TimedOut {
        /// The repository.
        url: String,
        /// The limit that was reached.
        after: Duration,
    },
    /// The fetch ended without an answer; the log says why.
    #[error("fetching `{url}` ended without an answer; see the log")]
    Interrupted {
        /// The repository.
        url: String,
    },
    /// There is no such repository.
    #[error("there is no repository at `{url}`, or none that may be seen; correct the address")]
    NotFound {
        /// The repository.
        url: String,
    },
    /// The server wants a login that we do not have.
    #[error("`{url}` asks for a login; use an ssh address and give the planner a key that may read it")]
    Login {
        /// The repository.
        url: String,
    },
    /// The server's host key or certificate is not trusted.
    #[error(
        "the server of `{url}` is not who it should be; put its host key into known_hosts, or mend its certificate"
    )]
    Untrusted {
        /// The repository.
        url: String,
        /// What is wrong with it.
        #[source]
        source: GitError,
    },
    /// The server sends us elsewhere, which is never followed, so that no server chooses where we connect.
    #[error("`{url}` redirects to another place; register the address that it redirects to")]
    Redirected {
        /// The repository.
        url: String,
    },
    /// The server, or the owner of a directory, refuses.
    #[error("`{url}` refuses to be fetched")]
    Refused {
        /// The repository.
        url: String,
        /// What was said.
        #[source]
        source: GitError,
    },
    /// The repository is larger than we take.
    #[error("`{url}` has more than {limit} {what}; audit a smaller repository or raise the limit")]
    OverLimit {
        /// The repository.
        url: String,
        /// What there is too much of, e.g. `objects`.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// There is no commit at all.
    #[error("the repository has no commits yet; push one")]
    Empty,
    /// Nothing says which branch is meant.
    #[error("the repository names no default branch; ask for a revision")]
    NoDefaultBranch,
    /// There is no such branch, tag or commit.
    #[error("revision `{0}` is not in the repository")]
    UnknownRevision(Revision),
    /// There is no such commit, tree or blob.
    #[error("object `{0}` is not in the repository, or of another kind")]
    UnknownObject(ObjectId),
    /// The id is a SHA-256, and only SHA-1 repositories can be read.
    #[error("object `{0}` is of a SHA-256 repository, which cannot be read yet")]
    Sha256(ObjectId),
    /// The object is larger than asked for.
    #[error("object `{object}` has {bytes} bytes, above the limit of {bytes_max}")]
    TooLarge {
        /// The object.
        object: ObjectId,
        /// Its size in bytes.
        bytes: u64,
        /// The limit in bytes.
        bytes_max: u64,
    },
    /// Our copy is damaged; the next fetch clones it again.
    #[error("the mirror is damaged; the next fetch clones it again")]
    Broken {
        /// What could not be read.
        #[source]
        source: GitError,
    },
    /// The directory of mirrors fails.
    #[error("cannot write `{path}`; check the disk and its permissions")]
    Disk {
        /// What could not be written.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl MirrorError {
    /// Whether to try again.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Unresolved { .. }
            | Self::Unreachable { .. }
            | Self::Unconnected { .. }
            | Self::TimedOut { .. }
            | Self::Interrupted { .. }
            | Self::Broken { .. }
            | Self::Disk { .. } => Verdict::Retry,
            Self::Url(_)
            | Self::NotFound { .. }
            | Self::Login { .. }
            | Self::Untrusted { .. }
            | Self::Redirected { .. }
            | Self::Refused { .. }
            | Self::OverLimit { .. }
            | Self::Empty
            | Self::NoDefaultBranch
            | Self::UnknownRevision(_)
            | Self::UnknownObject(_)
            | Self::Sha256(_)
            | Self::TooLarge { .. } => Verdict::Reject,
        }
    }
}

fn humane(duration: &Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}
