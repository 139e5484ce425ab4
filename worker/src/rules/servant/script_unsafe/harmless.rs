//! Commands of shells whose failure does no harm: they only show something, or can hardly fail.

use super::program;
use crate::automation::script::Script;
use crate::automation::shell::Command;

/// Commands that do not fail, or whose outcome is what they are asked for. `-v` is that of `command -v`.
#[rustfmt::skip]
const HARMLESS: &[&str] = &[
    "((", "-V", "-v", ".", ":", "[", "[[", "alias", "autoload", "bind", "break", "case", "clear", "compdef", "complete",
    "continue", "date", "declare", "echo", "exit", "export", "false", "fi", "for", "function", "getopts", "hash", "hostname",
    "if", "kill", "killall", "let", "local", "pkill", "printf", "pwd", "read", "readonly", "return", "select", "set", "shift",
    "shopt", "sleep", "source", "stty", "test", "then", "touch", "trap", "true", "tput", "type", "typeset", "ulimit", "umask",
    "unalias", "uname", "unset", "wait", "whoami", "zstyle", "{", "}",
];

/// Commands that show or look for something: what they find is the answer, and so is that they find nothing. In a test they
/// may be what it asserts.
#[rustfmt::skip]
const SHOWING: &[&str] = &[
    "column", "df", "dmesg", "du", "egrep", "fgrep", "file", "free", "grep", "groups", "history", "id", "less", "ls", "lsof",
    "lspci", "lsusb", "man", "more", "netstat", "notify-send", "nproc", "pgrep", "pidof", "ping", "ps", "rg", "ss", "stat",
    "top", "tree", "tty", "uptime", "which", "who",
];

/// Programs of many commands, some of which only show something, or take away what may not be there.
const MANY: &[&str] =
    &["brew", "docker", "docker-compose", "git", "hg", "kubectl", "npm", "podman", "svn", "systemctl"];

/// Such commands.
#[rustfmt::skip]
const SHOWN: &[&str] = &[
    "--version", "describe", "diff", "down", "get", "images", "info", "inspect", "kill", "list", "log", "logs", "ls", "ps",
    "prune", "show", "status", "stop", "version",
];

/// Places to go to that are there.
const PLACES: &[&str] = &["", "-", "..", "../..", ".", "/", "/tmp", "~", "$HOME", "${HOME}"];

/// Beginnings of such places: where the script stands, or the repository around it.
const OWN_PLACES: &[&str] =
    &["$(cd ", "$(dirname", "$(git rev-parse", "$(readlink", "$(realpath", "${0%", "${BASH_SOURCE", "`dirname"];

/// Endings of files that set variables only, where they are sourced.
const SETTINGS: &[&str] = &[".conf", ".env", ".profile", "/activate", "/os-release", "nvm.sh", "rc"];

/// Whether `command` runs a program that cannot fail, or only says what a name is to mean.
pub(super) fn is_harmless(command: &Command) -> bool {
    let Some(program) = program(command) else { return true };
    HARMLESS.contains(&program)
        || (program == "rm" && has_letter(command, 'f'))
        || (program == "mkdir" && (has_letter(command, 'p') || command.has("--parents")))
        || (matches!(program, "cd" | "pushd") && goes_to_known_place(command))
        || program == "popd"
        // The search is to end whatever it found, and its steps do nothing where it was not begun.
        || (program == "git" && command.has("bisect"))
        || (command.words.len() == 2 && command.words[1].text == "--version")
}

/// Whether `command` only shows or looks for something, or takes away what may not be there.
pub(super) fn is_showing(command: &Command) -> bool {
    let has_shown = || command.texts().skip(1).take(2).any(|word| SHOWN.contains(&word));
    program(command).is_some_and(|program| SHOWING.contains(&program) || (MANY.contains(&program) && has_shown()))
}

/// Whether a short option of `command` has `letter` in it.
fn has_letter(command: &Command, letter: char) -> bool {
    command.texts().skip(1).any(|word| word.starts_with('-') && word.contains(letter))
}

fn goes_to_known_place(command: &Command) -> bool {
    let place = command.texts().skip(1).find(|word| *word != "--").unwrap_or_default();
    PLACES.contains(&place.trim_end_matches('/')) || place == "/" || OWN_PLACES.iter().any(|own| place.starts_with(own))
}

/// Whether the script sources a file that may say how failures are handled, as one of its own project often does.
pub(super) fn sources_rules(script: &Script) -> bool {
    script.commands.iter().any(|command| {
        let operand = command.texts().nth(1).unwrap_or_default();
        let is_known = operand.is_empty()
            || operand.starts_with("/etc/")
            || operand.starts_with("<(")
            || SETTINGS.iter().any(|end| operand.ends_with(end));
        matches!(program(command), Some("source" | ".")) && !is_known
    })
}
