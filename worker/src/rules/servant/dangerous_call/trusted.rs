//! What nobody but the caller or the program itself decides, though it is put into what is run.

use super::Danger;
use super::origin::{around, names};
use crate::names::words;
use crate::outline::{Call, Function};
use crate::rules::File;
use crate::rules::calls::closing;

/// Signs that a file reads the options that its own caller typed.
#[rustfmt::skip]
const OPTION_PARSERS: &[&str] = &[
    "OptionParser", "argparse", "click.option", "commander", "docopt", "getopt", "minimist", "optparse", "usage.Options", "yargs",
];

/// Names of such options.
const OPTIONS: &[&str] = &["args", "argv", "flags", "opt", "options", "opts", "parsed"];

/// Last words in names of what is a number or made of a few safe characters.
#[rustfmt::skip]
const NUMBERS: &[&str] = &[
    "bytes", "checksum", "count", "digest", "gid", "hash", "height", "id", "index", "md5", "num", "number", "pid", "pids", "port",
    "ppid", "seconds", "sha", "sha1", "sha256", "size", "tid", "timeout", "uid", "width",
];

/// How heads of functions say that a parameter is a number.
#[rustfmt::skip]
const NUMBER_TYPES: &[&str] = &[
    "{}: int", "{}: i32", "{}: i64", "{}: number", "{}: u16", "{}: u32", "{}: u64", "{}: usize", "{}: Int", "int {}", "int ${}",
    "long {}", "pid_t {}", "size_t {}", "unsigned {}", "{} int",
];

/// Functions that give numbers, or a hash of what they are given.
#[rustfmt::skip]
const MEASURES: &[&str] = &[
    "Integer", "Number", "abs", "float", "hash", "int", "intval", "len", "md5", "parseFloat", "parseInt", "round", "sha1", "strlen",
];

/// Signs that a line checks the value that it names.
const CHECKS: &[&str] = &["ctype_digit", "filter", "intval", "is_numeric", "valid"];

/// Words for code, expressions among it, that a function is given so that it runs it.
const CODE: &[&str] =
    &["code", "condition", "expr", "expression", "javascript", "js", "script", "snippet", "statement", "statements"];

/// Last words in names of what holds the name of a function.
const CALLBACKS: &[&str] = &["callback", "callbacks", "func", "function", "handler"];

/// Words in names of functions that make a function of the code that they are given.
const MAKES: &[&str] = &["compile", "create", "make"];

/// Words in names of functions that build objects of what they are given, as their callers know.
const BUILDS: &[&str] =
    &["deserialize", "deserializer", "load", "loads", "unmarshal", "unpickle", "unserialize", "unserializer"];

/// Words in names of classes whose purpose is that.
const BUILDERS: &[&str] = &["deserializer", "marshaller", "pickler", "serialization", "serializer", "unpickler"];

/// What the documentation of a function says that builds objects, or runs code.
const SAID_OF_OBJECTS: &[&str] = &["deserializ", "deserialis", "trusted", "unmarshal", "unpickl", "unserializ"];
const SAID_OF_CODE: &[&str] = &["evaluat", "exec(", "execfile", "execute", "``eval``", "`eval`", "eval("];

/// Calls of C and C++ that make room.
const ALLOCATIONS: &[&str] = &["alloca(", "alloc(", "new char[", "resize("];

/// How far around such a call its target and its length stand.
const ALLOCATION_BYTES_MAX: usize = 160;

/// Whether `module` is what a line of the file imports itself under its own name: a `yaml` that comes from another package is a
/// wrapper.
fn imports_plainly(file: &File<'_>, module: &str) -> bool {
    file.source.text.lines().filter_map(|line| line.trim_start().strip_prefix("import ")).any(|list| {
        list.split(',')
            .any(|one| one.split(['#', ';', ':']).next().and_then(|one| one.split_whitespace().next()) == Some(module))
    })
}

/// Whether `callee` is a function of a `yaml` that is not PyYAML itself.
pub(super) fn is_wrapper(file: &File<'_>, callee: &str) -> bool {
    callee.contains("yaml.") && !(callee.starts_with("yaml.") && imports_plainly(file, "yaml"))
}

/// Whether `name` holds options that whoever started the program typed: they have its rights already.
pub(super) fn is_option(file: &File<'_>, call: &Call, name: &str) -> bool {
    let is_main = around(file, call).is_some_and(|function| matches!(file.text(&function.name), "main" | "Main"));
    name == "argv"
        || (OPTIONS.contains(&name)
            && (is_main || OPTION_PARSERS.iter().any(|parser| file.source.text.contains(parser))))
}

/// Whether `name` is a number, an id or a hash, by its name or the type of the parameter that it is.
pub(super) fn is_number(file: &File<'_>, call: &Call, name: &str) -> bool {
    let is_named = words(name).last().is_some_and(|word| NUMBERS.contains(&word.as_str()));
    let head = || around(file, call).map_or("", |function| head(file, function));
    let is_typed = || {
        let has = |kind: &&str| {
            let pattern = kind.replace("{}", name);
            head().match_indices(&pattern).any(|(at, _)| {
                let is_part = |c: char| c.is_alphanumeric() || c == '_';
                !head()[..at].ends_with(is_part) && !head()[at + pattern.len()..].starts_with(is_part)
            })
        };
        NUMBER_TYPES.iter().any(has)
    };
    is_named || is_typed()
}

fn head<'f>(file: &'f File<'_>, function: &Function) -> &'f str {
    file.text(&(function.name.end..function.body.as_ref().map_or(function.name.end, |body| body.start)))
}

/// Whether `value` is a number or a hash, as the function says that gives it, or the format that it is put into.
pub(super) fn is_measure(value: &str) -> bool {
    let callee = value.split('(').next().unwrap_or_default();
    let is_cast = ["(int)", "(float)"].iter().any(|cast| value.starts_with(cast));
    let is_whole = value.ends_with(')') && !value.contains([' ', '+']);
    let is_format = value.contains("%d") && !["%s", "{", "+", "$", " . "].iter().any(|sign| value.contains(sign));
    is_cast || is_format || (is_whole && MEASURES.contains(&callee)) || value.ends_with(".to_i")
}

/// Whether `text` puts `name` in as a number or a hash.
pub(super) fn is_measured_in(text: &str, name: &str) -> bool {
    ["Integer", "Number", "int", "intval", "len", "md5", "parseInt", "sha1"]
        .iter()
        .any(|call| text.contains(&format!("{call}({name}")))
        || text.contains(&format!("(int) ${name}"))
        || text.contains(&format!("(int)${name}"))
        || text.contains(&format!("{name}.to_i"))
}

/// `text` without what Ruby puts into it quoted or escaped: `#{shell_quote a}`, `#{a.shellescape}`.
pub(super) fn without_quoted(text: &str) -> String {
    let (mut kept, mut rest) = (String::new(), text);
    while let Some((before, inside)) = rest.split_once("#{") {
        kept.push_str(before);
        let bracketed = &rest[before.len() + 1..];
        let Some(end) = closing(bracketed, '{', '}') else {
            rest = inside;
            break;
        };
        let (code, after) = (&bracketed[1..end], &bracketed[end + 1..]);
        let callee = code.trim_start().split([' ', '(', '"']).next().unwrap_or_default();
        let is_quoted = ["escape", "quote"].iter().any(|word| callee.contains(word)) || code.ends_with(".shellescape");
        if !is_quoted {
            kept.push_str("#{");
            kept.push_str(code);
            kept.push('}');
        }
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// Whether each of `sources` that `text` names is read by a key whose value another line of the file checks.
pub(super) fn is_validated(file: &File<'_>, text: &str, sources: &[&str]) -> bool {
    let checked = |at: usize| {
        let rest = &text[at..];
        let opening = rest.find(|c: char| !c.is_alphanumeric() && !"_.$>-".contains(c))?;
        let inside = rest[opening..].strip_prefix(['(', '['])?;
        let quote = inside.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let key = inside.get(..inside.get(1..)?.find(quote)? + 2)?;
        let checks = |line: &str| line.contains(key) && CHECKS.iter().any(|check| line.contains(check));
        file.source.text.lines().any(checks).then_some(())
    };
    let mut places = sources.iter().flat_map(|source| text.match_indices(source)).peekable();
    places.peek().is_some() && places.all(|(at, _)| checked(at).is_some())
}

/// Whether a parameter called `name` is code, as its name says: the function is there to run it.
pub(super) fn is_code(name: &str) -> bool {
    words(name).iter().any(|word| CODE.contains(&word.as_str()))
}

/// Whether `text` is put together of names of functions alone: what it calls after, such as a request, is not where it comes
/// from.
pub(super) fn names_callbacks(text: &str) -> bool {
    let is_callback = |name: &&str| words(name).last().is_some_and(|word| CALLBACKS.contains(&word.as_str()));
    let mut all = names(text).into_iter().peekable();
    all.peek().is_some() && all.all(|name| is_callback(&name))
}

/// Whether `text` is what a function of the program itself gives back, or an entry of a table of constants.
pub(super) fn is_own_result(file: &File<'_>, text: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "_.$:".contains(c);
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let (path, rest) = text.split_at(end);
    let last = path.rsplit(['.', ':']).next().unwrap_or(path);
    let is_of_object = ["self.", "this.", "cls."].iter().any(|object| path.starts_with(object));
    let is_declared = || file.outline.functions.iter().any(|function| file.text(&function.name) == last);
    let is_constant = |name: &str| {
        name.len() > 1 && name.contains(|c: char| c.is_ascii_uppercase()) && !name.contains(|c: char| c.is_lowercase())
    };
    let table = path.split('.').next().unwrap_or(path);
    let is_entry =
        (rest.starts_with('[') || [".get", ".fetch"].iter().any(|call| path.ends_with(call))) && is_constant(table);
    is_entry || (rest.starts_with('(') && (is_of_object || is_declared()))
}

/// Whether the function around `call`, its class or its documentation says that it runs or builds what it is given.
pub(super) fn is_said(file: &File<'_>, call: &Call, danger: Danger) -> bool {
    let Some(function) = around(file, call) else { return false };
    let name = words(file.text(&function.name));
    match danger {
        Danger::Builder => {
            name.iter().any(|word| BUILDS.contains(&word.as_str()))
                || is_in_builder(file, call)
                || documentation(file, function, SAID_OF_OBJECTS)
        }
        Danger::Code => {
            let makes = || name.iter().any(|word| MAKES.contains(&word.as_str()));
            name.iter().any(|word| word.starts_with("eval") || word.starts_with("exec"))
                || (name.iter().any(|word| word == "function") && makes())
                || documentation(file, function, SAID_OF_CODE)
        }
        _ => false,
    }
}

fn is_in_builder(file: &File<'_>, call: &Call) -> bool {
    let before = file.source.text.get(..call.callee.start).unwrap_or_default();
    let head = before.rfind("class ").map(|at| before[at + "class ".len()..].trim_start());
    let name = head.and_then(|head| head.split(|c: char| !c.is_alphanumeric() && c != '_').next()).unwrap_or_default();
    words(name).iter().any(|word| BUILDERS.contains(&word.as_str()))
}

/// Whether what documents `function` has one of `phrases`.
fn documentation(file: &File<'_>, function: &Function, phrases: &[&str]) -> bool {
    let says = |text: &str| phrases.iter().any(|phrase| text.to_ascii_lowercase().contains(phrase));
    let inside = file.outline.docstrings.iter().find(|string| function.span.contains(&string.start));
    inside.is_some_and(|string| says(file.text(string))) || file.comments_near(function.span.start).any(says)
}

/// Whether the function around the copy `target` made room for it by a length that it was told.
pub(super) fn is_allocated(text: &str, target: &str) -> bool {
    let Some(name) = names(target).into_iter().next().or_else(|| target.split('.').next()) else { return false };
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let is_length = |one: &str| {
        one.contains(char::is_lowercase)
            && words(one).iter().any(|word| matches!(word.as_str(), "len" | "length" | "size" | "strlen"))
    };
    ALLOCATIONS.iter().flat_map(|call| text.match_indices(call)).any(|(at, call)| {
        let before = &text[text.ceil_char_boundary(at.saturating_sub(ALLOCATION_BYTES_MAX))..at];
        let before = before.rsplit([';', '{', '}']).next().unwrap_or_default();
        let after = &text[at + call.len()..];
        let after = after[..after.floor_char_boundary(ALLOCATION_BYTES_MAX)].split(';').next().unwrap_or_default();
        before.split(|c| !is_part(c)).any(|one| one == name) && after.split(|c| !is_part(c)).any(is_length)
    })
}

#[cfg(test)]
#[path = "trusted_tests.rs"]
mod tests;
