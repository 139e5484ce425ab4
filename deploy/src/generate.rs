//! `elder generate`: files made from the code, and the check that they still say what the code says.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use schemas::json_schema;
use schemas::magic::Magic;

use crate::roles::catalogue;
use crate::rules::pages;

/// Options of `elder generate`.
#[derive(Debug, Clone, Args)]
pub struct GenerateArgs {
    /// Write nothing; fail if a file is not up to date
    #[arg(long)]
    check: bool,
    /// Folder of the source tree
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    root: PathBuf,
}

/// Writes or checks every generated file.
pub fn run(args: GenerateArgs) -> Result<()> {
    let GenerateArgs { check, root } = args;
    let files = files()?;
    let left_over = left_over(&root, &files)?;
    let is_stale =
        |(path, text): &&(PathBuf, String)| fs::read_to_string(root.join(path)).ok().is_none_or(|found| found != *text);
    let stale: Vec<&(PathBuf, String)> = files.iter().filter(is_stale).collect();
    if check {
        let paths = left_over.iter().chain(stale.iter().map(|(path, _)| path));
        let paths: Vec<String> = paths.map(|path| root.join(path).display().to_string()).collect();
        if !paths.is_empty() {
            bail!("not up to date: {}; run `cargo run -- generate` and commit the result", paths.join(", "));
        }
        return Ok(());
    }
    for path in &left_over {
        fs::remove_file(root.join(path)).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    stale.into_iter().try_for_each(|(path, text)| write(&root.join(path), text))
}

/// Paths from the root of the source tree, with what must be in them.
fn files() -> Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    for (name, schema) in json_schema::all() {
        let path = Path::new("schemas/json").join(format!("{name}.schema.json"));
        files.push((path, format!("{}\n", serde_json::to_string_pretty(&schema)?)));
    }
    files.extend(pages::all(&catalogue())?);
    Ok(files)
}

/// Pages of rules that are no more, as paths from the root of the source tree.
fn left_over(root: &Path, files: &[(PathBuf, String)]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in [Path::new(pages::FOLDER).to_owned()].into_iter().chain(Magic::ALL.map(page_folder)) {
        let Ok(entries) = fs::read_dir(root.join(&folder)) else { continue };
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
            let path = folder.join(entry.file_name());
            if !root.join(&path).is_dir() && !files.iter().any(|(wanted, _)| *wanted == path) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

fn page_folder(magic: Magic) -> PathBuf {
    Path::new(pages::FOLDER).join(magic.as_str())
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
