//! Code that stands in two files.

use schemas::facts::{FileFacts, Spot, Tree};
use schemas::packed::{Window, Windows};
use schemas::severity::Severity;
use xxhash_rust::xxh3::xxh3_64;

use crate::outline::Span;
use crate::paths;
use crate::rules::{Check, File, Findings, Hit, Place, Threshold, Told, rule};
use crate::tokens::{self, Token};
use crate::winnow::{GUARANTEE, WINDOW, winnow};

rule!(
    /// ## What it finds
    /// Blocks of code that stand in another file too, token by token, whatever their layout and comments. A hundred equal tokens
    /// (some ten lines) are always found, fifty and more often. Each further copy is reported once, with the place of the first.
    ///
    /// Comments and so licences, imports, tests, benchmarks, generated files and tables of values are left alone, and, in
    /// languages that keep their code in functions, blocks that are mostly declarations: types, interfaces, signatures, members
    /// that only hand on.
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
    "servant/duplicate-block", Servant, Medium, version: 1, thresholds: &[&LINES_MIN, &TOKENS_MIN],
    Check::Tree { facts_version: 2, collect, judge }
);

/// Names and keywords in a window from which on it is code, and not a table.
const WORDS_MIN: usize = 15;

/// Different tokens in a window from which on it says something.
const DISTINCT_MIN: usize = 12;

/// Directories of programs that measure, each of which begins with the same preparations.
const BENCHMARKS: &[&str] = &["bench", "benches", "benchmark", "benchmarks"];

/// Extensions of languages in which what is done stands in functions, and the rest declares.
const IN_FUNCTIONS: &[&str] =
    &["c", "cc", "cpp", "cs", "cts", "cxx", "go", "h", "hh", "hpp", "java", "kt", "mts", "rs", "swift", "ts", "tsx"];

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

fn collect(file: &File<'_>, told: &mut Told) -> bool {
    if file.outline.gap.is_some() {
        return false;
    }
    if paths::is_test(file.source.path) || paths::has_directory(file.source.path, BENCHMARKS) {
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

/// Whether a window, with the hash of each of its tokens, is code.
fn is_code(window: &[Token<'_>], hashes: &[u64]) -> bool {
    let words = window.iter().filter(|token| token.is_word()).count();
    let mut distinct = hashes.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    words >= WORDS_MIN && distinct.len() >= DISTINCT_MIN
}

/// How many tokens of a file stand in bodies of functions, up to each one.
struct Bodies {
    /// Empty where code may stand anywhere.
    before: Vec<usize>,
}

impl Bodies {
    fn of(file: &File<'_>, tokens: &[Token<'_>]) -> Self {
        if !paths::extension(file.source.path).is_some_and(|extension| IN_FUNCTIONS.contains(&extension)) {
            return Self { before: Vec::new() };
        }
        let mut bodies: Vec<&Span> = file.outline.functions.iter().filter_map(|one| one.body.as_ref()).collect();
        bodies.sort_unstable_by_key(|body| body.start);
        let mut bodies = bodies.into_iter().peekable();
        let (mut end, mut count) = (0, 0);
        let mut before = vec![0];
        for token in tokens {
            while let Some(body) = bodies.next_if(|body| body.start <= token.at) {
                end = end.max(body.end);
            }
            count += usize::from(token.at < end);
            before.push(count);
        }
        Self { before }
    }

    /// Whether at least half of the window that begins with token `first` stands in bodies.
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
    let is_small = u64::from(lines) < found.threshold(&LINES_MIN) || tokens < found.threshold(&TOKENS_MIN);
    if is_small || !(tree.is_asked(&file.path) || tree.is_asked(&other.path)) {
        return;
    }
    let spot = Spot { line: from.first_line, column: 1, end_line, end_column: 1, snippet: String::new() };
    let is_single = block.copy.0 == block.copy.1;
    found.push(Hit {
        place: Place::of_spot(&file.path, &spot).marked(&format!("{:x}", from.hash)),
        severity: Severity::Medium,
        confidence_permille: if is_single { SINGLE_PERMILLE } else { 900 },
        message: format!("{lines} lines that also stand in `{}` from line {} on", other.path, original.first_line),
        suggestion: "keep one of them where both can call it",
    });
}

#[cfg(test)]
#[path = "duplicate_block/tests.rs"]
mod tests;
