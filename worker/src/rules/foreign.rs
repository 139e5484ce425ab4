//! Whether others wrote a file.

use std::collections::BTreeSet;

use super::File;
use crate::outline::Span;
use crate::paths;

/// How much of a file shows that it is a library as it is published.
const LIBRARY_HEAD_BYTES: usize = 300;

/// How far from the start of a file a notice of copyright may stand.
const NOTICE_BYTES_MAX: usize = 700;

/// How far comments above the first code may say so, one after the other: the first of them is mostly a licence.
const HEADING_BYTES_MAX: usize = 1_200;

/// Files that work in the root of a repository only, and beginnings of their paths.
const ROOT_FILES: &[&str] = &[".github/workflows/", ".gitlab-ci.yml", ".travis.yml", "release-please-config.json"];

/// Parts of what bundlers write above what they put together, and of what minifiers keep.
const PUBLISHED: &[&str] =
    &["webpackBootstrap", "webpackUniversal", "(function(){function r(e,n,t)", "(function (global, factory)"];

/// Words of a notice that gives up all rights, in small letters. Who does so hardly owns a project of many files: such a file
/// was written to be copied, and was.
const GIVEN_AWAY: &[&str] = &["public domain", "disclaims copyright"];

/// What a notice says of a file that was taken over as it is, in small letters.
const TAKEN_OVER: &[&str] =
    &["copied verbatim from", "repackaged from", "repackaged version of", "vendored copy of", "vendored from"];

/// The same, where the address or the full name of something else must follow: of what is copied from another file of the project,
/// the project has the rest too.
const TAKEN_FROM: &[&str] = &["copied from", "forked and adapted from", "forked and trimmed from", "forked from"];

/// How the address or full name of a library begins.
const ELSEWHERE: &[&str] = &["com.", "git@", "github.com/", "http://", "https://", "io.", "net.", "org."];

/// How far from the start of a file a comment may say where it is from: below its licence and imports.
const TAKEN_BYTES_MAX: usize = 2_500;

/// Words of a notice, in small letters.
const LICENSED: &[&str] = &["copyright", "licence", "license"];

impl File<'_> {
    /// Whether others wrote the file: a copy of a library, by its folder, its name or the notice at its top.
    pub(crate) fn is_foreign(&self) -> bool {
        *self.known.is_foreign.get_or_init(|| self.looks_foreign())
    }

    fn looks_foreign(&self) -> bool {
        let path = self.source.path;
        let is_script = || matches!(paths::extension(path), Some("cjs" | "css" | "js" | "mjs"));
        paths::is_foreign(path) || (is_script() && is_published(self)) || is_given_away(self) || is_copied_from_go(self)
    }

    /// The first bytes of the text, not more than `max`.
    fn head(&self, max: usize) -> &str {
        let text = &self.source.text;
        &text[..text.floor_char_boundary(max)]
    }
}

/// Folders, each with a `/` behind it, that hold another project as a whole: its licence, and what works in the root of
/// a repository only.
pub(crate) fn whole_projects(paths: &BTreeSet<String>) -> BTreeSet<&str> {
    let folder = |path: &String, file: &str| {
        let at = if file.ends_with('/') { path.find(file) } else { path.strip_suffix(file).map(str::len) };
        at.filter(|at| path[..*at].ends_with('/'))
    };
    let of = |path| ROOT_FILES.iter().find_map(|file| folder(path, file));
    let has_licence = |folder: &&str| {
        let begin = format!("{folder}LICEN");
        paths.range(begin.clone()..).next().is_some_and(|next| next.starts_with(&begin))
    };
    paths.iter().filter_map(|path| path.get(..of(path)?)).filter(has_licence).collect()
}

/// Whether a script or style sheet begins like a library as it is published. Who works on a library has its number elsewhere.
fn is_published(file: &File<'_>) -> bool {
    let head = file.head(LIBRARY_HEAD_BYTES);
    let is_plugin = paths::file_name(file.source.path).starts_with("jquery.");
    if is_plugin || head.starts_with("/*!") || PUBLISHED.iter().any(|mark| head.contains(mark)) {
        return true;
    }
    let notice = notice(file);
    LICENSED.iter().any(|word| notice.contains(word)) && names_a_release(&notice)
}

/// Whether a notice at the top of the file gives up all rights, or says where the file was taken from.
fn is_given_away(file: &File<'_>) -> bool {
    let gives = |notice: &str| GIVEN_AWAY.iter().chain(TAKEN_OVER).any(|words| notice.contains(words));
    gives(&notice(file)) || gives(&heading(file)) || is_taken_from_elsewhere(file)
}

/// Whether one of the first comments, no part of an indented block, says that the file was taken from another project. Right above a
/// function it speaks of that alone.
fn is_taken_from_elsewhere(file: &File<'_>) -> bool {
    let text: &str = &file.source.text;
    let first = file.outline.functions.iter().map(|function| function.span.start).min().unwrap_or(text.len());
    let comments = file.outline.comments.iter().take_while(|one| one.start < TAKEN_BYTES_MAX && one.end <= first);
    let at_line_start = comments.filter(|one| one.start == 0 || text.as_bytes().get(one.start - 1) == Some(&b'\n'));
    let is_of_file = |one: &&Span| {
        let between = text.get(one.end..first).unwrap_or_default();
        !between.trim().is_empty() || between.matches('\n').count() > 1 || first == text.len()
    };
    at_line_start.filter(is_of_file).map(|comment| file.text(comment)).any(|comment| {
        let comment = comment[..comment.floor_char_boundary(TAKEN_BYTES_MAX)].to_ascii_lowercase();
        TAKEN_FROM.iter().any(|words| {
            let mut behind = comment.match_indices(words).map(|(at, _)| comment[at + words.len()..].trim_start());
            behind.any(|rest| ELSEWHERE.iter().any(|start| rest.starts_with(start)))
        })
    })
}

/// The first comments of the file, in small letters.
fn notice(file: &File<'_>) -> String {
    let comments = file.outline.comments.iter().take_while(|comment| comment.start < NOTICE_BYTES_MAX);
    let end = comments.last().map_or(0, |comment| comment.end.min(NOTICE_BYTES_MAX));
    let start = file.outline.comments.first().map_or(0, |comment| comment.start.min(end));
    let text = &file.source.text;
    text[text.floor_char_boundary(start)..text.floor_char_boundary(end)].to_ascii_lowercase()
}

/// The comments above the first code, in small letters.
fn heading(file: &File<'_>) -> String {
    let end = file.comments_above_code().last().map_or(0, |last| last.end);
    let head = file.head(HEADING_BYTES_MAX);
    head.get(..end).unwrap_or(head).to_ascii_lowercase()
}

/// Whether `notice` has the number of a release in three parts: `v2.1.9`, `Version: 1.0.9`. Those of licences have two.
fn names_a_release(notice: &str) -> bool {
    let is_apart = |at: usize| !notice[..at].ends_with(|c: char| c.is_alphanumeric());
    notice.match_indices('v').filter(|(at, _)| is_apart(*at)).any(|(at, _)| {
        let rest = &notice[at + 1..];
        let rest = rest.strip_prefix("ersion").unwrap_or(rest).trim_start_matches([':', ' ']);
        let number = rest.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default();
        number.split('.').filter(|part| !part.is_empty()).count() > 2
    })
}

/// Whether a file in Go says to be of the authors of the language, and uses what neither they wrote nor the language has.
fn is_copied_from_go(file: &File<'_>) -> bool {
    let is_elsewhere = |module: &str| {
        let host = module.trim_matches('"').split('/').next().unwrap_or_default();
        host.contains('.') && !host.starts_with('.') && host != "golang.org"
    };
    paths::extension(file.source.path) == Some("go")
        && file.head(NOTICE_BYTES_MAX).contains(" The Go Authors")
        && file.outline.imports.iter().any(|import| is_elsewhere(file.text(&import.module)))
}

#[cfg(test)]
mod tests {
    use super::whole_projects;
    use crate::pass;
    use crate::rules::testing;

    #[track_caller]
    fn check(path: &str, text: &str, expected: bool) {
        let source = testing::file(path, text);
        assert_eq!(pass::read(&source, None).unwrap().is_foreign(), expected, "{path}: {text}");
    }

    #[test]
    fn what_was_given_away_was_copied() {
        check("a.h", "/*\n** 2001-09-15\n**\n** The author disclaims copyright to this code.\n*/\nint a;\n", true);
        check("A.java", "/* Written by Cart, released to the public domain. */\nclass A {}\n", true);
        check("a.py", "# Placed in the Public Domain.\na = 1\n", true);
        check("a.py", "# Copied from https://example.com/cart/a.py\na = 1\n", true);
        check("a.py", "# Vendored copy of cart 1.2.\na = 1\n", true);
        let java = |from: &str| {
            format!(
                "package a;\n\nimport b.C;\n\n/**\n * A list.\n *\n * <p>Mostly forked and trimmed from {from}\n */\nclass A {{}}\n"
            )
        };
        check("A.java", &java("com.example.cart.List"), true);
        check("A.java", &java("List"), false);
        check("a.c", "int a;\n\n// Copied from https://example.com/cart/a.c\n\nint b(void) { return 1; }\n", true);
        check("a.c", "int a;\n\n// Copied from https://example.com/cart/a.c\nint b(void) { return 1; }\n", false);
        check("a.c", "// Copied from util.c\nint b(void) { return 1; }\n", false);
        check("a.py", "# Values are copied from the table.\na = 1\n", false);
        check("a.py", "a = 'in the public domain'\n", false);
        check("a.py", &format!("# a\n{}# in the public domain\n", "a = 1\n".repeat(200)), false);
    }

    #[test]
    fn what_is_given_away_below_a_licence_is_told_above_the_first_code() {
        let of = |between: &str| {
            let licence = format!("/*\n{} */\n", " * A licence of many lines, as it is meant to be.\n".repeat(17));
            format!("{licence}{between}\n/*\n * Released to the public domain.\n */\npackage a;\nclass A {{}}\n")
        };
        check("A.java", &of(""), true);
        check("A.java", &of("class B {}"), false);
    }

    #[test]
    fn another_project_has_its_licence_and_what_works_in_a_root() {
        let found = |paths: &[&str]| {
            let paths = paths.iter().map(|path| (*path).to_owned()).collect();
            whole_projects(&paths).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(found(&["LICENSE", "a/LICENSE", "a/.github/workflows/b.yml", "c/LICENSE"]), ["a/"]);
        assert_eq!(found(&["d/a/LICENCE.md", "d/a/release-please-config.json"]), ["d/a/"]);
        assert!(found(&["LICENSE", ".travis.yml", "a/.travis.yml", "b/LICENSE", "b/x.travis.yml"]).is_empty());
    }

    #[test]
    fn scripts_with_licence_and_release_are_published() {
        let of = |lines: &str| format!("/**\n * Cart\n{lines} */\nb();\n");
        check("a.js", &of(" * v2.1.9\n * Copyright 2013, Cart\n"), true);
        check("a.css", &of(" * @version 1.0.9\n * Released under the MIT license\n"), true);
        check("a.js", &of(" * Version: 1.0.9\n * Copyright 2013, Cart\n"), true);
        check("a.js", &of(" * Licensed under the Apache License, Version 2.0\n"), false);
        check("a.js", &of(" * @deprecated in Cart v8.53.0\n"), false);
        check("a.py", "# v2.1.9\n# Copyright 2013, Cart\na = 1\n", false);
        check("a.js", "(function (global, factory) {\n  a();\n})(this, b);\n", true);
        check("a.js", "(function (root) {\n  a();\n})(this);\n", false);
    }

    #[test]
    fn copies_from_the_library_of_go_use_what_it_has_not() {
        let of = |by: &str, module: &str| {
            format!("// Copyright 2011 {by}. All rights reserved.\n\npackage a\n\nimport \"{module}\"\n")
        };
        check("a.go", &of("The Go Authors", "example.com/cart/parse"), true);
        check("a.go", &of("The Go Authors", "text/template/parse"), false);
        check("a.go", &of("The Cart Authors", "example.com/cart/parse"), false);
    }
}
