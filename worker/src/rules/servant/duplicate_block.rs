//! Code that stands in two files.

use std::collections::BTreeSet;

use schemas::facts::{FileFacts, Spot, Tree};
use schemas::packed::{Window, Windows};
use schemas::severity::Severity;
use xxhash_rust::xxh3::xxh3_64;

use crate::outline::{Function, Span};
use crate::paths;
use crate::rules::{Check, File, Findings, Hit, Place, Threshold, Told, rule};
use crate::tokens::{self, Token};
use crate::winnow::{GUARANTEE, WINDOW, winnow};

rule!(
    /// ## What it finds
    /// Blocks of code that stand in another file too, token by token, whatever their layout and comments. A hundred equal tokens
    /// (some ten lines) are always found (medium), fifty and more often (low, from ten lines on). Each further copy is reported
    /// once, with the place of the first.
    ///
    /// Comments and so licences, imports, tests, benchmarks, examples, documentation, templates, generated and compiled files,
    /// copies of libraries and tables of values are left alone, and so are blocks that are mostly signatures or constructors
    /// without a decision, and, in languages that keep their code in functions, blocks that are mostly declarations: types,
    /// interfaces, members that only hand on or rebuild an object field by field. Programs as they are installed (`bin/`),
    /// scripts beside what they are compiled from, and folders beside each other that implement the same (mostly the same file
    /// names in both) are left alone. Files for one platform or build are meant to be alike.
    ///
    /// ## Why it matters
    /// What is mended in one copy stays broken in the other. Nobody who reads one of them knows that there are two.
    ///
    /// ## Example
    /// ```text
    /// src/orders.rs:10   fn total(items: &[Item]) -> Cents { .. }
    /// src/invoices.rs:84 fn total(items: &[Item]) -> Cents { .. }
    /// ```
    ///
    /// ## How to fix
    /// Keep one of them, where both can call it. Where they are alike by chance and will go their own ways, leave them.
    "servant/duplicate-block", Servant, Medium, version: 3, thresholds: &[&LINES_MIN, &TOKENS_MIN],
    Check::Tree { facts_version: 4, collect, judge }
);

/// Names and keywords in a window from which on it is code, and not a table.
const WORDS_MIN: usize = 15;

/// Different tokens in a window from which on it says something.
const DISTINCT_MIN: usize = 12;

/// Directories of what is to be whole by itself: programs that measure, each of which begins with the same preparations, what
/// shows how something is used, and what new projects begin with.
const WHOLE: &[&str] = &[
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "demo",
    "demos",
    "doc",
    "docs",
    "example",
    "examples",
    "migrations",
    "playground",
    "sample",
    "samples",
    "template",
    "templates",
];

/// Files of one folder whose names are compared.
const NAMES_MAX: usize = 500;

/// Directories of what is compiled from sources of the same name.
const COMPILED: &[&str] = &["build", "cjs", "compiled", "dist", "es", "esm", "lib", "out", "umd"];

/// Words of names of files that are there for one platform.
#[rustfmt::skip]
const PLATFORMS: &[&str] = &[
    "386", "aix", "amd64", "android", "arm", "arm64", "bsd", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "linux",
    "macos", "mips", "native", "netbsd", "openbsd", "plan9", "posix", "ppc64", "ppc64x", "riscv64", "s390x", "solaris", "unix",
    "wasi", "wasm", "web", "win", "win32", "windows", "x86",
];

/// Names of functions that set up an object.
const CONSTRUCTORS: &[&str] = &["__construct", "__init__", "constructor", "initialize"];

/// Tokens of a body up to which it only hands on.
const HANDS_ON_MAX: usize = 24;

/// Tokens for each field of its own object from which on a body does more than to hand fields on: `a: self.a,` are six.
const TOKENS_PER_FIELD_MAX: usize = 10;

/// Directories of programs as they are installed.
const INSTALLED: &[&str] = &["bin", "sbin"];

/// File names that two folders beside each other share if each is a whole implementation of the same.
const SHARED_NAMES_MIN: usize = 3;

/// Extensions of languages in which what is done stands in functions, and the rest declares.
const IN_FUNCTIONS: &[&str] =
    &["c", "cc", "cpp", "cs", "cts", "cxx", "go", "h", "hh", "hpp", "java", "kt", "mts", "rs", "swift", "ts", "tsx"];

/// How lines begin that open a class in PHP.
const PHP_OPENINGS: &[&str] = &["abstract class ", "class ", "final class ", "interface ", "trait "];

/// Shorter blocks are quicker read twice than looked up elsewhere.
const LINES_MIN: Threshold =
    Threshold { name: "lines_min", default: 6, min: 1, max: 10_000, doc: "fewest lines of a block that is a copy" };

/// Fewer than a window holds cannot be told, since facts are made before anybody knows what a repository chooses.
const TOKENS_MIN: Threshold = Threshold {
    name: "tokens_min",
    default: WINDOW as u64,
    min: WINDOW as u64,
    max: 100_000,
    doc: "fewest words and signs of a block that are seen to be equal; of a copy up to 98 are not seen",
};

/// Windows of one file: some 250,000 tokens, more than anybody writes by hand.
const WINDOWS_MAX: usize = 10_000;

/// A block that is found by a single window may be an accident, or a signature that a trait prescribes.
const SINGLE_PERMILLE: u16 = 500;

/// How many lines more such a block must have: a few calls in a row are soon alike.
const SINGLE_LINES_MORE: u64 = 4;

fn collect(file: &File<'_>, told: &mut Told) -> bool {
    if file.outline.gap.is_some() {
        return false;
    }
    let path = file.source.path;
    if paths::is_test(path)
        || paths::has_directory(path, WHOLE)
        || file.is_foreign()
        || is_for_one_build(file)
        || is_misnamed(file)
    {
        return true;
    }
    let tokens = tokens::of_code(file);
    let hashes: Vec<u64> = tokens.iter().map(|token| xxh3_64(token.text.as_bytes())).collect();
    let in_bodies = Bodies::of(file, &tokens);
    let line = |token: &Token<'_>| u32::try_from(file.source.line_of(token.at) + 1).unwrap_or(u32::MAX);
    let windows = winnow(&hashes).into_iter().filter_map(|(hash, first)| {
        let (inside, hashes) = (tokens.get(first..first + WINDOW)?, hashes.get(first..first + WINDOW)?);
        let (from, to) = (inside.first()?, inside.last()?);
        let token = u32::try_from(first).ok()?;
        (is_code(inside, hashes) && in_bodies.hold_most(first)).then(|| Window {
            hash,
            token,
            first_line: line(from),
            last_line: line(to),
        })
    });
    let windows = windows.collect();
    told.facts.windows = Windows(told.at_most(WINDOWS_MAX, windows, "windows of code"));
    true
}

/// Whether a file in Go is left out of some builds, for which another file has the same.
fn is_for_one_build(file: &File<'_>) -> bool {
    let head = || file.source.text.lines().take_while(|line| !line.starts_with("package "));
    file.source.path.ends_with(".go")
        && head().any(|line| line.starts_with("//go:build ") || line.starts_with("// +build "))
}

/// Whether the program that the first line of a script of the shell names is another: its text is read as what it is not.
fn is_misnamed(file: &File<'_>) -> bool {
    let first = file.source.text.lines().next().unwrap_or_default();
    let is_shell = paths::extension(file.source.path).is_some_and(|extension| ["bash", "sh"].contains(&extension));
    is_shell && first.starts_with("#!") && !first.contains("sh")
}

/// Whether a file in PHP is a class, whose code stands in functions.
fn is_class_of_php(file: &File<'_>) -> bool {
    let opens = |line: &str| PHP_OPENINGS.iter().any(|opening| line.starts_with(opening));
    paths::extension(file.source.path) == Some("php") && file.source.text.lines().any(opens)
}

/// Whether a window, with the hash of each of its tokens, is code.
fn is_code(window: &[Token<'_>], hashes: &[u64]) -> bool {
    let words = window.iter().filter(|token| token.is_word()).count();
    // Most windows have enough in their first half, so that counting on costs more than looking back.
    let firsts = hashes.iter().enumerate().filter(|(place, hash)| !hashes[..*place].contains(hash));
    words >= WORDS_MIN && firsts.take(DISTINCT_MIN).count() == DISTINCT_MIN
}

/// How many tokens of a file do something, up to each one.
struct Bodies {
    before: Vec<usize>,
}

impl Bodies {
    fn of(file: &File<'_>, tokens: &[Token<'_>]) -> Self {
        let extension = paths::extension(file.source.path);
        let is_elsewhere =
            !extension.is_some_and(|extension| IN_FUNCTIONS.contains(&extension)) && !is_class_of_php(file);
        let count = |span: &Span| {
            tokens.partition_point(|token| token.at < span.end) - tokens.partition_point(|token| token.at < span.start)
        };
        let works = |function: &Function| {
            let may_hand_on = function.complexity <= 1 && (!is_elsewhere || matches!(extension, Some("php" | "phtml")));
            let hands_on = may_hand_on
                && function.body.as_ref().is_some_and(|body| {
                    let (tokens, text) = (count(body), file.text(body));
                    let fields = text.matches("self.").count() + text.matches("this.").count();
                    let is_rebuilt = fields > 1 && !text.contains(';') && tokens <= fields * TOKENS_PER_FIELD_MAX;
                    tokens <= HANDS_ON_MAX || is_rebuilt
                });
            let is_constructor = function.complexity <= 1 && CONSTRUCTORS.contains(&file.text(&function.name));
            !hands_on && !is_constructor && !function.is_abstract
        };
        let mut functions: Vec<(&Function, bool)> =
            file.outline.functions.iter().map(|one| (one, works(one))).collect();
        functions.sort_unstable_by_key(|(function, _)| function.span.start);
        let mut functions = functions.into_iter().peekable();
        let (mut open, mut sum) = (Vec::<(&Function, bool)>::new(), 0);
        let mut before = vec![0];
        for token in tokens {
            while open.pop_if(|(function, _)| function.span.end <= token.at).is_some() {}
            while let Some(next) = functions.next_if(|(function, _)| function.span.start <= token.at) {
                open.push(next);
                while open.pop_if(|(function, _)| function.span.end <= token.at).is_some() {}
            }
            let does = open.last().map_or(is_elsewhere, |(function, works)| {
                *works && function.body.as_ref().is_some_and(|body| body.contains(&token.at))
            });
            sum += usize::from(does);
            before.push(sum);
        }
        Self { before }
    }

    /// Whether at least half of the window that begins with token `first` does something.
    fn hold_most(&self, first: usize) -> bool {
        let (Some(before), Some(up_to)) = (self.before.get(first), self.before.get(first + WINDOW)) else {
            return true;
        };
        2 * (up_to - before) >= WINDOW
    }
}

/// A window as its file has it: the places of both.
type At = (usize, usize);

/// Windows of one file that follow each other and stand in another file, in whichever order.
struct Block {
    /// The earliest of them in the file that comes first.
    first: At,
    /// The first and the last of them in the other one.
    copy: (At, At),
}

fn judge(tree: &Tree, found: &mut Findings<'_>) {
    for block in blocks(&tree.files, &matches(&tree.files)) {
        if found.is_full() {
            return;
        }
        report(tree, &block, found);
    }
}

fn window(files: &[FileFacts], at: At) -> Option<&Window> {
    files.get(at.0)?.facts.windows.0.get(at.1)
}

/// Each window that an earlier file has too, with the first one there, in the order of the files.
fn matches(files: &[FileFacts]) -> Vec<(At, At)> {
    let places = |(file, facts): (usize, &FileFacts)| {
        let windows = facts.facts.windows.0.iter().enumerate();
        windows.map(|(place, window)| (window.hash, (file, place))).collect::<Vec<_>>()
    };
    let mut windows: Vec<(u64, At)> = files.iter().enumerate().flat_map(places).collect();
    windows.sort_unstable();
    let mut matches = Vec::new();
    for same in windows.chunk_by(|a, b| a.0 == b.0) {
        // Each copy with the first one, not with every other: a thousand copies are a thousand findings, not a million.
        let Some((_, first)) = same.first() else { continue };
        matches.extend(same.iter().filter(|(_, other)| other.0 != first.0).map(|(_, copy)| (*copy, *first)));
    }
    matches.sort_unstable();
    matches
}

fn blocks(files: &[FileFacts], matches: &[(At, At)]) -> Vec<Block> {
    let touch = |one: At, next: At| {
        let (Some(one), Some(next)) = (window(files, one), window(files, next)) else { return false };
        next.token.saturating_sub(one.token) as usize <= GUARANTEE
    };
    let runs = matches.chunk_by(|(copy, first), (next, next_first)| {
        copy.0 == next.0 && copy.1 + 1 == next.1 && first.0 == next_first.0 && touch(*copy, *next)
    });
    let block = |run: &[(At, At)]| {
        let ((copy, _), (copy_end, _)) = (run.first()?, run.last()?);
        let first = run.iter().map(|(_, first)| *first).min()?;
        Some(Block { first, copy: (*copy, *copy_end) })
    };
    runs.filter_map(block).collect()
}

/// Whether two files are meant to be alike: each is for another platform, or one is compiled from the other.
fn are_twins(one: &str, other: &str) -> bool {
    let stem = |path: &str| paths::file_name(path).split('.').next().unwrap_or_default().to_owned();
    let is_compiled = [one, other].iter().any(|path| paths::has_directory(path, COMPILED));
    let is_for_platform = |path: &str| {
        let name = paths::file_name(path);
        let name = name.rsplit_once('.').map_or(name, |(name, _)| name);
        name.split(['_', '-', '.']).skip(1).any(|word| PLATFORMS.contains(&word.to_ascii_lowercase().as_str()))
    };
    let is_source = |source: &str, made: &str| {
        let folders = source
            .strip_prefix("src/")
            .map(str::to_owned)
            .or_else(|| source.contains("/src/").then(|| source.replacen("/src/", "/", 1)));
        let bare = |path: &str| path.rsplit_once('.').map_or(path, |(bare, _)| bare).to_owned();
        let is_script = matches!(paths::extension(made), Some("cjs" | "js" | "mjs"));
        is_script && folders.is_some_and(|folders| bare(&folders) == bare(made))
    };
    is_source(one, other)
        || is_source(other, one)
        || (is_compiled && stem(one) == stem(other))
        || (is_for_platform(one) && is_for_platform(other))
}

/// Whether two files are the same one of two implementations: each in a folder of its own, beside each other, with mostly the same
/// names in both.
fn are_variants(paths: &BTreeSet<String>, one: &str, other: &str) -> bool {
    let (Some((one, name)), Some((other, other_name))) = (one.rsplit_once('/'), other.rsplit_once('/')) else {
        return false;
    };
    let above = |folder: &str| folder.rsplit_once('/').map(|(above, _)| above.to_owned());
    if name != other_name || one == other || above(one) != above(other) {
        return false;
    }
    let names = |folder: &str| -> BTreeSet<String> {
        let start = format!("{folder}/");
        let inside = paths.range(start.clone()..).take_while(|path| path.starts_with(&start)).take(NAMES_MAX);
        inside
            .filter_map(|path| path.strip_prefix(&start))
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
            .collect()
    };
    let (one, other) = (names(one), names(other));
    let shared = one.intersection(&other).count();
    shared >= SHARED_NAMES_MIN && shared * 2 >= one.len().max(other.len())
}

/// Whether one of two files is what the other is installed as: all of it is the same.
fn is_installed(file: &FileFacts, other: &FileFacts) -> bool {
    let is_there = |path: &str| paths::has_directory(path, INSTALLED);
    let (one, two) = (&file.facts.windows.0, &other.facts.windows.0);
    is_there(&file.path) != is_there(&other.path)
        && one.len() == two.len()
        && one.iter().zip(two).all(|(one, two)| one.hash == two.hash && one.first_line == two.first_line)
}

fn report(tree: &Tree, block: &Block, found: &mut Findings<'_>) {
    let files = &tree.files;
    let windows = (window(files, block.copy.0), window(files, block.copy.1), window(files, block.first));
    let ((Some(from), Some(to), Some(original)), Some(file), Some(other)) =
        (windows, files.get(block.copy.0.0), files.get(block.first.0))
    else {
        return;
    };
    let end_line = to.last_line.max(from.first_line);
    let (lines, tokens) = (end_line - from.first_line + 1, u64::from(to.token - from.token) + WINDOW as u64);
    let is_single = block.copy.0 == block.copy.1;
    let lines_min = found.threshold(&LINES_MIN) + if is_single { SINGLE_LINES_MORE } else { 0 };
    let is_small = u64::from(lines) < lines_min || tokens < found.threshold(&TOKENS_MIN);
    let is_meant = || {
        are_twins(&file.path, &other.path)
            || are_variants(&tree.paths, &file.path, &other.path)
            || is_installed(file, other)
    };
    if is_small || is_meant() || !(tree.is_asked(&file.path) || tree.is_asked(&other.path)) {
        return;
    }
    let spot = Spot { line: from.first_line, column: 1, end_line, end_column: 1, snippet: String::new() };
    found.push(Hit {
        place: Place::of_spot(&file.path, &spot).marked(&format!("{:x}", from.hash)),
        severity: if is_single { Severity::Low } else { Severity::Medium },
        confidence_permille: if is_single { SINGLE_PERMILLE } else { 900 },
        message: format!("{lines} lines that also stand in `{}` from line {} on", other.path, original.first_line),
        suggestion: "keep one of them where both can call it",
    });
}

#[cfg(test)]
#[path = "duplicate_block/tests.rs"]
mod tests;
