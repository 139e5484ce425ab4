//! Code that only looks for a value, so that what follows can do without it.

use super::guarded::{call_name, guarded};
use super::harmless::function_around;
use super::{GUARDED_LINES_MAX, gives_value, guarded_from};
use crate::lines::indent;
use crate::names::words;
use crate::outline::Handler;
use crate::rules::File;

/// First words of functions that look for something, or show what there is of it.
const SEARCHES: &[&str] = &[
    "can", "describe", "detect", "find", "format", "get", "guess", "has", "is", "lookup", "maybe", "probe", "render",
    "repr", "str", "supports", "try",
];

/// What hands out a value, or leaves a loop once one was found.
const LEAVES: &[&str] = &["break", "return", "yield"];

/// Names of calls that collect values.
const COLLECTS: &[&str] = &["add", "append", "extend", "push", "setdefault"];

/// Whether what `handler` guards hands out, keeps or collects a value, or stands in a function that looks for one.
pub(super) fn looks_for_a_value(file: &File<'_>, handler: &Handler) -> bool {
    // Others stand behind what they guard, and not below it.
    if !["catch", "except", "rescue"].iter().any(|word| file.text(&handler.span).starts_with(word)) {
        return false;
    }
    let name = function_around(file, handler).map_or("", |function| file.text(&function.name));
    let parts = words(name);
    let is_search = parts.first().is_some_and(|word| SEARCHES.contains(&word.as_str()));
    // A report holds what there is to be told.
    if is_search || parts.iter().any(|word| word == "report") || hands_on_what_it_set(file, handler) {
        return true;
    }
    let guarded = guarded(file, handler);
    let mut names = guarded.split(|c: char| !c.is_alphanumeric() && c != '_');
    let leaves = names.any(|name| LEAVES.contains(&name));
    (leaves && !hands_out_nothing(file, handler)) || keeps_a_value(file, handler)
}

/// Whether the code that `handler` guards returns a value, and its function ends with `handler`: callers are given nothing, and
/// cannot tell why.
pub(super) fn hands_out_nothing(file: &File<'_>, handler: &Handler) -> bool {
    let Some(function) = function_around(file, handler) else { return false };
    let below = file.source.text.get(handler.span.end..function.span.end).unwrap_or_default();
    let is_last = below.split_whitespace().all(|word| matches!(word, "}" | "};" | "end" | ";"));
    is_last
        && guarded(file, handler).lines().any(|line| line.trim_start_matches(['{', ' ', '\t']).starts_with("return "))
}

/// Whether the last guarded statement above `handler` sets a variable or adds to a list.
fn keeps_a_value(file: &File<'_>, handler: &Handler) -> bool {
    let before = file.source.text[..handler.span.start].trim_end_matches(|c: char| c == '}' || c.is_whitespace());
    let mut lines = before.rsplit('\n');
    let last = lines.next().unwrap_or_default();
    // A statement over several lines ends with a line of its own, indented as its first one.
    let begins = || lines.take(GUARDED_LINES_MAX).find(|line| !line.trim().is_empty() && indent(line) <= indent(last));
    let line = if last.trim_start().starts_with([')', ']']) { begins().unwrap_or(last) } else { last };
    let statement = line.rsplit(['{', '}']).next().unwrap_or_default().trim_start();
    let is_plain =
        |at: usize| !statement[at + 1..].starts_with(['=', '>']) && !statement[..at].ends_with(['=', '!', '<', '>']);
    let target = statement.split('(').next().unwrap_or_default();
    // Braces may stand in a text that values are put into.
    let is_set = || {
        !line.contains("try")
            && line.trim_start().starts_with(char::is_alphabetic)
            && line.split('(').next().is_some_and(|target| target.contains(" = "))
    };
    let is_block_set = || {
        let first = guarded_from(file, handler).map(|line| file.text(&file.source.line_span(line)));
        first.is_some_and(gives_value)
    };
    target.find('=').is_some_and(is_plain) || is_set() || COLLECTS.contains(&call_name(statement)) || is_block_set()
}

/// Whether a variable that the guarded code sets is handed on by the first statement below `handler`: `return ok` or `it = ok`.
fn hands_on_what_it_set(file: &File<'_>, handler: &Handler) -> bool {
    let text: &str = &file.source.text;
    let below = text[handler.span.end..].trim_start().lines().next().unwrap_or_default();
    let value = below.strip_prefix("return ").or_else(|| below.split_once(" = ").map(|(_, value)| value));
    let name = value.unwrap_or_default().trim().trim_end_matches(';');
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let Some(guarded) = guarded_from(file, handler) else { return false };
    let guarded = &text[file.source.line_span(guarded).start..handler.span.start];
    is_name && guarded.lines().any(|line| line.trim_start().starts_with(&format!("{name} = ")))
}

#[cfg(test)]
mod tests {
    use super::super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{High, Low};

    #[test]
    fn code_may_look_for_a_value() {
        let of = |name: &str, body: &str| {
            format!(
                "def {name}(a):\n    try:\n        b(a)\n        {body}\n    except Exception:\n        pass\n    d()\n"
            )
        };
        let run = |name: &str, body: &str, expected: &[_]| check(&RULE, "src/a.py", &of(name, body), expected);
        run("c", "e(a)", &[(5, High)]);
        run("find_c", "e(a)", &[]);
        run("finding_c", "e(a)", &[(5, High)]);
        run("c", "if b:\n            return a\n        e(a)", &[]);
        run("c", "if b:\n            returned(a)\n        e(a)", &[(7, High)]);
        run("c", "for e in b:\n            break", &[]);
        run("c", "all.append(a)", &[]);
        let last = |below: &str| {
            format!("def c(a):\n    try:\n        return b(a)\n    except Exception:\n        pass\n{below}")
        };
        check(&RULE, "src/a.py", &last(""), &[(4, Low)]);
        check(&RULE, "src/a.py", &last("    return d\n"), &[]);
        check(&RULE, "src/a.py", &last("").replace("def c", "def find_c"), &[]);
        run("c", "all.send(a)", &[(5, High)]);
        run("make_report", "e(a)", &[]);
        run("c", "all.setdefault(a, []).append(b)", &[]);
        run("c", "a.e = 1", &[]);
    }

    #[test]
    fn what_was_looked_for_is_handed_on() {
        let of = |set: &str, below: &str| {
            format!(
                "function a() {{\n  let has = false\n  try {{\n    {set}\n    b.clear()\n  }} catch (e) {{}}\n  {below}\n}}\n"
            )
        };
        check(&RULE, "a.js", &of("has = b.get() === 1", "return has"), &[]);
        check(&RULE, "a.js", &of("has = b.get() === 1", "c.has = has;"), &[]);
        check(&RULE, "A.java", "class A { void a() { try { b(); } catch (Exception e) {} } }\n", &[(1, High)]);
        check(&RULE, "a.js", &of("b.set(1)", "return has"), &[(6, High)]);
        check(&RULE, "a.js", &of("has = b.get() === 1", "return other"), &[(6, High)]);
        let python = "try:\n    a = open(\n        b,\n    )\nexcept Exception:\n    pass\n";
        check(&RULE, "a.py", python, &[]);
        check(&RULE, "a.py", &python.replace("a = ", ""), &[(5, High)]);
        let ruby = |open: &str, indent: &str| {
            format!("def a(b)\n  {open}\n    c(b)\n  {indent}rescue\n    nil\n  {indent}end\n  d\nend\n")
        };
        check(&RULE, "lib/a.rb", &ruby("row = begin", ""), &[]);
        check(&RULE, "lib/a.rb", &ruby("row = begin", "      "), &[]);
        check(&RULE, "lib/a.rb", &ruby("begin", ""), &[(4, High)]);
        let kotlin =
            |open: &str| format!("fun a() {{\n  {open}try {{\n    c()\n  }} catch (e: Exception) {{\n  }}\n}}\n");
        check(&RULE, "src/A.kt", &kotlin("val row = "), &[]);
        check(&RULE, "src/A.kt", &kotlin(""), &[(4, High)]);
    }
}
