//! Folders of code that pretends to do something.

use std::collections::BTreeMap;

use schemas::facts::{FileFacts, Functions, Tree};
use schemas::severity::Severity;

use crate::names::words;
use crate::outline::{Body, Function};
use crate::paths;
use crate::rules::integrity::stub_body;
use crate::rules::{Check, File, Findings, Hit, Place, Threshold, Told, rule};

rule!(
    /// ## What it finds
    /// Folders of which more than 20 % of the functions are stubs, while those that are not decide hardly anything: fewer than two
    /// paths through a function on average. Folders with fewer than five functions are left alone.
    ///
    /// A stub says that it is not implemented; where one does, functions of that file that do nothing are stubs, too. Methods that
    /// refuse (`UnsupportedOperationException`), that leave their work to those who extend a class, or are deprecated are none.
    /// Tests, stand-ins, examples, copies of libraries, and code that is there to be filled in (interfaces, abstract and base
    /// classes, declarations) do not count. Classes that hold data, constants and functions that hand out a field are no stubs.
    ///
    /// ## Why it matters
    /// From outside it looks like a part of the system, and callers rely on it. Inside there is little more than names.
    ///
    /// ## Example
    /// ```text
    /// payments/    authorize(): todo!()   capture(): todo!()   currency(): "EUR"   name(): "payments"   id(): 7
    /// ```
    ///
    /// ## How to fix
    /// Implement what is called, and take away what is not. A plan is better kept as an issue than as code.
    "servant/shallow-module", Servant, Medium, version: 2, thresholds: &[&FUNCTIONS_MIN, &STUBS_PERCENT_MAX],
    Check::Tree { facts_version: 2, collect, judge }
);

/// In a folder with fewer functions one stub would be a large share.
const FUNCTIONS_MIN: Threshold = Threshold {
    name: "functions_min",
    default: 5,
    min: 1,
    max: 1_000,
    doc: "fewest functions of a folder that is judged",
};

/// One that waits for its turn is no pretence.
const STUBS_PERCENT_MAX: Threshold =
    Threshold { name: "stubs_percent_max", default: 20, min: 0, max: 99, doc: "largest share of stubs, in per cent" };

/// From this mean on the functions decide something.
const PATHS_MEAN_MIN: u64 = 2;

/// Words in paths of code that is there to be filled in, copied or read.
const APART: &[&str] = &[
    "abstract",
    "base",
    "bases",
    "demo",
    "demos",
    "dummy",
    "example",
    "examples",
    "exercise",
    "exercises",
    "fake",
    "fakes",
    "interface",
    "interfaces",
    "mock",
    "mocks",
    "noop",
    "polyfills",
    "sample",
    "samples",
    "scaffold",
    "skeleton",
    "starter",
    "template",
    "templates",
    "tutorial",
    "tutorials",
];

/// What a stub says of itself, in lower case, if it is there to be written and not to refuse.
const CONFESSIONS: &[&str] = &["implemented", "todo", "unimplemented"];

/// What a method says, in lower case, that others are to fill in, or that is to go.
const EXCUSES: &[&str] =
    &["abstract", "deprecat", "implemented by", "implemented for ", "must implement", "overrid", "subclass"];

/// How much of a body is searched for such words.
const BODY_BYTES_MAX: usize = 1_000;

/// Lines above a function on which it may be marked as deprecated.
const LINES_ABOVE: usize = 4;

fn collect(file: &File<'_>, told: &mut Told) -> bool {
    if file.outline.gap.is_some() {
        return false;
    }
    let path = file.source.path;
    if paths::is_test(path) || paths::is_stand_in(path) || file.is_foreign() || is_apart(path) {
        return true;
    }
    let does_count = |one: &&Function| {
        one.body.is_some() && !one.is_abstract && one.test.is_none() && !file.is_test_code(one.span.start)
    };
    let has_stub = file.outline.functions.iter().any(|one| does_count(&one) && is_stub(file, one));
    let mut counted = Functions { count: 0, paths: 0, stubs: 0, first_stub: None };
    for function in file.outline.functions.iter().filter(does_count) {
        counted.count += 1;
        counted.paths += u64::from(function.complexity.max(1));
        let is_idle =
            || function.shape == Body::Empty && !function.is_overridable && !stub_body::may_be_empty(file, function);
        if has_stub && (is_stub(file, function) || is_idle()) {
            counted.stubs += 1;
            counted.first_stub = counted.first_stub.or_else(|| Some(file.spot(function.name.clone())));
        }
    }
    told.facts.functions = (counted.count > 0).then_some(counted);
    true
}

/// Whether the file is there to be filled in, copied or read, as its path says.
fn is_apart(path: &str) -> bool {
    path.split('/').any(|part| {
        let part = part.split('.').next().unwrap_or(part);
        words(part).iter().any(|word| APART.contains(&word.as_str()))
    })
}

/// Whether `function` says that it is not implemented, and nobody else is to implement it.
fn is_stub(file: &File<'_>, function: &Function) -> bool {
    if function.shape != Body::Stub {
        return false;
    }
    let body = function.body.clone().unwrap_or(0..0);
    let text: &str = &file.source.text;
    let end = text.floor_char_boundary(body.end.min(body.start + BODY_BYTES_MAX));
    let first = file.source.line_of(function.span.start).saturating_sub(LINES_ABOVE);
    let above = text.get(file.source.line_span(first).start..function.span.start).unwrap_or_default();
    let above = above.rsplit('}').next().unwrap_or(above);
    let body = text.get(body.start..end).unwrap_or_default();
    let lower = body.to_lowercase();
    let has = |words: &[&str], text: &str| words.iter().any(|word| text.contains(word));
    // In a class that is how Python and Ruby write an abstract method.
    let is_to_fill_in = function.is_overridable && body.contains("NotImplementedError");
    has(CONFESSIONS, &lower) && !has(EXCUSES, &lower) && !is_to_fill_in && !above.to_lowercase().contains("deprecat")
}

fn judge(tree: &Tree, found: &mut Findings<'_>) {
    let mut folders: BTreeMap<&str, Vec<(&FileFacts, &Functions)>> = BTreeMap::new();
    for file in &tree.files {
        if let Some(functions) = &file.facts.functions {
            let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            folders.entry(folder).or_default().push((file, functions));
        }
    }
    let (least, percent) = (found.threshold(&FUNCTIONS_MIN), found.threshold(&STUBS_PERCENT_MAX));
    for (folder, files) in folders {
        let sum =
            |of: fn(&Functions) -> u64| files.iter().map(|(_, functions)| of(functions)).fold(0, u64::saturating_add);
        let (count, stubs, paths) = (sum(|one| one.count), sum(|one| one.stubs), sum(|one| one.paths));
        let is_shallow = stubs * 100 > count * percent && paths < count * PATHS_MEAN_MIN;
        if count < least || !is_shallow {
            continue;
        }
        let mut asked = files.iter().filter(|(file, _)| tree.is_asked(&file.path));
        let Some((file, spot)) = asked.find_map(|(file, functions)| Some((file, functions.first_stub.as_ref()?)))
        else {
            continue;
        };
        let name = if folder.is_empty() { "the root".to_owned() } else { format!("`{folder}`") };
        found.push(Hit {
            place: Place::of_spot(&file.path, spot).marked("folder"),
            severity: Severity::Medium,
            confidence_permille: 800,
            message: format!("{stubs} of {count} functions in {name} are stubs, and the others decide hardly anything"),
            suggestion: "implement what is called, and take away what is not",
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use schemas::severity::Severity::{self, Medium};

    use super::RULE;
    use crate::rules::testing::{check_tree, tree, tree_findings};

    /// Checks a folder of two files: one with these stubs, one with plain functions.
    #[track_caller]
    fn check(paths: [&str; 2], stubs: &str, others: &str, line: Option<u32>) {
        let expected: Vec<(&str, u32, Severity)> = line.map(|line| (paths[0], line, Medium)).into_iter().collect();
        check_tree(&RULE, &[(paths[0], stubs), (paths[1], others)], &expected);
    }

    #[test]
    fn rust() {
        let paths = ["pay/a.rs", "pay/b.rs"];
        let plain = "fn b(c: u8) -> u8 { d(c) }\n".repeat(4);
        check(paths, &"fn a() { todo!() }\n".repeat(2), &plain, Some(1));
        check(paths, "struct A;\nfn a() { unimplemented!() }\nfn b(c: u8) {}\n", &plain, Some(2));
        check(paths, "fn a(c: u8) {}\nfn b(c: u8) {}\n", &plain, None);
        check(paths, "#[deprecated]\nfn a() { todo!() }\n#[deprecated]\nfn b() { todo!() }\n", &plain, None);
        check(["templates/a.rs", "templates/b.rs"], &"fn a() { todo!() }\n".repeat(2), &plain, None);
        check(paths, "fn a() { todo!() }\n", &plain, None);
        check(
            paths,
            &"fn a() { todo!() }\n".repeat(2),
            &"fn b(c: u8) { if c > 1 { d() } if e() { f() } }\n".repeat(4),
            None,
        );
        check(paths, "trait A { fn a() { todo!() } fn b(); }\n", &plain, None);
        check(paths, &"fn a(&self) -> u8 { self.a }\nconst B: u8 = 1;\n".repeat(9), &plain, None);
        check(paths, "fn noop() {}\nfn main() {}\n", &plain, None);
        check(["pay/a.rs", "buy/b.rs"], &"fn a() { todo!() }\n".repeat(2), &plain, None);
        check(["pay/mock.rs", "pay/b.rs"], &"fn a() { todo!() }\n".repeat(2), &plain, None);
        check(paths, &format!("#[cfg(test)]\nmod tests {{ {} }}\n", "fn a() { todo!() }\n".repeat(3)), &plain, None);
    }

    #[test]
    fn python() {
        let paths = ["pay/a.py", "pay/b.py"];
        let plain = "def b(c):\n    return d(c)\n".repeat(4);
        check(paths, &"def a():\n    raise NotImplementedError\n".repeat(2), &plain, Some(1));
        check(paths, "import a\ndef a(): raise NotImplementedError\ndef b(c): ...\n", &plain, Some(2));
        check(paths, "import a\ndef a(): pass\ndef b(c): ...\n", &plain, None);
        check(
            paths,
            &format!("class A:\n{}", "    def a(self):\n        raise NotImplementedError\n".repeat(2)),
            &plain,
            None,
        );
        check(paths, "def a():\n    raise NotImplementedError\n", &plain, None);
        check(
            paths,
            "class A(ABC):\n    @abstractmethod\n    def a(self): ...\n    @abstractmethod\n    def b(self): ...\n",
            &plain,
            None,
        );
        check(paths, &"def a(self):\n    return self.b\n".repeat(9), &plain, None);
        check(["pay/a.pyi", "pay/b.py"], &"def a(): ...\n".repeat(3), &plain, None);
    }

    #[test]
    fn go() {
        let paths = ["pay/a.go", "pay/b.go"];
        let of = |text: &str| format!("package pay\n\n{text}");
        let plain = of(&"func b(c int) int { return d(c) }\n".repeat(4));
        check(paths, &of(&"func a() { panic(\"not implemented\") }\n".repeat(2)), &plain, Some(3));
        check(paths, &of("func a() { panic(\"TODO\") }\nfunc e(f int) {}\n"), &plain, Some(3));
        check(paths, &of("func a() { panic(\"not implemented\") }\n"), &plain, None);
        check(paths, &of("type A interface {\n\tA()\n\tB()\n}\n"), &plain, None);
        check(["pay/a_test.go", "pay/b.go"], &of(&"func a() { panic(\"not implemented\") }\n".repeat(2)), &plain, None);
    }

    #[test]
    fn javascript_and_typescript() {
        for end in ["js", "ts", "tsx"] {
            let paths = [format!("pay/a.{end}"), format!("pay/b.{end}")];
            let paths = [paths[0].as_str(), &paths[1]];
            let plain = "export function b(c) { return d(c); }\n".repeat(4);
            let stub = "export function a() { throw new Error('not implemented'); }\n";
            check(paths, &stub.repeat(2), &plain, Some(1));
            check(paths, &format!("\n{stub}export function e() {{}}\n"), &plain, Some(2));
            check(paths, stub, &plain, None);
            check(paths, "export const a = 1;\nexport const noop = () => {};\n", &plain, None);
            check(
                paths,
                &stub.repeat(2),
                &"export function b(c) { if (c) { d(); } if (e) { f(); } }\n".repeat(4),
                None,
            );
        }
        check(
            ["pay/a.ts", "pay/b.ts"],
            "export interface A { a(): void; b(): void }\n",
            &"function b(c) { d(c); }\n".repeat(4),
            None,
        );
    }

    #[test]
    fn java() {
        let paths = ["pay/A.java", "pay/B.java"];
        let class = |text: &str| format!("class A {{\n{text}}}\n");
        let plain = class(&"int b(int c) { return d(c); }\n".repeat(4));
        let stub = "void a() { throw new UnsupportedOperationException(\"not implemented\"); }\n";
        let refusal = "void a() { throw new UnsupportedOperationException(); }\n";
        check(paths, &class(&refusal.repeat(2)), &plain, None);
        check(paths, &class(&stub.repeat(2)), &plain, Some(2));
        check(paths, &class(&format!("int x;\n{}", stub.repeat(2))), &plain, Some(3));
        check(paths, &class(stub), &plain, None);
        check(paths, "interface A {\n  void a();\n  void b();\n}\n", &plain, None);
        check(paths, &class(&"int a() { return this.a; }\n".repeat(9)), &plain, None);
    }

    #[test]
    fn c_and_cpp() {
        for end in ["c", "cpp"] {
            let paths = [format!("pay/a.{end}"), format!("pay/b.{end}")];
            let paths = [paths[0].as_str(), &paths[1]];
            let plain = "int b(int c) { return d(c); }\n".repeat(4);
            check(paths, &"void a(void) { abort(); /* TODO */ }\n".repeat(2), &plain, Some(1));
            check(paths, &"void a(void) { abort(); }\n".repeat(2), &plain, None);
            check(paths, "int x;\nvoid e(int f) {}\nvoid a(void) { abort(); /* TODO */ }\n", &plain, Some(2));
            check(paths, "void a(void) { abort(); }\n", &plain, None);
            check(paths, &"int a(int b);\n".repeat(9), &plain, None);
            check(
                paths,
                &"void a(void) { abort(); }\n".repeat(2),
                &"int b(int c) { if (c) d(); if (e) f(); }\n".repeat(4),
                None,
            );
        }
    }

    #[test]
    fn an_audit_of_a_change_speaks_of_changed_files_only() {
        let (stubs, plain) = ("fn a() { todo!() }\n".repeat(2), "fn b(c: u8) -> u8 { d(c) }\n".repeat(4));
        let mut whole = tree(&RULE, &[("a.rs", &stubs), ("b.rs", &plain)]);
        for (changed, expected) in [("a.rs", 1), ("b.rs", 0)] {
            whole.changed = Some(BTreeSet::from([changed.to_owned()]));
            assert_eq!(tree_findings(&RULE, &whole).len(), expected, "{changed}");
        }
    }
}
