//! Where what is run comes from, as far as the function around the call shows.

use super::{is_filled, is_literal, trusted};
use crate::names::words;
use crate::outline::{Call, Function};
use crate::paths;
use crate::rules::File;
use crate::rules::calls::{arguments, last_name, split};

/// How far in front of a call assignments and the parameters of callbacks are looked for: no longer functions are read.
const BEFORE_BYTES_MAX: usize = 6_000;

/// How long the list of parameters of a callback may be.
const CALLBACK_BYTES_MAX: usize = 120;

/// Assignments of one name that are looked at: who gives it more values than that does not keep it constant.
const ASSIGNMENTS_MAX: usize = 16;

/// Where text comes from that others write.
const OUTSIDE: &[&str] = &[
    "$_",
    ".html(",
    ".text(",
    ".val(",
    ".value",
    "argv",
    "document.cookie",
    "fetch(",
    "getenv",
    "innerHTML",
    "json",
    "localStorage",
    "location",
    "os.environ",
    "params[",
    "process.env",
    "read(",
    "readline",
    "recv",
    "req.",
    "request",
    "response",
    "sessionStorage",
];

/// Signs that a function reads what lies outside of the program.
const READS: &[&str] = &[
    "File",
    "NetworkStream(",
    "fetch",
    "file_get_contents",
    "open(",
    "path",
    "read(",
    "read_",
    "readFile",
    "recv",
    "redis",
    "request",
    "socket",
    "urlopen",
];

/// Signs that nobody else can have written the data, since it is signed.
const SIGNS: &[&str] = &["compare_digest", "hash_equals", "hash_hmac", "hmac", "signature", "verify("];

/// Calls that pack what the same function unpacks.
const PACKERS: &[&str] = &[
    " serialize(",
    "(serialize(",
    ".Serialize(",
    ".serialize(",
    "Marshal.dump(",
    "ObjectOutputStream",
    "marshal.dumps(",
    "ickle.dumps(",
];

/// Functions that a language calls to unpack an object, with what it has packed before.
const UNPACKERS: &[&str] = &["__unserialize", "__wakeup", "readExternal", "unserialize"];

/// Words for text that exists to be run, as the caller knows.
const COMMANDS: &[&str] = &["cmd", "cmdline", "command", "commands", "script"];

/// Names of places that the program itself chooses.
const OWN_PLACES: &[&str] =
    &["__dirname", "__filename", "execPath", "sys.executable", "__DIR__", "__FILE__", "PHP_BINARY"];

/// How literals begin that values are put into.
const TEMPLATES: &[&str] = &["$\"", "f\"", "f'", "rf\"", "rf'"];

/// Words that are no names of values, and modules whose functions are called.
const NO_SOURCES: &[&str] = &["await", "new", "os", "path", "process", "self", "shlex", "str", "sys", "this"];

/// Marks by which people tell a linter that a call is meant.
const ALLOWANCES: &[&str] =
    &["NOSONAR", "eslint-disable", "noqa", "nosec", "nosemgrep", "phpcs:ignore", "pylint: disable", "rubocop:disable"];

/// Words behind such a mark from which on they are a reason.
const REASON_WORDS_MIN: usize = 2;

/// Words of a comment above such a mark from which on it is one.
const ABOVE_WORDS_MIN: usize = 5;

/// The function around `call`, if there is one.
pub(super) fn around<'f>(file: &'f File<'_>, call: &Call) -> Option<&'f Function> {
    call.function.and_then(|index| file.outline.functions.get(index))
}

/// Whether a comment beside `call` says in words why it is allowed, behind the mark that silences another linter.
pub(super) fn is_explained(file: &File<'_>, call: &Call) -> bool {
    let is_word = |word: &&str| {
        let word = word.trim_end_matches(['.', ',', ';', ':']);
        word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    let count = |text: &str| text.split_whitespace().filter(is_word).count();
    let behind = |comment: &str| ALLOWANCES.iter().find_map(|mark| Some(count(comment.split_once(mark)?.1)));
    let Some(reason) = file.comments_near(call.callee.start).filter_map(behind).max() else { return false };
    let is_above = || {
        let above = file.source.line_span(file.source.line_of(call.callee.start).saturating_sub(1)).start;
        file.comments_near(above).any(|comment| behind(comment).is_none() && count(comment) >= ABOVE_WORDS_MIN)
    };
    reason >= REASON_WORDS_MIN || is_above()
}

/// Whether the function around `call` may only be called from within the file, and is called there with literals only.
pub(super) fn is_given_literals(file: &File<'_>, call: &Call) -> bool {
    let Some(function) = around(file, call).filter(|function| is_private(file, function)) else { return false };
    let name = file.text(&function.name);
    let mut calls = file.outline.calls.iter().filter(|one| last_name(file.text(&one.callee)) == name).peekable();
    calls.peek().is_some() && calls.all(|one| one.is_constant)
}

/// Whether `function` says that it is not for others: by a word in front of it, or by its name in Python.
fn is_private(file: &File<'_>, function: &Function) -> bool {
    let head = file.text(&(function.span.start..function.name.start));
    let name = file.text(&function.name);
    let is_hidden = is_python(file) && name.starts_with('_') && !name.ends_with("__");
    is_hidden || ["private", "protected"].iter().any(|word| head.contains(word))
}

fn is_python(file: &File<'_>) -> bool {
    matches!(paths::extension(file.source.path), Some("py" | "pyw"))
}

/// What stands before `call` in its function, or in the file if it is in none.
pub(super) fn before<'f>(file: &'f File<'_>, call: &Call) -> &'f str {
    let text = file.source.text.get(..call.callee.start).unwrap_or_default();
    let start = around(file, call).map_or(0, |function| function.span.start);
    text.get(text.ceil_char_boundary(start.max(text.len().saturating_sub(BEFORE_BYTES_MAX)))..).unwrap_or_default()
}

/// Names of what `expression` takes its text from, those that it puts into literals among them: `a` of `a.b(c)`, and `c`.
pub(super) fn names(expression: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    // Quotes that are open, and `}` for code within them.
    let (mut open, mut at) = (Vec::new(), 0);
    while let Some(c) = expression[at..].chars().next() {
        let rest = &expression[at..];
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len()).max(c.len_utf8());
        match (open.last().copied().filter(|open| *open != '}'), c) {
            (Some(_), '\\') => at += c.len_utf8() + rest[1..].chars().next().map_or(0, char::len_utf8),
            (Some(quote), _) if c == quote => (_, at) = (open.pop(), at + 1),
            // `${a}`, `#{a}` and `{a}`: up to the bracket it is code.
            (_, '{') => (_, at) = (open.push('}'), at + 1),
            (None, '}') => (_, at) = (open.pop(), at + 1),
            (Some(_), '$') => {
                let name = rest[1..].split(|c| !is_part(c)).next().unwrap_or_default();
                found.extend((!name.is_empty()).then_some(name));
                at += 1 + name.len();
            }
            (None, '"' | '\'' | '`') => (_, at) = (open.push(c), at + 1),
            (None, _) if is_part(c) => {
                found.extend(is_value(&expression[..at], &rest[length..], c).then_some(&rest[..length]));
                at += length;
            }
            (_, _) => at += c.len_utf8(),
        }
    }
    found.retain(|name| !NO_SOURCES.contains(name));
    found
}

/// Whether a name that begins with `first` between `before` and `after` is that of a value: no member, call, number or prefix of
/// a literal.
fn is_value(before: &str, after: &str, first: char) -> bool {
    let is_member = before.ends_with(['.', '>']) || before.ends_with("::");
    let is_called = after.trim_start().starts_with('(');
    !is_member && !is_called && !first.is_ascii_digit() && !after.starts_with(['"', '\''])
}

/// Whether `name` is a parameter of the function around `call`, or of a callback between its beginning and the call.
pub(super) fn is_parameter(file: &File<'_>, call: &Call, name: &str) -> bool {
    let head = around(file, call).map_or(0..0, |function| {
        function.name.end..function.body.as_ref().map_or(function.name.end, |body| body.start)
    });
    names(file.text(&head)).contains(&name) || (is_script(file) && is_given_to_callback(before(file, call), name))
}

/// Whether `name` is a parameter of a function without a name that begins in `before`.
fn is_given_to_callback(before: &str, name: &str) -> bool {
    let is_in_function = |(at, _): (usize, &str)| {
        let rest = &before[at..before.floor_char_boundary(at + CALLBACK_BYTES_MAX)];
        let list = rest.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
        list.is_some_and(|(list, _)| names(list).contains(&name))
    };
    let is_in_arrow = |(at, _): (usize, &str)| {
        let start = before.ceil_char_boundary(at.saturating_sub(CALLBACK_BYTES_MAX));
        let list = before[start..at].rsplit(['\n', ';']).next().unwrap_or_default().trim_end();
        let opens: &[char] = if list.ends_with(')') { &['('] } else { &['(', ',', ' '] };
        list.rsplit(opens).next().is_some_and(|list| names(list).contains(&name))
    };
    before.match_indices("function").any(is_in_function) || before.match_indices("=>").any(is_in_arrow)
}

fn is_script(file: &File<'_>) -> bool {
    matches!(paths::extension(file.source.path), Some("cjs" | "js" | "jsx" | "mjs" | "cts" | "mts" | "ts" | "tsx"))
}

/// What `name` is set to before `call`, each to the end of its line.
pub(super) fn values<'f>(file: &'f File<'_>, call: &Call, name: &str) -> Vec<&'f str> {
    let before = before(file, call);
    let value = |(at, _): (usize, &str)| {
        let is_start = !before[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
        let rest = before[at + name.len()..].trim_start_matches([' ', '\t']);
        // `a: String = b`, `a := b`, `a = b`, `a += b`, `a .= b`
        let rest = rest.strip_prefix([':', '+', '.']).unwrap_or(rest);
        let rest = rest.strip_prefix('=').filter(|rest| !rest.starts_with(['=', '>', '~']))?;
        is_start
            .then(|| rest.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().trim_end_matches(';'))
    };
    before.match_indices(name).filter_map(value).take(ASSIGNMENTS_MAX).collect()
}

/// Whether `text` is put together of several pieces.
fn is_combined(file: &File<'_>, text: &str) -> bool {
    let sign = |rest: &str| match rest.chars().next()? {
        '+' => Some(1),
        _ => [" % ", " . "].iter().any(|sign| rest.starts_with(sign)).then_some(3),
    };
    let is_sum = split(text, sign).len() > 1;
    let has = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
    let is_template = is_filled(file, text) || TEMPLATES.iter().any(|mark| text.starts_with(mark));
    is_sum || is_template || has(&["${", "format(", "format!(", "join(", "printf(", "concat("])
}

/// Whether the program chose `name` itself: it is written like a constant, or set to literals only.
fn is_own(file: &File<'_>, call: &Call, name: &str) -> bool {
    let is_constant = name.len() > 1 && name.contains(char::is_uppercase) && !name.contains(char::is_lowercase);
    if is_constant || OWN_PLACES.contains(&name) {
        return true;
    }
    let values = values(file, call, name);
    let is_plain = |value: &&str| is_literal(value) && !is_filled(file, value);
    !values.is_empty() && !is_parameter(file, call, name) && values.iter().all(is_plain)
}

/// The name that `argument` is, or the one that the path or call that it is begins with.
fn single(argument: &str) -> Option<&str> {
    let is_path = argument.chars().all(|c| c.is_alphanumeric() || "_$.>-[]()&*:\\".contains(c));
    if is_path { names(argument).first().copied() } else { None }
}

fn is_outside(text: &str) -> bool {
    !trusted::names_callbacks(text) && OUTSIDE.iter().any(|source| text.contains(source))
}

/// Whether `argument` of `call`, which is run as a program or in a shell, is put together of what the program did not choose.
pub(super) fn is_put_together(file: &File<'_>, call: &Call, argument: &str) -> bool {
    if is_given_literals(file, call) {
        return false;
    }
    let of_object = |text: &str| ["self.", "this.", "this->"].iter().any(|object| text.contains(object));
    let has_others = |text: &str| of_object(text) || names(text).iter().any(|name| !is_own(file, call, name));
    let is_open = |text: &str| is_outside(text) || (is_combined(file, text) && has_others(text));
    if is_open(argument) {
        return true;
    }
    let Some(name) = single(argument) else { return false };
    let values = values(file, call, name);
    // A function that is given a command is there to run it: who puts it together is another one.
    let last = last_name(argument.split('(').next().unwrap_or(argument));
    let is_command = words(last).iter().any(|word| COMMANDS.contains(&word.as_str()));
    values.iter().any(|value| is_open(value)) || (values.is_empty() && !is_command && is_parameter(file, call, name))
}

/// Whether `argument` of `call`, which is run as code, comes from outside, as far as the function shows. Code that a program
/// makes for itself does not, nor does the file that somebody names so that it is run.
pub(super) fn is_foreign_code(file: &File<'_>, call: &Call, argument: &str) -> bool {
    let all = arguments(file, &call.arguments);
    let reads = |text: &str| [".read()", "File.read(", "readFileSync("].iter().any(|read| text.contains(read));
    let opens = || ["open(", "File.read", "readFileSync("].iter().any(|open| before(file, call).contains(open));
    let is_read = |name: &str| {
        // Two steps: what was read, and what that was compiled to.
        let values = values(file, call, name);
        let further = || values.iter().flat_map(|value| names(value)).flat_map(|name| self::values(file, call, name));
        values.iter().any(|value| reads(value)) || further().any(reads)
    };
    let is_named_file = reads(argument) || (opens() && names(argument).into_iter().any(is_read));
    let is_module = all.iter().skip(1).any(|one| one.contains("__dict__") || one.contains("__FILE__"));
    let is_hidden = is_python(file) && around(file, call).is_some_and(|function| is_private(file, function));
    let before = before(file, call);
    let declares = ["class_exists", "function_exists"].iter().any(|check| before.contains(check));
    if is_named_file || is_module || is_hidden || declares || is_given_literals(file, call) {
        return false;
    }
    let is_given = |name: &str| is_parameter(file, call, name) && !trusted::is_code(name);
    let hands_on = |text: &&str| {
        let is_own = is_combined(file, text) || trusted::is_own_result(file, text);
        is_outside(text) || (!is_own && names(text).into_iter().any(is_given))
    };
    let comes = |name: &&str| {
        let is_checked = ["if {} in (", "assert {}"].iter().any(|check| before.contains(&check.replace("{}", name)));
        let is_own = is_own(file, call, name) || is_checked;
        !is_own && (is_given(name) || values(file, call, name).iter().any(hands_on))
    };
    is_outside(argument) || (!trusted::is_own_result(file, argument) && names(argument).iter().any(comes))
}

/// Whether what `call` unpacks is the program's own: it lies beside the code, which is as much to be trusted, the same
/// function packed it, it is kept in an object, it is signed, or a hidden function takes it from nowhere else.
pub(super) fn is_own_data(file: &File<'_>, call: &Call) -> bool {
    let Some(function) = around(file, call) else {
        return PACKERS.iter().any(|packer| file.text(&call.arguments).contains(packer));
    };
    let (text, name) = (file.text(&function.span), file.text(&function.name));
    let first = arguments(file, &call.arguments).first().copied().unwrap_or_default();
    let has = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
    let is_kept = !first.is_empty() && text.contains(&format!("{first} = self."));
    let is_closed = is_private(file, function) && function.parameters == 0 && !has(READS);
    let is_checked = UNPACKERS.contains(&name) || name.to_ascii_lowercase().contains("safe");
    text.contains("__file__") || has(PACKERS) || has(SIGNS) || is_kept || is_closed || is_checked
}

/// Whether the function around `call`, which copies text, has looked how long it is.
pub(super) fn is_measured(file: &File<'_>, call: &Call) -> bool {
    let text = around(file, call).map_or("", |function| file.text(&function.span));
    let all = arguments(file, &call.arguments);
    let is_looked_at =
        |one: &str| text.contains(&format!("strlen({one})")) || text.contains(&format!("strnlen({one},"));
    let is_known = |one: &&str| !is_literal(one) && is_looked_at(one);
    let target = all.first().copied().unwrap_or_default();
    all.iter().skip(1).any(is_known) || trusted::is_allocated(text, target)
}
