//! Links that lead nowhere, and those that only look so.

use std::collections::BTreeSet;

use schemas::severity::Severity::Medium;

use super::*;
use crate::rules::testing::{check_tree, line, path, tree, tree_findings};

/// The lines of `README.md` with links that lead nowhere, beside these other files.
#[track_caller]
fn check(text: &str, others: &[&str], lines: &[u32]) {
    let others = others.iter().map(|path| (*path, "# Setup\n\n## On Linux\n"));
    let files: Vec<(&str, &str)> = std::iter::once(("README.md", text)).chain(others).collect();
    let expected: Vec<_> = lines.iter().map(|line| ("README.md", *line, Medium)).collect();
    check_tree(&RULE, &files, &expected);
}

#[test]
fn files_that_are_not_there() {
    check("# A\n[a](docs/b.md)\n", &["docs/c.md"], &[2]);
    check("![a](img/b.png)\n", &["img/c.png"], &[1]);
    check("See [a] and [a][].\n\n[a]: docs/b.md\n", &["docs/c.md"], &[3]);
    check("<img src=\"img/b.png\">\n", &["img/c.png"], &[1]);
    check("[a](docs/b.md)\n[c](docs/d.md)\n", &["docs/c.md"], &[1, 2]);
    check("[a](LICENSE)\n", &["LICENSE.txt"], &[1]);
}

#[test]
fn files_and_folders_that_are_there() {
    check("[a](docs/b.md) ![b](./img/c%20d.png) [e](docs) [f](docs/) [g](.)\n", &["docs/b.md", "img/c d.png"], &[]);
    check("[a](https://example.org/b.md) [b](/c.md) [d](../../wiki) <https://example.org>\n", &[], &[]);
    check("`[a](docs/b.md)`\n\n```\n[a](docs/b.md)\n```\n\n<!-- [a](docs/b.md) -->\n", &[], &[]);
    check("[a]({{ url }}/b.md) [b](path/to/file) list[0](value)\n", &[], &[]);
    check("[a][b]\n\n[b]: docs/c.md\n[unused]: docs/d.md\n", &["docs/c.md"], &[]);
    check("[a](docs/page) [b](docs/other.html)\n", &["docs/page.md", "docs/other.md"], &[]);
}

#[test]
fn headings_that_are_not_there() {
    check("[a](docs/b.md#on-windows)\n", &["docs/b.md"], &[1]);
    check("# One\n\n[a](#two)\n", &[], &[3]);
    check("# One\n\n# One\n\n[a](#one-1) [b](#one-2)\n", &[], &[5]);
    check("```\n# One\n```\n\n[a](#one)\n", &[], &[5]);
}

#[test]
fn headings_that_are_there() {
    check("[a](docs/b.md#on-linux) [b](docs/b.md#On-Linux) [c](docs/b.md#L3)\n", &["docs/b.md"], &[]);
    check("# What's `new` in 2.0?\n\n[a](#whats-new-in-20) [b](#top) [c](#)\n", &[], &[]);
    check("<a id=\"one\"></a>\n\n<h2>Two three</h2>\n\n[a](#one) [b](#two-three)\n", &[], &[]);
    check("# Über uns\n\n[a](#%C3%BCber-uns) [b](#über-uns)\n", &[], &[]);
    // What is no document has places that nobody knows.
    check("[a](src/b.rs#L10) [b](docs/c.html#d)\n", &["src/b.rs", "docs/c.html"], &[]);
}

#[test]
fn what_a_package_or_a_part_leaves_out_is_not_missed() {
    let text = "[a](CONTRIBUTING.md) [b](docs/b.md)\n";
    check(text, &["docs/c.md", "package.json"], &[]);
    check(text, &["docs/c.md", "Cargo.toml", ".cargo_vcs_info.json", ".gitignore"], &[]);
    check(text, &["docs/c.md", "package.json", ".gitignore"], &[1, 1]);
    check("[b](docs/b.md)\n", &["src/a.rs"], &[]);
}

#[test]
fn what_holds_on_a_site_is_left_alone() {
    let run = |link: &str, expected: &[_]| {
        let text = format!("[a]({link})\n");
        check_tree(&RULE, &[("docs/query/a.md", &text), ("docs/flags.md", "# F\n"), ("b.md", "# B\n")], expected);
    };
    run("../../flags.md#f", &[]);
    run("../basics/#range", &[]);
    run("../../flag.md", &[("docs/query/a.md", 1, Medium)]);
}

#[test]
fn what_a_program_writes_between_its_marks_is_left_alone() {
    let of =
        |start: &str, end: &str| format!("# A\n\n<!-- {start} - do not change -->\n\n[a](#b-c)\n\n<!-- {end} -->\n");
    check(&of("PEOPLE-LIST:START", "PEOPLE-LIST:END"), &[], &[]);
    check(&of("people_start", "people_end"), &[], &[]);
    check(&of("PEOPLE-LIST:START", "OTHER:END"), &[], &[5]);
    check(&of("toc:start", "toc:end"), &[], &[5]);
    check(&of("We start", "We end"), &[], &[5]);
    check(&format!("{}\n[a](#b-c)\n", of("A:START", "A:END")), &[], &[9]);
    let table = "# A\n\n<!-- P:START -->\n<!-- other -->\n<table>\n <tr><td><a href=\"#b-c\">b</a></td></tr>\n</table>\n\n<!-- P:END -->\n";
    check(table, &[], &[]);
    check(&table.replace("P:END", "Q:END"), &[], &[6]);
}

#[test]
fn documents_as_they_are_installed_have_no_tree() {
    let text = "[a](A.md)\n";
    check_tree(&RULE, &[("share/doc/cart/b.md", text), ("share/doc/cart/c.md", "# C\n")], &[]);
    let expected = [("share/docs/cart/b.md", 1, Medium)];
    check_tree(&RULE, &[("share/docs/cart/b.md", text), ("share/docs/cart/c.md", "# C\n")], &expected);
}

#[test]
fn other_projects_that_a_folder_holds_are_left_alone() {
    let run = |beside: &str, expected: &[_]| {
        check_tree(&RULE, &[("a/b.md", "[b](#c)\n"), ("a/LICENSE", ""), (beside, "")], expected);
    };
    run("a/.github/workflows/d.yml", &[]);
    run("a/.github/d.yml", &[("a/b.md", 1, Medium)]);
}

#[test]
fn an_anchor_is_told_as_it_is_written() {
    let found = tree_findings(&RULE, &tree(&RULE, &[("a.md", "# A\n\n[b](#400---2022-02-25)\n")]));
    assert_eq!(found[0].message, "`a.md` has no heading or anchor `#400---2022-02-25`");
}

#[test]
fn a_name_in_other_letters_is_told() {
    let found = tree_findings(&RULE, &tree(&RULE, &[("a.md", "[b](docs/B.md)\n"), ("docs/b.md", "# B\n")]));
    assert_eq!(found[0].message, "`docs/B.md` is not in the repository; `docs/b.md` is, in other letters");
    assert_eq!(found[0].snippet, "[b](docs/B.md)");
}

#[test]
fn documents_that_are_shown_elsewhere_are_left_alone() {
    let text = "[a](b.png) [c](d) [e](f.md#g)\n";
    for path in [
        "tests/fixtures/a.md",
        ".github/PULL_REQUEST_TEMPLATE.md",
        "blog/_posts/a.md",
        "templates/a.md",
        "CHANGELOG.md",
        "docs/release-notes/1.md",
    ] {
        check_tree(&RULE, &[(path, text)], &[]);
    }
    for site in ["docs/mkdocs.yml", "docs/.vitepress/config.ts", "mkdocs.yml"] {
        check_tree(
            &RULE,
            &[("docs/a.md", "[a](b.png) [c](Page) [e](f.md#g)\n"), ("docs/f.md", "# F\n"), (site, "")],
            &[],
        );
        check_tree(&RULE, &[("docs/a.md", "[a](b.md)\n"), (site, "")], &[("docs/a.md", 1, Medium)]);
    }
    // The generator of one folder says nothing of another, and the forge shows what is in the root.
    check_tree(&RULE, &[("a.md", "[a](b.png)\n"), ("mkdocs.yml", "")], &[("a.md", 1, Medium)]);
    check_tree(&RULE, &[("a/b.md", "[a](b.png)\n"), ("site/book.toml", "")], &[("a/b.md", 1, Medium)]);
}

#[test]
fn what_nobody_looked_into_may_be_there() {
    let mut whole = tree(&RULE, &[("a.md", "[a](vendor/b.md) [c](sub/d.md) [e](gone/f.md)\n")]);
    whole.paths.extend(["vendor/".to_owned(), "sub".to_owned(), "gone/e.md".to_owned()]);
    let found = tree_findings(&RULE, &whole);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].message.contains("gone/f.md"));
}

#[test]
fn an_audit_of_a_change_speaks_of_changed_documents_only() {
    let mut whole = tree(&RULE, &[("a.md", "[b](b.png)\n"), ("c.md", "[b](b.png)\n")]);
    whole.changed = Some(BTreeSet::from(["c.md".to_owned()]));
    let found = tree_findings(&RULE, &whole);
    assert_eq!(found.iter().map(|one| (path(one), line(one))).collect::<Vec<_>>(), [("c.md", 1)]);
}

#[test]
fn of_too_many_links_the_rest_is_told() {
    let source = crate::rules::testing::file("a.md", "[b](b.png)\n".repeat(LINKS_MAX + 3));
    let mut told = Told::default();
    collect(&crate::pass::read(&source, None).unwrap(), &mut told);
    assert_eq!(told.facts.document.unwrap().links.len(), LINKS_MAX);
    assert_eq!(told.notes, ["3 links to files beyond the limit of 1000 are left out"]);
}
