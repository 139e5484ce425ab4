//! Handlers that do nothing for a reason that can be seen in what they guard.

use super::guarded_from;
use super::harmless::function_around;
use crate::lines::indent;
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
    "deregister",
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
    "unbind",
    "unlink",
    "unlock",
    "unmount",
    "unregister",
    "unsubscribe",
    "unwatch",
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

/// What may well be missing where the code runs: modules, languages, stores and windows of browsers that forbid them.
const OPTIONAL_MARKS: &[&str] = &[
    ".opener",
    "ActiveXObject",
    "Intl.",
    "contentDocument",
    "contentWindow",
    "import ",
    "import(",
    "localStorage",
    "navigator.",
    "require(",
    "sessionStorage",
    "setlocale",
    "typeof ",
    "window.performance",
];

/// Beginnings of lines that only say when something is cleaned up.
const CONDITIONS: &[&str] = &["if ", "if(", "for ", "for(", "try", "do ", "do{", "begin", "{", "}", "await "];

/// Most bytes of guarded code that are read.
const GUARDED_BYTES_MAX: usize = 2_000;

/// Words in names of calls that tell somebody something, where nothing is lost but the telling.
const TELLING_WORDS: &[&str] = &[
    "debug",
    "echo",
    "error",
    "excepthook",
    "info",
    "log",
    "mesg",
    "message",
    "print",
    "printf",
    "println",
    "puts",
    "trace",
    "warn",
    "warning",
];

/// Most lines above what is guarded in which the block begins that it stands in.
const BLOCK_LINES_MAX: usize = 60;

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
        || only_tells(guarded)
        || is_about_another(file, handler)
        || is_in_finally(file, handler)
}

/// What `handler` guards, without the word that opens it.
pub(super) fn guarded<'f>(file: &'f File<'_>, handler: &Handler) -> &'f str {
    let text = file.source.text.as_ref();
    let own = file.source.line_span(file.source.line_of(handler.span.start));
    let same = &text[own.start..handler.span.start];
    let from = match guarded_from(file, handler) {
        Some(line) => file.source.line_span(line).start,
        None => own.start + same.rfind("try").unwrap_or(same.len()),
    };
    let from = text.ceil_char_boundary(from.max(handler.span.start.saturating_sub(GUARDED_BYTES_MAX)));
    let guarded = text[from.min(handler.span.start)..handler.span.start].trim_start();
    let word = ["try", "begin", "do"].iter().find_map(|word| guarded.strip_prefix(word));
    word.unwrap_or(guarded).trim_start_matches([':', ' ', '{'])
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
    let lower = call.to_ascii_lowercase();
    // A table is dropped so that it can be made anew.
    let drops = ["\"drop ", "'drop "].iter().any(|query| lower.contains(query));
    (drops || [words.first(), words.last()].into_iter().flatten().any(is_cleanup)) && !call.contains(" = ")
}

/// The statements of `guarded` that stand deepest to the left, each by its first line.
fn statements(guarded: &str) -> impl Iterator<Item = &str> {
    // What opens the block is gone from the first line, and what stands there was written behind it.
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with(['}', ')', ']', '#']);
    let mut lines = guarded.split('\n');
    let first = lines.next().unwrap_or_default();
    let least = lines.clone().filter(is_code).map(indent).min().unwrap_or_default();
    let others = lines.filter(is_code).filter(move |line| indent(line) == least);
    first
        .split(';')
        .chain(others.flat_map(|line| line.split(';')))
        .map(str::trim)
        .filter(|line| !line.trim_matches(['{', '}', ' ']).is_empty())
}

/// The last name of what `statement` calls.
pub(super) fn call_name(statement: &str) -> &str {
    let path = statement.split('(').next().unwrap_or_default().trim_end();
    path.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// Whether `guarded` only prints or logs.
fn only_tells(guarded: &str) -> bool {
    let tells = |statement: &str| {
        words(call_name(statement)).iter().any(|word| TELLING_WORDS.contains(&word.as_str()))
            || statement.starts_with("console.")
    };
    let mut all = statements(guarded).peekable();
    all.peek().is_some() && all.all(tells)
}

/// Whether what `handler` guards writes or saves something.
pub(super) fn writes(file: &File<'_>, handler: &Handler) -> bool {
    // Output that is flushed is often that of somebody who is gone.
    statements(guarded(file, handler)).any(|statement| {
        let name = super::callee(statement.trim_start_matches(['{', ' ']));
        super::is_lasting(file, name) && name != "flush"
    })
}

/// Whether `handler` stands in another one, or in a function for errors, so that the one that counts is known.
fn is_about_another(file: &File<'_>, handler: &Handler) -> bool {
    let Handler { span, .. } = handler;
    let name = function_around(file, handler).map(|function| words(file.text(&function.name))).unwrap_or_default();
    let is_answer = name.first().is_some_and(|word| matches!(word.as_str(), "handle" | "on"));
    let is_of_error = || name.iter().any(|word| matches!(word.as_str(), "error" | "errors" | "exception" | "failure"));
    (is_answer && is_of_error())
        || file.outline.handlers.iter().any(|other| other.body.start <= span.start && span.end <= other.body.end)
}

/// Whether `handler` stands in a block that runs in any case, to clean up.
fn is_in_finally(file: &File<'_>, handler: &Handler) -> bool {
    let Some(from) = guarded_from(file, handler) else { return false };
    let text = |line: usize| file.text(&file.source.line_span(line));
    let mut limit = indent(text(from));
    (from.saturating_sub(BLOCK_LINES_MAX)..from).rev().map(text).any(|line| {
        let opens = !line.trim().is_empty() && indent(line) < limit;
        limit = if opens { indent(line) } else { limit };
        let word = line.trim_start().trim_start_matches(['}', ' ']);
        opens && (word.starts_with("finally") || word.starts_with("ensure"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::High;

    fn java(body: &str) -> String {
        format!("class A {{ void a() {{\n  try {{\n    {body}\n  }} catch (Exception e) {{\n  }}\n}} }}\n")
    }

    #[test]
    fn what_only_cleans_up_may_fail() {
        let run = |body: &str, expected: &[_]| check(&RULE, "src/A.java", &java(body), expected);
        run("if (reader != null) {\n      reader.close();\n    }", &[]);
        run("file.delete();\n    socket.shutdownOutput();", &[]);
        run("file.delete();\n    save();", &[(5, High)]);
        run("poller.unregisterReader(a);", &[]);
        run("poller.registerReader(a);", &[(4, High)]);
        run("if (reader != null) {\n      reader.read();\n    }", &[(6, High)]);
        check(&RULE, "a.js", "try { fs.unlinkSync(path) } catch (e) {}\n", &[]);
        check(&RULE, "a.js", "try { fs.writeSync(path) } catch (e) {}\n", &[(1, High)]);
        run("all.execute(\"DROP TABLE rows\");", &[]);
        run("all.execute(\"INSERT 'rows'\");", &[(4, High)]);
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
        check(&RULE, "src/a.py", &of("if d > e:"), &[]);
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
    fn what_only_tells_something_may_fail() {
        let of =
            |body: &str| format!("def a():\n    try:\n        {body}\n    except Exception:\n        pass\n    c()\n");
        check(&RULE, "src/a.py", &of("warnings.warn('a'\n                      'b')"), &[]);
        check(&RULE, "src/a.py", &of("self._mesg(b)"), &[]);
        check(&RULE, "src/a.py", &of("self._mesg(b)\n        d()"), &[(5, High)]);
        check(&RULE, "src/a.py", &of("self.run(b)"), &[(4, High)]);
    }

    #[test]
    fn another_error_may_be_what_counts() {
        let of = |outer: &str| {
            format!(
                "def a():\n    try:\n        b()\n    {outer}:\n        try:\n            c()\n        except Exception:\n            pass\n        d()\n"
            )
        };
        check(&RULE, "src/a.py", &of("except KeyError"), &[]);
        check(&RULE, "src/a.py", &of("finally"), &[]);
        check(&RULE, "src/a.py", &of("else"), &[(7, High)]);
        let named =
            |name: &str| format!("def {name}(a):\n    try:\n        b(a)\n    except Exception:\n        pass\n");
        check(&RULE, "src/a.py", &named("handle_row_error"), &[]);
        check(&RULE, "src/a.py", &named("handle_row"), &[(4, High)]);
        let raised = |below: &str| {
            format!(
                "try {{\n  if (a) {{\n    try {{\n      b();\n    }} catch {{}}\n  }}\n  {below}\n}} finally {{}}\n"
            )
        };
        check(&RULE, "a.js", &raised("throw d;"), &[]);
        check(&RULE, "a.js", &raised("d();"), &[(5, High)]);
    }
}
