//! Bodies of tests that are done when they are compiled or run, as every statement, or one of them, shows.

use crate::paths;
use crate::rules::File;

/// Whether `body` is there for a compiler, to parse something, or to name what must be there.
pub(super) fn needs_only_to_run(file: &File<'_>, body: &str) -> bool {
    is_for_compiler(file, body)
        || only_declares(file, body)
        || is_about_types(file, body)
        || drops_parsed(file, body)
        || only_looks_up(file, body)
        || only_prints(file, body)
}

/// Whether every statement of a test in Go says which interface something has: `var _ Cart = new(Basket)`.
fn only_declares(file: &File<'_>, body: &str) -> bool {
    let mut all = lines(body).peekable();
    file.source.path.ends_with(".go") && all.peek().is_some() && all.all(|line| line.starts_with("var _ "))
}

/// The lines of `body` with code.
fn lines(body: &str) -> impl Iterator<Item = &str> {
    let lines = body.trim_matches(['{', '}']).lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//") && !line.starts_with('#'))
}

/// Whether every statement of a test in Rust throws away what it makes, or every one in TypeScript says which type something
/// has: it is there to be compiled.
fn is_for_compiler(file: &File<'_>, body: &str) -> bool {
    let is_rust = file.source.path.ends_with(".rs");
    let is_typed = |line: &str| {
        let declared = ["const _", "let _"].iter().find_map(|head| line.strip_prefix(head));
        let name = declared.and_then(|rest| rest.split('=').next());
        name.is_some_and(|name| name.contains(':')) || line.starts_with("type ")
    };
    let is_thrown_away = |line: &str| ["let _", "const _"].iter().any(|head| line.starts_with(head));
    // `[_a, _b];` keeps a linter from calling them unused.
    let is_use = |line: &str| line.starts_with('[') && !line.contains('(');
    let all = lines(body).filter(|line| is_rust || !is_use(line));
    let mut all = all.peekable();
    (is_rust || matches!(paths::extension(file.source.path), Some("ts" | "tsx" | "mts" | "cts")))
        && all.peek().is_some()
        && all.all(|line| if is_rust { is_thrown_away(line) } else { is_typed(line) })
}

/// Signs of tests in Rust that a compiler checks: a macro that has to produce what compiles, and a value of which only the
/// type is of interest.
const DERIVED: &[&str] = &["#[derive(", "PhantomData", "const _:", "let _:", "macro_rules!", "unsafe {"];

/// Heads of functions that only call for a trait or a type, in Rust.
const CALLS_FOR: &[&str] = &["_: &T", "_: T)", "_: impl ", ">() {}", ": ?Sized"];

/// Whether a line of the test says something that holds if it compiles: a type of its own, what is not to compile, a value
/// of a type that nobody looks at. In Rust also what an interpreter that watches memory is there for.
fn is_about_types(file: &File<'_>, body: &str) -> bool {
    let holds = |signs: &[&str]| signs.iter().any(|sign| body.contains(sign));
    let declares = |line: &str| {
        let named = ["const _", "let _"].iter().find_map(|head| line.strip_prefix(head));
        let is_typed = named.and_then(|rest| rest.split('=').next()).is_some_and(|name| name.contains(':'));
        is_typed
            || line.contains(" satisfies ")
            || line.starts_with("interface ")
            || (line.starts_with("type ") && line.contains('='))
    };
    match paths::extension(file.source.path) {
        Some("ts" | "tsx" | "mts" | "cts") => body.contains("@ts-expect-error") || lines(body).any(declares),
        Some("rs") => holds(DERIVED) || (body.contains("fn ") && holds(CALLS_FOR)),
        Some("c" | "cc" | "cpp" | "cxx") => holds(&["(void)", "static_cast<void>("]),
        _ => false,
    }
}

/// Whether a script parses something and throws away what comes out: that it does not throw is what is tested.
fn drops_parsed(file: &File<'_>, body: &str) -> bool {
    let is_script = paths::extension(file.source.path).is_some_and(|one| super::elsewhere::SCRIPTS.contains(&one));
    is_script
        && lines(body).any(|line| {
            // `}).parse(x)` ends what began above.
            let line = line.trim_start_matches("await ").trim_start_matches(['}', ')', ' ']);
            let parsed = [".parse(", ".parseAsync("].iter().find_map(|end| line.split_once(end));
            let is_path = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "_$.[]?!()".contains(c));
            parsed
                .is_some_and(|(callee, _)| is_path(callee) && callee.matches('(').eq(callee.matches(')').map(|_| "(")))
        })
}

/// Whether a test of Python does nothing but name what must be there: `cart.total`, and imports beside it.
fn only_looks_up(file: &File<'_>, body: &str) -> bool {
    let is_import = |line: &str| line.starts_with("import ") || line.starts_with("from ");
    let is_lookup = |line: &str| {
        line.contains('.') && !line.ends_with(')') && line.chars().all(|c| c.is_alphanumeric() || "_.()".contains(c))
    };
    let quoted = ["\"\"\"", "'''"].iter().find_map(|quote| body.trim_start().strip_prefix(quote)?.split_once(quote));
    let body = quoted.map_or(body, |(_, rest)| rest);
    let mut all = lines(body).filter(|line| !is_import(line)).peekable();
    file.source.path.ends_with(".py") && all.peek().is_some() && all.all(is_lookup)
}

/// Whether every call of Python that is a statement writes something out as text, which must not raise.
fn only_prints(file: &File<'_>, body: &str) -> bool {
    let callee = |line| {
        let (head, _) = str::split_once(line, '(')?;
        head.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.')).then_some(head)
    };
    let mut all = lines(body).filter_map(callee).peekable();
    let is_print = |name| matches!(name, "str" | "repr" | "format");
    file.source.path.ends_with(".py") && all.peek().is_some() && all.all(is_print)
}

#[cfg(test)]
mod tests {
    use super::super::trying::check;
    use schemas::severity::Severity::Low;

    #[test]
    fn what_is_thrown_away_in_rust_is_compiled() {
        check("src/a.rs", "#[test]\nfn a() {\n    let _ = Cart::new(1);\n    let _b: u8 = Cart::new(2);\n}\n", &[]);
        check("src/a.rs", "#[test]\nfn a() {\n    let _ = Cart::new(1);\n    Cart::pay(2);\n}\n", &[(2, Low)]);
    }

    #[test]
    fn types_are_checked_as_a_test_is_compiled() {
        let run =
            |body: &str, expected: &[_]| check("a.test.ts", &format!("it('a', () => {{\n{body}\n}})\n"), expected);
        run("const _a: Cart = cart();\nconst _b: Cart<1> = cart(1);\n[_a, _b];", &[]);
        run("type A = Cart;", &[]);
        run("const _a = cart.total();", &[(1, Low)]);
        run("const _a: Cart = cart.of();\ncart.total(_a);", &[]);
        run("const a: Cart = cart.of();\ncart.total(a);", &[(1, Low)]);
        run("// @ts-expect-error\ncart.total(1);", &[]);
        run("cart.of() satisfies Cart;", &[]);
        run("// what satisfied them\ncart.total(1);", &[(1, Low)]);
    }

    #[test]
    fn what_macros_derive_and_traits_ask_for_is_compiled() {
        let run =
            |body: &str, expected: &[_]| check("src/a.rs", &format!("#[test]\nfn a() {{\n{body}\n}}\n"), expected);
        run("#[derive(Total)]\nstruct Cart;\nCart::total();", &[]);
        run("fn pays<T: Pay>(_: T) {}\npays(Cart::new());", &[]);
        run("struct Cart;\nCart::total();", &[(2, Low)]);
    }

    #[test]
    fn what_is_parsed_and_thrown_away_may_not_throw() {
        let run = |body: &str, expected: &[_]| {
            check("a.test.ts", &format!("it('a', async () => {{\n{body}\n}})\n"), expected)
        };
        run("cart.parse({});", &[]);
        run("await cart.options[0].parseAsync('a');", &[]);
        run("cart.items().first.parse('a');", &[]);
        run("cart.of({\n  a: 1,\n}).parse('a');", &[]);
        run("cart.of(cart.parse('a').b);", &[(1, Low)]);
        run("const a = cart.parse({});", &[(1, Low)]);
        run("cart.total({});", &[(1, Low)]);
    }

    #[test]
    fn what_is_only_named_must_be_there() {
        let run = |body: &str, expected: &[_]| check("test_a.py", &format!("def test_a():\n    {body}\n"), expected);
        run("cart.total\n    cart.item().price\n    # people rely on it\n    from cart.items import Item", &[]);
        run("\"\"\"What people\n    rely on.\"\"\"\n    cart.total\n    cart.price", &[]);
        run("cart.total\n    cart.pay()", &[(1, Low)]);
    }

    #[test]
    fn what_is_only_written_out_must_not_raise() {
        let run = |body: &str, expected: &[_]| check("test_a.py", &format!("def test_a():\n    {body}\n"), expected);
        run("for one in run():\n        cart = one.of(1)\n        str(cart)\n        repr(cart.items)", &[]);
        run("str(cart)\n    cart.pay()", &[(1, Low)]);
        run("text = str(cart)", &[(1, Low)]);
    }

    #[test]
    fn interfaces_are_checked_as_a_test_of_go_is_compiled() {
        let run = |body: &str, expected: &[_]| {
            check("a_test.go", &format!("package a\nfunc TestA(t *testing.T) {{\n{body}\n}}"), expected);
        };
        run("var _ Cart = new(Basket)\nvar _ Pay = &Basket{}", &[]);
        run("var _ Cart = new(Basket)\ncart.Pay()", &[(2, Low)]);
    }
}
