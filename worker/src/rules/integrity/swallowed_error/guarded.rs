//! Handlers that do nothing for a reason that can be seen in what they guard.

use super::guarded_from;
use crate::names::words;
use crate::outline::Handler;
use crate::rules::File;

/// Last names of calls that close or clean up, where nothing is to be done if it fails.
const CLEANUP_WORDS: &[&str] = &[
    "abort",
    "cancel",
    "cleanup",
    "clear",
    "close",
    "dealloc",
    "delete",
    "destroy",
    "detach",
    "disconnect",
    "dispose",
    "end",
    "kill",
    "release",
    "remove",
    "reset",
    "rm",
    "rmdir",
    "rmtree",
    "rollback",
    "shutdown",
    "stop",
    "terminate",
    "unlink",
    "unlock",
    "unsubscribe",
    "wait",
];

/// Errors of the system.
const SYSTEM_ERRORS: &[&str] = &["EnvironmentError", "FileNotFoundError", "IOError", "OSError", "SystemCallError"];

/// What asks the system for what it knows of a file.
const FILE_QUESTIONS: &[&str] =
    &[".lstat(", ".mtime(", ".readlink(", ".stat(", "getatime(", "getctime(", "getmtime(", "getsize("];

/// What behind a name asks whether it has no value.
const ABSENCES: &[&str] = &[" ??", " == nil", " == null", " === null", " === undefined", " is None", ".nil?"];

/// What raises the error in the same breath, to see what comes of it.
const RAISES: &[&str] = &["fail(", "raise ", "throw ", "self.fail(", "Assert.fail(", "pytest.fail("];

/// What may well be missing where the code runs: modules, and stores of browsers that forbid them.
const OPTIONAL_MARKS: &[&str] =
    &["import ", "import(", "localStorage", "require(", "sessionStorage", "window.performance"];

/// Beginnings of lines that only say when something is cleaned up.
const CONDITIONS: &[&str] = &["if ", "if(", "for ", "for(", "try", "do ", "do{", "begin", "{", "}", "await "];

/// Most bytes of guarded code that are read.
const GUARDED_BYTES_MAX: usize = 2_000;

/// Lines above what is guarded in which a comment may say that errors are ignored.
const COMMENT_LINES: usize = 4;

/// Longest such line that is read.
const LINE_BYTES_MAX: usize = 400;

/// Beginnings of words by which a comment says so.
const QUIET_WORDS: &[&str] = &["ignor", "swallow", "suppress"];

/// Whether what `handler` guards may fail without a word.
pub(super) fn is_left_alone(file: &File<'_>, handler: &Handler) -> bool {
    let guarded = guarded(file, handler);
    let lines: Vec<&str> = guarded.split(['\n', ';']).map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines.iter().rev().find(|line| !line.starts_with(['}', '#']) && !line.starts_with("//"));
    let raises =
        last.is_some_and(|line| RAISES.iter().any(|raise| line.trim_start_matches(['{', ' ']).starts_with(raise)));
    let is_optional = OPTIONAL_MARKS.iter().any(|mark| guarded.contains(mark));
    raises
        || is_optional
        || only_cleans_up(&lines)
        || only_asks_for_a_file(file, handler, &lines)
        || only_answers_with_an_error(&lines)
        || falls_back_below(file, handler, &lines)
        || is_tested_below(file, handler, last)
        || is_said_above(file, handler)
}

/// What `handler` guards, without the word that opens it.
fn guarded<'f>(file: &'f File<'_>, handler: &Handler) -> &'f str {
    let text = file.source.text.as_ref();
    let own = file.source.line_span(file.source.line_of(handler.span.start));
    let same = &text[own.start..handler.span.start];
    let from = match guarded_from(file, handler) {
        Some(line) => file.source.line_span(line).start,
        None => own.start + same.rfind("try").unwrap_or(same.len()),
    };
    let from = text.ceil_char_boundary(from.max(handler.span.start.saturating_sub(GUARDED_BYTES_MAX)));
    let guarded = text[from.min(handler.span.start)..handler.span.start].trim_start();
    guarded.strip_prefix("try").unwrap_or(guarded).trim_start_matches([':', ' ', '{'])
}

/// Whether `lines` close and clean up, and there is at least one that does.
fn only_cleans_up(lines: &[&str]) -> bool {
    let is_head = |line: &str| CONDITIONS.iter().any(|open| line.starts_with(open)) && !cleans_up(line);
    // What a condition keeps, or what stands behind it on its line, is not read.
    let is_plain = |line: &str| !line.contains('=') || line.contains("==") || line.contains("!=");
    let mut statements = lines.iter().filter(|line| !is_head(line)).peekable();
    statements.peek().is_some()
        && statements.all(|line| cleans_up(line))
        && lines.iter().filter(|line| is_head(line)).all(|line| is_plain(line))
}

/// Whether the first of `lines` asks what the system knows of a file, which may be missing, and the handler is for its errors.
fn only_asks_for_a_file(file: &File<'_>, handler: &Handler, lines: &[&str]) -> bool {
    let is_of_system = handler.caught.as_ref().is_some_and(|kinds| {
        let kinds = file.text(kinds);
        SYSTEM_ERRORS.iter().any(|kind| kinds.contains(kind))
    });
    let asks = |line: &&str| FILE_QUESTIONS.iter().any(|call| line.contains(call));
    is_of_system && lines.first().is_some_and(asks)
}

/// Whether the one of `lines` tells the other end of an error, after which nothing can be told.
fn only_answers_with_an_error(lines: &[&str]) -> bool {
    let mut lines = lines.iter().filter(|line| !["begin", "}"].contains(line));
    let (Some(line), None) = (lines.next(), lines.next()) else { return false };
    let writes = line.contains(" << ") || [".write(", ".end(", ".send("].iter().any(|call| line.contains(call));
    writes && words(line).iter().any(|word| word == "error")
}

/// Whether a variable that the guarded `lines` set is tested for being missing right below `handler`.
fn falls_back_below(file: &File<'_>, handler: &Handler, lines: &[&str]) -> bool {
    let below = file.source.text[handler.span.end..].lines().map(str::trim).filter(|line| !line.is_empty());
    // Blocks close in between.
    let mut below = below.skip_while(|line| ["end", "}", "});"].contains(line)).take(1);
    let mut names = lines.iter().filter_map(|line| line.split_once(" = ")).map(|(target, _)| target.trim());
    let tests = |line: &str, name: &str| {
        ["if ", "if(", "unless ", "return "].iter().any(|open| line.starts_with(open))
            && ABSENCES.iter().any(|absence| line.contains(&format!("{name}{absence}")))
    };
    below.any(|line| names.any(|name| !name.is_empty() && tests(line, name)))
}

/// Whether `statement` is a call that closes or cleans up.
fn cleans_up(statement: &str) -> bool {
    let call = statement.trim_start_matches(['{', '}', ' ']).trim_start_matches("await ");
    // `if (o.event) delete o.event` takes a property away.
    let call = call.rsplit_once(") ").map_or(call, |(_, rest)| if rest.starts_with("delete ") { rest } else { call });
    let name = call.split(['(', ' ']).next().unwrap_or_default();
    let words = words(name.rsplit(['.', ':', '>']).next().unwrap_or_default());
    let is_cleanup = |word: &String| {
        let rests = CLEANUP_WORDS.iter().filter_map(|known| word.strip_prefix(known));
        rests.into_iter().any(|rest| rest.is_empty() || rest == "sync")
    };
    [words.first(), words.last()].into_iter().flatten().any(is_cleanup) && !call.contains(" = ")
}

/// Whether the variable that the `last` guarded statement sets is tested or used on the first line below `handler`, or on the next
/// one where the first only gives it another name.
fn is_tested_below(file: &File<'_>, handler: &Handler, last: Option<&&str>) -> bool {
    let Some((target, _)) = last.and_then(|line| line.split_once(" = ")) else { return false };
    let mut name = last_word(target);
    let is_comment = |line: &str| line.starts_with(['#', '*']) || line.starts_with("//");
    let below = file.source.text[handler.span.end..].lines().map(str::trim).take(COMMENT_LINES);
    let mut below = below.filter(|line| !line.is_empty() && *line != "}" && !is_comment(line));
    let mut line = below.next().unwrap_or_default();
    if let Some((alias, value)) = line.split_once(" = ")
        && value.trim_end_matches(';') == name
    {
        name = last_word(alias);
        line = below.next().unwrap_or_default();
    }
    let is_test = ["if ", "if(", "elif ", "unless ", "while ", "return "].iter().any(|open| line.starts_with(open));
    let mut names = line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.');
    !name.is_empty() && is_test && names.any(|word| word == name)
}

fn last_word(text: &str) -> &str {
    text.split_whitespace().last().unwrap_or_default()
}

/// Whether a comment not far above what is guarded says that errors are ignored.
fn is_said_above(file: &File<'_>, handler: &Handler) -> bool {
    let Some(from) = guarded_from(file, handler) else { return false };
    let mut above = (from.saturating_sub(COMMENT_LINES)..from).rev().map(|line| file.source.line_span(line));
    above.any(|line| {
        let text = file.text(&line);
        let start = line.start + (text.len() - text.trim_start().len());
        text.len() <= LINE_BYTES_MAX
            && start < line.end
            && file.outline.comment_around(start).is_some()
            && words(text).iter().any(|word| QUIET_WORDS.iter().any(|quiet| word.starts_with(quiet)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{High, Low};

    fn java(body: &str) -> String {
        format!("class A {{ void a() {{\n  try {{\n    {body}\n  }} catch (Exception e) {{\n  }}\n}} }}\n")
    }

    #[test]
    fn what_only_cleans_up_may_fail() {
        let run = |body: &str, expected: &[_]| check(&RULE, "src/A.java", &java(body), expected);
        run("if (reader != null) {\n      reader.close();\n    }", &[]);
        run("file.delete();\n    socket.shutdownOutput();", &[]);
        run("file.delete();\n    save();", &[(5, High)]);
        run("if (reader != null) {\n      reader.read();\n    }", &[(6, High)]);
        check(&RULE, "a.js", "try { fs.unlinkSync(path) } catch (e) {}\n", &[]);
        check(&RULE, "a.js", "try { fs.writeSync(path) } catch (e) {}\n", &[(1, High)]);
    }

    #[test]
    fn an_error_may_be_raised_on_purpose() {
        let of = |statement: &str| {
            format!("def a():\n    try:\n        b()\n        {statement}\n    except Exception:\n        pass\n")
        };
        check(&RULE, "src/a.py", &of("raise Exception('c')"), &[]);
        check(&RULE, "src/a.py", &of("save('c')"), &[(5, High)]);
    }

    #[test]
    fn questions_answers_and_fallbacks_may_fail() {
        let of = |line: &str| {
            format!("def a():\n    try:\n        {line}\n            b()\n    except OSError:\n        pass\n    c()\n")
        };
        check(&RULE, "src/a.py", &of("if os.path.getmtime(d) > e:"), &[]);
        check(&RULE, "src/a.py", &of("if d > e:"), &[(5, Low)]);
        let ruby = |line: &str, below: &str| format!("def a\n  begin\n    {line}\n  rescue\n  end\n  {below}\nend\n");
        check(&RULE, "lib/a.rb", &ruby("io << ERROR_ANSWER[b]", "c"), &[]);
        check(&RULE, "lib/a.rb", &ruby("io << ROWS[b]", "c"), &[(4, High)]);
        check(&RULE, "lib/a.rb", &ruby("run do |d|\n d = e\n end", "if d.nil? || d < 1\nend"), &[]);
        check(&RULE, "lib/a.rb", &ruby("run do |d|\n d = e\n end", "if c.nil?\nend"), &[(6, High)]);
        check(&RULE, "a.js", "try { if (o && o.b) delete o.b; } catch (e) {}\n", &[]);
        check(&RULE, "a.js", "try { if (o && o.b) save(o.b); } catch (e) {}\n", &[(1, High)]);
        check(&RULE, "benchmarks/a.js", "try { save(); } catch (e) {}\n", &[]);
    }

    #[test]
    fn what_may_be_missing_is_looked_for() {
        check(&RULE, "a.js", "try { $ = require('a'); } catch (e) {}\n", &[]);
        check(&RULE, "a.js", "try {\n  localStorage.setItem('a', b)\n} catch (e) {}\n", &[]);
        check(&RULE, "a.js", "try {\n  store.setItem('a', b)\n} catch (e) {}\n", &[(3, High)]);
    }

    #[test]
    fn a_value_may_be_tested_below() {
        let of = |below: &str| {
            format!(
                "def a():\n    b = None\n    try:\n        b = c()\n    except Exception:\n        pass\n    # Perhaps there is none.\n    {below}\n"
            )
        };
        check(&RULE, "src/a.py", &of("if b is None:\n        d()"), &[]);
        check(&RULE, "src/a.py", &of("if e is None:\n        d()"), &[(5, Low)]);
        let coerced = |below: &str| {
            format!(
                "function a(b) {{\n  try {{\n    b.c = Number(b.c);\n  }} catch (e) {{}}\n  {below}\n  if (typeof d === 'number') f();\n}}\n"
            )
        };
        check(&RULE, "src/a.ts", &coerced("const d = b.c;"), &[]);
        check(&RULE, "src/a.ts", &coerced("const d = b.e;"), &[(4, Low)]);
    }

    #[test]
    fn a_comment_not_far_above_may_say_that_errors_are_ignored() {
        let of = |comment: &str| {
            format!(
                "def a():\n    # {comment}\n    assert b\n    try:\n        b.run()\n    except Exception:\n        pass\n"
            )
        };
        check(&RULE, "src/a.py", &of("Errors are ignored here: others log them."), &[]);
        check(&RULE, "src/a.py", &of("Runs what there is."), &[(6, High)]);
    }
}
