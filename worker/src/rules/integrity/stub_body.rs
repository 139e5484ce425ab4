//! Functions that are not implemented.

mod excuses;
mod surroundings;

use schemas::severity::Severity;

use excuses::{belongs_to_others, is_of_type, is_one_of_two, says_later};
use surroundings::{is_handed_on, is_idle_file, is_interface, is_of_go_build, is_said_at_head, may_be_idle};

use crate::names::words;
use crate::outline::{Body, Function, Span};
use crate::paths;
use crate::rules::marks::says_why;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Functions whose whole body says that it is not implemented: `todo!()`, `unimplemented!()`, `raise NotImplementedError`,
    /// `panic("not implemented")`, `throw new Error("not implemented")` (high); and functions that do nothing at all, `{}` and
    /// `pass`, where nothing else can have a part in it: outside of types, conditions and other functions, or private (medium,
    /// less sure). In a class that others may extend the method has to say that it waits to be written ("not yet
    /// implemented", `TODO`; medium): without that, it is left to them.
    ///
    /// Left alone are functions for others to fill in (abstract methods, members of protocols, traits and interfaces, overloads,
    /// stub files, methods of base classes), operators and inherited methods that refuse to work, what is not implemented for or
    /// on something in particular, functions that a condition of two chooses from, methods that do nothing, functions that do
    /// nothing with several parameters, since others chose them, or because of a decorator, or whose comment, documentation or
    /// name says why, or the comment at the head of the file, those that a table in C or C++ names, hooks, parts of the code
    /// that are built on a condition or for one platform, files of several functions that do nothing or that all refuse, several
    /// stubs of Python with one decorator, which has the use of their names, functions of PHP that show markup, steps of
    /// migrations (`upgrade`, `down`), messages that say why something is not supported, types and files that stand in for others
    /// by their name, methods of Go whose receiver has none, examples, and code for tests.
    ///
    /// ## Why it matters
    /// The function can be called and looks finished from outside. What it promises does not happen.
    ///
    /// ## Example
    /// ```text
    /// pub fn refund(order: &Order) -> Result<(), Error> {
    ///     todo!()
    /// }
    /// ```
    ///
    /// ## How to fix
    /// Implement it, or take it away until it is needed. If nothing is right here, say why in a comment.
    "integrity/stub-body", Integrity, High, version: 8, Check::Code(check)
);

/// Names of functions that may do nothing: entry points and constructors without work, and those that say so.
const IDLE_NAMES: &[&str] = &["cleanup_module", "constructor", "init", "init_module", "main", "new"];

/// Words in names that say that nothing is done, or that the documentation is all there is.
const IDLE_WORDS: &[&str] = &[
    "blank",
    "callback",
    "callbacks",
    "default",
    "disabled",
    "doc",
    "docs",
    "dummy",
    "empty",
    "fake",
    "fallback",
    "handler",
    "ignore",
    "marker",
    "mock",
    "noop",
    "nop",
    "nothing",
    "null",
    "placeholder",
    "stub",
];

/// First words of the names of hooks, and of halves of pairs of which the other may have all the work.
const HOOK_WORDS: &[&str] = &[
    "after",
    "assert",
    "before",
    "check",
    "consume",
    "destroy",
    "did",
    "discard",
    "dispose",
    "drop",
    "forget",
    "handle",
    "is",
    "keep",
    "lock",
    "loop",
    "on",
    "post",
    "postprocess",
    "pre",
    "preprocess",
    "setup",
    "teardown",
    "test",
    "unlock",
    "use",
    "will",
];

/// Words in names of functions whose purpose is to refuse.
const REFUSING_WORDS: &[&str] = &[
    "convertback",
    "noimpl",
    "notimplemented",
    "notsupported",
    "refuse",
    "unimplemented",
    "unreachable",
    "unsupported",
];

/// Words in names of files that hold classes for others to extend.
const BASE_WORDS: &[&str] = &["abstract", "base", "baseclasses", "bases", "interface", "interfaces"];

/// Words in paths of code for one platform, which has a counterpart that does something.
const PLATFORM_WORDS: &[&str] = &[
    "386", "aix", "amd64", "android", "arm", "arm64", "darwin", "ios", "linux", "loong64", "macos", "mips", "mips64",
    "ppc64", "riscv", "riscv64", "s390x", "unix", "wasm", "win32", "windows", "x86",
];

/// Marks in names of files that have a twin for another platform: `a.web.ts`.
const TWIN_MARKS: &[&str] =
    &["android", "browser", "client", "desktop", "ios", "macos", "native", "node", "server", "web", "windows"];

/// Words in documentation that say why nothing is done.
const REASONS: &[&str] = &[
    "abstract",
    "do not use",
    "do nothing",
    "does nothing",
    "don't use",
    "hook",
    "no op",
    "no-op",
    "noop",
    "overrid",
    "subclass",
];

/// Words in paths of modules that stand in for others.
const STAND_IN_WORDS: &[&str] = &["dummy", "fake", "fakes", "noop", "null"];

/// Parameters of a function that does nothing, from which on its shape is chosen elsewhere: it fills an interface.
const CHOSEN_PARAMETERS_MIN: u32 = 2;

/// Directories of what only shows how, or is there to be filled in.
const SAMPLE_DIRECTORIES: &[&str] = &[
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "demo",
    "demos",
    "example",
    "examples",
    "exercises",
    "sample",
    "samples",
    "skeleton",
    "templates",
    "tutorial",
    "tutorials",
];

/// Marks of work that is still to be done: a comment with one gives no reason.
const UNFINISHED: &[&str] = &["FIXME", "TODO", "XXX"];

/// What a stub says of itself in lower case, if it is there to be written and not to refuse.
const CONFESSIONS: &[&str] = &["implemented", "todo", "unimplemented"];

/// Lines above a method in which its class is looked for: longer classes are rare, and hostile files full of methods are not.
const CLASS_LINES_MAX: usize = 400;

/// Lines at the beginning of a class in which its documentation says what it is for.
const CLASS_HEAD_LINES: usize = 8;

/// Lines above a class in which its documentation says so.
const CLASS_DOC_LINES: usize = 8;

/// What the documentation of a class says that others are to extend.
const BASE_PHRASES: &[&str] = &["abstract", "base class", "inherit", "interface", "parent", "subclass", "superclass"];

/// Comments above a function that are read: its documentation, and a mark for a tool below it.
const COMMENTS_ABOVE: usize = 2;

/// How much of a body is searched for such words.
const BODY_BYTES_MAX: usize = 1_000;

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let path = file.source.path;
    let stands_in = || path_words(file, usize::MAX).any(|word| STAND_IN_WORDS.contains(&word.as_str()));
    if paths::is_stand_in(path) || stands_in() || paths::has_directory(path, SAMPLE_DIRECTORIES) {
        return;
    }
    let does_little = |one: &Function| matches!(one.shape, Body::Empty | Body::Stub);
    if !file.outline.functions.iter().any(does_little)
        || is_interface(file, |function| says_later(file, function))
        || is_said_at_head(file)
    {
        return;
    }
    let is_idle_file = is_idle_file(file);
    for function in &file.outline.functions {
        if function.is_abstract || function.test.is_some() || file.is_test_code(function.span.start) {
            continue;
        }
        if does_little(function) && may_be_idle(file, function) {
            continue;
        }
        let (severity, confidence_permille, message) = match function.shape {
            // A class may leave it to others to fill it in without a word about that.
            Body::Stub if may_be_stub(file, function) => continue,
            Body::Stub if belongs_to_others(file, function) => continue,
            Body::Stub if function.is_overridable => (Severity::Medium, 700, "method is not implemented"),
            Body::Stub => (Severity::High, 900, "function is not implemented"),
            Body::Empty if is_idle_file || !stands_alone(file, function) || may_be_empty(file, function) => continue,
            Body::Empty if is_handed_on(file, function) => continue,
            Body::Empty => (Severity::Medium, 500, "function does nothing"),
            _ => continue,
        };
        found.push(Hit {
            place: file.place(function.name.clone()),
            severity,
            confidence_permille,
            message: message.to_owned(),
            suggestion: "implement it, or take it away; if nothing is right here, say why in a comment",
        });
    }
}

/// Whether `function` refuses on purpose, or is there for others to fill in.
fn may_be_stub(file: &File<'_>, function: &Function) -> bool {
    let name = file.text(&function.name);
    let joined = words(name).join("");
    let body = file.text(&function.body.clone().unwrap_or(0..0)).trim_end();
    let lower = body[body.ceil_char_boundary(body.len().saturating_sub(BODY_BYTES_MAX))..].to_lowercase();
    let is_bare_refusal = !CONFESSIONS.iter().any(|word| lower.contains(word));
    // What is not implemented for something in particular is for everything else.
    let is_particular =
        ["for", "on", "in", "by", "with"].iter().any(|word| lower.contains(&format!("implemented {word} ")));
    let refuses = is_bare_refusal || (is_particular && !says_later(file, function));
    let is_base = || path_words(file, 1).any(|word| BASE_WORDS.contains(&word.as_str()));
    let is_to_fill_in =
        function.is_overridable && (is_base() || is_in_base_class(file, function) || !says_later(file, function));
    let is_refusing = REFUSING_WORDS.iter().any(|word| joined.contains(word));
    refuses || is_to_fill_in || is_refusing || is_protocol(name) || is_explained(file, function)
}

/// Whether nobody but the function itself can have a part in what it does: no type, condition or function is around it, or it
/// is private.
fn stands_alone(file: &File<'_>, function: &Function) -> bool {
    let head = file.text(&(function.span.start..function.name.start));
    let line = file.source.line_span(file.source.line_of(function.span.start));
    let is_indented = file.text(&line).starts_with([' ', '\t']);
    let is_private = head.split_whitespace().any(|word| word == "private");
    // In scripts a value that is a function is there to be replaced.
    let is_value = is_script(file) && !head.split_whitespace().any(|word| word.starts_with("function"));
    let is_weak = head.contains("weak");
    is_private
        || !(is_indented
            || is_value
            || is_weak
            || function.is_documented
            || head.ends_with("::")
            || file.text(&function.name).contains("::")
            || is_of_type(file, function)
            || is_one_of_two(file, function))
}

fn is_script(file: &File<'_>) -> bool {
    matches!(
        paths::extension(file.source.path),
        Some("cjs" | "cts" | "js" | "jsx" | "mjs" | "mts" | "ts" | "tsx" | "vue")
    )
}

/// Whether nothing is wrong with a function that does nothing.
pub(crate) fn may_be_empty(file: &File<'_>, function: &Function) -> bool {
    let name = file.text(&function.name);
    let words = words(name);
    let is_idle = words.iter().any(|word| IDLE_WORDS.contains(&word.as_str())) || words.join("").contains("noop");
    let is_hook = words.first().is_some_and(|word| HOOK_WORDS.contains(&word.as_str()));
    let is_documented_method = function.is_overridable && function.is_documented;
    let is_on_one_platform = || path_words(file, usize::MAX).any(|word| PLATFORM_WORDS.contains(&word.as_str()));
    // `__flowtests__` and the like: what is checked there is types.
    let is_for_types = || path_words(file, usize::MAX).any(|word| word.ends_with("tests"));
    let has_twin = || file_marks(file).any(|mark| TWIN_MARKS.contains(&mark));
    // `def _f(): pass` is there to have a function.
    let is_sample = name.starts_with('_') && name.trim_matches('_').len() == 1;
    function.is_bound
        || is_protocol(name)
        || is_sample
        || function.parameters >= CHOSEN_PARAMETERS_MIN
        || IDLE_NAMES.contains(&name)
        || is_idle
        || is_hook
        || is_documented_method
        || is_on_one_platform()
        || is_for_types()
        || has_twin()
        || is_of_go_build(file)
        || is_conditional(file, function)
        || gives_reason(file, function)
}

/// Whether the preprocessor of C takes `function` only on a condition; what guards a header against a second reading is none.
fn is_conditional(file: &File<'_>, function: &Function) -> bool {
    if !file.source.text[function.span.end..].contains("#endif") {
        return false;
    }
    let directives = file.source.text[..function.span.end].lines().map(str::trim_start);
    let mut directives = directives.filter(|line| line.starts_with('#')).peekable();
    let is_open = directives.next_if(|line| line.starts_with("#ifndef") || line.starts_with("#if !defined")).is_some();
    let is_guarded = is_open && directives.peek().is_some_and(|line| line.starts_with("#define"));
    let depth = directives.fold(i64::from(is_open), |depth, line| match line {
        _ if line.starts_with("#if") => depth + 1,
        _ if line.starts_with("#endif") => depth - 1,
        _ => depth,
    });
    depth > i64::from(is_guarded)
}

/// Whether `name` is one that Python itself calls.
fn is_protocol(name: &str) -> bool {
    name.starts_with("__") && name.ends_with("__")
}

/// The words of the last `parts` parts of the path, without what follows the first dot of each.
fn path_words<'f>(file: &'f File<'_>, parts: usize) -> impl Iterator<Item = String> + 'f {
    let parts = file.source.path.rsplit('/').take(parts);
    parts.flat_map(|part| words(part.split('.').next().unwrap_or(part)))
}

/// What stands between the dots of the name of the file.
fn file_marks<'f>(file: &'f File<'_>) -> impl Iterator<Item = &'f str> {
    paths::file_name(file.source.path).split('.').skip(1)
}

/// Whether the class around `function` says at its beginning that others are to extend it.
fn is_in_base_class(file: &File<'_>, function: &Function) -> bool {
    let own = file.source.line_of(function.span.start);
    let text = |line: usize| file.text(&file.source.line_span(line));
    let indent = |line: usize| text(line).len() - text(line).trim_start().len();
    let is_class = |line: &usize| {
        text(*line).split_whitespace().take(3).any(|word| word == "class") && indent(*line) < indent(own)
    };
    let Some(class) = (own.saturating_sub(CLASS_LINES_MAX)..own).rev().find(is_class) else { return false };
    if words(text(class)).iter().any(|word| BASE_WORDS.contains(&word.as_str())) {
        return true;
    }
    let mut head = (class.saturating_sub(CLASS_DOC_LINES)..own.min(class + CLASS_HEAD_LINES))
        .map(|line| text(line).to_lowercase());
    head.any(|line| BASE_PHRASES.iter().any(|phrase| line.contains(phrase)))
}

/// Whether a comment in `function`, or one of those right above it, says why it is a stub.
fn is_explained(file: &File<'_>, function: &Function) -> bool {
    let comments = &file.outline.comments;
    let from = comments.partition_point(|comment| comment.end <= function.span.start);
    let to = comments.partition_point(|comment| comment.start < function.span.end);
    let first_line = file.source.line_of(function.span.start);
    let above = comments[from.saturating_sub(COMMENTS_ABOVE)..from].iter();
    let mut above = above.filter(|comment| file.source.line_of(comment.end) + COMMENTS_ABOVE >= first_line);
    let mut within = comments[from..to.max(from)].iter().map(|comment| file.text(comment));
    within.any(|text| says_why(text) && !UNFINISHED.iter().any(|mark| text.contains(mark)))
        || above.any(|comment| has_reason(file.text(comment)))
}

fn has_reason(text: &str) -> bool {
    let text = text.to_lowercase();
    REASONS.iter().any(|reason| text.contains(reason))
}

/// Whether a comment stands above, in or behind `function`, or its documentation gives a reason.
fn gives_reason(file: &File<'_>, function: &Function) -> bool {
    let first = file.source.line_of(function.span.start);
    let from = file.source.line_span(first.saturating_sub(1)).start;
    let to = file.source.line_span(file.source.line_of(function.span.end.saturating_sub(1))).end;
    let body = function.body.clone().unwrap_or(0..0);
    let body = file.text(&Span { start: body.start, end: body.end.min(body.start + BODY_BYTES_MAX) }).to_lowercase();
    file.outline.has_comment(&(from..to)) || REASONS.iter().any(|reason| body.contains(reason))
}

#[cfg(test)]
#[path = "stub_body/tests.rs"]
mod tests;
