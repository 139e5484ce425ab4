//! What a file makes machines do: read once for every rule.

pub(crate) mod gates;
pub(crate) mod github;
mod gitlab;
pub(crate) mod image;
pub(crate) mod pipeline;
pub(crate) mod script;
pub(crate) mod shell;
mod yaml;

use crate::source::Source;
use crate::{languages, paths};
use image::Image;
use pipeline::Pipeline;
use script::Script;
use yaml::Tree;

/// What a file makes machines do.
#[derive(Debug)]
pub(crate) enum Automation {
    /// Jobs of continuous integration.
    Pipeline(Pipeline),
    /// Commands for people, hooks and pipelines.
    Script(Script),
    /// A container image.
    Image(Image),
    /// Something that could not be read, and why.
    Unread(String),
}

/// Directories whose workflows run. Elsewhere they are somebody's example.
const WORKFLOW_DIRECTORIES: &[&str] = &[".forgejo/workflows/", ".gitea/workflows/", ".github/workflows/"];

/// Names of makefiles.
const MAKEFILES: &[&str] = &["GNUmakefile", "Makefile", "makefile"];

/// Extensions of shell scripts.
const SHELL_EXTENSIONS: &[&str] = &["bash", "ksh", "sh", "zsh"];

/// Programs that run shell scripts.
const SHELLS: &[&str] = &["ash", "bash", "dash", "ksh", "sh", "zsh"];

/// Directories of git hooks that travel with a repository.
const HOOK_DIRECTORIES: &[&str] = &[".githooks", ".husky", "git-hooks", "githooks"];

/// Reads `source`, if its name says that it is one of these.
pub(crate) fn read(source: &Source<'_>) -> Option<Automation> {
    let (path, text) = (source.path, source.text.as_ref());
    let (name, extension) = (paths::file_name(path), paths::extension(path).unwrap_or_default());
    let is_yaml = extension == "yml" || extension == "yaml";
    if is_yaml && WORKFLOW_DIRECTORIES.iter().any(|directory| path.starts_with(directory)) {
        return tree(text, |tree| github::workflow(text, tree.root()?).map(Automation::Pipeline));
    }
    if name == "action.yml" || name == "action.yaml" {
        return tree(text, |tree| github::action(text, tree.root()?).map(Automation::Pipeline));
    }
    if is_yaml && (name.ends_with(".gitlab-ci.yml") || path.starts_with(".gitlab/ci/")) {
        return tree(text, |tree| gitlab::pipeline(text, tree.root()?).map(Automation::Pipeline));
    }
    if name == "package.json" {
        return tree(text, |tree| script::npm(text, tree.root()?).map(Automation::Script));
    }
    if MAKEFILES.contains(&name) || extension == "mk" {
        return Some(Automation::Script(script::makefile(text)));
    }
    if is_recipe(name, extension) {
        return image::read(text).map(Automation::Image);
    }
    is_shell(path, text).then(|| Automation::Script(script::shell(text)))
}

fn tree(text: &str, read: impl FnOnce(&Tree) -> Option<Automation>) -> Option<Automation> {
    match Tree::read(text) {
        Ok(tree) => read(&tree),
        Err(reason) => Some(Automation::Unread(reason)),
    }
}

fn is_recipe(name: &str, extension: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    let is_named = stem == "Dockerfile" || stem == "Containerfile";
    is_named || ["dockerfile", "containerfile"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn is_shell(path: &str, text: &str) -> bool {
    match (languages::interpreter(text), paths::extension(path)) {
        (Some(program), _) => SHELLS.contains(&program),
        (None, Some(extension)) => SHELL_EXTENSIONS.contains(&extension),
        (None, None) => paths::has_directory(path, HOOK_DIRECTORIES),
    }
}
