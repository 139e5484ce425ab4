//! Code that was commented out and left.

mod told;

use std::cell::LazyCell;

use schemas::severity::Severity;

use crate::names::words;
use crate::outline::Span;
use crate::paths;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Six or more lines of comments, one after the other, that are statements of the language around them. One comment is
    /// one finding, however many pieces of code it holds.
    ///
    /// Documentation, licences, copies of libraries, files of settings and templates, where what may be set is shown as
    /// a comment, what tests read, and samples are left alone: what a sentence ending in a colon introduces, what
    /// speaks of an example, an address or of where values come from, what is indented below a sentence of the same
    /// comment, a comment right above a function or type that begins with a sentence, the format of a file of settings
    /// (`[section]`, `key=value`), what the first sentence calls the original or old code and says why it was replaced,
    /// the records of protocols (`struct {` .. `} Name;`) outside of C, and the C code above Go's `import "C"`.
    ///
    /// ## Why it matters
    /// Nobody compiles it, tests it or renames in it; soon it does not fit the code around it. Who reads it cannot tell whether
    /// it waits for something. What was there is in the history.
    ///
    /// ## Example
    /// ```text
    /// // let rows = load(path)?;
    /// // for row in &rows {
    /// //     if row.is_open() {
    /// //         close(row)?;
    /// ```
    ///
    /// ## How to fix
    /// Delete it. If it is to come back, a ticket can name the commit that still has it.
    "integrity/commented-out-code", Integrity, Low, version: 6, Check::Code(check)
);

/// Statements from which on a comment is code.
const STATEMENTS_MIN: usize = 6;

/// Words of a sentence that shows code on purpose.
const INTRODUCTIONS: &[&str] = &[
    "becomes",
    "calculated",
    "computed",
    "configur",
    "conceptually",
    "e.g",
    "equivalent",
    "example",
    "following",
    "expands to",
    "for instance",
    "generated",
    "generates",
    "https://",
    "http://",
    "i.e",
    "like so",
    "like this",
    "lowered",
    "looks like",
    "obtained",
    "produced",
    "pseudo",
    "reference",
    "rewritten as",
    "rewrites to",
    "roughly",
    "sample",
    "schematic",
    "snippet",
    "transformed",
    "transforms",
    "translated",
    "translates",
    "uncomment",
    "usage",
];

/// Words between two names of one expression.
const OPERATOR_WORDS: &[&str] =
    &["and", "as", "async", "await", "else", "for", "from", "function", "if", "in", "is", "lambda", "new", "not", "or"];

/// What stands below a comment of Go that holds C: there it is no comment.
const C_IMPORT: &str = "import \"C\"";

/// Words of licences, and of what other programs calculate by.
const LICENCES: &[&str] = &["copyright", "license", "licence", "mathematica", "matlab", "mpmath", "spdx-", "wolfram"];

/// Spaces that a tab counts as: code in documentation is set off by one tab, where a sentence is by one space.
const TAB_SPACES: usize = 4;

/// What opens a statement in a language that ends lines without a mark.
const OPENERS: &[&str] = &[
    "assert ", "await ", "break", "const ", "continue", "def ", "defer ", "del ", "elif ", "except", "export ",
    "from ", "func ", "go ", "import ", "let ", "pass", "print", "raise ", "return", "throw ", "try", "var ", "yield ",
];

/// How comments begin that are documentation, and those that hold code in C which a tool compiles.
const NO_CODE_MARKS: &[&str] = &["///", "//!", "/**", "/*!", "#!", "##", "/*JNI"];

/// What a line of a comment is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A statement, or the head of one.
    Statement,
    /// What may stand between statements.
    Neutral,
    /// Words for people.
    Prose,
}

/// A line of a comment, without its marks.
struct Line {
    span: Span,
    /// Spaces in front of the text.
    indent: usize,
}

/// Parts of the names of files of settings and templates.
const SETTINGS_NAMES: &[&str] = &[
    "conf",
    "config",
    "configuration",
    "defaults",
    "dist",
    "example",
    "gradle",
    "rc",
    "sample",
    "settings",
    "template",
    "tmpl",
];

/// Directories of such files, and of what only shows how.
const SETTINGS_DIRECTORIES: &[&str] = &[
    "conf",
    "config",
    "benchmarks",
    "demo",
    "demos",
    "example",
    "examples",
    "initializers",
    "samples",
    "templates",
    "tutorial",
    "tutorials",
];

/// Extensions of shells, where what may be set is written as a comment.
const SHELLS: &[&str] = &["bash", "bats", "ksh", "sh", "zsh"];

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let path = file.source.path;
    let is_shell = |extension| SHELLS.contains(&extension);
    if paths::extension(path).is_none_or(is_shell) || holds_settings(path) || file.is_foreign() {
        return;
    }
    // Most comments are read without an answer to this.
    let ends_in_semicolons = LazyCell::new(|| ends_in_semicolons(file));
    for block in blocks(file) {
        let lower = file.text(&(block[0].span.start..block[block.len() - 1].span.end)).to_ascii_lowercase();
        let below = &file.source.text[block[block.len() - 1].span.end..];
        let is_source = below.trim_start_matches([' ', '\t', '\r', '\n', '*', '/']).starts_with(C_IMPORT);
        if !is_source && !told::is_told(file, &block) && !LICENCES.iter().any(|word| lower.contains(word)) {
            read(file, &block, &|| *ends_in_semicolons, found);
        }
    }
}

/// Whether the lines of code in the file end in semicolons: where they do, a line without one is hardly a statement.
fn ends_in_semicolons(file: &File<'_>) -> bool {
    let lines = file.source.lines().filter(|span| !file.outline.is_quoted(span.start));
    let (ended, total) = lines.fold((0, 0), |(ended, total), span| {
        let line = file.text(&span).trim_end();
        (ended + usize::from(line.ends_with(';')), total + usize::from(!line.is_empty()))
    });
    ended * 5 > total
}

/// Whether the file holds settings, is there to be filled in, or is read by tests.
fn holds_settings(path: &str) -> bool {
    let name = words(paths::file_name(path));
    paths::is_test_input(path)
        || paths::is_documentation(path)
        || paths::has_directory(path, SETTINGS_DIRECTORIES)
        || name.iter().any(|word| SETTINGS_NAMES.contains(&word.as_str()))
}

/// The comments that stand on lines of their own, those with nothing but space between them together. Documentation is
/// none of them.
fn blocks(file: &File<'_>) -> Vec<Vec<Line>> {
    let mut blocks: Vec<Vec<Line>> = Vec::new();
    let mut previous_end = 0;
    for comment in &file.outline.comments {
        let text = file.text(comment);
        let first = file.source.line_of(comment.start);
        let stands_alone = file.text(&(file.source.line_span(first).start..comment.start)).trim().is_empty();
        if !stands_alone || NO_CODE_MARKS.iter().any(|mark| text.starts_with(mark)) {
            continue;
        }
        let last = file.source.line_of(comment.end.saturating_sub(1));
        let lines = (first..=last).map(|line| content(file, comment, line));
        let between = file.text(&(previous_end..comment.start));
        match blocks.last_mut().filter(|_| between.trim().is_empty()) {
            Some(block) => block.extend(lines),
            None => blocks.push(lines.collect()),
        }
        previous_end = comment.end;
    }
    blocks.retain(|block| block.len() >= STATEMENTS_MIN);
    blocks
}

/// What line `line` of `comment` says.
fn content(file: &File<'_>, comment: &Span, line: usize) -> Line {
    let span = file.source.line_span(line);
    let (start, end) = (span.start.max(comment.start), span.end.min(comment.end));
    let text = file.text(&(start..end.max(start)));
    let rest = text.trim_start();
    let rest = ["//", "/*", "*/", "*", "#"].iter().find_map(|mark| rest.strip_prefix(mark)).unwrap_or(rest);
    let body = rest.trim_end().trim_end_matches("*/").trim();
    let indent = rest.chars().take_while(|c| c.is_whitespace()).map(|c| if c == '\t' { TAB_SPACES } else { 1 }).sum();
    let start = start + (text.len() - rest.trim_start().len());
    Line { span: start..start + body.len(), indent }
}

/// Reports the code in `block`, from the first stretch of it to the last.
fn read(file: &File<'_>, block: &[Line], ends_in_semicolons: &dyn Fn() -> bool, found: &mut Findings<'_>) {
    let mut prose: Option<&Line> = None;
    let mut is_introduced = false;
    let mut stretch: Vec<&Line> = Vec::new();
    let mut code: Vec<&Line> = Vec::new();
    for line in block.iter().map(Some).chain([None]) {
        let kind = line.map_or(Kind::Prose, |line| kind(file.text(&line.span), ends_in_semicolons));
        match (kind, line) {
            (Kind::Statement, Some(line)) => stretch.push(line),
            (Kind::Prose, line) => {
                let is_sample = is_introduced || prose.is_some_and(|prose| introduces(file, prose, &stretch));
                if stretch.len() >= STATEMENTS_MIN && !is_sample {
                    code.append(&mut stretch);
                }
                stretch.clear();
                prose = line;
                // A sample goes on below sentences in it.
                is_introduced |= line.is_some_and(|line| speaks_of_samples(file.text(&line.span)));
            }
            _ => {}
        }
    }
    if !code.is_empty() {
        report(file, &code, found);
    }
}

/// Whether the sentence `prose` shows the code below it on purpose.
fn introduces(file: &File<'_>, prose: &Line, stretch: &[&Line]) -> bool {
    let text = file.text(&prose.span);
    let is_indented = stretch.iter().all(|line| line.indent > prose.indent + 1);
    text.ends_with(':') || is_indented
}

fn speaks_of_samples(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    INTRODUCTIONS.iter().any(|word| text.contains(word))
}

fn report(file: &File<'_>, stretch: &[&Line], found: &mut Findings<'_>) {
    let (first, last) = (stretch[0], stretch[stretch.len() - 1]);
    found.push(Hit {
        place: file.place(first.span.start..last.span.end),
        severity: Severity::Low,
        confidence_permille: 800,
        message: format!("{} statements are commented out", stretch.len()),
        suggestion: "delete them; the history keeps what was there",
    });
}

fn kind(text: &str, ends_in_semicolons: &dyn Fn() -> bool) -> Kind {
    if is_prose(text) {
        return Kind::Prose;
    }
    let has_code = text.contains(['=', '(', ')', '.', '[', '<', '"', '\'', ':']);
    let is_ended = text.ends_with(';') && (has_code || OPENERS.iter().any(|word| text.starts_with(word)));
    let is_head = text.ends_with('{') && text.len() > 2;
    let is_open_ended = || is_assignment(text) || is_call(text) || opens_statement(text);
    if is_ended || is_head || (is_open_ended() && !ends_in_semicolons()) { Kind::Statement } else { Kind::Neutral }
}

/// Whether most of `text` is words.
fn is_prose(text: &str) -> bool {
    if text.starts_with("http") && text.contains("://") {
        return true;
    }
    if text.starts_with("import ") || (text.starts_with("from ") && text.contains(" import ")) {
        return false;
    }
    let is_title = text.ends_with(':') && text.chars().all(|c| c.is_alphabetic() || c == ' ' || c == ':');
    if is_title && !opens_statement(text) {
        return true;
    }
    let is_word = |word: &&str| {
        let word = word.trim_end_matches([',', '.', ':', ';', '!', '?']).trim_matches(['`', '"', '(', ')', '\'']);
        !word.is_empty() && word.chars().all(|c| c.is_alphabetic() || c == '-' || c == '\'')
    };
    let (words, total) = (text.split_whitespace().filter(is_word).count(), text.split_whitespace().count());
    // Scripts without spaces have few words, all of them foreign to code.
    let foreign = text.chars().filter(|c| !c.is_ascii()).count();
    let is_sentence = text.ends_with('.') && words >= 2;
    let is_head = text.ends_with('{') || (text.starts_with("for ") && text.contains(" in ") && text.ends_with(':'));
    (words >= 4 && words * 10 >= total * 7 && !is_head) || is_sentence || foreign * 2 > text.chars().count()
}

/// `a = b`, `let a: B = c`, `a, b := c`, `a += b`.
fn is_assignment(text: &str) -> bool {
    let Some(at) = text.find('=').filter(|at| *at > 0) else { return false };
    let (left, right) = (text[..at].trim_end_matches([':', '+', '-', '*', '/', '|', '&']).trim_end(), &text[at + 1..]);
    let is_target = left.chars().all(|c| c.is_alphanumeric() || "_.,[]\"' $:*".contains(c));
    let words = left.split_whitespace().filter(|word| !word.ends_with(',')).count();
    let is_number = left.starts_with(|c: char| c.is_ascii_digit());
    let is_formula = right.contains(" -- ") || has_neighbours(right);
    let is_plain = !right.is_empty() && !right.starts_with(['=', '>']) && !is_formula;
    is_target && !is_number && (1..=3).contains(&words) && is_plain
}

/// Whether two names stand side by side in `text`, as in formulas and sentences but in no expression.
fn has_neighbours(text: &str) -> bool {
    let is_name = |word: &str| {
        let mut chars = word.chars();
        chars.next().is_some_and(char::is_alphabetic) && chars.all(|c| c.is_alphanumeric() || c == '_')
    };
    let is_name = |word: &str| is_name(word) && !OPERATOR_WORDS.contains(&word);
    let is_quoted = text.contains(['"', '\'', '`', '#']);
    let words: Vec<&str> = text.split_whitespace().collect();
    !is_quoted && words.windows(2).any(|pair| pair.iter().all(|word| is_name(word)))
}

/// `a.b(c)` and nothing else.
fn is_call(text: &str) -> bool {
    let Some(at) = text.find('(') else { return false };
    let name = text[..at].trim_start_matches("await ");
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.$".contains(c)) && text.ends_with([')', '('])
}

fn opens_statement(text: &str) -> bool {
    let is_head = text.ends_with(':')
        && ["class ", "else", "except", "finally", "for ", "if ", "try", "while ", "with "]
            .iter()
            .any(|word| text.starts_with(word));
    is_head || text.starts_with('@') || OPENERS.iter().any(|word| text.starts_with(word))
}

#[cfg(test)]
#[path = "commented_out_code/tests.rs"]
mod tests;
