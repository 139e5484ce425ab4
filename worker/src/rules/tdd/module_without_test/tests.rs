//! Modules with and without tests in each language.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use schemas::severity::Severity::{self, Info};

use super::*;
use crate::rules::testing::{check_tree, path, tree, tree_findings};

/// Six decisions in a function of this head.
fn deciding(head: &str, branch: &str, tail: &str) -> String {
    format!("{head}{}{tail}", branch.repeat(6))
}

fn rust(name: &str) -> String {
    deciding(&format!("pub fn {name}(x: u32) -> u32 {{\n"), "    if x > y() { return z(x); }\n", "    x\n}\n")
}

fn python(name: &str) -> String {
    deciding(&format!("def {name}(x):\n"), "    if x > y():\n        return z(x)\n", "    return x\n")
}

fn go(name: &str) -> String {
    deciding(
        &format!("package a\n\nfunc {name}(x int) int {{\n"),
        "\tif x > y() {\n\t\treturn z(x)\n\t}\n",
        "\treturn x\n}\n",
    )
}

fn javascript(name: &str) -> String {
    deciding(&format!("export function {name}(x) {{\n"), "  if (x > y()) { return z(x); }\n", "  return x;\n}\n")
}

fn java(class: &str, name: &str) -> String {
    let head = format!("package a;\npublic class {class} {{\n  public int {name}(int x) {{\n");
    deciding(&head, "    if (x > y()) { return z(x); }\n", "    return x;\n  }\n}\n")
}

fn c(name: &str) -> String {
    deciding(&format!("int {name}(int x) {{\n"), "  if (x > y()) { return z(x); }\n", "  return x;\n}\n")
}

/// Tests in each language, none of which says anything of the others' files.
const ELSEWHERE: &[(&str, &str)] = &[
    ("elsewhere/a_test.go", "package elsewhere\n"),
    ("elsewhere/b.test.ts", ""),
    ("elsewhere/CTest.java", ""),
    ("elsewhere/d_test.c", ""),
    ("elsewhere/src/e.rs", "#[cfg(test)]\nmod tests { #[test]\nfn a() { sum(); } }\n"),
];

/// Checks what is found in `path` beside three files of the same kind that have tests.
#[track_caller]
fn check(path: &str, text: &str, others: &[(&str, &str)], expected: Option<u32>) {
    let tested: Vec<(String, String)> = (0..3)
        .flat_map(|number| {
            [
                (format!("lib/other{number}.py"), python("other")),
                (format!("lib/test_other{number}.py"), "import a\n".to_owned()),
            ]
        })
        .collect();
    let mut files: Vec<(&str, &str)> = tested.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    files.push((path, text));
    files.extend(others);
    files.extend(ELSEWHERE);
    let expected: Vec<(&str, u32, Severity)> = expected.map(|line| (path, line, Info)).into_iter().collect();
    check_tree(&RULE, &files, &expected);
}

#[test]
fn folders_of_tests_are_about_modules_in_any_language() {
    let text = python("discount");
    let of = |folder: &str| format!("test/system/targets/{folder}/tasks/main.yml");
    check("shop/prices.py", &text, &[(&of("lookup_prices"), "- run: it\n")], None);
    check("shop/prices.py", &text, &[(&of("lookup_carts"), "- run: it\n")], Some(1));
}

#[test]
fn rust_modules() {
    check("src/prices.rs", &rust("discount"), &[], Some(1));
    check(
        "src/prices.rs",
        &format!("use a::b;\n{}", rust("discount")),
        &[("shop/tests/cart.rs", "use shop::cart;\n")],
        Some(2),
    );
    check("shop/src/prices.rs", &rust("discount"), &[("shop/tests/cart.rs", "use shop::cart;\n")], None);
    check("src/prices.rs", &format!("{}#[cfg(test)]\nmod tests;\n", rust("discount")), &[], None);
    check("src/prices.rs", &rust("discount"), &[("src/prices/tests.rs", "use super::*;\n")], None);
    check("src/prices.rs", &rust("discount"), &[("tests/all.rs", "use shop::prices::discount;\n")], None);
    check("src/prices.rs", &rust("discount"), &[("tests/all.rs", "fn a() { shop::discount(1); }\n")], None);
    check("src/prices.rs", "pub const A: u8 = 1;\npub struct B;\npub use c::D;\npub fn e() { f() }\n", &[], None);
    check("src/main.rs", &rust("discount"), &[], None);
    let parent = "mod prices;\n#[cfg(test)]\nmod tests { #[test]\nfn a() { sum(); } }\n";
    check("src/cart/prices.rs", &rust("discount"), &[("src/cart.rs", parent)], None);
    check("src/cart/prices.rs", &rust("discount"), &[("src/cart/mod.rs", parent)], None);
    check("src/cart/prices.rs", &rust("discount"), &[("src/till.rs", &parent.replace("mod prices;\n", ""))], Some(1));
    check("src/prices.rs", &rust("discount"), &[("tests/all.rs", "lazy! { a { b.discount() } }\n")], None);
    check(
        "src/prices.rs",
        &rust("discount"),
        &[("shop/tests/all.rs", "// discount of prices\nfn a() { b(\"prices\"); }\n")],
        Some(1),
    );
    check("examples/prices.rs", &rust("discount"), &[], None);
}

#[test]
fn scripts_of_shells_are_left_alone() {
    let script = deciding("run() {\n", "  if a; then b; fi\n", "}\n");
    check("ops/deploy.sh", &script, &[], None);
    check("ops/deploy", &format!("#!/bin/sh -e\n{script}"), &[], None);
    check("ops/deploy.py", &python("run"), &[], Some(1));
}

#[test]
fn python_modules() {
    check("src/prices.py", &python("discount"), &[], Some(1));
    check(
        "src/prices.py",
        &format!("import a\n{}", python("discount")),
        &[("tests/test_cart.py", "import cart\n")],
        Some(2),
    );
    check("src/prices.py", &python("discount"), &[("tests/test_prices.py", "")], None);
    check("src/prices.py", &python("discount"), &[("tests/test_all.py", "from shop import discount\n")], None);
    check("src/prices.py", &python("discount"), &[("tests/test_all.py", "patch('shop.prices.rates')\n")], None);
    check("src/settings.py", &python("discount"), &[], None);
    check("src/prices.py", "from a import b\nC = 1\ndef d(): return e()\n", &[], None);
}

#[test]
fn go_modules() {
    check("a/prices.go", &go("Discount"), &[], Some(3));
    check("goods/prices.go", &go("Discount"), &[("b/cart_test.go", "package b\nimport \"shop/goods\"\n")], None);
    check(
        "a/prices.go",
        &go("Discount"),
        &[("b/cart_test.go", "package b\nfunc TestA(t *testing.T) { Total() }\n")],
        Some(3),
    );
    check("a/prices.go", &go("Discount"), &[("a/prices_test.go", "package a\n")], None);
    check("a/prices.go", &go("Discount"), &[("a/cart_test.go", "package a\n")], None);
    check("a/prices_linux.go", &go("Discount"), &[("b/prices_test.go", "package b\n")], None);
    check(
        "a/prices.go",
        &go("Discount"),
        &[("a/all_test.go", "package a\nfunc TestA(t *testing.T) { Discount(1) }\n")],
        None,
    );
    check("a/prices.go", &format!("{}func main() {{}}\n", go("Discount")), &[], None);
    check("cmd/shop/prices.go", &go("Discount"), &[], None);
    check("a/prices.go", "package a\n\nconst A = 1\n\ntype B struct{}\n", &[], None);
}

#[test]
fn javascript_and_typescript_modules() {
    for end in ["js", "ts", "tsx"] {
        let path = format!("src/prices.{end}");
        check(&path, &javascript("discount"), &[], Some(1));
        check(&path, &javascript("discount"), &[("src/cart.test.ts", "import { cart } from './cart'\n")], Some(1));
        check(&path, &javascript("discount"), &[("src/__tests__/prices.test.ts", "")], None);
        check(&path, &javascript("discount"), &[("src/all.test.ts", "const p = require('../src/prices')\n")], None);
        check(&path, "export { a } from './a'\nexport const b = 1\nexport const c = () => d()\n", &[], None);
        check(&format!("prices.config.{end}"), &javascript("discount"), &[], None);
    }
    check("src/prices.d.ts", "export function a(b: number): number;\n", &[], None);
}

#[test]
fn java_modules() {
    let path = "src/main/java/a/Prices.java";
    check(path, &java("Prices", "discount"), &[], Some(3));
    let other = ("src/test/java/a/CartTest.java", "package a;\nclass CartTest { void a() { new Cart(); } }\n");
    check(path, &java("Prices", "discount"), &[other], Some(3));
    check(path, &java("Prices", "discount"), &[("src/test/java/a/PricesTest.java", "")], None);
    let used = ("src/test/java/a/AllTest.java", "package a;\nclass AllTest { void a() { new Prices().sum(); } }\n");
    check(path, &java("Prices", "discount"), &[used], None);
    let typed = ("src/test/java/a/AllTest.java", "package a;\nclass AllTest { void a() { Prices b = c(); } }\n");
    check(path, &java("Prices", "discount"), &[typed], None);
    let way = "src/main/java/a/PricesImpl.java";
    check(way, &java("PricesImpl", "discount"), &[("src/test/java/a/PricesTest.java", "")], None);
    check("src/main/java/a/B.java", "package a;\npublic record B(int c) {}\n", &[], None);
}

#[test]
fn c_and_cpp_modules() {
    for end in ["c", "cpp"] {
        let path = format!("src/prices.{end}");
        check(&path, &c("discount"), &[], Some(1));
        check(&path, &c("discount"), &[("tests/cart.cpp", "#include \"cart.h\"\n")], Some(1));
        check(&path, &c("discount"), &[("tests/all.cpp", "#include \"prices.h\"\n")], None);
        check(&path, &c("discount"), &[("src/prices_unittest.cc", "")], None);
        check(&path, "int a = 1;\nint b(int c) { return d(c); }\n", &[], None);
    }
}

#[test]
fn a_name_that_many_offer_says_nothing_of_one() {
    let test = ("tests/test_all.py", "render()\n");
    check("src/prices.py", &python("render"), &[test], None);
    let another = ("src/carts.py", format!("{}class Carts: pass\n", python("render")));
    check("src/prices.py", &python("render"), &[test, (another.0, &another.1), ("tests/test_carts.py", "")], Some(1));
}

#[test]
fn where_many_have_no_test_names_say_nothing() {
    let module = python("one");
    let tested: Vec<(String, String)> = (0..5)
        .flat_map(|at| [(format!("c{at}.py"), module.clone()), (format!("test_c{at}.py"), "import z\n".into())])
        .collect();
    let mut files: Vec<(&str, &str)> = vec![("a.py", &module), ("b.py", &module)];
    files.extend(tested.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    check_tree(&RULE, &files, &[("a.py", 1, Info), ("b.py", 1, Info)]);
    files.push(("d.py", &module));
    check_tree(&RULE, &files, &[]);
    // Nothing to compare with: that there are no tests at all is another matter.
    check_tree(&RULE, &files[..2], &[]);
}

#[test]
fn what_tested_files_and_programs_use_is_tested_through_them() {
    let (module, path) = (python("discount"), "src/prices.py");
    let cart = format!("from shop import prices\n{}", python("total"));
    check(path, &module, &[("src/cart.py", &cart), ("tests/test_cart.py", "")], None);
    check(path, &module, &[("src/cart.py", &cart.replace("prices", "taxes")), ("tests/test_cart.py", "")], Some(1));
    let till = ("src/till.py", format!("from shop import cart\n{}", python("sum")));
    check(path, &module, &[("src/cart.py", &cart), (till.0, &till.1), ("tests/test_till.py", "")], None);
    check(path, &module, &[("src/main.py", "from shop import prices\ndef main(): pass\n")], None);
    check(path, &module, &[("src/main.py", "from shop import taxes\ndef main(): pass\n")], Some(1));
    let class = java("Cart", "total").replace("x > y()", "x > new Prices().get()");
    let tested = [("src/main/java/a/Cart.java", class.as_str()), ("src/test/java/a/CartTest.java", "")];
    check("src/main/java/a/Prices.java", &java("Prices", "discount"), &tested, None);
}

#[test]
fn names_of_tests_may_be_longer_or_shorter() {
    check("src/redaction.py", &python("discount"), &[("tests/test_redact.py", "")], None);
    check("src/redaction.py", &python("discount"), &[("tests/test_react.py", "")], Some(1));
    check("commands/genspider.py", &python("discount"), &[("tests/test_command_genspider.py", "")], None);
    check("commands/genspider.py", &python("discount"), &[("tests/test_command_runspider.py", "")], Some(1));
}

#[test]
fn what_helps_tests_or_is_to_be_extended_is_left_alone() {
    for path in ["src/testutil/prices.py", "src/prices_base.py", "src/abstract_prices.py", "extras/prices.py"] {
        check(path, &python("discount"), &[], None);
    }
    check("src/database/prices.py", &python("discount"), &[], Some(1));
    let base = java("Prices", "discount").replace("public class", "public abstract class");
    check("src/main/java/a/Prices.java", &base, &[], None);
}

#[test]
fn of_a_language_without_tests_nothing_is_known() {
    check(
        "src/prices.rb",
        "def discount(x)\n  return 1 if x > 1\n  return 2 if x > 2\n  return 3 if x > 3\n  return 4 if x > 4\n  return 5 if x > 5\nend\n",
        &[],
        None,
    );
    let tests = ("spec/carts_spec.rb", "it 'a' do\nend\n");
    check(
        "src/prices.rb",
        "def discount(x)\n  return 1 if x > 1\n  return 2 if x > 2\n  return 3 if x > 3\n  return 4 if x > 4\n  return 5 if x > 5\nend\n",
        &[tests],
        Some(1),
    );
}

#[test]
fn an_audit_of_a_change_speaks_of_changed_files_only() {
    let (one, two) = (python("one"), python("two"));
    let mut files = vec![("a.py", one.as_str()), ("b.py", &two)];
    let tested: Vec<(String, String)> = (0..8)
        .flat_map(|number| {
            [(format!("c{number}.py"), python("other")), (format!("test_c{number}.py"), "import z\n".to_owned())]
        })
        .collect();
    files.extend(tested.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    let mut whole = tree(&RULE, &files);
    assert_eq!(tree_findings(&RULE, &whole).len(), 2);
    for (changed, expected) in [("b.py", 1), ("c1.py", 0)] {
        whole.changed = Some(BTreeSet::from([changed.to_owned()]));
        let found = tree_findings(&RULE, &whole);
        assert_eq!(found.len(), expected, "{changed}");
        assert!(found.iter().all(|one| path(one) == changed));
    }
}

#[test]
fn of_too_many_names_the_rest_is_told() {
    let mut text = String::new();
    for number in 0..NAMES_MAX + 2 {
        writeln!(text, "call_{number}()").unwrap();
    }
    let source = crate::rules::testing::file("test_a.py", text);
    let mut told = Told::default();
    collect(&crate::pass::read(&source, None).unwrap(), &mut told);
    assert_eq!(told.notes, ["2 names in tests beyond the limit of 5000 are left out"]);
}
