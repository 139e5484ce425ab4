//! Real projects as `benches/corpus.sh` lays them out, of fixed versions, so that figures of two machines can be compared.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use schemas::bundle::{FILE_BYTES_MAX, SourceFile};
use schemas::ids::ObjectId;

/// What is measured: web services, libraries, a compiler's standard library, an app's framework; sources without what was built
/// from them.
const FOLDERS: [&str; 17] = [
    "clap_builder",
    "django/django",
    "effect/src",
    "eslint/lib",
    "golang-1.19-src/crypto",
    "golang-1.19-src/encoding",
    "golang-1.19-src/net",
    "itertools",
    "just",
    "react-native/ReactAndroid",
    "react-native/ReactCommon",
    "regex-automata",
    "ruby-actionpack",
    "ruby-activerecord",
    "rxjs/src",
    "tokio",
    "wordpress",
];

/// Extensions of languages that are parsed.
const EXTENSIONS: [&str; 13] = ["cpp", "go", "h", "java", "js", "kt", "mjs", "php", "py", "rb", "rs", "ts", "tsx"];

/// Folders of translations and of packages installed beside the sources.
const SKIPPED: [&str; 2] = ["locale", "node_modules"];

fn root() -> PathBuf {
    tests::elder::workspace().join(".corpus")
}

/// Files of the corpus whose extension `wanted` likes, below [`FILE_BYTES_MAX`].
///
/// # Errors
/// If a project is not there.
pub fn paths(wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    let is_wanted = |path: &Path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| EXTENSIONS.contains(&extension) && wanted(extension))
            && path.metadata().is_ok_and(|data| (1..=FILE_BYTES_MAX).contains(&data.len()))
    };
    let mut paths = Vec::new();
    for folder in FOLDERS {
        let folder = root().join(folder);
        ensure!(folder.is_dir(), "{} is not there: run benches/corpus.sh .corpus", folder.display());
        paths.extend(tests::files::below(&folder, &SKIPPED, is_wanted));
    }
    Ok(paths)
}

/// Reads a file as the analysis gets it. The blob id is not looked at there.
///
/// # Errors
/// If it is gone.
pub fn read(path: &Path) -> Result<SourceFile> {
    let blob: ObjectId = "0".repeat(40).parse()?;
    Ok(SourceFile { path: within(path).to_string_lossy().into_owned(), blob, bytes: std::fs::read(path)? })
}

/// Where a file stands in the corpus; its project is first.
#[must_use]
pub fn within(path: &Path) -> &Path {
    path.strip_prefix(root()).unwrap_or(path)
}
