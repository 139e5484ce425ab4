//! The shape of the workspace, as ARCHITECTURE.md states it: who may know what, and how large things may get.

mod source;

use std::fs;
use std::path::Path;

use tests::{elder, files};

use self::source::Source;

/// Every top-level folder is a crate; more than these is a decision that belongs into the architecture first.
const CRATES: [&str; 7] = ["benches", "broker", "deploy", "producer", "schemas", "tests", "worker"];

/// Crates of the product; tests and benches may use anything.
const PRODUCT: [&str; 5] = ["schemas", "broker", "producer", "worker", "deploy"];

/// Folders that hold other people's code or generated files.
const SKIPPED: [&str; 5] = ["target", "node_modules", "fixtures", "corpus", "dist"];

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

/// A library and the crates that may know it, by the beginning of the library's name.
const KNOWN_ONLY_BY: [(&str, &[&str]); 11] = [
    ("async-nats", &["broker"]),
    ("sqlx", &["broker"]),
    ("tokio-postgres", &[]),
    ("warp", &["producer"]),
    ("git2", &["producer"]),
    ("rayon", &["worker"]),
    ("tree-sitter", &["worker"]),
    ("oxc", &["worker"]),
    ("ruff", &["worker"]),
    ("kube", &["deploy"]),
    ("k8s-openapi", &["deploy"]),
];

/// Which crates of ours each may depend on: the arrows of the drawing.
const MAY_DEPEND_ON: [(&str, &[&str]); 5] = [
    ("schemas", &[]),
    ("broker", &["schemas"]),
    ("producer", &["schemas", "broker"]),
    ("worker", &["schemas", "broker"]),
    ("deploy", &["schemas", "broker", "producer", "worker"]),
];

/// Statements that only the store makes. Upper case, which is how SQL is written here and prose is not.
const SQL: [&str; 7] =
    ["SELECT ", "INSERT INTO ", "DELETE FROM ", "CREATE TABLE ", "ALTER TABLE ", " ON CONFLICT ", "FOR UPDATE"];

/// Beginnings of subjects, and the names of streams.
const SUBJECTS: [&str; 9] = [
    "audit.task",
    "audit.result",
    "audit.event",
    "audit.request",
    "audit.dlq",
    "audit.dead",
    "audit.sched",
    "audit.fire",
    "AUDIT_",
];

#[test]
fn top_level_folders_are_the_crates() {
    let entries = fs::read_dir(elder::workspace()).unwrap().flatten().filter(|entry| entry.path().is_dir());
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.') && name != "target").collect();
    names.sort();
    assert_eq!(names, CRATES);
}

#[test]
fn libraries_are_known_only_where_they_belong() {
    let mut strays = Vec::new();
    for crate_name in PRODUCT {
        for library in dependencies(crate_name) {
            let known_by = KNOWN_ONLY_BY.iter().find(|(begin, _)| library.starts_with(begin));
            if known_by.is_some_and(|(_, crates)| !crates.contains(&crate_name)) {
                strays.push(format!("{crate_name}/Cargo.toml names {library}"));
            }
        }
        // Not through a re-export either.
        for source in sources(&[crate_name]) {
            for (library, crates) in KNOWN_ONLY_BY.iter().filter(|(_, crates)| !crates.contains(&crate_name)) {
                if source.mentions(&library.replace('-', "_")) {
                    strays.push(format!("{} mentions {library}, which only {crates:?} may", source.path));
                }
            }
        }
    }
    assert_eq!(strays, [""; 0]);
}

#[test]
fn crates_depend_on_each_other_along_the_arrows() {
    for (crate_name, allowed) in MAY_DEPEND_ON {
        let ours = dependencies(crate_name).into_iter().filter(|library| CRATES.contains(&library.as_str()));
        let strays: Vec<String> = ours.filter(|library| !allowed.contains(&library.as_str())).collect();
        assert_eq!(strays, [""; 0], "{crate_name} may depend only on {allowed:?}");
    }
}

#[test]
fn commands_are_declared_only_in_deploy() {
    let others = sources(&["schemas", "broker", "producer", "worker"]);
    let strays: Vec<&str> =
        others.iter().filter(|source| source.mentions("Subcommand")).map(|source| source.path.as_str()).collect();
    assert_eq!(strays, [""; 0]);
}

#[test]
fn sql_is_written_only_in_broker() {
    // Migrations are .sql files of schemas; worker's rules look for SQL in what they audit.
    expect_no_text(&["schemas", "producer", "deploy"], |text| SQL.iter().any(|word| text.contains(word)));
}

#[test]
fn subjects_are_written_only_in_broker() {
    expect_no_text(&["producer", "worker", "deploy"], |text| SUBJECTS.iter().any(|begin| text.starts_with(begin)));
}

#[test]
fn every_file_opens_with_its_purpose() {
    let strays: Vec<String> = sources(&CRATES)
        .into_iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| source.path)
        .collect();
    assert_eq!(strays, [""; 0], "the first line of these does not begin with `//! `");
}

#[test]
fn no_file_is_too_long() {
    let lines = |source: &Source| source.text.lines().count();
    let long = sources(&CRATES).into_iter().filter(|source| lines(source) > FILE_LINES_MAX);
    let long: Vec<String> = long.map(|source| format!("{} has {} lines", source.path, lines(&source))).collect();
    assert_eq!(long, [""; 0], "more than {FILE_LINES_MAX} lines");
}

#[test]
fn no_function_is_too_long() {
    let mut long = Vec::new();
    for source in sources(&CRATES) {
        let functions = source.functions().into_iter().filter(|(_, lines)| *lines > FUNCTION_LINES_MAX);
        long.extend(functions.map(|(name, lines)| format!("{}: {name} has {lines} lines", source.path)));
    }
    assert_eq!(long, [""; 0], "more than {FUNCTION_LINES_MAX} lines");
}

fn expect_no_text(crates: &[&str], is_stray: impl Fn(&str) -> bool) {
    let mut strays = Vec::new();
    for source in sources(crates) {
        let texts = source.strings().into_iter().filter(|text| is_stray(text));
        strays.extend(texts.map(|text| format!("{}: {text:?}", source.path)));
    }
    assert_eq!(strays, [""; 0]);
}

fn sources(crates: &[&str]) -> Vec<Source> {
    let root = elder::workspace();
    let is_rust = |path: &Path| path.extension().is_some_and(|extension| extension == "rs");
    let files = crates.iter().flat_map(|name| files::below(&root.join(name), &SKIPPED, is_rust));
    files.map(|file| Source::read(root, &file)).collect()
}

/// What a crate's manifest names as a dependency of any kind.
fn dependencies(crate_name: &str) -> Vec<String> {
    let manifest = elder::workspace().join(crate_name).join("Cargo.toml");
    names_of_dependencies(&fs::read_to_string(manifest).unwrap())
}

fn names_of_dependencies(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_dependency = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            // `[target.'cfg(unix)'.dependencies]` and `[dependencies.name]` as well.
            is_dependency = section.ends_with("dependencies");
            if let Some((_, name)) = section.rsplit_once("dependencies.") {
                names.push(name.to_owned());
            }
        } else if is_dependency && !line.is_empty() && !line.starts_with('#') {
            let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
            names.push(line[..end].trim_matches('"').to_owned());
        }
    }
    names
}

#[test]
fn manifests_are_understood() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\n# why\nserde.workspace = true\nwarp = { version = \"1\" }\n\
                    [dependencies.git2]\nversion = \"1\"\n[target.'cfg(unix)'.dev-dependencies]\nnix=\"1\"\n";
    assert_eq!(names_of_dependencies(manifest), ["serde", "warp", "git2", "nix"]);
}
