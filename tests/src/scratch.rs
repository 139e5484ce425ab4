//! A folder for one test, kept for a look when the test fails.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

/// Removed when dropped, unless the test is failing.
#[derive(Debug)]
pub struct Scratch {
    folder: Option<TempDir>,
}

impl Scratch {
    /// A folder that other users may pass through, since Postgres runs as one when the test runs as root.
    pub fn new() -> Self {
        Self::with_mode(0o711)
    }

    /// A folder that other users cannot even pass through.
    pub fn private() -> Self {
        Self::with_mode(0o700)
    }

    fn with_mode(mode: u32) -> Self {
        let folder = TempDir::with_prefix("elder-test-").expect("the temporary folder can be written to");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode))
            .expect("the mode of our folder can be set");
        Self { folder: Some(folder) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.as_ref().expect("the folder is there until it is dropped").path()
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    #[expect(clippy::print_stderr, reason = "the test runner shows it beside the test that failed")]
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(folder) = self.folder.take()
        {
            eprintln!("the test's files are kept in {}", folder.keep().display());
        }
    }
}
