//! What a file of Python takes from others.

use ruff_python_ast::{StmtImport, StmtImportFrom};
use ruff_text_size::Ranged;

use super::super::draft::{Draft, Place};
use crate::outline::Import;

/// What turns on features of the language, and is no module that anything is taken from.
const FUTURE: &str = "__future__";

/// Reads `import a, b as c`.
pub(super) fn names(draft: &mut Draft<'_>, node: &StmtImport) {
    for name in &node.names {
        draft.outline.imports.push(Import { span: node.range.place(), module: name.name.range().place() });
    }
}

/// Reads `from a import b`, whose module may begin with dots, or be nothing else.
pub(super) fn from(draft: &mut Draft<'_>, node: &StmtImportFrom) {
    if node.module.as_ref().is_some_and(|module| module.as_str() == FUTURE) {
        return;
    }
    let span = node.range.place();
    let module = match &node.module {
        Some(module) if node.level == 0 => module.range().place(),
        module => {
            let text = draft.slice(&span);
            let Some(start) = text.find('.') else { return };
            let dots = text[start..].find(|c: char| !c.is_whitespace() && c != '.').unwrap_or_default();
            let end = span.start + text[..start + dots].trim_end().len();
            span.start + start..module.as_ref().map_or(end, |module| module.range().place().end)
        }
    };
    draft.outline.imports.push(Import { span, module });
}
