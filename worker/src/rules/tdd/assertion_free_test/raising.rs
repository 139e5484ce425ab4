//! What raises or panics elsewhere in a file and must not do so in a test: what others expect to raise, and doubles.

use std::collections::HashSet;

use crate::lines::indent;
use crate::outline::{Call, Function, Span};
use crate::paths;
use crate::rules::File;
use crate::rules::calls::{arguments, last_name};

/// Extensions of languages in which only types begin with a capital.
const CAPITAL_TYPES: &[&str] = &["java", "js", "jsx", "kt", "mjs", "php", "py", "rb", "rs", "swift", "ts", "tsx"];

/// Assertions that something raises, by their last name; what they run stands behind them.
const RAISES: &[&str] = &[
    "ASSERT_THROW",
    "EXPECT_THROW",
    "Panics",
    "REQUIRE_THROWS",
    "Throws",
    "ThrowsAsync",
    "XCTAssertThrowsError",
    "assertFailsWith",
    "assertRaises",
    "assertRaisesRegex",
    "assertThrows",
    "assert_raises",
    "assert_raise",
    "intercept",
    "raises",
    "throws",
];

/// The same where what they run stands in front of them.
const RAISING_MATCHERS: &[&str] = &["raise_error", "toThrow", "toThrowError", "toThrowErrorMatchingInlineSnapshot"];

/// How much text around such an assertion is what it runs.
const RAISING_BYTES_MAX: usize = 300;

/// How many of them are looked at.
const RAISING_MAX: usize = 200;

/// Shortest name that tells a function from others.
const NAME_BYTES_MIN: usize = 4;

/// What names of doubles begin with, in Python.
const DOUBLE_HEADS: &[&str] = &["Broken", "Failing", "Fake", "Mock", "Raising", "Stub"];

/// What a file says to raise under some condition. A test that calls one of them and comes to its end shows that the
/// condition does not hold.
#[derive(Debug, Default)]
pub(super) struct Raising {
    /// Names of functions.
    functions: HashSet<String>,
    /// Names of types that raise as they are made. A test may make one whatever it is about.
    types: HashSet<String>,
}

impl Raising {
    /// What the tests of `file` expect to raise or to panic.
    pub(super) fn of(file: &File<'_>) -> Self {
        let text = &file.source.text;
        let cut = |from: usize, to: usize| {
            &text[text.floor_char_boundary(from)..text.floor_char_boundary(to.min(text.len()))]
        };
        let extension = paths::extension(file.source.path);
        let has_capital_types = extension.is_some_and(|one| CAPITAL_TYPES.contains(&one));
        let mut raising = Self::default();
        let mut keep = |part: &str| {
            for before in part.split('(') {
                let name = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
                // Types are made in many tests of them, whatever those are about.
                let is_type = has_capital_types && name.starts_with(char::is_uppercase);
                if name.len() >= NAME_BYTES_MIN && !is_type && !RAISES.contains(&name) {
                    raising.functions.insert(name.to_owned());
                }
            }
        };
        let mut left = RAISING_MAX;
        for call in &file.outline.calls {
            let name = last_name(file.text(&call.callee));
            if left == 0 {
                break;
            }
            if RAISES.contains(&name) {
                let behind = cut(call.callee.end, call.callee.end + RAISING_BYTES_MAX);
                keep(behind.split("\n\n").next().unwrap_or_default());
                // What is handed to `assertRaises(Error, Cart, 1)` is called by it, and nothing else is.
                let made = arguments(file, &call.arguments).get(1).copied().unwrap_or_default();
                if extension == Some("py") && made.starts_with(char::is_uppercase) {
                    raising.types.insert(made.to_owned());
                }
                left -= 1;
            } else if RAISING_MATCHERS.contains(&name) {
                let before = cut(call.callee.start.saturating_sub(RAISING_BYTES_MAX), call.callee.start);
                keep(before.rsplit("expect").next().unwrap_or_default());
                left -= 1;
            } else if extension == Some("rs") && is_to_panic(file, call) {
                keep(name);
                left -= 1;
            }
        }
        raising
    }

    /// Whether `test` calls one of them, or makes one and does nothing with it.
    pub(super) fn is_called_by(&self, file: &File<'_>, test: &Function) -> bool {
        let begins_line = |name: &Span| {
            let line = file.source.line_span(file.source.line_of(name.start));
            file.text(&(line.start..name.start)).trim().is_empty()
        };
        test.calls.iter().any(|span| {
            let name = file.text(span);
            self.functions.contains(name) || (self.types.contains(name) && begins_line(span))
        })
    }
}

/// Whether `call` is the last statement of a test of Rust that is to panic, and runs a helper of the same file: what
/// others hand to that helper must not panic.
fn is_to_panic(file: &File<'_>, call: &Call) -> bool {
    let text: &str = &file.source.text;
    let name = file.text(&call.callee);
    let test = call.function.and_then(|index| file.outline.functions.get(index));
    let Some(test) = test.filter(|one| one.test.as_ref().is_some_and(|test| test.fails_otherwise)) else {
        return false;
    };
    let Some(body) = &test.body else { return false };
    let before = text.get(body.start..call.callee.start).unwrap_or_default();
    let after = text.get(call.arguments.end..body.end).unwrap_or_default();
    let is_last = before.trim_end().ends_with(['{', '}', ';'])
        && after.chars().all(|c| c.is_whitespace() || matches!(c, ';' | '}'));
    let mut above = text[..test.span.start].lines().rev().take_while(|line| !line.trim_end().ends_with('}'));
    let is_helper = |one: &Function| one.test.is_none() && file.text(&one.name) == name;
    is_last && above.any(|line| line.contains("#[should_panic")) && file.outline.functions.iter().any(is_helper)
}

/// Whether a test of Python makes a double of which the class, in the same file, raises: that must not come out.
pub(super) fn makes_a_raising_double(file: &File<'_>, test: &Function) -> bool {
    let is_double = |name: &&str| DOUBLE_HEADS.iter().any(|head| name.starts_with(head));
    let mut doubles = test.calls.iter().map(|name| file.text(name)).filter(is_double);
    file.source.path.ends_with(".py") && doubles.any(|name| raises(&file.source.text, name))
}

/// Whether the class of Python `name` in `text` raises, and not only as nobody wrote that part.
fn raises(text: &str, name: &str) -> bool {
    let is_head = |line: &&str| {
        let rest = line.trim_start().strip_prefix("class ").and_then(|rest| rest.strip_prefix(name));
        rest.is_some_and(|rest| rest.starts_with(['(', ':']))
    };
    let mut lines = text.lines().skip_while(|line| !is_head(line));
    let depth = lines.next().map_or(0, indent);
    let mut body = lines.take_while(|line| line.trim().is_empty() || indent(line) > depth).map(str::trim_start);
    body.any(|line| line.starts_with("raise ") && !line.contains("NotImplementedError"))
}

#[cfg(test)]
mod tests {
    use super::super::trying::check;
    use schemas::severity::Severity::Low;

    #[test]
    fn what_raises_elsewhere_is_accepted_here() {
        let of = |name: &str| {
            format!("def test_a():\n    cart.{name}(1)\ndef test_b():\n    with raises(E):\n        cart.refund(2)\n")
        };
        check("test_a.py", &of("refund"), &[]);
        check("test_a.py", &of("total"), &[(1, Low)]);
        let of = |name: &str| {
            format!(
                "it('a', () => {{ cart.{name}(1) }})\nit('b', () => {{ expect(() => cart.refund(2)).toThrow() }})\n"
            )
        };
        check("a.test.js", &of("refunds"), &[(1, Low)]);
        check("a.test.js", &of("refund"), &[]);
    }

    #[test]
    fn what_panics_elsewhere_must_not_panic_here() {
        let of = |mark: &str, other: &str| {
            let mine = "#[test]\nfn a() {\n    prepare();\n    serve(1);\n}\n";
            format!("{mine}#[test]\n{mark}\nfn b() {{\n    {other}\n}}\nfn prepare() {{}}\nfn serve(_: u8) {{}}\n")
        };
        check("src/a.rs", &of("#[should_panic]", "prepare();\n    serve(0);"), &[]);
        check("src/a.rs", &of("#[should_panic(\n    expected = \"0\"\n)]", "serve(0)"), &[]);
        check("src/a.rs", &of("#[should_panic]", "prepare();\n    Cart::serve(0);"), &[(2, Low)]);
        check("src/a.rs", &of("", "serve(0);\n    assert!(x);"), &[(2, Low)]);
    }

    #[test]
    fn what_raises_elsewhere_as_it_is_made_is_made_here() {
        let of = |mine: &str, raised: &str| {
            format!("class TestA:\n    def test_a(self):\n        {mine}\n    def test_b(self):\n        {raised}\n")
        };
        check("test_a.py", &of("Cart(1)", "self.assertRaises(E, Cart, 2)"), &[]);
        check("test_a.py", &of("cart = Cart(1)", "self.assertRaises(E, Cart, 2)"), &[(2, Low)]);
        check("test_a.py", &of("Cart(1)", "self.assertRaises(E, other, Cart)"), &[(2, Low)]);
        check("test_a.py", &of("Cart(1)", "with raises(E):\n            Cart(2)"), &[(2, Low)]);
    }

    #[test]
    fn what_a_double_raises_must_not_come_out() {
        let of = |name: &str, raised: &str| {
            let class = format!("class {name}:\n    def pay(self):\n\n        {raised}\n");
            format!("{class}def test_a():\n    Cart({name}(1)).total()\n")
        };
        check("test_a.py", &of("MockBank", "raise Closed()"), &[]);
        check("test_a.py", &of("MockBank", "raise NotImplementedError()"), &[(5, Low)]);
        check("test_a.py", &of("MockBank", "return 1\nraise Closed()"), &[(6, Low)]);
        check("test_a.py", &of("Bank", "raise Closed()"), &[(5, Low)]);
    }
}
