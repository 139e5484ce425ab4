//! What a service keeps from one run to the next: its password, its ports, its place.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The user of both services.
pub(super) const USER: &str = "elder";

/// One service's file in `.elder/`, readable only by the user that runs elder: other users of the machine reach the
/// loopback port too, and the password is what keeps them out.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved {
    /// Generated at the first start.
    pub(super) password: String,
    /// The ports of the last run.
    pub(super) ports: Vec<u16>,
    /// Where the data is, if not beside this file.
    pub(super) elsewhere: Option<PathBuf>,
}

impl std::fmt::Debug for Saved {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { password: _, ports, elsewhere } = self;
        formatter.debug_struct("Saved").field("ports", ports).field("elsewhere", elsewhere).finish_non_exhaustive()
    }
}

impl Saved {
    /// A new password, for data that is yet to be made.
    pub(super) fn new() -> Self {
        // Two random UUIDs hold 244 random bits, and need no escaping in a URL or a configuration file.
        let password = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        Self { password, ports: Vec::new(), elsewhere: None }
    }

    /// Reads `path`; nothing if it is not there.
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.with_context(|| format!("failed to read {}", path.display()))?,
        };
        let saved = serde_json::from_str(&text).with_context(|| format!("failed to understand {}", path.display()))?;
        Ok(Some(saved))
    }

    /// Replaces `path` in one step.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        write_secret(path, &serde_json::to_vec_pretty(self)?)
    }

    /// The port at `index` of the last run, if it is still free, else another.
    pub(super) fn port(&self, index: usize) -> Result<u16> {
        match self.ports.get(index) {
            Some(&port) if super::ports::is_free(port) => Ok(port),
            _ => super::ports::any_free(),
        }
    }
}

/// Writes a file that only its owner may read, in one step: a reader sees the old or the new one.
pub(super) fn write_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    let draft = path.with_extension("new");
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().with_context(|| format!("failed to write {}", path.display()))
}
