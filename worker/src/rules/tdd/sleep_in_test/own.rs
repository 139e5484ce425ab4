//! Sleeps that are statements of the test itself, and what the test is about.

use super::time::{is_stamped, says_time};
use crate::lines::indent;
use crate::names;
use crate::outline::{Call, Function};
use crate::paths;
use crate::rules::File;
use crate::rules::calls::{arguments, last_name};

/// Most lines above a sleep in which what is around it is searched.
const HEADS_LINES_MAX: usize = 60;

/// How far before `setTimeout` the promise around it may begin.
const PROMISE_BYTES_MAX: usize = 120;

/// Lines with code after a sleep that show what is expected of it.
const LINES_AFTER: usize = 3;

/// Most lines that are passed to find them.
const LINES_AFTER_MAX: usize = 8;

/// What may stand before a call that is a statement.
const OPENINGS: &[&str] = &["", "\\", "await", "try", "try await", "yield", "yield from"];

/// Extensions of languages in which a sleep does nothing unless it is awaited.
const AWAITED: &[&str] = &["cjs", "cts", "js", "jsx", "mjs", "mts", "ts", "tsx"];

/// Extensions of scripts of shells, where `&` leaves a sleep behind.
const SHELLS: &[&str] = &["bash", "bats", "sh", "zsh"];

/// Signs, in lower case, of code that others run, or that is to be cut short.
const CLOSURES: &[&str] = &[
    "->",
    "=>",
    "[&]",
    "[=]",
    "[]",
    "answer",
    "async move",
    "async {",
    "delegate",
    "expect do",
    "expect {",
    "fn ",
    "fork",
    "fun ",
    "func(",
    "function",
    "lambda",
    "launch",
    "move |",
    "proc ",
    "raise",
    "runnable",
    "spawn",
    "thread",
    "throws",
    "timeout",
    "|| {",
];

/// Signs, in lower case, of code that is a part of the test all the same.
const PARTS: &[&str] = &[
    ".run(",
    ".step(",
    " context(",
    " describe(",
    " it(",
    " test(",
    "*testing.t",
    ".test(",
    "block_on",
    "runblocking",
    "subtest",
];

/// Signs of an assertion, in lower case, that there is nothing.
const EMPTY: &[&str] = &[
    "(0)",
    "(0,",
    ", 0)",
    "== 0",
    "([])",
    "tobenull(",
    "tobeundefined(",
    "isnone(",
    "is none",
    "isempty(",
    "is_empty(",
    ".empty(",
    "assertempty(",
    "assertnull(",
    "isnull(",
    "is_none(",
];

/// What such an assertion begins with, in lower case.
const ASSERTS: &[&str] = &["assert", "check", "expect", "require"];

/// Signs that nothing is to have happened, that the time itself is looked at, or that the test looks again.
const NOTHING: &[&str] = &[
    ".False(",
    ".Never",
    ".not.",
    "CalledTimes(0)",
    "NotCalled",
    "NotContains",
    "PENDING",
    "Since(",
    "assert not ",
    "assert!(!",
    "assert(!",
    "assertFalse",
    "assertNot",
    "assert_false",
    "continue",
    "duration",
    "elapsed",
    "goto ",
    "is False",
    "isFalse(",
    "never()",
    "notCalled",
    "not_called",
    "not_to",
    "refute",
    "retry",
    "toBe(false)",
    "to_not",
];

/// What comments say, in lower case, where nothing is to happen.
const NOTHING_SAID: &[&str] = &[
    "does not ",
    "doesn't ",
    "must not ",
    "no more ",
    "not yet",
    "should be no ",
    "should not ",
    "shouldn't ",
    "still ",
];

/// What such comments begin with.
const NOTHING_BEGINS: &[&str] =
    &["check no", "ensure no", "ensure that no", "make sure no", "never ", "no ", "not ", "nothing ", "verify no"];

/// Words, one after the other, in names of tests in which something is not to happen, or not again.
const NOTHING_NAMES: &[&[&str]] = &[
    &["ignore"],
    &["ignored"],
    &["not", "called"],
    &["do", "not"],
    &["does", "not"],
    &["exactly", "once"],
    &["ignores"],
    &["must", "not"],
    &["never"],
    &["nothing"],
    &["only", "once"],
    &["should", "not"],
    &["skips"],
    &["unchanged"],
    &["will", "not"],
];

/// Words that undo such a `not`: what does not skip is to happen.
const UNDONE: &[&str] = &["block", "crash", "fail", "hang", "ignore", "lose", "miss", "panic", "skip", "stop", "wait"];

/// Signs of code that fails a test as soon as it runs.
const FAILS: &[&str] =
    &["XCTFail(", "done.fail(", "panic!(", "pytest.fail(", "self.fail(", "t.Error", "t.Fail", "t.Fatal", "throw new "];

/// A sleep that is a statement of a test.
pub(super) struct Wait<'f> {
    file: &'f File<'f>,
    test: &'f Function,
    /// Where the statement begins.
    start: usize,
    /// Where the call ends.
    end: usize,
}

impl<'f> Wait<'f> {
    /// The statement that `call` is, unless it is a part of another one or nothing waits for it.
    pub(super) fn of(file: &'f File<'f>, test: &'f Function, call: &Call) -> Option<Self> {
        let start = match last_name(file.text(&call.callee)) {
            "setTimeout" => promise(file, call)?,
            _ => call.callee.start,
        };
        let wait = Self { file, test, start, end: call.arguments.end };
        let own = wait.line_before();
        let opening = own.rsplit([';', '{', '}']).next().unwrap_or(own).trim();
        let extension = paths::extension(file.source.path).unwrap_or_default();
        let is_awaited = start != call.callee.start || opening == "await" || opening.starts_with("yield");
        let line = file.source.line_span(file.source.line_of(wait.end));
        let after = file.text(&(wait.end..line.end.max(wait.end))).trim_start();
        let is_left_behind = after.starts_with(".then")
            || (AWAITED.contains(&extension) && !is_awaited)
            || (SHELLS.contains(&extension) && after.starts_with('&') && !after.starts_with("&&"));
        (OPENINGS.contains(&opening) && !is_left_behind).then_some(wait)
    }

    /// What stands before the statement on its line, within the test.
    fn line_before(&self) -> &'f str {
        let line = self.file.source.line_span(self.file.source.line_of(self.start));
        let body = self.test.body.as_ref().map_or(line.start, |body| body.start);
        self.file.source.text.get(line.start.max(body).min(self.start)..self.start).unwrap_or_default()
    }

    /// Whether it stands in code that others run, or that is to be cut short, and not in the test alone.
    pub(super) fn is_in_closure(&self) -> bool {
        let file = self.file;
        let text = |index: usize| file.text(&file.source.line_span(index));
        let line = file.source.line_of(self.start);
        let body = self.test.body.as_ref().map_or(self.test.span.start, |body| body.start);
        let opens = file.source.text.get(body..).is_some_and(|rest| rest.starts_with('{'));
        let heading = file.source.line_of(body);
        let is_heading = opens || heading == file.source.line_of(self.test.span.start);
        let first = (heading + usize::from(is_heading)).max(line.saturating_sub(HEADS_LINES_MAX));
        if is_closure(self.line_before()) {
            return true;
        }
        let mut depth = indent(text(line));
        for index in (first..line).rev() {
            let head = text(index);
            if head.trim().is_empty() || indent(head) >= depth {
                continue;
            }
            depth = indent(head);
            if is_closure(head) {
                return true;
            }
        }
        false
    }

    /// Whether the test waits to see that nothing happens, how long it took, or to look again: no event could be waited for.
    pub(super) fn is_for_nothing(&self) -> bool {
        let file = self.file;
        let text = |index: usize| file.text(&file.source.line_span(index));
        let line = file.source.line_of(self.end.saturating_sub(1));
        let is_comment = |index: usize| {
            let span = file.source.line_span(index);
            file.outline.has_comment(&span).then(|| text(index))
        };
        let mut near = (line.saturating_sub(1)..=line + 1).filter_map(is_comment);
        if near.any(|line| says_nothing(line) || says_time(line)) {
            return true;
        }
        if is_named_after_nothing(file.text(&self.test.name)) || self.lets_listener_fail() || self.is_between_parts() {
            return true;
        }
        let after = (line + 1..=line + LINES_AFTER_MAX).map(text).filter(|line| !line.trim().is_empty());
        let has = |line: &str, signs: &[&str]| signs.iter().any(|sign| line.contains(sign));
        after.take(LINES_AFTER).any(|line| has(line, NOTHING) || is_stamped(line) || finds_nothing(line))
    }
}

impl Wait<'_> {
    /// Whether the sleep is the last statement of a test with code that fails if it is called: nothing is to call it.
    fn lets_listener_fail(&self) -> bool {
        let Some(body) = &self.test.body else { return false };
        let text: &str = &self.file.source.text;
        let after = text.get(self.end..body.end).unwrap_or_default();
        let before = text.get(body.start..self.start).unwrap_or_default();
        let fails = |line: &str| FAILS.iter().any(|sign| line.contains(sign));
        let mut inside = 0;
        // Code that others run ends where its indentation does.
        let is_in_listener = |line: &str| {
            let depth = line.len() - line.trim_start().len();
            if depth < inside && !line.trim().is_empty() {
                inside = 0;
            }
            let is_listening = inside > 0 && fails(line);
            if inside == 0 && is_closure(line) {
                inside = depth + 1;
            }
            is_listening
        };
        after.chars().all(|c| c.is_whitespace() || ")};".contains(c)) && before.lines().any(is_in_listener)
    }

    /// Whether the line above and the line below send or write to the same: the sleep plays somebody slow.
    fn is_between_parts(&self) -> bool {
        let file = self.file;
        let sent = |index: usize| {
            let (callee, _) = file.text(&file.source.line_span(index)).trim().split_once('(')?;
            let name = last_name(callee).to_ascii_lowercase();
            let callee = callee.trim_start_matches("await ");
            (callee.contains('.') && (name.starts_with("send") || name.starts_with("write"))).then_some(callee)
        };
        let above = file.source.line_of(self.start).checked_sub(1).and_then(sent);
        above.is_some() && above == sent(file.source.line_of(self.end.saturating_sub(1)) + 1)
    }
}

/// Whether the name of a test says that something is not to happen, or not again.
fn is_named_after_nothing(name: &str) -> bool {
    let words = names::words(name);
    let is_one = |at: usize, wanted: &[&str]| {
        let found = words.iter().skip(at).map(String::as_str);
        let next = words.get(at + wanted.len());
        found.take(wanted.len()).eq(wanted.iter().copied())
            && !next.is_some_and(|word| wanted.last() == Some(&"not") && UNDONE.contains(&word.as_str()))
    };
    (0..words.len()).any(|at| NOTHING_NAMES.iter().any(|wanted| is_one(at, wanted)))
}

/// Where `await new Promise(..)` around this `setTimeout` begins, if it only ends the wait.
fn promise(file: &File<'_>, call: &Call) -> Option<usize> {
    let all = arguments(file, &call.arguments);
    let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '_');
    all.first().filter(|text| is_name(text))?;
    let text: &str = &file.source.text;
    let from = text.floor_char_boundary(call.callee.start.saturating_sub(PROMISE_BYTES_MAX));
    let before = text.get(from..call.callee.start)?;
    let at = ["await new Promise", "yield new Promise"].iter().filter_map(|opening| before.rfind(opening)).max()?;
    (!before[at..].contains(';')).then_some(from + at)
}

fn is_closure(head: &str) -> bool {
    // A name at the very start has nothing before it.
    let lower = format!(" {}", head.to_ascii_lowercase());
    let has = |signs: &[&str]| signs.iter().any(|sign| lower.contains(sign));
    (has(CLOSURES) || lower.trim_end().ends_with(" in")) && !has(PARTS)
}

/// Whether the line asserts that there is nothing, or none of something.
fn finds_nothing(line: &str) -> bool {
    let lower = line.trim().to_ascii_lowercase();
    ASSERTS.iter().any(|head| lower.starts_with(head)) && EMPTY.iter().any(|sign| lower.contains(sign))
}

/// The comment of a line, in lower case.
pub(super) fn comment(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let start = ["//", "#", "/*"].iter().filter_map(|mark| lower.find(mark)).min();
    start.map_or_else(String::new, |at| lower[at..].to_owned())
}

fn says_nothing(line: &str) -> bool {
    let comment = comment(line);
    let said = comment.trim_start_matches(['/', '#', '*', '!', ' ']);
    NOTHING_BEGINS.iter().any(|beginning| said.starts_with(beginning))
        || NOTHING_SAID.iter().any(|words| said.contains(words))
}
