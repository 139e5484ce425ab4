//! Real source files of this machine: cargo's registry, Python's standard library and Go's.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use schemas::bundle::{FILE_BYTES_MAX, SourceFile};
use schemas::ids::ObjectId;

/// Most files taken: enough for the figures to settle, few enough to measure several times in a minute.
pub const FILES_MAX: usize = 6_000;

/// Where sources are looked for, and the extensions of languages that are parsed.
const EXTENSIONS: [&str; 7] = ["rs", "py", "go", "js", "mjs", "ts", "tsx"];

/// Folders of generated files and other people's installed packages.
const SKIPPED: [&str; 3] = ["node_modules", "site-packages", "target"];

/// Files below [`FILE_BYTES_MAX`], each root giving its share in the order of their paths.
///
/// # Errors
/// If there are none.
pub fn paths() -> Result<Vec<PathBuf>> {
    let wanted = |path: &Path| {
        let is_known = path.extension().is_some_and(|end| EXTENSIONS.iter().any(|known| end == *known));
        is_known && path.metadata().is_ok_and(|data| (1..=FILE_BYTES_MAX).contains(&data.len()))
    };
    let found = roots().into_iter().map(|root| tests::files::below(&root, &SKIPPED, wanted));
    let mut found: Vec<Vec<PathBuf>> = found.filter(|files| !files.is_empty()).collect();
    // The smallest first, so that what it leaves of its share goes to the others.
    found.sort_by_key(Vec::len);
    let mut paths = Vec::new();
    let roots = found.len();
    for (index, files) in found.into_iter().enumerate() {
        let share = ((FILES_MAX - paths.len()) / (roots - index)).min(files.len());
        paths.extend((0..share).map(|place| files[place * files.len() / share].clone()));
    }
    ensure!(!paths.is_empty(), "there are no sources on this machine: neither cargo's registry nor Python's nor Go's");
    Ok(paths)
}

fn roots() -> Vec<PathBuf> {
    let cargo = Path::new(env!("CARGO")).ancestors().find(|folder| folder.join("registry/src").is_dir());
    let home = std::env::home_dir().map(|home| home.join(".cargo"));
    let registry = home.as_deref().or(cargo).map(|cargo| cargo.join("registry/src"));
    let python = said("python3", &["-c", "import sysconfig; print(sysconfig.get_paths()['stdlib'])"]);
    let go = said("go", &["env", "GOROOT"]).map(|root| root.join("src"));
    [registry, python, go].into_iter().flatten().filter(|root| root.is_dir()).collect()
}

/// The path that a program prints, if it is there.
fn said(program: &str, arguments: &[&str]) -> Option<PathBuf> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(text.trim()))
}

/// Reads a file as the analysis gets it. The blob id is not looked at there.
///
/// # Errors
/// If it is gone.
pub fn read(path: &Path) -> Result<SourceFile> {
    let blob: ObjectId = "0".repeat(40).parse()?;
    Ok(SourceFile {
        path: path.to_string_lossy().trim_start_matches('/').to_owned(),
        blob,
        bytes: std::fs::read(path)?,
    })
}
