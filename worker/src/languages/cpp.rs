//! C++: another grammar, read like C.

use std::sync::OnceLock;

use super::c::{enter, role};
use super::walk::Grammar;

/// The grammar of C++.
pub(super) static CPP: Grammar =
    Grammar { language: || tree_sitter_cpp::LANGUAGE.into(), role, enter, loaded: OnceLock::new() };
