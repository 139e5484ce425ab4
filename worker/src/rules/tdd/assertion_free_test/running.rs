//! Bodies of tests that are done when they are compiled or run, as every statement, or one of them, shows.

use crate::paths;
use crate::rules::File;

/// Whether `body` is there for a compiler, to parse something, or to name what must be there.
pub(super) fn needs_only_to_run(file: &File<'_>, body: &str) -> bool {
    is_for_compiler(file, body) || drops_parsed(file, body) || only_looks_up(file, body)
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

/// Whether a script parses something and throws away what comes out: that it does not throw is what is tested.
fn drops_parsed(file: &File<'_>, body: &str) -> bool {
    let is_script = paths::extension(file.source.path).is_some_and(|one| super::elsewhere::SCRIPTS.contains(&one));
    is_script
        && lines(body).any(|line| {
            let callee = line.trim_start_matches("await ").split('(').next().unwrap_or_default();
            let is_path = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "_$.[]?!".contains(c));
            is_path(callee) && line.contains('(') && [".parse", ".parseAsync"].iter().any(|end| callee.ends_with(end))
        })
}

/// Whether a test of Python does nothing but name what must be there: `cart.total`, and imports beside it.
fn only_looks_up(file: &File<'_>, body: &str) -> bool {
    let is_import = |line: &str| line.starts_with("import ") || line.starts_with("from ");
    let is_lookup = |line: &str| {
        line.contains('.') && !line.ends_with(')') && line.chars().all(|c| c.is_alphanumeric() || "_.()".contains(c))
    };
    let mut all = lines(body).filter(|line| !is_import(line)).peekable();
    file.source.path.ends_with(".py") && all.peek().is_some() && all.all(is_lookup)
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
        run("const _a: Cart = cart.of();\ncart.total(_a);", &[(1, Low)]);
    }

    #[test]
    fn what_is_parsed_and_thrown_away_may_not_throw() {
        let run = |body: &str, expected: &[_]| {
            check("a.test.ts", &format!("it('a', async () => {{\n{body}\n}})\n"), expected)
        };
        run("cart.parse({});", &[]);
        run("await cart.options[0].parseAsync('a');", &[]);
        run("const a = cart.parse({});", &[(1, Low)]);
        run("cart.total({});", &[(1, Low)]);
    }

    #[test]
    fn what_is_only_named_must_be_there() {
        let run = |body: &str, expected: &[_]| check("test_a.py", &format!("def test_a():\n    {body}\n"), expected);
        run("cart.total\n    cart.item().price\n    # people rely on it\n    from cart.items import Item", &[]);
        run("cart.total\n    cart.pay()", &[(1, Low)]);
    }
}
