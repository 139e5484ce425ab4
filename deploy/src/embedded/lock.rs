//! Who uses a directory: one elder, and of each service one process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::{Instant, sleep};

/// How often a lock that is held is tried again.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// Longest process number in text.
const PID_BYTES_MAX: u64 = 16;

/// The right to use a directory; ends with this value or with the process, however that ends.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock or says which process has it.
    pub(super) fn take(directory: &Path) -> Result<Self> {
        let path = directory.join("lock");
        let mut file = open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                file.take(PID_BYTES_MAX).read_to_string(&mut pid).context("failed to read who holds the lock")?;
                let (pid, directory) = (pid.trim(), directory.display());
                bail!("another elder (pid {pid}) is using {directory}; stop it or choose another with --directory");
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("failed to lock {}", path.display()));
            }
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .with_context(|| format!("failed to write {}", path.display()))?;
        Ok(Self { _file: file })
    }
}

/// Waits for the lock of one service and returns the locked file.
///
/// It becomes the service's standard input, so the kernel keeps it locked until the service and every process that it
/// started are gone: the next start cannot run into the remains of one that was killed.
pub(super) async fn service_lock(path: &Path, within: Duration) -> Result<File> {
    let file = open(path)?;
    let deadline = Instant::now() + within;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(TRY_EVERY).await,
            Err(TryLockError::WouldBlock) => {
                bail!("an earlier server still holds {} after {} s; end it first", path.display(), within.as_secs())
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("failed to lock {}", path.display()));
            }
        }
    }
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("failed to open {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_lock_of_a_directory_names_the_first() {
        let directory = std::env::temp_dir().join(format!("elder-lock-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let held = DirectoryLock::take(&directory).unwrap();
        let refusal = DirectoryLock::take(&directory).unwrap_err().to_string();
        assert!(refusal.contains(&format!("another elder (pid {})", std::process::id())), "{refusal}");
        drop(held);
        DirectoryLock::take(&directory).unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
