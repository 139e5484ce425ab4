//! Parameters that nobody chose where they stand, or that nobody takes for each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::words;
use crate::outline::Function;
use crate::paths;
use crate::rules::File;
use crate::rules::calls::{arguments, closing, last_name, split};

/// Languages in which a call may name what it gives, so that whoever leaves out defaults names the rest.
const NAMING: &[&str] = &["cs", "kt", "kts", "rb", "swift"];

/// Languages in which nothing at a method says that it replaces one of the class that its own extends.
const SILENT: &[&str] = &["php", "phtml", "rb"];

/// Words that a line with the name of a class begins with there.
const CLASS_OPENINGS: &[&str] = &["abstract class ", "class ", "final class "];

/// What says that another language or a system calls the function.
const FOREIGN_CALLERS: &[&str] = &["@_cdecl", "CALLBACK", "EMSCRIPTEN_KEEPALIVE", "JNICALL", "JNIEXPORT", "WINAPI"];

/// Marks of parameters that choose nothing.
const PLAIN_MARKS: &[&str] = &["non", "not", "nullable", "final", "param", "parametric"];

/// What types of numbers are called in front of their width: `u8`, `int32`.
const NUMBERS: &[&str] = &["Float", "Int", "UInt", "f", "float", "i", "int", "u", "uint"];

/// Calls of a function that does little more than one of them.
const HANDING_CALLS_MAX: usize = 3;

/// Languages with blocks for the functions of another.
const CPP: &[&str] = &["cc", "cpp", "cxx", "h", "hh", "hpp"];

/// What such a block begins with.
const C_BLOCK: &str = "extern \"C\" ";

/// Longest text in which the beginning of such a block is looked for.
const BLOCK_BYTES_MAX: usize = 400_000;

/// Longest text between two classes that is looked through for the first.
const CLASS_BYTES_MAX: usize = 200_000;

/// How many parameters of `function` are named where it is called.
pub(super) fn named_at_the_call(file: &File<'_>, function: &Function) -> u64 {
    if !is_in(file, NAMING) {
        return 0;
    }
    let is_keyword = |one: &&&str| paths::extension(file.source.path) == Some("rb") && one.contains(':');
    let (parameters, mut named) = (parameters(file, function), 0);
    for one in &parameters {
        named += u64::from(one.contains('=') || is_keyword(&one));
    }
    named
}

/// Whether the parameters of `function` are not its own choice, or are only kept.
pub(super) fn is_given(file: &File<'_>, function: &Function) -> bool {
    are_numbered(file, function)
        || only_makes(file, function)
        || hands_all_on(file, function)
        || is_in_block_of_c(file, function)
        || calls_the_replaced(file, function)
        || may_replace(file, function)
        || is_called_by_others(file, function)
        || are_marked(file, function)
}

fn is_in(file: &File<'_>, languages: &[&str]) -> bool {
    paths::extension(file.source.path).is_some_and(|extension| languages.contains(&extension))
}

/// What stands between the name of `function` and its body.
fn head<'f>(file: &'f File<'_>, function: &Function) -> &'f str {
    let end = function.body.as_ref().map_or(function.span.end, |body| body.start);
    file.text(&(function.name.end..end.max(function.name.end)))
}

fn body<'f>(file: &'f File<'_>, function: &Function) -> &'f str {
    function.body.as_ref().map_or("", |body| file.text(body))
}

/// The parameters of `function`, one by one.
fn parameters<'f>(file: &'f File<'_>, function: &Function) -> Vec<&'f str> {
    let head = head(file, function);
    let Some(open) = head.find('(') else { return Vec::new() };
    let close = closing(&head[open..], '(', ')').map(|at| open + at);
    close.map_or_else(Vec::new, |close| split(&head[open + 1..close], |rest| rest.starts_with(',').then_some(1)))
}

/// Whether most parameters of `function` have numbers: pairs, as of a map that is written out (`k1, v1, k2, v2`), or one after the
/// other, as of a list (`e1, e2, e3`).
fn are_numbered(file: &File<'_>, function: &Function) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let split = |word| -> Option<(&str, &str)> {
        let stem = str::trim_end_matches(word, |c: char| c.is_ascii_digit());
        (!stem.is_empty() && stem.len() < word.len() && !NUMBERS.contains(&stem)).then(|| (stem, &word[stem.len()..]))
    };
    let numbered: BTreeSet<(&str, &str)> = head(file, function).split(|c| !is_part(c)).filter_map(split).collect();
    let paired =
        numbered.iter().filter(|(stem, number)| numbered.iter().any(|(other, same)| other != stem && same == number));
    let mut of_stem: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for (stem, number) in &numbered {
        of_stem.entry(stem).or_default().extend(number.parse::<u64>());
    }
    let follows = |numbers: &BTreeSet<u64>| {
        numbers
            .iter()
            .filter(|one| numbers.contains(&(**one + 1)) || (**one > 0 && numbers.contains(&(**one - 1))))
            .count()
    };
    let in_a_row = of_stem.values().map(follows).max().unwrap_or_default();
    2 * paired.count().max(in_a_row) as u64 > u64::from(function.parameters)
}

/// Whether `function` is a constructor by its name and only puts what it is given into one value.
fn only_makes(file: &File<'_>, function: &Function) -> bool {
    let is_new = || words(file.text(&function.name)).first().is_some_and(|word| word == "new");
    let inner = || body(file, function).trim_start_matches('{').trim_start();
    function.complexity <= 1 && is_new() && {
        let inner = inner();
        let made = inner.strip_prefix("return ").unwrap_or(inner).trim_start_matches('&');
        let name = made.split(|c: char| !c.is_alphanumeric() && !"_.:[]<>".contains(c)).next().unwrap_or_default();
        !name.is_empty() && made[name.len()..].trim_start().starts_with('{') && ends_there(inner)
    }
}

/// Whether `function` does little more than to give all of its parameters, in their order, to one constructor: whatever is wrong with
/// their number is wrong there.
fn hands_all_on(file: &File<'_>, function: &Function) -> bool {
    let Some(body) = function.body.as_ref().filter(|_| function.complexity <= 1) else { return false };
    let receivers = ["self", "&self", "&mut self", "mut self", "cls"];
    let parameters: Vec<&str> =
        parameters(file, function).into_iter().map(str::trim).filter(|one| !receivers.contains(one)).collect();
    let is_word_of = |parameter: &str, value: &str| {
        let value = value.rsplit(['=', ':']).next().unwrap_or(value).trim();
        !value.is_empty() && parameter.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == value)
    };
    let makes = |callee: &str| last_name(callee).trim_start_matches('_').starts_with(char::is_uppercase);
    let from = file.outline.calls.partition_point(|call| call.callee.start < body.start);
    let inside: Vec<_> = file.outline.calls[from..].iter().take_while(|call| call.callee.start < body.end).collect();
    !parameters.is_empty()
        && inside.len() <= HANDING_CALLS_MAX
        && inside.into_iter().filter(|call| makes(file.text(&call.callee))).any(|call| {
            let values = arguments(file, &call.arguments);
            values.len() == parameters.len()
                && parameters.iter().zip(&values).all(|(parameter, value)| is_word_of(parameter, value))
        })
}

/// Whether `function` stands in a block of C++ whose functions are called from C, which has no types to put parameters into.
fn is_in_block_of_c(file: &File<'_>, function: &Function) -> bool {
    if !is_in(file, CPP) {
        return false;
    }
    let text = file.source.text.as_ref();
    let above =
        &text[text.ceil_char_boundary(function.span.start.saturating_sub(BLOCK_BYTES_MAX))..function.span.start];
    above.rfind(C_BLOCK).is_some_and(|at| {
        let inside = &above[at + C_BLOCK.len()..];
        inside.starts_with('{') && closing(inside, '{', '}').is_none()
    })
}

/// Whether nothing but closing brackets follows the first value in brackets.
fn ends_there(text: &str) -> bool {
    closing(text, '{', '}').is_some_and(|close| {
        text[close + 1..].trim_matches(|c: char| c.is_whitespace() || "};)".contains(c)).is_empty()
    })
}

/// Whether `function` calls the one of the same name that it replaces.
fn calls_the_replaced(file: &File<'_>, function: &Function) -> bool {
    let (name, body) = (file.text(&function.name), body(file, function));
    ["parent::", "super.", "super().", "base."].iter().any(|above| {
        body.match_indices(above).any(|(at, _)| {
            let rest = &body[at + above.len()..];
            rest.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('('))
        })
    })
}

/// Whether `function` may replace one of a class that its own extends, in languages that do not say so.
fn may_replace(file: &File<'_>, function: &Function) -> bool {
    if !is_in(file, SILENT) || file.text(&(function.span.start..function.name.start)).contains("private ") {
        return false;
    }
    let text = file.source.text.as_ref();
    let from = text.ceil_char_boundary(function.span.start.saturating_sub(CLASS_BYTES_MAX));
    let mut above = text[from..function.span.start].lines().rev();
    let class = above.find(|line| CLASS_OPENINGS.iter().any(|opening| line.trim_start().starts_with(opening)));
    class.is_some_and(|class| [" extends ", " implements ", " < "].iter().any(|word| class.contains(word)))
}

/// Whether another language or a system calls `function`.
fn is_called_by_others(file: &File<'_>, function: &Function) -> bool {
    let line = file.source.line_span(file.source.line_of(function.name.start)).start;
    let before = file.text(&(line.min(function.span.start)..function.name.start));
    file.text(&function.name).starts_with("Java_") || FOREIGN_CALLERS.iter().any(|mark| before.contains(mark))
}

/// Whether most parameters of `function` have a mark by which something outside fills them: `@RequestParam("page") int page`.
fn are_marked(file: &File<'_>, function: &Function) -> bool {
    let is_mark = |one: &&&str| {
        let name = one.strip_prefix('@').or_else(|| one.strip_prefix('[')).unwrap_or_default();
        name.starts_with(char::is_alphabetic)
            && words(name).first().is_some_and(|word| !PLAIN_MARKS.contains(&word.as_str()))
    };
    let parameters = parameters(file, function);
    2 * parameters.iter().filter(is_mark).count() > parameters.len()
}

#[cfg(test)]
mod tests {
    use super::super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{self, Low};

    const FOUND: &[(u32, Severity)] = &[(1, Low)];
    const EIGHT: &str = "a, b, c, d, e, f, g, h";

    /// Eight parameters, each as `one` says with a letter for `%`.
    fn eight(one: &str) -> String {
        ('a'..='h').map(|letter| one.replace('%', &letter.to_string())).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn elements_with_numbers_are_a_list() {
        let of = |list: &str| format!("function f({list}) {{ g(); }}\n");
        check(&RULE, "a.js", &of("e1, e2, e3, e4, e5, e6, e7, e8"), &[]);
        check(&RULE, "a.js", &of("e1, e2, c, d, e, f, g, h"), FOUND);
        check(&RULE, "a.rs", "fn f(a: u8, b: u16, c: u32, d: u64, e: i8, f: i16, g: i32, h: i64) { g() }\n", FOUND);
    }

    #[test]
    fn what_the_call_names_does_not_count() {
        check(&RULE, "A.kt", &format!("fun f({}) {{ g() }}\n", eight("%: Int")), FOUND);
        check(&RULE, "A.kt", &format!("fun f({}) {{ g() }}\n", eight("%: Int = 1")), &[]);
        check(&RULE, "a.rb", &format!("def f({EIGHT})\n  g\nend\n"), FOUND);
        check(&RULE, "a.rb", &format!("def f({})\n  g\nend\n", eight("%:")), &[]);
        check(&RULE, "a.swift", &format!("func f({}) {{ g() }}\n", eight("%: Int = 1")), &[]);
        check(&RULE, "a.php", &format!("<?php function f({}) {{ g(); }}\n", eight("$% = 1")), FOUND);
    }

    #[test]
    fn what_only_makes_a_value_is_a_constructor() {
        let go = |name: &str, body: &str| format!("package a; func {name}({EIGHT} int) *A {{\n{body}\n}}\n");
        check(&RULE, "a.go", &go("NewA", "\treturn &A{\n\t\tb: b,\n\t\tc: f(c),\n\t}"), &[]);
        check(&RULE, "a.go", &go("Scale", "\treturn &A{b: b}"), FOUND);
        check(&RULE, "a.go", &go("NewA", "\ta := &A{b: b}\n\ta.run()\n\treturn a"), FOUND);
        check(&RULE, "a.go", &go("NewA", "\treturn &A{b: b}.scaled(c, d)"), FOUND);
    }

    #[test]
    fn what_a_class_above_chose_is_left_alone() {
        let php = |class: &str, mark: &str, body: &str| {
            format!("<?php {class} {{ {mark} function f({}) {{ {body} }} }}\n", eight("$%"))
        };
        check(&RULE, "a.php", &php("\nclass A", "public", "g();"), &[(2, Low)]);
        check(&RULE, "a.php", &php("\nclass A extends B", "public", "g();"), &[]);
        check(&RULE, "a.php", &php("\nclass A extends B", "private", "g();"), &[(2, Low)]);
        check(&RULE, "a.rb", &format!("class A < B\n  def f({EIGHT})\n    g\n  end\nend\n"), &[]);
        check(&RULE, "a.rb", &format!("class A\n  def f({EIGHT})\n    super.f({EIGHT})\n  end\nend\n"), &[]);
        check(&RULE, "a.rb", &format!("class A\n  def f({EIGHT})\n    b.f({EIGHT})\n  end\nend\n"), &[(2, Low)]);
    }

    #[test]
    fn what_others_call_or_fill_is_left_alone() {
        let java = |one: &str| format!("class A {{ void f({}) {{ g(); }} }}\n", eight(one));
        check(&RULE, "A.java", &java("int %"), FOUND);
        check(&RULE, "A.java", &java("@RequestParam(\"%\") int %"), &[]);
        check(&RULE, "A.java", &java("@NotNull Integer %"), FOUND);
        let c = |before: &str, name: &str| format!("{before}void {name}({}) {{ g(); }}\n", eight("int %"));
        check(&RULE, "a.c", &c("", "f"), FOUND);
        check(&RULE, "a.c", &c("", "Java_a_B_f"), &[]);
    }
}
