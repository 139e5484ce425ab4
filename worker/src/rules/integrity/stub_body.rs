//! Functions that are not implemented.

use schemas::severity::Severity;

use crate::names::words;
use crate::outline::{Body, Function, Span};
use crate::paths;
use crate::rules::marks::says_why;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Functions whose whole body says that it is not implemented: `todo!()`, `unimplemented!()`, `raise NotImplementedError`,
    /// `panic("not implemented")`, `throw new Error("not implemented")` (high); and functions that do nothing at all: `{}`,
    /// `pass`, `...` (medium, less sure). In a class that others may extend, medium and low: perhaps they are to fill it in.
    ///
    /// Left alone are functions for others to fill in (abstract methods, members of protocols, traits and interfaces,
    /// overloads, stub files, methods of classes that something extends, documented methods of classes and files of base
    /// classes), operators and inherited methods that refuse to work, functions that do nothing because of a base class, an
    /// interface or a decorator, or whose comment or name says why they do nothing, hooks, parts of the code that are built on
    /// a condition or for one platform, files of several functions that do nothing, files that stand in for others by their
    /// name, and code for tests.
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
    "integrity/stub-body", Integrity, High, version: 5, Check::Code(check)
);

/// Names of functions that may do nothing: entry points and constructors without work, and those that say so.
const IDLE_NAMES: &[&str] = &["constructor", "init", "main", "new"];

/// Words in names that say that nothing is done, or that the documentation is all there is.
const IDLE_WORDS: &[&str] = &[
    "blank", "disabled", "doc", "docs", "dummy", "empty", "fake", "ignore", "mock", "noop", "nop", "nothing", "null",
    "stub",
];

/// First words of the names of hooks, and of halves of pairs of which the other may have all the work.
const HOOK_WORDS: &[&str] = &[
    "after",
    "before",
    "destroy",
    "did",
    "dispose",
    "lock",
    "on",
    "post",
    "postprocess",
    "pre",
    "preprocess",
    "setup",
    "teardown",
    "unlock",
    "will",
];

/// Words in names of functions whose purpose is to refuse.
const REFUSING_WORDS: &[&str] = &["notimplemented", "unimplemented", "unsupported"];

/// Words in names of files that hold classes for others to extend.
const BASE_WORDS: &[&str] = &["abstract", "base", "baseclasses", "bases", "interface", "interfaces"];

/// Words in paths of code for one platform, which has a counterpart that does something.
const PLATFORM_WORDS: &[&str] = &[
    "386", "aix", "amd64", "android", "arm", "arm64", "darwin", "ios", "linux", "loong64", "macos", "mips", "mips64",
    "ppc64", "riscv", "riscv64", "s390x", "unix", "wasm", "win32", "windows", "x86",
];

/// Words in documentation that say why nothing is done.
const REASONS: &[&str] =
    &["abstract", "do nothing", "does nothing", "hook", "no op", "no-op", "noop", "overrid", "subclass"];

/// Marks of work that is still to be done: a comment with one gives no reason.
const UNFINISHED: &[&str] = &["FIXME", "TODO", "XXX"];

/// What a stub says of itself in lower case, if it is there to be written and not to refuse.
const CONFESSIONS: &[&str] = &["implemented", "todo", "unimplemented"];

/// Functions of one file that do nothing, from which on that is what they are for: it fills an interface.
const IDLE_FILE_MIN: usize = 3;

/// Methods of one file that raise without a word that they are not implemented, from which on they are an interface.
const BARE_METHODS_MIN: usize = 3;

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
    if paths::is_stand_in(file.source.path) {
        return;
    }
    let is_idle_file =
        file.outline.functions.iter().filter(|one| one.shape == Body::Empty).nth(IDLE_FILE_MIN - 1).is_some();
    let is_interface =
        file.outline.functions.iter().filter(|one| is_bare(file, one)).nth(BARE_METHODS_MIN - 1).is_some();
    // Where some methods are left to those who extend a class, those that do nothing are too.
    let leaves_open =
        file.outline.functions.iter().any(|one| one.shape == Body::Stub && (one.is_overridable || one.is_abstract));
    for function in &file.outline.functions {
        if function.is_abstract || function.test.is_some() || file.is_test_code(function.span.start) {
            continue;
        }
        let (severity, confidence_permille, message) = match function.shape {
            // A class may leave it to others to fill it in without a word about that.
            Body::Stub if (is_interface && is_bare(file, function)) || may_be_stub(file, function) => continue,
            Body::Stub if function.is_overridable => (Severity::Medium, 600, "method is not implemented"),
            Body::Stub => (Severity::High, 900, "function is not implemented"),
            Body::Empty if is_idle_file || may_be_empty(file, function) => continue,
            Body::Empty if function.is_overridable && leaves_open => continue,
            Body::Empty if function.is_overridable => (Severity::Low, 400, "method does nothing"),
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
    // What is not implemented for something in particular is for everything else.
    let refuses = lower.contains("implemented for ")
        || (function.is_bound && !CONFESSIONS.iter().any(|word| lower.contains(word)));
    let is_base = || path_words(file, 1).any(|word| BASE_WORDS.contains(&word.as_str()));
    let is_to_fill_in = function.is_overridable
        && ((function.is_documented && is_bare(file, function)) || is_base() || is_in_base_class(file, function));
    let is_refusing = REFUSING_WORDS.iter().any(|word| joined.contains(word));
    refuses || is_to_fill_in || is_refusing || is_protocol(name) || is_explained(file, function)
}

/// Whether `function` is a method that raises that it is not implemented, and says nothing more.
fn is_bare(file: &File<'_>, function: &Function) -> bool {
    let body = file.text(&function.body.clone().unwrap_or(0..0)).trim_end();
    let body = body.strip_suffix("end").unwrap_or(body).trim_end();
    function.is_overridable
        && function.shape == Body::Stub
        && (body.ends_with("NotImplementedError") || body.ends_with("NotImplementedError()"))
}

/// Whether nothing is wrong with a function that does nothing.
pub(crate) fn may_be_empty(file: &File<'_>, function: &Function) -> bool {
    let name = file.text(&function.name);
    let words = words(name);
    let is_idle = words.iter().any(|word| IDLE_WORDS.contains(&word.as_str())) || words.join("").contains("noop");
    let is_hook = words.first().is_some_and(|word| HOOK_WORDS.contains(&word.as_str()));
    let is_documented_method = function.is_overridable && function.is_documented;
    let is_on_one_platform = || path_words(file, usize::MAX).any(|word| PLATFORM_WORDS.contains(&word.as_str()));
    function.is_bound
        || is_protocol(name)
        || IDLE_NAMES.contains(&name)
        || is_idle
        || is_hook
        || is_documented_method
        || is_on_one_platform()
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
