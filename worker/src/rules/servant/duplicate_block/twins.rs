//! Pairs of files that are meant to be alike.

use std::collections::BTreeSet;

use schemas::facts::FileFacts;

use crate::{names, paths};

/// Files of one folder whose names are compared.
const NAMES_MAX: usize = 500;

/// Directories of what is compiled from sources of the same name.
const COMPILED: &[&str] = &["build", "cjs", "compiled", "dist", "es", "esm", "lib", "out", "umd"];

/// Words of names of files that are there for one platform.
#[rustfmt::skip]
const PLATFORMS: &[&str] = &[
    "386", "aix", "amd64", "android", "arm", "arm64", "bsd", "darwin", "dragonfly", "fallback", "freebsd", "illumos", "ios", "js",
    "linux", "macos", "mips", "native", "netbsd", "openbsd", "plan9", "polyfill", "posix", "ppc64", "ppc64x", "riscv64", "s390x",
    "solaris", "unix", "wasi", "wasm", "web", "win", "win32", "windows", "x86",
];

/// Directories of programs as they are installed.
const INSTALLED: &[&str] = &["bin", "sbin"];

/// File names that two folders beside each other share if each is a whole implementation of the same.
const SHARED_NAMES_MIN: usize = 3;

/// Words of names of files that are there for one type of values, in languages or for speed that cannot do with one for all.
#[rustfmt::skip]
const TYPES: &[&str] = &[
    "bool", "boolean", "byte", "bytes", "char", "double", "f32", "f64", "float", "float32", "float64", "i16", "i32", "i64", "i8",
    "int", "int16", "int32", "int64", "int8", "integer", "long", "obj", "object", "ref", "short", "u16", "u32", "u64", "u8",
    "uint", "uint16", "uint32", "uint64", "uint8",
];

/// Whether two files are meant to be alike: each is for another platform or type of values, or one is compiled from the other.
pub(super) fn are_twins(one: &str, other: &str) -> bool {
    let stem = |path: &str| paths::file_name(path).split('.').next().unwrap_or_default().to_owned();
    let is_compiled = [one, other].iter().any(|path| paths::has_directory(path, COMPILED));
    let is_for_platform = |path: &str| {
        let name = paths::file_name(path);
        let name = name.rsplit_once('.').map_or(name, |(name, _)| name);
        name.split(['_', '-', '.']).skip(1).any(|word| PLATFORMS.contains(&word.to_ascii_lowercase().as_str()))
    };
    let is_source = |source: &str, made: &str| {
        let folders = source
            .strip_prefix("src/")
            .map(str::to_owned)
            .or_else(|| source.contains("/src/").then(|| source.replacen("/src/", "/", 1)));
        let bare = |path: &str| path.rsplit_once('.').map_or(path, |(bare, _)| bare).to_owned();
        let is_script = matches!(paths::extension(made), Some("cjs" | "js" | "mjs"));
        is_script && folders.is_some_and(|folders| bare(&folders) == bare(made))
    };
    is_source(one, other)
        || is_source(other, one)
        || (is_compiled && stem(one) == stem(other))
        || (is_for_platform(one) && is_for_platform(other))
        || are_specialised(one, other)
}

/// Whether two files are the same one of two implementations: each in a folder of its own, beside each other, with mostly the same
/// names in both.
pub(super) fn are_variants(paths: &BTreeSet<String>, one: &str, other: &str) -> bool {
    let (Some((one, name)), Some((other, other_name))) = (one.rsplit_once('/'), other.rsplit_once('/')) else {
        return false;
    };
    let above = |folder: &str| folder.rsplit_once('/').map(|(above, _)| above.to_owned());
    if name != other_name || one == other || above(one) != above(other) {
        return false;
    }
    let names = |folder: &str| -> BTreeSet<String> {
        let start = format!("{folder}/");
        let inside = paths.range(start.clone()..).take_while(|path| path.starts_with(&start)).take(NAMES_MAX);
        inside
            .filter_map(|path| path.strip_prefix(&start))
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
            .collect()
    };
    let (one, other) = (names(one), names(other));
    let shared = one.intersection(&other).count();
    shared >= SHARED_NAMES_MIN && shared * 2 >= one.len().max(other.len())
}

/// Whether one of two files is what the other is installed as: all of it is the same.
pub(super) fn is_installed(file: &FileFacts, other: &FileFacts) -> bool {
    let is_there = |path: &str| paths::has_directory(path, INSTALLED);
    let (one, two) = (&file.facts.windows.0, &other.facts.windows.0);
    is_there(&file.path) != is_there(&other.path)
        && one.len() == two.len()
        && one.iter().zip(two).all(|(one, two)| one.hash == two.hash && one.first_line == two.first_line)
}

/// Whether two files of one folder have names that differ only by the types of values: `IntArrayList` and
/// `FloatArrayList`, `ObjectMap` and `ObjectFloatMap`.
fn are_specialised(one: &str, other: &str) -> bool {
    let parts = |path: &str| {
        let name = paths::file_name(path);
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let (types, rest): (Vec<String>, Vec<String>) =
            names::words(stem).into_iter().partition(|word| TYPES.contains(&word.as_str()));
        let is_specialised = !types.is_empty() && !rest.is_empty();
        is_specialised.then(|| (path[..path.len() - name.len()].to_owned(), rest, extension.to_owned()))
    };
    parts(one).is_some_and(|one| parts(other).as_ref() == Some(&one))
}
