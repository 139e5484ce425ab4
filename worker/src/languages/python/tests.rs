//! What is read of Python as only its grammar tells, and of files that are hardly any.

use super::outline;
use crate::outline::Outline;
use crate::pool;

/// The outline of `text`, all of whose places are in it.
fn read(text: &str) -> Outline {
    let outline = pool::run(|| outline("test_a.py", text)).unwrap();
    let functions = outline.functions.iter().flat_map(|one| [one.name.clone(), one.span.clone()]);
    let calls = outline.calls.iter().flat_map(|one| [one.callee.clone(), one.arguments.clone()]);
    let texts = outline.comments.iter().chain(&outline.strings).cloned();
    for span in functions.chain(calls).chain(texts) {
        assert!(text.get(span.clone()).is_some(), "{span:?}");
    }
    outline
}

fn functions<'t>(text: &'t str, outline: &Outline) -> Vec<&'t str> {
    outline.functions.iter().map(|one| &text[one.name.clone()]).collect()
}

#[test]
fn each_part_of_a_string_is_a_string_and_what_is_in_it_is_none() {
    let text = "a = 'b' \"c\" rf'{d('e')} {f\"{g}\"}'  # h\nprint(f'{i}' 'j')\n";
    let outline = read(text);
    let strings: Vec<_> = outline.strings.iter().map(|span| &text[span.clone()]).collect();
    assert_eq!(strings, ["'b'", "\"c\"", "rf'{d('e')} {f\"{g}\"}'", "f'{i}'", "'j'"]);
    let calls: Vec<_> = outline.calls.iter().map(|one| (&text[one.callee.clone()], one.is_constant)).collect();
    assert_eq!(calls, [("print", false)]);
}

#[test]
fn only_a_lone_literal_documents() {
    let docstrings = |text: &str| read(text).docstrings.len();
    assert_eq!(docstrings("'a'\ndef f():\n    r'b'\nclass A:\n    f'c'\n"), 3);
    assert_eq!(docstrings("('a')\ndef f():\n    'b' 'c'\nclass A:\n    d = 'e'\n"), 0);
}

#[test]
fn comments_belong_to_the_block_that_they_are_indented_like() {
    let text = "def f():\n    if a:\n        b\n        # c\n    # d\n# e\ndef g(): pass  # h\n    # i\n";
    let outline = read(text);
    let ends: Vec<_> = outline.functions.iter().map(|one| text[one.span.clone()].lines().last().unwrap()).collect();
    assert_eq!(ends, ["    # d", "def g(): pass  # h"]);
    let text = "try:\n    a\nexcept B:\n    pass\n    # c\nexcept D:\n    pass\n# e\n";
    let has_comment: Vec<_> = read(text).handlers.iter().map(|one| one.has_comment).collect();
    assert_eq!(has_comment, [true, false]);
}

#[test]
fn a_declaration_begins_behind_its_decorators() {
    let text = "@a\n@b('def')  # def\n# async def\nasync def f(): pass\n@overload  # noqa\ndef g(): pass\n";
    let outline = read(text);
    let starts: Vec<_> =
        outline.functions.iter().map(|one| text[one.span.clone()].split('(').next().unwrap()).collect();
    assert_eq!(starts, ["async def f", "def g"]);
    assert!(outline.functions[1].is_abstract);
}

#[test]
fn parameters_that_must_be_named_cannot_be_mixed_up() {
    let counts = |text: &str| read(text).functions.iter().map(|one| one.parameters).collect::<Vec<_>>();
    let text = "def f(a, b, /, c: int, d=1, *, e): pass\ndef g(a, *b: int, c: int): pass\ndef h(a, **b: int): pass\n\
        def i(a, *b, **c): pass\n";
    assert_eq!(counts(text), [3, 1, 2, 1]);
}

#[test]
fn a_path_goes_as_far_as_its_names_do() {
    let text = "a.b[0].c()\n(a).b()\na().b()\n(a)()\na()()\n";
    let calls = read(text).calls.iter().map(|one| text[one.callee.clone()].to_owned()).collect::<Vec<_>>();
    assert_eq!(calls, ["a.b[0].c", "b", "b", "a", "a"]);
}

#[test]
fn modules_are_named_with_their_dots() {
    let text =
        "from . import a\nfrom .. b import c\nfrom ...d.e import (f,\n g)\nimport h.i as j, k\nfrom l import m\n";
    let modules = read(text).imports.iter().map(|one| text[one.module.clone()].to_owned()).collect::<Vec<_>>();
    assert_eq!(modules, [".", ".. b", "...d.e", "h.i", "k", "l"]);
}

#[test]
fn a_mistake_costs_what_is_around_it() {
    let text = "# why\ndef a():\n    run(1)\ndef b():\n    c(;\n    d()\n<<<<<<< e\ndef f():\n    g('h')\n";
    let outline = read(text);
    assert_eq!(functions(text, &outline), ["a", "b", "f"]);
    assert_eq!((outline.gap, outline.comments.len(), outline.strings.len()), (None, 1, 1));
    assert_eq!(outline.first_error.map(|at| text[..at].matches('\n').count()), Some(4));
}

#[test]
fn python_2_is_read_as_far_as_it_is_python() {
    let text =
        "def a():\n    print 'b', c(1)\n    try:\n        d()\n    except E, e:\n        pass\n    raise F, 'g'\n";
    let outline = read(text);
    assert_eq!(functions(text, &outline), ["a"]);
    assert_eq!((outline.strings.len(), outline.calls.len(), outline.handlers.len()), (2, 2, 1));
    assert_eq!(outline.handlers[0].caught.clone().map(|span| &text[span]), Some("E"));
    assert_eq!(outline.first_error, text.find("'b'"));
}

#[test]
fn what_ends_too_early_is_read_as_far_as_it_goes() {
    for end in [
        "'a",
        "\"\"\"a",
        "f'a",
        "f'{a",
        "f'{a:",
        "f\"\"\"{",
        "g = [",
        "h = {",
        "f(",
        "class",
        "class A",
        "def",
        "def b(",
        "@",
        "\\",
        "if",
        "match a:\n case",
    ] {
        let text = format!("def a():\n    run()\n# why\n{end}");
        let outline = read(&text);
        assert_eq!(functions(&text, &outline).first(), Some(&"a"), "{end}");
        assert!(outline.first_error.is_some() && outline.comments.len() == 1, "{end}");
    }
}

#[test]
fn a_string_that_never_ends_costs_its_statement_only() {
    for start in ["f'{a", "f'{a:", "t\"a{b", "f'a"] {
        let text = format!("{start}\nc = 'd'\n# e\n");
        let outline = read(&text);
        assert_eq!(outline.strings.last().map(|span| &text[span.clone()]), Some("'d'"), "{start}");
        assert_eq!(outline.comments.len(), 1, "{start}");
    }
}

#[test]
fn bytes_that_nobody_types_move_nothing() {
    for odd in ["\0", "\u{feff}", "\r\n", "\u{2028}", "\x0c", "'\\ud800'", "\\\r\n", "é = '😀'", "#!/x", "`a`", "$"]
    {
        let text = format!("{odd}\r\ndef a():\r\n    run('é')\r\n{odd}\r\n");
        let outline = read(&text);
        assert_eq!(functions(&text, &outline), ["a"], "{odd:?}");
    }
}
