//! What is known of all tests of a repository, and what they come to by way of something else.

use std::collections::{BTreeSet, HashMap, HashSet};

use schemas::facts::{FileFacts, Testing, Tree};

use super::{STEPS_MAX, names};
use crate::paths;

/// Families of extensions: tests in one are about code in another of the same.
const FAMILIES: &[&[&str]] = &[
    &["c", "cc", "cpp", "cxx", "h", "hh", "hpp", "m", "mm"],
    &["cjs", "cts", "js", "jsx", "mjs", "mts", "svelte", "ts", "tsx", "vue"],
    &["groovy", "java", "kt", "kts", "scala"],
    &["py", "pyi", "pyx"],
];

/// Directory of the tests beside a crate in Rust.
const CRATE_TESTS: &str = "tests/";

/// What is known of all tests.
pub(super) struct Known<'t> {
    pub(super) has_tests: bool,
    /// Folders with tests in Go, each a package that is tested as one.
    packages: HashSet<&'t str>,
    /// Files of modules in Rust that hold tests.
    parents: HashSet<&'t str>,
    /// Folders of crates in Rust with tests beside them.
    crates: HashSet<&'t str>,
    /// Families of the languages that tests are written in.
    families: BTreeSet<&'t str>,
    /// Names of files that tests are named after.
    stems: HashSet<u32>,
    /// What tests mention.
    mentions: HashSet<u32>,
    /// How many files offer each name.
    offered: HashMap<u32, u32>,
}

/// All before the last slash.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The first extension of the family that the file is of.
fn family(path: &str) -> &str {
    let extension = paths::extension(path).unwrap_or_default();
    FAMILIES.iter().find(|family| family.contains(&extension)).and_then(|family| family.first()).unwrap_or(&extension)
}

/// The folder of the crate beside whose `src` this file of tests stands.
fn tested_crate(path: &str) -> Option<&str> {
    let at = if path.starts_with(CRATE_TESTS) { 0 } else { path.find("/tests/")? + 1 };
    path.ends_with(".rs").then(|| &path[..at]).filter(|root| !root.contains("src/"))
}

impl<'t> Known<'t> {
    pub(super) fn of(tree: &'t Tree) -> Self {
        let tests = || tree.paths.iter().filter(|path| paths::is_test(path));
        let of_folders = tests().flat_map(|path| names::tested_by_folder(path));
        let stems: HashSet<u32> = tests().flat_map(|path| names::tested_by(path)).chain(of_folders).collect();
        let all = || tree.files.iter().filter_map(|file| Some((file, file.facts.testing.as_ref()?)));
        let mut offered: HashMap<u32, u32> = HashMap::new();
        for name in all().flat_map(|(_, testing)| &testing.offers.0) {
            *offered.entry(*name).or_default() += 1;
        }
        let holds_tests = |(_, testing): &(&FileFacts, &Testing)| testing.has_tests;
        let is_test = |(file, testing): &(&FileFacts, &Testing)| testing.has_tests || paths::is_test(&file.path);
        let mentions: HashSet<u32> =
            all().filter(is_test).flat_map(|(_, one)| one.mentions.0.iter().copied()).collect();
        let has_tests = !mentions.is_empty() || all().any(|one| holds_tests(&one));
        let families =
            tests().map(|path| family(path)).chain(all().filter(holds_tests).map(|(file, _)| family(&file.path)));
        Self {
            has_tests,
            packages: tree.paths.iter().filter(|path| path.ends_with("_test.go")).map(|path| folder(path)).collect(),
            parents: all().filter(holds_tests).map(|(file, _)| file.path.as_str()).collect(),
            crates: tests().filter_map(|path| tested_crate(path)).collect(),
            families: families.collect(),
            stems,
            mentions,
            offered,
        }
    }

    /// Whether the file is a part of something that is tested as one.
    fn is_part_of_tested(&self, path: &str) -> bool {
        let folder = folder(path);
        match paths::extension(path) {
            Some("go") => {
                let package = names::package(folder);
                self.packages.contains(folder) || package.is_some_and(|name| self.mentions.contains(&name))
            }
            Some("rs") => {
                let root = path.find("src/").map(|at| &path[..at]);
                root.is_some_and(|root| self.crates.contains(root))
                    || self.parents.contains(format!("{folder}.rs").as_str())
                    || self.parents.contains(format!("{folder}/mod.rs").as_str())
            }
            _ => false,
        }
    }

    /// Whether a test is about the file, as names show, or none could be known of.
    pub(super) fn is_tested(&self, file: &FileFacts) -> bool {
        let Some(testing) = &file.facts.testing else { return true };
        let is_known = |stem: u32| self.stems.contains(&stem) || self.mentions.contains(&stem);
        testing.has_tests
            || !self.families.contains(family(&file.path))
            || is_known(names::stem(&file.path))
            || names::stem_of_way(&file.path).is_some_and(is_known)
            || names::beginnings(&file.path).iter().any(|name| self.stems.contains(name))
            || self.is_part_of_tested(&file.path)
            || self.is_named_in(testing, &self.mentions)
    }

    /// Whether `names` holds something that only this file offers.
    fn is_named_in(&self, testing: &Testing, names: &HashSet<u32>) -> bool {
        let is_only_here = |name: &&u32| self.offered.get(name) == Some(&1);
        testing.offers.0.iter().filter(is_only_here).any(|name| names.contains(name))
    }
}

/// What tests come to by way of files that they are about, and of programs, which are tried as a whole.
pub(super) struct Through<'t> {
    known: &'t Known<'t>,
    /// What those files use.
    uses: HashSet<u32>,
}

impl<'t> Through<'t> {
    pub(super) fn of(tree: &'t Tree, known: &'t Known<'t>) -> Self {
        // In Go tests stand beside what they are about, and a program uses every package.
        let is_followed = |file: &&FileFacts| paths::extension(&file.path) != Some("go");
        let all = tree.files.iter().filter(is_followed).filter_map(|file| Some((file, file.facts.testing.as_ref()?)));
        let is_start = |file: &FileFacts, testing: &Testing| testing.decisions == 0 || known.is_tested(file);
        let (mut reached, mut rest): (Vec<_>, Vec<_>) = all.partition(|(file, testing)| is_start(file, testing));
        let mut through = Self { known, uses: HashSet::new() };
        for _ in 0..STEPS_MAX {
            if reached.is_empty() {
                break;
            }
            through.uses.extend(reached.iter().flat_map(|(_, testing)| testing.mentions.0.iter().copied()));
            (reached, rest) = rest.into_iter().partition(|(file, _)| through.reaches(file));
        }
        through
    }

    /// Whether something that is tested uses the file.
    pub(super) fn reaches(&self, file: &FileFacts) -> bool {
        let Some(testing) = &file.facts.testing else { return true };
        paths::extension(&file.path) != Some("go")
            && (self.uses.contains(&names::stem(&file.path)) || self.known.is_named_in(testing, &self.uses))
    }
}
