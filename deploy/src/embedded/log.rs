//! The log file of a service: where it writes, and its end for an error message.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// A log that has grown past this is begun anew at the next start, so that it cannot fill a disk over the years.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// How much of the end is shown; a failed start says why in its last lines.
const TAIL_BYTES_MAX: u64 = 2 * 1024;

/// One service's log from one start on.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    begin: u64,
}

impl Log {
    /// Opens `path` for appending.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let open = || -> std::io::Result<(File, u64)> {
            let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
            let bytes = file.metadata()?.len();
            if bytes <= LOG_BYTES_MAX {
                return Ok((file, bytes));
            }
            file.set_len(0)?;
            Ok((file, 0))
        };
        let (file, begin) = open().with_context(|| format!("failed to open the log {}", path.display()))?;
        Ok(Self { path: path.to_owned(), file, begin })
    }

    /// The file as a child's output.
    pub(super) fn writer(&self) -> Result<File> {
        self.file.try_clone().with_context(|| format!("failed to share the log {}", self.path.display()))
    }

    /// What was written since it was opened, at most its last few lines.
    pub(super) fn tail(&self) -> String {
        let read = || -> std::io::Result<Vec<u8>> {
            let mut file = File::open(&self.path)?;
            let end = file.metadata()?.len();
            file.seek(SeekFrom::Start(end.saturating_sub(TAIL_BYTES_MAX).max(self.begin)))?;
            let mut bytes = Vec::new();
            file.take(TAIL_BYTES_MAX).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let (path, bytes) = (self.path.display(), read());
        match bytes {
            Ok(bytes) if bytes.is_empty() => format!("{path} has nothing to say"),
            Ok(bytes) => format!("the end of {path}:\n{}", String::from_utf8_lossy(&bytes).trim_end()),
            Err(error) => format!("{path} cannot be read: {error}"),
        }
    }
}
