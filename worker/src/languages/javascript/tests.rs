//! What is read of files that are no JavaScript, or hardly any.

use super::*;
use crate::pool;

type Reader = fn(&str, &str) -> Option<Outline>;

const READERS: [Reader; 3] = [javascript, typescript, tsx];

/// The outline of `text`, all of whose places are in it.
fn read(reader: Reader, text: &str) -> Option<Outline> {
    let outline = pool::run(|| reader("a.test.js", text))?;
    let functions = outline.functions.iter().flat_map(|one| [one.name.clone(), one.span.clone()]);
    let calls = outline.calls.iter().flat_map(|one| [one.callee.clone(), one.arguments.clone()]);
    let texts = outline.comments.iter().chain(&outline.strings).cloned();
    for span in functions.chain(calls).chain(texts) {
        assert!(text.get(span.clone()).is_some(), "{span:?}");
    }
    Some(outline)
}

fn functions<'t>(text: &'t str, outline: &Outline) -> Vec<&'t str> {
    outline.functions.iter().map(|one| &text[one.name.clone()]).collect()
}

const FLOW: &str = r"/**
 * @flow strict-local
 * @format
 */
'use strict';

import typeof Native from './native';
import type {ViewProps} from './view';
import * as React from 'react';

export opaque type Id: string = string;
type Props = $ReadOnly<{|
  ...ViewProps,
  +title: ?string, // shown above
  -onPress?: ?(event: Event) => mixed,
  [key: string]: any,
  ...
|}>;

/** Shows a title. */
export default class Title<T: Object, +U = void> extends React.Component<Props> {
  +state: ?State = null;
  render(): React.Node {
    const style = (this.props.style: any);
    return <Text style={style}>{(this.props: any).title ?? ''}</Text>;
  }
}

function load<T>(id: ?Id, ...rest: Array<?T>): Promise<?T> {
  try {
    return fetch((id: any), rest);
  } catch (error) {}
}

declare function native(a: string): void;
";

#[test]
fn what_is_typed_by_flow_is_read_without_its_types() {
    let outline = read(javascript, FLOW).unwrap();
    assert_eq!(functions(FLOW, &outline), ["render", "load", "native"]);
    assert_eq!(outline.functions[1].parameters, 2);
    assert_eq!(outline.imports.len(), 3);
    assert_eq!(outline.comments.len(), 3);
    assert!(outline.handlers[0].is_empty);
    assert_eq!(outline.gap, None);
    // The one line that is like nothing in TypeScript.
    assert_eq!(outline.first_error, FLOW.find("export opaque"));
    let known = FLOW.replace("export opaque type Id: string = string;\n", "");
    assert_eq!(read(javascript, &known).unwrap().first_error, None);
}

#[test]
fn javascript_with_types_is_read_as_typescript() {
    let text = "import type {A} from 'a';\nexport function f(a: A, b?: string): void { (a as any).b(); }\n";
    let outline = read(javascript, text).unwrap();
    assert_eq!((functions(text, &outline), outline.first_error), (vec!["f"], None));
    assert!(read(javascript, "a<b>(c);\n").unwrap().calls.is_empty());
}

#[test]
fn what_makes_no_sense_is_left_out_and_placed() {
    let text =
        "// why\nfunction a() { run(1); }\nfunction b() {\n  c(;\n  d();\n}\n<<<<<<< e\nit('f', () => { g(); });\n";
    for reader in READERS {
        let outline = read(reader, text).unwrap();
        assert_eq!(functions(text, &outline), ["a", "b", "'f'"]);
        assert_eq!((outline.gap, outline.comments.len()), (None, 1));
        assert_eq!(outline.first_error.map(|at| text[..at].matches('\n').count()), Some(3));
    }
}

#[test]
fn what_ends_too_early_is_read_as_far_as_it_goes() {
    for end in [
        "'a",
        "\"a",
        "`a",
        "`a${",
        "/*",
        "/a",
        "/[",
        "f(",
        "g = [",
        "h = {",
        "<a>",
        "<a b={",
        "class A {",
        "@",
        "#",
        "\\",
    ] {
        let text = format!("function a() {{ run(); }}\n// why\n{end}");
        for reader in READERS {
            let outline = read(reader, &text).unwrap();
            assert_eq!(functions(&text, &outline), ["a"], "{end}");
            assert!(outline.first_error.is_some() && !outline.comments.is_empty(), "{end}");
        }
    }
}

#[test]
fn bytes_that_nobody_types_move_nothing() {
    let odd = [
        "\0",
        "\u{feff}",
        "\r\n",
        "\u{2028}",
        "'\\ud800'",
        "\\u{d800}",
        "\\u0061",
        "é = '😀';",
        "#!/x",
        "<!-- a",
        "-->",
    ];
    for (odd, reader) in odd.iter().flat_map(|odd| READERS.map(|reader| (odd, reader))) {
        let text = format!("{odd}\r\nfunction a() {{ run('é'); }}\r\n{odd}\r\n");
        let outline = read(reader, &text).unwrap();
        assert_eq!(functions(&text, &outline), ["a"], "{odd:?}");
    }
}

#[test]
fn no_nesting_ends_the_process() {
    for open in [
        "[",
        "(",
        "{",
        "a={",
        "`${",
        "<a>",
        "<a b={",
        "f(",
        "({a=",
        "[a=",
        "a<",
        "a<b>(",
        "function f(){",
        "class A{a=",
    ] {
        let text = open.repeat(100_000);
        let line = format!("a={}1{}", open.repeat(20_000), "])}>".repeat(20_000));
        for reader in READERS {
            assert!(read(reader, &text).is_none(), "{open}");
            read(reader, &line);
        }
    }
}

#[test]
fn long_chains_are_read() {
    let links = 20_000;
    let chains = [
        ("a", ".b", ""),
        ("a", "?.b", ""),
        ("a", "(b)", ""),
        ("", "a+", "b"),
        ("", "a&&", "b"),
        ("", "a,", "b"),
        ("", "!", "a"),
        ("", "new ", "A"),
        ("", "a=>", "a"),
        ("", "if(a)", "b()"),
        ("", "if(a)b();else ", "c()"),
        ("", "a=", "b"),
        ("", "a:", ";"),
    ];
    for (head, link, tail) in chains {
        let text = format!("function f() {{\n{head}{}{tail}\n}}\n", link.repeat(links));
        let outline = read(javascript, &text).unwrap();
        assert_eq!(functions(&text, &outline), ["f"], "{link}");
        assert_eq!(outline.first_error, None, "{link}");
    }
    let choices = format!("a = {}c;\n", "a ? b : ".repeat(1_000));
    assert_eq!(read(typescript, &choices).unwrap().first_error, None);
    let line = format!("a = [{}];", "'aStringOfSomeLength', ".repeat(80_000));
    assert_eq!(read(javascript, &line).map(|outline| outline.strings.len()), Some(80_000));
}
