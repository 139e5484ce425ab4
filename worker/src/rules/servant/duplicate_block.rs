//! Code that stands in two files.

use std::collections::BTreeSet;

use schemas::facts::{Facts, FileFacts, Spot, Tree, Window};
use schemas::severity::Severity;
use xxhash_rust::xxh3::xxh3_64;

use crate::paths;
use crate::rules::{Check, File, Findings, Hit, Place, rule};
use crate::tokens::{self, Token};
use crate::winnow::{WINDOW, winnow};

rule!(
    /// ## What it finds
    /// Blocks of code that stand in another file too, token by token, whatever their layout and comments. A hundred equal tokens
    /// (some ten lines) are always found, fifty and more often. Each further copy is reported once, with the place of the first.
    ///
    /// Comments and so licences, imports, tests, generated files and tables of values are left alone.
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
    "servant/duplicate-block", Servant, Medium, version: 1, Check::Tree { collect, judge }
);

/// Names and keywords in a window from which on it is code, and not a table.
const WORDS_MIN: usize = 15;

/// Different tokens in a window from which on it says something.
const DISTINCT_MIN: usize = 12;

/// Fewest lines of a block: shorter ones are quicker read twice than looked up elsewhere.
const LINES_MIN: u32 = 6;

/// A block that is found by a single window may be an accident.
const SINGLE_PERMILLE: u16 = 700;

fn collect(file: &File<'_>, facts: &mut Facts) -> bool {
    if file.outline.gap.is_some() {
        return false;
    }
    if paths::is_test(file.source.path) {
        return true;
    }
    let tokens = tokens::of_code(file);
    let hashes: Vec<u64> = tokens.iter().map(|token| xxh3_64(token.text.as_bytes())).collect();
    let line = |token: &Token<'_>| file.source.position(token.at).0;
    let windows = winnow(&hashes).into_iter().filter_map(|(hash, first)| {
        let inside = tokens.get(first..first + WINDOW)?;
        let (from, to) = (inside.first()?, inside.last()?);
        is_code(inside).then(|| Window { hash, first_line: line(from), last_line: line(to) })
    });
    facts.windows = windows.collect();
    true
}

fn is_code(window: &[Token<'_>]) -> bool {
    let words = window.iter().filter(|token| token.is_word()).count();
    let distinct: BTreeSet<&str> = window.iter().map(|token| token.text).collect();
    words >= WORDS_MIN && distinct.len() >= DISTINCT_MIN
}

/// A window as its file has it: the places of both.
type At = (usize, usize);

/// Equal windows that follow each other in two files.
struct Block {
    /// In the file that comes first.
    first: (At, At),
    /// In the other one.
    copy: (At, At),
}

fn judge(tree: &Tree, found: &mut Findings<'_>) {
    for block in blocks(&matches(&tree.files)) {
        if found.is_full() {
            return;
        }
        report(tree, &block, found);
    }
}

/// Each window that an earlier file has too, with the first one there, in the order of the files.
fn matches(files: &[FileFacts]) -> Vec<(At, At)> {
    let places = |(file, facts): (usize, &FileFacts)| {
        let windows = facts.facts.windows.iter().enumerate();
        windows.map(|(place, window)| (window.hash, (file, place))).collect::<Vec<_>>()
    };
    let mut windows: Vec<(u64, At)> = files.iter().enumerate().flat_map(places).collect();
    windows.sort_unstable();
    let mut matches = Vec::new();
    for same in windows.chunk_by(|a, b| a.0 == b.0) {
        // Each copy with the first one, not with every other: a thousand copies are a thousand findings, not a million.
        let first = same[0].1;
        matches.extend(same.iter().filter(|(_, other)| other.0 != first.0).map(|(_, copy)| (*copy, first)));
    }
    matches.sort_unstable();
    matches
}

fn blocks(matches: &[(At, At)]) -> Vec<Block> {
    let follows = |one: At, other: At| one.0 == other.0 && one.1 + 1 == other.1;
    let runs = matches
        .chunk_by(|(copy, first), (next_copy, next_first)| follows(*copy, *next_copy) && follows(*first, *next_first));
    let block = |run: &[(At, At)]| {
        let ((copy, first), (copy_end, first_end)) = (*run.first()?, *run.last()?);
        Some(Block { first: (first, first_end), copy: (copy, copy_end) })
    };
    runs.filter_map(block).collect()
}

fn report(tree: &Tree, block: &Block, found: &mut Findings<'_>) {
    let span = |(from, to): (At, At)| {
        let file = &tree.files[from.0];
        let (from, to) = (&file.facts.windows[from.1], &file.facts.windows[to.1]);
        (file.path.as_str(), from, to.last_line.max(from.first_line))
    };
    let ((path, from, last_line), (other, other_from, _)) = (span(block.copy), span(block.first));
    let lines = last_line - from.first_line + 1;
    if lines < LINES_MIN || !(tree.is_asked(path) || tree.is_asked(other)) {
        return;
    }
    let (line, end_line) = (from.first_line, last_line);
    let spot = Spot { line, column: 1, end_line, end_column: 1, snippet: String::new() };
    let is_single = block.copy.0 == block.copy.1;
    found.push(Hit {
        place: Place::of_spot(path, &spot).marked(&format!("{:x}", from.hash)),
        severity: Severity::Medium,
        confidence_permille: if is_single { SINGLE_PERMILLE } else { 900 },
        message: format!("{lines} lines that also stand in `{other}` from line {} on", other_from.first_line),
        suggestion: "keep one of them where both can call it",
    });
}

#[cfg(test)]
#[path = "duplicate_block/tests.rs"]
mod tests;
