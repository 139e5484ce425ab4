//! Comments that tell of code in a way that no code of the file has.

use super::Line;
use crate::paths;
use crate::rules::File;

/// Tags of documentation in Ruby.
const TAGS: &[&str] =
    &["@api ", "@example", "@note ", "@option ", "@overload ", "@param ", "@private", "@raise ", "@return ", "@yield"];

/// Extensions of languages in which `def a():` opens a function.
const DEF_EXTENSIONS: &[&str] = &["bzl", "mojo", "nim", "py", "pyi", "pyw", "pyx", "scala"];

/// Whether `block` documents by tags, as YARD does for Ruby: `@param [String] name`, with an example below it.
pub(super) fn is_tagged(file: &File<'_>, block: &[Line]) -> bool {
    let is_ruby = paths::extension(file.source.path) == Some("rb");
    is_ruby && block.iter().any(|line| TAGS.iter().any(|tag| file.text(&line.span).starts_with(tag)))
}

/// Whether `block` begins with a function of a language that specifications are written in, and the file is in another.
pub(super) fn is_pseudocode(file: &File<'_>, block: &[Line]) -> bool {
    let extension = paths::extension(file.source.path).unwrap_or_default();
    let first = block.iter().find(|line| !line.span.is_empty()).map_or("", |line| file.text(&line.span));
    first.starts_with("def ") && first.ends_with(':') && DEF_EXTENSIONS.iter().all(|own| *own != extension)
}
