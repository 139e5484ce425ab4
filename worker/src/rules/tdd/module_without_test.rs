//! Modules that no test is about.

mod names;

use std::collections::{HashMap, HashSet};

use schemas::facts::{FileFacts, Testing, Tree};
use schemas::packed::Names;
use schemas::severity::Severity;

use crate::paths;
use crate::rules::{Check, File, Findings, Hit, Place, Threshold, Told, rule};

rule!(
    /// ## What it finds
    /// Files whose functions decide something, and which no test is about: they hold no tests, no test has their name, and no test
    /// mentions them or what only they offer. Where this is true of more than 30 % of such files, one finding says so of all.
    /// All are for information: a test may come to a file by ways that names do not show.
    ///
    /// In Go the tests of a package are about all of its files, in Rust the tests in `a.rs` about what is in `a/`, and those of
    /// `Cart` about `CartImpl` and `cart_linux`. Programs, scripts, examples, settings, generated files, and files of types, constants and re-exports are left alone. A
    /// repository without any test is another matter.
    ///
    /// ## Why it matters
    /// Nobody notices when it breaks. Each change to it is a guess, and so the code around it grows instead of being mended.
    ///
    /// ## Example
    /// ```text
    /// src/prices.py    discounts, taxes, rounding
    /// tests/           nothing about prices
    /// ```
    ///
    /// ## How to fix
    /// Begin with a test of what it decides most often. What is tested through another module is left alone once a test mentions it.
    "tdd/module-without-test", Tdd, Info, version: 2, thresholds: &[&DECISIONS_MIN, &SHARE_PERCENT_MAX],
    Check::Tree { facts_version: 2, collect, judge }
);

/// Code that only passes things on has little to be tested.
const DECISIONS_MIN: Threshold = Threshold {
    name: "decisions_min",
    default: 5,
    min: 1,
    max: 1_000,
    doc: "fewest decisions of the functions of a file that needs a test",
};

/// Where most are without a test, a list of all of them tells nobody where to begin.
const SHARE_PERCENT_MAX: Threshold = Threshold {
    name: "share_percent_max",
    default: 30,
    min: 0,
    max: 100,
    doc: "largest share of files without a test, in per cent, of which each is listed",
};

/// Names of one file that are kept: generated tables of names go on for ever.
const NAMES_MAX: usize = 5_000;

/// Untested files that a summary names.
const NAMED_MAX: usize = 3;

/// Directories of programs and of what helps to build and show something.
const APART: &[&str] = &[
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "bin",
    "cmd",
    "demo",
    "demos",
    "doc",
    "docs",
    "example",
    "examples",
    "migrations",
    "sample",
    "samples",
    "script",
    "scripts",
    "stories",
    "tools",
];

/// Extensions of scripts of shells.
const SHELLS: &[&str] = &["bash", "bats", "ksh", "sh", "zsh"];

/// Names, without extension, of files that start a program or set it up.
const ENTRIES: &[&str] = &[
    "__main__",
    "app",
    "build",
    "cli",
    "config",
    "conftest",
    "constants",
    "gulpfile",
    "main",
    "manage",
    "settings",
    "setup",
    "types",
    "wsgi",
    "asgi",
];

fn collect(file: &File<'_>, told: &mut Told) -> bool {
    if file.outline.gap.is_some() {
        return false;
    }
    let is_test = paths::is_test(file.source.path);
    let (mut offers, mut decisions, mut place) = (Vec::new(), 0, None);
    let is_program = file.outline.functions.iter().any(|one| file.text(&one.name) == "main");
    if !is_test && !is_program && !is_apart(file.source.path) && !is_shell(file) {
        let own = file.outline.functions.iter().filter(|one| one.test.is_none() && !file.is_test_code(one.span.start));
        for function in own.filter(|one| one.body.is_some() && file.text(&one.name) != "main") {
            decisions += function.complexity.saturating_sub(1);
            if place.is_none() && function.complexity > 1 {
                place = Some(function.name.clone());
            }
        }
        offers = if decisions > 0 { names::offered(file) } else { Vec::new() };
    }
    let offers = Names(told.at_most(NAMES_MAX, offers, "names that tests could mention"));
    let mentions = Names(told.at_most(NAMES_MAX, names::mentioned(file, is_test), "names in tests"));
    let has_tests = !is_test && (!file.outline.test_code.is_empty() || file.outline.tests().next().is_some());
    let place = place.map(|span| file.spot(span));
    let testing = Testing { decisions, has_tests, place, offers, mentions };
    told.facts.testing = (testing != Testing::default()).then_some(testing);
    true
}

/// Whether the file is a script of a shell, by its name or its first line.
fn is_shell(file: &File<'_>) -> bool {
    let first = file.source.text.lines().next().unwrap_or_default();
    let is_named = paths::extension(file.source.path).is_some_and(|extension| SHELLS.contains(&extension));
    is_named || (first.starts_with("#!") && first.split(['/', ' ']).any(|word| SHELLS.contains(&word)))
}

fn is_apart(path: &str) -> bool {
    let name = paths::file_name(path);
    let stem = name.split('.').next().unwrap_or(name);
    let is_declaration = [".d.ts", ".d.mts", ".d.cts", ".pyi"].iter().any(|end| name.ends_with(end));
    let is_setting = name.contains(".config.") || name.contains(".stories.");
    paths::has_directory(path, APART)
        || paths::is_stand_in(path)
        || is_declaration
        || is_setting
        || ENTRIES.iter().any(|entry| stem.eq_ignore_ascii_case(entry))
}

fn judge(tree: &Tree, found: &mut Findings<'_>) {
    let known = Known::of(tree);
    if !known.has_tests {
        return;
    }
    let least = found.threshold(&DECISIONS_MIN);
    let decisions = |file: &FileFacts| file.facts.testing.as_ref().map_or(0, |testing| testing.decisions);
    let modules: Vec<&FileFacts> = tree.files.iter().filter(|file| u64::from(decisions(file)) >= least).collect();
    let untested: Vec<&FileFacts> = modules.iter().copied().filter(|file| !known.is_tested(file)).collect();
    let asked: Vec<&FileFacts> = untested.iter().copied().filter(|file| tree.is_asked(&file.path)).collect();
    let share = untested.len() as u64 * 100;
    if share <= modules.len() as u64 * found.threshold(&SHARE_PERCENT_MAX) {
        for file in asked {
            let message = format!("no test is about this file, whose functions make {} decisions", decisions(file));
            push(found, file, message, "file");
        }
        return;
    }
    // Where most is decided; of equal ones the first, whatever the order.
    let mut worst = asked;
    worst.sort_by(|a, b| decisions(b).cmp(&decisions(a)).then_with(|| a.path.cmp(&b.path)));
    if let Some(first) = worst.first() {
        let named: Vec<String> = worst.iter().take(NAMED_MAX).map(|file| format!("`{}`", file.path)).collect();
        let (all, named) = (modules.len(), named.join(", "));
        let message =
            format!("{} of {all} files that decide something have no test; most is decided in {named}", untested.len());
        push(found, first, message, "repository");
    }
}

fn push(found: &mut Findings<'_>, file: &FileFacts, message: String, mark: &str) {
    let Some(place) = file.facts.testing.as_ref().and_then(|testing| testing.place.as_ref()) else { return };
    found.push(Hit {
        place: Place::of_spot(&file.path, place).marked(mark),
        severity: Severity::Info,
        // A test may come to it by ways that names do not show.
        confidence_permille: 600,
        message,
        suggestion: "begin with a test of what it decides most often",
    });
}

/// All before the last slash.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What is known of all tests.
struct Known<'t> {
    has_tests: bool,
    /// Folders with tests in Go, each a package that is tested as one.
    packages: HashSet<&'t str>,
    /// Files of modules in Rust that hold tests.
    parents: HashSet<&'t str>,
    /// Names of files that tests are named after.
    stems: HashSet<u32>,
    /// What tests mention.
    mentions: HashSet<u32>,
    /// How many files offer each name.
    offered: HashMap<u32, u32>,
}

impl<'t> Known<'t> {
    fn of(tree: &'t Tree) -> Self {
        let stems: HashSet<u32> =
            tree.paths.iter().filter(|path| paths::is_test(path)).flat_map(|path| names::tested_by(path)).collect();
        let all = || tree.files.iter().filter_map(|file| file.facts.testing.as_ref());
        let mut offered: HashMap<u32, u32> = HashMap::new();
        for name in all().flat_map(|testing| &testing.offers.0) {
            *offered.entry(*name).or_default() += 1;
        }
        let mentions: HashSet<u32> = all().flat_map(|testing| testing.mentions.0.iter().copied()).collect();
        let has_tests = !mentions.is_empty() || all().any(|testing| testing.has_tests);
        let packages = tree.paths.iter().filter(|path| path.ends_with("_test.go")).map(|path| folder(path)).collect();
        let holds_tests = |file: &&FileFacts| file.facts.testing.as_ref().is_some_and(|testing| testing.has_tests);
        let parents = tree.files.iter().filter(holds_tests).map(|file| file.path.as_str()).collect();
        Self { has_tests, packages, parents, stems, mentions, offered }
    }

    /// Whether the file is a part of something that is tested as one.
    fn is_part_of_tested(&self, path: &str) -> bool {
        let folder = folder(path);
        match paths::extension(path) {
            Some("go") => self.packages.contains(folder),
            Some("rs") => {
                self.parents.contains(format!("{folder}.rs").as_str())
                    || self.parents.contains(format!("{folder}/mod.rs").as_str())
            }
            _ => false,
        }
    }

    fn is_tested(&self, file: &FileFacts) -> bool {
        let Some(testing) = &file.facts.testing else { return true };
        let is_only_here = |name: &&u32| self.offered.get(name) == Some(&1);
        let is_known = |stem: u32| self.stems.contains(&stem) || self.mentions.contains(&stem);
        testing.has_tests
            || is_known(names::stem(&file.path))
            || names::stem_of_way(&file.path).is_some_and(is_known)
            || self.is_part_of_tested(&file.path)
            || testing.offers.0.iter().filter(is_only_here).any(|name| self.mentions.contains(name))
    }
}

#[cfg(test)]
#[path = "module_without_test/tests.rs"]
mod tests;
