//! Whether what others write evidently reaches a call.

use super::origin::{around, before, is_parameter, names, values};
use super::{Danger, PROGRAM_STARTERS, is_filled, is_literal, trusted};
use crate::names::words;
use crate::outline::{Call, Outline, Span};
use crate::paths;
use crate::rules::File;
use crate::rules::calls::{arguments, is_path};

/// How many assignments lie at most between a call and where its text comes from.
const STEPS_MAX: usize = 3;

/// What others send over a network.
const NETWORK: &[&str] = &[
    "$_COOKIE",
    "$_FILES",
    "$_GET",
    "$_POST",
    "$_REQUEST",
    "$_SERVER",
    "HTTP_",
    "QUERY_STRING",
    "fetch(",
    "php://input",
    "recv",
    "req.",
    "request",
    "response",
    "socket",
    "urlopen",
];

/// What whoever looks at a page writes.
const TYPED: &[&str] = &[
    ".html(",
    ".text(",
    ".val(",
    "document.cookie",
    "innerHTML",
    "localStorage",
    "location.",
    "params[",
    "sessionStorage",
];

/// Directories of programs that only the team runs.
const DEVELOPERS: &[&str] =
    &[".github", "ci", "devel", "devtools", "hack", "script", "scripts", "tasks", "tool", "tools"];

/// Files of tasks that only the team runs.
const TASKS: &[&str] =
    &["Gruntfile.js", "Jakefile.js", "Rakefile", "fabfile.py", "gulpfile.js", "noxfile.py", "tasks.py"];

/// Words in names of functions that say that they run what they are given.
const RUNS: &[&str] = &[
    "bash", "cmd", "command", "eval", "evaluate", "exec", "execute", "popen", "run", "runner", "sh", "shell", "spawn",
    "system",
];

/// Words in names of classes that run what somebody types.
const TYPED_TO: &[&str] = &["cmd", "console", "debugger", "interpreter", "pdb", "repl", "shell"];

/// Signs that a file speaks with a process that it started, or that started it.
const PEERS: &[&str] = &[
    "AF_UNIX",
    "IO.pipe",
    "child_process.fork",
    "fork(",
    "fork_process(",
    "multiprocessing",
    "os.pipe(",
    "parentPort",
    "socketpair",
    "worker_threads",
    "workerpool",
];

/// Parts of names of what the program keeps for itself.
const KEPT: &[&str] = &["_SESSION", "cache", "session"];

/// Calls that pack what the same file unpacks.
const PACKS: &[&str] = &[
    " serialize(",
    "(serialize(",
    ".Serialize(",
    ".serialize(",
    "Marshal.dump(",
    "marshal.dumps(",
    "dill.dump",
    "ickle.dump(",
    "ickle.dumps(",
    "jsonpickle.encode(",
    "writeObject(",
];

/// Beginnings of lines that give values to names without an assignment.
const HANDS_OVER: &[&str] = &["async with ", "for ", "for(", "foreach ", "foreach(", "using ", "while ", "with "];

/// How surely a call runs what others write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// It is a parameter: who calls the function decides.
    Given,
    /// The function takes it from outside.
    Sent,
}

/// How far what others write reaches the `call`, which is of the kind `danger`, if it does.
pub(super) fn reach(file: &File<'_>, call: &Call, danger: Danger) -> Option<Reach> {
    let path = file.source.path;
    let unpacks = danger == Danger::Builder;
    // Deeper down a `contrib` may be a part of a library; only with a first line of its own it is a program.
    let is_contributed = path.starts_with("contrib/")
        || (paths::has_directory(path, &["contrib"]) && file.source.text.starts_with("#!"));
    let is_developers = is_contributed
        || paths::has_directory(path, DEVELOPERS)
        || TASKS.contains(&paths::file_name(path))
        || paths::extension(path) == Some("rake");
    let text = runs(file, call);
    if is_in_debugger(file, call) || is_from_peer(file, text, unpacks) || (unpacks && is_kept(file, call, text)) {
        return None;
    }
    let sources: &[&[&str]] = if is_developers { &[NETWORK] } else { &[NETWORK, TYPED] };
    let found = follow(&Trail { file, call, sources, danger }, text, STEPS_MAX)?;
    let function = around(file, call).map_or("", |function| file.text(&function.name));
    let is_said =
        || words(function).iter().any(|word| RUNS.contains(&word.as_str())) || trusted::is_said(file, call, danger);
    let body = || around(file, call).map_or_else(String::new, |function| code(file, &function.span));
    match found {
        Reach::Sent => Some(Reach::Sent),
        // The name says what callers have to know; what the function itself adds from outside it does not.
        Reach::Given if is_developers || (is_said() && !has(&body(), &[NETWORK])) => None,
        Reach::Given => Some(Reach::Given),
    }
}

/// What `call` runs or unpacks: its first argument unless that is a literal or names a program, then all; without arguments what it is called on.
fn runs<'f>(file: &'f File<'_>, call: &Call) -> &'f str {
    let all = arguments(file, &call.arguments);
    let starts = PROGRAM_STARTERS.iter().any(|starter| is_path(file.text(&call.callee), starter));
    match all.first() {
        Some(first) if !starts && !is_literal(first) || is_filled(file, first) => first,
        Some(_) => file.text(&call.arguments),
        None => {
            let before = file.source.text.get(..call.callee.end).unwrap_or_default();
            before.rsplit([';', '{', '}', '=']).next().unwrap_or_default()
        }
    }
}

/// What stands in `span` without comments and documentation, which may speak of a response that is none of a network.
fn code(file: &File<'_>, span: &Span) -> String {
    let Outline { comments, docstrings, .. } = &file.outline;
    let mut said: Vec<&Span> = comments.iter().chain(docstrings).filter(|one| span.contains(&one.start)).collect();
    said.sort_by_key(|one| one.start);
    let (mut kept, mut from) = (String::new(), span.start);
    for one in said {
        kept.push_str(file.source.text.get(from..one.start).unwrap_or_default());
        from = from.max(one.end);
    }
    kept.push_str(file.source.text.get(from..span.end).unwrap_or_default());
    kept
}

fn has(text: &str, sources: &[&[&str]]) -> bool {
    sources.iter().flat_map(|signs| signs.iter()).any(|sign| text.contains(sign))
}

/// What is followed back to where it comes from.
struct Trail<'f> {
    file: &'f File<'f>,
    call: &'f Call,
    sources: &'f [&'f [&'f str]],
    danger: Danger,
}

/// How far what others write reaches `text`, over at most `steps` assignments.
fn follow(trail: &Trail<'_>, text: &str, steps: usize) -> Option<Reach> {
    let Trail { file, call, sources, danger } = *trail;
    if !trusted::names_callbacks(text)
        && has(text, sources)
        && !sources.iter().any(|signs| trusted::is_validated(file, text, signs))
    {
        return Some(Reach::Sent);
    }
    let is_command = matches!(danger, Danger::Program | Danger::Shell);
    let text = trusted::without_quoted(text);
    let text = text.as_str();
    let of_name = |name: &str| {
        let is_measured = is_command && (trusted::is_measured_in(text, name) || trusted::is_measure(text));
        if is_measured || is_cleaned(text, name) || trusted::is_option(file, call, name) {
            return None;
        }
        let values = values(file, call, name);
        let is_safe = |value: &&str| is_cleaner(value) || (is_command && trusted::is_measure(value));
        if values.last().is_some_and(is_safe) {
            return None;
        }
        let given = is_parameter(file, call, name).then_some(Reach::Given);
        let rest = steps.checked_sub(1)?;
        let handed = before(file, call).lines().filter(|line| hands_over(line, name));
        let further = values.into_iter().chain(handed).filter_map(|value| follow(trail, value, rest)).max();
        let is_safe = is_command && trusted::is_number(file, call, name);
        given.max(further).filter(|reach| !is_safe || *reach == Reach::Sent)
    };
    names(text).into_iter().filter_map(of_name).max()
}

/// Whether `line` gives a value to `name` without an assignment: `for name in a`, `with a as name`, `a.each do |name|`.
fn hands_over(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let is_named = || line.split(|c| !is_part(c)).any(|word| word == name);
    (HANDS_OVER.iter().any(|start| line.starts_with(start)) && is_named()) || line.contains(&format!("|{name}|"))
}

/// Whether `value` is what a function that escapes or quotes gives back.
fn is_cleaner(value: &str) -> bool {
    let callee = value.split('(').next().unwrap_or_default().to_ascii_lowercase();
    let is_clean = |callee: &str| ["escape", "quote", "sanitize"].iter().any(|word| callee.contains(word));
    value.contains('(') && is_clean(&callee)
}

/// Whether `text` escapes or quotes `name` itself: `"ls " + quote(name)`.
fn is_cleaned(text: &str, name: &str) -> bool {
    ["Escape(", "Quote(", "escape(", "escapeshellarg(", "quote("]
        .iter()
        .any(|call| text.contains(&format!("{call}{name}")))
}

/// Whether the class around `call` is there to run what somebody types.
fn is_in_debugger(file: &File<'_>, call: &Call) -> bool {
    let before = file.source.text.get(..call.callee.start).unwrap_or_default();
    let head = before.rfind("class ").map(|at| before[at..].lines().next().unwrap_or_default());
    head.is_some_and(|head| {
        let parts = head.split(|c: char| !c.is_alphanumeric() && c != '_');
        parts.flat_map(words).any(|word| TYPED_TO.contains(&word.as_str()))
    })
}

/// Whether `text` is what a process of the same program has packed.
fn is_from_peer(file: &File<'_>, text: &str, unpacks: bool) -> bool {
    let is_packed = || text.to_ascii_lowercase().contains("serializ");
    (unpacks || is_packed()) && PEERS.iter().any(|sign| file.source.text.contains(sign))
}

/// Whether what `call` unpacks is what the program keeps for itself, or what its caller has opened as a stream of objects.
fn is_kept(file: &File<'_>, call: &Call, text: &str) -> bool {
    let whole = file.source.text.as_ref();
    let function = around(file, call);
    let head = function.map_or("", |function| {
        file.text(&(function.name.end..function.body.as_ref().map_or(function.name.end, |body| body.start)))
    });
    let name = function.map_or("", |function| file.text(&function.name)).to_ascii_lowercase();
    let is_named =
        KEPT.iter().any(|part| text.contains(part)) || ["cache", "session"].iter().any(|part| name.contains(part));
    is_named
        || ["ObjectInputStream", "ObjectInput "].iter().any(|class| head.contains(class))
        || PACKS.iter().any(|pack| whole.contains(pack))
}
