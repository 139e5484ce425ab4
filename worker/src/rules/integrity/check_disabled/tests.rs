//! What silences every check, and what only looks like it.

use super::RULE;
use crate::rules::testing::check;
use schemas::severity::Severity::{self, Info, Low, Medium};

/// Checks each of `lines` as the second line of `path`.
#[track_caller]
fn all(path: &str, lines: &[&str], severity: Option<Severity>) {
    for line in lines {
        let expected: Vec<_> = severity.map(|severity| (2, severity)).into_iter().collect();
        check(&RULE, path, &format!("x = 1;\n{line}\n"), &expected);
    }
}

#[test]
fn python() {
    let places =
        ["f()  # noqa", "f() # NOQA", "f()  # type: ignore", "f()  #type:ignore", "f()  # nosec", "f()  # nolint"];
    all("a.py", &places, Some(Low));
    all("a.py", &["f()  # pyright: ignore", "f()  # type: ignore  # see #4"], Some(Low));
    all("a.py", &["# flake8: noqa", "# pylint: skip-file", "# mypy: ignore-errors", "# ruff: noqa"], Some(Medium));
    all("a.py", &["f()  # noqa - imports in a circle"], Some(Info));
    let named = [
        "f()  # noqa: E501",
        "f()  # noqa:E501,W291",
        "f()  # type: ignore[attr]",
        "f()  # nosec B101",
        "# ruff: noqa: E501",
    ];
    all("a.py", &named, None);
    all(
        "a.py",
        &[
            "# the noqa marks",
            "x = '# noqa'",
            "f()  # noqattr",
            "# `noqa` is a mark",
            "f()  # pylint: disable=no-self-use",
        ],
        None,
    );
    check(&RULE, "a.py", "# Text.\n\n# type: ignore\nx = 1\n", &[(3, Medium)]);
}

#[test]
fn two_marks_on_a_line_are_two_findings() {
    check(&RULE, "a.py", "x = 1\nf()  # type: ignore # noqa\n", &[(2, Low), (2, Low)]);
}

#[test]
fn javascript_and_typescript() {
    for path in ["a.js", "a.ts", "a.tsx"] {
        let places = [
            "f() // tslint:disable-line",
            "f() // eslint-disable-line",
            "// eslint-disable-next-line",
            "// @ts-ignore",
            "/* @ts-ignore */",
        ];
        all(path, &places, Some(Low));
        all(path, &["/* eslint-disable */", "// @ts-nocheck", "/* tslint:disable */"], Some(Medium));
        all(
            path,
            &["// @ts-ignore: the types of this library are wrong", "f() // eslint-disable-line -- made by hand"],
            Some(Info),
        );
        all(path, &["/* eslint-disable -- written by another tool */"], Some(Low));
        let named = [
            "/* eslint-disable no-console */",
            "// eslint-disable-next-line @a/b -- why",
            "/* stylelint-disable-line a-b */",
            "/* tslint:disable:no-any */",
            "f() // tslint:disable-line unified-signatures",
            "// tslint:disable-next-line:no-any no-console",
        ];
        all(path, &named, None);
        all(
            path,
            &["// @ts-expect-error", "f('// @ts-ignore')", "// uses eslint-disable", "/* eslint-enable */"],
            None,
        );
        check(&RULE, path, "/* eslint-disable */\nf()\n/* eslint-enable */\n", &[(1, Low)]);
    }
}

#[test]
fn reasons_stand_beside_a_mark_or_in_the_comment_that_it_ends() {
    check(&RULE, "a.rs", "#![allow(unsafe_code)] // ffi code\n", &[]);
    check(&RULE, "a.rs", "#![allow(unsafe_code)] // ffi\n", &[(1, Low)]);
    check(&RULE, "a.ts", "f()\n// Old compilers cannot read such keys.\n// @ts-ignore\ng()\n", &[(3, Info)]);
    check(&RULE, "a.ts", "f()\n// Keys.\n// @ts-ignore\ng()\n", &[(3, Low)]);
    check(&RULE, "a.ts", "f('this is a sentence')\n// @ts-ignore\ng()\n", &[(2, Low)]);
    check(&RULE, "a.py", "# This adds up all of them.\nf()  # type: ignore\n", &[(2, Low)]);
    check(&RULE, "a.py", "# The stubs are too old\n# for this.\nf()  # type: ignore\n", &[(3, Info)]);
    check(&RULE, "a.py", "# The stubs are too old.\n\nf()  # type: ignore\n", &[(3, Low)]);
    check(&RULE, "a.ts", "// This adds up all of them.\n/* eslint-disable */\ng()\n", &[(2, Medium)]);
}

#[test]
fn go() {
    all("a.go", &["//nolint", "f() // nolint", "f() //nolint:all", "f() // #nosec"], Some(Low));
    all("a.go", &["f() //nolint // the buffer cannot fail"], Some(Info));
    all("a.go", &["f() //nolint:errcheck", "f() // #nosec G104", "f(`//nolint`)", "// no nolint here"], None);
    check(&RULE, "a.go", "// Text.\npackage a //nolint\n", &[(2, Medium)]);
    check(&RULE, "a.go", "package a\n\nvar a = 1 //nolint\n", &[(3, Low)]);
}

#[test]
fn rust() {
    all("a.rs", &["#![allow(warnings)]", "#![allow(dead_code, unused)]", "#![allow(clippy::all)]"], Some(Medium));
    all(
        "a.rs",
        &["#[allow(warnings)]", "#[allow(clippy::all)]", "#![allow(dead_code)]", "#![allow(\n    a::b,\n)]"],
        Some(Low),
    );
    all("a.rs", &["#![allow(warnings, reason = \"made by a tool\")]"], Some(Low));
    all(
        "a.rs",
        &[
            "#[allow(dead_code)]",
            "#[allow(unused)]",
            "#![allow(dead_code)] // used by half of the tests",
            "#![warn(unused)]",
        ],
        None,
    );
    all(
        "a.rs",
        &["// #![allow(warnings)]", "const A: &str = \"#![allow(warnings)]\";", "#![allow(x, reason = \"y\")]"],
        None,
    );
    check(&RULE, "a.rs", "// The names are those of the protocol.\n#![allow(nonstandard)]\n", &[]);
    check(&RULE, "a.rs", "//! What this crate is good for.\n#![allow(nonstandard)]\n", &[(2, Low)]);
    check(&RULE, "tests/a.rs", "#![allow(dead_code)]\n", &[]);
    check(&RULE, "tests/a.rs", "#![allow(warnings)]\n", &[(1, Medium)]);
}

#[test]
fn java_c_and_others() {
    all("A.java", &["@SuppressWarnings(\"all\")", "f(); // NOSONAR"], Some(Low));
    all("A.java", &["@SuppressWarnings(\"unchecked\")", "// @SuppressWarnings(\"all\")", "// the NOSONAR mark"], None);
    all("a.cc", &["f(); // NOLINT", "// NOLINTNEXTLINE", "f(); // NOLINT(*)"], Some(Low));
    all("a.cc", &["f(); // NOLINT(runtime/int)", "// NOLINTNEXTLINE(a-b)", "f(\"// NOLINT\");"], None);
    all(
        "a.h",
        &["#pragma GCC diagnostic ignored \"-Wall\"", "#pragma clang diagnostic ignored \"-Weverything\""],
        Some(Medium),
    );
    all("a.h", &["#pragma GCC system_header"], None);
    all("a.h", &["#pragma GCC diagnostic ignored \"-Wshadow\"", "// #pragma GCC system_header", "#pragma once"], None);
    all("a.yaml", &["a: b # noqa"], Some(Low));
    all("README.md", &["# noqa", "// @ts-nocheck"], None);
}

#[test]
fn c_sharp() {
    all("A.cs", &["#pragma warning disable", "// ReSharper disable All"], Some(Medium));
    all("A.cs", &["// ReSharper disable once All"], Some(Low));
    let named = [
        "#pragma warning disable CS1591",
        "// ReSharper disable InconsistentNaming",
        "#pragma warning restore",
        "// #pragma warning disable",
        "var a = \"#pragma warning disable\";",
    ];
    all("A.cs", &named, None);
    check(&RULE, "A.cs", "#pragma warning disable\nclass A { }\n#pragma warning restore\n", &[(1, Low)]);
}

#[test]
fn php() {
    let run = |line: &str, expected: &[_]| check(&RULE, "a.php", &format!("<?php\n{line}\n"), expected);
    for line in [
        "f(); // phpcs:ignore",
        "f(); // @phpstan-ignore-line",
        "/** @psalm-suppress all */",
        "/* @phpstan-ignore-next-line */",
    ] {
        run(line, &[(2, Low)]);
    }
    for line in ["// phpcs:ignoreFile", "// phpcs:disable", "// @codingStandardsIgnoreFile"] {
        run(line, &[(2, Medium)]);
    }
    run("f(); // @phpstan-ignore-line (the stubs are too old)", &[(2, Info)]);
    for line in [
        "f(); // phpcs:ignore Squiz.PHP.Eval -- made by hand",
        "f(); // @phpstan-ignore method.notFound",
        "$a = '// phpcs:ignore';",
        "// the phpcs:ignore mark",
        "// phpcs:enable",
    ] {
        run(line, &[]);
    }
}

#[test]
fn ruby_kotlin_swift_and_shells() {
    all("a.rb", &["f # rubocop:disable all"], Some(Low));
    all("a.rb", &["# rubocop:disable all"], Some(Medium));
    check(&RULE, "a.rb", "# rubocop:disable all\nf\n# rubocop:enable all\n", &[(1, Low)]);
    all("a.rb", &["f # rubocop:disable Style/Eval", "# rubocop:disable AllCops", "f '# rubocop:disable all'"], None);
    all("a.kt", &["@Suppress(\"detekt:all\") fun f() {}", "@Suppress(\"all\") class A"], Some(Low));
    all("a.kt", &["@file:Suppress(\"all\")"], Some(Medium));
    all("a.kt", &["@Suppress(\"UNCHECKED_CAST\") fun f() {}", "// @Suppress(\"all\")", "val a = \"@Suppress\""], None);
    all("a.swift", &["f() // swiftlint:disable:this all", "// swiftlint:disable:next all"], Some(Low));
    all("a.swift", &["// swiftlint:disable all"], Some(Medium));
    all(
        "a.swift",
        &["// swiftlint:disable force_cast", "f() // swiftlint:enable all", "f(\"swiftlint:disable all\")"],
        None,
    );
    all("a.sh", &["# shellcheck disable=all"], Some(Low));
    check(&RULE, "a.sh", "#!/bin/sh\n# shellcheck disable=all\nf\n", &[(2, Medium)]);
    all("a.sh", &["# shellcheck disable=SC2086", "echo '# shellcheck disable=all'", "# shellcheck shell=sh"], None);
}

#[test]
fn comments_in_comments_show_what_a_mark_looks_like() {
    check(&RULE, "a.js", "f()\n//    /* eslint-disable */ <- the first one\n", &[]);
    check(&RULE, "a.js", "f()\n/* eslint-disable */\n", &[(2, Medium)]);
}

#[test]
fn what_is_written_about_a_mark_silences_nothing() {
    for told in ["people may write \\# noqa", "they write \\#noqa.", "they write `# noqa`", "as in '# noqa'"] {
        check(&RULE, "a.py", &format!("f()\n# {told}\n"), &[]);
    }
    check(&RULE, "a.py", "f()\n# people may # noqa\n", &[(2, Low)]);
    check(&RULE, "a.py", "f('a')# noqa\n", &[(1, Low)]);
}

#[test]
fn the_face_of_a_package_only_imports() {
    let text = "# flake8: noqa\nfrom .cart import (\n    Cart,\n)\n__all__ = ['Cart']\n";
    check(&RULE, "carts/__init__.py", text, &[(1, Low)]);
    check(&RULE, "carts/cart.py", text, &[(1, Medium)]);
    check(&RULE, "carts/__init__.py", &format!("{text}Cart.pay()\n"), &[(1, Medium)]);
    check(&RULE, "carts/__init__.py", &format!("{text}def pay():\n    pass\n"), &[(1, Medium)]);
}

#[test]
fn generated_code_may_silence_what_it_likes() {
    let php = |comment: &str| format!("<?php\n// @codingStandardsIgnoreFile\n// @b\n// {comment}\nf();\n");
    check(&RULE, "a.php", &php("this is an autogenerated file"), &[]);
    check(&RULE, "a.php", &php("this is a file"), &[(2, Medium)]);
    check(&RULE, "a.rs", "#[allow(warnings)]\nmod b {\n    include!(\"c.rs\");\n}\n", &[]);
    check(&RULE, "a.rs", "#[allow(warnings)]\nmod b {\n    fn c() {}\n}\n", &[(1, Low)]);
}

#[test]
fn a_module_in_a_file_may_allow_what_it_names() {
    check(&RULE, "a.rs", "mod a {\n    #![allow(missing_docs)]\n    pub struct B;\n}\n", &[]);
    check(&RULE, "a.rs", "#![allow(missing_docs)]\npub struct B;\n", &[(1, Low)]);
    check(&RULE, "a.rs", "mod a {\n    #![allow(warnings)]\n    pub struct B;\n}\n", &[(2, Low)]);
}

#[test]
fn what_tests_read_is_as_odd_as_they_want_it() {
    check(&RULE, "tests/data/cases/a.py", "f()\ng()  # type: ignore\n", &[]);
    check(&RULE, "tests/test_a.py", "f()\ng()  # type: ignore\n", &[(2, Low)]);
}

#[test]
fn bundles_setups_and_named_lints() {
    check(&RULE, "a.js", "/* eslint-disable */\nlet a = 1;\n", &[(1, Medium)]);
    check(&RULE, "a.config.cjs", "/* eslint-disable */\nlet a = 1;\n", &[]);
    check(&RULE, "a.config.cjs", "let a = 1; // eslint-disable-line\n", &[(1, Low)]);
    check(&RULE, "js/tinymce/skins/a.js", "/* eslint-disable */\nlet a = 1;\n", &[]);
    let bundle = "(function e(t,n,r){function s(o,u){}})\nlet a = 1; // eslint-disable-line\n";
    check(&RULE, "a.js", bundle, &[]);
    check(&RULE, "a.js", &bundle.replace("function e(t,n,r)", "function e(t)"), &[(2, Low)]);
    check(&RULE, "src/a.rs", "#![allow(clippy::duplicate_mod)]\nfn a() {}\n", &[]);
    check(&RULE, "src/a.rs", "#![allow(clippy::duplicate_code)]\nfn a() {}\n", &[(1, Low)]);
    check(&RULE, "src/a.rs", "#![allow(unused)]\nfn a() {}\n", &[(1, Medium)]);
    check(&RULE, "src/a.rs", "#![allow(unused)] // each program uses a part of it\nfn a() {}\n", &[]);
}
