//! Links in documents that lead nowhere.

mod generated;
mod target;

use std::cell::LazyCell;
use std::collections::{BTreeSet, HashMap};

use schemas::facts::{Document, Link, Tree};
use schemas::packed::Names;
use schemas::severity::Severity;
use xxhash_rust::xxh3::xxh3_64;

use crate::rules::foreign::whole_projects;
use crate::rules::{Check, File, Findings, Hit, Place, Told, rule};
use crate::{markdown, paths};
use target::Target;

rule!(
    /// ## What it finds
    /// Links and images in Markdown documents that lead to a file or folder of the repository which is not there, and links to a
    /// heading that the document they lead to does not have. HTML (`<a href>`, `<img src>`) counts too, and what several references
    /// share is reported once, where it is defined.
    ///
    /// Addresses, paths that begin with `/` and those that lead out of the repository are left alone, and so are code,
    /// templates, tests, posts, histories of changes, and what looks like a placeholder. Headings are compared as
    /// forges write them, and explicit `<a id>` count. A file is missed only where its folder is there: a copy of a
    /// part of a repository, or a package, leaves whole folders out. In a published package, and by documents as they
    /// are installed (`share/doc/`), no file is missed. Other projects that a folder holds as a whole (`LICENSE` and
    /// `.github/workflows/`), and what a program writes between its marks (`<!-- NAME:START -->`), are left alone.
    /// Addresses of pages (`../basics/#part`), and paths that hold from the folder that a site makes of the page, are
    /// left alone. Where a site generator is at work, only links to Markdown files are looked at: it alone knows the
    /// rest.
    ///
    /// ## Why it matters
    /// Whoever follows it was looking for help, and finds an error instead. It also tells that nobody read the document since
    /// the file moved.
    ///
    /// ## Example
    /// ```text
    /// See [how to install](docs/instal.md#linux).
    /// ```
    ///
    /// ## How to fix
    /// Let it lead to where the file or heading is now, or take the link away.
    "sages/broken-doc-link", Sages, Medium, version: 3, Check::Tree { facts_version: 2, collect, judge }
);

/// Links of one document that are looked at: a long list of everything has some hundred.
const LINKS_MAX: usize = 1_000;

/// Places of one document: with more of them it was made by a program, and no place in it is judged.
const ANCHORS_MAX: usize = 10_000;

/// Parts of paths of documents that are shown elsewhere than where they stand.
const MOVED: &[&str] =
    &["_drafts/", "_includes/", "_layouts/", "_posts/", "partials/", "scaffold", "skeleton", "template", "{{"];

/// Beginnings of names of documents, or folders of them, that tell what was changed when.
const HISTORIES: &[&str] =
    &["changelog", "changes", "history", "news", "release-notes", "release_notes", "releasenotes", "releases"];

/// Files that say that a program makes a site of the documents beside and below them.
const SITE_FILES: &[&str] = &[
    "_config.yml",
    "antora.yml",
    "astro.config.mjs",
    "astro.config.ts",
    "book.toml",
    "conf.py",
    "config.toml",
    "docusaurus.config.js",
    "docusaurus.config.ts",
    "gatsby-config.js",
    "hugo.toml",
    "hugo.yaml",
    "mkdocs.yml",
    "mkdocs.yaml",
    "next.config.js",
    "next.config.mjs",
    "sidebars.js",
    "zensical.toml",
];

/// Files that only packages have.
const PACKAGE_FILES: &[&str] = &[".cargo_vcs_info.json", "Cargo.toml.orig", "META-INF/MANIFEST.MF", "PKG-INFO"];

/// Files of which every repository of that kind has one.
const MANIFESTS: &[&str] = &["Cargo.toml", "composer.json", "package.json", "pyproject.toml", "setup.py"];

/// Beginnings of paths that are there for those who work on a repository, and that packages leave out.
const REPOSITORY_MARKS: &[&str] = &[
    ".circleci/",
    ".editorconfig",
    ".git",
    ".pre-commit-config.yaml",
    ".travis.yml",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
];

/// Folders of documents as they are installed, without what stood around them.
const INSTALLED: &[&str] = &["share/doc/"];

/// Folders that say the same of the folder that they are in.
const SITE_FOLDERS: &[&str] = &["/.vitepress/", "/.vuepress/"];

/// What a path without an extension may stand for, where pages have addresses of their own.
const PAGE_ENDS: &[&str] = &[".md", ".mdx", ".markdown", ".rst", "/index.md", "/index.mdx", "/README.md", "/_index.md"];

fn hash(anchor: &str) -> u32 {
    // The low half: names are packed as 32 bits.
    (xxh3_64(anchor.as_bytes()) & u64::from(u32::MAX)).try_into().unwrap_or_default()
}

fn collect(file: &File<'_>, told: &mut Told) -> bool {
    let path = file.source.path;
    if !markdown::is_markdown(path) {
        return false;
    }
    let document = markdown::read(&file.source.text);
    let mut anchors: Vec<u32> = document.anchors.iter().map(|anchor| hash(anchor)).collect();
    anchors.sort_unstable();
    anchors.dedup();
    let moved = path.to_ascii_lowercase();
    let is_moved = is_history(path) || paths::is_test(path) || MOVED.iter().any(|part| moved.contains(part));
    let all = if is_moved { Vec::new() } else { document.links };
    let made = generated::spans(&file.source.text, &document.comments);
    let is_made = |at: usize| made.iter().any(|span| span.contains(&at));
    let links = all.into_iter().filter(|link| !is_made(link.span.start)).filter_map(|link| {
        let Target { path: to, anchor } = target::resolve(path, &link.target)?;
        // Most links within a document are well, and then there is nothing to tell.
        let is_here = to == path && anchor.as_ref().is_none_or(|anchor| document.anchors.contains(anchor));
        // The link itself is shown, and not the paragraph that it is in.
        (!is_here).then(|| Link { path: to, anchor, spot: file.spot_alone(link.span.clone()) })
    });
    let links = links.collect();
    let anchors = if anchors.len() > ANCHORS_MAX {
        told.notes.push(format!("more than {ANCHORS_MAX} headings; links to them are not judged"));
        None
    } else {
        Some(Names(anchors))
    };
    let links = told.at_most(LINKS_MAX, links, "links to files");
    told.facts.document = Some(Document { anchors, links });
    true
}

/// Whether the document tells what was changed when: its links were right then, and nobody mends old entries.
fn is_history(path: &str) -> bool {
    let name = paths::file_name(path).to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    let is_named = |part: &str| HISTORIES.iter().any(|word| part.starts_with(word));
    is_named(stem) || path.to_ascii_lowercase().rsplit('/').skip(1).any(is_named)
}

fn judge(tree: &Tree, found: &mut Findings<'_>) {
    let documents: HashMap<&str, &Document> =
        tree.files.iter().filter_map(|file| Some((file.path.as_str(), file.facts.document.as_ref()?))).collect();
    let sites = sites(&tree.paths);
    let copies = whole_projects(&tree.paths);
    let by_lower = LazyCell::new(|| by_lower(&tree.paths));
    let is_package = is_package(&tree.paths);
    let is_asked = |path: &str| tree.is_asked(path) && !paths::is_below(path, &copies);
    for file in tree.files.iter().filter(|file| is_asked(&file.path)) {
        let Some(document) = &file.facts.document else { continue };
        let in_site = is_in_site(&file.path, &sites);
        for link in &document.links {
            let problem = if in_site && !markdown::is_markdown(&link.path) {
                None
            } else if !is_there(&tree.paths, &link.path) {
                if is_package || may_hold(&tree.paths, &file.path, link) {
                    continue;
                }
                let other = by_lower.get(&link.path.to_lowercase());
                Some((900, missing(&link.path, other.copied())))
            } else if in_site {
                None
            } else {
                lacking(link, documents.get(link.path.as_str()).copied()).map(|message| (800, message))
            };
            if let Some((confidence_permille, message)) = problem {
                found.push(Hit {
                    place: Place::of_spot(&file.path, &link.spot),
                    severity: Severity::Medium,
                    confidence_permille,
                    message,
                    suggestion: "let it lead to where that is now, or take the link away",
                });
            }
        }
    }
}

fn missing(path: &str, other: Option<&str>) -> String {
    match other {
        Some(other) => format!("`{path}` is not in the repository; `{other}` is, in other letters"),
        None => format!("`{path}` is not in the repository"),
    }
}

/// What to say if the link leads to a place that its document does not have.
fn lacking(link: &Link, document: Option<&Document>) -> Option<String> {
    let (anchor, anchors) = (link.anchor.as_ref()?, document?.anchors.as_ref()?);
    let is_lacking = anchors.0.binary_search(&hash(anchor)).is_err();
    let as_written = target::written(&link.spot.snippet, anchor).unwrap_or(anchor);
    is_lacking.then(|| format!("`{}` has no heading or anchor `#{as_written}`", link.path))
}

/// Folders in which a site generator is at work.
fn sites(paths: &BTreeSet<String>) -> BTreeSet<&str> {
    let of = |path: &String| -> Option<usize> {
        let name = paths::file_name(path);
        if SITE_FILES.contains(&name) {
            return Some(path.len() - name.len());
        }
        let folder = SITE_FOLDERS.iter().find_map(|folder| path.find(folder).map(|at| at + 1));
        folder.or_else(|| SITE_FOLDERS.iter().any(|folder| path.starts_with(&folder[1..])).then_some(0))
    };
    paths.iter().filter_map(|path| path.get(..of(path)?)).collect()
}

/// Whether a document is made into a page of one of `sites`. What lies in the root of a repository is shown by its forge too.
fn is_in_site(path: &str, sites: &BTreeSet<&str>) -> bool {
    (path.contains('/') && sites.contains("")) || paths::is_below(path, sites)
}

/// Whether the files are those of a published package, which leaves out what its users do not need.
fn is_package(paths: &BTreeSet<String>) -> bool {
    let has = |names: &[&str]| names.iter().any(|name| paths.contains(*name));
    let is_marked = |mark: &&str| paths.range((**mark).to_owned()..).next().is_some_and(|next| next.starts_with(*mark));
    has(PACKAGE_FILES) || (has(MANIFESTS) && !REPOSITORY_MARKS.iter().any(is_marked))
}

/// Whether a link of the document `from` to what is not there may hold all the same: nobody can see the folder that it should
/// stand in, or it is written for the site that is made of the document.
fn may_hold(paths: &BTreeSet<String>, from: &str, link: &Link) -> bool {
    let folder = link.path.rsplit_once('/').map(|(folder, _)| format!("{folder}/"));
    let is_left_out = folder
        .is_some_and(|folder| !paths.range(folder.clone()..).next().is_some_and(|next| next.starts_with(&folder)));
    let is_page = link.anchor.is_some() && paths::extension(&link.path).is_none();
    // A page is a folder of its own there, so that everything is one folder further up.
    let mut folders = from.match_indices('/').map(|(at, _)| &from[..=at]);
    let is_installed = INSTALLED.iter().any(|folder| from.starts_with(folder) || from.contains(&format!("/{folder}")));
    is_left_out || is_page || is_installed || folders.any(|folder| paths.contains(&format!("{folder}{}", link.path)))
}

/// Every path by its lower case, of equal ones the first.
fn by_lower(paths: &BTreeSet<String>) -> HashMap<String, &str> {
    paths.iter().rev().map(|path| (path.to_lowercase(), path.as_str())).collect()
}

/// Whether a file or folder of this path is there, or may be: within what was not looked into, or as a page.
fn is_there(paths: &BTreeSet<String>, path: &str) -> bool {
    let is_folder = |path: &str| {
        let inside = format!("{path}/");
        paths.range(inside.clone()..).next().is_some_and(|next| next.starts_with(&inside))
    };
    let is_known = |path: &str| paths.contains(path) || is_folder(path);
    if path.is_empty() || is_known(path) {
        return true;
    }
    // Links, submodules and folders that nobody opened.
    let is_closed = |(at, _): (usize, &str)| paths.contains(&path[..at]) || paths.contains(&path[..=at]);
    if path.match_indices('/').any(is_closed) {
        return true;
    }
    let page = path.strip_suffix(".html").or_else(|| path.strip_suffix(".htm"));
    let page = page.or_else(|| paths::extension(path).is_none().then_some(path));
    page.is_some_and(|page| PAGE_ENDS.iter().any(|end| is_known(&format!("{page}{end}"))))
}

#[cfg(test)]
#[path = "broken_doc_link/tests.rs"]
mod tests;
