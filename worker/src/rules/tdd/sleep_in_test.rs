//! Tests that wait for time to pass.

mod play;

use schemas::severity::Severity;

use play::is_slow_work;

use crate::paths;
use crate::rules::calls::{arguments, is_in_tests, last_name};
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Fixed sleeps of a tenth of a second or more in tests: `thread::sleep`, `time.sleep`, `time.Sleep`, `asyncio.sleep`,
    /// `setTimeout`, `waitForTimeout` and their kin.
    ///
    /// Files that use a fake clock, benchmarks, and sleeps between two looks at a condition, in a loop that can end early,
    /// those that are a timeout by name, those of a clock in a variable, which need not be the true one, and those that stand for
    /// slow work, by their comment or as what answers a server's requests, or in functions that are no tests, are left alone.
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
    "tdd/sleep-in-test", Tdd, Low, version: 4, Check::Code(check)
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
    "fake_clock",
    "fakeAsync",
    "FakeClock",
    "freezegun",
    "start_paused",
    "synctest",
    "time::pause",
    "time_machine",
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
    let mut calls = calls.filter(|call| is_in_tests(file, call.callee.start)).peekable();
    if calls.peek().is_none() || paths::is_test_input(file.source.path) {
        return;
    }
    if FAKE_CLOCKS.iter().any(|sign| file.source.text.contains(sign)) {
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
        let function = call.function.and_then(|index| file.outline.functions.get(index));
        let is_other = function.is_some_and(|one| one.test.is_none());
        if milliseconds < MILLISECONDS_MIN
            || is_other
            || is_clock_in_variable(file.text(&call.callee), extension)
            || is_timeout(file, call.callee.start)
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
    let text = file.text(&(file.source.line_span(line.saturating_sub(1)).start..file.source.line_span(line).end));
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| matches!(word, "deadline" | "timeout"))
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
    let indent = |line: &str| line.len() - line.trim_start().len();
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
        let has_condition =
            has_condition || (is_go && words.len() > 1 && !head.contains(';') && !head.contains("range"));
        let mut inside = (index + 1..line + LOOP_LINES_MAX).map(text);
        let mut inside = inside.by_ref().take_while(|line| line.trim().is_empty() || indent(line) > depth);
        return has_condition || inside.any(leaves_loop);
    }
    false
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
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::Low;

    #[test]
    fn rust() {
        let run = |body: &str, expected: &[_]| {
            check(&RULE, "tests/a.rs", &format!("#[test]\nfn a() {{ {body} }}\n"), expected)
        };
        run("std::thread::sleep(Duration::from_millis(100));", &[(2, Low)]);
        run("tokio::time::sleep(std::time::Duration::from_secs(1)).await;", &[(2, Low)]);
        run("sleep(Duration::from_secs_f64(0.5));", &[(2, Low)]);
        run("sleep(Duration::from_millis(99));", &[]);
        run("sleep(timeout);", &[]);
        run("let timeout = async {\n  sleep(Duration::from_secs(1)).await;\n};", &[]);
        run("\nfor _ in 0..9 {\n  if ready() {\n    break;\n  }\n  sleep(Duration::from_secs(1));\n}", &[]);
        run("\nfor _ in 0..9 {\n  sleep(Duration::from_secs(1));\n}", &[(4, Low)]);
        run("tokio::time::pause(); sleep(Duration::from_secs(1)).await;", &[]);
        run("let a = \"sleep(Duration::from_secs(1))\";", &[]);
        check(&RULE, "src/a.rs", "fn a() { sleep(Duration::from_secs(1)); }\n", &[]);
    }

    #[test]
    fn python() {
        let run =
            |body: &str, expected: &[_]| check(&RULE, "test_a.py", &format!("def test_a():\n    {body}\n"), expected);
        run("time.sleep(1)", &[(2, Low)]);
        run("await asyncio.sleep(0.25)", &[(2, Low)]);
        run("time.sleep(.05)", &[]);
        run("asyncio.sleep(0)", &[]);
        run("time.sleep(interval)", &[]);
        run("while not ready():\n        time.sleep(1)", &[]);
        run("for i in range(9):\n        time.sleep(1)", &[(3, Low)]);
        run("while True:\n        time.sleep(1)\n        if ready():\n            break", &[]);
        run("self.delay(3, 'v1')", &[]);
        run("sleeping.delay(2)", &[]);
        run("def slow():\n        time.sleep(1)\n    run(slow)", &[]);
        check(&RULE, "test_a.py", "import time_machine\ntime.sleep(1)\n", &[]);
        check(&RULE, "a.py", "time.sleep(1)\n", &[]);
    }

    #[test]
    fn go() {
        let run = |path: &str, name: &str, body: &str, expected: &[_]| {
            check(&RULE, path, &format!("package a\nfunc {name}(t *testing.T) {{ {body} }}\n"), expected);
        };
        run("a_test.go", "TestA", "time.Sleep(100 * time.Millisecond)", &[(2, Low)]);
        run("a_test.go", "TestA", "time.Sleep(time.Second)", &[(2, Low)]);
        run("a_test.go", "TestA", "time.Sleep(50 * time.Millisecond)", &[]);
        run("a_test.go", "TestA", "time.Sleep(wait)", &[]);
        run("a_test.go", "TestA", "time.Sleep(n * time.Second)", &[]);
        run("a_test.go", "TestA", "\nfor !ready() {\n\ttime.Sleep(time.Second)\n}", &[]);
        run("a_test.go", "TestA", "\nfor i := 0; i < 9; i++ {\n\ttime.Sleep(time.Second)\n}", &[(4, Low)]);
        run("a_test.go", "slowly", "time.Sleep(time.Second)", &[]);
        run("race/testdata/a_test.go", "TestA", "time.Sleep(time.Second)", &[]);
        run("a_test.go", "TestA", "\ngo func() {\n\t// Simulate work.\n\ttime.Sleep(time.Second)\n}()", &[]);
        run("a_test.go", "TestA", "\ngo func() {\n\t// Let it work.\n\ttime.Sleep(time.Second)\n}()", &[(5, Low)]);
        let serve = "\nserve(func(w http.ResponseWriter, r *http.Request) {\n\ttime.Sleep(time.Second)\n})";
        run("a_test.go", "TestA", serve, &[]);
        run("a_test.go", "TestA", &serve.replace("w http.ResponseWriter, r *http.Request", ""), &[(4, Low)]);
        run("a_test.go", "BenchmarkA", "time.Sleep(time.Second)", &[]);
        run("a_test.go", "TestA", "synctest.Wait(); time.Sleep(time.Second)", &[]);
        run("a.go", "f", "time.Sleep(time.Second)", &[]);
    }

    #[test]
    fn javascript_and_typescript() {
        for path in ["a.test.js", "a.spec.ts", "a.test.tsx"] {
            let run = |body: &str, expected: &[_]| {
                check(&RULE, path, &format!("it('a', async () => {{\n{body}\n}})\n"), expected)
            };
            run("await new Promise(done => setTimeout(done, 500))", &[(2, Low)]);
            run("await page.waitForTimeout(1_000)", &[(2, Low)]);
            run("await sleep(99)", &[]);
            run("setTimeout(done, wait)", &[]);
            run("jest.useFakeTimers(); setTimeout(done, 500)", &[]);
        }
        check(&RULE, "a.js", "setTimeout(done, 500)\n", &[]);
    }

    #[test]
    fn java_and_cpp() {
        let java = |path: &str, body: &str, expected: &[_]| {
            check(&RULE, path, &format!("class A {{\n@Test void a() {{ {body} }}\n}}\n"), expected);
        };
        java("ATest.java", "Thread.sleep(500);", &[(2, Low)]);
        java("ATest.java", "Thread.sleep(1_000L * 2);", &[]);
        java("ATest.java", "Thread.sleep(50);", &[]);
        java("ATest.java", "time.sleep(500);", &[]);
        java("ATest.java", "java.lang.Thread.sleep(500);", &[(2, Low)]);
        java("ATest.java", "Thread.sleep(wait);", &[]);
        java("A.java", "Thread.sleep(100);", &[]);
        let cpp =
            |body: &str, expected: &[_]| check(&RULE, "a_test.cc", &format!("TEST(A, b) {{ {body} }}\n"), expected);
        cpp("std::this_thread::sleep_for(std::chrono::milliseconds(200));", &[(1, Low)]);
        cpp("std::this_thread::sleep_for(std::chrono::seconds(1));", &[(1, Low)]);
        cpp("std::this_thread::sleep_for(std::chrono::milliseconds(20));", &[]);
        cpp("std::this_thread::sleep_for(wait);", &[]);
        cpp("std::this_thread::sleep_for(std::chrono::milliseconds(wait * 1000));", &[]);
        cpp("// sleep_for(std::chrono::seconds(1));", &[]);
    }

    #[test]
    fn languages_read_by_outline() {
        // Path, text around a sleep, sleeps that are too long, and others.
        let cases: &[(&str, &str, &[&str], &[&str])] = &[
            (
                "ATests.cs",
                "class A {\n[Fact] public void T() { ~; }\n}\n",
                &["Thread.Sleep(500)", "Task.Delay(TimeSpan.FromSeconds(1))"],
                &["Thread.Sleep(20)", "Thread.Sleep(wait)", "F(\"Thread.Sleep(500)\")"],
            ),
            (
                "spec/a_spec.rb",
                "it 'a' do\n  ~\nend\n",
                &["sleep 1", "sleep(0.5)", "Kernel.sleep 2"],
                &["sleep 0.01", "sleep wait", "run 'sleep 1'"],
            ),
            (
                "tests/a.php",
                "<?php\n~;\n",
                &["sleep(1)", "\\sleep(2)"],
                &["usleep(10)", "sleep($wait)", "run('sleep(1)')"],
            ),
            (
                "ATest.kt",
                "class A {\n@Test fun a() { ~ }\n}\n",
                &["Thread.sleep(500)", "delay(1_000)"],
                &["delay(20)", "delay(wait)", "f(\"delay(500)\")"],
            ),
            (
                "Tests/a.swift",
                "class A: XCTestCase { func testA() {\n~\n} }\n",
                &["sleep(1)", "sleep(2)"],
                &["sleep(wait)", "usleep(10)", "f(\"sleep(1)\")"],
            ),
            (
                "a.bats",
                "@test a {\n  ~\n}\n",
                &["sleep 1", "sleep 0.5"],
                &["sleep 0.01", "sleep \"$wait\"", "echo 'sleep 1'"],
            ),
        ];
        for (path, around, long, fine) in cases {
            let of = |line: &str| around.replace('~', line);
            for line in *long {
                check(&RULE, path, &of(line), &[(2, Low)]);
            }
            for line in *fine {
                check(&RULE, path, &of(line), &[]);
            }
        }
    }
}
