//! Walking and copying folders.

use std::fs;
use std::path::{Path, PathBuf};

/// Every file below `folder` that `wanted` likes; folders that begin with a dot and those named in `skipped` are not
/// entered.
pub fn below(folder: &Path, skipped: &[&str], wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() && !name.starts_with('.') && !skipped.contains(&name.as_str()) {
                folders.push(path);
            } else if path.is_file() && wanted(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Copies a file, or a folder with everything in it.
pub fn copy(from: &Path, to: &Path) {
    let fail =
        |error: std::io::Error| -> ! { panic!("failed to copy {} to {}: {error}", from.display(), to.display()) };
    if from.is_dir() {
        fs::create_dir_all(to).unwrap_or_else(|error| fail(error));
        for entry in fs::read_dir(from).unwrap_or_else(|error| fail(error)).flatten() {
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::copy(from, to).unwrap_or_else(|error| fail(error));
    }
}
