//! Tests of doubles instead of code.

use schemas::severity::Severity;

use crate::outline::{Call, Function, Span};
use crate::paths;
use crate::rules::calls::{arguments, is_path, last_name};
use crate::rules::{Check, File, Findings, Hit, rule, runners};

rule!(
    /// ## What it finds
    /// Files of five tests or more that make, on average, more than three test doubles for each test, or as many as seven for
    /// ten statements: `Mock`, `patch`, `jest.fn`, `spyOn`, `gomock`, `mockall`, Mockito, gmock and their kin.
    ///
    /// Tests of what stands at the border to other systems (adapters, clients, gateways, HTTP, sockets) need doubles and are left
    /// alone, as are fixtures, copies of tests of others and tests of mocks. What replaces a part of the environment (`sys`,
    /// `os`, `platform`, `process`, `console`, clocks) or gives a name or a function a written value is no double.
    ///
    /// ## Why it matters
    /// Such tests say how the code calls its parts, not what it does. They break when it is rearranged, and stay green when it
    /// is wrong.
    ///
    /// ## Example
    /// ```text
    /// @patch("shop.tax") @patch("shop.stock") @patch("shop.mail") @patch("shop.clock")
    /// def test_order(clock, mail, stock, tax):
    /// ```
    ///
    /// ## How to fix
    /// Test the parts together, with the real ones where they are fast; leave doubles to what is slow or outside.
    "tdd/excessive-mocking", Tdd, Medium, version: 3, Check::Code(check)
);

/// Tests of the smallest file that is judged.
const TESTS_MIN: usize = 5;

/// Doubles for each test above which they are too many.
const DOUBLES_MAX: usize = 3;

/// Functions that make a double, whole or by their last names.
const MAKERS: &[&str] = &[
    "AsyncMock",
    "MagicMock",
    "Mock",
    "PropertyMock",
    "create_autospec",
    "jest.fn",
    "jest.mock",
    "jest.spyOn",
    "mock.fn",
    "mock.method",
    "mock.patch",
    "mocker.patch",
    "mocker.spy",
    "monkeypatch.setattr",
    "patch",
    "patch.dict",
    "patch.object",
    "sinon.fake",
    "sinon.mock",
    "sinon.spy",
    "sinon.stub",
    "sqlmock.New",
    "vi.fn",
    "vi.mock",
    "vi.spyOn",
];

/// Functions of Mockito and MockK that make a double.
const MOCKITO: &[&str] = &["mock", "mockk", "spy", "spyk"];

/// Wrappers of gmock around a double.
const GMOCK: &[&str] = &["NaggyMock<", "NiceMock<", "StrictMock<"];

/// Parts of paths of tests at the border to other systems, and of fixtures.
const BORDERS: &[&str] = &[
    "adapter",
    "api",
    "client",
    "conftest",
    "docker",
    "fixture",
    "gateway",
    "http",
    "mailer",
    "network",
    "rpc",
    "s3",
    "smtp",
    "socket",
    "transport",
    "webhook",
];

/// First parts of names of what surrounds every program.
const SURROUNDINGS: &[&str] = &[
    "Date",
    "Math",
    "builtins",
    "console",
    "date",
    "datetime",
    "distro",
    "document",
    "env",
    "environ",
    "global",
    "globalThis",
    "localStorage",
    "navigator",
    "os",
    "performance",
    "platform",
    "process",
    "random",
    "screen",
    "sessionStorage",
    "signal",
    "stderr",
    "stdin",
    "stdout",
    "sys",
    "time",
    "window",
];

/// Parts of names of modules that tell what a program runs on.
const SYSTEMS: &[&str] = &["os_info", "sys_info", "sysinfo", "system_info"];

/// Functions that replace what their first argument names, each with the place of the argument that is put there, if one is.
const REPLACERS: &[(&str, usize)] =
    &[("patch", 1), ("patch.object", 2), ("setattr", 2), ("spyOn", usize::MAX), ("patch.dict", usize::MAX)];

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let tests: Vec<&Function> = file.outline.tests().map(|(function, _)| function).collect();
    let path = file.source.path.to_ascii_lowercase();
    let is_border = BORDERS.iter().any(|part| paths::file_name(&path).contains(part));
    let is_border = is_border || path.contains("fixture") || path.contains("mockito") || path.contains("mockk");
    if tests.len() < TESTS_MIN || is_border || runners::is_of_others(file) {
        return;
    }
    let extension = paths::extension(file.source.path).unwrap_or_default();
    let calls = file.outline.calls.iter();
    let calls = calls.filter(|call| makes_double(file.text(&call.callee), extension) && !sets_surroundings(file, call));
    let called = calls.filter(|call| is_within(file, &tests, call.callee.start)).count();
    let doubles = called + declared(file, &tests, extension);
    let statements: usize = file.outline.tests().map(|(_, test)| test.statements).sum();
    let is_most = doubles >= tests.len() && doubles * 10 > statements * 7;
    if doubles <= tests.len() * DOUBLES_MAX && !is_most {
        return;
    }
    found.push(Hit {
        place: file.place(tests[0].name.clone()),
        severity: Severity::Medium,
        confidence_permille: 750,
        message: format!("{doubles} test doubles in {} tests of {statements} statements", tests.len()),
        suggestion: "test the parts together; leave doubles to what is slow or outside",
    });
}

/// Whether `call` replaces a part of what surrounds every program, or puts a written value somewhere.
fn sets_surroundings(file: &File<'_>, call: &Call) -> bool {
    let callee = file.text(&call.callee);
    let Some((_, at)) = REPLACERS.iter().rfind(|(name, _)| is_path(callee, name)) else { return false };
    let all = arguments(file, &call.arguments);
    let target = all.first().map_or("", |first| first.trim_matches(['"', '\'', '`']));
    let mut parts = target.split('.');
    let surrounds = parts.any(|part| SURROUNDINGS.contains(&part) || SYSTEMS.iter().any(|name| part.contains(name)));
    let returned = || all.iter().filter_map(|argument| argument.strip_prefix("return_value="));
    surrounds || all.get(*at).is_some_and(|value| is_written(value)) || returned().any(|value| is_written(value.trim()))
}

/// Whether `value` is a text, a number or a truth value.
fn is_written(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '"' | '\'' | '-'))
        || matches!(value, "True" | "False" | "None" | "{}" | "[]" | "true" | "false" | "null")
}

fn makes_double(callee: &str, extension: &str) -> bool {
    let name = last_name(callee);
    match extension {
        // Mockito and MockK.
        "java" | "kt" | "kts" => return MOCKITO.contains(&name) && !callee.contains("BDDMockito"),
        // In Ruby `patch` is a request.
        "rb" => return false,
        _ => {}
    }
    // Generated doubles: `NewMockStore(ctrl)`, `MockStore::new()`.
    let is_generated = callee.split(['.', ':']).any(|part| {
        let rest = part.strip_prefix("New").unwrap_or(part).strip_prefix("Mock");
        rest.is_some_and(|rest| rest.starts_with(char::is_uppercase) && rest != "Mock")
    });
    let is_made = is_generated && (callee.contains("New") || matches!(name, "new" | "default"));
    let is_maker =
        |maker: &&str| callee.strip_suffix(*maker).is_some_and(|object| object.is_empty() || object.ends_with('.'));
    MAKERS.iter().any(is_maker) || is_made
}

/// Doubles that tests of C++ declare: `MockStore store;`, `NiceMock<MockStore> store;`.
fn declared(file: &File<'_>, tests: &[&Function], extension: &str) -> usize {
    if !matches!(extension, "cc" | "cpp" | "cxx" | "hh" | "hpp" | "h") {
        return 0;
    }
    let declares = |line: &&Span| {
        let text = file.text(line).trim();
        let is_plain = text.strip_prefix("Mock").is_some_and(|rest| rest.starts_with(char::is_uppercase));
        let is_quoted = file.outline.is_quoted(line.end - file.text(line).trim_start().len());
        let is_declaration = text.ends_with(';') && text.split_whitespace().count() > 1 && !is_quoted;
        is_declaration && (is_plain || GMOCK.iter().any(|wrapper| text.contains(wrapper)))
    };
    let lines: Vec<Span> = file.source.lines().collect();
    lines.iter().filter(declares).filter(|line| is_within(file, tests, line.start)).count()
}

/// Whether byte `at` is in one of `tests`, or among the decorators in front of it.
fn is_within(file: &File<'_>, tests: &[&Function], at: usize) -> bool {
    let after = tests.partition_point(|test| test.span.start <= at);
    let is_inside = after > 0 && tests[after - 1].span.contains(&at);
    let line = file.source.line_span(file.source.line_of(at));
    is_inside || file.text(&line).trim_start().starts_with('@')
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::Medium;

    /// Five tests of `open`, `doubles` times `double`, `close`.
    fn file(head: &str, open: &str, double: &str, doubles: usize, close: &str) -> String {
        let test = |at: usize| format!("{}{}{close}", open.replace('%', &at.to_string()), double.repeat(doubles));
        format!("{head}{}", (0..5).map(test).collect::<String>())
    }

    /// Head, opening, double, closing and path of a file of each language.
    const LANGUAGES: &[(&str, &str, &str, &str, &str)] = &[
        (
            "tests/a.rs",
            "",
            "#[test] fn a%() {\n",
            "let a = MockStore::new();\n",
            "run(); run(); run(); run(); run(); run();\n}\n",
        ),
        ("test_a.py", "", "def test_%():\n", "    a = Mock()\n", "    run(); run(); run(); run(); run(); run()\n"),
        (
            "a_test.go",
            "package a\n",
            "func Test%(t *testing.T) {\n",
            "a := NewMockStore(c)\n",
            "run(); run(); run(); run(); run(); run()\n}\n",
        ),
        (
            "a.test.js",
            "",
            "it('%', () => {\n",
            "const a = jest.fn()\n",
            "run(); run(); run(); run(); run(); run()\n})\n",
        ),
        (
            "ATest.java",
            "class ATest {\n",
            "@Test void a%() {\n",
            "Store a = mock(Store.class);\n",
            "run(); run(); run(); run(); run(); run();\n}\n",
        ),
        (
            "a_test.cc",
            "#include <gmock/gmock.h>\n",
            "TEST(A, b%) {\n",
            "NiceMock<MockStore> a;\n",
            "run(); run(); run(); run(); run(); run();\n}\n",
        ),
        (
            "ATest.kt",
            "class ATest {\n",
            "@Test fun a%() {\n",
            "val a = mockk<Store>()\n",
            "run(); run(); run(); run(); run(); run()\n}\n",
        ),
        (
            "ATest.kt",
            "class ATest {\n",
            "@Test fun a%() {\n",
            "val a = mock(Store::class.java)\n",
            "run(); run(); run(); run(); run(); run()\n}\n",
        ),
        (
            "ATest.kt",
            "class ATest {\n",
            "@Test fun a%() {\n",
            "val a: Store = mock()\n",
            "run(); run(); run(); run(); run(); run()\n}\n",
        ),
        (
            "ATest.kt",
            "class ATest {\n",
            "@Test fun a%() {\n",
            "val a = spyk(Store())\n",
            "run(); run(); run(); run(); run(); run()\n}\n",
        ),
        ("a.test.ts", "", "it('%', () => {\n", "vi.spyOn(a, 'b')\n", "run(); run(); run(); run(); run(); run()\n})\n"),
    ];

    #[test]
    fn four_doubles_a_test_are_too_many() {
        for (path, head, open, double, close) in LANGUAGES {
            let line = u32::try_from(head.lines().count()).unwrap() + 1;
            check(&RULE, path, &file(head, open, double, 4, close), &[(line, Medium)]);
            check(&RULE, path, &file(head, open, double, 3, close), &[]);
        }
    }

    #[test]
    fn tests_of_little_but_doubles_have_too_many() {
        for (path, head, open, double, close) in LANGUAGES {
            let line = u32::try_from(head.lines().count()).unwrap() + 1;
            let short = close.replace("run(); ", "");
            check(&RULE, path, &file(head, open, double, 3, &short), &[(line, Medium)]);
            check(&RULE, path, &file(head, open, double, 1, &short), &[]);
        }
    }

    #[test]
    fn decorators_count_for_the_test_below() {
        let open = "@patch('a')\n@patch('b')\n@patch('c')\n@patch('d')\ndef test_%():\n";
        check(
            &RULE,
            "test_a.py",
            &file("", open, "", 0, "    run(); run(); run(); run(); run(); run()\n"),
            &[(5, Medium)],
        );
    }

    #[test]
    fn surroundings_and_written_values_are_no_doubles() {
        let close = "    run(); run(); run(); run(); run(); run()\n";
        let python = |double: &str| file("", "def test_%():\n", &format!("    {double}\n"), 4, close);
        for double in [
            "patch('cart.total')",
            "patch('cart.total', return_value=value)",
            "patch.object(cart, 'total')",
            "monkeypatch.setattr(cart, 'total', sum)",
        ] {
            check(&RULE, "test_a.py", &python(double), &[(1, Medium)]);
        }
        for double in [
            "patch('sys.platform')",
            "patch('cart.time.sleep')",
            "patch('cart.LIMIT', 3)",
            "patch.object(cart, 'total', 3)",
            "patch.dict('os.environ')",
            "patch('cart.total', return_value='x')",
            "mocker.patch('cart.sys_info.total', return_value=value)",
            "patch('cart.distro.id')",
            "monkeypatch.setattr(cart, 'total', 'x')",
        ] {
            check(&RULE, "test_a.py", &python(double), &[]);
        }
        let close = "run(); run(); run(); run(); run(); run()\n})\n";
        let script = |double: &str| file("", "it('%', () => {\n", &format!("{double}\n"), 4, close);
        check(&RULE, "a.test.js", &script("jest.spyOn(cart, 'total')"), &[(1, Medium)]);
        check(&RULE, "a.test.js", &script("jest.spyOn(console, 'error')"), &[]);
        check(&RULE, "src/mockito/a.test.js", &script("jest.spyOn(cart, 'total')"), &[]);
    }

    #[test]
    fn borders_and_small_files_are_left_alone() {
        for (path, head, open, double, close) in LANGUAGES {
            let text = file(head, open, double, 4, close);
            let border = if path.contains('/') { path.replace('a', "client") } else { format!("fixtures/{path}") };
            check(&RULE, &border.replace("tests", "fixtures/tests"), &text, &[]);
            let few = format!("{head}{}{}{close}", open.replace('%', "9"), double.repeat(9));
            check(&RULE, path, &few, &[]);
        }
    }

    #[test]
    fn what_only_shares_a_name_makes_no_double() {
        let close = "run(); run(); run(); run(); run(); run();\n}\n";
        let java = file("class ATest {\n", "@Test void a%() {\n", "// mock(Store.class)\nshow(\"spy()\");\n", 4, close);
        check(&RULE, "ATest.java", &java, &[]);
        let head = "class ATest {\n";
        let kotlin = file(head, "@Test fun a%() {\n", "// mockk<A>()\nshow(\"spyk()\")\nmockServer()\n", 4, close);
        check(&RULE, "ATest.kt", &kotlin, &[]);
        let cpp = file("", "TEST(A, b%) {\n", "MockTime(3);\n// NiceMock<A> b;\n", 4, close);
        check(&RULE, "a_test.cc", &cpp, &[]);
        let ruby = file("", "it 'a%' do\n", "patch :update\n", 4, "run\nend\n");
        check(&RULE, "spec/a_spec.rb", &ruby, &[]);
    }
}
