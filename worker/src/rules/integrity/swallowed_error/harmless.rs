//! Errors that are ignored in the open, or that cannot come.

use crate::names::words;
use crate::outline::{Function, Handler, Span};
use crate::rules::File;

/// Beginnings of words by which a function says that it ignores errors.
const QUIET_WORDS: &[&str] = &["ignor", "quiet", "safe", "silent", "suppress", "swallow"];

/// What documentation says of a function that does without.
const DOING_WITHOUT: &[&str] = &[
    "best effort",
    "best-effort",
    "can fail",
    "can throw",
    "if possible",
    "may fail",
    "may throw",
    "might fail",
    "or nil",
    "or none",
    "or null",
    "return nil",
    "return none",
    "returns nil",
    "returns none",
    "returns null",
];

/// Most functions within one, above a handler of it.
const FUNCTIONS_BETWEEN_MAX: usize = 32;

/// Most lines above what is written in which the variable was made.
const MADE_LINES_MAX: usize = 60;

/// Most lines of documentation above a function that are read.
const DOCUMENTATION_LINES_MAX: usize = 12;

/// Words in names of what keeps or carries what is written to it.
const LASTING_NAMES: &[&str] = &["conn", "connection", "fd", "file", "sock", "socket"];

/// Words in names of what is kept in memory.
const MEMORY_NAMES: &[&str] = &["buf", "buffer", "builder", "sb"];

/// What opens such a thing.
const OPENERS: &[&str] = &["net.Dial", "os.Create", "os.OpenFile", ".Accept()", "tls.Dial"];

/// Signs of logs, of which nothing is to be done if they cannot be written.
const LOGS: &[&str] = &["log", "zap"];

/// What Go itself has to move values in memory.
const BUILT_IN: &[&str] = &["= append(", "= copy("];

/// Where what is written is shown or dropped, and nothing is lost without it.
const SINKS: &[&str] = &["io.Discard", "os.Stderr", "os.Stdout", "stderr", "stdout"];

/// Whether the error has a name that says that it is ignored: `catch (IOException ignored)`.
pub(super) fn is_named_ignored(head: &str) -> bool {
    words(head).iter().any(|word| matches!(word.as_str(), "expected" | "ignore" | "ignored"))
}

/// Whether the function around `handler` says by its name or documentation that errors are ignored.
pub(super) fn says_so_around(file: &File<'_>, handler: &Handler) -> bool {
    let Some(function) = function_around(file, handler) else { return false };
    let says = |text: &str| words(text).iter().any(|word| QUIET_WORDS.iter().any(|quiet| word.starts_with(quiet)));
    let docstrings = &file.outline.docstrings;
    let first = docstrings.partition_point(|string| string.start < function.span.start);
    let docstring = docstrings.get(first).filter(|string| string.start < function.span.end);
    let texts = [documentation(file, function), docstring.map_or("", |string| file.text(string))];
    let does_without = |text: &str| {
        let lower = text.to_lowercase();
        DOING_WITHOUT.iter().any(|phrase| lower.contains(phrase))
    };
    says(file.text(&function.name)) || texts.into_iter().any(|text| says(text) || does_without(text))
}

/// The function in which `handler` stands.
pub(super) fn function_around<'f>(file: &'f File<'_>, handler: &Handler) -> Option<&'f Function> {
    let functions = &file.outline.functions;
    let before = functions.partition_point(|one| one.span.start <= handler.span.start);
    let mut near = functions[..before].iter().rev().take(FUNCTIONS_BETWEEN_MAX);
    near.find(|one| handler.span.end <= one.span.end)
}

/// The comment that ends on the line above `function`.
fn documentation<'f>(file: &'f File<'_>, function: &Function) -> &'f str {
    let own = file.source.line_of(function.span.start);
    let is_comment = |line: &usize| {
        let text = file.text(&file.source.line_span(*line));
        text.trim_start().starts_with(['/', '*', '#'])
    };
    let first = (own.saturating_sub(DOCUMENTATION_LINES_MAX)..own).rev().take_while(is_comment).last();
    first.map_or("", |first| file.text(&(file.source.line_span(first).start..function.span.start)))
}

/// Whether `statement` prints or logs, or, in Go, drops what it reads, or writes to something that is not called a file or a
/// connection, and was not opened as one not far above: buffers and most writers keep their error, or have none.
pub(super) fn writes_without_loss(file: &File<'_>, statement: &Span) -> bool {
    let line = file.source.line_of(statement.start);
    let statement = file.text(statement);
    let parts = words(statement);
    let is_log = parts.iter().any(|word| LOGS.iter().any(|log| word.starts_with(log)));
    if is_log || SINKS.iter().any(|sink| statement.contains(sink)) {
        return true;
    }
    if !file.source.path.ends_with(".go") {
        return false;
    }
    let is_in_memory = parts.iter().any(|word| MEMORY_NAMES.contains(&word.as_str()));
    if is_in_memory || BUILT_IN.iter().any(|call| statement.contains(call)) {
        return true;
    }
    let call = statement.split_once('=').map_or(statement, |(_, call)| call).trim_start();
    // `h.Write(..)`, or `binary.Write(&h, ..)`.
    let into = call.split_once("binary.Write(").and_then(|(_, into)| into.split_once(','));
    let into = into.map(|(name, rest)| (name.trim_start_matches('&'), rest));
    let Some((receiver, _)) = into.or_else(|| call.split_once(".Write")) else { return false };
    // `c.file.Write(..)`; what is copied from one to the other names both.
    let names = if call.contains(".WriteTo(") { call } else { receiver.rsplit('.').next().unwrap_or_default() };
    let is_called_so = |text: &str| words(text).iter().any(|word| LASTING_NAMES.contains(&word.as_str()));
    let opens = |line: &str| {
        let value = line.trim_start().trim_start_matches("var ").strip_prefix(receiver).unwrap_or_default();
        value.starts_with([' ', ',']) && OPENERS.iter().any(|call| value.contains(call))
    };
    let mut above = (line.saturating_sub(MADE_LINES_MAX)..line).map(|above| file.text(&file.source.line_span(above)));
    !is_called_so(names) && !above.any(opens)
}

#[cfg(test)]
mod tests {
    use super::super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{High, Low};

    #[test]
    fn what_is_written_to_memory_or_shown_is_not_lost() {
        let run = |made: &str, expected: &[_]| {
            let text = format!("package a\nfunc f(w io.Writer) {{\n\t{made}\n\t_, _ = h.Write(b)\n}}\n");
            check(&RULE, "a.go", &text, expected);
        };
        run("h := xxhash.New()", &[]);
        run("h := w", &[]);
        run("h, err := net.Dial(c, d)", &[(4, Low)]);
        run("h, err := os.OpenFile(c, d, e)", &[(4, Low)]);
        run("var h bytes.Buffer", &[]);
        run("var h bytes.Buffer\n\t_ = binary.Write(&h, order, b)", &[]);
        run("h := os.Create(c)", &[(4, Low)]);
        run("_, _ = io.Copy(io.Discard, w)", &[]);
        run("_, _ = os.Stdout.Write(b)", &[]);
        run("_ = logger.Sync()", &[]);
        run("_ = copy(h, b)", &[]);
        run("_, _ = c.buf.Write(b)", &[]);
        run("_, _ = c.file.Write(b)", &[(3, Low)]);
        run("h := tview.ANSIWriter(w)", &[]);
        run("other := os.Create(c)", &[]);
    }

    #[test]
    fn a_function_may_say_that_it_ignores_errors() {
        let of = |above: &str, name: &str| {
            format!("class A {{\n{above}void {name}() {{\ntry {{ b(); }} catch (Exception e) {{}}\n}}\n}}\n")
        };
        check(&RULE, "A.java", &of("", "runQuietly"), &[]);
        check(&RULE, "A.java", &of("/** Runs it, and ignores errors. */\n", "run"), &[]);
        check(&RULE, "A.java", &of("/** Runs it. */\n", "run"), &[(4, High)]);
        check(&RULE, "A.java", &of("/** The first row, or null. */\n", "run"), &[]);
        check(&RULE, "A.java", &of("", "runSafe"), &[]);
        let ruby = |above: &str| format!("# {above}\ndef row(b)\n  load(b)\nrescue\n  nil\nend\n");
        check(&RULE, "lib/a.rb", &ruby("Returns nil if there is none."), &[]);
        check(&RULE, "lib/a.rb", &ruby("Reads the row."), &[(4, High)]);
        check(&RULE, "A.java", &of("// ignored by tests\n\n", "run"), &[(5, High)]);
    }

    #[test]
    fn an_error_may_be_named_as_ignored() {
        let of = |name: &str| format!("class A {{ void b() {{\ntry {{ c(); }} catch (Exception {name}) {{}}\n}} }}\n");
        check(&RULE, "A.java", &of("ignored"), &[]);
        check(&RULE, "A.java", &of("e"), &[(2, High)]);
    }
}
