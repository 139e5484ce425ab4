//! Empty tests that are meant to be empty: what runs around them, or their building alone, is what is tried.

use crate::lines::indent;
use crate::names;
use crate::outline::Function;
use crate::paths;
use crate::rules::File;

/// How many lines above a test may belong to it.
const HEAD_LINES_MAX: usize = 12;

/// How many lines above a test of Python its decorators may take: lists of cases are long.
const DECORATOR_LINES_MAX: usize = 200;

/// How many lines above a test its class is looked for.
const CLASS_LINES_MAX: usize = 2_000;

/// Words of tests that are named after being empty: a runner or a main of tests is tried on them.
const NOTHING: &[&str] = &["dummy", "empty", "no", "noop", "nop", "op"];

/// Directories of tests of a whole, which hold projects that those work on.
const WHOLES: &[&str] = &["acceptance", "e2e", "functional", "integration", "integration_tests", "smoke", "system"];

/// Fewest directories below one of them that are a project of their own; fewer are a grouping.
const PROJECT_STEPS: usize = 4;

/// Words of tests that are named at all.
const TEST_WORDS: &[&str] = &["case", "it", "should", "test", "tests"];

/// Words that say that it is enough to build the test, or to come to it.
const BUILT: &[&str] = &["builds", "compile", "compiles", "links", "typechecks"];

/// Words of tests that are done when what is set up for each test came up, and went down again.
const BROUGHT_UP: &[&str] = &[
    "boot",
    "boots",
    "close",
    "construct",
    "constructor",
    "create",
    "destroy",
    "init",
    "load",
    "loads",
    "open",
    "setup",
    "shutdown",
    "start",
    "starts",
    "startup",
    "stop",
    "teardown",
];

/// Beginnings of names of functions that set up what tests need, in lower case.
const SET_UPS: &[&str] = &["before", "initialize", "set_up", "setup", "testmain"];

/// Marks of classes for which a container, a server or another runner is started.
const STARTED: &[&str] = &[
    "@ContextConfiguration",
    "@DataJpaTest",
    "@ExtendWith(",
    "@MicronautTest",
    "@QuarkusTest",
    "@RunWith(",
    "@SpringBootTest",
    "@SpringJUnitConfig",
    "@WebMvcTest",
];

/// Decorators of Python that run nothing of their own.
const PLAIN_DECORATORS: &[&str] = &["mock.patch", "parameterized", "patch", "pytest.mark.", "unittest.mock.patch"];

/// Whether the empty test `function` may well be meant so.
pub(super) fn is_meant(file: &File<'_>, function: &Function) -> bool {
    let words = names::words(file.text(&function.name));
    let says = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let mut own = words.iter().map(String::as_str).filter(|word| !TEST_WORDS.contains(word)).peekable();
    let is_nothing = own.peek().is_some() && own.all(|word| NOTHING.contains(&word));
    let is_set_up = |one: &Function| {
        let name = file.text(&one.name).to_ascii_lowercase();
        one.test.is_none() && SET_UPS.iter().any(|head| name.starts_with(head))
    };
    let is_brought_up =
        || file.text(&function.span).starts_with("TEST_F(") || file.outline.functions.iter().any(is_set_up);
    is_nothing
        || says(BUILT)
        || (says(BROUGHT_UP) && is_brought_up())
        || match paths::extension(file.source.path) {
            Some("py") => {
                function.parameters > 0
                    || is_decorated(file, function)
                    || may_replace(file, function)
                    || is_hook(file, function)
                    || is_in_asserting_fixture(file, function)
            }
            Some("java" | "kt") => {
                is_override(file, function) || STARTED.iter().any(|mark| file.source.text.contains(mark))
            }
            Some("cs" | "swift") => is_override(file, function),
            _ => false,
        }
}

/// Whether the file is a part of a project that tests of a whole work on: `tests/integration/cases/a/src/lib/test_b.py`.
pub(super) fn is_in_project_of_tests(path: &str) -> bool {
    // Their directories are packages, which may be named so at any depth.
    let is_packaged = matches!(paths::extension(path), Some("java" | "kt" | "cs" | "scala"));
    let mut parts = path.split('/');
    let is_whole = |part: &str| WHOLES.contains(&part.to_ascii_lowercase().as_str());
    !is_packaged && parts.any(is_whole) && parts.count() > PROJECT_STEPS
}

/// The lines above `function` that belong to it, from the last, without the white space around them.
fn head<'f>(file: &'f File<'_>, function: &Function) -> impl Iterator<Item = &'f str> {
    let start = file.source.line_span(file.source.line_of(function.span.start)).start;
    let above = file.source.text[..start].lines().rev().map(str::trim);
    above
        .take(HEAD_LINES_MAX)
        .take_while(|line| !line.is_empty() && !line.starts_with("def ") && !line.ends_with(['{', '}']))
}

/// The decorators of a function of Python, from the last, without the first sign. Between them their arguments may take lines.
fn decorators<'f>(file: &'f File<'_>, function: &Function) -> impl Iterator<Item = &'f str> {
    let own = file.source.line_of(function.span.start);
    let text = |line: usize| file.text(&file.source.line_span(line));
    let depth = indent(text(own));
    let above = (own.saturating_sub(DECORATOR_LINES_MAX)..own).rev().map(text);
    let belongs = move |line: &&str| {
        let is_own = line.trim_start().starts_with(['@', ')', ']', '}']);
        !line.trim().is_empty() && (indent(line) > depth || is_own)
    };
    let of_function = above.take_while(belongs).filter(move |line| indent(line) == depth);
    of_function.filter_map(|line| line.trim_start().strip_prefix('@'))
}

/// Whether a decorator of Python that may do something runs the test.
fn is_decorated(file: &File<'_>, function: &Function) -> bool {
    decorators(file, function).any(|name| {
        name.starts_with("pytest.mark.usefixtures") || !PLAIN_DECORATORS.iter().any(|plain| name.starts_with(plain))
    })
}

/// Whether a fixture of Python that runs around every test of the class, or of the file, asserts something.
fn is_in_asserting_fixture(file: &File<'_>, function: &Function) -> bool {
    let is_around = |one: &Function| {
        let of = class(file, one);
        of.is_none() || of == class(file, function)
    };
    let mut fixtures = file.outline.functions.iter().filter(|one| one.test.is_none() && one.assertions > 0);
    fixtures.any(|one| decorators(file, one).any(|mark| mark.contains("autouse=True")) && is_around(one))
}

/// Whether what is no test calls the test by its name, as `setUp` does what each class of a family fills in.
fn is_hook(file: &File<'_>, function: &Function) -> bool {
    let name = file.text(&function.name);
    let others = file.outline.functions.iter().filter(|one| one.test.is_none());
    others.flat_map(|one| &one.calls).any(|called| file.text(called) == name)
}

/// Whether the test takes the place of one that its class inherits, and so switches that off.
fn is_override(file: &File<'_>, function: &Function) -> bool {
    let own = file.source.text.get(function.span.start..function.name.start).unwrap_or_default();
    let says =
        |text: &str| text.split(|c: char| !c.is_alphanumeric()).any(|word| matches!(word, "Override" | "override"));
    says(own) || head(file, function).any(|line| line.starts_with('@') && says(line))
}

/// The line on which the class around a method begins, by how far it is indented.
fn class(file: &File<'_>, function: &Function) -> Option<usize> {
    let own = file.source.line_of(function.span.start);
    let text = |line: usize| file.text(&file.source.line_span(line));
    let depth = indent(text(own));
    let mut above = (own.saturating_sub(CLASS_LINES_MAX)..own).rev();
    above.find(|line| indent(text(*line)) < depth && text(*line).split_whitespace().any(|word| word == "class"))
}

/// Whether the class around the test is switched off, and all of its tests with it.
pub(super) fn is_in_skipped_class(file: &File<'_>, function: &Function) -> bool {
    let skips = || file.outline.skips.iter().filter(|skip| !skip.is_conditional);
    if skips().next().is_none() {
        return false;
    }
    let Some(class) = class(file, function) else { return false };
    let is_mark = |line: &usize| {
        let text = file.text(&file.source.line_span(*line)).trim();
        text.starts_with(['@', '[', '#', '/', '*']) || text.is_empty()
    };
    let marks = (class.saturating_sub(HEAD_LINES_MAX)..class).rev().take_while(is_mark).last().unwrap_or(class);
    skips().any(|skip| (marks..=class).contains(&file.source.line_of(skip.span.start)))
}

/// Bases of classes of tests that have no tests of their own.
const PLAIN_BASES: &[&str] = &[
    "ABC",
    "AsyncTestCase",
    "Generic",
    "IsolatedAsyncioTestCase",
    "LiveServerTestCase",
    "SimpleTestCase",
    "SynchronousTestCase",
    "TestCase",
    "TransactionTestCase",
    "object",
];

/// How many lines the head of a class may take.
const CLASS_HEAD_LINES_MAX: usize = 12;

/// Whether the class around a method of Python inherits from one that may have a test of the same name.
fn may_replace(file: &File<'_>, function: &Function) -> bool {
    let Some(class) = class(file, function) else { return false };
    let lines = (class..class + CLASS_HEAD_LINES_MAX).map(|line| file.text(&file.source.line_span(line)));
    let mut head = String::new();
    for line in lines {
        head.push_str(line.split('#').next().unwrap_or_default());
        if line.split('#').next().is_some_and(|code| code.trim_end().ends_with(':')) {
            break;
        }
    }
    let Some((_, bases)) = head.split_once('(') else { return false };
    let bases = bases.split([',', ')', ':', '[', '\n']).map(str::trim);
    let mut bases = bases
        .filter(|base| !base.is_empty() && !base.contains('='))
        .map(|base| base.rsplit('.').next().unwrap_or(base))
        .filter(|base| !PLAIN_BASES.contains(base));
    let name = file.text(&function.name);
    let is_elsewhere = || file.outline.functions.iter().filter(|one| file.text(&one.name) == name).count() > 1;
    bases.any(|base| !base.ends_with("TestCase") || is_elsewhere())
}

#[cfg(test)]
mod tests {
    use super::super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::High;

    #[test]
    fn what_is_named_after_nothing_is_empty() {
        let run = |text: &str, expected: &[_]| check(&RULE, "a_test.go", &format!("package a\n{text}\n"), expected);
        run("func TestEmpty(t *testing.T) {}", &[]);
        run("func TestNoop(t *testing.T) {}", &[]);
        run("func TestDummy(t *testing.T) {}", &[]);
        run("func TestNothing(t *testing.T) {}", &[(2, High)]);
        run("func TestEmptyCart(t *testing.T) {}", &[(2, High)]);
        run("func TestCompiles(t *testing.T) {}", &[]);
        run("func TestCompiler(t *testing.T) {}", &[(2, High)]);
    }

    #[test]
    fn what_tests_of_a_whole_work_on_is_input() {
        let text = "def test_a():\n    pass\n";
        check(&RULE, "test/integration/targets/a/carts/plugins/test_a.py", text, &[]);
        check(&RULE, "test/integration/cart/pay/test_a.py", text, &[(1, High)]);
        check(&RULE, "test/targets/a/carts/plugins/more/test_a.py", text, &[(1, High)]);
    }

    #[test]
    fn tests_of_a_class_that_is_switched_off_are_off() {
        let python = |mark: &str| format!("{mark}\nclass TestA:\n    def test_a(self):\n        pass\n");
        check(&RULE, "test_a.py", &python("@pytest.mark.skip"), &[]);
        check(&RULE, "test_a.py", &python("@pytest.mark.slow"), &[(3, High)]);
        let other = "@pytest.mark.skip\ndef test_b():\n    pass\n\n";
        check(&RULE, "test_a.py", &python(other), &[(7, High)]);
        let java = |mark: &str| format!("{mark}\nclass ATest {{\n    @Test void a() {{}}\n}}\n");
        check(&RULE, "ATest.java", &java("@Disabled"), &[]);
        check(&RULE, "ATest.java", &java("@Tag(\"a\")"), &[(3, High)]);
    }

    #[test]
    fn what_is_set_up_is_tried_by_an_empty_test() {
        let run = |text: &str, expected: &[_]| check(&RULE, "a_test.go", &format!("package a\n{text}\n"), expected);
        run("func TestStart(t *testing.T) {}\nfunc TestMain(m *testing.M) { run(m) }", &[]);
        run("func TestCart(t *testing.T) {}\nfunc TestMain(m *testing.M) { run(m) }", &[(2, High)]);
        run("func TestStart(t *testing.T) {}", &[(2, High)]);
        check(&RULE, "a_test.cc", "TEST_F(Cart, CreateDestroy) {}\n", &[]);
        check(&RULE, "a_test.cc", "TEST(Cart, CreateDestroy) {}\n", &[(1, High)]);
    }

    #[test]
    fn what_python_runs_around_a_test_may_be_what_is_tried() {
        let run = |text: &str, expected: &[_]| check(&RULE, "tests/test_a.py", text, expected);
        run("@coroutine_test\nasync def test_a():\n    pass\n", &[]);
        run("@pytest.mark.slow\ndef test_a():\n    pass\n", &[(2, High)]);
        run("@pytest.mark.usefixtures('two')\ndef test_a():\n    pass\n", &[]);
        run("@patch('a.b')\ndef test_a():\n    pass\n", &[(2, High)]);
        run("def test_a(two):\n    pass\n", &[]);
        run("class TestA(Base):\n    def test_a(self):\n        pass\n", &[]);
        run("class TestA(unittest.TestCase):\n    def test_a(self):\n        pass\n", &[(2, High)]);
        run("class TestA(\n    One, more.Two\n):\n    def test_a(self):\n        pass\n", &[]);
        run("class TestA(\n    unittest.TestCase,\n):\n    def test_a(self):\n        pass\n", &[(4, High)]);
        run("class TestA(CartTestCase):\n    def test_a(self):\n        pass\n", &[(2, High)]);
        let other = "class CartTestCase(TestCase):\n    def test_a(self):\n        run()\n";
        run(&format!("{other}class TestA(CartTestCase):\n    def test_a(self):\n        pass\n"), &[]);
        run("class TestB(Base):\n    pass\nclass TestA:\n    def test_a(self):\n        pass\n", &[(4, High)]);
    }

    #[test]
    fn decorators_may_have_long_arguments() {
        let of = |first: &str| {
            let cases = "        (1, 2),\n".repeat(30);
            let test = "    def test_a(self):\n        pass\n";
            format!(
                "class TestA:\n    {first}\n    @pytest.mark.parametrize(\"a\", [\n{cases}    ], indirect=True)\n{test}"
            )
        };
        check(&RULE, "tests/test_a.py", &of("@pytest.mark.usefixtures('two')"), &[]);
        check(&RULE, "tests/test_a.py", &of("@pytest.mark.slow"), &[(35, High)]);
    }

    #[test]
    fn a_fixture_around_every_test_may_assert() {
        let of = |mark: &str, statement: &str| {
            let fixture =
                format!("    @pytest.fixture{mark}\n    def around(self):\n        yield\n        {statement}\n\n");
            format!("class TestA:\n{fixture}    def test_a(self):\n        pass\n")
        };
        check(&RULE, "tests/test_a.py", &of("(autouse=True)", "assert self.rows == []"), &[]);
        check(&RULE, "tests/test_a.py", &of("(autouse=True)", "self.rows.clear()"), &[(7, High)]);
        check(&RULE, "tests/test_a.py", &of("", "assert self.rows == []"), &[(7, High)]);
    }

    #[test]
    fn what_is_called_before_each_test_is_a_hook() {
        let of = |called: &str| {
            let base = format!("class Base:\n    def setUp(self):\n        self.{called}()\n");
            format!("{base}class BankMixin:\n    def test_bank(self):\n        pass\n")
        };
        check(&RULE, "tests/test_a.py", &of("test_bank"), &[]);
        check(&RULE, "tests/test_a.py", &of("test_cart"), &[(5, High)]);
    }

    #[test]
    fn what_a_class_inherits_may_be_switched_off() {
        let java = |text: &str, expected: &[_]| check(&RULE, "ATest.java", text, expected);
        java("class ATest extends B {\n@Test\n@Override\npublic void a() {}\n}\n", &[]);
        java("class ATest extends B {\n@Test\npublic void a() {}\n}\n", &[(3, High)]);
        java("@SpringBootTest\nclass ATest {\n@Test\nvoid contextLoads() {}\n}\n", &[]);
        java(
            "class ATest {\n@Override public String toString() { return null; }\n@Test\nvoid a() {}\n}\n",
            &[(4, High)],
        );
        check(&RULE, "ATests.cs", "class A : B {\n[Test] public override void T() { }\n}\n", &[]);
    }
}
