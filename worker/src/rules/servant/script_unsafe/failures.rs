//! Scripts that go on after a failure.

use std::collections::HashMap;

use schemas::severity::Severity;

use super::harmless::{is_harmless, is_showing, sources_rules};
use super::{program, report};
use crate::automation::script::Script;
use crate::automation::shell::{Command, Joint};
use crate::names;
use crate::outline::{Function, Span};
use crate::paths;
use crate::rules::{File, Findings};

/// Commands that only say something, so that a pipe out of them cannot fail.
const SAYS: &[&str] = &[":", "echo", "printf", "true", "yes"];

/// Commands that list what is there: a pipe out of them is empty where there is nothing.
const LISTS: &[&str] = &["compgen", "env", "find", "locate", "mount", "seq", "set"];

/// Commands that change what comes through a pipe, and fail on nothing that it holds.
const FILTERS: &[&str] = &[
    "awk", "base64", "cat", "column", "cut", "fold", "head", "nl", "rev", "sed", "sort", "tac", "tail", "tr", "uniq",
    "wc",
];

/// Commands at the end of a pipe whose outcome is what is asked for, that only show, or that stop the one before them early.
const ASKS: &[&str] = &["egrep", "fgrep", "grep", "head", "less", "more", "true"];

/// Commands that only say something or go to what comes next, so that nothing works on what failed.
const QUIET: &[&str] = &[":", "break", "continue", "echo", "exit", "printf", "return", "shift", "true"];

/// Words in front of a command that ask for its outcome.
const CONDITIONS: &[&str] = &["!", "elif", "if", "until", "while"];

/// Commands after which nothing is done with what failed.
const ENDS: &[&str] = &["break", "continue", "exit", "return"];

/// Commands behind `||` by which a script handles failures itself.
const HANDLERS: &[&str] = &["abort", "bail", "die", "err", "error", "exit", "fail", "fatal", "panic", "return"];

/// Signs of scripts that start and stop services, which go on and answer with a state.
const SERVICES: &[&str] = &[
    "### BEGIN INIT INFO",
    "# chkconfig:",
    "/init.d/functions",
    "openrc-run",
    "rc.common",
    "rc.subr",
    "start-stop-daemon",
];

/// Signs of scripts that run until they are stopped, whatever fails meanwhile.
const FOR_EVER: &[&str] =
    &["entr ", "for ((;;", "fswatch", "inotifywait", "until false", "while :", "while [ 1 ]", "while true"];

/// Words in names of scripts that take away what may not be there, or only show: each step is tried for itself.
#[rustfmt::skip]
const TRIED: &[&str] = &[
    "clean", "cleanup", "clear", "debug", "demo", "diagnose", "diagnostics", "down", "info", "kill", "list", "monitor", "nuke",
    "preview", "purge", "remove", "reset", "show", "status", "stop", "teardown", "undo", "uninstall", "watch",
];

/// How many commands behind a condition the end of the script is looked for.
const HANDLED_COMMANDS_MAX: usize = 4;

/// Scripts that tools copy into repositories.
#[rustfmt::skip]
const COPIES: &[&str] = &[
    "compile", "config.guess", "config.sub", "configure", "depcomp", "gradlew", "husky.sh", "install-sh", "libtool", "ltmain.sh",
    "missing", "mkinstalldirs", "mvnw", "wait-for", "wait-for-it.sh", "xdg-open", "ylwrap",
];

/// Directories of scripts that are run with `-e`, of those for services, of those that the program which starts a
/// system sources one after the other, and of input for tests.
const LEFT_ALONE: &[&str] = &[".husky", "__fixtures__", "fixtures", "init.d", "modules.d", "rc.d", "testdata"];

/// A script with what is known of it.
struct Look<'f> {
    file: &'f File<'f>,
    script: &'f Script,
    /// Whether something in each function can fail.
    functions: HashMap<&'f str, bool>,
}

/// Reports that `script`, whose first line is `shebang`, goes on after a failure.
pub(super) fn check(file: &File<'_>, script: &Script, shebang: &Span, found: &mut Findings<'_>) {
    let (path, text, first) = (file.source.path, file.source.text.as_ref(), file.text(shebang));
    let has = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
    let is_elsewhere =
        COPIES.contains(&paths::file_name(path)) || paths::has_directory(path, LEFT_ALONE) || has(SERVICES);
    if is_elsewhere || is_handled(script, text) {
        return;
    }
    let sets = |letter: char, name: &str| {
        let sets = |words: Vec<&str>| sets_option(&words, letter, name);
        let sets_here = |command: &Command| program(command) == Some("set") && sets(command.texts().skip(1).collect());
        sets(first.split_whitespace().skip(1).collect()) || script.commands.iter().any(sets_here)
    };
    let knows_pipefail = ["bash", "ksh", "zsh"].iter().any(|shell| first.contains(shell));
    let stops = sets('e', "errexit");
    // A script that sets one itself is taken at its word.
    if !stops && sources_rules(script) {
        return;
    }
    if stops && (!knows_pipefail || sets('\0', "pipefail")) {
        return;
    }
    let look = Look::new(file, script);
    if look.is_library() {
        return;
    }
    if !stops && !has(FOR_EVER) && !is_tried(path) && look.goes_on() {
        let advice = "begin with `set -eu`, in bash with `set -euo pipefail`";
        report(file, shebang.clone(), Severity::Low, "script goes on after a failure", advice, found);
    } else if knows_pipefail && !has(FOR_EVER) && !sets('\0', "pipefail") && look.hides_in_pipes() {
        let advice = "begin with `set -euo pipefail`";
        report(file, shebang.clone(), Severity::Low, "failures inside of pipes go unnoticed", advice, found);
    }
}

/// Whether `words`, given to `set` or to a shell, set the option called `letter` or `name`.
fn sets_option(words: &[&str], letter: char, name: &str) -> bool {
    let short = |word: &str| word.starts_with('-') && !word.starts_with("--") && word.contains(letter);
    let long = |pair: &[&str]| pair[0].starts_with('-') && pair[0].ends_with('o') && pair[1] == name;
    words.iter().any(|word| short(word)) || words.windows(2).any(long)
}

/// Whether the script looks at failures itself.
fn is_handled(script: &Script, text: &str) -> bool {
    let traps = |command: &Command| program(command) == Some("trap") && command.has("ERR");
    let allows = |command: &Command| program(command) == Some("set") && command.has("+e");
    // `exit $failed`
    let answers = |command: &Command| {
        matches!(program(command), Some("exit" | "return"))
            && command.texts().nth(1).is_some_and(|state| state.starts_with('$'))
    };
    // `|| failed=1`, `|| exit 1`
    let ends = |command: &Command| program(command).is_none_or(|program| HANDLERS.contains(&program));
    let handles = |command: &Command| {
        traps(command) || allows(command) || answers(command) || (command.joint == Joint::Or && ends(command))
    };
    text.contains("$?")
        || text.contains("PIPESTATUS")
        || script.commands.iter().any(handles)
        || (0..script.commands.len()).any(|index| ends_if_failed(script, text, index))
}

/// Whether the script asks whether the command at `index` failed, and ends then: `if ! make; then exit 1; fi`.
fn ends_if_failed(script: &Script, text: &str, index: usize) -> bool {
    let command = &script.commands[index];
    let before = text.get(..command.span().start).unwrap_or_default().trim_end();
    let is_asked = before.strip_suffix('!').is_some_and(|before| before.trim_end().ends_with("if"));
    let mut after = script.commands[index + 1..].iter().take(HANDLED_COMMANDS_MAX);
    is_asked
        && !is_harmless(command)
        && !is_showing(command)
        && program(command) != Some("command")
        && after.any(|next| program(next).is_some_and(|program| ENDS.contains(&program)))
}

/// Whether a script of this path takes away what may not be there, or only shows, as its name says.
fn is_tried(path: &str) -> bool {
    let name = paths::file_name(path);
    let name = name.split('.').find(|part| !part.is_empty()).unwrap_or(name);
    names::words(name).iter().any(|word| TRIED.contains(&word.as_str()))
}

impl<'f> Look<'f> {
    fn new(file: &'f File<'f>, script: &'f Script) -> Self {
        let mut look = Self { file, script, functions: HashMap::new() };
        let mut functions: HashMap<&str, bool> = HashMap::new();
        for function in &file.outline.functions {
            functions.insert(file.text(&function.name), false);
        }
        for command in &script.commands {
            if let Some(function) = look.function(command).filter(|_| !look.is_harmless(command)) {
                functions.insert(file.text(&function.name), true);
            }
        }
        look.functions = functions;
        look
    }

    /// The innermost function whose body holds `command`: the last one that begins before it may have ended inside of
    /// another.
    fn function(&self, command: &Command) -> Option<&'f Function> {
        let (functions, at) = (&self.file.outline.functions, command.span().start);
        let after = functions.partition_point(|function| function.span.start <= at);
        functions[..after].iter().rev().find(|function| function.span.contains(&at))
    }

    /// Whether what the command at `index` runs cannot fail, or only says what a name is to mean.
    fn is_harmless(&self, command: &Command) -> bool {
        let after = self.file.source.text.get(command.span().end..).unwrap_or_default();
        let declares =
            after.trim_start_matches(' ').starts_with('(') || command.words.last().is_some_and(|word| word.text == "{");
        let Some(program) = program(command) else { return true };
        // `cat` alone shows what is written below it.
        let shows = program == "cat" && command.words.len() == 1;
        let fails_never = self.functions.get(program) == Some(&false);
        declares
            || shows
            || fails_never
            || program.ends_with("()")
            || is_harmless(command)
            || (is_showing(command) && !self.file.is_test())
    }

    /// Whether what `command` says of its failure is thrown away: whoever wrote it knows that it may fail.
    fn is_hushed(&self, command: &Command, next: &Command) -> bool {
        let own = self.file.source.text.get(command.span().start..next.span().start).unwrap_or_default();
        let own = own.replace("> /dev", ">/dev");
        own.contains("2>/dev/null")
            || own.contains("&>/dev/null")
            || (own.contains(">/dev/null") && own.contains("2>&1"))
    }

    /// Whether nothing is done outside of functions but setting and sourcing.
    fn is_library(&self) -> bool {
        let is_quiet = |command: &Command| self.function(command).is_some() || self.is_harmless(command);
        !self.file.outline.functions.is_empty() && self.script.commands.iter().all(is_quiet)
    }

    /// Whether a command that can fail, and whose failure nothing takes care of, is followed by another.
    fn goes_on(&self) -> bool {
        let commands = &self.script.commands;
        (1..commands.len())
            .any(|next| commands[next].joint == Joint::Next && self.is_unnoticed(next - 1, &commands[next]))
    }

    fn is_unnoticed(&self, index: usize, next: &Command) -> bool {
        let command = &self.script.commands[index];
        // What stands behind `||` takes care of a failure itself.
        let is_meant = command.joint == Joint::Or || self.is_hushed(command, next);
        if is_meant || self.is_harmless(command) || self.is_asked(index) {
            return false;
        }
        let is_end = program(next).is_some_and(|program| ENDS.contains(&program));
        let function = self.function(command);
        let is_last = function.is_some_and(|function| next.span().start >= function.span.end);
        let between = self.file.text(&(command.span().end..next.span().start));
        let line = between.lines().next().unwrap_or_default().trim_end();
        let is_apart = line.ends_with('&') && !line.ends_with("&&");
        !is_end && !is_last && !is_apart && self.is_followed(index, |_| true)
    }

    /// Whether a command that `counts` runs behind the one at `index` in the same function: not one of another branch.
    fn is_followed(&self, index: usize, counts: impl Fn(&Command) -> bool) -> bool {
        let commands = &self.script.commands;
        let function = self.function(&commands[index]);
        // Whether the place is in another branch, and how many choices are open there.
        let (mut is_other, mut depth) = (false, 0_usize);
        for pair in commands[index..].windows(2) {
            let (last, next) = (&pair[0], &pair[1]);
            if function.is_some_and(|function| next.span().start >= function.span.end) {
                return false;
            }
            let between = self.file.source.text.get(last.span().end..next.span().start).unwrap_or_default();
            let code = between.lines().filter_map(|line| line.split('#').next());
            let words = code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'));
            for word in words.chain(program(next).filter(|word| *word == "fi")) {
                match word {
                    "elif" | "else" if depth == 0 => is_other = true,
                    "if" if is_other => depth += 1,
                    "fi" if depth > 0 => depth -= 1,
                    "fi" => is_other = false,
                    _ => {}
                }
            }
            if !is_other && next.joint == Joint::Next && counts(next) {
                return true;
            }
        }
        false
    }

    /// Whether the commands that end with the one at `index` are a condition.
    fn is_asked(&self, index: usize) -> bool {
        let commands = &self.script.commands;
        let first = (0..=index).rev().find(|at| commands[*at].joint == Joint::Next).unwrap_or(0);
        let before = self.file.source.text.get(..commands[first].span().start).unwrap_or_default();
        let before = before.trim_end_matches([' ', '\t', '(', '{']);
        let is_word = |word: &str| {
            let rest = before.strip_suffix(word);
            rest.is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        };
        CONDITIONS.iter().any(|word| is_word(word))
    }

    /// Whether something that can fail stands before the last command of a pipe.
    fn hides_in_pipes(&self) -> bool {
        let commands = &self.script.commands;
        let works = |command: &Command| program(command).is_some_and(|program| !QUIET.contains(&program));
        (1..commands.len()).any(|index| {
            let (from, to) = (&commands[index - 1], &commands[index]);
            let asks = program(to).is_some_and(|program| ASKS.contains(&program));
            to.joint == Joint::Pipe
                && self.can_fail(from)
                && !asks
                && !self.is_hushed(from, to)
                && !self.is_asked(index)
                && !self.is_answered(index)
                && self.is_followed(index, works)
        })
    }

    /// Whether a failure of `from`, which writes to a pipe, is one.
    fn can_fail(&self, from: &Command) -> bool {
        let shows = program(from) == Some("cat") && from.words.len() == 1;
        let is_filter = |program: &str| from.joint == Joint::Pipe && FILTERS.contains(&program);
        let is_known = |program: &str| {
            SAYS.contains(&program)
                || LISTS.contains(&program)
                || is_filter(program)
                || self.functions.get(program) == Some(&false)
        };
        program(from).is_some_and(|program| !is_known(program)) && !shows && !is_showing(from)
    }

    /// Whether something is done where the pipe with the command at `index` fails as a whole: `a | b || c`.
    fn is_answered(&self, index: usize) -> bool {
        let mut after = self.script.commands[index + 1..].iter();
        after.find(|command| command.joint != Joint::Pipe).is_some_and(|command| command.joint == Joint::Or)
    }
}

#[cfg(test)]
mod tests;
