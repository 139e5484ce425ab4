//! TypeScript, with and without JSX: other grammars, read like JavaScript.

use std::sync::OnceLock;

use super::javascript::{enter, role};
use super::walk::Grammar;

/// The grammar of TypeScript.
pub(super) static TYPESCRIPT: Grammar =
    Grammar { language: || tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(), role, enter, loaded: OnceLock::new() };

/// The grammar of TypeScript with JSX, in which `<T>x` is no cast.
pub(super) static TSX: Grammar =
    Grammar { language: || tree_sitter_typescript::LANGUAGE_TSX.into(), role, enter, loaded: OnceLock::new() };
