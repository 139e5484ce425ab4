//! Functions that may be empty or refuse because of the file they stand in, or of the reason they give.

use crate::names::words;
use crate::outline::{Body, Function, Span};
use crate::paths;
use crate::rules::File;

/// Functions with one decorator and no body, from which on they are a table: the decorator has the use.
const TABLE_MIN: usize = 5;

/// Functions of a file that all refuse, from which on it is an interface.
const INTERFACE_MIN: usize = 3;

/// Functions of a file that are looked at: longer files are generated or hostile.
const FUNCTIONS_MAX: usize = 1_000;

/// Lines above a function in which its decorators stand.
const DECORATOR_LINES: usize = 4;

/// Decorators of the language itself, which make no table.
const OWN_DECORATORS: &[&str] = &["@classmethod", "@final", "@override", "@property", "@staticmethod"];

/// Directories of steps from one shape of a database to the next.
const MIGRATION_DIRECTORIES: &[&str] = &["db_migrations", "migrate", "migrations"];

/// What such a step has for the tool that runs it.
const MIGRATION_MARKS: &[&str] = &["down_revision"];

/// Names of the two ways of a step, of which one may have no work, or no way back.
const MIGRATION_STEPS: &[&str] = &["down", "downgrade", "up", "upgrade"];

/// Parts of a message that says why something is refused for good.
const REFUSALS: &[&str] = &["support", "cannot", "can't", "can not", "not allowed", "not available", "not possible"];

/// Parts of a message that says that there is work to be done; kinds of errors are taken out before.
const UNFINISHED: &[&str] = &["fixme", "implement", "tbd", "todo"];

/// Kinds of errors and macros that say so by their names alone.
const KINDS: &[&str] = &["notimplementederror", "notimplementedexception", "notimplemented(", "unimplemented!"];

/// How much of a body or a comment is searched for such words.
const BODY_BYTES_MAX: usize = 1_000;

/// Functions of one file that do nothing, from which on that is what they are for: it fills an interface.
const IDLE_FILE_MIN: usize = 3;

/// What functions of C give back that stand in for others: nothing, or that it did not work.
const IDLE_VALUES: &[&str] = &["-1", "0", "FALSE", "NULL", "false", "nullptr"];

/// What opens the condition on which Go takes a file, of C too.
const BUILD_MARK: &str = "//go:build ";

/// Lines at the beginning of a file in which that stands: a notice of whose work it is may come before.
const BUILD_LINES: usize = 30;

/// Comments at the head of a file that are read.
const HEAD_COMMENTS_MAX: usize = 40;

/// What such a comment says of functions that do nothing, or of which others have the work.
const HEAD_PHRASES: &[&str] = &[
    "all do nothing",
    "are no-ops",
    "implemented elsewhere",
    "no-op implementation",
    "no-op version",
    "provided elsewhere",
    "stub implementation",
    "will be provided",
];

/// Words of notices of whose work it is, which speak of what is provided as well.
const NOTICE_WORDS: &[&str] = &["as is", "copyright", "license", "software", "warrant"];

/// Whether `function`, which does nothing or refuses, may do so because of what it stands in, or of the reason it gives.
pub(super) fn may_be_idle(file: &File<'_>, function: &Function) -> bool {
    is_migration_step(file, function)
        || match function.shape {
            Body::Empty => has_markup(file, function),
            Body::Stub => refuses_for_good(file, function) || is_of_table(file, function),
            _ => false,
        }
}

/// Whether all functions of the file refuse, and none says that it waits to be written.
pub(super) fn is_interface(file: &File<'_>, says_later: impl Fn(&Function) -> bool) -> bool {
    let functions = &file.outline.functions;
    let mut all = functions.iter().filter(|one| one.shape != Body::Absent && one.test.is_none());
    functions.iter().filter(|one| one.shape == Body::Stub).nth(INTERFACE_MIN - 1).is_some()
        && functions.len() <= FUNCTIONS_MAX
        && all.all(|one| one.shape == Body::Stub && !says_later(one))
}

/// Whether several functions of the file do nothing; in C and C++ those count that only give back that nothing was done.
pub(super) fn is_idle_file(file: &File<'_>) -> bool {
    let is_c = paths::is_c(file.source.path);
    let is_idle = |one: &&Function| one.shape == Body::Empty || (is_c && gives_nothing(file, one));
    file.outline.functions.iter().filter(is_idle).nth(IDLE_FILE_MIN - 1).is_some()
}

/// Whether all that `function` does is to give back one of the values of a stand-in.
fn gives_nothing(file: &File<'_>, function: &Function) -> bool {
    let body = file.text(&function.body.clone().unwrap_or(0..0));
    let is_around = |c: char| c.is_whitespace() || "{};".contains(c);
    let value = body.trim_matches(is_around).strip_prefix("return");
    value.is_some_and(|value| IDLE_VALUES.contains(&value.trim_matches([' ', '(', ')'])))
}

/// Whether the comment at the head of the file, above other code than a function, says that its functions do nothing or that
/// others have the work.
pub(super) fn is_said_at_head(file: &File<'_>) -> bool {
    let text = file.source.text.as_ref();
    let is_blank = |span: Span| text.get(span).is_some_and(|between| between.trim().is_empty());
    let comments = file.comments_above_code();
    let comments = &comments[..comments.len().min(HEAD_COMMENTS_MAX)];
    let end = comments.last().map_or(0, |last| last.end);
    let says = |comment: &Span| {
        let words = file.text(comment);
        let lower = words[..words.floor_char_boundary(BODY_BYTES_MAX)].to_lowercase();
        let has = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
        has(HEAD_PHRASES) && !has(NOTICE_WORDS)
    };
    let first = file.outline.functions.first().map_or(text.len(), |function| function.span.start);
    end < first && !is_blank(end..first) && comments.iter().any(says)
}

/// Whether Go takes the file only on a condition, so that another one may have the work.
pub(super) fn is_of_go_build(file: &File<'_>) -> bool {
    file.source.text.lines().take(BUILD_LINES).any(|line| line.starts_with(BUILD_MARK))
}

/// Whether a file of C or C++ names `function` without calling it: what it is handed to has the use.
pub(super) fn is_handed_on(file: &File<'_>, function: &Function) -> bool {
    let text = file.source.text.as_ref();
    let name = file.text(&function.name);
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let is_value = |at: usize| {
        let (before, after) = (&text[..at], text[at + name.len()..].trim_start());
        !before.ends_with(is_part)
            && before.trim_end().ends_with(['=', '{', '(', ',', '&'])
            && after.starts_with([',', '}', ')', ';', '#', '/'])
            && !file.outline.is_quoted(at)
    };
    paths::is_c(file.source.path) && !name.is_empty() && text.match_indices(name).any(|(at, _)| is_value(at))
}

/// Whether `function` is one of the two ways of a step from one shape of a database to the next.
fn is_migration_step(file: &File<'_>, function: &Function) -> bool {
    let name = words(file.text(&function.name));
    let is_step = name.iter().any(|word| MIGRATION_STEPS.contains(&word.as_str()));
    is_step
        && (paths::has_directory(file.source.path, MIGRATION_DIRECTORIES)
            || MIGRATION_MARKS.iter().any(|mark| file.source.text.contains(mark)))
}

/// Whether the body of a function of PHP leaves the code, so that what follows is shown.
fn has_markup(file: &File<'_>, function: &Function) -> bool {
    let is_php = matches!(paths::extension(file.source.path), Some("inc" | "php" | "phtml"));
    is_php && file.text(&function.span).contains("?>")
}

/// Whether the message of `function` says why it refuses, and not that it waits to be written.
fn refuses_for_good(file: &File<'_>, function: &Function) -> bool {
    let body = file.text(&function.body.clone().unwrap_or(0..0));
    let mut lower = body[..body.floor_char_boundary(BODY_BYTES_MAX)].to_lowercase();
    for kind in KINDS {
        lower = lower.replace(kind, "");
    }
    REFUSALS.iter().any(|part| lower.contains(part)) && !UNFINISHED.iter().any(|word| lower.contains(word))
}

/// Whether `function` is one of several stubs with one decorator, which keeps them as names of something.
fn is_of_table(file: &File<'_>, function: &Function) -> bool {
    if paths::extension(file.source.path) != Some("py") {
        return false;
    }
    let stubs = || file.outline.functions.iter().take(FUNCTIONS_MAX).filter(|one| one.shape == Body::Stub);
    decorators(file, function).any(|own| {
        let name = own.split('(').next().unwrap_or_default();
        let is_same =
            |one: &&Function| decorators(file, one).any(|other| other.split('(').next().unwrap_or_default() == name);
        !OWN_DECORATORS.contains(&name) && stubs().filter(is_same).nth(TABLE_MIN - 1).is_some()
    })
}

/// The lines right above the name of `function` that decorate it.
fn decorators<'f>(file: &'f File<'_>, function: &Function) -> impl Iterator<Item = &'f str> {
    let line = file.source.line_of(function.name.start);
    let above = (line.saturating_sub(DECORATOR_LINES)..line).rev();
    above.map(|line| file.text(&file.source.line_span(line)).trim()).take_while(|text| text.starts_with('@'))
}

#[cfg(test)]
mod tests {
    use super::super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{High, Medium};

    #[test]
    fn stubs_with_one_decorator_are_a_table() {
        let of = |decorator: &str, count: usize| {
            let one = |at: usize| format!("{decorator}\ndef a{at}(b):\n    raise NotImplementedError()\n");
            format!("def c():\n    return d()\n{}", (0..count).map(one).collect::<String>())
        };
        check(&RULE, "src/a.py", &of("@token", 5), &[]);
        check(&RULE, "src/a.py", &of("@token(1)\n@other", 5), &[]);
        let lines: Vec<_> = (0..5).map(|at| (4 + at * 3, High)).collect();
        check(&RULE, "src/a.py", &of("@token", 2), &lines[..2]);
        check(&RULE, "src/a.py", &of("@staticmethod", 5), &lines);
        check(&RULE, "src/a.py", &of("", 5), &lines);
    }

    #[test]
    fn a_file_in_which_all_refuse_is_an_interface() {
        let of = |message: &str| {
            let one = |at: usize| format!("def a{at}(b):\n    raise NotImplementedError({message})\n");
            (0..3).map(one).collect::<String>()
        };
        check(&RULE, "src/a.py", &of(""), &[]);
        check(&RULE, "src/a.py", &of("'not yet'"), &[(1, High), (3, High), (5, High)]);
        let used = format!("{}def c():\n    return d()\n", of(""));
        check(&RULE, "src/a.py", &used, &[(1, High), (3, High), (5, High)]);
    }

    #[test]
    fn a_function_of_php_may_show_markup() {
        let of = |body: &str| format!("<?php\nfunction form() {{\n{body}}}\n");
        check(&RULE, "a.php", &of("?>\n<b>a</b>\n<?php\n"), &[]);
        check(&RULE, "a.php", &of(""), &[(2, Medium)]);
    }

    #[test]
    fn one_way_of_a_migration_may_be_empty() {
        let of = |name: &str| format!("def {name}():\n    pass\n");
        check(&RULE, "a.py", &format!("down_revision = 'b'\n{}", of("upgrade")), &[]);
        check(&RULE, "a.py", &of("upgrade"), &[(1, Medium)]);
        check(&RULE, "db/migrations/a.py", &of("downgrade"), &[]);
        check(&RULE, "db/migrations/a.py", &of("load"), &[(1, Medium)]);
        check(&RULE, "db/migrations/a.py", "def downgrade():\n    raise NotImplementedError\n", &[]);
        check(&RULE, "db/a.py", "def downgrade():\n    raise NotImplementedError\n", &[(1, High)]);
    }

    #[test]
    fn stand_ins_of_c_give_nothing_back() {
        let of = |value: &str| {
            format!(
                "static void a(int b) {{}}\nint c(void) {{ return {value}; }}\nint d(int e) {{\n  return (0);\n}}\n"
            )
        };
        for (value, expected) in
            [("-1", vec![]), ("NULL", vec![]), ("e(0)", vec![(1, Medium)]), ("7", vec![(1, Medium)])]
        {
            check(&RULE, "src/a.c", &of(value), &expected);
        }
        let named = |name: &str| format!("void {name}(int b) {{}}\nint c(void) {{ return e(0); }}\n");
        check(&RULE, "src/a.c", &named("init_module"), &[]);
        check(&RULE, "src/a.c", &named("fill_module"), &[(1, Medium)]);
        let rust = "fn a(b: u8) {}\nfn c() -> u8 { return 0; }\nfn d() -> u8 { return 0; }\n";
        check(&RULE, "src/a.rs", rust, &[(1, Medium)]);
    }

    #[test]
    fn what_a_table_names_fills_an_interface() {
        let of = |use_of_it: &str| format!("static void row_end(int b) {{}}\n{use_of_it}\n");
        let run = |use_of_it: &str, expected: &[_]| check(&RULE, "src/a.c", &of(use_of_it), expected);
        run("static struct ops all = {\n  row_start,\n  row_end  /* nothing there */\n};", &[]);
        run("static struct ops all = {\n#ifdef A\n  .end = row_end\n#endif\n};", &[]);
        run("void c(void) { d(&row_end); }", &[]);
        run("void c(void) { row_end(1); d(row_end_all, \"row_end\"); }", &[(1, Medium)]);
        run("// See (row_end).", &[(1, Medium)]);
    }

    #[test]
    fn the_head_of_a_file_may_say_who_has_the_work() {
        let of = |head: &str| format!("{head}\n\npackage a\n\nfunc b() {{\n\tpanic(\"not implemented\")\n}}\n");
        let run = |head: &str, expected: &[_]| check(&RULE, "a.go", &of(head), expected);
        run("// Copyright 2024 The Shop\n\n// The real one will be provided by the device.", &[]);
        run("// Stub implementations for shops without a till.", &[]);
        run("// This software will be provided as is.", &[(5, High)]);
        run("// Pays for orders.", &[(5, High)]);
        let c = "/* These are no-ops. */\nvoid a(int b) {}\nvoid c(int d) { e(d); }\n";
        check(&RULE, "src/a.c", &c.replace("*/\n", "*/\n#include <f.h>\n"), &[]);
        check(&RULE, "src/a.cc", "//go:build linux\n#include <f.h>\nvoid a(int b) {}\n", &[]);
        check(&RULE, "src/a.cc", "// On linux\n#include <f.h>\nvoid a(int b) {}\n", &[(3, Medium)]);
    }

    #[test]
    fn documentation_may_tell_everybody_to_keep_off() {
        let of = |text: &str| format!("impl A for B {{\n    /// {text}\n    fn a(&self) {{ unimplemented!() }}\n}}\n");
        check(&RULE, "src/a.rs", &of("Do not use it: it never works."), &[]);
        check(&RULE, "src/a.rs", &of("Use it for all rows."), &[(3, High)]);
    }

    #[test]
    fn a_reason_makes_a_refusal() {
        let of = |text: &str| format!("class A(B):\n    def c(self):\n        raise NotImplementedError('{text}')\n");
        check(&RULE, "src/a.py", &of("this cursor does not support it yet"), &[]);
        check(&RULE, "src/a.py", &of("not yet written"), &[(2, Medium)]);
        check(&RULE, "src/a.py", &of("support for rows is not implemented yet"), &[(2, Medium)]);
        check(&RULE, "src/a.py", &of("TODO: support it"), &[(2, Medium)]);
    }
}
