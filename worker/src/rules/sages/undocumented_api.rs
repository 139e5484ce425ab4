//! Files that offer much to others and say little about it.

use std::collections::HashMap;

use schemas::severity::Severity;

use crate::outline::{Body, Function, Span, Symbol};
use crate::paths;
use crate::rules::{Check, File, Findings, Hit, Threshold, rule};

rule!(
    /// ## What it finds
    /// Files with at least 5 functions, types and constants that can be used from outside, of which some have documentation,
    /// a doc comment or a docstring, and more than half have none. Among those without have to be 3 functions whose names
    /// cannot say it all: with parameters and at least 5 lines of code, or without and at least 12, and in headers those
    /// with parameters.
    ///
    /// Not counted are functions that only hand out a field, methods that follow a base class, and names that three or more
    /// things in the file share, which follow a common interface, or that every reader of Go knows (`String`, `Error`, `Len`),
    /// kinds of errors and warnings, whose names say it all, and what is marked as
    /// deprecated, hidden or offered to another language. It is for information only, since an interface may document what
    /// its methods do. Left alone are files where nothing is documented, code for tests, examples, programs, settings,
    /// internal packages, copies of libraries, declarations of what is made elsewhere, classes of C# that implement an
    /// interface, and headers of C and C++ other than those in a directory `include` or `public`, or those that document
    /// groups (`@{`).
    ///
    /// ## Why it matters
    /// Whoever wants to use it has to read how it works, and takes what happens today for what is promised.
    ///
    /// ## Example
    /// ```text
    /// pub fn merge(a: Tree, b: Tree, depth: u8) -> Option<Tree>
    /// ```
    ///
    /// ## How to fix
    /// Say of each in a sentence what it is for, what it expects and what it gives.
    "sages/undocumented-api", Sages, Info, version: 5, thresholds: &[&BARE_PERCENT_MAX, &SYMBOLS_MIN], Check::Code(check)
);

/// Some things need no words.
const BARE_PERCENT_MAX: Threshold = Threshold {
    name: "bare_percent_max",
    default: 50,
    min: 0,
    max: 99,
    doc: "largest share of things without documentation, in per cent",
};

/// With fewer things on offer a file is small enough to be read.
const SYMBOLS_MIN: Threshold = Threshold {
    name: "symbols_min",
    default: 5,
    min: 1,
    max: 1_000,
    doc: "fewest things that can be used from outside of a file that is judged",
};

/// Fewest functions without documentation whose names cannot say it all.
const WEIGHTY_MIN: usize = 3;

/// Lines of code of a function with parameters from which on its name does not say it all.
const LINES_MIN: usize = 5;

/// The same of a function without any, which nobody can call in a wrong way.
const BARE_LINES_MIN: usize = 12;

/// From this many things of one name on they follow a common interface.
const SHARED_MIN: usize = 3;

/// Methods of Go that implement interfaces which everybody knows.
const GO_METHODS: &[&str] = &[
    "Close",
    "End",
    "Error",
    "GoString",
    "Is",
    "Len",
    "Less",
    "MarshalJSON",
    "MarshalText",
    "MarshalYAML",
    "Next",
    "Pop",
    "Pos",
    "Push",
    "Read",
    "RoundTrip",
    "Run",
    "Scan",
    "ServeHTTP",
    "String",
    "Swap",
    "Temporary",
    "Timeout",
    "UnmarshalJSON",
    "UnmarshalText",
    "UnmarshalYAML",
    "Unwrap",
    "Validate",
    "Value",
    "Write",
];

/// Directories of code that nobody outside uses.
const PRIVATE_DIRECTORIES: &[&str] = &[
    "_internal",
    "_lib",
    "benches",
    "bin",
    "cli",
    "cmd",
    "command",
    "commands",
    "conf",
    "config",
    "demo",
    "demos",
    "example",
    "examples",
    "impl",
    "internal",
    "internals",
    "migrations",
    "private",
    "sample",
    "samples",
    "script",
    "scripts",
    "syscall",
    "tools",
];

/// Ends of the names of files that declare what is documented where it is made.
const STUB_ENDS: &[&str] = &[".d.cts", ".d.mts", ".d.ts", ".pyi"];

/// Directories of headers that are there for others.
const HEADER_DIRECTORIES: &[&str] = &["api", "include", "includes", "public"];

/// Files that are programs, settings or the machinery of a package.
const PRIVATE_NAMES: &[&str] =
    &["__main__.py", "build.rs", "conftest.py", "main.go", "main.rs", "manage.py", "setup.py"];

/// What stands before things that nobody is to use any more, or to call in this language.
const WITHDRAWN: &[&str] = &[
    "doc(hidden)",
    "@Deprecated",
    "@deprecated",
    "#[deprecated",
    "[Obsolete",
    "@available(*, deprecated",
    "@ReactMethod",
    "@ReactProp",
    "@Override",
    "@hide",
];

/// Signs that a file is not for others to use.
const INTERNAL: &[&str] = &["@api private", "@internal", "\npackage main"];

/// Lines of attributes looked at before a name, as many as a deprecation with its replacement takes.
const ATTRIBUTE_LINES_MAX: usize = 12;

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    if (file.outline.symbols.len() as u64) < found.threshold(&SYMBOLS_MIN) {
        return;
    }
    if !is_for_others(file) {
        return;
    }
    let symbols = own(file);
    let functions: HashMap<usize, &Function> =
        file.outline.functions.iter().map(|function| (function.name.start, function)).collect();
    let bare: Vec<&Symbol> = symbols.iter().copied().filter(|symbol| !symbol.is_documented).collect();
    // Many teams have no habit of documenting in comments, and do it elsewhere or nowhere.
    let is_unusual = bare.len() == symbols.len();
    let weighty = || bare.iter().filter(|symbol| !says_it_all(file, symbol, functions.get(&symbol.name.start))).count();
    let (count, undocumented) = (symbols.len() as u64, bare.len() as u64);
    let is_documented = undocumented * 100 <= count * found.threshold(&BARE_PERCENT_MAX);
    if count < found.threshold(&SYMBOLS_MIN) || is_documented || is_unusual || weighty() < WEIGHTY_MIN {
        return;
    }
    if let Some(first) = bare.first() {
        found.push(Hit {
            place: file.place(first.name.clone()),
            severity: Severity::Info,
            confidence_permille: 900,
            message: format!("{undocumented} of {count} things offered to others have no documentation"),
            suggestion: "say of each in a sentence what it is for, what it expects and what it gives",
        });
    }
}

/// Whether the file offers something at all: no program, nothing internal, no copy.
fn is_for_others(file: &File<'_>) -> bool {
    let is_built_by_name = file.source.path.ends_with(".go") && file.source.text.contains("\n//go:build ignore");
    let is_internal = INTERNAL.iter().any(|mark| file.source.text.contains(mark));
    let is_program = is_built_by_name || is_internal || file.source.text.starts_with("#!");
    let documents_groups = is_header(file.source.path) && file.source.text.contains("@{");
    !(file.is_foreign() || documents_groups || is_program || is_private(file.source.path) || implements(file))
}

/// What the file offers of its own accord, and means to be used.
fn own<'f>(file: &'f File<'_>) -> Vec<&'f Symbol> {
    let mut times: HashMap<&str, usize> = HashMap::new();
    for symbol in &file.outline.symbols {
        *times.entry(file.text(&symbol.name)).or_default() += 1;
    }
    let is_go = file.source.path.ends_with(".go");
    let follows = |name: &str| {
        let is_shared = times.get(name).is_some_and(|times| *times >= SHARED_MIN);
        let is_error = ["Error", "Exception", "Warning"].iter().any(|end| name.ends_with(end));
        is_shared || is_error || (is_go && GO_METHODS.contains(&name))
    };
    let withdraws = WITHDRAWN.iter().any(|mark| file.source.text.contains(mark));
    let is_own = |symbol: &&Symbol| {
        let at = symbol.name.start;
        let is_withdrawn = withdraws && is_withdrawn(&file.source.text[..at]);
        !(is_withdrawn || file.outline.is_test_code(at) || follows(file.text(&symbol.name)))
    };
    file.outline.symbols.iter().filter(is_own).collect()
}

/// Whether the name of `symbol` says all that documentation would; `function` is what it names, if it is one.
fn says_it_all(file: &File<'_>, symbol: &Symbol, function: Option<&&Function>) -> bool {
    let takes = || is_header(file.source.path) && takes_something(&file.source.text[symbol.name.end..]);
    let is_made_here = function.is_some_and(|one| one.body.is_some());
    !function.is_some_and(|one| is_weighty(file, one)) && (is_made_here || !takes())
}

/// Whether the attributes at the end of `before`, which ends at a name, say that nobody is to use it any more.
fn is_withdrawn(before: &str) -> bool {
    let ends_other = |line: &&str| !line.is_empty() && !line.ends_with(['}', '{', ';']);
    let own = before.lines().rev().enumerate().map(|(number, line)| (number, line.trim()));
    let own = own.take_while(|(number, line)| *number == 0 || ends_other(line)).take(ATTRIBUTE_LINES_MAX);
    own.map(|(_, line)| line).any(|line| WITHDRAWN.iter().any(|mark| line.contains(mark)))
}

fn is_header(path: &str) -> bool {
    matches!(paths::extension(path), Some("h" | "hh" | "hpp" | "hxx"))
}

/// Whether `function` does so much that its name cannot say it all, and is no answer to what an interface asks for.
fn is_weighty(file: &File<'_>, function: &Function) -> bool {
    let lines_min = if function.parameters > 0 { LINES_MIN } else { BARE_LINES_MIN };
    let is_long = |body: &Span| function.shape == Body::Other && file.code_lines(body) >= lines_min;
    // A service of gRPC is documented where it is declared.
    let is_served = || {
        file.source.path.ends_with(".go")
            && file.text(&function.span).lines().next().is_some_and(|head| head.contains("pb."))
    };
    function.body.as_ref().is_some_and(is_long) && !function.is_bound && !function.is_abstract && !is_served()
}

/// Whether `after`, which stands behind the name of a declaration, begins with parameters.
fn takes_something(after: &str) -> bool {
    let list = after.trim_start().strip_prefix('(').map(str::trim_start);
    list.is_some_and(|list| !list.starts_with(')') && !list.starts_with("void)"))
}

/// Whether classes in C# implement an interface, where it is not known which of their methods it asks for.
fn implements(file: &File<'_>) -> bool {
    let text = file.source.text.as_ref();
    let is_interface =
        |(at, mark): (usize, &str)| text[at + mark.len()..].starts_with(|c: char| c.is_ascii_uppercase());
    file.source.path.ends_with(".cs") && text.match_indices(" : I").any(is_interface)
}

fn is_private(path: &str) -> bool {
    let name = paths::file_name(path);
    paths::is_test(path)
        || STUB_ENDS.iter().any(|end| path.ends_with(end))
        || (is_header(path) && !paths::has_directory(path, HEADER_DIRECTORIES))
        || paths::has_directory(path, PRIVATE_DIRECTORIES)
        || PRIVATE_NAMES.contains(&name)
        || path.split('/').any(|part| part.starts_with('_') && !part.starts_with("__"))
}

#[cfg(test)]
#[path = "undocumented_api/tests.rs"]
mod tests;
