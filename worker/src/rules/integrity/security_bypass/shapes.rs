//! Words of a switch that do not throw it: text, comparisons, tables, what is called like it, and what a setting asks for.

use super::{ENCLOSING_LINES, HOST_KEY, OWN_MACHINE, indent};
use crate::outline::Function;
use crate::paths;
use crate::rules::File;

/// Options of a shell, and the programs of which they are known to turn the checking of certificates off.
const OPTIONS: &[(&str, &[&str])] = &[("--insecure", &["curl"]), ("--no-check-certificate", &["wget"])];

/// How text begins that is handed to a program, and not read by somebody.
const COMMAND_BEGINNINGS: &[&str] =
    &["-", "$", "GIT_SSH", "StrictHost", "git ", "rsync", "scp", "sftp", "ssh", "sshpass", "{"];

/// Signs of a line that prints or describes.
const TELLING: &[&str] = &["describe", "description", "help", "puts ", "print", "usage", "warn"];

/// What asks for a part of a text, with the text behind it.
const ASKING_CALLS: &[&str] = &[
    "contains(",
    "excludes(",
    "include?(",
    "includes(",
    "indexOf(",
    "index(",
    "startsWith(",
    "startswith(",
    "match(",
    "grep",
    "=~",
    "==",
    "!=",
];

/// What stands before the name of what is made there.
const DEFINING_WORDS: &[&str] = &["class", "def", "fn", "from", "func", "function", "import", "interface", "struct"];

/// Keys of settings of a connection: a table with one throws the switch.
const SETTING_KEYS: &[&str] = &["cert_reqs", "policy", "ssl_context", "verify_mode"];

/// Parts of names of functions and their parameters that say that the caller wants no protection, or only the certificate.
const OPEN_NAMES: &[&str] = &[
    "acceptall",
    "acceptany",
    "danger",
    "fetchcert",
    "getcert",
    "ignorecert",
    "ignoressl",
    "insecure",
    "nocert",
    "noverif",
    "peercert",
    "permissive",
    "selfsigned",
    "servercert",
    "skipcert",
    "skiphost",
    "skipssl",
    "skiptls",
    "skipverif",
    "trustall",
    "trustany",
    "unsafe",
    "untrusted",
    "unverified",
    "withoutverif",
];

/// Parts of conditions that read what a user has set.
const SETTING_WORDS: &[&str] = &[
    "arg",
    "cert",
    "config",
    "flag",
    "host_key",
    "hostkey",
    "hostname",
    "insecure",
    "known_hosts",
    "option",
    "opts",
    "param",
    "secure",
    "server_name",
    "setting",
    "ssl",
    "strict",
    "trust",
    "valid",
    "verif",
];

/// What checks a certificate, or what was fetched, in another way, so that the usual one may be off.
const OWN_CHECKS: &[&str] = &[
    // Servers check nobody by this switch, and who asks for any certificate looks at it.
    "RequestClientCert",
    "RequireAnyClientCert",
    "VerifyConnection",
    "VerifyPeerCertificate",
    "assert_fingerprint",
    "checkServerIdentity",
    "cosign verify",
    "fingerprint",
    "gpg --verify",
    "minisign",
    "sha1sum",
    "sha256",
    "sha512",
    "shasum",
    "tls.Server(",
];

/// Words of machines that were made a moment ago, of which nobody can know a key.
const FRESH_MACHINES: &[&str] = &["container", "docker", "guest", "kvm", "libvirt", "lxc", "qemu", "vagrant", "virsh"];

/// Characters at the beginning of a text among which its quote is: letters may stand before it.
const QUOTE_CHARS: usize = 3;

/// Lines around a switch that are about the same connection.
const NEAR_LINES: usize = 8;

/// Lines above a switch in which a text that it is a part of begins.
const TEXT_LINES: usize = 200;

/// Lines of one command of a shell.
const COMMAND_LINES: usize = 6;

/// Most functions above a switch among which the one around it is looked for.
const FUNCTIONS_MAX: usize = 32;

/// Words of a comment above a text from which on it gives a reason.
const COMMENT_WORDS_MIN: usize = 3;

/// Whether what turns off `what`, at byte `place` on line `index`, does so only in words, or because somebody asks for it.
pub(super) fn is_only_words(file: &File<'_>, index: usize, place: usize, what: &str) -> bool {
    let line = file.source.line_span(index);
    let (before, after) = (file.text(&(line.start..place)), file.text(&(place..line.end)));
    is_text(file, index, place, before)
        || is_other_program(file, index, before, after)
        || is_compared(before, after)
        || is_in_manual(file, index)
        || is_of_open_function(file, place, after)
        || is_asked_for(file, index, before, after)
        || is_checked_otherwise(file, index, what)
        || is_in_idle_heredoc(file, index)
}

fn line_text<'f>(file: &'f File<'_>, index: usize) -> &'f str {
    if index < file.source.line_count() { file.text(&file.source.line_span(index)) } else { "" }
}

/// Whether the switch stands in a text over several lines, or in one that is not handed to a program.
fn is_text(file: &File<'_>, index: usize, place: usize, before: &str) -> bool {
    let lower = before.trim_start().to_ascii_lowercase();
    let is_kept = file.text(&file.source.line_span(index)).contains('>');
    if (lower.starts_with("echo ") && !is_kept) || TELLING.iter().any(|word| lower.contains(word)) {
        return true;
    }
    let strings = &file.outline.strings;
    let from = strings.partition_point(|string| string.end <= place);
    let Some(string) = strings.get(from).filter(|string| string.start < place) else { return false };
    // What a shell is handed on lines of its own has no quotes.
    if !file.text(string).chars().take(QUOTE_CHARS).any(|c| matches!(c, '"' | '\'' | '`')) {
        return false;
    }
    let start = file.source.line_of(string.start);
    let text = file.text(&(string.start..place));
    let text = text.split_once(['"', '\'', '`']).map_or(text, |(_, text)| text).trim_start();
    let is_command = text.is_empty() || COMMAND_BEGINNINGS.iter().any(|open| text.starts_with(open));
    start < file.source.line_of(string.end.saturating_sub(1)) || !is_command
}

/// Whether the switch is an option of a program that is not known to mean certificates by it.
fn is_other_program(file: &File<'_>, index: usize, before: &str, after: &str) -> bool {
    let Some((_, programs)) = OPTIONS.iter().find(|(option, _)| after.starts_with(option)) else { return false };
    let own = before.to_ascii_lowercase();
    let above = (index.saturating_sub(COMMAND_LINES)..index).rev().map(|line| line_text(file, line));
    let mut above = above.take_while(|text| text.trim_end().ends_with('\\')).map(str::to_ascii_lowercase);
    let is_of = |text: &str| programs.iter().any(|program| text.contains(program));
    // What begins the line is one of a list of options.
    !is_of(&own) && !above.any(|text| is_of(&text))
}

/// Whether the switch is compared with something, looked for, one of a table, or given its name here.
fn is_compared(before: &str, after: &str) -> bool {
    let packed: String = before.chars().filter(|c| !c.is_whitespace()).collect();
    let bare = packed.trim_end_matches(['"', '\'', '`', '-', 'o']);
    let is_asked = ASKING_CALLS.iter().any(|call| bare.ends_with(call) || packed.ends_with(call));
    let owner = before.trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.'));
    let word = owner.split_whitespace().last().unwrap_or_default();
    let is_named =
        DEFINING_WORDS.contains(&word) || before.split_whitespace().next().is_some_and(|first| first == "from");
    let open = owner.trim_end();
    let is_of_table =
        open.ends_with("=>") || ["\":", "':"].iter().any(|end| open.ends_with(end)) || word == "case" || word == "is";
    let behind = after.split_once(['"', '\'']).map_or("", |(_, rest)| rest).trim_start();
    let is_looked_for = behind.starts_with("not in ") || (behind.starts_with("in ") && !before.contains("for "));
    is_asked || is_named || (is_of_table && !SETTING_KEYS.iter().any(|key| before.contains(key))) || is_looked_for
}

/// Whether line `index` stands in a manual within the code of Perl or Ruby.
fn is_in_manual(file: &File<'_>, index: usize) -> bool {
    let is_mark =
        |text: &&str| text.strip_prefix('=').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
    let above = (index.saturating_sub(TEXT_LINES)..=index).rev().map(|line| line_text(file, line));
    let mut marks = above.filter(is_mark);
    marks.next().is_some_and(|mark| !mark.starts_with("=cut") && !mark.starts_with("=end"))
}

/// Whether the function around byte `place`, or the file, says that its callers want no protection, or is the switch itself, as `after` calls it.
fn is_of_open_function(file: &File<'_>, place: usize, after: &str) -> bool {
    let functions = &file.outline.functions;
    let before = functions.partition_point(|one| one.span.start <= place);
    let around = functions[..before].iter().rev().take(FUNCTIONS_MAX).filter(|one| place < one.span.end);
    let head = |one: &Function| {
        let end = one.body.as_ref().map_or(one.name.end, |body| body.start.max(one.name.end));
        let text = file.text(&(one.name.start..end)).to_ascii_lowercase();
        text.replace(['_', '-'], "")
    };
    let says = |text: &str| OPEN_NAMES.iter().any(|name| text.contains(name));
    let own_name = paths::file_name(file.source.path).to_ascii_lowercase().replace(['_', '-'], "");
    says(&own_name) || around.into_iter().any(|one| after.starts_with(file.text(&one.name)) || says(&head(one)))
}

/// Whether a condition on the line, behind it or around it reads what a user has set.
fn is_asked_for(file: &File<'_>, index: usize, before: &str, after: &str) -> bool {
    let next = line_text(file, index + 1).trim_start();
    let is_postfix = |text: &str| [" if ", " unless ", "? "].iter().any(|word| text.contains(word));
    let goes_on = ["if ", "unless "].iter().any(|word| next.starts_with(word)) && next.trim_end().ends_with(';');
    let is_tested = before.contains("&&") && ["[", "test "].iter().any(|open| before.trim_start().starts_with(open));
    let own = before.trim_start().to_ascii_lowercase();
    let is_inline = is_condition(&own);
    if is_postfix(after) || goes_on || is_tested || before.contains(" ? ") || is_inline {
        return true;
    }
    let mut inner = indent(line_text(file, index));
    let above = (index.saturating_sub(ENCLOSING_LINES * 2)..index).rev().map(|line| line_text(file, line));
    for text in above.filter(|text| !text.trim().is_empty()) {
        let lower = text.to_ascii_lowercase();
        // What a template asks is not indented.
        let template = lower.trim_start().strip_prefix("<%").or_else(|| lower.trim_start().strip_prefix("{%"));
        if template.is_some_and(|rest| rest.trim_start_matches(['-', ' ']).starts_with("end")) {
            break;
        }
        if template.is_some_and(|rest| is_condition(rest.trim_start_matches(['-', ' ']))) {
            return true;
        }
        if indent(text) < inner {
            inner = indent(text);
            if is_condition(lower.trim_start()) {
                return true;
            }
        }
    }
    false
}

/// Whether `line`, in lower case, is a condition on what a user has set.
fn is_condition(line: &str) -> bool {
    let line = line.trim_start_matches(['}', ' ']);
    let opens = ["if ", "if(", "elif ", "else if", "elsif ", "unless ", "case ", "when "];
    let value = line.split_once(" = ").map_or("", |(_, value)| value);
    opens.iter().any(|open| line.starts_with(open) || value.starts_with(open))
        && SETTING_WORDS.iter().any(|word| line.contains(word))
}

/// Whether the other end is known in another way, is this machine, or was made a moment ago.
fn is_checked_otherwise(file: &File<'_>, index: usize, what: &str) -> bool {
    let last = (index + NEAR_LINES).min(file.source.line_count().saturating_sub(1));
    let mut near = (index.saturating_sub(NEAR_LINES)..=last).map(|line| line_text(file, line));
    let is_fresh = |text: &str| {
        let lower = text.to_ascii_lowercase();
        let is_own = lower.contains("hostname") && OWN_MACHINE.iter().any(|own| lower.contains(own));
        is_own || FRESH_MACHINES.iter().any(|word| lower.contains(word))
    };
    if what == HOST_KEY {
        return is_fresh(file.source.path) || near.any(is_fresh);
    }
    near.any(|text| OWN_CHECKS.iter().any(|check| text.contains(check)))
}

/// Whether line `index` stands in a text of a shell or of Perl that is only shown, or that a comment above gives a reason for.
fn is_in_idle_heredoc(file: &File<'_>, index: usize) -> bool {
    let mut below = String::new();
    for line in (index.saturating_sub(TEXT_LINES)..index).rev() {
        let text = line_text(file, line);
        let Some((head, rest)) = text.split_once("<<") else {
            below.push_str(text.trim());
            below.push('\n');
            continue;
        };
        let tag = rest.trim_start_matches(['-', '~', ' ', '"', '\'', '\\']);
        let tag = tag.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        if tag.is_empty() || !tag.starts_with(|c: char| c.is_alphabetic()) || below.lines().any(|text| text == tag) {
            return false;
        }
        let is_handed_on = rest.contains(['>', '|'])
            || head.contains(['>', '|'])
            || ["bash", "ssh", "tee"].iter().any(|word| head.contains(word));
        let above = line.checked_sub(1).map_or("", |line| line_text(file, line)).trim_start();
        let is_explained = above.starts_with('#') && above.split_whitespace().count() > COMMENT_WORDS_MIN;
        return !is_handed_on || is_explained;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::High;

    #[test]
    fn words_throw_no_switch() {
        let python = |line: &str, expected: &[_]| check(&RULE, "a.py", &format!("def f(o):\n    {line}\n"), expected);
        python("o += ['-o', 'StrictHostKeyChecking=no']", &[(2, High)]);
        python("o += ' -o StrictHostKeyChecking=no'", &[(2, High)]);
        python("log('As -o StrictHostKeyChecking=no was given')", &[]);
        python("a = '''\n  -o StrictHostKeyChecking=no\n'''", &[]);
        python("g('-o StrictHostKeyChecking=no' not in o)", &[]);
        python("g(o.index('StrictHostKeyChecking=no'))", &[]);
        python("c.verify_mode = ssl.CERT_NONE", &[(2, High)]);
        python("c.mode = {'none': ssl.CERT_NONE}[o]", &[]);
        python("o.update({'cert_reqs': ssl.CERT_NONE})", &[(2, High)]);
        python("c.verify_mode = ssl.CERT_NONE if o else ssl.CERT_REQUIRED", &[]);
        check(&RULE, "a.py", "class AutoAddPolicy(Policy):\n    pass\n", &[]);
        check(&RULE, "a.py", "def f():\n    c.set(AutoAddPolicy())\n", &[(2, High)]);
    }

    #[test]
    fn who_fetches_a_certificate_cannot_check_it_yet() {
        let go = |name: &str| {
            format!(
                "package a\n\nfunc {name}(h string) {{\n\tc := tls.Config{{InsecureSkipVerify: true}}\n\tg(c)\n}}\n"
            )
        };
        check(&RULE, "a.go", &go("fetchPeerCertificate"), &[]);
        check(&RULE, "a.go", &go("fetchRows"), &[(4, High)]);
        let python = |condition: &str| format!("def f(h):\n    if {condition}:\n        c.check_hostname = False\n");
        check(&RULE, "a.py", &python("not server_hostname"), &[]);
        check(&RULE, "a.py", &python("not h"), &[(3, High)]);
    }

    #[test]
    fn what_is_fetched_may_be_checked_afterwards() {
        let shell = |below: &str| format!("# a\ncurl -f --insecure https://host/a > a\n{below}\n");
        check(&RULE, "a.sh", &shell("shasum -c a.sum"), &[]);
        check(&RULE, "a.sh", &shell("tar -xf a"), &[(2, High)]);
        check(&RULE, "fetch-nocert.sh", &shell("tar -xf a"), &[]);
    }

    #[test]
    fn an_option_belongs_to_a_program() {
        check(&RULE, "a.sh", "# a\ncurl -f --insecure https://host/a\n", &[(2, High)]);
        check(&RULE, "a.sh", "# a\ncurl -f \\\n  --insecure https://host/a\n", &[(3, High)]);
        check(&RULE, "a.sh", "# a\ndatabase start --insecure\n", &[]);
        check(&RULE, "a.yaml", "# a\ncommand: start --insecure\n", &[]);
        check(&RULE, "a.sh", "# a\necho 'run curl --insecure'\n", &[]);
    }

    #[test]
    fn manuals_and_texts_that_are_shown() {
        let perl = |end: &str| {
            format!("#!/usr/bin/perl\n# a\n=item B<x>\n{end}\nsystem \"x\"; `wget --no-check-certificate a`;\n")
        };
        check(&RULE, "a.sh", &perl(""), &[]);
        check(&RULE, "a.sh", &perl("=cut"), &[(5, High)]);
        let shown = |head: &str| format!("# a\n\n{head}\nHost b\n  StrictHostKeyChecking no\nEND\n");
        check(&RULE, "a.sh", &shown("cat > config << END"), &[(5, High)]);
        check(&RULE, "a.sh", &shown("cat << END"), &[]);
        check(&RULE, "a.sh", &shown("# The host was installed just now\ncat > config << END"), &[]);
        check(&RULE, "a.sh", &shown("cat > config << END\nHostname 127.0.0.1\nUser kim\nPort 22"), &[]);
    }
}
