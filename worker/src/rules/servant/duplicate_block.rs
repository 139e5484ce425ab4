//! Code that stands in two files.

use std::collections::BTreeSet;

use schemas::facts::{FileFacts, Spot, Tree};
use schemas::packed::{Window, Windows};
use schemas::severity::Severity;
use xxhash_rust::xxh3::xxh3_64;

use crate::outline::{Function, Span};
use crate::paths;
use crate::rules::foreign::whole_projects;
use crate::rules::{Check, File, Findings, Hit, Place, Threshold, Told, rule};
use crate::tokens::{self, Token};
use crate::winnow::{GUARANTEE, WINDOW, winnow};

mod declared;
mod twins;

rule!(
    /// ## What it finds
    /// Blocks of code that stand in another file too, token by token, whatever their layout and comments. A hundred equal tokens
    /// (some ten lines) are always found (medium, below ten lines low), fifty and more often (low, from ten lines on). Each
    /// further copy is reported once, with the place of the first.
    ///
    /// Comments and so licences, imports, tests, benchmarks, examples, documentation, templates, generated and compiled
    /// files, copies of libraries, other projects that a folder holds as a whole (`LICENSE` and `.github/workflows/`)
    /// and tables of values are left alone, and so are blocks that are mostly signatures or constructors without a
    /// decision, and, in languages that keep their code in functions, blocks that are mostly declarations: types,
    /// interfaces, members that only hand on or rebuild an object field by field. Programs as they are installed
    /// (`bin/`), scripts beside what they are compiled from, and folders beside each other that implement the same
    /// (mostly the same file names in both) are left alone. Files for one platform, build or type of values (`IntList`,
    /// `FloatList`) are meant to be alike. Markup between the code of PHP and lists of calls with nothing but fixed
    /// values (`add_option("a", help="b")`) are no code.
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
    "servant/duplicate-block", Servant, Medium, version: 4, thresholds: &[&LINES_MIN, &TOKENS_MIN],
    Check::Tree { facts_version: 5, collect, judge }
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

/// Names of functions that set up an object.
const CONSTRUCTORS: &[&str] = &["__construct", "__init__", "constructor", "initialize"];

/// Tokens of a body up to which it only hands on.
const HANDS_ON_MAX: usize = 24;

/// Tokens for each field of its own object from which on a body does more than to hand fields on: `a: self.a,` are six.
const TOKENS_PER_FIELD_MAX: usize = 10;

/// Tokens of a signature from which on it is long, for a window that begins with them.
const SIGNATURE_MAX: usize = 15;

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

/// Lines from which on a block is medium: fewer are a form of the language as often as something that goes wrong twice.
const MEDIUM_LINES_MIN: u32 = 10;

/// How many lines more such a block must have: a few calls in a row are soon alike.
const SINGLE_LINES_MORE: u64 = 4;

fn collect(file: &File<'_>, told: &mut Told) -> bool {
    if file.outline.gap.is_some() {
        return false;
    }
    let path = file.source.path;
    if paths::is_test(path)
        || paths::has_directory(path, WHOLE)
        || path.split('/').rev().skip(1).any(|folder| folder.ends_with("bench"))
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
        (in_bodies.hold_most(first) && is_code(inside, hashes)).then(|| Window {
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
    words >= WORDS_MIN && firsts.take(DISTINCT_MIN).count() == DISTINCT_MIN && !declared::is_list_of_calls(window)
}

/// How many tokens of a file do something, up to each one.
struct Bodies {
    before: Vec<usize>,
    /// Whether each one stands in the signature of a function.
    is_signature: Vec<bool>,
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
        let (mut before, mut is_signature) = (vec![0], Vec::with_capacity(tokens.len()));
        let markup = if matches!(extension, Some("php" | "phtml")) { declared::markup(tokens) } else { Vec::new() };
        for (place, token) in tokens.iter().enumerate() {
            while open.pop_if(|(function, _)| function.span.end <= token.at).is_some() {}
            while let Some(next) = functions.next_if(|(function, _)| function.span.start <= token.at) {
                open.push(next);
                while open.pop_if(|(function, _)| function.span.end <= token.at).is_some() {}
            }
            let is_in_body =
                |(function, _): &(&Function, bool)| function.body.as_ref().is_some_and(|body| body.contains(&token.at));
            is_signature.push(open.last().is_some_and(|open| !is_in_body(open)));
            let does = open.last().map_or(is_elsewhere, |open| open.1 && is_in_body(open));
            sum += usize::from(does && !markup.get(place).is_some_and(|is_markup| *is_markup));
            before.push(sum);
        }
        Self { before, is_signature }
    }

    /// Whether at least half of the window that begins with token `first` does something, and it does not begin with a long
    /// signature: the rest of it is a line or two.
    fn hold_most(&self, first: usize) -> bool {
        let (Some(before), Some(up_to)) = (self.before.get(first), self.before.get(first + WINDOW)) else {
            return true;
        };
        let opening = self.is_signature.get(first..first + SIGNATURE_MAX).unwrap_or_default();
        let is_signature = !opening.is_empty() && opening.iter().all(|is_signature| *is_signature);
        2 * (up_to - before) >= WINDOW && !is_signature
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
    let copies = whole_projects(&tree.paths);
    for block in blocks(&tree.files, &matches(&tree.files, &copies)) {
        if found.is_full() {
            return;
        }
        report(tree, &block, found);
    }
}

fn window(files: &[FileFacts], at: At) -> Option<&Window> {
    files.get(at.0)?.facts.windows.0.get(at.1)
}

/// Each window that an earlier file has too, with the first one there, in the order of the files. None is of a file
/// below one of `copies`, the folders of other projects.
fn matches(files: &[FileFacts], copies: &BTreeSet<&str>) -> Vec<(At, At)> {
    let places = |(file, facts): (usize, &FileFacts)| {
        let windows = facts.facts.windows.0.iter().enumerate();
        windows.map(|(place, window)| (window.hash, (file, place))).collect::<Vec<_>>()
    };
    let own = files.iter().enumerate().filter(|(_, file)| !paths::is_below(&file.path, copies));
    let mut windows: Vec<(u64, At)> = own.flat_map(places).collect();
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
        twins::are_twins(&file.path, &other.path)
            || twins::are_variants(&tree.paths, &file.path, &other.path)
            || twins::is_installed(file, other)
    };
    if is_small || is_meant() || !(tree.is_asked(&file.path) || tree.is_asked(&other.path)) {
        return;
    }
    let spot = Spot { line: from.first_line, column: 1, end_line, end_column: 1, snippet: String::new() };
    found.push(Hit {
        place: Place::of_spot(&file.path, &spot).marked(&format!("{:x}", from.hash)),
        severity: if is_single || lines < MEDIUM_LINES_MIN { Severity::Low } else { Severity::Medium },
        confidence_permille: if is_single { SINGLE_PERMILLE } else { 900 },
        message: format!("{lines} lines that also stand in `{}` from line {} on", other.path, original.first_line),
        suggestion: "keep one of them where both can call it",
    });
}

#[cfg(test)]
#[path = "duplicate_block/tests.rs"]
mod tests;
