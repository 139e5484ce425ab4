//! Tests that wait for time to pass.

mod own;
mod play;
mod time;

use schemas::severity::Severity;

use own::Wait;
use play::is_slow_work;
use time::is_about_time;

use super::skipped_test::runner;
use crate::lines::indent;
use crate::names;
use crate::outline::Function;
use crate::paths;
use crate::rules::calls::{arguments, last_name};
use crate::rules::{Check, File, Findings, Hit, rule, runners};

rule!(
    /// ## What it finds
    /// Statements of a test by which it sleeps for a tenth of a second or more: `thread::sleep`, `time.sleep`, `time.Sleep`,
    /// `asyncio.sleep`, `waitForTimeout`, a promise of `setTimeout` that is awaited, and their kin.
    ///
    /// Only sleeps of the test itself are reported: those in callbacks, handlers, threads and helpers often stand for slow work.
    /// Files that use a fake clock, benchmarks, sleeps between two looks at a condition, sleeps that are a timeout by name, those
    /// of a clock in a variable, which need not be the true one, and those that stand for slow work by their comment are left
    /// alone. So are tests that are about time by their name (`delay`, `timeout`, `debounce`, `expires`), those
    /// in which something is not to happen, or only once (`skips`, `does not`, `unchanged`), and those that are
    /// switched off or run by hand alone. So are sleeps after which nothing is expected to have happened, or something
    /// is to have expired, or of which the length is looked at, after which something is asserted to be none or when it
    /// was changed, or before which a comment speaks of clocks and stamps, and those that end a test whose listener
    /// fails it: there is no event to wait for. Between two parts of what is sent a sleep plays a slow sender.
    ///
    /// ## Why it matters
    /// On a busy machine the time is too short, and the test fails now and then; on any other it is too long, and everybody
    /// waits for it on every run.
    ///
    /// ## Example
    /// ```text
    /// server.start()
    /// time.sleep(2)
    /// ```
    ///
    /// ## How to fix
    /// Wait for what should happen: an event, a line of the log, a condition with a deadline. Or use a fake clock.
    "tdd/sleep-in-test", Tdd, Low, version: 7, Check::Code(check)
);

/// Shortest sleep that is reported.
const MILLISECONDS_MIN: f64 = 100.0;

/// Functions that wait, by their last name.
const SLEEPS: &[&str] =
    &["Delay", "Sleep", "delay", "setTimeout", "sleep", "sleep_for", "sleep_ms", "sleepMs", "waitForTimeout"];

/// Most lines above a sleep in which the loop around it is searched.
const LOOP_LINES_MAX: usize = 40;

/// Signs of a clock that a test turns by hand.
const FAKE_CLOCKS: &[&str] = &[
    "FakeClock",
    "FakeTime",
    "MockClock",
    "TestScheduler",
    "Timecop",
    "VirtualTime",
    "advanceTimeBy",
    "advanceUntilIdle",
    "clock.tick",
    "fakeAsync",
    "fake_clock",
    "freeze_time",
    "freezegun",
    "mock.timers",
    "runTest {",
    "runTest(",
    "start_paused",
    "synctest",
    "time::advance",
    "time::pause",
    "time_machine",
    "travel_to",
    "useFakeTimers",
];

/// Units as languages write them, with their milliseconds. Longer names first.
const UNITS: &[(&str, f64)] = &[
    ("from_millis", 1.0),
    ("from_micros", 0.001),
    ("from_nanos", 0.000_001),
    ("from_mins", 60_000.0),
    ("from_secs", 1_000.0),
    ("Millisecond", 1.0),
    ("Microsecond", 0.001),
    ("Nanosecond", 0.000_001),
    ("milliseconds", 1.0),
    ("microseconds", 0.001),
    ("nanoseconds", 0.000_001),
    ("seconds", 1_000.0),
    ("Minute", 60_000.0),
    ("Second", 1_000.0),
];

/// Names that may stand around a unit.
const KINDS: &[&str] = &[
    "Duration",
    "FromMilliseconds",
    "FromMinutes",
    "FromSeconds",
    "TimeSpan",
    "chrono",
    "core",
    "datetime",
    "std",
    "time",
    "timedelta",
    "tokio",
];

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let calls = file.outline.calls.iter().filter(|call| SLEEPS.contains(&last_name(file.text(&call.callee))));
    let mut calls = calls.filter(|call| file.is_test_code(call.callee.start)).peekable();
    if calls.peek().is_none() || runners::is_of_others(file) {
        return;
    }
    if FAKE_CLOCKS.iter().any(|sign| file.source.text.contains(sign)) || runner::is_own(file) {
        return;
    }
    for call in calls {
        let name = last_name(file.text(&call.callee));
        let all = arguments(file, &call.arguments);
        // A `delay` of more than a time is one of something else.
        let extension = paths::extension(file.source.path);
        let time = match name {
            "setTimeout" => all.get(1),
            // Celery hands a task to a queue by that name.
            "delay" if extension == Some("py") => None,
            "delay" if all.len() != 1 => None,
            _ => all.first(),
        };
        let Some(milliseconds) = time.and_then(|time| milliseconds(time, extension)) else {
            continue;
        };
        let test = call.function.and_then(|index| file.outline.functions.get(index)).filter(|one| {
            // One that is switched off waits for nothing.
            one.test.as_ref().is_some_and(|test| !test.skipped) && !is_run_by_hand(file, one)
        });
        let Some(wait) = test.and_then(|test| Wait::of(file, test, call)) else { continue };
        if milliseconds < MILLISECONDS_MIN
            || is_clock_in_variable(file.text(&call.callee), extension)
            || is_timeout(file, call.callee.start)
            || wait.is_in_closure()
            || test.is_some_and(|one| is_about_time(file.text(&one.name), file.source.path))
            || wait.is_for_nothing()
            || is_slow_work(file, call.callee.start)
            || is_between_looks(file, call.callee.start)
        {
            continue;
        }
        found.push(Hit {
            place: file.place(call.callee.start..call.arguments.end),
            severity: Severity::Low,
            confidence_permille: 850,
            message: "test sleeps for a fixed time".to_owned(),
            suggestion: "wait for what should happen, with a deadline, or use a fake clock",
        });
    }
}

/// Extensions of languages whose sleeps count in seconds.
const SECONDS: &[&str] = &["bash", "bats", "php", "py", "pyi", "rb", "sh", "swift", "zsh"];

/// Whether the line of byte `at`, or the one above, names what is slept for a timeout.
fn is_timeout(file: &File<'_>, at: usize) -> bool {
    let line = file.source.line_of(at);
    let text = file.text(&(file.source.line_span(line.saturating_sub(1)).start..at));
    names::words(text).iter().any(|word| matches!(word.as_str(), "deadline" | "timeout"))
}

/// Whether `callee` sleeps by a clock in a variable: `time.sleep` in Java, where `Thread.sleep` is the true one.
fn is_clock_in_variable(callee: &str, extension: Option<&str>) -> bool {
    let receiver = callee.rsplit_once('.').map_or("", |(receiver, _)| receiver.trim_start_matches("this."));
    matches!(extension, Some("java" | "kt" | "kts"))
        && receiver.starts_with(char::is_lowercase)
        && !receiver.contains('.')
}

/// Whether byte `at` is in a loop that ends when something has come about.
fn is_between_looks(file: &File<'_>, at: usize) -> bool {
    let line = file.source.line_of(at);
    let text = |index: usize| file.text(&file.source.line_span(index));
    let mut depth = indent(text(line));
    for index in (line.saturating_sub(LOOP_LINES_MAX)..line).rev() {
        let head = text(index);
        if head.trim().is_empty() || indent(head) >= depth {
            continue;
        }
        depth = indent(head);
        let words: Vec<&str> =
            head.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
        if !matches!(words.first(), Some(&("async" | "await" | "do" | "for" | "loop" | "while"))) {
            continue;
        }
        let is_endless = matches!(words.get(1), None | Some(&("True" | "true" | "1")));
        let has_condition = words.first() == Some(&"while") && !is_endless;
        // Go has one word for all loops; one that counts or goes through a list has these signs.
        let is_go = paths::extension(file.source.path) == Some("go");
        let is_while = || if head.contains(';') { looks_again(head) } else { !head.contains("range") };
        let has_condition = has_condition || (is_go && words.len() > 1 && is_while());
        let mut inside = (index + 1..line + LOOP_LINES_MAX).map(text);
        let mut inside = inside.by_ref().take_while(|line| line.trim().is_empty() || indent(line) > depth);
        return has_condition || inside.any(leaves_loop);
    }
    false
}

/// Whether the head of a loop of Go asks for the same before each turn: `for err := run(); err != nil; err = run() {`.
fn looks_again(head: &str) -> bool {
    let mut parts = head.trim().trim_start_matches("for ").trim_end_matches('{').split(';').map(str::trim);
    let (first, last) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
    first.contains('(') && first.replace(":=", "=") == last
}

/// Whether a test of Go leaves at once unless a flag says that somebody runs it by hand.
fn is_run_by_hand(file: &File<'_>, test: &Function) -> bool {
    let body = test.body.as_ref().map_or("", |body| file.text(body));
    let first = body.trim_start_matches('{').trim_start().split('}').next().unwrap_or_default();
    let says = || names::words(first).iter().any(|word| matches!(word.as_str(), "manual" | "manually"));
    file.source.path.ends_with(".go") && first.starts_with("if ") && first.contains(".Skip") && says()
}

/// Whether `line` ends a loop early.
fn leaves_loop(line: &str) -> bool {
    let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.any(|word| matches!(word, "break" | "return"))
}

/// How long `time` is, if it is a number or one with a unit.
fn milliseconds(time: &str, extension: Option<&str>) -> Option<f64> {
    let unit = UNITS.iter().find(|(name, _)| time.contains(name)).map(|(_, unit)| *unit);
    let plain = if extension.is_some_and(|extension| SECONDS.contains(&extension)) { 1_000.0 } else { 1.0 };
    let numbers = time.split(|c: char| !c.is_ascii_digit() && c != '.' && c != '_' && !c.is_ascii_alphabetic());
    let mut numbers = numbers.filter(|word| word.starts_with(|c: char| c.is_ascii_digit() || c == '.'));
    let number = numbers.next().and_then(|word| word.replace('_', "").parse::<f64>().ok());
    let is_bare = time.chars().all(|c| c.is_ascii_digit() || "._".contains(c));
    let is_known = |word: &str| KINDS.contains(&word) || UNITS.iter().any(|(name, _)| word.starts_with(name));
    let mut words = time.split(|c: char| !c.is_alphanumeric() && c != '_');
    // Another name beside the number may hold any time.
    let is_fixed = words.all(|word| !word.starts_with(char::is_alphabetic) || is_known(word));
    match (number, unit) {
        (Some(number), Some(unit)) if is_fixed => Some(number * unit),
        (Some(number), None) if is_bare => Some(number * plain),
        (None, Some(unit)) if is_fixed && (time.ends_with("Second") || time.ends_with("Minute")) => Some(unit),
        _ => None,
    }
}

#[cfg(test)]
#[path = "sleep_in_test/tests.rs"]
mod tests;
