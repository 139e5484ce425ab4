//! What this process has read and parsed since its start, so that people can see that magics share both.

use std::sync::atomic::{AtomicU64, Ordering};

static FILES_READ: AtomicU64 = AtomicU64::new(0);
static FILES_PARSED: AtomicU64 = AtomicU64::new(0);

/// How often it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effort {
    /// Files decoded, or found to be none that is.
    pub(crate) files_read: u64,
    /// Files that a parser was begun on.
    pub(crate) files_parsed: u64,
}

/// A file is read.
pub(crate) fn note_read() {
    FILES_READ.fetch_add(1, Ordering::Relaxed);
}

/// A file is parsed.
pub(crate) fn note_parsed() {
    FILES_PARSED.fetch_add(1, Ordering::Relaxed);
}

/// All of it so far.
pub(crate) fn so_far() -> Effort {
    Effort { files_read: FILES_READ.load(Ordering::Relaxed), files_parsed: FILES_PARSED.load(Ordering::Relaxed) }
}
