//! Functions with too many parameters.

mod shape;

use schemas::severity::Severity;

use crate::rules::{Check, File, Findings, Hit, Threshold, rule};

rule!(
    /// ## What it finds
    /// Functions with more than 7 parameters (low) or 10 (medium), the receiver not counted, nor those that the call names: in
    /// Python those that have a default or can only be given by name, in C#, Kotlin, Ruby and Swift those with a default.
    /// Left alone are functions whose
    /// parameters are chosen elsewhere: by a trait, an interface, a base class, a decorator, marks on each parameter, or C,
    /// and constructors, which frameworks fill, functions that only make a value of what they are given or hand all of it
    /// to one constructor, those in a block of C++ for C (`extern "C" {`), parameters with
    /// numbers (`k1, v1, k2, v2`, `e1, e2, e3`), what tests read, and copies of libraries.
    ///
    /// ## Why it matters
    /// At the call nobody sees which value is which, and two of one type are swapped without a word from the compiler.
    ///
    /// ## Example
    /// ```text
    /// def draw(x, y, width, height, color, border, shadow, opacity): ...
    /// ```
    ///
    /// ## How to fix
    /// Put what belongs together into one type: a rectangle, a style, options.
    "servant/too-many-params", Servant, Medium, version: 5, thresholds: &[&PARAMETERS_MAX], Check::Code(check)
);

/// About as many things as people hold in mind at once. Half as many again are worse.
const PARAMETERS_MAX: Threshold = Threshold {
    name: "parameters_max",
    default: 7,
    min: 1,
    max: 100,
    doc: "most parameters of a function; half as many again are medium",
};

/// Functions that make a value of its parts, or that a framework calls with them.
const CONSTRUCTORS: &[&str] = &["__init__", "__new__", "build", "constructor", "new"];

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    if file.is_foreign() || file.is_test_input() {
        return;
    }
    let limit = found.threshold(&PARAMETERS_MAX);
    for function in &file.outline.functions {
        let count = u64::from(function.parameters);
        let is_chosen_elsewhere = function.is_bound || CONSTRUCTORS.contains(&file.text(&function.name));
        if count <= limit || is_chosen_elsewhere || file.is_test_code(function.span.start) {
            continue;
        }
        let count = count.saturating_sub(shape::named_at_the_call(file, function));
        if count <= limit || shape::is_given(file, function) {
            continue;
        }
        found.push(Hit {
            place: file.place(function.name.clone()),
            severity: if count > limit + limit / 2 { Severity::Medium } else { Severity::Low },
            confidence_permille: 900,
            message: format!("function has {count} parameters, more than {limit}"),
            suggestion: "put what belongs together into one type",
        });
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{Low, Medium};

    fn list(count: usize, kind: &str) -> String {
        ('a'..='z').take(count).map(|letter| format!("p{letter}{kind}")).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn rust() {
        let of = |count: usize| format!("fn a({}) {{ b() }}\n", list(count, ": u8"));
        let run = |text: &str, expected: &[_]| check(&RULE, "a.rs", text, expected);
        run(&of(8), &[(1, Low)]);
        run(&of(11), &[(1, Medium)]);
        run(&of(7), &[]);
        run("fn a(k1: u8, v1: u8, k2: u8, v2: u8, k3: u8, v3: u8, k4: u8, v4: u8) { b() }\n", &[]);
        run(&format!("impl A {{ fn a(&self, {}) {{ b() }} }}\n", list(7, ": u8")), &[]);
        run(&format!("impl A for B {{ {} }}\n", of(8)), &[]);
        run(&format!("pub extern \"C\" {}", of(8)), &[]);
        run(&format!("extern \"C\" {{ fn a({}); }}\n", list(8, ": u8")), &[]);
        run(&of(8).replace("fn a", "fn new"), &[]);
        run(&format!("#[cfg(test)]\nmod tests {{ {} }}\n", of(8)), &[]);
        run("fn a(b: (u8, u8, u8, u8), c: fn(u8, u8, u8, u8, u8, u8, u8, u8)) { d() }\n", &[]);
    }

    #[test]
    fn python() {
        let run = |text: &str, expected: &[_]| check(&RULE, "a.py", text, expected);
        run(&format!("def a({}):\n    b()\n", list(8, "")), &[(1, Low)]);
        run(&format!("def a({}):\n    b()\n", list(11, ": int")), &[(1, Medium)]);
        run(&format!("def a({}):\n    b()\n", list(11, ": int = 1")), &[]);
        run(&format!("def a({}):\n    b()\n", list(11, "=1")), &[]);
        run(&format!("def a(b, *, {}):\n    b()\n", list(11, "")), &[]);
        check(&RULE, "vendor/a.py", &format!("def a({}):\n    b()\n", list(11, "")), &[]);
        run(&format!("class A:\n    def a(self, {}):\n        b()\n", list(8, "")), &[(2, Low)]);
        run(&format!("class A:\n    def a(self, {}):\n        b()\n", list(7, "")), &[]);
        run(&format!("class A:\n    def __init__(self, {}):\n        b()\n", list(9, "")), &[]);
        run(&format!("class A(B):\n    def a(self, {}):\n        b()\n", list(9, "")), &[]);
        let made = |values: &str, class: &str| {
            format!("class A:\n    def add(self, {}):\n        self.all.append({class}({values}))\n", list(8, ": str"))
        };
        run(&made(&list(8, ""), "_Record"), &[]);
        run(&made(&list(7, ""), "_Record"), &[(2, Low)]);
        run(&made(&list(8, ""), "record"), &[(2, Low)]);
        run(&format!("@app.command\ndef a({}):\n    b()\n", list(9, "")), &[]);
        run(&format!("def a({}, *, b, /):\n    b()\n", list(6, "")), &[]);
        check(&RULE, "tests/test_a.py", &format!("def test_a({}):\n    b()\n", list(9, "")), &[]);
    }

    #[test]
    fn go() {
        let run = |text: String, expected: &[_]| check(&RULE, "a.go", &format!("package a\n{text}"), expected);
        run(format!("func a({} int) {{ b() }}\n", list(8, "")), &[(2, Low)]);
        run(format!("func (s *S) a({}) {{ b() }}\n", list(11, " int")), &[(2, Medium)]);
        run(format!("func a({} int) {{ b() }}\n", list(7, "")), &[]);
        run(format!("func (s *S) a({}) {{ b() }}\n", list(7, " int")), &[]);
        run(format!("type A interface {{ a({}) }}\n", list(9, " int")), &[]);
        run(format!("func (S) a({}) {{ b() }}\n", list(9, " int")), &[]);
    }

    #[test]
    fn javascript_and_typescript() {
        for path in ["a.js", "a.ts", "a.tsx"] {
            let run = |text: String, expected: &[_]| check(&RULE, path, &text, expected);
            run(format!("function a({}) {{ b(); }}\n", list(8, "")), &[(1, Low)]);
            run(format!("const a = ({}) => b();\n", list(11, "")), &[(1, Medium)]);
            run(format!("function a({}) {{ b(); }}\n", list(7, "")), &[]);
            run(format!("class A {{ constructor({}) {{ b(); }} }}\n", list(9, "")), &[]);
            run(format!("class A extends B {{ a({}) {{ c(); }} }}\n", list(9, "")), &[]);
            run(format!("b({{ a({}) {{ c(); }} }});\n", list(9, "")), &[]);
        }
        check(&RULE, "a.ts", &format!("interface A {{ a({}): void }}\n", list(9, ": number")), &[]);
        check(&RULE, "a.ts", &format!("function a(this: A, {}) {{ b(); }}\n", list(7, ": number")), &[]);
    }

    #[test]
    fn java_c_and_cpp() {
        let java = |text: String| format!("class A {{\n{text}\n}}\n");
        let many = |count: usize| vec!["int a"; count].join(", ");
        check(&RULE, "A.java", &java(format!("void a({}) {{ b(); }}", many(8))), &[(2, Low)]);
        check(&RULE, "A.java", &java(format!("void a({}) {{ b(); }}", many(11))), &[(2, Medium)]);
        check(&RULE, "A.java", &java(format!("void a({}) {{ b(); }}", many(7))), &[]);
        check(&RULE, "A.java", &java(format!("@Override void a({}) {{ b(); }}", many(9))), &[]);
        check(&RULE, "A.java", &java(format!("interface B {{ void a({}); }}", many(9))), &[]);
        for path in ["a.c", "a.cc"] {
            check(&RULE, path, &format!("void a({}) {{ b(); }}\n", many(8)), &[(1, Low)]);
            check(&RULE, path, &format!("int *a({}) {{ b(); }}\n", many(11)), &[(1, Medium)]);
            check(&RULE, path, &format!("void a({}) {{ b(); }}\n", many(7)), &[]);
            check(&RULE, path, &format!("void a({});\n", many(9)), &[]);
            check(&RULE, path, &format!("void a(void) {{ b({}); }}\n", many(9).replace("int ", "")), &[]);
        }
        let block =
            |close: &str| format!("extern \"C\" {{\nvoid b() {{ c(); }}\n{close}void a({}) {{ b(); }}\n", many(8));
        check(&RULE, "a.cc", &format!("{}}}\n", block("")), &[]);
        check(&RULE, "a.cc", &block("}\n"), &[(4, Low)]);
        check(&RULE, "a.cc", &format!("struct A {{ void a({}) override {{ b(); }} }};\n", many(9)), &[]);
    }

    #[test]
    fn languages_read_by_outline() {
        let many = |count: usize, one: &str| {
            ('a'..='z').take(count).map(|letter| one.replace('%', &letter.to_string())).collect::<Vec<_>>().join(", ")
        };
        // Path, a parameter, and text around the parameters: of an ordinary function, and of those whose shape is
        // dictated.
        let cases: &[(&str, &str, &str, &[&str])] = &[
            (
                "A.cs",
                "int a%",
                "class A {\nvoid B(@) { C(); }\n}\n",
                &[
                    "class A {\npublic override void B(@) { C(); }\n}\n",
                    "class A {\nA(@) { C(); }\n}\n",
                    "interface A {\nvoid B(@);\n}\n",
                ],
            ),
            (
                "a.php",
                "int $a%",
                "<?php\nfunction b(@) { c(); }\n",
                &[
                    "<?php\nclass A { function __construct(@) { c(); } }\n",
                    "<?php\ninterface A { function b(@); }\n",
                    "<?php\n$a = 'function b(@) {}';\n",
                ],
            ),
            ("a.rb", "a%", "\ndef b(@)\n  c\nend\n", &["\nb(@)\n", "\n# def b(@)\n", "\nb { |@| c }\n"]),
            (
                "A.kt",
                "a%: Int",
                "\nfun b(@) { c() }\n",
                &["class A {\n  override fun b(@) { c() }\n}\n", "interface A {\n  fun b(@)\n}\n", "class A(@)\n"],
            ),
            (
                "a.swift",
                "a%: Int",
                "\nfunc b(@) { c() }\n",
                &[
                    "class A {\n  override func b(@) { c() }\n}\n",
                    "class A {\n  init(@) { c() }\n}\n",
                    "protocol A {\n  func b(@)\n}\n",
                ],
            ),
        ];
        for (path, one, plain, dictated) in cases {
            check(&RULE, path, &plain.replace('@', &many(8, one)), &[(2, Low)]);
            check(&RULE, path, &plain.replace('@', &many(11, one)), &[(2, Medium)]);
            check(&RULE, path, &plain.replace('@', &many(7, one)), &[]);
            for text in *dictated {
                check(&RULE, path, &text.replace('@', &many(9, one)), &[]);
            }
        }
    }
}
