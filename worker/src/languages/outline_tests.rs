//! The whole outline of a small file for each language, as it stands in `samples/`: first the file, then its outline.

use std::fmt::Write;

use super::*;
use crate::outline::{Body, Function, Span};
use schemas::bundle::SourceFile;

/// The outline of `text`, one line for each thing in it.
fn shown(path: &str, text: &str) -> String {
    let file = SourceFile { path: path.into(), blob: "0".repeat(40).parse().unwrap(), bytes: text.as_bytes().to_vec() };
    let source = Source::read(&file).unwrap();
    let outline = outline(&source);
    assert_eq!((outline.gap, outline.first_error), (None, None), "{path}");
    assert!(outline.functions.is_sorted_by_key(|one| one.span.start), "{path}: rules search functions by place");
    let slice = |span: &Span| text[span.clone()].lines().next().unwrap_or_default();
    let flag = |is_set: bool, name: &'static str| if is_set { name } else { "" };
    let mut lines = String::new();
    let mut add = |line: String| writeln!(lines, "{}", line.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap();
    for one in &outline.functions {
        let Function { parameters, complexity, nesting, .. } = one;
        let shape = match (one.shape, &one.body) {
            (Body::Other, Some(_)) => String::new(),
            (shape, body) => format!("{shape:?}{}", flag((shape == Body::Absent) != body.is_none(), "?")),
        };
        let flags = [
            flag(one.is_public, "public"),
            flag(one.is_documented, "documented"),
            flag(one.is_bound, "bound"),
            flag(one.is_abstract, "abstract"),
            flag(one.is_overridable, "overridable"),
            flag(one.test.is_some(), "test"),
        ];
        let name = slice(&one.name);
        add(format!("fn {name}/{parameters} paths {complexity} deep {nesting} {shape} {}", flags.join(" ")));
    }
    for one in &outline.symbols {
        add(format!("symbol {} {}", slice(&one.name), flag(one.is_documented, "documented")));
    }
    for one in &outline.imports {
        add(format!("import {}", slice(&one.module)));
    }
    for one in &outline.calls {
        let caller = one.function.map_or("", |index| slice(&outline.functions[index].name));
        let (callee, arguments) = (slice(&one.callee), slice(&one.arguments));
        add(format!("call {callee} {arguments} {} < {caller}", flag(one.is_constant, "constant")));
    }
    for one in &outline.handlers {
        let caught = one.caught.as_ref().map_or("", slice);
        let flags = [flag(one.is_empty, "empty"), flag(one.has_comment, "comment"), flag(one.is_cleanup, "cleanup")];
        add(format!("handler {caught} {}", flags.join(" ")));
    }
    for one in &outline.discards {
        let flags = [flag(one.is_fallible, "fallible"), flag(one.is_cleanup, "cleanup")];
        add(format!("discard {} {}", slice(&one.span), flags.join(" ")));
    }
    for one in &outline.tables {
        let function = one.function.map_or("", |index| slice(&outline.functions[index].name));
        add(format!("table {} < {function}", slice(&one.span)));
    }
    for span in &outline.docstrings {
        add(format!("docstring {}", slice(span)));
    }
    lines
}

/// Checks `sample`, a file and its outline.
#[track_caller]
fn check(path: &str, sample: &str) {
    let (text, expected) = sample.split_once("==== outline\n").unwrap();
    assert_eq!(shown(path, text), expected, "{path}");
}

#[test]
fn rust() {
    check("src/a.rs", include_str!("samples/rust.txt"));
}

#[test]
fn python() {
    check("a.py", include_str!("samples/python.txt"));
}

#[test]
fn go() {
    check("a_test.go", include_str!("samples/go.txt"));
}

#[test]
fn typescript() {
    check("a.test.ts", include_str!("samples/typescript.txt"));
}

#[test]
fn javascript() {
    check("a.js", include_str!("samples/javascript.txt"));
}

#[test]
fn java() {
    check("ATest.java", include_str!("samples/java.txt"));
}

#[test]
fn c() {
    check("tests/a.h", include_str!("samples/c.txt"));
}

#[test]
fn cpp() {
    check("a_test.hpp", include_str!("samples/cpp.txt"));
}

#[test]
fn c_sharp() {
    check("ATests.cs", include_str!("samples/c_sharp.txt"));
}

#[test]
fn php() {
    check("tests/ATest.php", include_str!("samples/php.txt"));
}

#[test]
fn ruby() {
    check("spec/a_spec.rb", include_str!("samples/ruby.txt"));
}

#[test]
fn kotlin() {
    check("ATest.kt", include_str!("samples/kotlin.txt"));
}

#[test]
fn swift() {
    check("ATests.swift", include_str!("samples/swift.txt"));
}

#[test]
fn bash() {
    check("a.bats", include_str!("samples/bash.txt"));
}
